//! A switch as a walk looks things up in it.

use std::collections::HashMap;

use ofp_codec::{Action, Field, Group};

use crate::{
    classifier::{Classifier, Entry},
    config::{BridgeConfig, Datapath, Port},
    matching,
    release::Rules,
    unknown::Unknown,
};

/// A switch: bridges on one datapath.
#[derive(Clone, Debug)]
pub struct Switch {
    pub(crate) rules: Rules,
    pub(crate) datapath: Datapath,
    pub(crate) bridges: Vec<Bridge>,
}

/// A bridge, ready to look packets up.
#[derive(Clone, Debug)]
pub(crate) struct Bridge {
    pub(crate) config: BridgeConfig,
    pub(crate) tables: Vec<Table>,
    by_number: HashMap<u16, usize>,
    by_name: HashMap<Box<str>, usize>,
    pub(crate) bundle_of: HashMap<u16, usize>,
    pub(crate) groups: HashMap<u32, usize>,
    pub(crate) macs: HashMap<(u64, u16), u16>,
    /// The OpenFlow ports in the order of FLOOD and ALL, in builds with [`HashFunction::Murmur`].
    pub(crate) flood_order: Vec<u16>,
}

/// A flow table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) number: u8,
    pub(crate) classifier: Classifier,
    /// The index among the bridge's flows of each entry.
    pub(crate) flows: Vec<usize>,
    /// A flow that cannot be told: the table gives no answer.
    pub(crate) unknown: Option<Unknown>,
}

impl Switch {
    /// A switch of these bridges.
    ///
    /// Nothing is refused: what is not understood makes the packets that meet it [`Unknown`].
    pub fn new(rules: Rules, datapath: Datapath, bridges: Vec<BridgeConfig>) -> Self {
        let bridges = bridges
            .into_iter()
            .map(|config| Bridge::new(config, &rules))
            .collect();
        Self {
            rules,
            datapath,
            bridges,
        }
    }

    /// The names of the bridges.
    pub fn bridges(&self) -> impl Iterator<Item = &str> {
        self.bridges.iter().map(|bridge| &*bridge.config.name)
    }

    pub(crate) fn bridge(&self, name: &str) -> Option<usize> {
        self.bridges
            .iter()
            .position(|bridge| &*bridge.config.name == name)
    }

    /// The bridge and the port of a name.
    pub(crate) fn find_port(&self, name: &str) -> Option<(usize, usize)> {
        self.bridges
            .iter()
            .enumerate()
            .find_map(|(number, bridge)| Some((number, *bridge.by_name.get(name)?)))
    }
}

impl Bridge {
    fn new(config: BridgeConfig, rules: &Rules) -> Self {
        let by_number = config
            .ports
            .iter()
            .enumerate()
            .map(|(n, port)| (port.number, n))
            .collect();
        let by_name = config
            .ports
            .iter()
            .enumerate()
            .map(|(n, port)| (port.name.clone(), n))
            .collect();
        let bundle_of = config
            .bundles
            .iter()
            .enumerate()
            .flat_map(|(n, bundle)| bundle.ports.iter().map(move |port| (*port, n)))
            .collect();
        let groups = config
            .groups
            .iter()
            .enumerate()
            .map(|(n, group)| (group.id, n))
            .collect();
        let macs = config
            .macs
            .iter()
            .map(|(mac, vlan, port)| ((*mac, *vlan), *port))
            .collect();
        let flood_order = flood_order(
            config
                .bundles
                .iter()
                .flat_map(|bundle| bundle.ports.iter().copied()),
        );
        let mut bridge = Self {
            tables: Vec::new(),
            by_number,
            by_name,
            bundle_of,
            groups,
            macs,
            flood_order,
            config,
        };
        bridge.fill_tables(rules);
        bridge
    }

