//! Actions: a list of parts, each with its type and length.
//!
//! ```
//! use ofp_codec::{Version, wire::{Actions, Reader}};
//!
//! // OFPAT_POP_VLAN, then an action of a vendor that nobody knows here.
//! let bytes = [
//!     0x00, 0x12, 0x00, 0x08, 0, 0, 0, 0, //
//!     0xff, 0xff, 0x00, 0x08, 0x12, 0x34, 0x56, 0x78,
//! ];
//! let actions = Actions::new(Reader::new(&bytes), Version::V1_3);
//! let actions = actions.map(|action| action?.to_action()).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(actions[0].to_string(), "pop_vlan");
//! assert_eq!(actions[1].to_string(), "raw(ff.ff.00.08.12.34.56.78)");
//! # Ok::<(), ofp_codec::wire::DecodeError>(())
//! ```

mod args;
mod learn;
mod nested;
mod nsh;
mod output;
mod select;
mod set;
mod table;
mod whole;

use alloc::vec::Vec;
use core::iter;

pub(super) use self::{
    set::metadata,
    whole::{check, check_order},
};
use crate::{
    model::{
        action::Action,
        canonical::actions::{Context, Sink},
        port::{Port, PortRef},
        validity::{
            Problem,
            order::{Place, verify},
        },
        version::Version,
    },
    wire::{
        action::{
            args::{Args, BAD_LEN, Out, VENDOR, unresolved},
            table::{Form, Number},
        },
        error::{DecodeError, EncodeError, Fault},
        program,
        read::Reader,
        write::Writer,
    },
};

/// The actions of a list, one after the other.
///
/// Ends after an action whose length cannot be right: where the next one begins is not known then.
#[derive(Clone, Debug)]
pub struct Actions<'a> {
    reader: Reader<'a>,
    version: Version,
}

/// An action of a list: its bytes, and where in the message they are.
#[derive(Clone, Copy, Debug)]
pub struct ActionRef<'a> {
    part: Reader<'a>,
    version: Version,
    form: Option<(Form, Number)>,
}

impl<'a> Actions<'a> {
    /// The actions that `reader` still has to read, of a message of this version.
    pub fn new(reader: Reader<'a>, version: Version) -> Self {
        Actions {
            reader: reader.named(BAD_LEN),
            version,
        }
    }

    #[inline(always)]
    fn read(&mut self) -> Result<ActionRef<'a>, DecodeError> {
        let mut rest = self.reader;
        let [a, b, c, d, argument @ ..] = rest.array::<8>(WHAT)?;
        let (kind, len) = (
            u16::from_be_bytes([a, b]),
            usize::from(u16::from_be_bytes([c, d])),
        );
        let argument = u32::from_be_bytes(argument);
        let form = match kind {
            VENDOR if args::has_subtype(argument) => {
                if self.reader.len() < 16 {
                    let got = self.reader.len();
                    return Err(self.reader.error(WHAT, Fault::Truncated { wanted: 16, got }));
                }
                Form::find(argument, rest.u16(WHAT)?, self.version)
            }
            VENDOR => None,
            kind => Form::find(0, kind, self.version),
        };
        let fits = match form {
            Some((form, number)) => form.row().check_len(number, len),
            None if len >= 8 && len % 8 == 0 => Ok(()),
            None => Err(8),
        };
        let name = match form {
            Some(_) => BAD_LEN,
            None => unknown(kind, argument),
        };
        let start = self.reader.named(name);
        fits.map_err(|wanted| start.error(WHAT, Fault::Length { wanted, got: len }))?;
        self.reader = start;
        let part = self.reader.part(len, WHAT)?;
        self.reader = self.reader.named(BAD_LEN);
        Ok(ActionRef {
            part,
            version: self.version,
            form,
        })
    }
}

impl<'a> Iterator for Actions<'a> {
    type Item = Result<ActionRef<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let action = self.read();
        if action.is_err() {
            self.reader = Reader::at(&[], self.reader.offset());
        }
        Some(action)
    }
}

