//! Values as text, beside `ovs-vsctl` and `ovsdb-client`.

use std::collections::BTreeMap;

use ovsdb_proto::value::Datum;
use testbed::{OvsdbServer, or_skip};

/// Words, and what has to be quoted or escaped.
const PIECES: [&str; 24] = [
    "a",
    "Z",
    "_",
    "9",
    "-",
    ".",
    ":",
    " ",
    "\"",
    "\\",
    "/",
    ",",
    "=",
    "[",
    "{",
    "\n",
    "\t",
    "\u{1}",
    "\u{1f}",
    "\u{7f}",
    "\u{e4}",
    "\u{1f980}",
    "true",
    "abcdef01-2345-6789-abcd-ef0123456789",
];
const ROUNDS: usize = 40;

/// A generator of Knuth's, so that each run is the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn string(&mut self) -> String {
        let len = self.below(4);
        (0..len).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

#[test]
fn random_strings_are_printed_as_the_real_tools_print_them() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["init"]).unwrap();
    let mut random = Random(1);
    for _ in 0..ROUNDS {
        let pairs = (0..random.below(9)).map(|_| (random.string(), random.string()));
        // Of two pairs with one key the server takes neither.
        let pairs: Vec<_> = BTreeMap::from_iter(pairs).into_iter().collect();
        let value = serde_json::json!(["map", pairs]);
        let datum: Datum = serde_json::from_value(value.clone()).unwrap();
        let update = serde_json::json!(["Open_vSwitch", {
            "op": "update", "table": "Open_vSwitch", "where": [], "row": { "external_ids": value },
        }]);
        server
            .client(&["transact", &server.remote(), &update.to_string()])
            .unwrap();
        let theirs = server
            .vsctl(&["get", "Open_vSwitch", ".", "external_ids"])
            .unwrap();
        assert_eq!(datum.to_string(), theirs.trim_end_matches('\n'));
        let dump = [
            "--format=json",
            "dump",
            &server.remote(),
            "Open_vSwitch",
            "Open_vSwitch",
            "external_ids",
        ];
        let theirs = server.client(&dump).unwrap();
        let ours = datum.to_client_json().unwrap();
        assert!(
            theirs.contains(&format!("\"data\":[[{ours}]]")),
            "{theirs} {ours}"
        );
    }
}
