//! The server without sockets and without a clock: messages in, messages out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::database::{Database, Outcome};
use super::evaluate::Refusal;
use super::watch::{Form, Watch};
use crate::json::Json;
use crate::rpc::Message;
use crate::schema::DatabaseSchema;
use crate::value::{Uuid, client_json};

/// The databases and the clients.
pub(super) struct State {
    pub(super) databases: BTreeMap<String, Database>,
    clients: BTreeMap<ClientId, ClientState>,
    /// The clients that want a lock; the first has it.
    locks: BTreeMap<String, Vec<ClientId>>,
    /// Transactions whose `wait` is not over.
    waiting: Vec<Waiting>,
    id: Uuid,
    next: u64,
    out: Vec<(ClientId, Output)>,
    /// Clients that are to go once they have their replies.
    leaving: Vec<ClientId>,
}

/// What a client gets.
pub(super) enum Output {
    Message(String),
    /// No more.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClientId(u64);

#[derive(Default)]
struct ClientState {
    watches: Vec<Watch>,
    /// It stays when a database is converted: `set_db_change_aware`.
    is_aware: bool,
}

struct Waiting {
    number: u64,
    client: ClientId,
    /// JSON text.
    id: String,
    /// JSON text.
    params: String,
}

/// A `wait` that is to end.
pub(super) struct Deadline {
    pub(super) number: u64,
    pub(super) millis: u64,
}

/// Why a call gives nothing.
enum Error {
    /// A bare string.
    Plain(&'static str),
    Full(Refusal),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Full(refusal)
    }
}

type Reply = Result<Value, Error>;

impl State {
    /// `server` is the empty database that says what there is.
    pub(super) fn new(mut databases: BTreeMap<String, Database>, server: Database) -> Self {
        databases.insert(SERVER.to_owned(), server);
        let rows = databases.values().map(|database| {
            let row = json!({"name": database.schema.name, "model": "standalone", "connected": true,
                "leader": true, "schema": text(&json!(database.schema))});
            json!({"op": "insert", "table": "Database", "row": row})
        });
        let rows: Vec<Value> = rows.collect();
        if let Some(server) = databases.get_mut(SERVER) {
            server.write(&rows);
        }
        Self {
            databases,
            clients: BTreeMap::new(),
            locks: BTreeMap::new(),
            waiting: Vec::new(),
            id: Uuid::random(),
            next: 0,
            out: Vec::new(),
            leaving: Vec::new(),
        }
    }

    pub(super) fn connect(&mut self) -> ClientId {
        let client = ClientId(self.number());
        self.clients.insert(client, ClientState::default());
        client
    }

    pub(super) fn disconnect(&mut self, client: ClientId) {
        self.clients.remove(&client);
        self.waiting.retain(|waiting| waiting.client != client);
        let locks: Vec<String> = self.locks.keys().cloned().collect();
        for lock in locks {
            self.leave(client, &lock);
        }
    }

    /// Takes a message. Gives when a `wait` in it ends.
    pub(super) fn receive(&mut self, client: ClientId, message: &Message<'_>) -> Option<Deadline> {
        match message {
            Message::Request { id, method, params } => {
                if method == "transact" {
                    return self.start_transaction(client, (*id).to_owned(), (*params).to_owned());
                }
                let reply = self.call(client, method, params);
                self.reply(client, id, reply);
                for client in std::mem::take(&mut self.leaving) {
                    self.out.push((client, Output::End));
                    self.disconnect(client);
                }
            }
            Message::Notification { method, params } if method == "cancel" => {
                let ids: Vec<Value> = serde_json::from_slice(params).unwrap_or_default();
                let is_it = |waiting: &Waiting| {
                    let id: Value = serde_json::from_str(&waiting.id).unwrap_or_default();
                    waiting.client == client && ids.first() == Some(&id)
                };
                if let Some(at) = self.waiting.iter().position(is_it) {
                    let waiting = self.waiting.remove(at);
                    self.reply(client, &waiting.id, Err(Error::Plain("canceled")));
                }
            }
            _ => {}
        }
        None
    }

