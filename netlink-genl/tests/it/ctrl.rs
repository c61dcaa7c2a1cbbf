//! The controller's answers, as recorded.

use netlink_genl::ctrl::{self, Family, Group};
use netlink_genl::exchange::Event;
use netlink_genl::message::{DecodeError, Errno, Messages, Policy, PolicyKind, Status};

use crate::capture::{capture, first_message};

fn status(index: usize) -> Status {
    let capture = capture!("ctrl-getfamily");
    let mut conversation = capture.conversations().nth(index).unwrap();
    match &conversation.replay()[..] {
        [Ok(Event::Failed(status))] => status.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn asks_as_the_recorded_requests_did() {
    let capture = capture!("ctrl-getfamily");
    let names = [c"nlctrl", c"ovs_vport", c"a_name_of_more_than_15_bytes"];
    for (name, sent) in names.iter().zip(capture.datagrams.iter().step_by(2)) {
        let mut ours = vec![];
        ctrl::get_family(name).unwrap().encode(7, &mut ours).unwrap();
        assert_eq!(ours, sent.bytes);
    }
}

#[test]
fn reads_the_controllers_own_family() {
    let capture = capture!("ctrl-getfamily");
    let events = capture.conversations().next().unwrap().replay();
    let [Ok(Event::Reply(message))] = events[..] else {
        panic!("{events:?}");
    };
    let family = Family::decode(&message).unwrap();
    let expected = Family {
        id: 16,
        name: c"nlctrl".into(),
        version: 2,
        hdrsize: 0,
        groups: vec![Group {
            name: c"notify".into(),
            id: 16,
        }],
    };
    assert_eq!(family, expected);
    assert_eq!(
        (family.group(c"notify"), family.group(c"other")),
        (Some(16), None)
    );
}

#[test]
fn an_unknown_family_is_enoent() {
    assert_eq!(
        status(1),
        Status {
            errno: Errno::ENOENT,
            ext_ack: Box::default()
        }
    );
}

#[test]
fn the_kernel_says_which_attribute_it_refuses_and_why() {
    let refused = status(2);
    assert_eq!(
        refused.to_string(),
        "EINVAL: Attribute failed policy validation (byte 20 of the request: a string with NUL, at most 15 bytes)"
    );
    let policy = Policy {
        kind: Some(PolicyKind::NUL_STRING),
        max_length: Some(15),
        ..Policy::default()
    };
    assert_eq!(refused.ext_ack.policy, Some(policy));
    assert!(refused.ext_ack.other.is_empty());
}

#[test]
fn every_truncation_of_a_family_is_an_error_or_lacks_only_what_was_cut() {
    let capture = capture!("ctrl-getfamily");
    let whole = &capture.datagrams[1].bytes;
    let family = Family::decode(&first_message(whole)).unwrap();
    for end in 16..whole.len() {
        let mut cut = whole[..end].to_vec();
        cut[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
        let message = Messages::new(&cut).next().unwrap().unwrap();
        match Family::decode(&message) {
            Err(DecodeError::Short { wanted: 20, .. }) => assert!(end < 20),
            Err(DecodeError::Missing { kind: 1, .. }) => assert!([20, 31, 32].contains(&end), "{end}"),
            Err(DecodeError::Attr(_)) => assert!(end > 20),
            Ok(cut) => {
                assert_eq!((cut.id, &cut.name), (family.id, &family.name));
                assert!(end >= 38 && cut.groups.is_empty(), "cut at {end}");
            }
            Err(other) => panic!("cut at {end}: {other}"),
        }
    }
}
