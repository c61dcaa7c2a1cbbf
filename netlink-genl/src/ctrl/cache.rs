//! Families that were looked up before.

use alloc::vec::Vec;
use core::ffi::CStr;

use super::{ATTR_FAMILY_ID, ATTR_FAMILY_NAME, Family};
use crate::message::{DecodeError, Message, MessageType, Messages};

/// Families by name, as long as nothing happened to them.
///
/// A family gets another number when its module is loaded again, and the old one may go to a stranger. The group
/// [`NOTIFY`](super::NOTIFY) tells of that; who hands its datagrams on never uses a number that is out of date.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    families: Vec<Family>,
}

impl Cache {
    /// The family called `name`, if it is known.
    pub fn family(&self, name: &CStr) -> Option<&Family> {
        self.families.iter().find(|family| family.name.as_c_str() == name)
    }

    /// Keeps a family, instead of an older one of its name.
    pub fn add(&mut self, family: Family) {
        self.families.retain(|known| known.name != family.name);
        self.families.push(family);
    }

    /// Forgets what a datagram of the group [`NOTIFY`](super::NOTIFY) tells of. Other datagrams are passed over.
    pub fn datagram(&mut self, datagram: &[u8]) {
        for message in Messages::new(datagram).map_while(Result::ok) {
            // Answers have a number.
            if message.kind() != MessageType::CTRL || message.seq() != 0 {
                return;
            }
            if self.forget(&message).is_err() {
                self.clear();
            }
        }
    }

    /// Forgets all: notifications were lost.
    pub fn clear(&mut self) {
        self.families.clear();
    }

    /// The family that comes, goes, or gets or loses a group.
    fn forget(&mut self, message: &Message<'_>) -> Result<(), DecodeError> {
        for attr in message.genl()?.attrs() {
            let attr = attr?;
            match attr.kind() {
                ATTR_FAMILY_ID => {
                    let id = attr.u16()?;
                    self.families.retain(|family| family.id != id);
                }
                ATTR_FAMILY_NAME => {
                    let name = attr.c_str()?;
                    self.families.retain(|family| family.name.as_c_str() != name);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::message::Request;
    use crate::nlattr::Sink;

    fn family(id: u16, name: &CStr) -> Family {
        Family {
            id,
            name: name.into(),
            version: 1,
            hdrsize: 4,
            groups: vec![],
        }
    }

    fn told(seq: u32, fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut attrs = vec![];
        fill(&mut attrs);
        let notification = Request::genl(16, 2, 2, &attrs);
        let mut datagram = vec![];
        notification.encode(seq, &mut datagram).unwrap();
        datagram
    }

    #[test]
    fn forgets_the_family_that_is_told_of_and_no_other() {
        let id = |s: &mut Vec<u8>| s.attr_u16(1, 0x21).unwrap();
        let name = |s: &mut Vec<u8>| s.attr(2, b"ovs_vport\0").unwrap();
        let cut = |s: &mut Vec<u8>| s.extend([9, 0, 2, 0]);
        let cases = [
            (told(0, id), (false, true)),
            (told(0, name), (false, true)),
            (told(7, name), (true, true)),
            (told(0, cut), (false, false)),
            (vec![], (true, true)),
            (told(0, |_| ()), (true, true)),
        ];
        for (datagram, expected) in cases {
            let mut cache = Cache::default();
            cache.add(family(0x20, c"ovs_vport"));
            cache.add(family(0x21, c"ovs_vport"));
            cache.add(family(0x22, c"ovs_flow"));
            assert_eq!(cache.family(c"ovs_vport").map(|family| family.id), Some(0x21));
            cache.datagram(&datagram);
            let known = |name| cache.family(name).is_some();
            assert_eq!(
                (known(c"ovs_vport"), known(c"ovs_flow")),
                expected,
                "{datagram:?}"
            );
        }
    }
}