    /// Ends a `wait` that has lasted long enough.
    pub(super) fn expire(&mut self, number: u64) {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.number == number) {
            let waiting = self.waiting.remove(at);
            let _ = self.transact(waiting, true);
        }
    }

    /// What is to be sent, in this order.
    pub(super) fn take_output(&mut self) -> Vec<(ClientId, Output)> {
        std::mem::take(&mut self.out)
    }

    fn call(&mut self, client: ClientId, method: &str, params: &str) -> Reply {
        // What tables to follow, as its text.
        let tables = Json::new(params).ok().and_then(Json::array);
        let tables = tables.and_then(|params| params.get(2).copied());
        let params: Vec<Value> = serde_json::from_str(params).unwrap_or_default();
        match (method, params.as_slice()) {
            ("echo", _) => Ok(params.into()),
            ("list_dbs", _) => Ok(json!(self.databases.keys().collect::<Vec<_>>())),
            ("get_server_id", _) => Ok(json!(self.id.to_string())),
            ("set_db_change_aware", [Value::Bool(is_aware)]) => {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.is_aware = *is_aware;
                }
                Ok(json!({}))
            }
            ("convert", [name, schema]) => self.convert(name, schema),
            ("convert", _) => Err(malformed(method).into()),
            ("get_schema", [name]) => Ok(json!(self.database(name)?.schema)),
            ("monitor", [name, id, _]) => self.monitor(client, Form::Plain, name, id, tables),
            ("monitor_cond", [name, id, _]) => self.monitor(client, Form::Cond, name, id, tables),
            ("monitor_cond_since", [name, id, _, _]) => self.monitor(client, Form::Since, name, id, tables),
            ("monitor_cond_change", [old, new, _]) => self.change_monitor(client, old, new, tables),
            ("monitor_cancel", [id]) => {
                let watches = self.clients.get_mut(&client).map(|client| &mut client.watches);
                let watches = watches.ok_or(Error::Plain("unknown monitor"))?;
                let before = watches.len();
                watches.retain(|watch| watch.id != *id);
                match watches.len() < before {
                    true => Ok(json!({})),
                    false => Err(Error::Plain("unknown monitor")),
                }
            }
            ("lock", [Value::String(name)]) => {
                let queue = self.locks.entry(name.clone()).or_default();
                if queue.contains(&client) {
                    let details = "must issue \"unlock\" before new \"lock\"";
                    return Err(Refusal::new("syntax error", details).into());
                }
                queue.push(client);
                Ok(json!({ "locked": queue.first() == Some(&client) }))
            }
            ("steal", [Value::String(name)]) => {
                let queue = self.locks.entry(name.clone()).or_default();
                queue.retain(|waiting| *waiting != client);
                let victim = queue.first().copied();
                queue.insert(0, client);
                if let Some(victim) = victim {
                    self.notify(victim, "stolen", &json!([name]));
                }
                Ok(json!({ "locked": true }))
            }
            ("unlock", [Value::String(name)]) => {
                if !self.locks.get(name).is_some_and(|queue| queue.contains(&client)) {
                    let details = "\"unlock\" without \"lock\" or \"steal\"";
                    return Err(Refusal::new("syntax error", details).into());
                }
                self.leave(client, name);
                Ok(json!({}))
            }
            ("get_schema", _) => Err(malformed(method).into()),
            (
                "set_db_change_aware"
                | "monitor"
                | "monitor_cond"
                | "monitor_cond_since"
                | "monitor_cond_change"
                | "monitor_cancel"
                | "lock"
                | "steal"
                | "unlock",
                _,
            ) => Err(Error::Plain("invalid parameters")),
            _ => Err(Error::Plain("unknown method")),
        }
    }

    fn monitor(
        &mut self,
        client: ClientId,
        form: Form,
        name: &Value,
        id: &Value,
        tables: Option<Json<'_>>,
    ) -> Reply {
        let database = self.database(name)?;
        let watch = Watch::new(
            id.clone(),
            name.as_str().unwrap_or_default().to_owned(),
            form,
            &database.schema,
            tables.ok_or(Error::Plain("invalid parameters"))?,
        )?;
        let initial = watch.initial(&database.schema, &database.tables);
        let watches = self.clients.get_mut(&client).map(|client| &mut client.watches);
        let watches = watches.ok_or(Error::Plain("canceled"))?;
        if watches.iter().any(|watch| watch.id == *id) {
            return Err(Refusal::new("syntax error", "duplicate monitor ID").into());
        }
        watches.push(watch);
        Ok(initial)
    }

    fn change_monitor(
        &mut self,
        client: ClientId,
        old: &Value,
        new: &Value,
        tables: Option<Json<'_>>,
    ) -> Reply {
        let tables = tables.ok_or(Error::Plain("invalid parameters"))?;
        let watches = self.clients.get_mut(&client).map(|client| &mut client.watches);
        let mut watches = watches.into_iter().flatten();
        let Some(watch) = watches.find(|watch| watch.id == *old) else {
            return Err(Refusal::new("syntax error", "unknown monitor session").into());
        };
        let Some(database) = self.databases.get(&watch.database) else {
            return Err(unknown_database(&watch.database).into());
        };
        let update = watch.change_conditions(&database.schema, &database.tables, new, tables)?;
        if let Some(params) = update {
            let method = watch.form().update();
            self.notify(client, method, &params);
        }
        Ok(json!({}))
    }

    /// Converts a database. Clients that do not know of such changes lose their connection.
    fn convert(&mut self, name: &Value, schema: &Value) -> Reply {
        let database = self.database(name)?;
        let parsed = DatabaseSchema::parse(&schema.to_string())
            .map_err(|error| Refusal::new("syntax error", error.to_string()))?;
        let name = database.schema.name.clone();
        if parsed.name != name {
            let details = format!("new schema name {} does not match {name}", parsed.name);
            return Err(Refusal::new("invalid parameters", details).into());
        }
        let converted = database.converted(parsed)?;
        let schema = json!(converted.schema);
        self.databases.insert(name.clone(), converted);
        let mut canceled = Vec::new();
        for (id, client) in &mut self.clients {
            if !client.is_aware {
                self.leaving.push(*id);
                continue;
            }
            let (gone, stay) = std::mem::take(&mut client.watches)
                .into_iter()
                .partition(|watch| watch.database == name);
            client.watches = stay;
            canceled.extend(Vec::into_iter(gone).map(|watch: Watch| (*id, json!([watch.id]))));
        }
        let gone = |waiting: &Waiting| {
            let params = Json::new(&waiting.params).ok().and_then(Json::array);
            params.and_then(|params| params.first()?.string()).as_ref() == Some(&name)
        };
        let (pending, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(gone);
        self.waiting = waiting;
        for Waiting { client, id, .. } in pending {
            if !self.leaving.contains(&client) {
                self.reply(client, &id, Err(Error::Plain("canceled")));
            }
        }
        for (client, params) in canceled {
            self.notify(client, "monitor_canceled", &params);
        }
        self.write_status(&name, &schema);
        Ok(json!({}))
    }

    /// Says what schema a database has now.
    fn write_status(&mut self, name: &str, schema: &Value) {
        let row = json!({ "schema": text(schema) });
        let update =
            json!({"op": "update", "table": "Database", "where": [["name", "==", name]], "row": row});
        if let Some(server) = self.databases.get_mut(SERVER) {
            let before = server.tables.clone();
            server.write(&[update]);
            self.tell(SERVER, &before);
        }
    }

    fn start_transaction(&mut self, client: ClientId, id: String, params: String) -> Option<Deadline> {
        let number = self.number();
        let waiting = Waiting {
            number,
            client,
            id,
            params,
        };
        let millis = self.transact(waiting, false)??;
        Some(Deadline { number, millis })
    }

    /// Executes a transaction and tells everybody. If it has to wait, the inner option is for how
    /// long at most.
    fn transact(&mut self, transaction: Waiting, waited: bool) -> Option<Option<u64>> {
        let Waiting { client, params, .. } = &transaction;
        let params = Json::new(params).ok().and_then(Json::array).unwrap_or_default();
        let Some((name, operations)) = params.split_first() else {
            self.reply(*client, &transaction.id, Err(malformed("transact").into()));
            return None;
        };
        let name = name.string().unwrap_or_default();
        let Some(database) = self.databases.get_mut(&name) else {
            let error = unknown_database(&name);
            self.reply(*client, &transaction.id, Err(error.into()));
            return None;
        };
        let owns = |lock: &str| {
            self.locks
                .get(lock)
                .is_some_and(|queue| queue.first() == Some(client))
        };
        let before = database.tables.clone();
        match database.transact(operations, &owns, waited) {
            Outcome::Waits(millis) => {
                self.waiting.push(transaction);
                Some(millis)
            }
            Outcome::Done(result) => {
                let changed = self.tell(&name, &before);
                self.reply(transaction.client, &transaction.id, Ok(result));
                if changed {
                    // What somebody waits for may be true now.
                    for waiting in std::mem::take(&mut self.waiting) {
                        let _ = self.transact(waiting, false);
                    }
                }
                None
            }
        }
    }

    /// Tells the monitors what has changed. False: nothing has.
    fn tell(&mut self, name: &str, before: &super::database::Tables) -> bool {
        let Some(database) = self.databases.get(name) else {
            return false;
        };
        if database.tables == *before {
            return false;
        }
        let mut updates = Vec::new();
        for (id, client) in &self.clients {
            for watch in client.watches.iter().filter(|watch| watch.database == name) {
                if let Some(params) = watch.update(&database.schema, before, &database.tables) {
                    updates.push((*id, watch.form().update(), params));
                }
            }
        }
        for (client, method, params) in updates {
            self.notify(client, method, &params);
        }
        true
    }

    /// Gives a lock back, or no longer waits for it.
    fn leave(&mut self, client: ClientId, lock: &str) {
        let Some(queue) = self.locks.get_mut(lock) else {
            return;
        };
        let had_it = queue.first() == Some(&client);
        queue.retain(|waiting| *waiting != client);
        let next = queue.first().copied();
        if queue.is_empty() {
            self.locks.remove(lock);
        }
        if let (true, Some(next)) = (had_it, next) {
            self.notify(next, "locked", &json!([lock]));
        }
    }

    fn database(&self, name: &Value) -> Result<&Database, Refusal> {
        let name = name.as_str().unwrap_or_default();
        self.databases.get(name).ok_or_else(|| unknown_database(name))
    }

    fn reply(&mut self, client: ClientId, id: &str, reply: Reply) {
        let message = match reply {
            Ok(result) => format!(r#"{{"id":{id},"result":{},"error":null}}"#, text(&result)),
            Err(error) => {
                let error = match error {
                    Error::Plain(error) => json!(error),
                    Error::Full(refusal) => refusal.to_json(),
                };
                format!(r#"{{"id":{id},"result":null,"error":{error}}}"#)
            }
        };
        self.out.push((client, Output::Message(message)));
    }

    fn notify(&mut self, client: ClientId, method: &str, params: &Value) {
        let message = json!({ "id": null, "method": method, "params": params });
        self.out.push((client, Output::Message(text(&message))));
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// The database that says which ones there are: ovsdb-server(5).
const SERVER: &str = "_Server";

/// JSON as the server writes it.
fn text(value: &Value) -> String {
    client_json(value).unwrap_or_default()
}

fn malformed(method: &str) -> Refusal {
    Refusal::new(
        "syntax error",
        format!("{method} request params must be an array of its own"),
    )
}

fn unknown_database(name: &str) -> Refusal {
    Refusal::new("unknown database", format!("unknown database {name}"))
}
