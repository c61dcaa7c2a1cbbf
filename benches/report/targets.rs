//! What the crates promise of their speed: a row each.

use std::collections::BTreeMap;

use crate::{
    figures::{BASELINE, Figure, Group},
    ratio::Ratio,
};

/// A promise: how one function compares with another of its group.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    group: &'static str,
    function: &'static str,
    against: &'static str,
    size: Option<u64>,
    wanted: Wanted,
    /// What it is good for.
    pub(crate) means: &'static str,
    /// What the time goes to, where more is wanted than is likely.
    spent: Option<&'static str>,
}

enum Wanted {
    /// At most so many times as long as the other.
    Times(f64),
    /// At least so many times as fast as the other.
    Faster(f64),
    /// At least so many millions a second; what it is beside says how fast the machine is.
    Millions(f64),
}

impl Target {
    /// What it is compared with, and how fast that is where it matters.
    pub(crate) fn beside(&self, groups: &BTreeMap<String, Group>) -> String {
        let name = self.against.trim_end_matches(BASELINE);
        match (&self.wanted, self.figure(groups, self.against).and_then(millions)) {
            (Wanted::Millions(_), Some(rate)) => format!("{name}, at {:.1} million a second", rate.median),
            _ => name.to_owned(),
        }
    }

    /// What is wanted, in words.
    pub(crate) fn wanted(&self) -> String {
        let (Wanted::Times(number) | Wanted::Faster(number) | Wanted::Millions(number)) = self.wanted;
        let bound = if matches!(self.wanted, Wanted::Times(_)) {
            "most"
        } else {
            "least"
        };
        format!("at {bound} {}", self.terms(&number.to_string()))
    }

    /// A number as what it says of the two.
    pub(crate) fn terms(&self, number: &str) -> String {
        match self.wanted {
            Wanted::Times(_) => format!("{number} times as long"),
            Wanted::Faster(_) => format!("{number} times as fast"),
            Wanted::Millions(_) => format!("{number} million a second"),
        }
    }

    /// What was measured, in the same terms. `None` if it was not.
    pub(crate) fn measured(&self, groups: &BTreeMap<String, Group>) -> Option<Ratio> {
        let figure = self.figure(groups, self.function)?;
        let ratio = || Ratio::of(figure, self.figure(groups, self.against)?);
        match self.wanted {
            Wanted::Times(_) => ratio(),
            Wanted::Faster(_) => ratio().map(Ratio::inverse),
            Wanted::Millions(_) => millions(figure),
        }
    }

    fn figure<'a>(&self, groups: &'a BTreeMap<String, Group>, function: &str) -> Option<&'a Figure> {
        groups.get(self.group)?.get(function)?.get(&self.size)
    }

    pub(crate) fn verdict(&self, measured: Ratio) -> String {
        let (met, missed_by) = match self.wanted {
            Wanted::Times(most) => (measured.median <= most, measured.median / most),
            Wanted::Faster(least) | Wanted::Millions(least) => {
                (measured.median >= least, least / measured.median)
            }
        };
        if met {
            "met".to_owned()
        } else {
            let why = self.spent.map_or_else(String::new, |spent| format!(": {spent}"));
            format!("**missed by {missed_by:.2}**{why}")
        }
    }
}

/// How many millions of its work a function does in a second.
fn millions(figure: &Figure) -> Option<Ratio> {
    let work = figure.work?;
    let rates = figure.runs.iter().map(|run| work.a_second(*run) / 1e6);
    Ratio::over(rates.collect())
}

