//! The client for tokio, on the kernel of the host, which need not have `openvswitch.ko`.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use netlink_genl::Error;
use netlink_genl::client::{Connection, Ovs};
use netlink_genl::ctrl::{self, Family};
use netlink_genl::message::{Errno, Flags, MessageType, Request};
use netlink_genl::ovs::vport;
use netlink_genl::socket::Options;

use super::host::{FAMILIES, hint};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// Every family there is.
fn all() -> Request {
    Request::genl(MessageType::CTRL.0, 3, 2, &[]).with(Flags::DUMP)
}

#[test]
fn resolves_families_and_says_which_is_missing() {
    block_on(async {
        let mut connection = Connection::open().unwrap();
        let family = connection.family(ctrl::FAMILY).await.unwrap();
        assert_eq!((family.id, family.group(c"notify")), (16, Some(ctrl::NOTIFY)));
        let missing = connection.family(c"no_such_family").await.unwrap_err();
        assert!(matches!(missing, Error::FamilyMissing { name } if name.as_c_str() == c"no_such_family"));
        let refused = connection.family(c"a_name_of_more_than_15_bytes").await;
        assert_eq!(refused.unwrap_err().errno(), Some(Errno::EINVAL));
        assert_eq!(connection.family(ctrl::FAMILY).await.unwrap(), family);
    });
}

#[test]
fn every_entry_point_says_that_the_module_is_missing() {
    block_on(async {
        let mut connection = Connection::open().unwrap();
        for name in FAMILIES {
            match connection.family(name).await {
                Err(missing) => assert_eq!(missing.to_string(), hint(name)),
                Ok(_) => return Ovs::open().await.map(drop).unwrap(),
            }
        }
        let opened = [
            Ovs::open().await.map(drop),
            Ovs::with_options(&Options::default()).await.map(drop),
            #[cfg(feature = "write")]
            netlink_genl::client::Admin::open().await.map(drop),
            #[cfg(feature = "write")]
            netlink_genl::client::Admin::with_options(&Options::default())
                .await
                .map(drop),
        ];
        for missing in opened.map(Result::unwrap_err) {
            assert_eq!(missing.to_string(), hint(vport::FAMILY));
            assert!(matches!(missing, Error::FamilyMissing { name } if name.as_c_str() == vport::FAMILY));
        }
    });
}

#[test]
fn reads_a_whole_dump_also_after_one_that_was_left() {
    block_on(async {
        let mut connection = Connection::open().unwrap();
        let mut left = connection.replies(&all(), Family::decode).await.unwrap();
        left.next().await.unwrap().unwrap();
        let mut names = vec![];
        let mut whole = connection.replies(&all(), Family::decode).await.unwrap();
        while let Some(family) = whole.next().await {
            names.push(family.unwrap().name);
        }
        assert!(names.iter().any(|name| name.as_c_str() == ctrl::FAMILY));
    });
}

#[test]
fn a_wait_that_is_dropped_leaves_the_connection_usable() {
    block_on(async {
        let mut options = Options::default();
        options.timeout = Duration::from_millis(50);
        let mut connection = Connection::with_options(&options).unwrap();
        // A message that the kernel passes over, so that no answer comes.
        let nothing = Request::genl(MessageType::NOOP.0, 0, 0, &[]);
        for _ in 0..3 {
            let start = Instant::now();
            let mut waiting = pin!(connection.reply(&nothing, Family::decode));
            poll_fn(|context| {
                assert!(waiting.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            assert!(start.elapsed() < Duration::from_secs(5));
        }
        let timeout = connection.reply(&nothing, Family::decode).await.unwrap_err();
        assert!(matches!(timeout, Error::Timeout { .. }), "{timeout}");
        assert_eq!(connection.family(ctrl::FAMILY).await.unwrap().id, 16);
    });
}
