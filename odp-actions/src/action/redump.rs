//! What a kernel gives back of a list: the same actions, not the same bytes.

use alloc::vec::Vec;

use netlink_genl::nlattr::{Attrs, RawAttr};

use super::{
    Action, Actions, CheckPktLen, CheckPktLenAttr, Ct, CtAttr, DecTtl, DecTtlAttr, Nat, NatAttr, Sample,
    SampleAttr,
};
use crate::key::{Key, Tunnel, TunnelAttr};

impl Actions {
    /// The list as a kernel dumps it once it has taken it, so that what was sent and what is there compare.
    ///
    /// A kernel keeps most actions byte for byte. Those that it converts it writes anew, in an order of its own
    /// (`net/openvswitch/flow_netlink.c` and `conntrack.c`): `ct` with a zone always, `check_pkt_len` with `le` before
    /// `gt`, a tunnel key without what is zero, `psample` without the flag in its type.
    ///
    /// ```
    /// use odp_actions::Actions;
    ///
    /// let sent: Actions = "ct(commit),1".parse()?;
    /// assert_eq!((sent.encoded_len()?, sent.redumped().encoded_len()?), (16, 24));
    /// assert_eq!(sent.redumped().redumped(), sent.redumped());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn redumped(&self) -> Self {
        self.iter().map(Action::redumped).collect()
    }
}

impl Action {
    fn redumped(&self) -> Self {
        match self {
            Self::Set(Key::Tunnel(key)) => Self::Set(Key::Tunnel(tunnel(key))),
            Self::Ct(ct) => Self::Ct(conntrack(ct)),
            Self::Clone(actions) => Self::Clone(actions.redumped()),
            Self::Sample(sample) => {
                let attrs = in_order(sample.attrs(), SampleAttr::kind, &[1, 2]);
                Self::Sample(Sample::new(attrs.map(|attr| match attr {
                    SampleAttr::Actions(actions) => SampleAttr::Actions(actions.redumped()),
                    other => other.clone(),
                })))
            }
            Self::CheckPktLen(check) => {
                let attrs = in_order(check.attrs(), CheckPktLenAttr::kind, &[1, 3, 2]);
                Self::CheckPktLen(CheckPktLen::new(attrs.map(|attr| match attr {
                    CheckPktLenAttr::Greater(actions) => CheckPktLenAttr::Greater(actions.redumped()),
                    CheckPktLenAttr::LessEqual(actions) => CheckPktLenAttr::LessEqual(actions.redumped()),
                    other => other.clone(),
                })))
            }
            Self::DecTtl(dec_ttl) => {
                let attrs = in_order(dec_ttl.attrs(), DecTtlAttr::kind, &[1]);
                Self::DecTtl(DecTtl::new(attrs.map(|attr| match attr {
                    DecTtlAttr::Exceeded(actions) => DecTtlAttr::Exceeded(actions.redumped()),
                    other => other.clone(),
                })))
            }
            Self::Psample(_) => without_flags(self).unwrap_or_else(|| self.clone()),
            other => other.clone(),
        }
    }
}

fn tunnel(key: &Tunnel) -> Tunnel {
    let order = [0, 1, 2, 12, 13, 3, 4, 5, 6, 9, 10, 7, 8, 11, 15, 16];
    let is_kept = |attr: &&TunnelAttr| match attr {
        TunnelAttr::Ipv4Src(ip) | TunnelAttr::Ipv4Dst(ip) => !ip.is_unspecified(),
        TunnelAttr::Ipv6Src(ip) | TunnelAttr::Ipv6Dst(ip) => !ip.is_unspecified(),
        TunnelAttr::Tos(tos) => *tos != 0,
        TunnelAttr::TpSrc(port) | TunnelAttr::TpDst(port) => *port != 0,
        _ => true,
    };
    let attrs: Vec<_> = key.attrs().collect();
    let kept = in_order(&attrs, TunnelAttr::kind, &order).filter(is_kept);
    Tunnel::of_fitting(kept.cloned())
}

fn conntrack(ct: &Ct) -> Ct {
    let order = [1, 7, 2, 3, 4, 5, 8, 9, 6];
    let zone = CtAttr::Zone(0);
    let has_zone = ct.attrs().iter().any(|attr| attr.kind() == zone.kind());
    let attrs: Vec<CtAttr> = ct
        .attrs()
        .iter()
        .chain((!has_zone).then_some(&zone))
        .map(|attr| match attr {
            CtAttr::Nat(nat) => CtAttr::Nat(self::nat(nat)),
            other => other.clone(),
        })
        .collect();
    Ct::new(in_order(&attrs, CtAttr::kind, &order).cloned())
}

/// The end of a range of one is left out.
fn nat(nat: &Nat) -> Nat {
    let has = |wanted: NatAttr| nat.attrs().contains(&wanted);
    let is_kept = |attr: &&NatAttr| match attr {
        NatAttr::IpMax(ip) => !has(NatAttr::IpMin(*ip)),
        NatAttr::ProtoMax(port) => !has(NatAttr::ProtoMin(*port)),
        _ => true,
    };
    let order = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    Nat::new(
        in_order(nat.attrs(), NatAttr::kind, &order)
            .filter(is_kept)
            .cloned(),
    )
}

/// The same bytes under a type without flags.
fn without_flags(action: &Action) -> Option<Action> {
    let mut bytes = Vec::new();
    action.encode(&mut bytes).ok()?;
    let attr = Attrs::new(&bytes).next()?.ok()?;
    Some(Action::Unknown(RawAttr {
        raw_kind: attr.kind(),
        payload: attr.payload().to_vec(),
    }))
}

/// The last attribute of each type in `order`.
fn in_order<'a, A>(attrs: &'a [A], kind: fn(&A) -> u16, order: &[u16]) -> impl Iterator<Item = &'a A> {
    order
        .iter()
        .filter_map(move |wanted| attrs.iter().rev().find(|attr| kind(attr) == *wanted))
}
