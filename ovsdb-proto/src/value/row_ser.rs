//! Makes rows of types that derive `Serialize`.

use std::fmt::Display;

use serde::ser::{
    self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
    SerializeTupleStruct, Serializer,
};

use super::row_de::RowError;
use super::{Atom, Datum, Map, Row, Set, UUID_FORM, WIRE_FORM};

/// Makes a row of a value.
pub(super) fn row_of<T: Serialize + ?Sized>(value: &T) -> Result<Row, RowError> {
    value.serialize(RowSerializer)
}

struct RowSerializer;

struct DatumSerializer;

#[derive(Default)]
struct Columns {
    columns: Vec<(String, Datum)>,
    key: Option<String>,
}

#[derive(Default)]
struct Elements(Vec<Atom>);

#[derive(Default)]
struct Pairs {
    pairs: Vec<(Atom, Atom)>,
    key: Option<Atom>,
}

impl ser::Error for RowError {
    fn custom<T: Display>(reason: T) -> Self {
        serde::de::Error::custom(reason)
    }
}

/// Refuses what is not of these kinds.
macro_rules! refuse {
    ($wanted:literal: $($method:ident($($arg:ty),*);)*) => {
        $(
            fn $method(self $(, _: $arg)*) -> Result<Self::Ok, RowError> {
                Err(ser::Error::custom($wanted))
            }
        )*
    };
}

impl Serializer for RowSerializer {
    type Ok = Row;
    type Error = RowError;
    type SerializeSeq = Impossible<Row, RowError>;
    type SerializeTuple = Impossible<Row, RowError>;
    type SerializeTupleStruct = Impossible<Row, RowError>;
    type SerializeTupleVariant = Impossible<Row, RowError>;
    type SerializeMap = Columns;
    type SerializeStruct = Columns;
    type SerializeStructVariant = Impossible<Row, RowError>;

