//! Bonds: which of their members a packet leaves by, and who chooses.

use super::Unpredictable;

/// How a bond sends, as columns of its row of table Port say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bond {
    /// `bond_mode`.
    pub mode: BondMode,
    /// The state of LACP.
    pub lacp: Lacp,
    /// `other_config:bond-hash-basis`.
    pub hash_basis: u32,
    /// `other_config:lb-output-action`, which only the userspace datapath can do.
    pub lb_output: bool,
}

/// How a bond chooses a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BondMode {
    /// `active-backup`: one member for all packets.
    #[default]
    ActiveBackup,
    /// `balance-slb`: one member for each source address and VLAN.
    BalanceSlb,
    /// `balance-tcp`: one member for each connection, if LACP was negotiated; the datapath chooses it.
    BalanceTcp,
}

/// What has become of the Link Aggregation Control Protocol (IEEE 802.1AX) on a bond. The column `lacp` tells whether it is
/// spoken, `lacp_current` of the interfaces whether somebody answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lacp {
    /// It is not spoken.
    #[default]
    Off,
    /// The other side does not speak it (yet).
    Pending {
        /// `other_config:lacp-fallback-ab`: until then it is an active-backup bond.
        falls_back: bool,
    },
    /// The two sides agree.
    Negotiated,
    /// The configuration does not tell.
    Unknown,
}

/// What an output to a bond is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BondOutput {
    /// None: no member sends.
    Nothing,
    /// One member, whichever it is.
    Member,
    /// The packet is hashed and looked up again, with the member of its hash.
    Recirculated,
    /// The datapath has a table of members.
    Balanced,
}

impl Bond {
    /// As `choose_output_member` and `bond_may_recirc` of Open vSwitch decide.
    pub(super) fn output(&self) -> Result<BondOutput, Unpredictable> {
        Ok(match (self.lacp, self.mode) {
            (Lacp::Unknown, _) => return Err(Unpredictable::Bond),
            (Lacp::Pending { falls_back: true }, _) => BondOutput::Member,
            (Lacp::Pending { falls_back: false }, _) | (Lacp::Off, BondMode::BalanceTcp) => {
                BondOutput::Nothing
            }
            (_, BondMode::ActiveBackup | BondMode::BalanceSlb) => BondOutput::Member,
            (Lacp::Negotiated, BondMode::BalanceTcp) if self.lb_output => BondOutput::Balanced,
            (Lacp::Negotiated, BondMode::BalanceTcp) => BondOutput::Recirculated,
        })
    }
}
