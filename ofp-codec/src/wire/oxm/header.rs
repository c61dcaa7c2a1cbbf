use core::fmt;

use crate::{
    model::{
        field::{Field, FieldHeader},
        version::Version,
    },
    wire::{
        error::{DecodeError, Fault},
        read::Reader,
        write::Writer,
    },
};

/// The header of an entry: class (16 bits), field (7), whether there is a mask (1), length of what
/// follows (8), and the experimenter (32 bits, of which only class 0xffff has any on the wire).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OxmHeader(pub u64);

impl OxmHeader {
    /// `OFPXMC12_EXPERIMENTER`: the class of headers with an experimenter.
    pub(crate) const EXPERIMENTER: u16 = 0xffff;
    /// `NXM_NX_COOKIE`: matches the cookie of a flow, in Nicira's requests only.
    pub const COOKIE: OxmHeader = OxmHeader(0x0001_3c08 << 32);
    /// `NXM_NX_COOKIE_W`: the same with a mask.
    pub const COOKIE_MASKED: OxmHeader = OxmHeader(0x0001_3d10 << 32);

    /// The header, without a mask, that Open vSwitch writes for `field`: the newest one that the
    /// version has, and without a version Nicira's where there is one. `None`: OpenFlow has no way to
    /// say the field.
    ///
    /// The options of tunnels get the greatest length; a value has its own.
    pub fn of(field: Field, version: Option<Version>) -> Option<Self> {
        let headers = field.info().headers;
        let has = |minor| version.is_some_and(|version| minor < version.0);
        // Of two that no version made the first counts.
        let newest = headers.iter().rev().filter(|header| has(header.minor));
        let newest = newest.max_by_key(|header| header.minor);
        let header = newest.or(headers.first())?;
        let (class, number) = (u64::from(header.class), u64::from(header.number));
        let exact = OxmHeader(class << 48 | number << 41 | u64::from(header.experimenter));
        exact.with_len(field.info().bytes.into(), false)
    }

    /// The same field with a value of `len` bytes and perhaps a mask. `None`: too long.
    #[must_use]
    pub fn with_len(self, len: usize, has_mask: bool) -> Option<Self> {
        self.with_payload(if has_mask { 2 * len } else { len }, has_mask)
    }

    /// The same field with `len` bytes of value and perhaps mask. `None`: too long.
    pub(crate) fn with_payload(self, len: usize, has_mask: bool) -> Option<Self> {
        let len = u64::from(u8::try_from(len + self.experimenter_len()).ok()?);
        Some(OxmHeader(
            self.0 & !(0x1ff << 32) | u64::from(has_mask) << 40 | len << 32,
        ))
    }

    /// The class: `OFPXMC_OPENFLOW_BASIC` is 0x8000.
    pub fn class(self) -> u16 {
        self.bits(48, 0xffff)
    }

    /// The number of the field in its class.
    pub fn number(self) -> u8 {
        self.0.to_be_bytes()[2] >> 1
    }

    /// Whether a mask follows the value.
    pub fn has_mask(self) -> bool {
        self.0 >> 40 & 1 == 1
    }

    /// The experimenter, of a field of class 0xffff.
    pub fn experimenter(self) -> Option<u32> {
        let [_, _, _, _, id @ ..] = self.0.to_be_bytes();
        (self.class() == EXPERIMENTER).then_some(u32::from_be_bytes(id))
    }

    /// How many bytes follow: the value and perhaps a mask.
    pub fn payload_len(self) -> usize {
        usize::from(self.len()).saturating_sub(self.experimenter_len())
    }

    /// The field, if it is known and has this length.
    #[inline]
    pub fn field(self) -> Option<Field> {
        let field = self.field_of_any_len()?;
        let info = field.info();
        // With a mask Open vSwitch halves the length, also of an odd one.
        let len = self.payload_len() >> u32::from(self.has_mask());
        // Of an option's length Open vSwitch looks at 7 bits (`nxm_no_len`).
        (len == usize::from(info.bytes) || info.bits > 128 && len < 128).then_some(field)
    }

