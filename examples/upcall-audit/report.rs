//! The counts, as a table or a line for people, or as a JSON object.

use std::time::{Duration, SystemTime};

use examples::cli::{Failure, table, timestamp};
use examples::upcalls::{Growth, Release, Upcalls};
use netlink_genl::accounting::{Role, Socket};
use netlink_genl::ovs::datapath::Dispatch;
use serde_json::{Value, json};

use crate::advice::advise;

/// The sockets at one moment.
#[derive(Clone)]
pub struct Observation {
    pub upcalls: Upcalls,
    time: SystemTime,
}

impl Observation {
    pub fn of(upcalls: Upcalls, time: SystemTime) -> Self {
        Self { upcalls, time }
    }

    fn count(&self, role: Role) -> usize {
        self.upcalls.accounting.count(role)
    }
}

/// What the tool says of a look.
pub struct Report<'a> {
    pub pid: u32,
    pub release: Option<Release>,
    /// The first look of this run.
    pub first: &'a Observation,
    pub now: &'a Observation,
    /// The lost sockets, one by one.
    pub list: bool,
}

impl Report<'_> {
    pub fn text(&self) -> String {
        let Upcalls {
            accounting,
            dispatch,
            ports,
            ..
        } = &self.now.upcalls;
        let release = self
            .release
            .map_or(String::new(), |release| format!(" (Open vSwitch {release})"));
        let dispatch = match dispatch {
            None => "there is no kernel datapath".to_owned(),
            Some(dispatch) => format!("dispatches {} to its sockets, {ports} ports", name(*dispatch)),
        };
        let mut rows = vec![row("generic netlink sockets", accounting.sockets.len(), "")];
        if accounting.attributed {
            rows.extend([
                row(
                    "  named by ports or datapath",
                    self.now.count(Role::Referenced),
                    "",
                ),
                row("  its own, for requests", self.now.count(Role::Own), ""),
                match (self.is_held(), self.orphaned()) {
                    (true, held) => row("  held", held, "until the number of its port is used again"),
                    (false, 0) => row("  lost", 0, ""),
                    (false, lost) => row("  lost", lost, "<-"),
                },
            ]);
        } else {
            let whose = "no right to read whose they are: all of its network namespace";
            rows.push(row(
                "  named by ports or datapath",
                self.now.count(Role::Referenced),
                "",
            ));
            rows.push(row("  others", self.now.count(Role::Unknown), whose));
        }
        if !accounting.dangling.is_empty() {
            let why = "named, but not among these: another process has them, or nobody";
            rows.push(row("  missing", accounting.dangling.len(), why));
        }
        if let Some(open) = self.now.upcalls.open {
            let limit = self.now.upcalls.limit;
            let limit = limit.map_or("without limit".to_owned(), |limit| format!("of {limit}"));
            rows.push(row("open descriptors", open, &limit));
        }
        let mut out = format!("ovs-vswitchd {}{release}: {dispatch}\n\n", self.pid);
        out += &table(["", ">", ""], rows);
        if self.list {
            let lost = self.lost().map(|socket| {
                [socket.port.into(), socket.inode, socket.queued, socket.drops].map(|n| n.to_string())
            });
            out += &format!(
                "\n\n{}",
                table(["lost socket>", "inode>", "bytes waiting>", "drops>"], lost)
            );
        }
        for sentence in advise(&self.now.upcalls, self.release) {
            out += &format!("\n\n{sentence}");
        }
        // The empty heading.
        out.replacen("\n\n\n", "\n\n", 1)
    }

    /// A look among many.
    pub fn line(&self) -> String {
        let Upcalls {
            accounting,
            open,
            limit,
            ..
        } = &self.now.upcalls;
        let number = |n: Option<usize>| n.map_or("?".to_owned(), |n| n.to_string());
        let mut line = format!(
            "{}  sockets {}  lost {}  descriptors {} of {}",
            timestamp(self.now.time),
            accounting.sockets.len(),
            self.orphaned(),
            number(*open),
            number(*limit)
        );
        if let Some(growth) = self.growth().filter(|growth| growth.lost != 0.0) {
            line += &format!("  {:+.1} lost a minute", growth.lost);
        }
        if let Some(left) = self.growth().and_then(|growth| growth.left) {
            line += &format!("  all descriptors in use in {}", duration(left));
        }
        line
    }

    pub fn json(&self) -> Result<String, Failure> {
        let upcalls = &self.now.upcalls;
        let accounting = &upcalls.accounting;
        let lost: Vec<Value> = self
            .lost()
            .map(|socket| {
                json!({
                    "port": socket.port, "inode": socket.inode, "queued_bytes": socket.queued, "drops": socket.drops,
                })
            })
            .collect();
        let growth = self.growth();
        let object = json!({
            "time": timestamp(self.now.time),
            "pid": self.pid,
            "ovs": self.release.map(|release| release.to_string()),
            "dispatch": upcalls.dispatch.map(name),
            "deaf": upcalls.deaf,
            "ports": upcalls.ports,
            "sockets": accounting.sockets.len(),
            "attributed": accounting.attributed,
            "referenced": self.now.count(Role::Referenced),
            "own": self.now.count(Role::Own),
            "orphaned": self.orphaned(),
            "held": usize::from(self.is_held()),
            "unknown": self.now.count(Role::Unknown),
            "missing": accounting.dangling,
            "open_descriptors": upcalls.open,
            "max_descriptors": upcalls.limit,
            "orphans": lost,
            "orphans_per_minute": growth.as_ref().map(|growth| growth.lost),
            "seconds_left": growth.and_then(|growth| growth.left).map(|left| left.as_secs()),
            "advice": advise(upcalls, self.release),
        });
        serde_json::to_string(&object).map_err(Failure::blind)
    }

    fn is_held(&self) -> bool {
        self.now.upcalls.is_held(self.release)
    }

    fn orphaned(&self) -> usize {
        self.now.upcalls.orphaned()
    }

    fn lost(&self) -> impl Iterator<Item = &Socket> {
        let sockets = self.now.upcalls.accounting.sockets.iter();
        sockets.filter(|socket| socket.role == Role::Orphaned)
    }

    /// Since the first look; `None` at that.
    fn growth(&self) -> Option<Growth> {
        let apart = self.now.time.duration_since(self.first.time).ok()?;
        Growth::between(&self.first.upcalls, &self.now.upcalls, apart)
    }
}

fn name(dispatch: Dispatch) -> &'static str {
    match dispatch {
        Dispatch::PerVport => "per port",
        Dispatch::PerCpu => "per CPU",
    }
}

fn row(what: &str, count: usize, note: &str) -> [String; 3] {
    [what.to_owned(), count.to_string(), note.to_owned()]
}

fn duration(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
