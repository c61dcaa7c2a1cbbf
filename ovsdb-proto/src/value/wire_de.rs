//! Reads a column's value from its JSON text straight into a type that derives `Deserialize`.
//!
//! To the type it looks as it does in a [`Row`](super::Row): a set is a sequence, or one atom, or
//! an option of one; a map is a map; a UUID is a string.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::datum::Tag;
use super::scalar::{Scalar, Text};
use super::{WIRE_FORM, element, end};
use crate::schema::{AtomicType, ColumnType};

/// A column's value in its form on the wire.
pub(crate) struct WireValue<'c, D> {
    pub(crate) json: D,
    pub(crate) column: &'c ColumnType,
}

/// An atom in its form on the wire.
struct WireAtom<D> {
    json: D,
    kind: AtomicType,
}

/// What a type wants of a value.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// Whatever it is.
    Any,
    /// One atom or none.
    Option,
    /// A set as a sequence.
    Sequence,
}

struct ValueVisitor<'c, V> {
    visitor: V,
    wanted: Wanted,
    column: &'c ColumnType,
}

/// The elements of a `["set", …]`.
struct SetElements<V> {
    visitor: V,
    wanted: Wanted,
    kind: AtomicType,
}

/// The pairs of a `["map", …]`.
struct MapPairs<V> {
    visitor: V,
    kinds: [AtomicType; 2],
}

struct Elements<A> {
    seq: A,
    kind: AtomicType,
}

struct Pairs<'de, A> {
    seq: A,
    /// Of keys and of values.
    kinds: [AtomicType; 2],
    /// The second half of a pair whose key was asked for alone.
    value: Option<Scalar<'de>>,
}

/// One atom of a set.
struct AtomSeed<S> {
    seed: S,
    kind: AtomicType,
}

/// A key and a value.
struct PairSeed<K, V>(K, V);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for WireValue<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.read(visitor, Wanted::Any)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.read(visitor, Wanted::Option)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.read(visitor, Wanted::Sequence)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        match name {
            WIRE_FORM => self.json.deserialize_newtype_struct(name, visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (json, kind) = (self.json, self.column.key.atomic);
        WireAtom { json, kind }.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.json.deserialize_ignored_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct map struct identifier
    }
}

