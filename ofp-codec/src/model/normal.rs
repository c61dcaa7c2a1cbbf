//! One form for what can be said in several ways.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use crate::model::{
    action::{Action, report::Controller},
    canonical::{
        actions::Context,
        bits::{MatchBits, registers},
        printed::whole,
    },
    field::Field,
    flow::{Flow, FlowFlags, Stats},
    matches::Value,
    port::{NumberOrName, Port},
    version::Version,
};

impl Flow {
    /// The flow in a form that is the same in whatever version of OpenFlow it was written.
    ///
    /// The match has the order and the names of [`canonical`](Flow::canonical), and all of its bits, also those that
    /// no print shows. Actions that set
    /// constants are `set_field`, of registers of 32 bits, and those in a row are one for each
    /// field and in the order of the fields. `enqueue` is `set_queue,output,pop_queue`, and
    /// `goto_table` is `resubmit` unless an action set waits. Statistics are gone, and so are
    /// flags and importance, which not every version prints.
    ///
    /// ```
    /// use ofp_codec::text::FlowRef;
    ///
    /// let normal = |line: &str| Ok::<_, ofp_codec::text::ParseError>(FlowRef::parse(line.as_bytes())?.to_flow()?.normal());
    /// assert_eq!(
    ///     normal("dl_vlan=5,tcp actions=mod_vlan_vid:7,load:0x1->NXM_NX_REG0[0..3],strip_vlan,3")?,
    ///     normal("tcp,dl_vlan=5 actions=set_field:0x1/0xf->reg0,set_field:4103->vlan_vid,pop_vlan,output:3")?,
    /// );
    /// # Ok::<(), ofp_codec::text::ParseError>(())
    /// ```
    #[must_use]
    pub fn normal(&self) -> Flow {
        let bits = MatchBits::of(&self.matches).settled();
        Flow {
            actions: normal_actions(&self.actions, &bits),
            matches: bits.into_whole_match(),
            stats: Stats::default(),
            flags: FlowFlags::default(),
            importance: 0,
            unknown: self.unknown.clone(),
            table: self.table.clone(),
            ..*self
        }
    }
}

/// The actions of a flow with this match, in the form of [`Flow::normal`].
pub(crate) fn normal_actions(actions: &[Action], bits: &MatchBits) -> Vec<Action> {
    let mut actions = list(&whole(actions, Context::of(Version::V1_5, bits)));
    // A mask of nothing sets nothing.
    if actions.is_empty() {
        actions.push(Action::Drop);
    }
    actions
}

fn list(actions: &[Action]) -> Vec<Action> {
    let waits = |action: &Action| matches!(action, Action::WriteActions(_) | Action::ClearActions);
    let plain = !actions.iter().any(waits);
    let mut normal = Vec::new();
    let mut sets = BTreeMap::new();
    for action in actions {
        if let Some((field, number, mask)) = constant(action) {
            set(&mut sets, field, number, mask);
            continue;
        }
        flush(&mut sets, &mut normal);
        normal.push(match action {
            Action::GotoTable(table) if plain => Action::Resubmit {
                port: None,
                table: Some(table.clone()),
                ct: false,
            },
            Action::Output(NumberOrName::Number(Port::CONTROLLER)) => {
                Action::Controller { max_len: u16::MAX }
            }
            Action::ControllerWith(controller) => plain_controller(controller),
            Action::Clone(actions) => Action::Clone(list(actions)),
            // Nothing comes to the action set.
            Action::WriteActions(actions) if actions.is_empty() => continue,
            Action::WriteActions(actions) => Action::WriteActions(list(actions)),
            Action::Ct(ct) => {
                let mut ct = ct.clone();
                if let (None, Some(Action::Nat(nat))) = (&ct.nat, ct.exec.first()) {
                    ct.nat = Some((**nat).clone());
                    ct.exec.remove(0);
                }
                ct.exec = list(&ct.exec);
                Action::Ct(Box::new(*ct))
            }
            action => action.clone(),
        });
    }
    flush(&mut sets, &mut normal);
    normal
}

/// What says no more than that it goes to the controller.
fn plain_controller(controller: &Controller) -> Action {
    let max_len = controller.max_len;
    let plain = Controller {
        max_len,
        ..Controller::default()
    };
    match *controller == plain {
        true => Action::Controller { max_len },
        false => Action::ControllerWith(Box::new(controller.clone())),
    }
}

/// The constant that an action sets: field, value and mask.
fn constant(action: &Action) -> Option<(Field, u128, u128)> {
    let (field, number, mask) = match action {
        Action::SetField {
            field,
            value: Value::Number(number),
            mask,
        } if field.info().bits <= 128 => (*field, *number, *mask),
        Action::ModNwTtl(ttl) => (Field::NwTtl, (*ttl).into(), None),
        Action::SetMplsTtl(ttl) => (Field::MplsTtl, (*ttl).into(), None),
        _ => return None,
    };
    let full = full(field);
    let mask = mask.unwrap_or(full) & full;
    // A port as NXM has it, of which some bits may be set.
    let port = |number| Port(u32::try_from(number).ok()?).to_16_bits().map(u128::from);
    Some(match field {
        Field::InPort | Field::InPortOxm if mask == full => match port(number) {
            Some(number) => (Field::InPort, number, PORT),
            None => (field, number, mask),
        },
        Field::NwTos => (Field::IpDscp, number >> 2, mask >> 2),
        Field::DlVlanPcp => (Field::VlanPcp, number, mask),
        field => (field, number, mask),
    })
}

fn set(sets: &mut BTreeMap<Field, (u128, u128)>, field: Field, number: u128, mask: u128) {
    if let Some((first, count)) = registers(field) {
        for n in 0..count {
            let down = 32 * (count - 1 - n);
            let part = |bits: u128| bits >> down & 0xffff_ffff;
            set(sets, Field::ALL[first + n], part(number), part(mask));
        }
        return;
    }
    if mask != 0 {
        let (old, old_mask) = sets.get(&field).copied().unwrap_or((0, 0));
        sets.insert(field, (number & mask | old & !mask, mask | old_mask));
    }
}

fn flush(sets: &mut BTreeMap<Field, (u128, u128)>, normal: &mut Vec<Action>) {
    for (field, (number, mask)) in core::mem::take(sets) {
        let number = match (field, u16::try_from(number)) {
            (Field::InPort, Ok(port)) if mask == PORT => Port::from_16_bits(port).0.into(),
            _ => number,
        };
        normal.push(Action::SetField {
            field,
            value: Value::Number(number),
            mask: (mask != full(field)).then_some(mask),
        });
    }
}

/// All bits of a field.
fn full(field: Field) -> u128 {
    u128::MAX >> 128_u32.saturating_sub(field.info().bits.into())
}

/// All bits of a port as NXM has it.
const PORT: u128 = 0xffff;
