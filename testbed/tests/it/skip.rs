use std::{
    env,
    process::{Command, Output},
};

#[test]
fn without_a_tool_a_test_is_skipped_loudly() {
    let output = run_without_tools(&[("CI", "")]);
    assert!(output.status.success(), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr,
        "skipped: ovsdb-tool not found (package openvswitch-switch)\n"
    );
}

#[test]
fn without_a_tool_a_test_fails_in_ci() {
    let output = run_without_tools(&[("CI", "true")]);
    assert_eq!(output.status.code(), Some(101));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains(MISSING), "{stdout}");
}

#[test]
fn turned_off_parts_are_skipped_loudly_also_in_ci() {
    let output = run_without_tools(&[("CI", "true"), ("OVS_RS_REAL", "0")]);
    assert!(output.status.success(), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "skipped: real parts are turned off (OVS_RS_REAL=0)\n");
}

/// Runs one test of this program where PATH is empty: sbin is searched all the same, and Debian
/// has ovsdb-server there but not ovsdb-tool.
fn run_without_tools(environment: &[(&str, &str)]) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "ovsdb::drop_leaves_no_process_and_no_directory"])
        .env("PATH", "")
        .env_remove("OVS_RS_REAL")
        .env_remove("OVS_RS_OPENVSWITCH")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

const MISSING: &str = " not found (package openvswitch-switch)\n";
