//! Everyday changes of the database `Open_vSwitch`: ovs-vswitchd.conf.db(5).
//!
//! Each function makes one transaction with the effect of one `ovs-vsctl --no-wait` command, and
//! the same safeguards: what must be there is asserted in the transaction itself. Where a command
//! names a row that others refer to by UUID, the UUID must be known: `client::Vswitch` looks it
//! up.
//!
//! ```
//! use ovsdb_proto::vswitch::{self, NewPort};
//!
//! let port = NewPort::new("vx0").ty("vxlan").option("remote_ip", "192.0.2.1").transient();
//! let transaction = vswitch::add_port("br0", &port);
//! assert_eq!(transaction.operations().len(), 4);
//! ```

use std::collections::BTreeMap;

use crate::operation::{Condition, Mutation, Mutator, Until};
use crate::transaction::{OperationId, Transaction};
use crate::value::{Atom, Datum, Row, Set, Uuid};

/// A port with one interface of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPort {
    name: String,
    ty: String,
    options: BTreeMap<String, String>,
    external_ids: BTreeMap<String, String>,
    ofport_request: Option<i64>,
    tag: Option<i64>,
    transient: bool,
}

impl NewPort {
    /// A port of this name, of the system's type: an existing network device.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ty: String::new(),
            options: BTreeMap::new(),
            external_ids: BTreeMap::new(),
            ofport_request: None,
            tag: None,
            transient: false,
        }
    }

    /// The interface's type: `internal`, `vxlan`, `patch` and so on.
    #[must_use]
    pub fn ty(mut self, ty: impl Into<String>) -> Self {
        self.ty = ty.into();
        self
    }

    /// An option of the interface.
    #[must_use]
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key.into(), value.into());
        self
    }

    /// A pair of the interface's `external_ids`.
    #[must_use]
    pub fn external_id(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.external_ids.insert(key.into(), value.into());
        self
    }

    /// The OpenFlow port number that the interface is to have.
    #[must_use]
    pub fn ofport_request(mut self, ofport: i64) -> Self {
        self.ofport_request = Some(ofport);
        self
    }

    /// The port's VLAN, as an access port.
    #[must_use]
    pub fn tag(mut self, vlan: i64) -> Self {
        self.tag = Some(vlan);
        self
    }

    /// Marks the port by `other_config:transient=true`: it is removed when Open vSwitch restarts.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    fn insert(&self, transaction: &mut Transaction) -> Atom {
        let interface = Row::from([
            ("name", self.name.as_str().into()),
            ("type", self.ty.as_str().into()),
            ("options", self.options.clone().into()),
            ("external_ids", self.external_ids.clone().into()),
            ("ofport_request", self.ofport_request.into()),
        ]);
        let interface = transaction.insert("Interface", interface);
        let other_config = self.transient.then_some(TRANSIENT);
        let other_config: BTreeMap<_, _> = other_config.into_iter().collect();
        let port = Row::from([
            ("name", self.name.as_str().into()),
            ("interfaces", (&interface).into()),
            ("tag", self.tag.into()),
            ("other_config", other_config.into()),
        ]);
        Atom::from(&transaction.insert("Port", port))
    }
}

/// `add-br BRIDGE`.
#[must_use]
pub fn add_br(bridge: &str) -> Transaction {
    let mut transaction = Transaction::new(DATABASE);
    let port = NewPort::new(bridge).ty("internal").insert(&mut transaction);
    let row = Row::from([("name", bridge.into()), ("ports", Datum::from(port))]);
    let bridge = transaction.insert("Bridge", row);
    transaction.mutate("Open_vSwitch", [], [Mutation::insert("bridges", [&bridge])]);
    transaction
}

/// `del-br BRIDGE`, of a bridge by its UUID. Its ports go with it.
#[must_use]
pub fn del_br(bridge: Uuid) -> Transaction {
    let mut transaction = Transaction::new(DATABASE);
    require(&mut transaction, "Bridge", bridge);
    transaction.mutate("Open_vSwitch", [], [Mutation::delete("bridges", [bridge])]);
    transaction
}

