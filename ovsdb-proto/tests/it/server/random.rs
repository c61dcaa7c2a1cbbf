//! Random transactions on both servers.

use serde_json::{Value, json};

use super::both::{both, compare};
use super::{row, transact, uuid};

struct Random(u64);

impl Random {
    fn below(&mut self, n: u8) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u8::try_from(self.0 % u64::from(n)).unwrap()
    }

    fn text(&mut self) -> Value {
        json!(["a", "b", "c", ""][usize::from(self.below(4))])
    }

    fn map(&mut self) -> Value {
        let keys = ["a", "b", "c"].into_iter().filter(|_| self.below(2) == 0);
        let keys: Vec<&str> = keys.collect();
        let pairs: Vec<Value> = keys.into_iter().map(|key| json!([key, self.text()])).collect();
        json!(["map", pairs])
    }

    fn set(&mut self) -> Value {
        let atoms: Vec<u8> = (0..4).filter(|_| self.below(2) == 0).collect();
        json!(["set", atoms])
    }

    /// Rows of Port refer strongly to Interface, of Mirror weakly to Port.
    fn operation(&mut self) -> Value {
        let (n, m) = (self.below(5), self.below(5));
        let function = ["==", "!=", "includes", "excludes"][usize::from(self.below(4))];
        let condition = match self.below(5) {
            0 => json!(["_uuid", function, uuid(64 + n)]),
            1 => json!(["external_ids", function, self.map()]),
            2 => json!(["type", function, self.text()]),
            3 => json!(true),
            _ => json!(["queues", function, ["map", [[1, uuid(80 + m)]]]]),
        };
        let mutator = ["insert", "delete"][usize::from(self.below(2))];
        let arithmetic = ["+=", "-=", "*=", "/=", "%="][usize::from(self.below(5))];
        match self.below(14) {
            0 | 1 => {
                json!({"op": "insert", "table": "QoS", "uuid": row(64 + n), "row": {"type": self.text(), "external_ids": self.map()}})
            }
            2 => json!({"op": "insert", "table": "Queue", "uuid": row(80 + n), "row": {"dscp": m * 20}}),
            3 => {
                json!({"op": "update", "table": "QoS", "where": [condition], "row": {"queues": ["map", [[1, uuid(80 + m)], [2, uuid(81)]]]}})
            }
            4 => json!({"op": "update", "table": "QoS", "where": [condition], "row": {"type": self.text()}}),
            5 => {
                json!({"op": "mutate", "table": "QoS", "where": [condition], "mutations": [["external_ids", mutator, self.map()]]})
            }
            6 => {
                json!({"op": "mutate", "table": "QoS", "where": [condition], "mutations": [["external_ids", "delete", ["set", [self.text(), "a b"]]]]})
            }
            7 => {
                json!({"op": "mutate", "table": "Queue", "where": [], "mutations": [["dscp", arithmetic, m]]})
            }
            8 => json!({"op": "delete", "table": "QoS", "where": [condition]}),
            9 => json!({"op": "delete", "table": "Queue", "where": [["dscp", "<", m * 10]]}),
            10 => {
                json!({"op": "insert", "table": "Bridge", "uuid": row(96 + n), "row": {"name": self.text(), "flood_vlans": self.set()}})
            }
            11 => {
                json!({"op": "mutate", "table": "Bridge", "where": [], "mutations": [["flood_vlans", mutator, self.set()]]})
            }
            12 => {
                json!({"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["bridges", mutator, uuid(96 + n)]]})
            }
            _ => {
                json!({"op": "select", "table": "QoS", "where": [condition], "columns": ["type", "external_ids"]})
            }
        }
    }
}

#[test]
fn random_transactions_end_as_on_the_real_server() {
    let Some(both) = both() else { return };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let tables = json!({"QoS": [{"columns": ["type", "external_ids", "queues"]}], "Queue": [{"columns": ["dscp"]}],
        "Bridge": [{"columns": ["name", "flood_vlans"]}], "Open_vSwitch": [{"columns": ["bridges"]}]});
    let mut script = vec![
        ("monitor", json!(["Open_vSwitch", 1, tables])),
        ("monitor_cond", json!(["Open_vSwitch", 2, tables])),
        (
            "monitor_cond",
            json!(["Open_vSwitch", 3, {"QoS": [{"columns": ["type"], "where": [["type", "==", "a"]]}]}]),
        ),
        transact(&[json!({"op": "insert", "table": "Open_vSwitch", "uuid": row(95), "row": {}})]),
    ];
    for _ in 0..1500 {
        let operations: Vec<Value> = (0..=random.below(3)).map(|_| random.operation()).collect();
        script.push(transact(&operations));
    }
    compare(&both, &script);
}
