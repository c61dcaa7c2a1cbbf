//! The client for tokio, beside the other one.

use std::future::Future;
use std::time::Duration;

use netlink_genl::Error;
use netlink_genl::blocking;
use netlink_genl::client::{Ovs, Watch};
use netlink_genl::message::Errno;
use netlink_genl::ovs::DpIfindex;
use netlink_genl::ovs::vport::Vport;
use netlink_genl::socket::Options;
use netlink_genl::watch::{Event, Why};

use testbed::sh;

use super::{add_datapath, name};

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

pub(crate) fn open() -> Result<(), Error> {
    block_on(Ovs::open()).map(drop)
}

pub(crate) fn reads_the_same() {
    let dp = add_datapath("c0");
    sh("ovs-dpctl add-if c0 c0int,type=internal");
    let mut other = blocking::Ovs::open().unwrap();
    block_on(async {
        let mut ovs = Ovs::open().await.unwrap();
        let mut datapaths = vec![];
        let mut listed = ovs.datapaths().await.unwrap();
        while let Some(datapath) = listed.next().await {
            datapaths.push(datapath.unwrap().name);
        }
        let expected: Vec<_> = other.datapaths().unwrap().map(|dp| dp.unwrap().name).collect();
        assert_eq!(datapaths, expected);

        let ports = list(&mut ovs, dp).await;
        let expected: Vec<_> = other.vports(dp).unwrap().map(Result::unwrap).collect();
        assert_eq!(ports.len(), expected.len());
        assert!(
            ports
                .iter()
                .zip(&expected)
                .all(|(port, expected)| port.is_like(expected))
        );
        assert!(ovs.vport(dp, 1).await.unwrap().is_like(&expected[1]));
        assert_eq!(ovs.vport_by_name(c"c0int").await.unwrap().port_no, 1);
        assert_eq!(ovs.datapath_by_name(c"c0").await.unwrap().ifindex, dp);

        let absent = ovs.vport(dp, 7).await.unwrap_err();
        assert_eq!(absent.errno(), Some(Errno::ENODEV));
        let absent = ovs.vports(DpIfindex(9999)).await.unwrap().next().await.unwrap();
        assert_eq!(absent.unwrap_err().errno(), Some(Errno::ENODEV));
        assert_eq!(list(&mut ovs, dp).await.len(), 2);
    });
}

pub(crate) fn watches() {
    let dp = add_datapath("c1");
    sh("ovs-dpctl add-if c1 before,type=internal");
    block_on(async {
        let ovs = Ovs::open().await.unwrap();
        let mut watch = ovs.watch(dp, &Options::default()).await.unwrap();
        assert_eq!((watch.ports().len(), watch.generation()), (2, 1));
        sh("ovs-dpctl add-if c1 c1int,type=internal");
        let Event::Added(added) = event(&mut watch).await else {
            panic!()
        };
        assert_eq!(name(&added), "c1int");
        sh("ip netns add cns");
        sh("ip link set c1int netns cns");
        let Event::Changed(moved) = event(&mut watch).await else {
            panic!()
        };
        let nsid = moved.now.netnsid.unwrap();

        // The wait is dropped over and over, and nothing is lost by it.
        let deleter = std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            sh("ip netns del cns");
        });
        let mut given_up = 0;
        let removed = loop {
            match tokio::time::timeout(Duration::from_millis(1), watch.event()).await {
                Ok(event) => break event.unwrap().unwrap(),
                Err(_) => given_up += 1,
            }
        };
        deleter.join().unwrap();
        assert!(given_up > 10, "{given_up}");
        let Event::Removed { port, why } = removed else {
            panic!("{removed:?}")
        };
        assert_eq!((port.port_no, why), (added.port_no, Why::Vanished { nsid }));

        sh("ovs-dpctl del-dp c1");
        for expected in ["c1", "before"] {
            let Event::Removed { port, why } = event(&mut watch).await else {
                panic!()
            };
            assert_eq!((name(&port), why), (expected, Why::DatapathDeleted));
        }
        assert_eq!(watch.event().await.unwrap(), None);
        let absent = Ovs::open().await.unwrap().watch(dp, &Options::default()).await;
        assert_eq!(absent.unwrap_err().errno(), Some(Errno::ENODEV));
    });
}

#[cfg(feature = "write")]
pub(crate) fn cancelled() {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use netlink_genl::client::Admin;
    use netlink_genl::ovs::datapath::Features;
    use netlink_genl::ovs::vport::{NewVport, Upcall};

    block_on(async {
        let mut admin = Admin::open().await.unwrap();
        let dp = admin
            .add_datapath(c"c2", Features::default(), 0)
            .await
            .unwrap()
            .ifindex;
        for n in 0..300 {
            let name = std::ffi::CString::new(format!("c2port{n}")).unwrap();
            admin
                .add_vport(&NewVport::internal(dp, &name, Upcall::Drop))
                .await
                .unwrap();
        }
        let mut ovs = Ovs::open().await.unwrap();
        // Left between two datagrams of a list.
        let mut ports = ovs.vports(dp).await.unwrap();
        ports.next().await.unwrap().unwrap();
        assert_eq!(list(&mut ovs, dp).await.len(), 301);
        // Left before the first poll, and after one.
        drop(ovs.vport(dp, 5));
        {
            let mut lookup = pin!(ovs.vport(dp, 6));
            let first = poll_fn(|context| Poll::Ready(lookup.as_mut().poll(context))).await;
            assert!(matches!(first, Poll::Ready(Ok(_)) | Poll::Pending));
        }
        assert_eq!(ovs.vport(dp, 7).await.unwrap().port_no, 7);
        admin.delete_datapath(dp).await.unwrap();
    });
}

async fn list(ovs: &mut Ovs, dp: DpIfindex) -> Vec<Vport> {
    let mut ports = vec![];
    let mut listed = ovs.vports(dp).await.unwrap();
    while let Some(port) = listed.next().await {
        ports.push(port.unwrap());
    }
    ports
}

async fn event(watch: &mut Watch) -> Event {
    let event = tokio::time::timeout(Duration::from_secs(20), watch.event()).await;
    event.unwrap().unwrap().unwrap()
}
