//! What the client for tokio alone has to do.

use std::future::Future;

#[cfg(feature = "write")]
use testbed::sh;

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

#[cfg(feature = "write")]
pub(crate) fn cancelled() {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use netlink_genl::client::{Admin, NewVport, Ovs, Upcall};
    use netlink_genl::ovs::datapath::Features;
    use netlink_genl::socket::Options;
    use netlink_genl::watch::Event;

    use crate::both::client::all;

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
        assert_eq!(all(ovs.vports(dp).await).await.len(), 301);
        // Left before the first poll, and after one.
        drop(ovs.vport(dp, 5));
        {
            let mut lookup = pin!(ovs.vport(dp, 6));
            let first = poll_fn(|context| Poll::Ready(lookup.as_mut().poll(context))).await;
            assert!(matches!(first, Poll::Ready(Ok(_)) | Poll::Pending));
        }
        assert_eq!(ovs.vport(dp, 7).await.unwrap().port_no, 7);

        let mut watch = ovs.watch(dp, &Options::default()).await.unwrap();
        let adder = std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            sh("ip link add c2veth type veth peer name c2peer && ovs-dpctl add-if c2 c2veth");
        });
        let mut given_up = 0;
        let event = loop {
            match tokio::time::timeout(Duration::from_millis(1), watch.event()).await {
                Ok(event) => break event.unwrap(),
                Err(_) => given_up += 1,
            }
        };
        adder.join().unwrap();
        assert!(given_up > 10, "{given_up}");
        assert!(matches!(event, Some(Event::Added(port)) if port.name.as_c_str() == c"c2veth"));
        admin.delete_datapath(dp).await.unwrap();
    });
}
