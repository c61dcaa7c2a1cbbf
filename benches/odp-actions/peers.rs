//! Lists parsed and printed again, beside `ovs-dpctl`: each in a process of its own.

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    process::Command,
};

use benches::race::{self, Race};
use odp_actions::Actions;

/// Does what this process was started for, if it was by [`compare`].
pub(super) fn take_part() -> bool {
    let Some((_, file)) = race::job() else {
        return false;
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for line in fs::read_to_string(file).unwrap().lines() {
        writeln!(out, "{}", line.parse::<Actions>().unwrap()).unwrap();
    }
    true
}

/// What each takes for a flood of 1170 tunnels.
pub(super) fn compare() {
    let flood = super::flood(1170).to_string();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("floods");
    fs::write(&file, format!("{flood}\n").repeat(FLOODS)).unwrap();
    let mut race = Race::new("odp-actions/floods of 1170 tunnels, parsed and printed");
    let count = FLOODS.try_into().unwrap();
    race.enter("odp-actions", count, race::ours("print", &file).unwrap());
    race.enter("ovs-dpctl parse-actions", count, dpctl(&flood));
    race.run().unwrap();
}

/// It takes its lists as arguments, of which there is room for 2 MiB.
fn dpctl(flood: &str) -> Command {
    let mut command = Command::new("ovs-dpctl");
    command.arg("parse-actions").args([flood; FLOODS]);
    command
}

const FLOODS: usize = 20;