impl<'a> ActionRef<'a> {
    /// All its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.part.rest()
    }

    /// The byte of the message at which it begins.
    pub fn offset(&self) -> usize {
        self.part.offset()
    }

    /// The name that Open vSwitch has for its form: `NXAST_RESUBMIT_TABLE`. `None` if it is not known.
    pub fn name(&self) -> Option<&'static str> {
        self.form.map(|(form, _)| form.row().name)
    }

    /// What it does. What is not known becomes [`Action::Raw`].
    ///
    /// # Errors
    ///
    /// The action is of a known form and says what that does not allow; the error has the name that
    /// Open vSwitch refuses it with. Actions inside of it may be nested 64 deep.
    pub fn to_action(&self) -> Result<Action, DecodeError> {
        let mut action = Action::Drop;
        self.decode(0, &mut action)?;
        Ok(action)
    }

    /// What it does, right where it belongs: an action has near a hundred bytes, and a processor that copies
    /// what was just written waits.
    fn decode(&self, depth: usize, action: &mut Action) -> Result<(), DecodeError> {
        let Some((form, number)) = self.form else {
            *action = Action::Raw(self.bytes().into());
            return Ok(());
        };
        let row = form.row();
        let mut arguments = self.part;
        arguments.bytes(number.vendor.header_len(), row.name)?;
        let mut args = Args::new(arguments, self.offset(), row.name, self.version, depth);
        (row.decode)(&mut args, action)
    }
}

/// The actions in all that `reader` has left, as in a bucket or a packet-out.
///
/// # Errors
///
/// As of [`ActionRef::to_action`]; and for actions that Open vSwitch does not allow together.
pub fn decode_actions(reader: Reader<'_>, version: Version) -> Result<Vec<Action>, DecodeError> {
    let actions = decode_list(reader, version, 0)?;
    verify(&actions, version, Place::List).map_err(|problem| broken(reader, problem, version))?;
    Ok(actions)
}

/// Actions without a look at what may stand together.
pub(super) fn decode_list(
    reader: Reader<'_>,
    version: Version,
    depth: usize,
) -> Result<Vec<Action>, DecodeError> {
    let mut actions = Vec::with_capacity(count(reader.rest()));
    decode_into(&mut actions, reader, version, depth)?;
    Ok(actions)
}

/// The same behind others.
pub(super) fn decode_into(
    actions: &mut Vec<Action>,
    reader: Reader<'_>,
    version: Version,
    depth: usize,
) -> Result<(), DecodeError> {
    if depth > MAX_DEPTH {
        return Err(reader
            .named(BAD_LEN)
            .error(WHAT, Fault::TooDeep { limit: MAX_DEPTH }));
    }
    if reader.len() % 8 != 0 {
        let wanted = reader.len().next_multiple_of(8);
        let fault = Fault::Length {
            wanted,
            got: reader.len(),
        };
        return Err(reader.named("OFPBRC_BAD_LEN").error(WHAT, fault));
    }
    let mut left = Actions::new(reader, version);
    let before = actions.len();
    while !left.reader.is_empty() {
        let mut decode = || {
            let action = left.read()?;
            actions.extend(iter::once_with(|| Action::Drop));
            actions
                .last_mut()
                .map_or(Ok(()), |place| action.decode(depth, place))
        };
        if let Err(error) = decode() {
            // What Open vSwitch does not know it refuses where it stands.
            let read = actions.get(before..actions.len().saturating_sub(1));
            let unknown = read.and_then(|read| program::unknown(read, version));
            return Err(unknown.map_or(error, |name| refused(reader, name)));
        }
    }
    Ok(())
}

/// How many actions a list has, if the lengths in it are right.
pub(super) fn count(mut list: &[u8]) -> usize {
    let mut count = 0;
    while let [_, _, a, b, ..] = list {
        let len = u16::from_be_bytes([*a, *b]).max(8);
        list = list.get(len.into()..).unwrap_or_default();
        count += 1;
    }
    count
}

/// The list is not allowed as a whole.
pub(super) fn refused(reader: Reader<'_>, name: &'static str) -> DecodeError {
    reader.named(name).error("actions", Fault::Combination)
}

/// Its actions may not stand together.
pub(super) fn broken(reader: Reader<'_>, problem: Problem, version: Version) -> DecodeError {
    refused(
        reader,
        problem.error_name(version).unwrap_or("OFPBAC_BAD_ARGUMENT"),
    )
}

