//! Any bytes as the answer to a request of any attributes: the error is there, whatever its explanation is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netlink_genl::exchange::{Event, Exchange};
use netlink_genl::message::{Flags, MessageType};
use netlink_genl::message::Request;
use netlink_genl::ovs::Attribute;
use netlink_genl::ovs::vport::VportAttr;

fuzz_target!(|input: (u16, bool, i32, Vec<u8>, Vec<u8>)| {
    let (flags, is_dump, errno, attrs, explanation) = input;
    let request = Request::genl(0x21, 1, 1, &[0; 4]).naming(VportAttr::name_at);
    let request = request.with(if is_dump { Flags::DUMP } else { Flags::ACK });
    let request = request.attrs(|body| {
        body.extend_from_slice(&attrs);
        Ok::<_, ()>(())
    });
    let request = request.expect("it takes all bytes");
    let mut exchange = Exchange::new(7, 1);
    exchange.begin(&request, &mut vec![]).expect("it is small");

    let kind = if is_dump { MessageType::DONE } else { MessageType::ERROR };
    let mut answer = vec![];
    answer.extend(u32::try_from(20 + explanation.len()).expect("the input is small").to_ne_bytes());
    answer.extend([kind.0, flags].map(u16::to_ne_bytes).as_flattened());
    answer.extend([1u32, 7].map(u32::to_ne_bytes).as_flattened());
    answer.extend(errno.to_ne_bytes());
    answer.extend(&explanation);
    let events: Vec<_> = exchange.datagram(0, &answer).expect("from the kernel").collect();
    match &events[..] {
        [Ok(Event::Done { .. })] => assert_eq!(errno, 0),
        [Ok(Event::Failed(status))] => {
            assert_eq!(status.errno.0, errno.saturating_abs());
            assert!(!status.to_string().is_empty());
            // A path is what stands there.
            if let (Some(offset), Some(path)) = (status.ext_ack.offset, &status.ext_ack.attribute) {
                assert_eq!(request.attribute_at(offset).as_ref(), Some(path));
                assert_eq!(path.kinds.len(), path.names.len());
            }
        }
        other => panic!("{other:?}"),
    }
    assert!(!exchange.is_pending());
});
