//! Checks of both clients, written once.

/// Makes tests of functions: `blocking::NAME`, and `client::NAME`, where `wait!` awaits; and `TESTS`, which has them all.
///
/// What differs besides is in [`blocking`] and [`client`], of which one is in scope.
macro_rules! both {
    ($wait:ident; $(fn $name:ident() $body:block)+) => {
        pub(crate) const TESTS: &[(&str, fn())] = &[$(
            (stringify!($name), blocking::$name),
            #[cfg(feature = "client")]
            (concat!(stringify!($name), "_with_tokio"), client::$name),
        )+];

        mod blocking {
            use super::*;
            use crate::both::blocking::*;

            macro_rules! $wait {
                ($expression:expr) => { $expression };
            }

            $(pub(super) fn $name() $body)+
        }

        #[cfg(feature = "client")]
        mod client {
            use super::*;
            use crate::both::client::*;

            macro_rules! $wait {
                ($expression:expr) => { $expression.await };
            }

            $(pub(super) fn $name() { crate::client::block_on(async $body) })+
        }
    };
}

pub(crate) mod blocking {
    use std::time::Duration;

    use netlink_genl::Error;
    #[cfg(feature = "write")]
    use netlink_genl::ovs::packet::Packet;
    use netlink_genl::watch::Event;

    pub(crate) use netlink_genl::blocking::*;

    pub(crate) fn list<T>(replies: Result<Replies<'_, T>, Error>) -> Vec<Result<T, Error>> {
        replies.unwrap().collect()
    }

    pub(crate) fn all<T>(replies: Result<Replies<'_, T>, Error>) -> Vec<T> {
        replies.unwrap().whole().unwrap()
    }

    /// The next event, if there is one within that time.
    pub(crate) fn event(watch: &mut Watch, within: Duration) -> Option<Event> {
        watch.event(within).unwrap()
    }

    /// The next packet, if there is one within that time.
    #[cfg(feature = "write")]
    pub(crate) fn packet(upcalls: &mut Upcalls, within: Duration) -> Option<Packet> {
        upcalls.packet(within).unwrap()
    }
}

#[cfg(feature = "client")]
pub(crate) mod client {
    use std::time::Duration;

    use netlink_genl::Error;
    #[cfg(feature = "write")]
    use netlink_genl::ovs::packet::Packet;
    use netlink_genl::watch::Event;
    use tokio::time::timeout;

    pub(crate) use netlink_genl::client::*;

    pub(crate) async fn list<T>(replies: Result<Replies<'_, T>, Error>) -> Vec<Result<T, Error>> {
        let mut replies = replies.unwrap();
        let mut list = vec![];
        while let Some(reply) = replies.next().await {
            list.push(reply);
        }
        list
    }

    pub(crate) async fn all<T>(replies: Result<Replies<'_, T>, Error>) -> Vec<T> {
        replies.unwrap().whole().await.unwrap()
    }

    pub(crate) async fn event(watch: &mut Watch, within: Duration) -> Option<Event> {
        let event = timeout(within, watch.event()).await.ok()?;
        event.unwrap()
    }

    #[cfg(feature = "write")]
    pub(crate) async fn packet(upcalls: &mut Upcalls, within: Duration) -> Option<Packet> {
        let packet = timeout(within, upcalls.packet()).await.ok()?;
        Some(packet.unwrap())
    }
}