    refuse! { "a row is a struct or a map":
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64);
        serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64);
        serialize_f32(f32); serialize_f64(f64); serialize_char(char); serialize_str(&str); serialize_bytes(&[u8]);
        serialize_none(); serialize_unit(); serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Row, RowError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Row, RowError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Row, RowError> {
        Err(ser::Error::custom("a row is a struct or a map"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, RowError> {
        Err(ser::Error::custom("a row is a struct or a map"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, RowError> {
        Err(ser::Error::custom("a row is a struct or a map"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, RowError> {
        Err(ser::Error::custom("a row is a struct or a map"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, RowError> {
        Err(ser::Error::custom("a row is a struct or a map"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Columns, RowError> {
        Ok(Columns::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Columns, RowError> {
        Ok(Columns::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, RowError> {
        Err(ser::Error::custom("a row is a struct or a map"))
    }
}

impl Columns {
    fn add<T: Serialize + ?Sized>(&mut self, name: String, value: &T) -> Result<(), RowError> {
        // The server's own: a row that was read has them, but they cannot be written.
        if matches!(name.as_str(), "_uuid" | "_version") {
            return Ok(());
        }
        let value = value
            .serialize(DatumSerializer)
            .map_err(|error| error.in_column(&name))?;
        self.columns.push((name, value));
        Ok(())
    }
}

impl SerializeStruct for Columns {
    type Ok = Row;
    type Error = RowError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), RowError> {
        self.add(name.to_owned(), value)
    }

    fn end(self) -> Result<Row, RowError> {
        Ok(self.columns.into_iter().collect())
    }
}

impl SerializeMap for Columns {
    type Ok = Row;
    type Error = RowError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), RowError> {
        match atom_of(key)? {
            Atom::String(name) => self.key = Some(name),
            _ => return Err(ser::Error::custom("the name of a column is a string")),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        let name = self.key.take();
        let name = name.ok_or_else(|| <RowError as ser::Error>::custom("value before its name"))?;
        self.add(name, value)
    }

    fn end(self) -> Result<Row, RowError> {
        Ok(self.columns.into_iter().collect())
    }
}

/// Takes each of these as an atom.
macro_rules! atoms {
    ($($method:ident($ty:ty) as $atom:ty;)*) => {
        $(
            fn $method(self, value: $ty) -> Result<Datum, RowError> {
                Ok(Datum::from(<$atom>::from(value)))
            }
        )*
    };
}

impl Serializer for DatumSerializer {
    type Ok = Datum;
    type Error = RowError;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Impossible<Datum, RowError>;
    type SerializeMap = Pairs;
    type SerializeStruct = Impossible<Datum, RowError>;
    type SerializeStructVariant = Impossible<Datum, RowError>;

    atoms! {
        serialize_bool(bool) as bool;
        serialize_i8(i8) as i64;
        serialize_i16(i16) as i64;
        serialize_i32(i32) as i64;
        serialize_i64(i64) as i64;
        serialize_u8(u8) as i64;
        serialize_u16(u16) as i64;
        serialize_u32(u32) as i64;
        serialize_f32(f32) as f64;
        serialize_f64(f64) as f64;
        serialize_char(char) as String;
        serialize_str(&str) as String;
    }

    refuse! { "no column holds this":
        serialize_bytes(&[u8]); serialize_unit(); serialize_unit_struct(&'static str);
    }

    fn serialize_u64(self, value: u64) -> Result<Datum, RowError> {
        match i64::try_from(value) {
            Ok(value) => Ok(value.into()),
            Err(_) => Err(ser::Error::custom(format_args!("{value} exceeds {}", i64::MAX))),
        }
    }

    fn serialize_none(self) -> Result<Datum, RowError> {
        Ok(Set::default().into())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Datum, RowError> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Datum, RowError> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Datum, RowError> {
        match name {
            WIRE_FORM => {
                let wire = serde_json::to_value(value).map_err(<RowError as ser::Error>::custom)?;
                serde_json::from_value(wire).map_err(<RowError as ser::Error>::custom)
            }
            UUID_FORM => match value.serialize(self)?.as_scalar().and_then(Atom::as_str) {
                Some(text) => {
                    let uuid = text.parse::<super::Uuid>();
                    uuid.map(Datum::from).map_err(<RowError as ser::Error>::custom)
                }
                None => Err(ser::Error::custom("wanted a uuid")),
            },
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Datum, RowError> {
        Err(ser::Error::custom("no column holds this"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements, RowError> {
        Ok(Elements::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements, RowError> {
        Ok(Elements::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements, RowError> {
        Ok(Elements::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, RowError> {
        Err(ser::Error::custom("no column holds this"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Pairs, RowError> {
        Ok(Pairs::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, RowError> {
        Err(ser::Error::custom("no column holds this"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, RowError> {
        Err(ser::Error::custom("no column holds this"))
    }
}

impl Elements {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        self.0.push(atom_of(value)?);
        Ok(())
    }

    fn set(self) -> Result<Datum, RowError> {
        let set = Set::new(self.0).map_err(<RowError as ser::Error>::custom)?;
        Ok(set.into())
    }
}

/// Sequences, tuples and tuple structs are sets all the same.
macro_rules! elements {
    ($($kind:ident::$method:ident;)*) => {
        $(
            impl $kind for Elements {
                type Ok = Datum;
                type Error = RowError;

                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
                    self.add(value)
                }

                fn end(self) -> Result<Datum, RowError> {
                    self.set()
                }
            }
        )*
    };
}

elements! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
}

impl SerializeMap for Pairs {
    type Ok = Datum;
    type Error = RowError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), RowError> {
        self.key = Some(atom_of(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        let key = self.key.take();
        let key = key.ok_or_else(|| <RowError as ser::Error>::custom("value before its key"))?;
        self.pairs.push((key, atom_of(value)?));
        Ok(())
    }

    fn end(self) -> Result<Datum, RowError> {
        let map = Map::new(self.pairs).map_err(<RowError as ser::Error>::custom)?;
        Ok(map.into())
    }
}

fn atom_of<T: Serialize + ?Sized>(value: &T) -> Result<Atom, RowError> {
    let datum = value.serialize(DatumSerializer)?;
    let atom = datum.as_scalar().cloned();
    atom.ok_or_else(|| ser::Error::custom("wanted one atom"))
}
