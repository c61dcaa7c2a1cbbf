//! What follows the header of an action, both ways.

use crate::{
    model::{
        action::Action,
        addr::EthAddr,
        canonical::actions::Context,
        field::Field,
        port::{NumberOrName, Port, PortRef, TableRef},
        subfield::Subfield,
        validity::{
            Problem,
            order::{Place, verify},
        },
        version::Version,
    },
    wire::{
        action::{
            decode_list,
            table::{Form, Vendor},
        },
        error::{DecodeError, EncodeError, Fault},
        oxm::OxmHeader,
        port::port_in_16_bits,
        read::Reader,
        write::Writer,
    },
};

/// Reads the arguments of an action. Numbers stand at multiples of their length, as in C.
pub(super) struct Args<'a> {
    /// What is not read yet.
    pub(super) reader: Reader<'a>,
    /// The byte of the message at which the action begins.
    start: usize,
    what: &'static str,
    pub(super) version: Version,
    /// How many actions this one is inside of.
    depth: usize,
}

impl<'a> Args<'a> {
    /// `reader` begins behind the header, which begins at byte `start`.
    pub(super) fn new(
        reader: Reader<'a>,
        start: usize,
        what: &'static str,
        version: Version,
        depth: usize,
    ) -> Self {
        Args {
            reader: reader.named(BAD_LEN),
            start,
            what,
            version,
            depth,
        }
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.reader.u8(self.what)
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.align(2)?;
        self.reader.u16(self.what)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.align(4)?;
        self.reader.u32(self.what)
    }

    pub(super) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.align(8)?;
        self.reader.u64(self.what)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.reader.array(self.what)
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        self.reader.bytes(len, self.what)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        self.reader.rest()
    }

    /// The actions in all that is left.
    pub(super) fn actions(&mut self) -> Result<alloc::vec::Vec<Action>, DecodeError> {
        decode_list(self.reader, self.version, self.depth + 1)
    }

    /// Refuses actions inside this one that may not stand there.
    pub(super) fn verify(&self, actions: &[Action], place: Place) -> Result<(), DecodeError> {
        let name = |problem: Problem| problem.error_name(self.version).unwrap_or(BAD_ARGUMENT);
        verify(actions, self.version, place).map_err(|problem| self.error(Fault::Combination, name(problem)))
    }

    fn align(&mut self, len: usize) -> Result<(), DecodeError> {
        let at = self.reader.offset() - self.start;
        self.reader
            .bytes(at.next_multiple_of(len) - at, self.what)
            .map(drop)
    }

    pub(super) fn u8_up_to(&mut self, limit: u8) -> Result<u8, DecodeError> {
        let number = self.u8()?;
        self.check(number <= limit, number, BAD_ARGUMENT)?;
        Ok(number)
    }

    pub(super) fn u16_up_to(&mut self, limit: u16) -> Result<u16, DecodeError> {
        let number = self.u16()?;
        self.check(number <= limit, number, BAD_ARGUMENT)?;
        Ok(number)
    }

    pub(super) fn u16_of(&mut self, allowed: &[u16]) -> Result<u16, DecodeError> {
        let number = self.u16()?;
        self.check(allowed.contains(&number), number, BAD_ARGUMENT)?;
        Ok(number)
    }

    /// The next `len` bytes, which must be zero.
    pub(super) fn zeros(&mut self, len: usize, name: &'static str) -> Result<(), DecodeError> {
        let bytes = self.bytes(len)?;
        let bad = bytes.iter().find(|byte| **byte != 0);
        self.check(bad.is_none(), bad.copied().unwrap_or(0), name)
    }

    /// All that is left, which must be zero.
    pub(super) fn rest_is_zero(&mut self, name: &'static str) -> Result<(), DecodeError> {
        self.zeros(self.reader.len(), name)
    }

    /// Refuses `value` unless it is `allowed`.
    pub(super) fn check(
        &self,
        allowed: bool,
        value: impl Into<u64>,
        name: &'static str,
    ) -> Result<(), DecodeError> {
        match allowed {
            true => Ok(()),
            false => Err(self.refuse(value, name)),
        }
    }

    pub(super) fn refuse(&self, value: impl Into<u64>, name: &'static str) -> DecodeError {
        self.error(Fault::Value(value.into()), name)
    }

    pub(super) fn error(&self, fault: Fault, name: &'static str) -> DecodeError {
        DecodeError {
            offset: self.start,
            what: self.what,
            fault,
            name,
        }
    }

    /// A port of 16 bits.
    pub(super) fn port16(&mut self) -> Result<Port, DecodeError> {
        self.u16().map(Port::from_16_bits)
    }

    /// A field by a header of 4 bytes, whose mask bit says nothing here.
    pub(super) fn field(&mut self) -> Result<Field, DecodeError> {
        let header = self.reader.u32(self.what)?;
        let field = OxmHeader(u64::from(header) << 32).field();
        field.ok_or_else(|| self.refuse(header, BAD_SET_TYPE))
    }

    /// A field by a header of 4 or 8 bytes (`nx_pull_header` in lib/nx-match.c).
    pub(super) fn oxm_field(&mut self) -> Result<Field, DecodeError> {
        let mut reader = self.reader.named("OFPBMC_BAD_LEN");
        let header = OxmHeader::decode(&mut reader)?;
        self.reader = reader.named(BAD_LEN);
        let field = header.field();
        let field = field.ok_or_else(|| self.refuse(header.0 >> 32, "OFPBMC_BAD_FIELD"))?;
        self.check(!header.has_mask(), header.0 >> 32, "OFPBMC_BAD_MASK")?;
        Ok(field)
    }

    /// `len` bits of `field` from `first` on (`mf_check__` in lib/meta-flow.c).
    pub(super) fn bits(&self, field: Field, first: u16, len: u16) -> Result<Subfield, DecodeError> {
        let end = u32::from(first) + u32::from(len);
        self.check(
            len > 0 && end <= field.info().bits.into(),
            end,
            "OFPBAC_BAD_SET_LEN",
        )?;
        Ok(Subfield::of(field, first.into(), len.into()))
    }

    /// The same of a field that may be set (`mf_check_dst`).
    pub(super) fn writable(&self, field: Field, first: u16, len: u16) -> Result<Subfield, DecodeError> {
        let bits = self.bits(field, first, len)?;
        self.check(field.info().writable, first, BAD_SET_ARGUMENT)?;
        Ok(bits)
    }
}

