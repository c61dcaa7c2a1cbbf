//! A flood of a bridge: one packet to all its endpoints, and the limits that it meets.

use odp_actions::xlate::{OvsVersion, Packet};
use odp_actions::{Actions, Capacity, KernelRule, Limit, Limits, Rejection, Template, Verdict};

use crate::bridge::{Bridge, Endpoint};
use crate::cli::Status;

pub use self::flows::{Flows, Row};
pub use self::json::parts;

mod flows;
mod json;
mod plot;

/// A flood, with as many endpoints as it may have.
#[derive(Clone, Debug)]
pub struct Flood {
    /// The name of the bridge.
    pub bridge: String,
    /// The release of Open vSwitch that translates it.
    pub ovs: OvsVersion,
    /// What it must not exceed.
    pub limits: Limits,
    /// What each endpoint adds.
    pub endpoint: Endpoint,
    /// What a flood has besides the endpoints.
    pub once: Actions,
    /// The two together.
    pub template: Template,
    /// How many endpoints fit.
    pub capacity: Capacity,
}

impl Flood {
    /// A flood of `packet`; `None` if the bridge has no endpoint.
    ///
    /// # Errors
    /// Why its endpoints cannot be told.
    pub fn of(
        bridge: &Bridge,
        ovs: OvsVersion,
        limits: Limits,
        packet: Packet,
    ) -> Result<Option<Self>, String> {
        let Some(endpoint) = bridge.endpoint(ovs, packet)? else {
            return Ok(None);
        };
        let once = bridge.once(&endpoint, packet);
        let template = Template::new(once.clone(), endpoint.actions.clone());
        let template = template.map_err(|error| error.to_string())?;
        Ok(Some(Self {
            bridge: bridge.name.clone(),
            ovs,
            limits,
            capacity: template.capacity(&limits),
            endpoint,
            once,
            template,
        }))
    }

    /// Bytes that an endpoint adds.
    pub fn bytes_each(&self) -> usize {
        self.template.bytes(1) - self.template.bytes(0)
    }

    /// What becomes of a flood to so many endpoints.
    pub fn verdict(&self, endpoints: usize) -> Verdict {
        self.template.verdict(endpoints, &self.limits)
    }

    /// The same as a status: from four fifths of any limit on it is a warning.
    pub fn status(&self, endpoints: usize) -> Status {
        let mut bounds = self.capacity.bounds().iter();
        match self.verdict(endpoints) {
            Verdict::Fast if bounds.any(|bound| used(endpoints, bound.last) >= NEAR) => Status::Warning,
            Verdict::Fast => Status::Fine,
            _ => Status::Finding,
        }
    }

    /// The verdicts from one number of endpoints to another, each with the first and the last number that has it.
    pub fn sweep(&self, from: usize, to: usize) -> Vec<(usize, usize, Verdict)> {
        let mut sweep: Vec<(usize, usize, Verdict)> = Vec::new();
        for endpoints in from..=to {
            let verdict = self.verdict(endpoints);
            match sweep.last_mut() {
                Some((_, last, before)) if before.limit() == verdict.limit() => *last = endpoints,
                _ => sweep.push((endpoints, endpoints, verdict)),
            }
        }
        sweep
    }

    /// What other kernels make of the same list: releases, their rule, the last number of endpoints that passes.
    pub fn other_kernels(&self) -> [(&'static str, KernelRule, Option<usize>); 4] {
        KERNELS.map(|(releases, rule)| {
            let capacity = self.template.capacity(&self.limits.with_kernel(rule));
            (releases, rule, capacity.last(Limit::Kernel))
        })
    }
}

/// The verdict by the name that JSON carries, and why it is not `fast`.
pub fn words(verdict: &Verdict) -> (&'static str, Option<String>) {
    let name = match verdict {
        Verdict::Fast => return ("fast", None),
        Verdict::Kernel(Rejection::Unknown { .. }) => "unknown",
        Verdict::Kernel(_) => "kernel-reject",
        _ => "slow",
    };
    (name, Some(verdict.to_string()))
}

/// How much of the endpoints that fit are there, in tenths of a per cent.
pub fn used(endpoints: usize, last: Option<usize>) -> usize {
    match last {
        None => 0,
        Some(0) => usize::MAX,
        // Rounded up, so that nothing over a limit reads as 100 %.
        Some(last) => endpoints.saturating_mul(1000).div_ceil(last),
    }
}

/// Tenths of a per cent as per cent.
pub fn percent(tenths: usize) -> f64 {
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// Four fifths, in tenths of a per cent.
pub const NEAR: usize = 800;

/// Releases whose rules differ.
pub const KERNELS: [(&str, KernelRule); 4] = [
    ("up to 3.10", KernelRule::Raw16K),
    ("3.11 to 4.14", KernelRule::Raw32K),
    ("4.15 to 6.13", KernelRule::Converted32K),
    ("6.14 and later", KernelRule::None),
];