    /// The field, if it is known.
    #[inline]
    pub(crate) fn field_of_any_len(self) -> Option<Field> {
        let class = class_place(self.class(), self.0 & 0xffff_ffff)?;
        let place = usize::from(FIELDS[class][usize::from(self.number())]).checked_sub(1)?;
        Some(Field::ALL[place])
    }

    /// The error of an action that is to set this field, which is not known with this length
    /// (`nxm_field_by_header` in lib/nx-match.c): where any field in the same place of Open vSwitch's hash table has
    /// another length, the length is at fault to it.
    #[cold]
    pub(crate) fn set_error(self) -> &'static str {
        let masked = u32::from(self.has_mask());
        let len = self.experimenter_len() + (self.payload_len() >> masked);
        let place = OxmHeader(self.0 & !(1 << 40)).hash_place();
        let headers = Field::ALL
            .iter()
            .flat_map(|field| field.info().headers.iter().map(move |header| (field, header)));
        let other_len = headers.into_iter().any(|(field, known)| {
            let known = OxmHeader::known(known, field.info().bytes);
            known.hash_place() == place && usize::from(known.len()) != len
        });
        match other_len && len > 0 {
            true => "OFPBAC_BAD_SET_LEN",
            false => "OFPBAC_BAD_SET_TYPE",
        }
    }

    /// A header of the table, of this length.
    fn known(header: &FieldHeader, bytes: u16) -> Self {
        let upper = u64::from(header.class) << 48 | u64::from(header.number) << 41;
        let known = OxmHeader(upper | u64::from(header.experimenter));
        let len = known.experimenter_len() + usize::from(bytes);
        OxmHeader(known.0 | u64::try_from(len & 0xff).unwrap_or(0) << 32)
    }

    /// Where Open vSwitch looks for the field, in a table of 128 places (`hash_uint64` in lib/hash.h).
    fn hash_place(self) -> u32 {
        let add = |hash: u32, word: u32| {
            let word = word
                .wrapping_mul(0xcc9e_2d51)
                .rotate_left(15)
                .wrapping_mul(0x1b87_3593);
            (hash ^ word)
                .rotate_left(13)
                .wrapping_mul(5)
                .wrapping_add(0xe654_6b64)
        };
        let [a, b, c, d, low @ ..] = (self.0 & !(0x7f << 32)).to_be_bytes();
        let words = [u32::from_be_bytes(low), u32::from_be_bytes([a, b, c, d])];
        let hash = words.into_iter().fold(0, add) ^ 8;
        let hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
        let hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
        (hash ^ hash >> 16) & 0x7f
    }

    /// Reads a header.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`], and [`Fault::Length`] if its own length leaves no place for the
    /// experimenter; both are `OFPBMC_BAD_LEN`.
    #[inline]
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = *reader;
        let mut header = OxmHeader(u64::from(reader.u32("OXM header")?) << 32);
        if header.class() == EXPERIMENTER {
            header.0 |= u64::from(reader.u32("OXM experimenter")?);
            if header.len() < 4 {
                let got = header.len().into();
                return Err(start.error("OXM header", Fault::Length { wanted: 4, got }));
            }
        }
        Ok(header)
    }

    /// Writes it, in 4 bytes, or 8 if it has an experimenter.
    #[inline]
    pub fn encode(self, writer: &mut Writer<'_>) {
        let [a, b, c, d, experimenter @ ..] = self.0.to_be_bytes();
        writer.bytes(&[a, b, c, d]);
        if self.class() == EXPERIMENTER {
            writer.bytes(&experimenter);
        }
    }

    fn len(self) -> u8 {
        self.0.to_be_bytes()[3]
    }

    fn experimenter_len(self) -> usize {
        if self.class() == EXPERIMENTER { 4 } else { 0 }
    }

    fn bits(self, shift: u32, mask: u64) -> u16 {
        u16::try_from(self.0 >> shift & mask).unwrap_or(0)
    }
}