/// The first bit and the number of bits in 16 bits: `(first << 6) | (len - 1)`.
pub(super) fn split_ofs_nbits(ofs_nbits: u16) -> (u16, u16) {
    (ofs_nbits >> 6, (ofs_nbits & 0x3f) + 1)
}

/// Writes actions of one version.
pub(super) struct Out<'w, 'v> {
    pub(super) writer: &'w mut Writer<'v>,
    pub(super) context: Context,
}

impl Out<'_, '_> {
    pub(super) fn version(&self) -> Version {
        self.context.version
    }

    /// Writes an action: its header, what `arguments` writes, zeros up to a multiple of 8, and the
    /// length.
    pub(super) fn action(
        &mut self,
        form: Form,
        arguments: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let what = form.row().name;
        let version = self.version();
        let number = form
            .number(version)
            .ok_or(EncodeError::NotInVersion { what, version })?;
        let start = self.writer.len();
        match number.vendor {
            Vendor::OpenFlow => self.writer.u16(number.number),
            _ => self.writer.u16(VENDOR),
        }
        self.writer.u16(0);
        if number.vendor != Vendor::OpenFlow {
            self.writer.u32(number.vendor.id());
            self.writer.u16(number.number);
        }
        arguments(self)?;
        self.writer.pad(start, 8);
        self.writer.fill_len(start + 2, start, what)
    }

    /// Writes an action whose one argument is a number, at a multiple of its length.
    pub(super) fn number<const N: usize>(&mut self, form: Form, number: [u8; N]) -> Result<(), EncodeError> {
        self.action(form, |out| {
            // A vendor's header has 10 bytes, another one 4.
            let header = form
                .number(out.version())
                .map_or(0, |number| number.vendor.header_len());
            out.writer.zeros(header.next_multiple_of(N) - header);
            out.writer.bytes(&number);
            Ok(())
        })
    }

    /// Writes an Ethernet address and padding (`struct ofp_action_dl_addr`).
    pub(super) fn eth_addr(&mut self, form: Form, addr: &EthAddr) -> Result<(), EncodeError> {
        self.action(form, |out| {
            out.writer.bytes(&addr.0);
            out.writer.zeros(6);
            Ok(())
        })
    }