/// Appends actions as Open vSwitch writes them in a version: in its words, and of several forms in the
/// oldest one that has room for the arguments.
///
/// ```
/// use ofp_codec::{Action, Version, wire::{Context, Reader, Writer, decode_actions, encode_actions}};
///
/// let mut bytes = Vec::new();
/// let actions = [Action::ModVlanVid(5), Action::Group(7)];
/// encode_actions(&actions, &Context::new(Version::V1_3), &mut Writer::new(&mut bytes))?;
/// let decoded = decode_actions(Reader::new(&bytes), Version::V1_3).unwrap();
/// let words: Vec<_> = decoded.iter().map(ToString::to_string).collect();
/// assert_eq!(words, ["push_vlan:0x8100", "set_field:4101->vlan_vid", "group:7"]);
/// # Ok::<(), ofp_codec::wire::EncodeError>(())
/// ```
///
/// # Errors
///
/// [`EncodeError`] if the version has no action for one of them or the action would do something else; or it has
/// arguments that have no bytes: names, and what is unknown in text.
pub fn encode_actions(
    actions: &[Action],
    context: &Context,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let context = *context;
    Out { writer, context }.list(actions)
}

/// Appends one action that is in the words of a version already.
pub(super) fn encode_action(
    action: &Action,
    context: Context,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    Out { writer, context }.encode(action)
}

impl Out<'_, '_> {
    fn list(&mut self, actions: &[Action]) -> Result<(), EncodeError> {
        struct List<'o, 'w, 'v>(&'o mut Out<'w, 'v>, Result<(), EncodeError>);

