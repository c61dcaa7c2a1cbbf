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
    if race::only_tried() {
        return;
    }
    let taken = in_guest().unwrap_or_else(|reason| {
        println!("missing: {reason}");
        CONTENDERS.map(|_| None)
    });
    let mut race = Race::new("netlink-genl/10,000 ports of a kernel in a guest");
    for (name, taken) in CONTENDERS.into_iter().zip(taken) {
        race.add(name, PORTS * ROUNDS, taken).unwrap();
    }
}

fn in_guest() -> Result<[Option<Taken>; 2], String> {
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
    let mut taken = [None; 2];
    for _ in 0..ROUNDS {
        for (command, sum) in contenders.iter_mut().zip(&mut taken) {
            let once = race::measure(command).unwrap();
            *sum = Some(sum.map_or(once, |sum: Taken| sum + once));
        }
    }
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