/// The name of a known field's header, or `class:number`.
impl fmt::Display for OxmHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, number) = (self.class(), self.number());
        let known = self.field().and_then(|field| {
            let mut headers = field.info().headers.iter();
            headers.find(|header| header.class == class && header.number == number)
        });
        match known {
            Some(header) => f.write_str(header.name),
            None => write!(f, "{class}:{number}"),
        }
    }
}

impl fmt::Debug for OxmHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OxmHeader({:#018x})", self.0)
    }
}

/// The place in [`FIELDS`] of a class and experimenter, the latter in 32 bits.
const fn class_place(class: u16, experimenter: u64) -> Option<usize> {
    Some(match (class, experimenter) {
        (0x0000, _) => 0,
        (0x0001, _) => 1,
        (0x1000, _) => 2,
        (0x8000, _) => 3,
        (0x8001, _) => 4,
        (EXPERIMENTER, 0x2320) => 5,
        (EXPERIMENTER, 0x4f4e_4600) => 6,
        (EXPERIMENTER, 0x005a_d650) => 7,
        _ => return None,
    })
}

/// By class and number: the place of the field in [`Field::ALL`], plus 1.
const fn fields() -> [[u8; 128]; 8] {
    let mut fields = [[0; 128]; 8];
    let mut place = 0_u8;
    while (place as usize) < Field::ALL.len() {
        let headers = Field::ALL[place as usize].info().headers;
        place += 1;
        let mut at = 0;
        while at < headers.len() {
            // A class that is new in the table comes to `class_place`, too, or the compiler stops here.
            let class = class_place(headers[at].class, headers[at].experimenter as u64);
            assert!(class.is_some());
            if let Some(class) = class {
                fields[class][headers[at].number as usize] = place;
            }
            at += 1;
        }
    }
    fields
}

static FIELDS: [[u8; 128]; 8] = fields();
const EXPERIMENTER: u16 = OxmHeader::EXPERIMENTER;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_header_of_every_field_finds_it() {
        for &field in Field::ALL {
            for version in 0..=6_u8 {
                let Some(header) = OxmHeader::of(field, (version > 0).then_some(Version(version))) else {
                    assert!(field.info().headers.is_empty(), "{field}");
                    continue;
                };
                assert_eq!(header.field(), Some(field), "{field} {header:?}");
                let masked = header.with_len(field.info().bytes.into(), true).unwrap();
                assert_eq!(masked.field(), Some(field), "{field} {masked:?}");
                let mut bytes = alloc::vec![];
                masked.encode(&mut Writer::new(&mut bytes));
                assert_eq!(OxmHeader::decode(&mut Reader::new(&bytes)), Ok(masked));
            }
        }
    }

    #[test]
    fn a_version_has_its_own_header_of_a_field() {
        let name = |field, version| OxmHeader::of(field, version).unwrap().to_string();
        assert_eq!(name(Field::TcpFlags, None), "NXM_NX_TCP_FLAGS");
        assert_eq!(name(Field::TcpFlags, Some(Version::V1_2)), "NXM_NX_TCP_FLAGS");
        assert_eq!(name(Field::TcpFlags, Some(Version::V1_3)), "ONFOXM_ET_TCP_FLAGS");
        assert_eq!(name(Field::TcpFlags, Some(Version::V1_5)), "OXM_OF_TCP_FLAGS");
        assert_eq!(name(Field::DpHash, None), "NXM_NX_DP_HASH");
        assert_eq!(name(Field::DpHash, Some(Version::V1_5)), "NXM_NX_DP_HASH");
        assert_eq!(OxmHeader::COOKIE.field(), None);
        let masked = OxmHeader::COOKIE.with_len(8, true);
        assert_eq!(masked, Some(OxmHeader::COOKIE_MASKED));
        assert_eq!(OxmHeader(0x8000_fe04 << 32).to_string(), "32768:127");
    }
}