/// The promises, crate by crate.
pub(crate) static TARGETS: &[Target] = &[
    Target {
        name: "encode a flood of 1170 tunnels",
        group: "odp-actions",
        function: "encode into a buffer",
        against: "copy (baseline)",
        size: Some(1170),
        wanted: Wanted::Times(8.0),
        means: "a controller can size and encode every flood on every change of the tunnel mesh",
        spent: Some("an endpoint is two values of its own, each looked at; a template is for floods"),
    },
    Target {
        name: "patch a prebuilt cell, 1170 tunnels",
        group: "odp-actions",
        function: "patch a prebuilt cell",
        against: "copy (baseline)",
        size: Some(1170),
        wanted: Wanted::Times(3.0),
        means: "the same flood for another network costs next to nothing",
        spent: None,
    },
    Target {
        name: "size without encoding, 1170 tunnels",
        group: "odp-actions",
        function: "size only",
        against: "encode into a buffer",
        size: Some(1170),
        wanted: Wanted::Times(0.6),
        means: "asking whether a list fits is cheaper than making it",
        spent: None,
    },
    // 300 MB/s of 88 KB where 65 520 bytes are copied at 40 GB/s.
    Target {
        name: "parse a flood of 1170 tunnels",
        group: "odp-actions/text",
        function: "parse text",
        against: "copy of the bytes",
        size: Some(1170),
        wanted: Wanted::Times(180.0),
        means: "a dump of a datapath is read as fast as a disk gives it",
        spent: Some("each tunnel is an allocation of its own"),
    },
    Target {
        name: "read a vport",
        group: "netlink-genl/vport",
        function: "VportRef, borrowed",
        against: "netlink-packet-generic (baseline)",
        size: None,
        wanted: Wanted::Faster(5.0),
        means: "a program that watches ports is not the one that one sees in top",
        spent: None,
    },
    Target {
        name: "read a vport",
        group: "netlink-genl/vport",
        function: "VportRef, borrowed",
        against: "neli",
        size: None,
        wanted: Wanted::Faster(5.0),
        means: "the same, beside attributes that are looked for one by one",
        spent: None,
    },
    Target {
        name: "list 10,000 ports of a kernel",
        group: "netlink-genl/10,000 ports of a kernel in a guest",
        function: "netlink-genl (baseline)",
        against: "ovs-dpctl show",
        size: None,
        wanted: Wanted::Faster(5.0),
        means: "10,000 ports are listed without a pause",
        spent: None,
    },
    Target {
        name: "load a monitor's initial state into the user's types",
        group: "ovsdb-proto/initial",
        function: "split, load into a typed replica",
        against: "typed by hand (baseline)",
        size: Some(10_000),
        wanted: Wanted::Times(1.05),
        means: "a reconnect to a large database is no event",
        spent: Some("the stream is split first, which a reader of one known message need not do"),
    },
    // Where memchr finds 18 million line ends a second, or more.
    Target {
        name: "typed flows of a dump",
        group: "ofp-codec/text",
        function: "typed flows, streaming",
        against: "line ends (baseline)",
        size: Some(1_000_000),
        wanted: Wanted::Millions(1.0),
        means: "a dump of a million flows is read in a second",
        spent: None,
    },
    Target {
        name: "a million flows of a dump",
        group: "ofp-codec/dump of a million flows",
        function: "ofp-codec, typed and streaming (baseline)",
        against: "ovs-ofctl parse-flows",
        size: None,
        wanted: Wanted::Faster(8.0),
        means: "a checker in our words takes an eighth of the CPU",
        spent: None,
    },
    Target {
        name: "a million flows of a dump",
        group: "ofp-codec/dump of a million flows",
        function: "ofp-codec, typed and streaming (baseline)",
        against: "ovs.flow of Python (PYTHON=python3)",
        size: None,
        wanted: Wanted::Faster(50.0),
        means: "what took a minute takes a second",
        spent: None,
    },
    // Where memory is copied at 40 GB/s.
    Target {
        name: "flows of an OpenFlow 1.3 reply, in parts",
        group: "ofp-codec/reply of 100,000 flows, OpenFlow 1.3",
        function: "flows in parts",
        against: "copy (baseline)",
        size: None,
        wanted: Wanted::Millions(2.4),
        means: "a switch is the slower end of the connection",
        spent: None,
    },
    Target {
        name: "flow_mods of OpenFlow 1.3, in parts",
        group: "ofp-codec/flow_mods, OpenFlow 1.3",
        function: "in parts",
        against: "copy (baseline)",
        size: None,
        wanted: Wanted::Millions(2.4),
        means: "a proxy or a test looks into every change on its way",
        spent: None,
    },
    Target {
        name: "flow_mods of OpenFlow 1.3, in parts and written again",
        group: "ofp-codec/flow_mods, OpenFlow 1.3",
        function: "parts written again",
        against: "copy (baseline)",
        size: None,
        wanted: Wanted::Millions(2.4),
        means: "the same, and it passes them on byte for byte",
        spent: None,
    },
    Target {
        name: "flow_mods of OpenFlow 1.3, typed",
        group: "ofp-codec/flow_mods, OpenFlow 1.3",
        function: "typed",
        against: "copy (baseline)",
        size: None,
        wanted: Wanted::Millions(2.4),
        means: "a switch in Rust, or a test of one, understands every change as it comes",
        spent: Some("each field and action is made a value, and the flow a list of them"),
    },
    Target {
        name: "flow_mods of OpenFlow 1.3, written from the model",
        group: "ofp-codec/flow_mods, OpenFlow 1.3",
        function: "written",
        against: "copy (baseline)",
        size: None,
        wanted: Wanted::Millions(2.4),
        means: "a controller fills the tables of a switch as fast as that takes them",
        spent: Some("each match is looked through for the bits that it has"),
    },
    Target {
        name: "100,000 interfaces of a server, in the user's types",
        group: "ovsdb-proto/13 columns of interfaces of a server",
        function: "Client::monitor_typed",
        against: "by hand (baseline)",
        size: Some(100_000),
        wanted: Wanted::Times(1.05),
        means: "the library costs what one would write oneself",
        spent: None,
    },
    Target {
        name: "140,000 interfaces of a server, 103 MB, in the user's types",
        group: "ovsdb-proto/13 columns of interfaces of a server",
        function: "Client::monitor_typed",
        against: "by hand (baseline)",
        size: Some(140_000),
        wanted: Wanted::Times(1.05),
        means: "the same, where one reply is as large as they come",
        spent: None,
    },
    Target {
        name: "a call of the database",
        group: "ovsdb-proto/calls one after the other",
        function: "Client::list_dbs",
        against: "by hand (baseline)",
        size: None,
        wanted: Wanted::Times(1.5),
        means: "a program of many small calls is not held up by its client",
        spent: Some("one task sends and another reads for the one that waits"),
    },
];
