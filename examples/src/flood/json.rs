//! A flood in figures, for programs.

use odp_actions::{Actions, Part};
use serde_json::{Value, json};

use super::Flood;

impl Flood {
    /// An object: the release, what an endpoint and the rest take, and how many endpoints fit which limit, here and on
    /// other kernels.
    pub fn json(&self) -> Value {
        let limits = self.capacity.bounds().iter().map(
            |bound| json!({ "name": bound.limit.name(), "limit": bound.value, "max_endpoints": bound.last }),
        );
        let kernels = self.other_kernels().map(|(releases, rule, last)| {
            let (name, bytes) = (rule.to_string(), rule.bytes());
            json!({ "releases": releases, "rule": name, "limit": bytes, "max_endpoints": last })
        });
        json!({
            "bridge": self.bridge,
            "ovs": self.ovs.to_string(),
            "kernel": self.limits.kernel().to_string(),
            "endpoint": shape(&self.endpoint.actions),
            "endpoints_of_this_size": self.endpoint.same,
            "once": shape(&self.once),
            "limits": Vec::from_iter(limits),
            "other_kernels": kernels,
        })
    }
}

/// The attributes of a flood's actions, with their bytes. They have been encoded before, so that each can be.
pub fn parts(actions: &Actions) -> Vec<Part> {
    let parts = actions.iter().filter_map(|action| action.parts().ok());
    parts.flatten().collect()
}

fn shape(actions: &Actions) -> Value {
    let parts = parts(actions);
    let bytes: usize = parts.iter().map(|part| part.bytes).sum();
    let parts = parts
        .into_iter()
        .map(|Part { name, bytes }| json!({ "name": name, "bytes": bytes }));
    json!({ "bytes": bytes, "parts": Vec::from_iter(parts) })
}
