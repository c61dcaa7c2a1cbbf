//! The mask of a flow, as text: what of its key counts, without the values.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use super::{Flow, Spelling};

impl Flow {
    /// The mask, as the printed key without its values: `recirc_id,in_port,eth,eth_type,ipv4(dst/255.255.255.0,frag)`. Two
    /// flows of a datapath have the same shape if they have the same mask, and each mask costs a lookup.
    ///
    /// ```
    /// use odp_actions::Flow;
    ///
    /// let flow: Flow = "in_port(2),eth(),eth_type(0x0800),ipv4(dst=10.0.0.0/255.0.0.0,frag=no), packets:0, bytes:0, \
    ///                   used:never, actions:drop".parse()?;
    /// assert_eq!(flow.shape(), "in_port,eth,eth_type,ipv4(dst/255.0.0.0,frag)");
    /// # Ok::<(), odp_actions::ParseError>(())
    /// ```
    pub fn shape(&self) -> String {
        let mut flow = self.clone();
        flow.ufid = None;
        flow.verbose = false;
        flow.spelling = Spelling::default();
        let line = flow.to_string();
        let key = line.split_once(", packets:").map_or("", |(key, _)| key);
        let mut shape = String::with_capacity(key.len());
        let mut leaf = String::new();
        for c in key.chars() {
            match c {
                // The name of an attribute, or of a list in one.
                '(' | '{' => shape += leaf.rsplit_once('=').map_or(leaf.as_str(), |(name, _)| name),
                ',' | ')' | '}' => shape += &masked(&leaf),
                _ => {
                    leaf.push(c);
                    continue;
                }
            }
            shape.push(c);
            leaf.clear();
        }
        // An attribute that is one exact value, or of which nothing counts.
        shape.replace("()", "")
    }
}

/// What is left of `dst=10.0.0.0/255.255.255.0`, `0x1/0x3`, `0`, `+trk-new`.
fn masked(leaf: &str) -> String {
    let (name, value) = leaf.split_once('=').unwrap_or(("", leaf));
    if let Some((_, mask)) = value.split_once('/') {
        return format!("{name}/{mask}");
    }
    // Flags stand there with their values, and those that do not count are not there.
    if value.starts_with(['+', '-']) && value.contains(|c: char| c.is_ascii_alphabetic()) {
        return format!("{name}{}", value.replace(['+', '-'], "±"));
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_masks_stay() {
        for (key, shape) in [
            (
                "recirc_id(0x6),in_port(2),eth(src=02:00:00:00:00:01),eth_type(0x0800),ipv4(dst=10.0.0.0/255.255.255.0,frag=no)",
                "recirc_id,in_port,eth(src),eth_type,ipv4(dst/255.255.255.0,frag)",
            ),
            (
                "recirc_id(0),in_port(vnet0),eth(),eth_type(0x0806)",
                "recirc_id,in_port,eth,eth_type",
            ),
            (
                "ct_state(-new+est),ct_mark(0x1/0x3),recirc_id(0),eth()",
                "ct_state(±new±est),ct_mark(/0x3),recirc_id,eth",
            ),
        ] {
            let flow: Flow = format!("{key}, packets:0, bytes:0, used:never, actions:drop")
                .parse()
                .unwrap();
            assert_eq!(flow.shape(), shape);
        }
    }
}
