//! Boots guests and looks at what comes back from them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

use std::{
    env, fs,
    path::PathBuf,
    process::{self, Command, ExitCode},
    thread,
    time::Duration,
};

use libtest_mimic::{Arguments, Trial};
use testbed::{
    Error, Switch, or_skip, sh, version,
    vm::{self, Guest, Outcome, TIMED_OUT},
};

fn main() -> ExitCode {
    if vm::inside() {
        return in_guest(&env::args().nth(1).unwrap());
    }
    if env::args().nth(1).as_deref() == Some(NEWER) {
        return vm::main(|guest| guest, || ExitCode::SUCCESS);
    }
    // Without the parts, or with real parts turned off, one line says so.
    if or_skip(Guest::new()).is_none() {
        return ExitCode::SUCCESS;
    }
    let tests: [(&str, fn()); 7] = [
        ("output_comes_back_byte_for_byte", output_comes_back_byte_for_byte),
        ("a_failed_test_is_101", a_failed_test_is_101),
        ("an_abort_is_134", an_abort_is_134),
        (
            "a_program_that_hangs_is_killed_with_137",
            a_program_that_hangs_is_killed_with_137,
        ),
        (
            "a_kernel_panic_is_an_error_with_the_console",
            a_kernel_panic_is_an_error_with_the_console,
        ),
        ("the_kernel_datapath_forwards", the_kernel_datapath_forwards),
        (
            "a_newer_kernel_that_cannot_be_had_fails_in_ci_alone",
            a_newer_kernel_that_cannot_be_had_fails_in_ci_alone,
        ),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

fn in_guest(what: &str) -> ExitCode {
    match what {
        "number lines" => print!("{}", numbered_lines()),
        "panic" => assert_eq!(what, "hold", "this test fails by design"),
        "abort" => process::abort(),
        "hang" => {
            println!("about to hang");
            thread::sleep(Duration::MAX);
        }
        "crash" => fs::write("/proc/sysrq-trigger", "c").unwrap(),
        "forward" => forward(),
        NEWER => {}
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn output_comes_back_byte_for_byte() {
    let outcome = boot("number lines", |guest| guest).unwrap();
    assert_eq!(outcome.status, 0, "{}", outcome.console);
    assert!(
        outcome.output == numbered_lines(),
        "{} bytes came back",
        outcome.output.len()
    );
}

fn a_failed_test_is_101() {
    let outcome = boot("panic", |guest| guest).unwrap();
    assert_eq!(outcome.status, 101);
    assert!(
        outcome.output.contains("this test fails by design"),
        "{}",
        outcome.output
    );
}

fn an_abort_is_134() {
    let outcome = boot("abort", |guest| guest).unwrap();
    assert_eq!((outcome.status, outcome.output.as_str()), (134, ""));
}

fn a_program_that_hangs_is_killed_with_137() {
    let outcome = boot("hang", |guest| guest.timeout(Duration::from_secs(2))).unwrap();
    assert_eq!(
        (outcome.status, outcome.output.as_str()),
        (TIMED_OUT, "about to hang\n")
    );
}

fn a_kernel_panic_is_an_error_with_the_console() {
    let Err(Error::Start { what, log, .. }) = boot("crash", |guest| guest) else {
        panic!("a guest that crashed has reported a status")
    };
    assert_eq!(what, "the guest");
    assert!(log.contains("Kernel panic"), "{log}");
}

fn the_kernel_datapath_forwards() {
    let outcome = boot("forward", |guest| guest.openvswitch().program("ip")).unwrap();
    assert_eq!(outcome.status, 0, "{}{}", outcome.output, outcome.console);
    // The guest has the release that the host has chosen.
    assert!(
        outcome
            .output
            .contains(&format!("Open vSwitch {}\n", version().unwrap()))
    );
}

fn a_newer_kernel_that_cannot_be_had_fails_in_ci_alone() {
    // Nothing was downloaded, and apt downloads nothing.
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("apt.conf");
    fs::write(&config, "Dir::Bin::methods \"/nonexistent\";").unwrap();
    let run = |ci: &str| {
        let mut program = Command::new(env::current_exe().unwrap());
        program.arg(NEWER).env("CI", ci).env("OVS_RS_KERNEL", "trixie");
        program.env("OVS_RS_CACHE", dir.path()).env("APT_CONFIG", &config);
        let output = program.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };

    let (status, said) = run("");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("skipped: packages of Debian 13: "), "{said}");
    let (status, said) = run("true");
    assert_eq!(status, Some(101), "{said}");
    assert!(!said.contains("in a guest"), "{said}");
}

/// In the guest: two namespaces reach each other through a bridge in the kernel.
fn forward() {
    assert!(
        fs::read_to_string("/proc/modules")
            .unwrap()
            .contains("openvswitch ")
    );
    // A datapath of ovs-dpctl's own, before a switch looks after all of them.
    sh("ovs-dpctl add-dp dp0");
    assert!(sh("ovs-dpctl show").contains("system@dp0:"));
    sh("ovs-dpctl del-dp dp0");

    let switch = Switch::in_guest().unwrap();
    println!("Open vSwitch {}", version().unwrap());
    switch.add_bridge("br0").unwrap();
    switch
        .ofctl(&["add-flow", &switch.mgmt("br0"), "actions=NORMAL"])
        .unwrap();
    for host in ["1", "2"] {
        // The shell and `ip` are the real ones: busybox has no namespaces.
        sh(&format!(
            "ip netns add n{host} && ip link add v{host} type veth peer name eth0 netns n{host} && \
             ip link set v{host} up && ip -n n{host} link set eth0 up && \
             ip -n n{host} address add 10.0.0.{host}/24 dev eth0"
        ));
        switch.vsctl(&["add-port", "br0", &format!("v{host}")]).unwrap();
    }
    sh("ip netns exec n1 ping -c 3 -W 5 10.0.0.2");
    let show = switch.appctl(&["dpctl/show"]).unwrap();
    assert!(show.contains(" lost:0"), "{show}");
    assert!(!show.contains(" missed:0"), "{show}");
}

/// Boots a guest that runs this program with `what` as its argument.
fn boot(what: &str, equip: impl FnOnce(Guest) -> Guest) -> Result<Outcome, Error> {
    let program: PathBuf = env::current_exe().unwrap();
    equip(Guest::new()?).run(&program, &[what])
}

/// More than any buffer on the way holds.
fn numbered_lines() -> String {
    let lines: Vec<String> = (0..20_000).map(|number| format!("line {number}\n")).collect();
    lines.concat()
}

/// The argument that asks for a guest with the kernel that cannot be had.
const NEWER: &str = "a newer kernel";
