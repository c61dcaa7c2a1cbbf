//! Choosing one of several ports or numbers by a hash.

use alloc::vec::Vec;
use core::fmt;

use crate::model::{port::PortRef, print::Separated, subfield::Subfield};

/// The arguments of `bundle(eth_src,0,hrw,ofport,members:4,8)` and of `bundle_load`: send to a
/// port that is up, or load its number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bundle {
    /// What is hashed.
    pub fields: HashFields,
    /// Hashed as well, so that two bundles differ.
    pub basis: u16,
    /// How the hash chooses.
    pub algorithm: BundleAlgorithm,
    /// The ports.
    pub members: Vec<PortRef>,
    /// Where the number goes, for `bundle_load`.
    pub dst: Option<Subfield>,
}

/// The arguments of `multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[])`: load a number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Multipath {
    /// What is hashed.
    pub fields: HashFields,
    /// Hashed as well, so that two of these differ.
    pub basis: u16,
    /// How the hash chooses.
    pub algorithm: MultipathAlgorithm,
    /// The numbers are 0 to `n_links` - 1.
    pub n_links: u32,
    /// An argument of the algorithm.
    pub arg: u32,
    /// Where the number goes.
    pub dst: Subfield,
}

/// Makes an enum of words from rows `/// Doc.` `Variant = word;`, numbered from 0.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$row:meta])* $variant:ident = $word:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$row])* $variant,)*
        }

        impl $name {
            /// The word for it.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            const ALL: &[$name] = &[$($name::$variant),*];

            pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
                let known = |known: &&Self| known.word().as_bytes() == word;
                Self::ALL.iter().find(known).copied()
            }

            /// The one of this number on the wire.
            pub(crate) fn from_number(number: u16) -> Option<Self> {
                Self::ALL.get(usize::from(number)).copied()
            }

            /// The number on the wire.
            pub(crate) fn number(self) -> u16 {
                self as u16
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What is hashed (`enum nx_hash_fields` in nicira-ext.h).
    HashFields {
        /// The Ethernet source.
        EthSrc = "eth_src";
        /// Addresses up to layer 4, the same in both directions; TCP and SCTP ports.
        SymmetricL4 = "symmetric_l4";
        /// Layers 3 and 4, the same in both directions; TCP and SCTP ports.
        SymmetricL3L4 = "symmetric_l3l4";
        /// The same with UDP ports.
        SymmetricL3L4Udp = "symmetric_l3l4+udp";
        /// The IP source.
        NwSrc = "nw_src";
        /// The IP destination.
        NwDst = "nw_dst";
        /// Layer 3, the same in both directions.
        SymmetricL3 = "symmetric_l3";
    }
}

words! {
    /// How `bundle` chooses (`enum nx_bd_algorithm` in nicira-ext.h).
    BundleAlgorithm {
        /// The first port that is up.
        ActiveBackup = "active_backup";
        /// The highest random weight.
        Hrw = "hrw";
    }
}

words! {
    /// How `multipath` chooses (`enum nx_mp_algorithm` in nicira-ext.h).
    MultipathAlgorithm {
        /// The rest of a division.
        ModuloN = "modulo_n";
        /// Ranges of the hash.
        HashThreshold = "hash_threshold";
        /// The highest random weight.
        Hrw = "hrw";
        /// Hash until it fits.
        IterHash = "iter_hash";
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.dst.is_some() {
            "bundle_load"
        } else {
            "bundle"
        };
        let Bundle {
            fields,
            basis,
            algorithm,
            ..
        } = self;
        write!(f, "{name}({fields},{basis},{algorithm},ofport,")?;
        if let Some(dst) = &self.dst {
            write!(f, "{dst},")?;
        }
        f.write_str("members:")?;
        let mut list = Separated::new(f);
        self.members.iter().try_for_each(|port| list.item(port))?;
        f.write_str(")")
    }
}

impl fmt::Display for Multipath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Multipath {
            fields,
            basis,
            algorithm,
            n_links,
            arg,
            dst,
        } = self;
        write!(f, "multipath({fields},{basis},{algorithm},{n_links},{arg},{dst})")
    }
}
