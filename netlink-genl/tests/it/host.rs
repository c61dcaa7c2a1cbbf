//! The kernel of the host, which need not have `openvswitch.ko`.

use std::ffi::CStr;
use std::time::{Duration, Instant};

use netlink_genl::Error;
use netlink_genl::blocking::{Connection, Ovs};
use netlink_genl::ctrl::{self, Family};
use netlink_genl::message::{Errno, Flags, MessageType, Request};
use netlink_genl::ovs::{ct_limit, datapath, flow, meter, packet, vport};
use netlink_genl::socket::{self, Options, Socket};

fn with(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

fn encoded(request: &Request) -> Vec<u8> {
    let mut datagram = vec![];
    request.encode(1, &mut datagram).unwrap();
    datagram
}

/// Every family there is.
fn all() -> Request {
    Request::genl(MessageType::CTRL.0, 3, 2, &[]).with(Flags::DUMP)
}

#[test]
fn resolves_the_controller() {
    let family = Connection::open().unwrap().family(ctrl::FAMILY).unwrap();
    assert_eq!((family.id, family.name.as_c_str()), (16, c"nlctrl"));
    assert_eq!(family.group(c"notify"), Some(ctrl::NOTIFY));
}

#[test]
fn every_entry_point_says_that_the_module_is_missing() {
    let mut connection = Connection::open().unwrap();
    for name in FAMILIES {
        match connection.family(name) {
            Err(missing) => assert_eq!(missing.to_string(), hint(name)),
            Ok(_) => return Ovs::open().map(drop).unwrap(),
        }
    }
    let opened = [
        Ovs::open().map(drop),
        Ovs::with_options(&Options::default()).map(drop),
        #[cfg(feature = "write")]
        netlink_genl::blocking::Admin::open().map(drop),
        #[cfg(feature = "write")]
        netlink_genl::blocking::Admin::with_options(&Options::default()).map(drop),
    ];
    for missing in opened.map(Result::unwrap_err) {
        assert_eq!(missing.to_string(), hint(vport::FAMILY));
        assert!(matches!(missing, Error::FamilyMissing { name } if name.as_c_str() == vport::FAMILY));
    }
    let missing = connection.family(c"no_such_family").unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the kernel has no generic netlink family no_such_family: its module is not loaded"
    );
    assert!(!missing.is_retryable());
}

/// The families of the module.
pub(crate) const FAMILIES: [&CStr; 6] = [
    datapath::FAMILY,
    vport::FAMILY,
    flow::FAMILY,
    packet::FAMILY,
    meter::FAMILY,
    ct_limit::FAMILY,
];

/// What is said of a family of the module.
pub(crate) fn hint(family: &CStr) -> String {
    format!(
        "the kernel has no generic netlink family {}: its module is not loaded (modprobe openvswitch)",
        family.to_str().unwrap()
    )
}

