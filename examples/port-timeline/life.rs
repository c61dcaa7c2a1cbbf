//! What of all that is told belongs to one port, and which flows outlive it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::SystemTime;

use examples::cli::Status;
use examples::follow::{Lane, Step, What};

use crate::{KEPT, Port};

/// The life of a port, as far as it was told.
pub struct Life<'a> {
    port: &'a Port,
    /// Devices that are or were its.
    devices: BTreeSet<String>,
    /// Its OpenFlow number, the last one if it has gone.
    ofport: Option<u32>,
    /// Since when its interface has no row.
    gone: Option<SystemTime>,
    /// Its flows that are there.
    flows: BTreeMap<String, Step>,
    outlived: bool,
    /// What was told of others; one of them may turn out to be it.
    others: VecDeque<Step>,
}

impl<'a> Life<'a> {
    pub fn of(port: &'a Port) -> Self {
        let devices = match port {
            Port::Name(name) => [name.clone()].into(),
            Port::IfaceId(_) => BTreeSet::new(),
        };
        Self {
            port,
            devices,
            ofport: None,
            gone: None,
            flows: BTreeMap::new(),
            outlived: false,
            others: VecDeque::new(),
        }
    }

    /// What is to be told now: it, and what it makes out to be of the port.
    pub fn pass(&mut self, step: Step) -> Vec<Step> {
        let learned = self.learn(&step);
        let mut told = Vec::new();
        if learned {
            let others = std::mem::take(&mut self.others);
            let (own, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|other| self.owns(other));
            self.others = others.into();
            told = own;
        }
        if self.owns(&step) {
            told.push(step);
        } else {
            self.others.push_back(step);
            if self.others.len() > KEPT {
                self.others.pop_front();
            }
        }
        told.into_iter().map(|step| self.follow(step)).collect()
    }

    /// Flows that are still there although the port is gone.
    pub fn outlived(&mut self) -> Vec<Step> {
        let Some(gone) = self.gone else { return Vec::new() };
        let flows = std::mem::take(&mut self.flows);
        let told = flows.into_keys().map(|flow| {
            let step = Step::now(String::new(), Lane::Flow, What::Is, String::new());
            let text = format!("{flow} is still there, {} ms after its port", step.ms_since(gone));
            Step { text, ..step }
        });
        let told: Vec<_> = told.collect();
        self.outlived |= !told.is_empty();
        told
    }

    pub fn status(&self) -> Status {
        match self.outlived {
            true => Status::Warning,
            false => Status::Fine,
        }
    }

    /// Whether this says something new about what is of the port.
    fn learn(&mut self, step: &Step) -> bool {
        let is_it = match self.port {
            Port::Name(name) => step.device == *name,
            Port::IfaceId(id) => step.iface_id.as_ref() == Some(id),
        };
        if step.lane != Lane::Interface || !is_it {
            return false;
        }
        let new_device = self.devices.insert(step.device.clone());
        let new_ofport = step
            .ofports
            .first()
            .filter(|ofport| self.ofport != Some(**ofport));
        self.ofport = new_ofport.copied().or(self.ofport);
        self.gone = (step.what == What::Went).then_some(step.time);
        new_device || new_ofport.is_some()
    }

    fn owns(&self, step: &Step) -> bool {
        match step.lane {
            Lane::Flow => self.ofport.is_some_and(|ofport| step.ofports.contains(&ofport)),
            _ => self.devices.contains(&step.device),
        }
    }

    /// Keeps account of the port's flows.
    fn follow(&mut self, step: Step) -> Step {
        if step.lane != Lane::Flow {
            return step;
        }
        let key = step.text.split(" cookie=").next().unwrap_or_default().to_owned();
        if step.what != What::Went {
            self.flows.insert(key, step.clone());
            return step;
        }
        self.flows.remove(&key);
        match self.gone {
            None => step,
            Some(gone) => {
                self.outlived = true;
                let text = format!("{} outlived its port by {} ms", step.text, step.ms_since(gone));
                Step { text, ..step }
            }
        }
    }
}
