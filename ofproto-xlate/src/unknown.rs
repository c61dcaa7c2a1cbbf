//! Why an answer cannot be given.

use std::borrow::Cow;

/// Why it cannot be told what Open vSwitch does with a packet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unknown {
    /// A match has a part that is not understood.
    #[error("the match `{0}` is not understood")]
    Match(Box<str>),
    /// An action is not modelled.
    #[error("the action `{0}` is not modelled")]
    Action(Box<str>),
    /// A field of this kind is not modelled in this place.
    #[error("the field `{0}` is not modelled here")]
    Field(Box<str>),
    /// A port's configuration is not modelled.
    #[error("port {port}: {why}")]
    Port {
        /// Its name.
        port: Box<str>,
        /// What about it.
        why: Cow<'static, str>,
    },
    /// The bridge is configured for something that is not modelled.
    #[error("bridge {bridge}: {why}")]
    Bridge {
        /// Its name.
        bridge: Box<str>,
        /// What about it.
        why: &'static str,
    },
    /// Something that the switch has was not given.
    #[error("{0} was not given")]
    Missing(&'static str),
    /// The answer is a hash's, which depends on how Open vSwitch was built.
    #[error("a hash decides: {0}")]
    Hash(&'static str),
    /// This packet ends ovs-vswitchd.
    #[error("ovs-vswitchd aborts: an Ethernet packet without its header is sent to an Ethernet port")]
    Abort,
}
