//! Choices by a hash of the packet: `multipath`, `bundle`, and buckets of select groups.
//!
//! Some hashes are those of every build of Open vSwitch, others depend on the instructions that its compiler might use.

use ofp_codec::{Bundle, BundleAlgorithm, Group, HashFields, Multipath, MultipathAlgorithm};

use super::{
    Walk, Walked,
    list::{ALL, CONTROLLER, FLOOD, IN_PORT, NORMAL, TABLE},
};
use crate::{
    config::{HashFunction, NO_PORT},
    fields::{CFI, Place, at, place},
    hash::{self, Murmur},
    prerequisites::{self, IPV4, IPV6, SCTP, TCP, UDP, is_ip},
    unknown::Unknown,
};

impl Walk<'_> {
    pub(super) fn multipath(&mut self, multipath: &Multipath) -> Walked {
        let hash = self.hash_fields(multipath.fields, multipath.basis)?;
        let links = multipath.n_links.max(1);
        let link = match multipath.algorithm {
            MultipathAlgorithm::ModuloN => hash % links,
            MultipathAlgorithm::HashThreshold if links == 1 => 0,
            MultipathAlgorithm::HashThreshold => hash / (u32::MAX / links + 1),
            MultipathAlgorithm::Hrw if links <= 64 => {
                self.needs_murmur()?;
                // The first of the highest.
                (1..links)
                    .fold((0, hash::two_words(hash, 0)), |best, link| {
                        let own = hash::two_words(hash, link);
                        if own > best.1 { (link, own) } else { best }
                    })
                    .0
            }
            MultipathAlgorithm::Hrw => self.iterate(hash, links, 0)?,
            MultipathAlgorithm::IterHash => self.iterate(hash, links, multipath.arg)?,
            _ => {
                return Err(Unknown::Action(
                    format!("multipath({})", multipath.algorithm).into(),
                ));
            }
        };
        self.mask_hash_fields(multipath.fields);
        self.write(&multipath.dst, link.into())
    }

    /// Numbers of as few bits as can be, until one is a link.
    fn iterate(&self, hash: u32, links: u32, modulo: u32) -> Walked<u32> {
        self.needs_murmur()?;
        let modulo = if modulo < links || modulo / 2 > links {
            links.next_power_of_two()
        } else {
            modulo
        };
        let mut tries = 0..u32::MAX;
        let link = tries.find_map(|n| Some(hash::two_words(hash, n) % modulo).filter(|link| *link < links));
        Ok(link.unwrap_or(0))
    }

    pub(super) fn bundle_action(&mut self, bundle: &Bundle, last: bool, in_bucket: bool) -> Walked {
        let mut members = Vec::new();
        for member in &bundle.members {
            members.push(self.port_number(member)?);
        }
        let port = match bundle.algorithm {
            BundleAlgorithm::ActiveBackup => members.iter().copied().find(|port| self.is_enabled(*port)),
            _ => {
                if members.len() > 1 {
                    self.mask_hash_fields(bundle.fields);
                }
                let mut enabled = (0_u32..)
                    .zip(&members)
                    .filter(|(_, port)| self.is_enabled(**port));
                match (enabled.next(), enabled.next()) {
                    (first, None) => first.map(|(_, port)| *port),
                    _ => {
                        self.needs_murmur()?;
                        let hash = self.hash_fields(bundle.fields, bundle.basis)?;
                        let enabled = (0_u32..)
                            .zip(&members)
                            .filter(|(_, port)| self.is_enabled(**port));
                        let best = enabled.fold(None::<(u32, u16)>, |best, (n, port)| {
                            let own = hash::two_words(n, hash);
                            if best.is_none_or(|best| own > best.0) {
                                Some((own, *port))
                            } else {
                                best
                            }
                        });
                        best.map(|(_, port)| port)
                    }
                }
            }
        };
        let port = port.unwrap_or(NO_PORT);
        match &bundle.dst {
            Some(dst) => self.write(dst, port.into()),
            None => self.output(port, 0, false, last, false, in_bucket),
        }
    }

    fn is_enabled(&self, port: u16) -> bool {
        match port {
            IN_PORT | TABLE | NORMAL | FLOOD | ALL | NO_PORT => true,
            CONTROLLER => false,
            port => self.bridge_ref().port(port).is_some_and(|port| port.up),
        }
    }

    fn needs_murmur(&self) -> Walked {
        match self.switch.datapath.hash {
            Some(HashFunction::Murmur) => Ok(()),
            None => Err(Unknown::Hash("how Open vSwitch was built is not given")),
        }
    }

    /// The live bucket of a select group with the best score for the packet.
    pub(super) fn best_bucket(&mut self, group: &Group) -> Walked<Option<usize>> {
        self.needs_murmur()?;
        let fields = group
            .selection
            .as_ref()
            .filter(|selection| &*selection.method == "hash" && !selection.fields.is_empty());
        let basis = match fields {
            None => {
                self.mask_hash_fields(HashFields::SymmetricL4);
                self.hash_fields(HashFields::SymmetricL4, 0)?
            }
            Some(selection) => {
                let mut fields = selection.fields.clone();
                fields.sort_by_key(|field| field.field);
                let mut basis = hash::uint64(selection.param);
                for field in fields {
                    if crate::fields::option_number(field.field).is_some() {
                        return Err(Unknown::Field(field.field.name().into()));
                    }
                    if !prerequisites::check(field.field, &self.flow, &mut self.mask) {
                        continue;
                    }
                    let len = usize::from(field.field.info().bytes);
                    let bits = field.bits.unwrap_or(u128::MAX);
                    let value = (self.flow.get(field.field) & bits).to_be_bytes();
                    basis = hash::bytes(&value[16 - len..], basis);
                    self.mask.mask_bits(place(field.field), bits);
                }
                basis
            }
        };
        let mut best: Option<(u32, usize)> = None;
        for (n, bucket) in group.buckets.iter().enumerate() {
            let id = bucket.id.unwrap_or(u32::try_from(n).unwrap_or(0));
            if bucket.weight == 0 || !self.is_live(bucket, 0)? {
                continue;
            }
            let score = (hash::two_words(id, basis) & 0xffff).wrapping_mul(bucket.weight.into());
            if best.is_none_or(|best| score >= best.0) {
                best = Some((score, n));
            }
        }
        Ok(best.map(|(_, n)| n))
    }

    /// The hash of fields of the packet (`flow_hash_fields`).
    fn hash_fields(&self, fields: HashFields, basis: u16) -> Walked<u32> {
        let basis = u32::from(basis);
        let flow = &self.flow;
        let address = |v4: Place, v6: Place| match flow.u16(at::DL_TYPE) {
            IPV4 => Some(flow.u32(v4).to_be_bytes().to_vec()),
            IPV6 => Some(flow.get_at(v6).to_be_bytes().to_vec()),
            _ => None,
        };
        Ok(match fields {
            HashFields::EthSrc => hash::jenkins(&flow.u64(at::DL_SRC).to_be_bytes()[2..], basis),
            HashFields::NwSrc => {
                address(at::NW_SRC, at::IPV6_SRC).map_or(basis, |addr| hash::jenkins(&addr, basis))
            }
            HashFields::NwDst => {
                address(at::NW_DST, at::IPV6_DST).map_or(basis, |addr| hash::jenkins(&addr, basis))
            }
            HashFields::SymmetricL3 => hash::jenkins(&self.symmetric_l3(), basis),
            HashFields::SymmetricL4 => hash::jenkins(&self.symmetric_l4(), basis),
            HashFields::SymmetricL3L4 => self.symmetric_l3l4(basis, false)?,
            HashFields::SymmetricL3L4Udp => self.symmetric_l3l4(basis, true)?,
            _ => return Err(Unknown::Hash("fields that are not known here")),
        })
    }

    /// Both addresses, combined, in 16 bytes.
    fn addresses(&self) -> [u8; 16] {
        let flow = &self.flow;
        let mut bytes = [0; 16];
        match flow.u16(at::DL_TYPE) {
            IPV4 => bytes[..4].copy_from_slice(&(flow.u32(at::NW_SRC) ^ flow.u32(at::NW_DST)).to_be_bytes()),
            IPV6 => bytes = (flow.get_at(at::IPV6_SRC) ^ flow.get_at(at::IPV6_DST)).to_be_bytes(),
            _ => {}
        }
        bytes
    }

    fn symmetric_l3(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(&self.addresses());
        bytes[16..18].copy_from_slice(&self.flow.u16(at::DL_TYPE).to_be_bytes());
        bytes
    }

    fn symmetric_l4(&self) -> [u8; 32] {
        let flow = &self.flow;
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.addresses());
        bytes[16..18].copy_from_slice(&flow.u16(at::DL_TYPE).to_be_bytes());
        let vlan = at::TCI.iter().fold(0, |vlan, tci| vlan ^ flow.u16(*tci) & 0xfff);
        bytes[18..20].copy_from_slice(&vlan.to_be_bytes());
        let mac = flow.u64(at::DL_SRC) ^ flow.u64(at::DL_DST);
        bytes[22..28].copy_from_slice(&mac.to_be_bytes()[2..]);
        if matches!(flow.u16(at::DL_TYPE), IPV4 | IPV6) {
            let proto = flow.u8(at::NW_PROTO);
            if matches!(proto, TCP | SCTP) {
                bytes[20..22].copy_from_slice(&(flow.u16(at::TP_SRC) ^ flow.u16(at::TP_DST)).to_be_bytes());
            }
            bytes[28] = proto;
        }
        bytes
    }

    fn symmetric_l3l4(&self, basis: u32, with_udp: bool) -> Walked<u32> {
        self.needs_murmur()?;
        let flow = &self.flow;
        let hash = Murmur::new(basis);
        let hash = match flow.u16(at::DL_TYPE) {
            IPV4 => hash.add((flow.u32(at::NW_SRC) ^ flow.u32(at::NW_DST)).swap_bytes()),
            IPV6 => {
                let [a, b, c, d, e, f, g, h, rest @ ..] = self.addresses();
                hash.add64(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
                    .add64(u64::from_le_bytes(rest))
            }
            _ => return Ok(self.symmetric_l2(basis)),
        };
        let proto = flow.u8(at::NW_PROTO);
        let mut hash = hash.add(proto.into());
        let has_ports = matches!(proto, TCP | SCTP) || with_udp && proto == UDP;
        if flow.u8(at::NW_FRAG) & 3 == 0 && has_ports {
            hash = hash.add((flow.u16(at::TP_SRC) ^ flow.u16(at::TP_DST)).swap_bytes().into());
        }
        Ok(hash.finish(basis))
    }

    fn symmetric_l2(&self, basis: u32) -> u32 {
        let flow = &self.flow;
        if flow.u32(at::PACKET_TYPE) != 0 {
            return 0;
        }
        let mut bytes = [0; 12];
        bytes[..2].copy_from_slice(&flow.u16(at::DL_TYPE).to_be_bytes());
        let vlan = at::TCI.iter().fold(0, |vlan, tci| vlan ^ flow.u16(*tci) & 0xfff);
        bytes[2..4].copy_from_slice(&vlan.to_be_bytes());
        let mac = flow.u64(at::DL_SRC) ^ flow.u64(at::DL_DST);
        bytes[4..10].copy_from_slice(&mac.to_be_bytes()[2..]);
        let hash = bytes
            .chunks(4)
            .fold(Murmur::new(basis), |hash, chunk| hash.add(hash::word(chunk)));
        hash.finish(basis)
    }

    /// What a hash of these fields looks at (`flow_mask_hash_fields`).
    fn mask_hash_fields(&mut self, fields: HashFields) {
        let eth_type = self.flow.u16(at::DL_TYPE);
        let proto = self.flow.u8(at::NW_PROTO);
        let is_whole = self.flow.u8(at::NW_FRAG) & 3 == 0;
        let mut add = |places: &[Place]| places.iter().for_each(|place| self.mask.mask(*place));
        let addresses = match eth_type {
            IPV4 => &[at::NW_SRC, at::NW_DST][..],
            IPV6 => &[at::IPV6_SRC, at::IPV6_DST],
            _ => &[],
        };
        match fields {
            HashFields::EthSrc => add(&[at::DL_SRC]),
            HashFields::NwSrc => add(&addresses[..addresses.len().min(1)]),
            HashFields::NwDst => add(addresses.get(1..).unwrap_or(&[])),
            HashFields::SymmetricL3 => add(addresses),
            HashFields::SymmetricL4 => {
                add(&[at::DL_SRC, at::DL_DST]);
                add(addresses);
                if is_ip(&self.flow) {
                    self.mask.mask(at::NW_PROTO);
                    if proto != UDP {
                        self.mask_ports();
                    }
                }
                for tci in at::TCI {
                    self.mask.mask_bits(tci, 0xfff | CFI);
                }
            }
            HashFields::SymmetricL3L4 | HashFields::SymmetricL3L4Udp if !addresses.is_empty() => {
                add(addresses);
                add(&[at::NW_PROTO]);
                let has_ports =
                    matches!(proto, TCP | SCTP) || proto == UDP && fields == HashFields::SymmetricL3L4Udp;
                if has_ports && is_whole {
                    add(&[at::TP]);
                }
            }
            _ => {}
        }
    }

    /// Ports, or the type and the code of ICMP (`flow_unwildcard_tp_ports`).
    pub(super) fn mask_ports(&mut self) {
        let proto = self.flow.u8(at::NW_PROTO);
        if matches!(proto, 1 | prerequisites::ICMPV6) {
            self.mask.mask_bits(at::TP_SRC, 0xff_u8);
            self.mask.mask_bits(at::TP_DST, 0xff_u8);
        } else {
            self.mask.mask(at::TP);
        }
    }
}
