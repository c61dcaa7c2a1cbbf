use core::fmt;

use crate::{
    model::version::Version,
    wire::{error::EncodeError, header::Number},
};

/// The numbers of experimenters, called vendors before OpenFlow 1.2
/// (`include/openflow/openflow-common.h`).
pub mod experimenter {
    /// None: OpenFlow itself.
    pub const OPENFLOW: u32 = 0;
    /// Nicira: Open vSwitch's own extensions.
    pub const NICIRA: u32 = 0x0000_2320;
    /// The Open Networking Foundation.
    pub const ONF: u32 = 0x4f4e_4600;
}

/// Where the number of a kind of message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// `OFPT_..`: the type in the header.
    Openflow,
    /// `OFPST_..`: the type in the header of statistics, called multipart since OpenFlow 1.3.
    Multipart,
    /// `NXT_..` and `ONFT_..`: a subtype behind this experimenter's number.
    Experimenter(u32),
    /// `NXST_..` and `ONFST_..`: the same in statistics.
    ExperimenterMultipart(u32),
}

/// How a kind of message looks in a range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Form {
    /// Where its number stands.
    pub namespace: Namespace,
    /// The first version that has this form.
    pub first: Version,
    /// The last one.
    pub last: Version,
    /// The number.
    pub number: u32,
    /// The bytes that the body has at least, behind all headers.
    pub body_len: usize,
    /// What more bytes are a multiple of; 0 if there are none.
    pub more: usize,
}

impl Form {
    /// Whether this version has it.
    pub fn is_in(&self, version: Version) -> bool {
        (self.first..=self.last).contains(&version)
    }

    /// Whether a body may have this length (`ofpraw_pull` in `lib/ofp-msgs.c`).
    pub fn fits(&self, body_len: usize) -> bool {
        match body_len.checked_sub(self.body_len) {
            None => false,
            Some(0) => true,
            Some(_) if self.more == 0 => false,
            Some(more) => more % self.more == 0,
        }
    }

    /// What Open vSwitch puts before the name of the kind: `OFPT`, `NXST`.
    pub fn prefix(&self) -> &'static str {
        match self.namespace {
            Namespace::Openflow => "OFPT",
            Namespace::Multipart => "OFPST",
            Namespace::Experimenter(experimenter::ONF) => "ONFT",
            Namespace::Experimenter(_) => "NXT",
            Namespace::ExperimenterMultipart(experimenter::ONF) => "ONFST",
            Namespace::ExperimenterMultipart(_) => "NXST",
        }
    }
}

impl MessageKind {
    /// The name: `ECHO_REQUEST`.
    pub fn name(self) -> &'static str {
        ROWS[self as usize].0
    }

    /// How it looks, by version.
    pub fn forms(self) -> &'static [Form] {
        ROWS[self as usize].1
    }

    /// How it looks in this version: OpenFlow's own form where there is one, else an experimenter's.
    pub fn form(self, version: Version) -> Option<&'static Form> {
        self.forms().iter().find(|form| form.is_in(version))
    }

    /// How it looks in this version, in Nicira's form or in OpenFlow's own.
    pub(crate) fn form_of(self, version: Version, nicira: bool) -> Result<&'static Form, EncodeError> {
        let is_nicira = |form: &Form| {
            matches!(
                form.namespace,
                Namespace::Experimenter(_) | Namespace::ExperimenterMultipart(_)
            )
        };
        let mut forms = self.forms().iter();
        let found = forms.find(|form| form.is_in(version) && is_nicira(form) == nicira);
        found.ok_or(EncodeError::NotInVersion {
            what: self.name(),
            version,
        })
    }

    /// The kind and form of this number.
    pub(crate) fn find(version: Version, number: Number) -> Option<(Self, &'static Form)> {
        let table = match number.namespace {
            Namespace::Openflow => 0,
            // Requests and replies of statistics share their numbers.
            Namespace::Multipart => 1 + usize::from(number.reply),
            // There are few of these.
            _ => return MessageKind::search(version, number),
        };
        let numbers = usize::from(version.0)
            .checked_sub(1)
            .and_then(|version| INDEX.get(version));
        let Some(numbers) = numbers else {
            return MessageKind::search(version, number);
        };
        let place = numbers[table].get(usize::try_from(number.number).ok()?)?;
        let kind = MessageKind::ALL.get(usize::from(*place).checked_sub(1)?)?;
        kind.form_numbered(version, number).map(|form| (*kind, form))
    }

    /// The same, for numbers that have no index.
    fn search(version: Version, number: Number) -> Option<(Self, &'static Form)> {
        MessageKind::ALL.iter().copied().find_map(|kind| {
            let other = number.namespace.is_multipart() && number.reply != kind.is_reply();
            let form = kind.form_numbered(version, number).filter(|_| !other);
            form.map(|form| (kind, form))
        })
    }

    fn form_numbered(self, version: Version, number: Number) -> Option<&'static Form> {
        let same = |form: &&Form| (form.namespace, form.number) == (number.namespace, number.number);
        self.forms().iter().find(|form| same(form) && form.is_in(version))
    }

    /// Whether it is the reply of a pair.
    pub(crate) fn is_reply(self) -> bool {
        self.name().ends_with("_REPLY")
    }
}

