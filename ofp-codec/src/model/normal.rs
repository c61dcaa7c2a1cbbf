//! One form for what can be said in several ways.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use crate::model::{
    action::Action,
    canonical::bits::registers,
    field::Field,
    flow::{Flow, FlowFlags, Stats},
    matches::Value,
    version::Version,
};

impl Flow {
    /// The flow in a form that is the same in whatever version of OpenFlow it was printed.
    ///
    /// The match has the order and the names of [`canonical`](Flow::canonical). Actions that set
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
        let mut actions = list(&self.canonical(Version::V1_5).actions);
        // A mask of nothing sets nothing.
        if actions.is_empty() {
            actions.push(Action::Drop);
        }
        Flow {
            // What this version prints has every bit.
            matches: self.matches.canonical(Version::V1_0),
            actions,
            stats: Stats::default(),
            flags: FlowFlags::default(),
            importance: 0,
            ..self.clone()
        }
    }
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
            Action::Clone(actions) => Action::Clone(list(actions)),
            Action::WriteActions(actions) => Action::WriteActions(list(actions)),
            Action::Ct(ct) => {
                let mut ct = ct.clone();
                ct.exec = list(&ct.exec);
                Action::Ct(Box::new(*ct))
            }
            action => action.clone(),
        });
    }
    flush(&mut sets, &mut normal);
    normal
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
    let mask = mask.unwrap_or(full(field)) & full(field);
    Some(match field {
        Field::NwTos => (Field::IpDscp, number >> 2, mask >> 2),
        Field::DlVlanPcp => (Field::VlanPcp, number, mask),
        Field::InPortOxm => (Field::InPort, number, mask),
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
        normal.push(Action::SetField {
            field,
            value: Value::Number(number),
            mask: (mask != full(field)).then_some(mask),
        });
    }
}

/// All bits of a field, those of a port as 32.
fn full(field: Field) -> u128 {
    match field {
        Field::InPort | Field::InPortOxm => 0xffff_ffff,
        _ => u128::MAX >> 128_u32.saturating_sub(field.info().bits.into()),
    }
}
