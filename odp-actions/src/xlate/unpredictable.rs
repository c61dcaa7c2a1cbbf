//! What a translation cannot know.

use alloc::string::String;

use crate::version::OvsVersion;

/// Why the datapath actions cannot be known from the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unpredictable {
    /// A patch port: the flows of another bridge decide.
    #[error("a patch port continues in another bridge")]
    Patch,
    /// A patch port to a bridge of which is not known what its flows do.
    #[error("the flows of the bridge behind a patch port decide")]
    Flows,
    /// Patch ports lead through more bridges than Open vSwitch follows, as in a circle.
    #[error("patch ports lead through more bridges than Open vSwitch follows")]
    Circle,
    /// An interface type that this crate does not model.
    #[error("interfaces of type {kind} are not modelled")]
    Type {
        /// The `type` of the Interface row.
        kind: String,
    },
    /// An option of a tunnel port that this crate does not model.
    #[error("tunnel option {name}={value} is not modelled")]
    Option {
        /// The key in `options` of the Interface row.
        name: String,
        /// Its value.
        value: String,
    },
    /// A tunnel port without the `remote_ip` that it needs.
    #[error("the tunnel port has no remote_ip")]
    NoRemote,
    /// This release has no tunnels over IPv6.
    #[error("this release of Open vSwitch has no tunnels over IPv6")]
    Underlay,
    /// The releases that may be meant follow different rules.
    #[error("Open vSwitch {ovs}: what it does here changed between patch levels or releases")]
    Release {
        /// What is known of the release.
        ovs: OvsVersion,
    },
    /// The action changes a part of the packet's tag that is not known.
    #[error("the packet's tag is not known well enough to say whether it changes")]
    Tag,
    /// The bridge has no such port.
    #[error("the bridge has no port {ofport}")]
    Port {
        /// Its OpenFlow number.
        ofport: u32,
    },
    /// The port that the packet came from decides, and is not known.
    #[error("the port that the packet comes from decides")]
    Input,
    /// A bond whose members differ, or of which more than the configuration decides.
    #[error("the state of a bond decides")]
    Bond,
    /// A mirror gets another copy in another order of the outputs.
    #[error("which packet a mirror gets depends on the order of outputs, which is not known")]
    MirrorOrder,
    /// In some orders of the outputs a mark or a tunnel field is written more often than in others.
    #[error("what the marks or fields of tunnels cost depends on the order of outputs, which is not known")]
    MetadataOrder,
    /// Flows set more Geneve options than a header holds.
    #[error("the Geneve options do not fit a header")]
    Options,
    /// Whether Open vSwitch clones a packet depends on which output behind a patch port comes last.
    #[error("what stands in a clone depends on the order of outputs, which is not known")]
    CloneOrder,
    /// A mirror that selects packets by their fields.
    #[error("the filter of a mirror decides")]
    Filter,
    /// Open vSwitch 2.5.0 confuses the mirrors of bridges that a patch port joins.
    #[error("mirrors of two bridges that a patch port joins are confused by this release")]
    MirrorsOfBridges,
    /// The packet gets more tags than Open vSwitch follows.
    #[error("more than {most} VLAN tags")]
    Tags {
        /// How many it follows.
        most: usize,
    },
}
