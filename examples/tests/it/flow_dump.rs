//! `flow-dump`: text, sums, and the page in a real browser.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use testbed::{Browser, Switch, or_skip};

use crate::tool::{Run, run, run_without_reader};

const DUMP: &str = "\
NXST_FLOW reply (xid=0x4):
 cookie=0x1, duration=5.5s, table=0, n_packets=7, n_bytes=700, idle_age=1, priority=2,in_port=21 actions=resubmit(,23)
 cookie=0x1, duration=9.1s, table=22, n_packets=0, n_bytes=0, idle_age=9, priority=1,dl_vlan=1 actions=strip_vlan,output:4
 cookie=0x2, duration=9.1s, table=0, n_packets=90, n_bytes=50, idle_age=9, priority=10,tcp,tp_dst=80,frobnicate=7 actions=zap(1),drop
 cookie=0x2, duration=1s, table=3, n_packets=?, n_bytes=?, idle_age=9, actions=NORMAL
";

fn dump(args: &[&str], text: &str) -> Run {
    run("flow-dump", &[&["-"], args].concat(), text)
}

fn objects(run: &Run) -> Vec<Value> {
    run.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn loses_nothing_that_it_does_not_know() {
    let run = dump(&["--json"], DUMP);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let flows = objects(&run);
    let keys: Vec<_> = flows
        .iter()
        .map(|flow| (flow["table"].clone(), flow["priority"].clone()))
        .collect();
    assert_eq!(
        keys,
        [
            (json!(0), json!(10)),
            (json!(0), json!(2)),
            (json!(3), json!(32768)),
            (json!(22), json!(1))
        ]
    );
    assert_eq!(
        (&flows[0]["match"], &flows[0]["actions"]),
        (&json!("tcp,tp_dst=80,frobnicate=7"), &json!("zap(1),drop"))
    );
    assert_eq!(
        (&flows[2]["match"], &flows[2]["packets"]),
        (&json!(""), &Value::Null)
    );
    let lines = dump(&["--lines"], DUMP).stdout;
    let mut lines: Vec<_> = lines.lines().collect();
    let mut wanted: Vec<_> = DUMP.lines().skip(1).map(str::trim).collect();
    lines.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
}

#[test]
fn filters_sorts_and_sums() {
    let flows = objects(&dump(&["--json", "--sort", "packets", "--limit", "2"], DUMP));
    assert_eq!([&flows[0]["packets"], &flows[1]["packets"]], [90, 7]);
    let flows = objects(&dump(&["--json", "--filter", "tcp && tp_dst=80"], DUMP));
    assert_eq!((flows.len(), &flows[0]["cookie"]), (1, &json!("0x2")));
    let tables = dump(&["--by", "table"], DUMP);
    assert_eq!(
        tables.stdout,
        "table  flows  unused  packets  bytes\n    0      2       0       97    750\n    3      1       0        0      0\n   22      1       1        0      0\n"
    );
    let cookies = objects(&dump(&["--by", "cookie", "--sort", "packets", "--json"], DUMP));
    assert_eq!(
        (&cookies[0]["cookie"], &cookies[0]["packets"]),
        (&json!("0x2"), &json!(90))
    );
    let wrong = dump(&["--filter", "tcp &&"], DUMP);
    assert_eq!((wrong.status, wrong.stderr.lines().count()), (64, 2), "{wrong:?}");
}

#[test]
fn reads_every_version_of_a_real_switch() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    switch
        .vsctl(&[
            "set",
            "bridge",
            "br0",
            "protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15",
        ])
        .unwrap();
    let mgmt = switch.mgmt("br0");
    for flow in [
        "table=1,cookie=5,tcp,nw_dst=10.0.0.0/8,actions=mod_nw_tos:4,output:1",
        "priority=3,arp,actions=NORMAL",
        "actions=drop",
    ] {
        switch.ofctl(&["add-flow", &mgmt, flow]).unwrap();
    }
    for version in [
        "OpenFlow10",
        "OpenFlow11",
        "OpenFlow12",
        "OpenFlow13",
        "OpenFlow14",
        "OpenFlow15",
    ] {
        let text = switch.ofctl(&["-O", version, "dump-flows", &mgmt]).unwrap();
        let run = dump(&["--json"], &text);
        assert_eq!(run.status, 0, "{version}: {run:?}");
        let flows = objects(&run);
        assert_eq!(flows.len(), 3, "{version}");
        assert_eq!(
            (&flows[2]["match"], &flows[2]["cookie"]),
            (&json!("tcp,nw_dst=10.0.0.0/8"), &json!("0x5")),
            "{version}"
        );
    }
}

