//! `OVS_ACTION_ATTR_USERSPACE`: the packet goes to ovs-vswitchd, with a cookie that says why.

mod cookie;

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use self::cookie::COOKIE_LEN;
pub use self::cookie::{Cookie, SLOW_PATH_REASONS};
use super::nest::{nests, print_in_order, require, silent_about_unknown};
use super::number::{Named, NamedPort};
use super::{Action, Actions};
use crate::key::codec::{Codec, Faults, Flag};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

attributes! {
    /// One attribute of [`Userspace`] (`OVS_USERSPACE_ATTR_*`).
    pub enum UserspaceAttr {
        /// The netlink port that gets the packet; 4294967295 under per-CPU dispatch.
        1 Pid(u32) Named "pid";
        /// What goes with the packet.
        2 Userdata(Userdata) UserdataCodec "userdata";
        /// The tunnel port that the packet would leave by, for sampling.
        3 EgressTunPort(u32) NamedPort "tunnel_out_port";
        /// The actions of the flow go with the packet, too.
        4 Actions Flag "actions";
    }
}

silent_about_unknown!(UserspaceAttr);

nests! {
    /// `userspace(pid=1,..)`.
    Userspace of UserspaceAttr;
}

/// What goes with a packet: bytes that the kernel does not look at. Open vSwitch writes a [`Cookie`] of 48.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Userdata(pub Vec<u8>);

impl Userdata {
    /// The bytes as Open vSwitch's `struct user_action_cookie`, if they have its length and a type that is known.
    pub fn cookie(&self) -> Option<Cookie> {
        let bytes: &[u8; COOKIE_LEN] = self.0.as_slice().try_into().ok()?;
        Cookie::decode(bytes)
    }
}

impl Actions {
    /// Why packets go through `ovs-vswitchd`, as the cookies say that go with them, also from within nested lists: names of
    /// [`SLOW_PATH_REASONS`], each once. None of them: these actions are no slow path.
    ///
    /// ```
    /// use odp_actions::Actions;
    ///
    /// let actions: Actions = "sample(sample=50.0%,actions(userspace(pid=1,slow_path(lacp)))),2".parse()?;
    /// assert_eq!(actions.slow_path_reasons(), ["lacp"]);
    /// # Ok::<(), odp_actions::ParseError>(())
    /// ```
    pub fn slow_path_reasons(&self) -> Vec<&'static str> {
        let bits = self.slow_path_bits();
        let named = SLOW_PATH_REASONS.iter().filter(|(bit, _)| bits & bit != 0);
        named.map(|(_, name)| *name).collect()
    }

    fn slow_path_bits(&self) -> u32 {
        let of_action = |action: &Action| {
            let own = match action {
                Action::Userspace(userspace) => userspace.slow_path_bits(),
                _ => 0,
            };
            action
                .lists()
                .fold(own, |bits, list| bits | list.slow_path_bits())
        };
        self.iter().fold(0, |bits, action| bits | of_action(action))
    }
}

impl Userspace {
    fn slow_path_bits(&self) -> u32 {
        let cookie = |attr: &UserspaceAttr| match attr {
            UserspaceAttr::Userdata(data) => data.cookie(),
            _ => None,
        };
        let bits = self.attrs().iter().filter_map(cookie).map(|cookie| match cookie {
            Cookie::SlowPath { reason } => reason,
            _ => 0,
        });
        bits.fold(0, |all, bits| all | bits)
    }
}

impl From<Cookie> for Userdata {
    /// Writes a cookie as Open vSwitch's parser does: from no OpenFlow port and no bridge.
    fn from(cookie: Cookie) -> Self {
        Self(cookie.encode().to_vec())
    }
}

impl Codec for Userspace {
    type Value = Self;

    fn encode<S: Sink>(userspace: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        userspace.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let userspace = Self::decode_nest(attr, &mut Faults::default())?;
        require(attr, userspace.attrs.iter().map(UserspaceAttr::kind), &[1])?;
        Ok(userspace)
    }

    fn print(userspace: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        print_in_order(
            f,
            name,
            &userspace.attrs,
            UserspaceAttr::kind,
            UserspaceAttr::print,
            &[1, 2, 4, 3],
        )
    }

    /// Without a cookie in the text the userdata is 48 zero bytes, as Open vSwitch makes it.
    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        lexer.expect("(pid")?;
        let pid = Named::parse(lexer)?;
        let (mut userdata, mut actions, mut port) = (None, None, None);
        while !lexer.eat(")") {
            lexer.expect(",")?;
            let start = *lexer;
            let wrong = || start.expected("another attribute of userspace");
            match lexer.word("an attribute of userspace")? {
                "actions" if actions.is_none() => actions = Some(UserspaceAttr::Actions),
                "tunnel_out_port" if port.is_none() => port = Some(NamedPort::parse(lexer)?),
                "userdata" if userdata.is_none() => userdata = Some(UserdataCodec::parse(lexer)?),
                name if userdata.is_none() => {
                    userdata = Some(Cookie::parse(name, lexer).ok_or_else(wrong)??.into());
                }
                _ => return Err(wrong()),
            }
        }
        let mut userdata = userdata.unwrap_or_else(|| Userdata([0; COOKIE_LEN].to_vec()));
        // Kernels before 3.10 want exactly 8 bytes, and nobody minds at least 8.
        userdata.0.resize(userdata.0.len().max(8), 0);
        // 4294967295 is no port.
        let port = port
            .filter(|port| *port != u32::MAX)
            .map(UserspaceAttr::EgressTunPort);
        let attrs = [
            Some(UserspaceAttr::Pid(pid)),
            Some(UserspaceAttr::Userdata(userdata)),
            port,
            actions,
        ];
        Ok(Self::new(attrs.into_iter().flatten()))
    }
}

/// `userdata(0a1b)`, or the cookie that the bytes are.
struct UserdataCodec;

impl Codec for UserdataCodec {
    type Value = Userdata;

    fn encode<S: Sink>(userdata: &Userdata, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, &userdata.0)
    }

    fn decode(attr: &Attr<'_>) -> Result<Userdata, DecodeError> {
        Ok(Userdata(attr.payload().to_vec()))
    }

    fn print(userdata: &Userdata, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        match userdata.cookie() {
            Some(cookie) => cookie.print(f),
            None => {
                write!(f, "{name}(")?;
                userdata.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str(")")
            }
        }
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Userdata, ParseError> {
        lexer.expect("(")?;
        let bytes = lexer.hex_pairs()?;
        lexer.expect(")")?;
        Ok(Userdata(bytes))
    }
}
