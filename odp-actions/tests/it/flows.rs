//! Random lists of OpenFlow actions, as text and as our translation knows them.

use odp_actions::xlate::{Change, FlowAction, Forwarding, Last, Unpredictable};

use crate::random::Random;

/// What a flow does with a packet.
#[derive(Debug)]
pub(crate) struct List {
    /// The version of OpenFlow in whose words it is.
    pub(crate) protocol: &'static str,
    items: Vec<(String, Item)>,
}

#[derive(Debug)]
enum Item {
    Actions(Vec<FlowAction>),
    /// The buckets of group 1.
    Group(Vec<Vec<FlowAction>>),
}

/// What a list may do besides outputs to ports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// Whether the packets are IP.
    pub(crate) is_ip: bool,
    /// Send back to where the packet came from.
    pub(crate) in_port: bool,
    pub(crate) groups: bool,
}

impl List {
    /// One that may be just NORMAL, FLOOD or ALL.
    pub(crate) fn random(ofports: &[u32], allowed: Allowed, random: &mut Random) -> Self {
        let is_old = random.below(2) == 0;
        let mut list = Self {
            protocol: if is_old { "OpenFlow10" } else { "OpenFlow13" },
            items: Vec::new(),
        };
        if random.below(4) == 0 {
            list.flood(random);
            return list;
        }
        let mut pushed = 0;
        for _ in 0..=random.below(9) {
            match random.below(14) {
                0 => list.flood(random),
                1 if allowed.in_port => list.add("IN_PORT", FlowAction::InPort),
                2 if allowed.groups && !is_old => {
                    let buckets = (0..1 + random.below(3)).map(|_| bucket(ofports, random));
                    list.items
                        .push(("group:1".to_owned(), Item::Group(buckets.collect())));
                }
                3 | 4 => list.set_tag(&mut pushed, is_old, random),
                5 | 6 => list.set_field(allowed.is_ip, is_old, random),
                _ => {
                    let ofport = ofports[random.below(ofports.len())];
                    list.add(&format!("output:{ofport}"), FlowAction::Output(ofport));
                }
            }
        }
        list
    }

    /// In the words of `ovs-ofctl`.
    pub(crate) fn text(&self) -> String {
        let words: Vec<_> = self.items.iter().map(|(word, _)| word.as_str()).collect();
        words.join(",")
    }

    /// The buckets of group 1, if the list uses it.
    pub(crate) fn group(&self) -> Option<String> {
        let group = self.items.iter().rev().find_map(|(_, item)| match item {
            Item::Group(buckets) => Some(buckets),
            Item::Actions(_) => None,
        })?;
        let buckets = group.iter().map(|bucket| {
            let words: Vec<_> = bucket.iter().map(word).collect();
            format!(",bucket={}", words.join(","))
        });
        Some(format!("group_id=1,type=all{}", buckets.collect::<String>()))
    }

    /// What a bridge does with what comes by a patch port, if there is no group in it.
    pub(crate) fn actions(&self) -> Option<Vec<FlowAction>> {
        let actions = self.items.iter().map(|(_, item)| match item {
            Item::Actions(actions) => Some(actions.clone()),
            Item::Group(_) => None,
        });
        Some(actions.collect::<Option<Vec<_>>>()?.concat())
    }

    /// Whether what it does is the same wherever the packet comes from.
    pub(crate) fn ignores_input(&self, in_port: u32) -> bool {
        let ignores = |action: &FlowAction| match action {
            FlowAction::Normal | FlowAction::Flood | FlowAction::All | FlowAction::InPort => false,
            FlowAction::Output(ofport) => *ofport != in_port,
            _ => true,
        };
        self.items.iter().all(|(_, item)| match item {
            Item::Actions(actions) => actions.iter().all(ignores),
            Item::Group(buckets) => buckets.iter().flatten().all(ignores),
        })
    }

    /// Does it to a packet.
    pub(crate) fn run(&self, packet: &mut Forwarding<'_>) -> Result<(), Unpredictable> {
        // A list has one group, and the last one is what the switch was told.
        let group = self
            .items
            .iter()
            .rev()
            .find(|(_, item)| matches!(item, Item::Group(_)));
        for (place, (_, item)) in self.items.iter().enumerate() {
            let last = Last::of(place, self.items.len());
            match (item, group) {
                (Item::Group(_), Some((_, Item::Group(buckets)))) => {
                    for (number, bucket) in buckets.iter().enumerate() {
                        let is_last = last == Last::Yes && number + 1 == buckets.len();
                        packet.bucket(|packet| run(bucket, packet, is_last))?;
                    }
                }
                (Item::Actions(actions), _) => run(actions, packet, last == Last::Yes)?,
                (Item::Group(_), _) => unreachable!(),
            }
        }
        Ok(())
    }

