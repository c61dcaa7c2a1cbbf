//! Readers of flow dumps with the same file, each in a process of its own.

use std::{
    env, fs,
    io::{BufReader, Write as _},
    path::Path,
    process::Command,
};

use benches::race::{self, Race};
use ofp_codec::{Flow, Version, text::DumpReader};

use crate::wire;

/// Does what this process was started for by [`compare`], if it was.
pub(super) fn take_part() -> bool {
    let Some((job, path)) = race::job() else {
        return false;
    };
    match &*job {
        PRINT => {
            print(&fs::read(path).unwrap());
            return true;
        }
        DECODE => {
            assert!(
                wire::decode(&fs::read(path).unwrap()) > 0,
                "a reply without flows"
            );
            return true;
        }
        _ => {}
    }
    let dump = BufReader::with_capacity(1 << 16, fs::File::open(path).unwrap());
    if job == KEEP {
        let flows: Result<Vec<Flow>, _> = DumpReader::new(dump).flows().collect();
        assert!(!flows.unwrap().is_empty(), "a dump without flows");
    } else {
        assert!(crate::actions(dump) > 0, "a dump without flows");
    }
    true
}

/// Does with messages what `ovs-ofctl ofp-parse` does: prints them.
fn print(stream: &[u8]) {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for message in wire::messages(stream) {
        writeln!(out, "{message}").unwrap();
    }
}

/// What each reader takes for a flow.
pub(super) fn compare() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, flows: u32| {
        let path = dir.path().join(name);
        let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
        for flow in testbed::ovn_flows(flows) {
            writeln!(file, "{flow}").unwrap();
        }
        file.into_inner().unwrap();
        path
    };
    let (all, some) = (file("all", ALL), file("some", SOME));
    let mut race = Race::new("ofp-codec/dump of a million flows");
    let ours = |job| race::ours(job, &all).unwrap();
    race.enter("ofp-codec, typed and streaming", ALL, ours("read"));
    race.enter("ofp-codec, typed and all kept", ALL, ours(KEEP));
    race.enter("ovs-ofctl parse-flows", ALL, ofctl(&all));
    race.enter("ovs.flow of Python (PYTHON=python3)", SOME, python(&some));
    race.run().unwrap();
}

/// What each takes to print the flows of a reply, and of messages that add them.
pub(super) fn print_messages() {
    let dir = tempfile::tempdir().unwrap();
    let flows = wire::flows();
    let count = u32::try_from(flows.len()).unwrap();
    let reply = |version| wire::reply(&flows, version);
    for (name, bytes) in [
        (
            "reply of 100,000 flows printed, OpenFlow 1.0",
            reply(Version::V1_0),
        ),
        (
            "reply of 100,000 flows printed, OpenFlow 1.3",
            reply(Version::V1_3),
        ),
        (
            "reply of 100,000 flows printed, OpenFlow 1.5",
            reply(Version::V1_5),
        ),
        ("flow_mods printed, OpenFlow 1.3", wire::flow_mods(&flows)),
    ] {
        let path = dir.path().join("messages");
        fs::write(&path, bytes).unwrap();
        let mut race = Race::new(&format!("ofp-codec/{name}"));
        let ours = |job| race::ours(job, &path).unwrap();
        race.enter("ofp-codec, printed", count, ours(PRINT));
        race.enter("ofp-codec, typed", count, ours(DECODE));
        let mut theirs = Command::new("ovs-ofctl");
        theirs.arg("ofp-parse").arg(&path);
        race.enter("ovs-ofctl ofp-parse", count, theirs);
        race.run().unwrap();
    }
}

fn ofctl(file: &Path) -> Command {
    let mut command = Command::new("ovs-ofctl");
    command.args(["-OOpenFlow13", "parse-flows"]).arg(file);
    command
}

fn python(file: &Path) -> Command {
    let mut command = Command::new(env::var_os("PYTHON").unwrap_or("python3".into()));
    command.arg("-c").arg(PYTHON_READER).arg(file);
    command
}

const KEEP: &str = "keep";
const PRINT: &str = "print";
const DECODE: &str = "decode";
const ALL: u32 = 1_000_000;
/// Python's is too slow for all.
const SOME: u32 = 20_000;
const PYTHON_READER: &str = "
import sys
from ovs.flow.ofp import OFPFlow
for line in open(sys.argv[1]):
    OFPFlow(line)
";
