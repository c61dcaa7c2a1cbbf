use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::{action::report::PacketInReason, version::Version},
    wire::{
        error::{DecodeError, EncodeError, Fault},
        flow_removed::FlowRemovedReason,
        kind::MessageKind,
        message::Message,
        property::{BAD_LEN, Property, check_property},
        read::Reader,
        write::Writer,
    },
};

/// Which messages a switch sends that nobody asked for, by their reasons and by the role of the
/// controller: `OFPT_SET_ASYNC` and `OFPT_GET_ASYNC_REPLY` since OpenFlow 1.3, `NXT_SET_ASYNC_CONFIG`
/// and `NXT_SET_ASYNC_CONFIG2` before.
///
/// Up to OpenFlow 1.3 it is six numbers of 32 bits; `NXT_SET_ASYNC_CONFIG2` and later versions have a
/// property for each, and what they do not mention stays as it is.
///
/// ```
/// use ofp_codec::{Version, wire::{AsyncConfig, AsyncKind, MessageKind, Message}};
///
/// let mut config = AsyncConfig::default();
/// config.set(AsyncKind::PORT_STATUS, true, 0b111);
/// let mut bytes = Vec::new();
/// MessageKind::SetAsync.encode(Version::V1_4, 1, &mut bytes, |writer| {
///     config.encode(MessageKind::SetAsync, Version::V1_4, writer)
/// })?;
/// let config = AsyncConfig::decode(&Message::parse(&bytes).unwrap()).unwrap();
/// assert_eq!(config.reasons(AsyncKind::PORT_STATUS, true), Some(0b111));
/// assert_eq!(config.reasons(AsyncKind::PORT_STATUS, false), None);
/// # Ok::<(), ofp_codec::wire::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsyncConfig {
    /// What it says, in order: the type is `2 * kind`, or `2 * kind + 1` for the primary controller
    /// and those that are equal; the value is a bit for each reason.
    pub properties: Vec<Property>,
}

/// A kind of message that nobody asks for (`enum ofp14_async_config_prop_type`, halved).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AsyncKind(pub u16);

impl AsyncKind {
    /// Packets.
    pub const PACKET_IN: AsyncKind = AsyncKind(0);
    /// Ports that change.
    pub const PORT_STATUS: AsyncKind = AsyncKind(1);
    /// Flows that are removed.
    pub const FLOW_REMOVED: AsyncKind = AsyncKind(2);
    /// Another role; since OpenFlow 1.4.
    pub const ROLE_STATUS: AsyncKind = AsyncKind(3);
    /// Tables that become full; since OpenFlow 1.4.
    pub const TABLE_STATUS: AsyncKind = AsyncKind(4);
    /// What other controllers ask for; since OpenFlow 1.4.
    pub const REQUESTFORWARD: AsyncKind = AsyncKind(5);

    fn property(self, primary: bool) -> u16 {
        self.0.wrapping_mul(2) | u16::from(primary)
    }
}

impl AsyncConfig {
    /// The reasons, as bits, for which a message of this kind is sent to a controller that is primary
    /// (or equal), or to one that is secondary. `None`: it does not say.
    pub fn reasons(&self, kind: AsyncKind, primary: bool) -> Option<u32> {
        // The last one counts.
        let mut properties = self.properties.iter().rev();
        let found = properties.find(|property| property.kind == kind.property(primary));
        found.and_then(Property::number).map(u32::from_be_bytes)
    }

    /// Sets them.
    pub fn set(&mut self, kind: AsyncKind, primary: bool, reasons: u32) {
        let set = Property::new(kind.property(primary), &reasons.to_be_bytes());
        let mut properties = self.properties.iter_mut();
        match properties.find(|property| property.kind == set.kind) {
            Some(property) => *property = set,
            None => self.properties.push(set),
        }
    }

    /// Reads a request or a reply.
    ///
    /// # Errors
    ///
    /// If a property is malformed.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        if message
            .kind()
            .is_some_and(|kind| has_properties(kind, message.header().version))
        {
            let properties = Property::decode_all(body)?;
            return Ok(AsyncConfig { properties });
        }
        let mut config = AsyncConfig::default();
        for (kind, primary) in LEGACY {
            config.set(kind, primary, body.u32("reasons")?);
        }
        Ok(config)
    }

    /// Writes the body of a message of this kind: `SetAsync`, `GetAsyncReply`, `SetAsyncConfig` or
    /// `SetAsyncConfig2`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for what the six numbers cannot say.
    pub fn encode(
        &self,
        kind: MessageKind,
        version: Version,
        writer: &mut Writer<'_>,
    ) -> Result<(), EncodeError> {
        if has_properties(kind, version) {
            return self
                .properties
                .iter()
                .try_for_each(|property| property.encode(writer));
        }
        let known = LEGACY.map(|(kind, primary)| kind.property(primary));
        if self
            .properties
            .iter()
            .any(|property| !known.contains(&property.kind))
        {
            let what = "configuration of asynchronous messages";
            return Err(EncodeError::NotInVersion { what, version });
        }
        for (kind, primary) in LEGACY {
            writer.u32(self.reasons(kind, primary).unwrap_or(0));
        }
        Ok(())
    }

    /// What Open vSwitch makes of it, or why it refuses it: the reasons that there are, by kind, first
    /// those for primary controllers (`ofputil_decode_set_async_config`).
    pub(crate) fn check(message: &Message<'_>) -> Result<Reasons, DecodeError> {
        let version = message.header().version;
        let mut reasons = Reasons::default();
        let Some(kind) = message.kind() else {
            return Ok(reasons);
        };
        let mut body = message.body();
        if !has_properties(kind, version) {
            for (kind, primary) in LEGACY {
                reasons.set(
                    kind,
                    primary,
                    body.u32("reasons")? & kind.allowed(version),
                    version,
                );
            }
            return Ok(reasons);
        }
        let is_reply = kind == MessageKind::GetAsyncReply;
        while !body.is_empty() {
            let at = body;
            let (number, value) = check_property(&mut body, EXPERIMENTER)?;
            let kind = AsyncKind(number / 2);
            if kind.0 > AsyncKind::REQUESTFORWARD.0 {
                match number {
                    _ if is_reply => continue,
                    EXPERIMENTER.. => return Err(unknown_experimenter(at, value)),
                    _ => {
                        let at = at.named("OFPACFC_UNSUPPORTED");
                        return Err(at.error("property", Fault::Value(number.into())));
                    }
                }
            }
            let bits = match value.rest().try_into() {
                Ok(bits) => u32::from_be_bytes(bits),
                Err(_) => {
                    let (wanted, got) = (4, value.len());
                    return Err(at.named(BAD_LEN).error("reasons", Fault::Length { wanted, got }));
                }
            };
            let allowed = kind.allowed(version);
            if bits & !allowed != 0 && !is_reply {
                let at = at.named("OFPACFC_INVALID");
                return Err(at.error("reasons", Fault::Value(bits.into())));
            }
            reasons.set(kind, number % 2 == 1, bits & allowed, version);
        }
        Ok(reasons)
    }
}