        impl Sink for List<'_, '_, '_> {
            fn put(&mut self, action: &Action, context: Context) {
                if self.1.is_ok() {
                    self.0.context = context;
                    self.1 = self.0.encode(action);
                }
            }
        }

        let context = self.context;
        check(actions, &context)?;
        let mut list = List(self, Ok(()));
        context.translate(actions, &mut list);
        let List(_, result) = list;
        self.context = context;
        result
    }

    fn encode(&mut self, action: &Action) -> Result<(), EncodeError> {
        match action {
            Action::Drop => Ok(()),
            // Without a length it is the whole packet; of other ports none counts.
            Action::Output(port) => self.output(port, if *port == CONTROLLER { u16::MAX } else { 0 }),
            Action::Controller { max_len } => self.output(&CONTROLLER, *max_len),
            Action::StripVlan => self.empty(Form::StripVlan),
            Action::PopVlan => self.empty(Form::PopVlan),
            Action::PushVlan(kind) => self.number(Form::PushVlan, kind.to_be_bytes()),
            Action::ModVlanVid(vid) => self.number(Form::SetVlanVid10, vid.to_be_bytes()),
            Action::ModVlanPcp(pcp) => self.number(Form::SetVlanPcp10, [*pcp]),
            Action::SetVlanVid(vid) => self.number(Form::SetVlanVid, vid.to_be_bytes()),
            Action::SetVlanPcp(pcp) => self.number(Form::SetVlanPcp, [*pcp]),
            Action::ModDlSrc(addr) => self.eth_addr(Form::SetDlSrc, addr),
            Action::ModDlDst(addr) => self.eth_addr(Form::SetDlDst, addr),
            Action::SetField { field, value, mask } => self.set_field(*field, value, *mask),
            Action::Load { value, dst } => self.reg_load(*value, dst),
            Action::SetTunnel(id) => self.number(Form::SetTunnel, id.to_be_bytes()),
            Action::SetTunnel64(id) => self.number(Form::SetTunnel64, id.to_be_bytes()),
            Action::Resubmit { port, table, ct } => self.resubmit(port.as_ref(), table.as_ref(), *ct),
            Action::Group(id) => self.number(Form::Group, id.to_be_bytes()),
            Action::OutputReg(src) => self.output_reg(src),
            Action::OutputTrunc { port, max_len } => self.output_trunc(port, *max_len),
            Action::ControllerWith(controller) => self.controller(controller),
            Action::Enqueue { port, queue } => self.enqueue(port, *queue),
            Action::Bundle(bundle) => self.bundle(bundle),
            Action::Multipath(multipath) => self.multipath(multipath),
            Action::ModNwSrc(addr) => self.number(Form::SetNwSrc, addr.octets()),
            Action::ModNwDst(addr) => self.number(Form::SetNwDst, addr.octets()),
            Action::ModNwTos(tos) => self.number(Form::SetNwTos, [*tos]),
            Action::ModNwEcn(ecn) => self.number(Form::SetNwEcn, [*ecn]),
            Action::ModNwTtl(ttl) => self.number(Form::SetNwTtl, [*ttl]),
            Action::ModTpSrc(port) => self.number(Form::SetTpSrc, port.to_be_bytes()),
            Action::ModTpDst(port) => self.number(Form::SetTpDst, port.to_be_bytes()),
            Action::Move { src, dst } => self.reg_move(src, dst),
            Action::Push(bits) => self.stack(Form::StackPush, bits),
            Action::Pop(bits) => self.stack(Form::StackPop, bits),
            Action::DecTtl(None) => self.empty(Form::DecNwTtl),
            Action::DecTtl(Some(ids)) => self.dec_ttl(ids),
            Action::SetMplsLabel(label) => self.number(Form::SetMplsLabel, label.to_be_bytes()),
            Action::SetMplsTc(tc) => self.number(Form::SetMplsTc, [*tc]),
            Action::SetMplsTtl(ttl) => self.number(Form::SetMplsTtl, [*ttl]),
            Action::DecMplsTtl => self.empty(Form::DecMplsTtl),
            Action::PushMpls(kind) => self.number(Form::PushMpls, kind.to_be_bytes()),
            Action::PopMpls(kind) => self.number(Form::PopMpls, kind.to_be_bytes()),
            Action::Encap(encap) => self.encap(encap),
            Action::Decap(below) => self.decap(*below),
            Action::DecNshTtl => self.empty(Form::DecNshTtl),
            Action::DeleteField(field) => self.delete_field(*field),
            Action::SetQueue(queue) => self.number(Form::SetQueue, queue.to_be_bytes()),
            Action::PopQueue => self.empty(Form::PopQueue),
            Action::FinTimeout {
                idle_timeout,
                hard_timeout,
            } => self.fin_timeout(*idle_timeout, *hard_timeout),
            Action::Learn(learn) => self.learn(learn),
            Action::Conjunction {
                id,
                clause,
                n_clauses,
            } => self.conjunction(*id, *clause, *n_clauses),
            Action::Note(bytes) => self.action(Form::Note, |out| {
                out.writer.bytes(bytes);
                Ok(())
            }),
            Action::Exit => self.empty(Form::Exit),
            Action::Sample(sample) => self.sample(sample),
            Action::Ct(ct) => self.ct(ct),
            Action::Nat(nat) => self.nat(nat),
            Action::CtClear => self.empty(Form::CtClear),
            Action::Clone(actions) => self.clone(actions),
            Action::CheckPktLarger { len, dst } => self.check_pkt_larger(*len, dst),
            Action::Meter(id) => self.number(Form::Meter, id.to_be_bytes()),
            Action::WriteMetadata { value, mask } => self.write_metadata(*value, *mask),
            Action::DebugRecirc => self.empty(Form::DebugRecirc),
            Action::DebugSlow => self.empty(Form::DebugSlow),
            Action::Raw(bytes) => {
                self.writer.bytes(bytes);
                Ok(())
            }
            Action::Unknown { text, .. } => Err(unresolved("action", text)),
            Action::GotoTable(_) | Action::ClearActions | Action::WriteActions(_) => {
                Err(self.not_in_version("instruction as an action"))
            }
            Action::UnrollXlate { .. } => Err(self.not_in_version("unroll_xlate")),
        }
    }
}

/// Why Open vSwitch refuses an action that is not known.
fn unknown(kind: u16, vendor: u32) -> &'static str {
    match kind {
        VENDOR if args::has_subtype(vendor) => "OFPBAC_BAD_VENDOR_TYPE",
        VENDOR => "OFPBAC_BAD_VENDOR",
        _ => "OFPBAC_BAD_TYPE",
    }
}

const CONTROLLER: PortRef = PortRef::Number(Port::CONTROLLER);
/// How deep actions may be nested.
const MAX_DEPTH: usize = 64;
const WHAT: &str = "action";