/// `add-port BRIDGE PORT -- set interface PORT …`.
#[must_use]
pub fn add_port(bridge: &str, port: &NewPort) -> Transaction {
    let mut transaction = Transaction::new(DATABASE);
    let named = || [Condition::equal("name", bridge)];
    transaction.require("Bridge", named(), "name", Until::Equal, bridge);
    let port = port.insert(&mut transaction);
    transaction.mutate("Bridge", named(), [Mutation::insert("ports", [port])]);
    transaction
}

/// `del-port PORT`, of a port by its UUID. Its interfaces go with it.
#[must_use]
pub fn del_port(port: Uuid) -> Transaction {
    let mut transaction = Transaction::new(DATABASE);
    require(&mut transaction, "Port", port);
    let bridges = [Condition::includes("ports", port)];
    transaction.mutate("Bridge", bridges, [Mutation::delete("ports", [port])]);
    transaction
}

/// `set TABLE NAME COLUMN=VALUE`, of a table with names.
#[must_use]
pub fn set(table: &str, name: &str, column: &str, value: impl Into<Datum>) -> Transaction {
    let mut transaction = of_row(table, name);
    let row = Row::from([(column, value.into())]);
    transaction.update(table, [Condition::equal("name", name)], row);
    transaction
}

/// `set TABLE NAME COLUMN:KEY=VALUE`: other keys stay as they are, also if somebody else changes
/// them at the same time.
#[must_use]
pub fn set_key(table: &str, name: &str, column: &str, key: &str, value: &str) -> Transaction {
    let mut transaction = of_row(table, name);
    let mutations = [
        Mutation::delete(column, [key]),
        Mutation::insert_pairs(column, [(key, value)]),
    ];
    transaction.mutate(table, [Condition::equal("name", name)], mutations);
    transaction
}

/// `remove TABLE NAME COLUMN KEY`. A key that is not there is no error.
#[must_use]
pub fn remove_key(table: &str, name: &str, column: &str, key: &str) -> Transaction {
    let mut transaction = of_row(table, name);
    let mutations = [Mutation::delete(column, [key])];
    transaction.mutate(table, [Condition::equal("name", name)], mutations);
    transaction
}

/// `clear TABLE NAME COLUMN`, of an optional column or a set. Of a map, [`set`] an empty one.
#[must_use]
pub fn clear(table: &str, name: &str, column: &str) -> Transaction {
    set(table, name, column, Set::default())
}

/// `--columns=_uuid,name find port other_config:transient=true`: adds the query, whose rows have
/// `_uuid` and `name`.
pub fn select_transient_ports(transaction: &mut Transaction) -> OperationId {
    let pair = BTreeMap::from([TRANSIENT]);
    let conditions = [Condition::includes("other_config", pair)];
    transaction.select("Port", conditions, ["_uuid", "name"])
}

/// Asks ovs-vswitchd to tell when it has done all that was committed up to and with this
/// transaction: it then sets `cur_cfg` to the `next_cfg` that the added query gives.
pub fn request_cfg(transaction: &mut Transaction) -> OperationId {
    let increment = Mutation::new("next_cfg", Mutator::Add, 1);
    transaction.mutate("Open_vSwitch", [], [increment]);
    transaction.select("Open_vSwitch", [], ["next_cfg"])
}

/// A transaction that needs a row of this name.
fn of_row(table: &str, name: &str) -> Transaction {
    let mut transaction = Transaction::new(DATABASE);
    let named = [Condition::equal("name", name)];
    transaction.require(table, named, "name", Until::Equal, name);
    transaction
}

fn require(transaction: &mut Transaction, table: &str, row: Uuid) {
    transaction.require(table, [Condition::uuid(row)], "_uuid", Until::Equal, row);
}

/// The name of the database.
pub const DATABASE: &str = "Open_vSwitch";

const TRANSIENT: (&str, &str) = ("transient", "true");
