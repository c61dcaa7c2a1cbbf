//! Values that fields can have.

use crate::model::{
    field::{Field, Format},
    matches::Value,
};

/// `mf_is_value_valid` in lib/meta-flow.c.
pub(crate) fn has_value(field: Field, value: &Value) -> bool {
    let Some(number) = value.number() else {
        return true;
    };
    match field {
        Field::NwTos => number & 3 == 0 && number <= 0xff,
        Field::ArpOp => number <= 0xff,
        Field::NshTtl => number <= 63,
        Field::NshMdtype => matches!(number, 1 | 2),
        Field::CtState => number <= 0xff,
        // Open vSwitch keeps all the bytes of these.
        Field::TunErspanIdx | Field::TunErspanVer | Field::TunErspanDir | Field::TunErspanHwid => true,
        // A port was one that there is, or it would not have been read.
        _ if field.info().format == Format::Port => true,
        _ => number <= field.max(),
    }
}
