//! `ovsdb-monitor` beside `ovsdb-client monitor`.

use std::process::Command;

use serde_json::{Value, json};
use testbed::{OvsdbServer, or_skip, program};

use crate::tool::{Background, Run, command, run, run_without_reader};

const DB: &str = "Open_vSwitch";

fn monitor(args: &[&str]) -> Run {
    run("ovsdb-monitor", args, "")
}

fn ours(server: &OvsdbServer, args: &[&str]) -> Background {
    let remote = server.remote();
    Background::start(command("ovsdb-monitor"), &[&[&remote, DB][..], args].concat())
}

fn theirs(server: &OvsdbServer, args: &[&str]) -> Background {
    let remote = server.remote();
    Background::start(
        Command::new(program("ovsdb-client").unwrap()),
        &[&["monitor", &remote, DB][..], args].concat(),
    )
}

/// The server with `br0` and a port `p1`.
fn server() -> Option<OvsdbServer> {
    let server = or_skip(OvsdbServer::start())?;
    let ids = "external_ids:attached-mac=\"00:11:22:33:44:55\"";
    server
        .vsctl(&["init", "--", "add-br", "br0", "--", "add-port", "br0", "p1"])
        .unwrap();
    server
        .vsctl(&[
            "set",
            "interface",
            "p1",
            "type=internal",
            "external_ids:iface-id=abc",
            ids,
        ])
        .unwrap();
    Some(server)
}

/// What an operator and ovs-vswitchd do with a port, one transaction after the other.
const LIFE: [&[&str]; 6] = [
    &[
        "add-port",
        "br0",
        "p2",
        "--",
        "set",
        "interface",
        "p2",
        "type=internal",
    ],
    &[
        "set",
        "interface",
        "p2",
        "external_ids:iface-id=x1",
        r#"external_ids:q="a,b \"c\"""#,
    ],
    &["set", "interface", "p2", "ofport=7"],
    &[
        "set",
        "interface",
        "p1",
        "ofport=3",
        "--",
        "set",
        "interface",
        "p2",
        "ofport=-1",
    ],
    &[
        "set",
        "interface",
        "p2",
        r#"external_ids:odd="\u00e4 \t \\""#,
        "--",
        "clear",
        "interface",
        "p2",
        "ofport",
    ],
    &["del-port", "p2"],
];

/// The order of rows within an update means nothing.
fn sorted_rows(line: &str) -> Value {
    let mut update: Value = serde_json::from_str(line).unwrap();
    let rows = update["data"].as_array_mut().unwrap();
    rows.sort_by_key(|row| row.to_string());
    update
}

fn sorted_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn json_lines_are_those_of_ovsdb_client() {
    let Some(server) = server() else { return };
    let format = ["--format", "json"];
    let ours = ours(
        &server,
        &[&["Interface,name,ofport,external_ids"], &format[..]].concat(),
    );
    let theirs = theirs(
        &server,
        &[&["Interface", "name,ofport,external_ids"], &format[..]].concat(),
    );
    let lines = |count| move |text: &str| text.ends_with('\n') && text.lines().count() == count;
    for (done, step) in (1..).zip(LIFE) {
        // Not sooner: what is not yet sent would be merged.
        ours.wait_for(lines(done));
        theirs.wait_for(lines(done));
        server.vsctl(step).unwrap();
    }
    let ours = ours.wait_for(lines(1 + LIFE.len()));
    let theirs = theirs.wait_for(lines(1 + LIFE.len()));
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(sorted_rows(ours), sorted_rows(theirs));
        // One row leaves no choice of order: byte for byte.
        let rows = sorted_rows(theirs)["data"].as_array().unwrap().len();
        assert!(
            rows > 2 || theirs.contains("initial") || ours == theirs,
            "{ours}\n{theirs}"
        );
    }
    let actions: Vec<Value> = ours
        .lines()
        .map(|line| sorted_rows(line)["data"][0][1].clone())
        .collect();
    assert_eq!(actions.last(), Some(&json!("delete")));
}

