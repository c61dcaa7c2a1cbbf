//! `upcall-audit` where it cannot look. What needs a kernel is in `tests/kernel`.

use std::path::Path;

use crate::tool::run;

#[test]
fn what_it_cannot_look_at_is_one_line_and_its_status() {
    let audit = |args: &[&str]| run("upcall-audit", &[&["--ovs", "3.1"], args].concat(), "");
    for args in [&["--pid", "x"][..], &["--ovs", "x"], &["--watch", "-1"], &["5"]] {
        let run = audit(args);
        assert_eq!(
            (run.status, run.stdout.as_str(), run.stderr.lines().count()),
            (64, "", 2),
            "{run:?}"
        );
    }
    // No process has this number.
    let run = audit(&["--pid", "4194304"]);
    assert_eq!(run.status, 3);
    let cause = match Path::new("/sys/module/openvswitch").exists() {
        true => "/proc/4194304",
        false => "ovs_",
    };
    assert!(run.complaint().contains(cause), "{run:?}");
}
