//! A list of ten thousand ports of a real kernel, beside `ovs-dpctl`: each in a process of its own, all in a guest.

use std::{env, ffi::CString, path::Path, process::Command, time::Duration};

use benches::race::{self, Race, Taken};
use netlink_genl::blocking::{Admin, NewVport, Ovs, Upcall};
use testbed::vm::{self, Guest};

/// Does what this process was started for, if it was by [`compare`].
pub(super) fn take_part() -> bool {
    if race::job().is_some() {
        list();
    } else if vm::inside() {
        measure();
    } else {
        return false;
    }
    true
}

/// What each takes for a port.
pub(super) fn compare() {
    let rounds = in_guest().unwrap_or_else(|reason| {
        println!("missing: {reason}");
        Vec::new()
    });
    let mut race = Race::new("netlink-genl/10,000 ports of a kernel in a guest");
    for (contender, name) in CONTENDERS.into_iter().enumerate() {
        let mut rounds = rounds.iter();
        race.enter_with(name, PORTS, move || rounds.next().map(|taken| taken[contender]));
    }
    race.run().unwrap();
}

/// What each took, round by round.
fn in_guest() -> Result<Vec<[Taken; 2]>, String> {
    let program = env::current_exe().unwrap();
    let equipped = |guest: Guest| {
        guest
            .program(DPCTL)
            .memory_mib(1024)
            .timeout(Duration::from_secs(300))
    };
    let outcome = Guest::new().and_then(|guest| equipped(guest).run(&program, &[]));
    let outcome = outcome.map_err(|error| error.with_causes())?;
    let last = outcome.output.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|_| outcome.output.clone())
}

/// In the guest: makes the ports, and prints what each took to list them.
fn measure() {
    let mut admin = Admin::open().unwrap();
    let datapath = admin.add_datapath(NAME, Default::default(), 0).unwrap().ifindex;
    // The local port is one of them.
    for number in 1..PORTS {
        let name = CString::new(format!("port{number}")).unwrap();
        admin
            .add_vport(&NewVport::internal(datapath, &name, Upcall::Drop))
            .unwrap();
    }
    let mut contenders = [race::ours("list", Path::new("")).unwrap(), Command::new(DPCTL)];
    contenders[1].arg("show");
    let round = |_| contenders.each_mut().map(|it| race::measure(it).unwrap());
    let taken: Vec<[Taken; 2]> = (0..ROUNDS).map(round).collect();
    println!("{}", serde_json::to_string(&taken).unwrap());
}

/// As `ovs-dpctl show` does: a line for each port.
fn list() {
    let mut ovs = Ovs::open().unwrap();
    let datapath = ovs.datapath_by_name(NAME).unwrap();
    let mut ports = 0;
    for port in ovs.vports(datapath.ifindex).unwrap() {
        let port = port.unwrap();
        println!(
            "  port {}: {} ({})",
            port.port_no,
            port.name.to_string_lossy(),
            port.kind
        );
        ports += 1;
    }
    assert_eq!(ports, PORTS);
}

const CONTENDERS: [&str; 2] = ["netlink-genl", "ovs-dpctl show"];
const DPCTL: &str = "ovs-dpctl";
const NAME: &std::ffi::CStr = c"dp0";
const PORTS: u32 = 10_000;
const ROUNDS: u32 = 3;