impl<'de, D: Deserializer<'de>> WireValue<'_, D> {
    fn read<V: Visitor<'de>>(self, visitor: V, wanted: Wanted) -> Result<V::Value, D::Error> {
        self.json.deserialize_any(ValueVisitor {
            visitor,
            wanted,
            column: self.column,
        })
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for WireAtom<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        // A processor guesses ill what comes next, and the schema knows. This is a tenth of the time
        // that a large table takes.
        match self.kind {
            AtomicType::String => self.json.deserialize_str(visitor),
            AtomicType::Integer => visitor.visit_i64(i64::deserialize(self.json)?),
            _ => {
                let scalar = Scalar::deserialize(self.json)?;
                scalar.into_deserializer().deserialize_any(visitor)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        match name {
            WIRE_FORM => self.json.deserialize_newtype_struct(name, visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let scalar = Scalar::deserialize(self.json)?;
        scalar
            .into_deserializer()
            .deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> ValueVisitor<'_, V> {
    /// A set of one, as the bare atom.
    fn bare<E: de::Error>(self, scalar: Scalar<'de>) -> Result<V::Value, E> {
        let scalar = scalar.into_deserializer();
        match self.wanted {
            Wanted::Any => scalar.deserialize_any(self.visitor),
            Wanted::Option => self.visitor.visit_some(scalar),
            Wanted::Sequence => {
                let one = std::iter::once(scalar);
                self.visitor.visit_seq(de::value::SeqDeserializer::new(one))
            }
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ValueVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.bare(Scalar::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        #[allow(clippy::cast_precision_loss)] // what the server does with such a number
        self.bare(i64::try_from(value).map_or(Scalar::Real(value as f64), Scalar::Integer))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.bare(Scalar::Real(value))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.bare(Scalar::Boolean(value))
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.bare(Scalar::String(Cow::Borrowed(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<V::Value, E> {
        self.bare(Scalar::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<V::Value, A::Error> {
        let Self {
            visitor,
            wanted,
            column,
        } = self;
        let kind = column.key.atomic;
        let expected: &dyn de::Expected = &"[\"set\", array], [\"map\", array] or [\"uuid\", string]";
        let next = "an array's second element";
        let missing = || de::Error::invalid_length(1, &next);
        match element(&mut seq, 0, expected)? {
            Tag::Set => {
                let elements = seq.next_element_seed(SetElements {
                    visitor,
                    wanted,
                    kind,
                })?;
                end(seq, 2, expected)?;
                elements.ok_or_else(missing)
            }
            Tag::Map => {
                // Without values it is no map, and the pairs are read as they come.
                let kinds = [kind, column.value.as_ref().map_or(kind, |value| value.atomic)];
                let pairs = seq.next_element_seed(MapPairs { visitor, kinds })?;
                end(seq, 2, expected)?;
                pairs.ok_or_else(missing)
            }
            tag @ (Tag::Uuid | Tag::NamedUuid) => {
                let Text(id) = element(&mut seq, 1, expected)?;
                end(seq, 2, expected)?;
                let value = Self {
                    visitor,
                    wanted,
                    column,
                };
                value.bare(match tag {
                    Tag::Uuid => Scalar::Uuid(id),
                    _ => Scalar::NamedUuid(id),
                })
            }
        }
    }
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for SetElements<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for SetElements<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<V::Value, A::Error> {
        if !matches!(self.wanted, Wanted::Option) {
            let kind = self.kind;
            return self.visitor.visit_seq(Elements { seq, kind });
        }
        let Some(one) = seq.next_element::<Scalar<'de>>()? else {
            return self.visitor.visit_none();
        };
        end(seq, 1, &"one element or none")?;
        self.visitor.visit_some(one.into_deserializer())
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let kind = self.kind;
        self.seq.next_element_seed(AtomSeed { seed, kind })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for AtomSeed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let (json, kind) = (deserializer, self.kind);
        self.seed.deserialize(WireAtom { json, kind })
    }
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for MapPairs<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for MapPairs<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Pairs {
            seq,
            kinds: self.kinds,
            value: None,
        })
    }
}

impl<'de, A: SeqAccess<'de>> MapAccess<'de> for Pairs<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let [kind, _] = self.kinds;
        let value = std::marker::PhantomData::<Scalar<'de>>;
        let key = AtomSeed { seed, kind };
        let pair = self.seq.next_element_seed(PairSeed(key, value))?;
        Ok(pair.map(|(key, value)| {
            self.value = Some(value);
            key
        }))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        let value = self.value.take();
        let value = value.ok_or_else(|| de::Error::custom("value asked for before its key"))?;
        seed.deserialize(value.into_deserializer())
    }

    fn next_entry_seed<K: DeserializeSeed<'de>, V: DeserializeSeed<'de>>(
        &mut self,
        key: K,
        value: V,
    ) -> Result<Option<(K::Value, V::Value)>, A::Error> {
        let [of_key, of_value] = self.kinds;
        let (key, value) = (
            AtomSeed {
                seed: key,
                kind: of_key,
            },
            AtomSeed {
                seed: value,
                kind: of_value,
            },
        );
        self.seq.next_element_seed(PairSeed(key, value))
    }
}

impl<'de, K: DeserializeSeed<'de>, V: DeserializeSeed<'de>> DeserializeSeed<'de> for PairSeed<K, V> {
    type Value = (K::Value, V::Value);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_tuple(2, self)
    }
}

impl<'de, K: DeserializeSeed<'de>, V: DeserializeSeed<'de>> Visitor<'de> for PairSeed<K, V> {
    type Value = (K::Value, V::Value);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let short = |len| de::Error::invalid_length(len, &"a key and a value");
        let key = seq.next_element_seed(self.0)?;
        let key = key.ok_or_else(|| short(0))?;
        let value = seq.next_element_seed(self.1)?;
        Ok((key, value.ok_or_else(|| short(1))?))
    }
}
