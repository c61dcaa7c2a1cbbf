//! What happens in the kernel: devices come, go up and go, and ports of the datapath.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use netlink_genl::Error;
use netlink_genl::blocking::Ovs;
use netlink_genl::message::Errno;
use netlink_genl::ovs::vport::Vport;
use netlink_genl::socket::Options;
use netlink_genl::watch::{Event, Why};

use super::{Lane, Step, Steps, What};
use crate::kernel::DATAPATH;

/// Tells of ports of the kernel's datapath until nobody listens. There may be none yet.
pub(super) fn vports(steps: &Steps) -> Result<(), Error> {
    loop {
        match watch_vports(steps) {
            Err(error) if error.errno() == Some(Errno::ENODEV) || error.is_retryable() => {}
            Err(error) => return Err(error),
            Ok(listening) if !listening => return Ok(()),
            Ok(_) => {}
        }
        sleep(DATAPATH_INTERVAL);
    }
}

/// Until the datapath is gone: `true`, or nobody listens.
fn watch_vports(steps: &Steps) -> Result<bool, Error> {
    let mut ovs = Ovs::open()?;
    let datapath = ovs.datapath_by_name(DATAPATH)?;
    let mut watch = ovs.watch(datapath.ifindex, &Options::default())?;
    let tell = |port: &Vport, what, text| {
        let device = port.name.to_string_lossy().into_owned();
        steps.send(Ok(Step::now(device, Lane::Vport, what, text))).is_ok()
    };
    for port in watch.ports() {
        tell(port, What::Is, format!("vport {}", port.port_no));
    }
    while !watch.is_deleted() {
        let heard = match watch.event(Duration::from_secs(1))? {
            Some(Event::Added(port)) => tell(&port, What::Came, format!("vport {}", port.port_no)),
            Some(Event::Removed { port, why }) => {
                let text = match why {
                    Why::Vanished { .. } => "vport vanished with its namespace, and nobody was told",
                    Why::DatapathDeleted => "datapath deleted",
                    _ => "vport gone",
                };
                tell(&port, What::Went, text.to_owned())
            }
            Some(Event::Changed(change)) => {
                let text = match (change.before.netnsid, change.now.netnsid) {
                    (before, Some(now)) if before != Some(now) => format!("device went to namespace {now}"),
                    (Some(_), None) => "device came back from its namespace".to_owned(),
                    _ => "vport changed".to_owned(),
                };
                tell(&change.now, What::Changed, text)
            }
            Some(Event::Resynced(resync)) => {
                let gone = resync
                    .removed
                    .iter()
                    .map(|(port, _)| (port, What::Went, "vport gone"));
                let new = resync.added.iter().map(|port| (port, What::Came, "vport"));
                gone.chain(new)
                    .all(|(port, what, text)| tell(port, what, format!("{text} (notifications were lost)")))
            }
            None => true,
        };
        if !heard {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells of network devices of this namespace until nobody listens: looks again and again, so times are as exact as that.
pub(super) fn netdevs(steps: &Steps) {
    let mut before: Option<BTreeMap<String, State>> = None;
    loop {
        let now = devices();
        let known = before.as_ref();
        let tell = |device: &String, what, text: String| {
            steps
                .send(Ok(Step::now(device.clone(), Lane::Netdev, what, text)))
                .is_ok()
        };
        let mut heard = true;
        for (device, state) in &now {
            heard &= match known.map(|known| known.get(device)) {
                None => tell(device, What::Is, format!("device is there, {}", state.text())),
                Some(None) => tell(device, What::Came, format!("device is there, {}", state.text())),
                Some(Some(before)) if before.index != state.index => tell(
                    device,
                    What::Came,
                    format!("another device of the name, {}", state.text()),
                ),
                Some(Some(before)) if before != state => tell(device, What::Changed, state.text()),
                Some(Some(_)) => true,
            };
        }
        for device in known.into_iter().flatten().map(|(device, _)| device) {
            if !now.contains_key(device) {
                heard &= tell(device, What::Went, "device gone".to_owned());
            }
        }
        if !heard {
            return;
        }
        before = Some(now);
        sleep(NETDEV_INTERVAL);
    }
}

/// Of a device.
#[derive(Clone, PartialEq, Eq)]
struct State {
    index: String,
    /// What its user wants.
    up: bool,
    carrier: bool,
}

impl State {
    fn text(&self) -> String {
        match (self.up, self.carrier) {
            (false, _) => "down",
            (true, false) => "up without carrier",
            (true, true) => "up",
        }
        .to_owned()
    }
}

fn devices() -> BTreeMap<String, State> {
    let entries = fs::read_dir(SYS).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let read = |file| fs::read_to_string(Path::new(SYS).join(entry.file_name()).join(file)).ok();
            let flags = read("flags")?;
            let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).ok()?;
            let state = State {
                index: read("ifindex")?,
                up: flags & IFF_UP != 0,
                // Reading fails while the device is down.
                carrier: read("carrier").is_some_and(|carrier| carrier.trim() == "1"),
            };
            Some((entry.file_name().to_string_lossy().into_owned(), state))
        })
        .collect()
}

const SYS: &str = "/sys/class/net";
const IFF_UP: u32 = 1;
const NETDEV_INTERVAL: Duration = Duration::from_millis(20);
const DATAPATH_INTERVAL: Duration = Duration::from_millis(100);