    fn add(&mut self, word: &str, action: FlowAction) {
        self.items.push((word.to_owned(), Item::Actions([action].into())));
    }

    fn flood(&mut self, random: &mut Random) {
        let (word, action) = [
            ("NORMAL", FlowAction::Normal),
            ("NORMAL", FlowAction::Normal),
            ("FLOOD", FlowAction::Flood),
            ("ALL", FlowAction::All),
        ][random.below(4)];
        self.add(word, action);
    }

    /// Each version has its own way to tag a packet, and refuses the other's: the later one wants to see in the list that
    /// there is a tag to pop or to fill in.
    fn set_tag(&mut self, pushed: &mut usize, is_old: bool, random: &mut Random) {
        let vid = [5, 6, 4095][random.below(3)];
        match random.below(4) {
            0 if is_old => self.add("strip_vlan", FlowAction::PopVlan),
            1 if is_old => self.add("mod_vlan_pcp:3", FlowAction::SetVlanPcp(3)),
            _ if is_old => self.add(&format!("mod_vlan_vid:{vid}"), FlowAction::SetVlanVid(vid)),
            0 | 1 if *pushed > 0 => {
                *pushed -= 1;
                self.add("pop_vlan", FlowAction::PopVlan);
            }
            _ if *pushed == 0 => {
                *pushed += 1;
                let actions = [FlowAction::PushVlan(0x8100), FlowAction::SetVlanVid(vid)];
                self.items.push((push_vlan(vid), Item::Actions(actions.into())));
            }
            _ => {}
        }
    }

    /// Fields with no bearing on sizes: of tunnels, of the switch, or of the packet, which has the value already.
    fn set_field(&mut self, is_ip: bool, is_old: bool, random: &mut Random) {
        let field = FlowAction::Change(Change::Field);
        let register = FlowAction::Change(Change::Register);
        match (random.below(6), is_old) {
            (0, true) => self.add("set_tunnel:9", FlowAction::SetTunnelId(9)),
            (1, true) => self.add("load:7->NXM_NX_TUN_ID[]", FlowAction::LoadTunnelId(7)),
            (0 | 1, false) => self.add("set_field:8->tun_id", FlowAction::LoadTunnelId(8)),
            (2, true) => self.add("load:5->NXM_NX_REG0[]", register),
            (2, false) => self.add("set_field:5->reg1", register),
            (3, true) => self.add("mod_dl_dst:ff:ff:ff:ff:ff:ff", field),
            (3, false) => self.add("set_field:ff:ff:ff:ff:ff:ff->eth_dst", field),
            (4, true) if is_ip => self.add("mod_nw_dst:0.0.0.0", field),
            (5, true) if is_ip => self.add("mod_tp_dst:0", field),
            (4, true) => self
                .items
                .push(("mod_nw_dst:0.0.0.0".to_owned(), Item::Actions(Vec::new()))),
            _ => self.items.push((
                "move:NXM_NX_REG1[]->NXM_NX_REG2[]".to_owned(),
                Item::Actions(Vec::new()),
            )),
        }
    }
}

fn run(actions: &[FlowAction], packet: &mut Forwarding<'_>, is_last: bool) -> Result<(), Unpredictable> {
    let mut places = actions.iter().enumerate();
    places.try_for_each(|(place, action)| {
        let last = if is_last {
            Last::of(place, actions.len())
        } else {
            Last::No
        };
        packet.apply(*action, last)
    })
}

/// An action set has each action once, in this order.
fn bucket(ofports: &[u32], random: &mut Random) -> Vec<FlowAction> {
    let mut bucket = Vec::new();
    if random.below(3) == 0 {
        bucket.extend([FlowAction::PushVlan(0x8100), FlowAction::SetVlanVid(6)]);
    }
    if random.below(3) == 0 {
        bucket.push(FlowAction::LoadTunnelId(3));
    }
    bucket.push(FlowAction::Output(ofports[random.below(ofports.len())]));
    bucket
}

/// An action of a bucket in the words of OpenFlow 1.3.
fn word(action: &FlowAction) -> String {
    match action {
        FlowAction::PushVlan(tpid) => format!("push_vlan:{tpid:#x}"),
        FlowAction::SetVlanVid(vid) => format!("set_field:{}->vlan_vid", 0x1000 | vid),
        FlowAction::LoadTunnelId(id) => format!("set_field:{id}->tun_id"),
        FlowAction::Output(ofport) => format!("output:{ofport}"),
        action => unreachable!("{action:?}"),
    }
}

fn push_vlan(vid: u16) -> String {
    format!("push_vlan:0x8100,set_field:{}->vlan_vid", 0x1000 | vid)
}
