//! An action as Open vSwitch prints it: `ofpacts_format` in lib/ofp-actions.c.

use core::fmt;

use crate::model::{action::Action, port::PortRef, print};

impl Action {
    /// The word that the action begins with when printed.
    pub fn name(&self) -> &str {
        match self {
            Action::Output(PortRef::Number(port)) => port.word().unwrap_or("output"),
            Action::Output(PortRef::Name(_)) => "output",
            Action::Controller { .. } => "CONTROLLER",
            Action::Drop => "drop",
            Action::StripVlan => "strip_vlan",
            Action::PopVlan => "pop_vlan",
            Action::PushVlan(_) => "push_vlan",
            Action::ModVlanVid(_) => "mod_vlan_vid",
            Action::ModVlanPcp(_) => "mod_vlan_pcp",
            Action::SetVlanVid(_) => "set_vlan_vid",
            Action::SetVlanPcp(_) => "set_vlan_pcp",
            Action::ModDlSrc(_) => "mod_dl_src",
            Action::ModDlDst(_) => "mod_dl_dst",
            Action::SetField { .. } => "set_field",
            Action::Load { .. } => "load",
            Action::SetTunnel(_) => "set_tunnel",
            Action::SetTunnel64(_) => "set_tunnel64",
            Action::Resubmit { .. } => "resubmit",
            Action::GotoTable(_) => "goto_table",
            Action::Group(_) => "group",
            Action::OutputReg(_) | Action::OutputTrunc { .. } => "output",
            Action::ControllerWith(_) => "controller",
            Action::Enqueue { .. } => "enqueue",
            Action::Bundle(bundle) if bundle.dst.is_some() => "bundle_load",
            Action::Bundle(_) => "bundle",
            Action::Multipath(_) => "multipath",
            Action::ModNwSrc(_) => "mod_nw_src",
            Action::ModNwDst(_) => "mod_nw_dst",
            Action::ModNwTos(_) => "mod_nw_tos",
            Action::ModNwEcn(_) => "mod_nw_ecn",
            Action::ModNwTtl(_) => "mod_nw_ttl",
            Action::ModTpSrc(_) => "mod_tp_src",
            Action::ModTpDst(_) => "mod_tp_dst",
            Action::Move { .. } => "move",
            Action::Push(_) => "push",
            Action::Pop(_) => "pop",
            Action::DecTtl(_) => "dec_ttl",
            Action::SetMplsLabel(_) => "set_mpls_label",
            Action::SetMplsTc(_) => "set_mpls_tc",
            Action::SetMplsTtl(_) => "set_mpls_ttl",
            Action::DecMplsTtl => "dec_mpls_ttl",
            Action::PushMpls(_) => "push_mpls",
            Action::PopMpls(_) => "pop_mpls",
            Action::Encap(_) => "encap",
            Action::Decap(_) => "decap",
            Action::DecNshTtl => "dec_nsh_ttl",
            Action::DeleteField(_) => "delete_field",
            Action::SetQueue(_) => "set_queue",
            Action::PopQueue => "pop_queue",
            Action::FinTimeout { .. } => "fin_timeout",
            Action::Learn(_) => "learn",
            Action::Conjunction { .. } => "conjunction",
            Action::Note(_) => "note",
            Action::Exit => "exit",
            Action::Sample(_) => "sample",
            Action::Ct(_) => "ct",
            Action::Nat(_) => "nat",
            Action::CtClear => "ct_clear",
            Action::Clone(_) => "clone",
            Action::CheckPktLarger { .. } => "check_pkt_larger",
            Action::Meter(_) => "meter",
            Action::ClearActions => "clear_actions",
            Action::WriteActions(_) => "write_actions",
            Action::WriteMetadata { .. } => "write_metadata",
            Action::UnrollXlate { .. } => "unroll_xlate",
            Action::DebugRecirc => "debug_recirc",
            Action::DebugSlow => "debug_slow",
            Action::Raw(_) => "raw",
            Action::Unknown { name, .. } => name,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Action::Output(PortRef::Number(port)) if port.word().is_some() => f.write_str(name),
            Action::Output(port) => write!(f, "{name}:{port}"),
            Action::Controller { max_len } => write!(f, "{name}:{max_len}"),
            Action::Drop
            | Action::StripVlan
            | Action::PopVlan
            | Action::DecMplsTtl
            | Action::DecNshTtl
            | Action::PopQueue
            | Action::Exit
            | Action::CtClear
            | Action::ClearActions
            | Action::DebugRecirc
            | Action::DebugSlow => f.write_str(name),
            Action::PushVlan(kind) | Action::PushMpls(kind) | Action::PopMpls(kind) => {
                write!(f, "{name}:{kind:#06x}")
            }
            Action::ModVlanVid(number)
            | Action::SetVlanVid(number)
            | Action::ModTpSrc(number)
            | Action::ModTpDst(number) => write!(f, "{name}:{number}"),
            Action::ModVlanPcp(number)
            | Action::SetVlanPcp(number)
            | Action::ModNwTos(number)
            | Action::ModNwEcn(number)
            | Action::ModNwTtl(number) => write!(f, "{name}:{number}"),
            Action::SetMplsTc(number) | Action::SetMplsTtl(number) => write!(f, "{name}({number})"),
            Action::SetMplsLabel(label) => write!(f, "{name}({label})"),
            Action::ModNwSrc(addr) | Action::ModNwDst(addr) => write!(f, "{name}:{addr}"),
            Action::OutputReg(bits) | Action::Push(bits) | Action::Pop(bits) => {
                write!(f, "{name}:{bits}")
            }
            Action::OutputTrunc { port, max_len } => write!(f, "{name}(port={port},max_len={max_len})"),
            Action::ControllerWith(controller) => controller.fmt(f),
            Action::Enqueue { port, queue } => write!(f, "{name}:{port}:{queue}"),
            Action::Bundle(bundle) => bundle.fmt(f),
            Action::Multipath(multipath) => multipath.fmt(f),
            Action::Move { src, dst } => write!(f, "{name}:{src}->{dst}"),
            Action::DecTtl(None) => f.write_str(name),
            Action::DecTtl(Some(ids)) => {
                write!(f, "{name}(")?;
                print::write_list(f, ids)?;
                f.write_str(")")
            }
            Action::Encap(encap) => encap.fmt(f),
            Action::Decap(None) => write!(f, "{name}()"),
            Action::Decap(Some(below)) => write!(f, "{name}({below})"),
            Action::DeleteField(field) => write!(f, "{name}:{field}"),
            Action::FinTimeout {
                idle_timeout,
                hard_timeout,
            } => {
                write!(f, "{name}(")?;
                let mut list = print::Separated::new(f);
                if *idle_timeout != 0 {
                    list.item(&format_args!("idle_timeout={idle_timeout}"))?;
                }
                if *hard_timeout != 0 {
                    list.item(&format_args!("hard_timeout={hard_timeout}"))?;
                }
                f.write_str(")")
            }
            Action::Learn(learn) => learn.fmt(f),
            Action::Conjunction {
                id,
                clause,
                n_clauses,
            } => write!(f, "{name}({id},{clause}/{n_clauses})"),
            Action::Note(bytes) => write!(f, "{name}:{}", print::Dotted(bytes)),
            Action::Sample(sample) => sample.fmt(f),
            Action::Ct(ct) => ct.fmt(f),
            Action::Nat(nat) => nat.fmt(f),
            Action::Clone(actions) | Action::WriteActions(actions) => {
                write!(f, "{name}(")?;
                print::write_list(f, actions)?;
                f.write_str(")")
            }
            Action::CheckPktLarger { len, dst } => write!(f, "{name}({len})->{dst}"),
            Action::WriteMetadata { value, mask } => {
                write!(f, "{name}:{}", print::Hex((*value).into()))?;
                match mask.filter(|mask| *mask != u64::MAX) {
                    Some(mask) => write!(f, "/{}", print::Hex(mask.into())),
                    None => Ok(()),
                }
            }
            Action::UnrollXlate { table, cookie } => write!(f, "{name}(table={table}, cookie={cookie})"),
            Action::ModDlSrc(addr) | Action::ModDlDst(addr) => write!(f, "{name}:{addr}"),
            Action::SetField { field, value, mask } => {
                write!(f, "{name}:")?;
                print::value(f, *field, value, *mask, print::Place::SetField)?;
                write!(f, "->{field}")
            }
            Action::Load { value, dst } => {
                write!(f, "{name}:{}->{dst}", print::Hex(*value))
            }
            Action::SetTunnel(id) => write!(f, "{name}:{}", print::Hex((*id).into())),
            Action::SetTunnel64(id) => write!(f, "{name}:{}", print::Hex((*id).into())),
            Action::Resubmit {
                port: Some(port),
                table: None,
                ct: false,
            } => {
                write!(f, "{name}:{port}")
            }
            Action::Resubmit { port, table, ct } => {
                write!(f, "{name}(")?;
                port.as_ref().map_or(Ok(()), |port| port.fmt(f))?;
                f.write_str(",")?;
                table.as_ref().map_or(Ok(()), |table| table.fmt(f))?;
                f.write_str(if *ct { ",ct)" } else { ")" })
            }
            Action::GotoTable(table) => write!(f, "{name}:{table}"),
            Action::Group(id) | Action::Meter(id) | Action::SetQueue(id) => write!(f, "{name}:{id}"),
            Action::Raw(bytes) => write!(f, "{name}({})", print::Dotted(bytes)),
            Action::Unknown { text, .. } => f.write_str(text),
        }
    }
}
