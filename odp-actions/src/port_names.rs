//! Ports by name.

use alloc::collections::BTreeMap;
use alloc::string::String;

/// The names of a datapath's ports (`ovs-appctl dpctl/show`), which Open vSwitch prints in the place of their numbers with
/// `--names`.
///
/// What is read as a name is a port before it is a number or a word, but for `drop` alone in a nest, which is an empty one.
///
/// ```
/// use odp_actions::{Actions, PortNames};
///
/// let ports = PortNames::from_iter([(1, "br-int"), (4, "vxlan_sys_4789")]);
/// let actions = Actions::parse_named("pop_vlan,br-int,clone(tnl_pop(vxlan_sys_4789)),7", &ports)?;
/// assert_eq!(actions.to_string(), "pop_vlan,1,clone(tnl_pop(4)),7");
/// assert_eq!(actions.named(&ports).to_string(), "pop_vlan,br-int,clone(tnl_pop(vxlan_sys_4789)),7");
/// # Ok::<(), odp_actions::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortNames {
    names: BTreeMap<u32, String>,
    numbers: BTreeMap<String, u32>,
}

impl PortNames {
    /// The name of a port.
    pub fn name(&self, odp_port: u32) -> Option<&str> {
        self.names.get(&odp_port).map(String::as_str)
    }

    /// The port of a name.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }
}

impl<N: Into<String>> FromIterator<(u32, N)> for PortNames {
    fn from_iter<I: IntoIterator<Item = (u32, N)>>(ports: I) -> Self {
        let mut both = Self::default();
        for (number, name) in ports {
            let name = name.into();
            both.numbers.insert(name.clone(), number);
            both.names.insert(number, name);
        }
        both
    }
}