#[test]
fn asks_a_switch_for_what_ovs_ofctl_prints() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    let mgmt = switch.mgmt("br0");
    assert_eq!(run("flow-dump", &[&mgmt, "--json"], "").stdout, "");
    for n in 0..300 {
        let flow = format!(
            "table={},cookie={n},priority={n},ct_state=+trk+est,tcp,reg5=0x{n:x}/0xfff,nw_dst=10.0.0.0/{},\
             actions=load:{n}->NXM_NX_REG7[0..15],ct(commit,zone={n},nat(src=10.0.0.1)),resubmit(,{})",
            n % 5,
            n % 32 + 1,
            n % 5 + 1
        );
        switch.ofctl(&["add-flow", &mgmt, &flow]).unwrap();
    }
    let without_times = |run: Run| {
        let mut flows = objects(&run);
        flows.iter_mut().for_each(|flow| flow["seconds"] = Value::Null);
        (run.status, flows)
    };
    let live = without_times(run("flow-dump", &[&mgmt, "--json"], ""));
    let text = switch.ofctl(&["-O", "OpenFlow15", "dump-flows", &mgmt]).unwrap();
    let read = without_times(dump(&["--json"], &text));
    assert_eq!(live.1.len(), 300);
    assert_eq!(live, read);
    let absent = run("flow-dump", &["unix:/nonexistent.mgmt"], "");
    assert_eq!(absent.status, 3);
    assert!(
        absent.complaint().contains("unix:/nonexistent.mgmt"),
        "{absent:?}"
    );
}