impl Namespace {
    /// Whether it is one of statistics: a reply may come in several messages.
    pub fn is_multipart(self) -> bool {
        matches!(self, Namespace::Multipart | Namespace::ExperimenterMultipart(_))
    }
}

/// By version, less 1, and by type of a message, of a request and of a reply of statistics: the place of the
/// kind in [`MessageKind::ALL`], and one; 0 for none.
static INDEX: [[[u8; NUMBERS]; 3]; 6] = index();

/// The types are below this.
const NUMBERS: usize = 40;

const fn index() -> [[[u8; NUMBERS]; 3]; 6] {
    let mut index = [[[0; NUMBERS]; 3]; 6];
    let mut place = 0;
    while place < ROWS.len() {
        let (name, forms) = ROWS[place];
        let mut form = 0;
        while form < forms.len() {
            let table = match forms[form].namespace {
                Namespace::Openflow => Some(0),
                Namespace::Multipart if ends_in_reply(name.as_bytes()) => Some(2),
                Namespace::Multipart => Some(1),
                _ => None,
            };
            let mut version = forms[form].first.0 as usize;
            while let (Some(table), true) = (table, version <= 6 && version <= forms[form].last.0 as usize) {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "87 kinds; the compiler counts them"
                )]
                let entry = place as u8 + 1;
                index[version - 1][table][forms[form].number as usize] = entry;
                version += 1;
            }
            form += 1;
        }
        place += 1;
    }
    index
}

/// Whether it is the name of a reply: the last letter of no other name is a `Y`.
const fn ends_in_reply(name: &[u8]) -> bool {
    name[name.len() - 1] == b'Y'
}

/// The name.
impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const OFPT: Namespace = Namespace::Openflow;
const OFPST: Namespace = Namespace::Multipart;
const NXT: Namespace = Namespace::Experimenter(experimenter::NICIRA);
const NXST: Namespace = Namespace::ExperimenterMultipart(experimenter::NICIRA);
const ONFT: Namespace = Namespace::Experimenter(experimenter::ONF);
const ONFST: Namespace = Namespace::ExperimenterMultipart(experimenter::ONF);

/// Makes [`MessageKind`] and its table from rows
/// `Variant = NAME, [(NAMESPACE first-version last-version number body-len more), ..];`.
///
/// `FlowMod = "FLOW_MOD", [(OFPT 1 1 14 64 8), (OFPT 2 6 14 40 8), (NXT 1 6 13 32 8)];` becomes
/// `MessageKind::FlowMod` and its three forms.
macro_rules! messages {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, [$(($namespace:ident $first:literal $last:literal
       $number:literal $body_len:literal $more:literal)),*];)*) => {
        /// A kind of message, whatever its number in a version.
        ///
        /// Requests and replies of statistics are kinds of their own: `FlowRequest` asks for the
        /// statistics of flows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum MessageKind {
            $($(#[$doc])* $variant,)*
        }

        impl MessageKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [MessageKind] = &[$(MessageKind::$variant),*];
        }

        pub(super) static ROWS: [(&str, &[Form]); MessageKind::ALL.len()] = [$(($name, &[$(Form {
            namespace: $namespace,
            first: Version($first),
            last: Version($last),
            number: $number,
            body_len: $body_len,
            more: $more,
        }),*])),*];
    };
}

mod table;

pub use table::MessageKind;
use table::ROWS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_every_kind_is_found_by_its_number() {
        let mut forms = 0;
        for &kind in MessageKind::ALL {
            for form in kind.forms() {
                forms += 1;
                for version in [form.first, form.last] {
                    let number = Number {
                        namespace: form.namespace,
                        number: form.number,
                        reply: kind.is_reply(),
                    };
                    let found = MessageKind::find(version, number);
                    assert_eq!(found, Some((kind, form)), "{kind}");
                }
                let words = form.namespace.is_multipart();
                let ends = kind.name().ends_with("_REQUEST") || kind.is_reply();
                assert!(ends || !words, "{kind}");
            }
        }
        assert_eq!(forms, 161);
    }
}