#[test]
fn tables_csv_and_lists_are_those_of_ovsdb_client() {
    let Some(server) = server() else { return };
    let formats = ["table", "csv", "list"];
    let pairs = formats.map(|format| {
        let format = ["--format", format];
        (
            ours(
                &server,
                &[&["Interface,name,ofport,external_ids"], &format[..]].concat(),
            ),
            theirs(
                &server,
                &[&["Interface", "name,ofport,external_ids"], &format[..]].concat(),
            ),
        )
    });
    let all = (ours(&server, &["ALL"]), theirs(&server, &["ALL"]));
    for step in LIFE.iter().map(Some).chain([None]) {
        for (ours, theirs) in pairs.iter().chain([&all]) {
            // Both have what the step before did.
            let theirs = || theirs.stdout();
            ours.wait_for(|ours| !ours.is_empty() && sorted_lines(ours) == sorted_lines(&theirs()));
        }
        if let Some(step) = step {
            let before: Vec<_> = pairs
                .iter()
                .chain([&all])
                .map(|(_, theirs)| theirs.stdout())
                .collect();
            server.vsctl(step).unwrap();
            for ((_, theirs), before) in pairs.iter().chain([&all]).zip(before) {
                theirs.wait_for(|text| text.len() > before.len());
            }
        }
    }
    let (ours, _) = &pairs[0];
    assert_eq!(ours.stdout().matches("row ").count(), 1 + LIFE.len());
    // Of one row the order is known: the bytes are the same.
    let last = |text: &str| text.rsplit_once("\n\n").unwrap().1.to_owned();
    for (ours, theirs) in &pairs[..2] {
        assert_eq!(last(&ours.stdout()), last(&theirs.stdout()));
    }
}

