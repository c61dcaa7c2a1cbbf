use core::fmt;

use crate::model::version::Version;

/// Kinds of actions, as a switch says which ones it has. In messages they are bits of the numbers that
/// they have in the version.
///
/// ```
/// use ofp_codec::{Version, wire::ActionSet};
///
/// let set = ActionSet::from_bits(1 << 0 | 1 << 22, Version::V1_3);
/// assert_eq!(set.to_string(), "output group");
/// assert_eq!(set.to_bits(Version::V1_3), 1 << 0 | 1 << 22);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ActionSet(u32);

impl ActionSet {
    /// The actions of these numbers; those that Open vSwitch does not have are left out.
    pub fn from_bits(bits: u32, version: Version) -> Self {
        let has = |number: u8| number != NONE && bits & 1 << number != 0;
        let mut set = ActionSet::default();
        for (place, row) in ROWS.iter().enumerate() {
            if has(row.number(version)) {
                set.0 |= 1 << place;
            }
        }
        set
    }

    /// The bits of the numbers that the actions have in this version.
    pub fn to_bits(self, version: Version) -> u32 {
        let rows = ROWS
            .iter()
            .enumerate()
            .filter(|(place, _)| self.0 & 1 << place != 0);
        let numbers = rows
            .map(|(_, row)| row.number(version))
            .filter(|number| *number != NONE);
        numbers.fold(0, |bits, number| bits | 1 << number)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The names, as `ovs-ofctl` prints them; `<none>` for none.
impl fmt::Display for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("<none>");
        }
        let mut space = "";
        for (place, Row(name, ..)) in ROWS.iter().enumerate() {
            if self.0 & 1 << place != 0 {
                write!(f, "{space}{name}")?;
                space = " ";
            }
        }
        Ok(())
    }
}

/// Name, and number in OpenFlow 1.0, in 1.1, and in 1.2 and later.
struct Row(&'static str, u8, u8, u8);

impl Row {
    fn number(&self, version: Version) -> u8 {
        match version {
            Version::V1_0 => self.1,
            Version::V1_1 => self.2,
            _ => self.3,
        }
    }
}

const NONE: u8 = 32;

/// In the order of Open vSwitch's list of actions (`get_ofpact_map` in lib/ofp-actions.c).
const ROWS: [Row; 25] = [
    Row("output", 0, 0, 0),
    Row("group", NONE, 22, 22),
    Row("enqueue", 11, NONE, NONE),
    Row("set_field", NONE, NONE, 25),
    Row("set_vlan_vid", 1, 1, NONE),
    Row("set_vlan_pcp", 2, 2, NONE),
    Row("strip_vlan", 3, 18, 18),
    Row("push_vlan", NONE, 17, 17),
    Row("mod_dl_src", 4, 3, NONE),
    Row("mod_dl_dst", 5, 4, NONE),
    Row("mod_nw_src", 6, 5, NONE),
    Row("mod_nw_dst", 7, 6, NONE),
    Row("mod_nw_tos", 8, 7, NONE),
    Row("mod_nw_ecn", NONE, 8, NONE),
    Row("mod_nw_ttl", NONE, 23, 23),
    Row("mod_tp_src", 9, 9, NONE),
    Row("mod_tp_dst", 10, 10, NONE),
    Row("dec_ttl", NONE, 24, 24),
    Row("set_mpls_label", NONE, 13, NONE),
    Row("set_mpls_tc", NONE, 14, NONE),
    Row("set_mpls_ttl", NONE, 15, 15),
    Row("dec_mpls_ttl", NONE, 16, 16),
    Row("push_mpls", NONE, 19, 19),
    Row("pop_mpls", NONE, 20, 20),
    Row("set_queue", NONE, 21, 21),
];