impl AsyncKind {
    /// The reasons that there are, as bits.
    fn allowed(self, version: Version) -> u32 {
        match self {
            AsyncKind::PACKET_IN if version < Version::V1_4 => 0x07,
            AsyncKind::PACKET_IN | AsyncKind::FLOW_REMOVED => 0x3f,
            AsyncKind::PORT_STATUS | AsyncKind::ROLE_STATUS => 0x07,
            AsyncKind::TABLE_STATUS => 0x18,
            _ => 0x03,
        }
    }
}

/// The property is of an experimenter that has none here.
fn unknown_experimenter(at: Reader<'_>, mut value: Reader<'_>) -> DecodeError {
    let id = value.u32("experimenter").unwrap_or(0);
    let at = at.named("OFPBPC_BAD_EXP_TYPE");
    at.error("experimenter", Fault::Value(id.into()))
}

/// The reasons of all kinds, for primary and for secondary controllers.
#[derive(Default)]
pub(crate) struct Reasons([[u32; 6]; 2]);

impl Reasons {
    fn set(&mut self, kind: AsyncKind, primary: bool, bits: u32, version: Version) {
        let Some(place) = self.0[usize::from(!primary)].get_mut(usize::from(kind.0)) else {
            return;
        };
        *place = bits;
        // "No match" stands for reasons of Open vSwitch's own, too.
        if kind == AsyncKind::PACKET_IN && bits & 1 != 0 {
            *place |= if version < Version::V1_3 { 3 << 6 } else { 1 << 6 };
        }
    }
}

/// As `ovs-ofctl` prints it.
impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (role, kinds) in ["primary", "secondary"].iter().zip(self.0) {
            writeln!(f, "\n {role}:")?;
            for (place, (name, bits)) in KINDS.iter().zip(kinds).enumerate() {
                write!(f, "{name:>16}:")?;
                for bit in (0..8).filter(|bit| bits & 1 << bit != 0) {
                    match place {
                        0 if bit >= 6 => {}
                        0 => write!(f, " {}", PacketInReason(bit))?,
                        2 => write!(f, " {}", FlowRemovedReason(bit.into()))?,
                        _ => write!(f, " {}", REASONS[place].get(usize::from(bit)).unwrap_or(&""))?,
                    }
                }
                writeln!(f, "{}", if bits == 0 { " (off)" } else { "" })?;
            }
        }
        Ok(())
    }
}

/// Whether messages of this kind have properties in this version.
fn has_properties(kind: MessageKind, version: Version) -> bool {
    kind == MessageKind::SetAsyncConfig2 || version >= Version::V1_4 && kind != MessageKind::SetAsyncConfig
}

/// The six numbers of `struct ofp13_async_config` and `struct nx_async_config`.
const LEGACY: [(AsyncKind, bool); 6] = [
    (AsyncKind::PACKET_IN, true),
    (AsyncKind::PACKET_IN, false),
    (AsyncKind::PORT_STATUS, true),
    (AsyncKind::PORT_STATUS, false),
    (AsyncKind::FLOW_REMOVED, true),
    (AsyncKind::FLOW_REMOVED, false),
];

const KINDS: [&str; 6] = [
    "PACKET_IN",
    "PORT_STATUS",
    "FLOW_REMOVED",
    "ROLE_STATUS",
    "TABLE_STATUS",
    "REQUESTFORWARD",
];

/// The words of the reasons of kinds that have no type of their own for them.
const REASONS: [&[&str]; 6] = [
    &[],
    &["add", "delete", "modify"],
    &[],
    &[
        "primary_request",
        "configuration_changed",
        "experimenter_data_changed",
    ],
    &["", "", "", "vacancy_down", "vacancy_up"],
    &["group_mod_request", "meter_mod_request"],
];

/// Types from this one on are those of experimenters.
const EXPERIMENTER: u16 = 0xfffe;