#[test]
fn conditions_are_those_of_monitor_cond() {
    let format = ["--format", "json"];
    for (theirs, text) in [
        (r#"["type","==","internal"]"#, "type=internal"),
        (r#"["name","!=","p2"]"#, "name!=p2"),
        (
            r#"["external_ids","includes",["map",[["iface-id","abc"]]]]"#,
            "external_ids:iface-id=abc",
        ),
        (r#"["ofport",">=",5]"#, "ofport>=5"),
        (r#"["ofport","==",["set",[]]]"#, "ofport=[]"),
    ] {
        // Each has a server of its own, and comes when the one before is there: ovsdb-server 3.1 dies, or leaves
        // rows out, where many conditions on the same columns arrive at once.
        let Some(server) = server() else { return };
        server
            .vsctl(&["set", "interface", "br0", "ofport=65534"])
            .unwrap();
        let remote = server.remote();
        let ours = ours(
            &server,
            &[&["Interface,name,ofport", "--where", text], &format[..]].concat(),
        );
        ours.wait_for(|text| text.contains("initial"));
        let args = [
            "monitor-cond",
            &remote,
            DB,
            &format!("[{theirs}]"),
            "Interface",
            "name,ofport",
        ];
        let theirs = Background::start(
            Command::new(program("ovsdb-client").unwrap()),
            &[&args[..], &format].concat(),
        );
        theirs.wait_for(|text| text.contains("initial"));
        for step in LIFE {
            server.vsctl(step).unwrap();
        }
        ours.wait_for(|ours| rows(ours) == rows(&theirs.stdout()) && ours.lines().count() > 1);
    }
}

/// The rows of each update, sorted, without what is said in other words: `ovsdb-client` has others for a row that
/// changed, and has them also if only other columns did.
fn rows(text: &str) -> Vec<Vec<String>> {
    let is_empty = |row: &Value| row[1] == "modify" && row[2].is_null() && row[3].is_null();
    let lines = text.lines().map(|line| {
        let update = sorted_rows(line);
        let rows = update["data"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row[1] != "new" && !is_empty(row));
        let mut rows: Vec<_> = rows
            .map(|row| format!("{} {}", row[0], row[1]).replace("old", "modify"))
            .collect();
        rows.sort_unstable();
        rows
    });
    lines.filter(|rows| !rows.is_empty()).collect()
}

#[test]
fn a_server_that_says_nothing_is_given_up_and_taken_up_again() {
    let Some(server) = server() else { return };
    let monitor = ours(&server, &["Bridge,name", "--json", "--probe", "1"]);
    monitor.wait_for(|text| text.contains("br0"));
    server.pause().unwrap();
    monitor.wait_for_error("silent for 2s; trying again");
    server.resume().unwrap();
    monitor.wait_for(|text| text.contains("\"resync\":true"));
}

#[test]
fn a_restart_of_the_server_loses_no_change() {
    let Some(mut server) = server() else { return };
    server.vsctl(&["add-port", "br0", "p2"]).unwrap();
    let args = ["Interface,name,ofport", "--format", "json"];
    let ours = ours(&server, &args);
    let mut theirs = theirs(&server, &["Interface", "name,ofport", "--format", "json"]);
    let lines = |count| move |text: &str| text.ends_with('\n') && text.lines().count() == count;
    ours.wait_for(lines(1));
    theirs.wait_for(lines(1));

    server.kill();
    let file = server.dir().join("conf.db");
    let change = json!([
        DB,
        { "op": "update", "table": "Interface", "where": [["name", "==", "p1"]], "row": { "ofport": 5 } },
        { "op": "update", "table": "Bridge", "where": [], "row": { "ports": ["named-uuid", "port"] } },
        { "op": "insert", "table": "Port", "uuid-name": "port",
          "row": { "name": "new", "interfaces": ["set", [["named-uuid", "new"], ["uuid", p1(&ours)]]] } },
        { "op": "insert", "table": "Interface", "uuid-name": "new", "row": { "name": "new" } },
    ]);
    let changed = Command::new(program("ovsdb-tool").unwrap())
        .arg("transact")
        .arg(&file)
        .arg(change.to_string())
        .output()
        .unwrap();
    let reply = String::from_utf8(changed.stdout).unwrap();
    assert!(changed.status.success() && !reply.contains("error"), "{reply}");
    server.restart().unwrap();
    ours.wait_for(lines(2));
    server.vsctl(&["set", "interface", "p1", "ofport=6"]).unwrap();
    let text = ours.wait_for(lines(3));

    let mut lines = text.lines().skip(1).map(sorted_rows);
    let resync = lines.next().unwrap();
    assert_eq!(resync["resync"], true);
    let rows: Vec<_> = resync["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap()[1..].to_vec())
        .collect();
    let none = json!(["set", []]);
    for row in [
        [json!("old"), Value::Null, none.clone()],
        [json!("new"), json!("p1"), json!(5)],
        [json!("insert"), json!("new"), none.clone()],
        [json!("delete"), json!("br0"), none.clone()],
        [json!("delete"), json!("p2"), none],
    ] {
        assert!(rows.contains(&row.to_vec()), "{row:?}: {resync}");
    }
    assert_eq!(rows.len(), 5);
    let live = lines.next().unwrap();
    assert_eq!((live.get("resync"), &live["data"][0][1]), (None, &json!("new")));
    assert!(ours.stderr().contains("trying again"), "{}", ours.stderr());

    assert_eq!(theirs.wait(), Some(1));
    assert_eq!(theirs.stdout().lines().count(), 1);
}

/// The row of `p1` among the initial ones.
fn p1(monitor: &Background) -> String {
    let rows = sorted_rows(monitor.stdout().lines().next().unwrap());
    let rows = rows["data"].as_array().unwrap();
    let row = rows.iter().find(|row| row[2] == "p1").unwrap();
    row[0].as_str().unwrap().to_owned()
}

#[test]
fn a_resync_without_changes_is_marked_in_every_format() {
    let Some(mut server) = server() else { return };
    let marks = [
        (
            "json",
            r#"{"data":[],"headings":["row","action","name"],"resync":true}"#,
        ),
        ("table", "\n\nresync\nrow action name\n--- ------ ----\n"),
        ("csv", "\n\nresync\nrow,action,name\n"),
        ("list", "\n\nresync\n"),
    ];
    let monitors = marks.map(|(format, _)| ours(&server, &["Bridge,name", "--format", format]));
    for monitor in &monitors {
        monitor.wait_for(|text| text.contains("br0"));
    }
    server.restart().unwrap();
    for (monitor, (_, mark)) in monitors.iter().zip(marks) {
        monitor.wait_for(|text| text.contains(mark));
    }
}

#[test]
fn a_conversion_of_the_database_is_a_resync() {
    let Some(server) = server() else { return };
    let monitor = ours(&server, &["Bridge,name", "--format", "json"]);
    monitor.wait_for(|text| text.contains("br0"));
    let schema = server.client(&["get-schema", &server.remote(), DB]).unwrap();
    let file = server.dir().join("new.ovsschema");
    std::fs::write(&file, schema).unwrap();
    server
        .client(&["convert", &server.remote(), file.to_str().unwrap()])
        .unwrap();
    let text = monitor.wait_for(|text| text.lines().count() == 2);
    assert_eq!(sorted_rows(text.lines().nth(1).unwrap())["resync"], true);
}

#[test]
fn all_columns_are_also_those_of_a_converted_schema() {
    let Some(server) = server() else { return };
    let all = ours(&server, &["ALL", "--format", "json"]);
    let bridge = ours(&server, &["Bridge", "--timestamp"]);
    let name = ours(&server, &["Bridge,name"]);
    all.wait_for(|text| text.contains("Bridge"));
    bridge.wait_for(|text| text.contains("br0"));
    name.wait_for(|text| text.contains("br0"));
    let schema = server.client(&["get-schema", &server.remote(), DB]).unwrap();
    let mut schema: Value = serde_json::from_str(&schema).unwrap();
    let tables = schema["tables"].as_object_mut().unwrap();
    tables["Bridge"]["columns"]["colour"] = json!({ "type": { "key": "string", "min": 0, "max": 1 } });
    tables["Bridge"]["columns"]
        .as_object_mut()
        .unwrap()
        .remove("flood_vlans");
    tables.insert(
        "Park".to_owned(),
        json!({ "columns": { "trees": { "type": "integer" } }, "isRoot": true }),
    );
    let file = server.dir().join("new.ovsschema");
    std::fs::write(&file, schema.to_string()).unwrap();
    let file = file.to_str().unwrap();
    server.client(&["convert", &server.remote(), file]).unwrap();
    // Both columns and tables, from the beginning, and what happens then.
    let changed = "Open_vSwitch has other tables or columns now; all rows follow";
    all.wait_for_error(changed);
    bridge.wait_for_error(changed);
    let transaction = r#"["Open_vSwitch",{"op":"insert","table":"Park","row":{"trees":7}},
        {"op":"update","table":"Bridge","where":[],"row":{"colour":"green"}}]"#;
    all.wait_for(|text| {
        text.lines()
            .any(|line| line.contains("resync") && line.contains("\"br0\""))
    });
    server
        .client(&["transact", &server.remote(), transaction])
        .unwrap();
    all.wait_for(|text| text.contains("\"trees\"") && text.contains("\"green\""));
    let text = bridge.wait_for(|text| text.contains("green"));
    let resync = &text[text.find("resync").unwrap()..];
    assert!(
        resync.contains("initial") && resync.contains("colour") && !resync.contains("flood_vlans"),
        "{text}"
    );
    // Of named columns nothing has changed.
    let text = name.wait_for(|text| text.contains("resync"));
    assert_eq!(text.matches("initial").count(), 1, "{text}");
    assert!(!name.stderr().contains(changed));
}

#[test]
fn timestamps_are_utc_with_milliseconds() {
    let Some(server) = server() else { return };
    let shape = |text: &str| -> String {
        let digit = |c: char| if c.is_ascii_digit() { '9' } else { c };
        text.chars().map(digit).collect()
    };
    let args = ["Bridge", "name", "--timestamp"];
    let (ours, theirs) = (
        ours(&server, &["Bridge,name", "--timestamp"]),
        theirs(&server, &args),
    );
    let first = |text: String| text.lines().next().unwrap().to_owned();
    let ours = first(ours.wait_for(|text| text.contains("br0")));
    let theirs = first(theirs.wait_for(|text| text.contains("br0")));
    assert_eq!(shape(&ours), shape(&theirs));
    assert_eq!(ours[..14], theirs[..14], "the same hour");

    let json = self::ours(&server, &["Bridge,name", "--timestamp", "--format", "json"]);
    let json = sorted_rows(&json.wait_for(|text| text.contains("br0")));
    assert_eq!(shape(json["time"].as_str().unwrap()), shape(&theirs));
}

#[test]
fn what_cannot_be_followed_is_one_line_and_its_status() {
    let Some(server) = server() else { return };
    let remote = server.remote();
    for (args, status, words) in [
        (
            &["unix:/nonexistent/db.sock", DB, "Bridge"][..],
            3,
            "unix:/nonexistent/db.sock",
        ),
        (&[&remote, "Nope", "Bridge"], 3, "Nope"),
        (&[&remote, DB, "Nope"], 3, "no table Nope"),
        (&[&remote, DB, "Bridge,nope"], 3, "no column nope"),
        (&[&remote, DB], 64, "TABLE"),
        (&[&remote, DB, "Bridge,name,name"], 64, "twice"),
        (&[&remote, DB, "Bridge", "Bridge,name"], 64, "twice"),
        (
            &[&remote, DB, "Bridge", "--format", "html"],
            64,
            "one of table, json, csv, list",
        ),
        (&[&remote, DB, "--where", "name=br0"], 64, "behind the table"),
        (&[&remote, DB, "Bridge", "--where", "name"], 64, "COLUMN=VALUE"),
        (&[&remote, DB, "Bridge", "--where", "nope=1"], 3, "no column nope"),
        (
            &[&remote, DB, "Bridge", "--where", "external_ids=1"],
            64,
            "needs a key",
        ),
        (
            &[&remote, DB, "Interface", "--where", "ofport=x"],
            64,
            "not of type integer",
        ),
    ] {
        let run = monitor(args);
        assert_eq!((run.status, run.stdout.as_str()), (status, ""), "{args:?}");
        let line = run.stderr.lines().next().unwrap();
        assert!(line.contains(words), "{run:?}");
        assert_eq!(run.stderr.lines().count(), if status == 64 { 2 } else { 1 });
    }
}

#[test]
fn ends_quietly_with_its_reader_and_with_an_interrupt() {
    let Some(server) = server() else { return };
    let run = run_without_reader("ovsdb-monitor", &[&server.remote(), DB, "Bridge"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));

    let mut monitor = ours(&server, &["Bridge"]);
    monitor.wait_for(|text| text.contains("br0"));
    monitor.interrupt();
    assert_eq!(monitor.wait(), None);
    assert_eq!(monitor.stderr(), "");
}
