//! What to do about lost sockets, by release.

use examples::upcalls::{HELD, Release, Upcalls};
use netlink_genl::ovs::datapath::Dispatch;

/// Sentences for the operator, the most pressing first.
pub fn advise(upcalls: &Upcalls, release: Option<Release>) -> Vec<String> {
    let mut advice = Vec::new();
    if upcalls.deaf {
        advice.push(
            "The datapath dispatches per CPU and names no socket: each packet without a flow is lost. That is what \
             ovs-dpctl of 2.16 or later leaves behind when it opens the datapath of an older ovs-vswitchd. Restart \
             ovs-vswitchd, and look with tools that only read."
                .to_owned(),
        );
    }
    let orphaned = upcalls.orphaned();
    let loses = release.is_none_or(Release::loses_sockets);
    let per_port = upcalls.dispatch == Some(Dispatch::PerVport);
    let is_held = upcalls.is_held(release);
    if is_held {
        advice.push(format!("{HELD}. Nothing is to be done."));
    } else if orphaned > 0 {
        advice.push(format!(
            "{orphaned} sockets are lost: nothing will ever come through them, and only a restart of ovs-vswitchd \
             closes them."
        ));
    }
    if per_port && loses {
        let which = release.map_or(
            "Open vSwitch before 3.7.0, 3.6.1, 3.5.3, 3.4.5 and 3.3.7".to_owned(),
            |release| format!("Open vSwitch {release}"),
        );
        advice.push(format!(
            "{which} loses a socket whenever the network namespace of an internal port is deleted before the port: \
             delete the port first (ovs-vsctl del-port), then the namespace."
        ));
        advice.push(match release {
            Some(release) if release.dispatches_per_cpu() => format!(
                "It would dispatch per CPU, which loses none, on Linux 5.15 or later; {MENDED_ARE} lose none either."
            ),
            _ => format!(
                "From 2.16 on Linux 5.15 or later it dispatches per CPU, which loses none; {MENDED_ARE} lose none either."
            ),
        });
    } else if orphaned > 0 && !is_held {
        advice.push(
            "This is not the known loss, which needs a release without its fix and dispatch per port: were they lost \
             before an upgrade without a restart?"
                .to_owned(),
        );
    }
    let per_port = upcalls.per_port;
    if per_port > 1 {
        advice.push(format!(
            "Each port takes {per_port} descriptors, one for each handler thread; from 2.11 on it is one."
        ));
    }
    if let (Some(open), Some(limit), 1..) = (upcalls.open, upcalls.limit, per_port) {
        let room = limit.saturating_sub(open) / per_port;
        advice.push(format!(
            "The limit of {limit} descriptors has room for {room} more ports."
        ));
    }
    advice
}

const MENDED_ARE: &str = "3.3.7, 3.4.5, 3.5.3, 3.6.1, 3.7.0 and what follows them";
