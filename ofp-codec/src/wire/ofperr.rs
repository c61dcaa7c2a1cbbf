use core::fmt;

use crate::model::version::Version;

/// An error that OpenFlow or Open vSwitch has a name for; the constants are all of them.
///
/// The same error has different numbers in different versions, and not every version has each.
///
/// ```
/// use ofp_codec::{Version, wire::Ofperr};
///
/// let error = Ofperr::OFPBRC_BAD_TABLE_ID;
/// let number = error.number(Version::V1_3).unwrap();
/// assert_eq!((number.kind, number.code), (1, 9));
/// assert_eq!(Ofperr::from_number(Version::V1_3, number), Some(error));
/// assert_eq!(Ofperr::from_name("OFPBRC_BAD_TABLE_ID"), Some(error));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ofperr(u8);

/// An error's number in one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorNumber {
    /// The experimenter whose error it is; 0 for OpenFlow's own.
    pub experimenter: u32,
    /// The type: `OFPET_BAD_REQUEST` is 1.
    pub kind: u16,
    /// The code in this type. An experimenter's errors have none since OpenFlow 1.2: 0.
    pub code: u16,
}

impl Ofperr {
    /// The name: `OFPBRC_BAD_LEN`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The error of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Ofperr::ALL.iter().copied().find(|error| error.name() == name)
    }

    /// Its number in this version, if it has one.
    pub fn number(self, version: Version) -> Option<ErrorNumber> {
        let forms = self.row().forms.iter();
        forms
            .filter(|form| form.is_in(version))
            .map(|form| form.number)
            .next()
    }

    /// The error of this number. Where two have one number it is the one that Open vSwitch means.
    pub fn from_number(version: Version, number: ErrorNumber) -> Option<Self> {
        Ofperr::ALL
            .iter()
            .copied()
            .find(|error| error.number(version) == Some(number))
    }

    fn row(self) -> &'static Row {
        &ROWS[usize::from(self.0)]
    }
}

/// The name.
impl fmt::Display for Ofperr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Ofperr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

struct Row {
    name: &'static str,
    forms: &'static [NumberForm],
}

/// A number, and the versions that have it.
struct NumberForm {
    first: Version,
    last: Version,
    number: ErrorNumber,
}

impl NumberForm {
    fn is_in(&self, version: Version) -> bool {
        (self.first..=self.last).contains(&version)
    }
}

/// Makes the constants of [`Ofperr`] and their table from rows
/// `NAME = [(EXPERIMENTER first-version last-version type code), ..];`.
///
/// `OFPBRC_BAD_TABLE_ID = [(NICIRA 1 1 1 512), (OPENFLOW 2 6 1 9)];` becomes
/// `Ofperr::OFPBRC_BAD_TABLE_ID`, and a row with its name and two numbers.
macro_rules! errors {
    ($($name:ident = [$(($experimenter:ident $first:literal $last:literal $kind:literal $code:literal)),*];)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "only their numbers are used")]
        enum Place {
            $($name,)*
        }

        impl Ofperr {
            $(
                #[doc = concat!("`", stringify!($name), "`.")]
                pub const $name: Ofperr = Ofperr(Place::$name as u8);
            )*

            /// Every error, in the order of the table.
            pub const ALL: &'static [Ofperr] = &[$(Ofperr::$name),*];
        }

        pub(super) static ROWS: [Row; Ofperr::ALL.len()] = [$(Row {
            name: stringify!($name),
            forms: &[$(NumberForm {
                first: Version($first),
                last: Version($last),
                number: ErrorNumber { experimenter: experimenter::$experimenter, kind: $kind, code: $code },
            }),*],
        }),*];
    };
}

mod table;

use table::ROWS;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_error_has_a_number_that_gives_it_back() {
        assert_eq!(Ofperr::ALL.len(), 198);
        let mut shared = Vec::new();
        for &error in Ofperr::ALL {
            let numbers = (1..=6).filter_map(|version| {
                let version = Version(version);
                error.number(version).map(|number| (version, number))
            });
            let numbers: Vec<_> = numbers.collect();
            assert!(!numbers.is_empty(), "{error}");
            for (version, number) in numbers {
                let back = Ofperr::from_number(version, number);
                if back != Some(error) {
                    shared.push((version.0, error.name(), back.map(Ofperr::name)));
                }
            }
            assert_eq!(Ofperr::from_name(error.name()), Some(error));
        }
        // What the header calls "expected duplications".
        assert_eq!(
            shared,
            [
                (1, "OFPBRC_IS_SECONDARY", Some("OFPBRC_EPERM")),
                (2, "OFPBRC_IS_SECONDARY", Some("OFPBRC_EPERM")),
                (2, "OFPBIC_BAD_EXP_TYPE", Some("OFPBIC_BAD_EXPERIMENTER")),
            ]
        );
    }

    #[test]
    fn a_number_that_no_error_has_is_none() {
        let number = ErrorNumber {
            experimenter: 0,
            kind: 1,
            code: 999,
        };
        assert_eq!(Ofperr::from_number(Version::V1_3, number), None);
        assert_eq!(Ofperr::OFPBIC_BAD_LEN.number(Version::V1_0), None);
    }
}