#[test]
fn what_it_cannot_read_has_its_status() {
    let garbage = dump(&[], &[DUMP, "garbage in the middle\n"].concat());
    assert_eq!(
        (garbage.status, garbage.stdout.lines().count()),
        (3, 5),
        "{garbage:?}"
    );
    assert!(garbage.complaint().starts_with("flow-dump: -: "), "{garbage:?}");
    assert_eq!(run("flow-dump", &["/nonexistent"], "").status, 3);
    for args in [
        &["--sort", "x"][..],
        &["--by", "x"],
        &["a", "b"],
        &["--limit", "-1"],
    ] {
        assert_eq!(dump(args, DUMP).status, 64, "{args:?}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), DUMP.repeat(200)).unwrap();
    let run = run_without_reader("flow-dump", &[file.path().to_str().unwrap()]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
}

/// 5,000 flows of 10 tables, with text that is HTML.
fn many() -> String {
    let mut text = "OFPST_FLOW reply (OF1.3) (xid=0x2):\n".to_owned();
    for n in 0..5000_u64 {
        let packets = n * n * 1_000_003 % 10_000_000_019;
        writeln!(
            text,
            " cookie=0x{:x}, duration=1.0s, table={}, n_packets={packets}, n_bytes={}, priority={},tcp,reg0=0x{n:x},\
             nw_dst=10.0.{}.{} actions=ct(commit,zone={n}),output:\"<b>&p{n}\"",
            n % 7, n % 10, packets * 60, 1 + n % 100, n / 250, n % 250
        )
        .unwrap();
    }
    text
}

#[test]
fn the_page_searches_folds_and_sorts_in_a_real_browser() {
    let Some(browser) = or_skip(Browser::start()) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("flows.html");
    let run = dump(&["--html", page.to_str().unwrap()], &many());
    assert_eq!(run.status, 0, "{run:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(
        !html.contains("http://") && !html.contains("https://") && !html.contains("src="),
        "it stands alone"
    );
    browser.open(&page).unwrap();
    let ask = |script: &str| browser.run(&format!("return {script}")).unwrap();
    let visible = || {
        ask("[...document.querySelectorAll('tbody tr:not(.fold)')].filter(row => row.offsetHeight).length")
    };
    let shown = || ask("document.getElementById('shown').textContent");
    assert_eq!((visible(), shown()), (json!(5000), json!("5000")));
    assert_eq!(
        ask("document.querySelector('b:not(#shown)')"),
        Value::Null,
        "text of flows is no HTML"
    );
    assert_eq!(ask("document.querySelectorAll('tbody').length"), 10);

    // Search: words that are there, and words that are not.
    browser.fill("#search", "reg0=0x1f4, -arp").unwrap();
    assert_eq!((visible(), shown()), (json!(1), json!("1")));
    assert!(
        ask(
            "[...document.querySelectorAll('tbody tr:not(.fold)')].find(row => row.offsetHeight).textContent"
        )
        .as_str()
        .unwrap()
        .contains("zone=500")
    );
    browser.fill("#search", "<B>&P4999").unwrap();
    assert_eq!(shown(), "1", "as they were printed, in whatever case");
    browser.fill("#search", "-tcp").unwrap();
    assert_eq!((visible(), shown()), (json!(0), json!("0")));
    browser.fill("#search", " ").unwrap();
    assert_eq!(shown(), "5000");

    // Fold: one table, then all of them.
    browser.click("tbody[data-table='3'] button").unwrap();
    assert_eq!(visible(), 4500);
    browser.click("tbody[data-table='3'] button").unwrap();
    browser.click("#fold-all").unwrap();
    assert_eq!(visible(), 0);
    browser.click("#fold-all").unwrap();
    assert_eq!(visible(), 5000);

    // Sort: numbers as numbers, each table by itself.
    let column = |column: usize| {
        let cells = ask(&format!(
            "[...document.querySelectorAll(\"tbody[data-table='4'] tr:not(.fold)\")].map(row => row.cells[{column}].textContent)"
        ));
        let cells = cells.as_array().unwrap().iter();
        cells
            .map(|cell| cell.as_str().unwrap().parse::<u64>().unwrap())
            .collect::<Vec<_>>()
    };
    browser.click("thead th:nth-child(2)").unwrap();
    assert!(column(1).is_sorted_by(|a, b| a >= b) && column(1)[0] > column(1)[499]);
    browser.click("thead th:nth-child(2)").unwrap();
    assert!(column(1).is_sorted());
    browser.click("thead th:nth-child(1)").unwrap();
    assert!(column(0).is_sorted_by(|a, b| a >= b));
    assert_eq!(visible(), 5000);

    // Heat: the greatest is full, and zero is empty.
    let heat = ask(
        "[...document.querySelectorAll('tbody tr:not(.fold)')].map(row => [Number(row.cells[1].textContent), parseInt(row.cells[1].style.getPropertyValue('--heat'))])",
    );
    let mut heat: Vec<(u64, u64)> = serde_json::from_value(heat).unwrap();
    heat.sort_unstable();
    assert_eq!((heat[0], heat[4999].1), ((0, 0), 100));
    assert!(heat.is_sorted_by_key(|(_, heat)| *heat));
    assert_eq!(
        ask("performance.getEntriesByType('resource').length"),
        0,
        "nothing is fetched"
    );
    keep_screenshot(&browser);
}

/// For eyes, where somebody asks for it.
fn keep_screenshot(browser: &Browser) {
    if let Some(path) = std::env::var_os("FLOW_DUMP_SCREENSHOT") {
        std::fs::write(Path::new(&path), browser.screenshot().unwrap()).unwrap();
    }
}
