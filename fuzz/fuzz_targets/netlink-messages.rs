//! Any bytes as a datagram: no panic, and what was read is written and read back as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netlink_genl::ctrl::Family;
use netlink_genl::message::{Flags, Message, Messages};
use netlink_genl::ovs::ct_limit::{CtLimitAttr, CtLimits};
use netlink_genl::ovs::datapath::{Datapath, DatapathAttr};
use netlink_genl::ovs::flow::{Flow, FlowAttr};
use netlink_genl::ovs::meter::{Meter, MeterAttr, MeterFeatures};
use netlink_genl::ovs::packet::{Packet, PacketAttr};
use netlink_genl::ovs::vport::{Vport, VportAttr};
use netlink_genl::ovs::{Attribute, Object};
use netlink_genl::route::Notification;
use netlink_genl::watch::Watcher;

fuzz_target!(|datagram: &[u8]| {
    for message in Messages::new(datagram).map_while(Result::ok) {
        round_trip::<VportAttr>(&message);
        round_trip::<DatapathAttr>(&message);
        round_trip::<FlowAttr>(&message);
        round_trip::<PacketAttr>(&message);
        round_trip::<MeterAttr>(&message);
        round_trip::<CtLimitAttr>(&message);
        // An object is what its attributes are; only those that it must have may be missing.
        let _ = (Vport::decode(&message), Datapath::decode(&message), Packet::decode(&message));
        assert_eq!(Flow::decode(&message).is_ok(), Object::<FlowAttr>::decode(&message).is_ok());
        assert_eq!(Meter::decode(&message).is_ok(), MeterFeatures::decode(&message).is_ok());
        let limits = Object::<CtLimitAttr>::decode(&message);
        assert_eq!(CtLimits::decode(&message).is_ok(), limits.is_ok());
        let _ = (Family::decode(&message), Notification::decode(&message), message.status());
    }
    let mut watcher = Watcher::new(Default::default(), 0x21, 0x20);
    let now = Default::default();
    watcher.listed([], now);
    let _ = (watcher.generic(0, datagram), watcher.route(0, datagram, now));
    assert!(watcher.due().is_none_or(|due| due >= now));
});

fn round_trip<A: Attribute + PartialEq + std::fmt::Debug>(message: &Message<'_>) {
    let Ok(object) = Object::<A>::decode(message) else {
        return;
    };
    let request = object.request(0x21, Flags::default()).expect("what was read fits");
    let mut written = vec![];
    request.encode(1, &mut written).expect("what was read fits");
    assert_eq!(request.encoded_len(), written.len());
    let again = Messages::new(&written).next().expect("one message").expect("a whole one");
    assert_eq!(Object::<A>::decode(&again).as_ref(), Ok(&object));
}