    fn fill_tables(&mut self, rules: &Rules) {
        let default: &[Field] = match rules.ipv6_prefixes {
            true => &[Field::IpDst, Field::IpSrc, Field::Ipv6Dst, Field::Ipv6Src],
            false => &[Field::IpDst, Field::IpSrc],
        };
        let mut tables: Vec<Table> = Vec::new();
        for (index, flow) in self.config.flows.iter().enumerate() {
            let Some(number) = flow.table.number().copied() else {
                continue;
            };
            let at = match tables.binary_search_by_key(&number, |table| table.number) {
                Ok(at) => at,
                Err(at) => {
                    let prefixes = self.config.prefixes.get(&number).map_or(default, Vec::as_slice);
                    let classifier = Classifier::new(prefixes, rules.masks_final_stage);
                    tables.insert(
                        at,
                        Table {
                            number,
                            classifier,
                            flows: Vec::new(),
                            unknown: None,
                        },
                    );
                    at
                }
            };
            let table = &mut tables[at];
            let port = |name: &str| Some(self.port_named(name)?.number);
            match matching::to_fields(&flow.matches, &self.config.options, &port) {
                Ok((value, mask)) => {
                    let conjunctions = conjunctions(&flow.actions);
                    table.classifier.insert(&Entry {
                        priority: flow.priority,
                        value,
                        mask,
                        conjunctions,
                    });
                    table.flows.push(index);
                }
                Err(unknown) => table.unknown = Some(unknown),
            }
        }
        for table in &mut tables {
            table.classifier.settle();
        }
        self.tables = tables;
    }

    pub(crate) fn port(&self, number: u16) -> Option<&Port> {
        self.by_number
            .get(&number)
            .map(|index| &self.config.ports[*index])
    }

    pub(crate) fn port_named(&self, name: &str) -> Option<&Port> {
        self.by_name.get(name).map(|index| &self.config.ports[*index])
    }

    pub(crate) fn bundle(&self, port: u16) -> Option<usize> {
        self.bundle_of.get(&port).copied()
    }

    pub(crate) fn table(&self, number: u8) -> Option<&Table> {
        let at = self
            .tables
            .binary_search_by_key(&number, |table| table.number)
            .ok()?;
        self.tables.get(at)
    }

    pub(crate) fn group(&self, id: u32) -> Option<&Group> {
        self.groups.get(&id).map(|index| &self.config.groups[*index])
    }
}

/// The order in which ovs-vswitchd goes through a hash table of ports, which are put into it anew with each change of the
/// configuration (`lib/hmap.c`).
fn flood_order(ports: impl Iterator<Item = u16>) -> Vec<u16> {
    let bucket = |port: u16, buckets: &[Vec<u16>]| {
        let mask = u32::try_from(buckets.len()).unwrap_or(1) - 1;
        usize::try_from(crate::hash::two_words(port.into(), 0) & mask).unwrap_or(0)
    };
    // The last one that came into a bucket is its first.
    let insert = |port: u16, buckets: &mut Vec<Vec<u16>>| {
        let at = bucket(port, buckets);
        buckets[at].insert(0, port);
    };
    let mut buckets: Vec<Vec<u16>> = vec![Vec::new()];
    let mut count = 0;
    for port in ports {
        insert(port, &mut buckets);
        count += 1;
        if count / 2 >= buckets.len() {
            // All ones that are not less than half of the count, and at least three.
            let mut size = (count / 2 + 1_usize).next_power_of_two();
            if size == 2 {
                size = 4;
            }
            let mut grown = vec![Vec::new(); size];
            for port in buckets.iter().flatten() {
                insert(*port, &mut grown);
            }
            buckets = grown;
        }
    }
    buckets.concat()
}

fn conjunctions(actions: &[Action]) -> Vec<(u32, u8, u8)> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Conjunction {
                id,
                clause,
                n_clauses,
            } => Some((*id, clause.saturating_sub(1), *n_clauses)),
            _ => None,
        })
        .collect()
}