#[test]
fn hands_the_kernels_explanation_on() {
    let refused = Connection::open()
        .unwrap()
        .family(c"a_name_of_more_than_15_bytes");
    let Err(Error::Kernel(status)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(status.errno, Errno::EINVAL);
    assert_eq!(
        status.to_string(),
        "EINVAL: Attribute failed policy validation (CTRL_ATTR_FAMILY_NAME at byte 20 of the request: \
         a string with NUL, at most 15 bytes)"
    );
    assert_eq!(status.ext_ack.attribute.unwrap().kinds, [2]);
}

#[test]
fn reads_a_whole_dump_also_after_one_that_was_left() {
    let mut connection = Connection::open().unwrap();
    let mut left = connection.replies(&all(), Family::decode).unwrap();
    left.next().unwrap().unwrap();
    let whole: Result<Vec<_>, _> = connection.replies(&all(), Family::decode).unwrap().collect();
    assert!(
        whole
            .unwrap()
            .iter()
            .any(|family| family.name.as_c_str() == ctrl::FAMILY)
    );
    assert_eq!(connection.family(ctrl::FAMILY).unwrap().id, 16);
}

#[test]
fn a_read_ends_when_its_time_is_over() {
    for timeout in [Duration::ZERO, Duration::from_millis(30)] {
        let socket = Socket::open(&with(|o| o.timeout = timeout)).unwrap();
        let start = Instant::now();
        let error = socket.receive(&mut [0; 64]).unwrap_err();
        assert!(matches!(error, Error::Timeout { after } if after >= timeout));
        assert!(error.is_retryable());
        assert!(start.elapsed() >= timeout && start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_connection_is_usable_after_a_timeout() {
    let options = with(|o| o.timeout = Duration::from_millis(30));
    let mut connection = Connection::with_options(&options).unwrap();
    // A message that the kernel passes over, so that no answer comes.
    let nothing = Request::genl(MessageType::NOOP.0, 0, 0, &[]);
    let mut replies = connection.replies(&nothing, Family::decode).unwrap();
    assert!(matches!(replies.next(), Some(Err(Error::Timeout { .. }))));
    assert!(replies.next().is_none());
    assert_eq!(connection.family(ctrl::FAMILY).unwrap().id, 16);
}

#[test]
fn a_buffer_that_is_too_small_is_an_error_with_both_sizes() {
    let socket = Socket::open(&Options::default()).unwrap();
    let request = encoded(&ctrl::get_family(ctrl::FAMILY).unwrap());
    socket.send(&request).unwrap();
    let mut buffer = [0; 1024];
    let answer = socket.receive(&mut buffer).unwrap();
    let wanted = answer.bytes.len();
    assert_eq!((answer.source, answer.group), (0, 0));
    for got in [0, wanted - 1, wanted, wanted + 1] {
        socket.send(&request).unwrap();
        match socket.receive(&mut buffer[..got]) {
            Err(Error::Truncated { wanted: w, got: g }) => assert_eq!((w, g), (wanted, got)),
            Ok(answer) => assert!(answer.bytes.len() == wanted && got >= wanted),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_full_receive_buffer_is_an_overrun_and_the_socket_goes_on() {
    let socket = Socket::open(&with(|o| o.receive_buffer = Some(1))).unwrap();
    let request = encoded(&ctrl::get_family(ctrl::FAMILY).unwrap());
    // Nothing is read meanwhile: the kernel drops the answers that do not fit.
    for _ in 0..100 {
        socket.send(&request).unwrap();
    }
    let mut buffer = [0; 1024];
    let overrun = socket.receive(&mut buffer).unwrap_err();
    assert!(matches!(overrun, Error::Overrun) && overrun.is_retryable());
    assert!(socket.receive(&mut buffer).is_ok());
}

#[test]
fn every_socket_has_its_own_port() {
    let [a, b] = [(); 2].map(|()| Socket::open(&Options::default()).unwrap());
    assert!(a.port() != 0 && b.port() != 0 && a.port() != b.port());
}

#[test]
fn nothing_to_read_is_no_error_without_waiting() {
    let socket = Socket::open(&Options::default()).unwrap();
    let mut buffer = [0; 4096];
    assert_eq!(socket.try_receive(&mut buffer).unwrap(), None);
    let request = encoded(&ctrl::get_family(ctrl::FAMILY).unwrap());
    socket.send(&request).unwrap();
    socket::wait_for_any([&socket], Duration::from_secs(5)).unwrap();
    assert!(socket.try_receive(&mut buffer).unwrap().is_some());
}

#[test]
fn a_group_that_nobody_has_cannot_be_joined() {
    let socket = Socket::open(&Options::default()).unwrap();
    let family = Connection::open().unwrap().family(ctrl::FAMILY).unwrap();
    socket.join(family.group(c"notify").unwrap()).unwrap();
    assert!(matches!(
        socket.join(u32::MAX),
        Err(Error::Io {
            operation: "setsockopt",
            ..
        })
    ));
}

#[test]
fn opens_in_another_namespace() {
    match Socket::open(&with(|o| o.namespace = Some("/proc/self/ns/net".into()))) {
        Ok(socket) => assert_ne!(socket.port(), 0),
        // Without privilege.
        Err(Error::Io {
            operation: "setns",
            source,
        }) => {
            assert_eq!(source.raw_os_error(), Some(Errno::EPERM.0));
        }
        Err(other) => panic!("{other:?}"),
    }
    let no_namespace = Socket::open(&with(|o| o.namespace = Some("/proc/self/status".into())));
    assert!(matches!(
        no_namespace,
        Err(Error::Io {
            operation: "setns",
            ..
        })
    ));
    let no_file = Socket::open(&with(|o| {
        o.namespace = Some("/run/netns/no_such_namespace".into());
    }));
    assert!(matches!(no_file, Err(Error::File { path, .. }) if path.ends_with("no_such_namespace")));
}
