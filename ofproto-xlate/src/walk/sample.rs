//! Samples of packets: sFlow, IPFIX and the action `sample`; and what NetFlow looks at.

use odp_actions::{
    Action as Datapath,
    action::{Cookie, Sample as DatapathSample, SampleAttr, Userspace, UserspaceAttr},
};
use ofp_codec::{NumberOrSubfield, Sample, SampleDirection};

use super::{Walk, Walked};
use crate::{config::NO_PORT, fields::at, prerequisites::IPV4, unknown::Unknown};

/// What a packet was sent to, for sFlow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outputs {
    count: u32,
    ifindex: u32,
}

impl Outputs {
    pub(super) fn add(&mut self, ifindex: u32) {
        self.count += 1;
        self.ifindex = ifindex;
    }

    /// As sFlow numbers outputs (section "Input/output port information" of its version 5).
    fn number(self) -> u32 {
        match self.count {
            0 => DROPPED,
            1 if self.ifindex != 0 => self.ifindex,
            count => SEVERAL | count,
        }
    }
}

impl Walk<'_> {
    /// The samples of packets that come in. `true`: the first action is sFlow's, which is to be completed at the end.
    pub(super) fn sample_input(&mut self) -> bool {
        let config = &self.bridge_ref().config;
        let has_port = self.flow.u16_port() != NO_PORT;
        let sflow = config.sflow.filter(|_| has_port);
        if let Some(probability) = sflow {
            self.put_sample(
                probability,
                Cookie::Sflow {
                    vlan_tci: 0,
                    output: 0,
                },
                true,
            );
        }
        if let Some(ipfix) = config.ipfix.filter(|ipfix| has_port && ipfix.samples_input) {
            self.put_sample(
                ipfix.probability,
                Cookie::Ipfix {
                    output_port: u32::MAX,
                },
                false,
            );
        }
        sflow.is_some()
    }

    /// The sample of a packet that leaves by a datapath port.
    pub(super) fn sample_output(&mut self, port: u32) -> Walked {
        let Some(ipfix) = self
            .bridge_ref()
            .config
            .ipfix
            .filter(|ipfix| ipfix.samples_output)
        else {
            return Ok(());
        };
        if ipfix.samples_tunnels {
            return Err(self.unknown_bridge("samples of tunnels"));
        }
        self.put_sample(ipfix.probability, Cookie::Ipfix { output_port: port }, false);
        Ok(())
    }

    /// Fills in what sFlow is told of the packet's way.
    pub(super) fn complete_sflow(&mut self) {
        let cookie = Cookie::Sflow {
            vlan_tci: self.base.u16(at::TCI[0]),
            output: self.outputs.number(),
        };
        let probability = self.bridge_of_entry().sflow.unwrap_or(u32::MAX);
        if let Some(first) = self.actions.first_mut() {
            *first = sample(probability, cookie, true);
        }
    }

    fn put_sample(&mut self, probability: u32, cookie: Cookie, with_actions: bool) {
        self.actions.push(sample(probability, cookie, with_actions));
    }

    /// The action `sample`.
    pub(super) fn sample(&mut self, action: &Sample) -> Walked {
        let config = &self.bridge_ref().config;
        if config.local_sampling {
            return Err(self.unknown_bridge("local sampling"));
        }
        if !config.flow_ipfix && config.ipfix.is_none() {
            return Ok(());
        }
        let mut output_port = u32::MAX;
        if let Some(port) = &action.sampling_port {
            let port = self.port_number(port)?;
            if port != NO_PORT && port != self.flow.u16_port() {
                match self.bridge_ref().port(port).and_then(|port| port.datapath) {
                    Some(number) => output_port = number,
                    // Open vSwitch goes on with what it has not filled in.
                    None => return Err(Unknown::Action(action.to_string().into())),
                }
            }
        }
        self.commit()?;
        let cookie = Cookie::FlowSample {
            probability: action.probability,
            collector_set_id: action.collector_set_id,
            obs_domain_id: self.number_of_sample(&action.obs_domain_id)?,
            obs_point_id: self.number_of_sample(&action.obs_point_id)?,
            output_port,
            direction: match action.direction {
                None => 0,
                Some(SampleDirection::Ingress) => 1,
                Some(SampleDirection::Egress) => 2,
            },
        };
        let probability = u32::from(action.probability) << 16 | u32::from(action.probability);
        if probability != 0 {
            self.put_sample(probability, cookie, false);
        }
        Ok(())
    }

    fn number_of_sample(&mut self, number: &NumberOrSubfield<u32>) -> Walked<u32> {
        match number {
            NumberOrSubfield::Number(number) => Ok(*number),
            NumberOrSubfield::Subfield(subfield) => {
                let place = self.place_of(subfield)?;
                self.mask.mask(place);
                Ok(u32::try_from(self.flow.get_at(place)).unwrap_or(u32::MAX))
            }
            _ => Err(Unknown::Missing("a model of this number of a sample")),
        }
    }

    /// What NetFlow counts by is always looked at (`netflow_mask_wc`).
    pub(super) fn mask_netflow(&mut self) {
        if !self.bridge_ref().config.netflow || self.flow.u16(at::DL_TYPE) != IPV4 {
            return;
        }
        for place in [at::NW_PROTO, at::NW_SRC, at::NW_DST] {
            self.mask.mask(place);
        }
        self.mask_ports();
        self.mask.mask_bits(at::NW_TOS, 0xfc_u8);
    }
}

fn sample(probability: u32, cookie: Cookie, with_actions: bool) -> Datapath {
    let mut attrs = vec![UserspaceAttr::Pid(0), UserspaceAttr::Userdata(cookie.into())];
    if with_actions {
        attrs.push(UserspaceAttr::Actions);
    }
    let userspace = Datapath::Userspace(Userspace::new(attrs));
    if probability == u32::MAX {
        return userspace;
    }
    Datapath::Sample(DatapathSample::new([
        SampleAttr::Probability(probability),
        SampleAttr::Actions([userspace].into_iter().collect()),
    ]))
}

/// "Packet dropped for an unknown reason."
const DROPPED: u32 = 0x4000_0000 | 256;
const SEVERAL: u32 = 0x8000_0000;