    pub(super) fn not_in_version(&self, what: &'static str) -> EncodeError {
        EncodeError::NotInVersion {
            what,
            version: self.version(),
        }
    }

    /// Writes an action without arguments.
    pub(super) fn empty(&mut self, form: Form) -> Result<(), EncodeError> {
        self.action(form, |_| Ok(()))
    }

    /// A port in 16 bits.
    pub(super) fn port16(&mut self, port: &PortRef) -> Result<(), EncodeError> {
        self.writer.u16(port_in_16_bits(port_number(port)?, "port")?);
        Ok(())
    }

    /// A table; 255 for none.
    pub(super) fn table(&mut self, table: Option<&TableRef>) -> Result<(), EncodeError> {
        let table = match table {
            None => NO_TABLE,
            Some(NumberOrName::Number(table)) => *table,
            Some(NumberOrName::Name(name)) => return Err(unresolved("table", name)),
        };
        self.writer.u8(table);
        Ok(())
    }

    /// The header of a field of 4 bytes.
    pub(super) fn field(&mut self, field: Field) -> Result<(), EncodeError> {
        let header = OxmHeader::of(field, None).filter(|header| header.experimenter().is_none());
        let OxmHeader(header) = header.ok_or(self.not_in_version(field.name()))?;
        self.writer.bytes(&header.to_be_bytes()[..4]);
        Ok(())
    }

    /// The header of a field as a version has it; in Nicira's actions no version counts.
    pub(super) fn oxm_field(&mut self, field: Field, version: Option<Version>) -> Result<(), EncodeError> {
        let header = OxmHeader::of(field, version).ok_or(self.not_in_version(field.name()))?;
        header.encode(self.writer);
        Ok(())
    }

    /// First bit and number of bits as [`split_ofs_nbits`] reads them.
    pub(super) fn ofs_nbits(&mut self, bits: &Bits) -> Result<(), EncodeError> {
        let range = |value: u16| EncodeError::OutOfRange {
            what: "bits of a field",
            value: value.into(),
        };
        if bits.len > 64 {
            return Err(range(bits.len));
        }
        let first = bits.first.checked_mul(64).ok_or(range(bits.first))?;
        self.writer.u16(first | (bits.len - 1));
        Ok(())
    }
}

/// A subfield whose field is known.
pub(super) struct Bits {
    pub(super) field: Field,
    pub(super) first: u16,
    pub(super) len: u16,
}

impl Bits {
    pub(super) fn of(subfield: &Subfield) -> Result<Self, EncodeError> {
        let unknown = || unresolved("field", subfield.name());
        let field = subfield.field().ok_or_else(unknown)?;
        let (first, last) = subfield.bits().ok_or_else(unknown)?;
        Ok(Bits {
            field,
            first,
            len: (last - first).saturating_add(1),
        })
    }

    /// Whether the header of the field has an experimenter, which places of 4 bytes have no room for.
    pub(super) fn has_experimenter(&self) -> bool {
        let header = OxmHeader::of(self.field, None);
        header.is_some_and(|header| header.experimenter().is_some())
    }
}

pub(super) fn port_number(port: &PortRef) -> Result<Port, EncodeError> {
    match port {
        NumberOrName::Number(port) => Ok(*port),
        NumberOrName::Name(name) => Err(unresolved("port", name)),
    }
}

pub(super) fn unresolved(what: &'static str, name: &str) -> EncodeError {
    EncodeError::Unresolved {
        what,
        name: name.into(),
    }
}

/// Whether the actions of a vendor are known to begin with a subtype.
pub(super) fn has_subtype(vendor: u32) -> bool {
    [Vendor::Nicira, Vendor::Onf]
        .iter()
        .any(|known| known.id() == vendor)
}

/// `OFPAT_VENDOR`.
pub(super) const VENDOR: u16 = 0xffff;
/// The table that stands for none.
pub(super) const NO_TABLE: u8 = 255;
pub(super) const BAD_LEN: &str = "OFPBAC_BAD_LEN";
pub(super) const BAD_ARGUMENT: &str = "OFPBAC_BAD_ARGUMENT";
pub(super) const BAD_SET_TYPE: &str = "OFPBAC_BAD_SET_TYPE";
pub(super) const BAD_SET_ARGUMENT: &str = "OFPBAC_BAD_SET_ARGUMENT";
pub(super) const MUST_BE_ZERO: &str = "NXBRC_MUST_BE_ZERO";
