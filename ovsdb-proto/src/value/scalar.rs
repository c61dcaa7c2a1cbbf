//! Reads one atom into a type that derives `Deserialize`.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::value::{SeqDeserializer, StringDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::uuid::Tag;
use super::{Atom, WIRE_FORM, element, end};

/// One atom, borrowed from a row or from JSON text.
pub(super) enum Scalar<'de> {
    Integer(i64),
    Real(f64),
    Boolean(bool),
    String(Cow<'de, str>),
    Uuid(Cow<'de, str>),
    NamedUuid(Cow<'de, str>),
}

/// An atom with the error that reading it gives.
pub(super) struct ScalarDeserializer<'de, E> {
    scalar: Scalar<'de>,
    error: PhantomData<E>,
}

impl<'de> From<&'de Atom> for Scalar<'de> {
    fn from(atom: &'de Atom) -> Self {
        match atom {
            Atom::Integer(value) => Self::Integer(*value),
            Atom::Real(value) => Self::Real(*value),
            Atom::Boolean(value) => Self::Boolean(*value),
            Atom::String(value) => Self::String(value.into()),
            Atom::Uuid(value) => Self::Uuid(value.to_string().into()),
            Atom::NamedUuid(name) => Self::NamedUuid(name.into()),
        }
    }
}

/// The form on the wire.
impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        super::AtomVisitor.expecting(f)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
        #[allow(clippy::cast_precision_loss)] // what the server does with such a number
        Ok(i64::try_from(value).map_or(Scalar::Real(value as f64), Scalar::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Real(value))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Boolean(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::String(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::String(value.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        let tag = element(&mut seq, 0, &self)?;
        let id: Text<'de> = element(&mut seq, 1, &self)?;
        end(seq, 2, &self)?;
        Ok(match tag {
            Tag::Uuid => Scalar::Uuid(id.0),
            Tag::NamedUuid => Scalar::NamedUuid(id.0),
        })
    }
}

/// A string, borrowed if it has no escapes.
#[derive(serde::Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'de, E: de::Error> IntoDeserializer<'de, E> for Scalar<'de> {
    type Deserializer = ScalarDeserializer<'de, E>;

    fn into_deserializer(self) -> ScalarDeserializer<'de, E> {
        ScalarDeserializer {
            scalar: self,
            error: PhantomData,
        }
    }
}

impl<'de, E: de::Error> IntoDeserializer<'de, E> for ScalarDeserializer<'de, E> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de, E: de::Error> Deserializer<'de> for ScalarDeserializer<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.scalar {
            Scalar::Integer(value) => visitor.visit_i64(value),
            Scalar::Real(value) => visitor.visit_f64(value),
            Scalar::Boolean(value) => visitor.visit_bool(value),
            Scalar::String(text) | Scalar::Uuid(text) | Scalar::NamedUuid(text) => match text {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, E> {
        match self.scalar {
            _ if name != WIRE_FORM => visitor.visit_newtype_struct(self),
            Scalar::Uuid(id) => visit_tagged("uuid", id, visitor),
            Scalar::NamedUuid(id) => visit_tagged("named-uuid", id, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, E> {
        match self.scalar {
            Scalar::String(text) => {
                let variant: StringDeserializer<E> = text.into_owned().into_deserializer();
                variant.deserialize_enum(name, variants, visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn visit_tagged<'de, E: de::Error, V: Visitor<'de>>(
    tag: &'static str,
    id: Cow<'de, str>,
    visitor: V,
) -> Result<V::Value, E> {
    visitor.visit_seq(SeqDeserializer::new([Cow::Borrowed(tag), id].into_iter()))
}
