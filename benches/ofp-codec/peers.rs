//! Readers of flow dumps with the same file, each in a process of its own.

use std::{
    env, fs,
    io::{BufReader, Write as _},
    path::Path,
    process::Command,
};

use benches::race::{self, Race};
use ofp_codec::text::{DumpReader, Item};

/// Does what this process was started for by [`compare`], if it was.
pub(super) fn take_part() -> bool {
    let Some((_, path)) = race::job() else {
        return false;
    };
    let mut reader = DumpReader::new(BufReader::with_capacity(1 << 16, fs::File::open(path).unwrap()));
    let mut flows = 0;
    while let Some(item) = reader.next_item() {
        if let Item::Flow(line) = item.unwrap() {
            let flow = line.to_flow().unwrap();
            flows += usize::from(!flow.actions.is_empty());
        }
    }
    assert!(flows > 0, "a dump without flows");
    true
}

/// What each reader takes for a flow.
pub(super) fn compare() {
    if race::only_tried() {
        return;
    }
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
    let ours = &mut race::ours("read", &all).unwrap();
    race.run("ofp-codec, typed and streaming", ALL, ours).unwrap();
    race.run("ovs-ofctl parse-flows", ALL, &mut ofctl(&all)).unwrap();
    race.run("ovs.flow of Python (PYTHON=python3)", SOME, &mut python(&some))
        .unwrap();
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

const ALL: u32 = 1_000_000;
/// Python's is too slow for all.
const SOME: u32 = 20_000;
const PYTHON_READER: &str = "
import sys
from ovs.flow.ofp import OFPFlow
for line in open(sys.argv[1]):
    OFPFlow(line)
";
