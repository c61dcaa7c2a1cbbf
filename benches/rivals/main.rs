//! `rivals CRATE SOCKET`: has another crate bring the interfaces of an `ovsdb-server`, or, if it monitors nothing, call it
//! time and again; prints how many there were.

use std::{collections::HashMap, env, error::Error, path::Path};

use ovsdb_client::{
    rpc::{self, RpcClient as _},
    schema::MonitorRequest,
};
use rovs_ovsdb::{Client, ClientConfig};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let [_, rival, socket] = &args[..] else {
        return Err("usage: rivals CRATE SOCKET".into());
    };
    let count = match &**rival {
        "rovs-ovsdb" => {
            let config = ClientConfig::open_vswitch().tables(vec!["Interface".to_owned()]);
            let client = Client::connect_with_config(&format!("unix:{socket}"), config).await?;
            client.idl().rows("Interface").count()
        }
        "ovsdb-client" => {
            let client = rpc::connect_unix(socket).await?;
            let interfaces = MonitorRequest {
                columns: Some(COLUMNS.map(str::to_owned).to_vec()),
                ..MonitorRequest::default()
            };
            let requests = HashMap::from([("Interface".to_owned(), interfaces)]);
            let tables = client.monitor("Open_vSwitch", None, requests).await?;
            tables.values().map(HashMap::len).sum()
        }
        "ovsdb" => {
            let client = ovsdb::Client::connect_unix(Path::new(socket)).await?;
            for _ in 0..CALLS {
                client.list_databases().await?;
            }
            CALLS
        }
        other => return Err(format!("no rival {other}").into()),
    };
    println!("{count}");
    if count == 0 {
        return Err("no rows".into());
    }
    Ok(())
}

/// As many as ours makes.
const CALLS: usize = 20_000;
const COLUMNS: [&str; 13] = [
    "name",
    "type",
    "admin_state",
    "link_state",
    "ofport",
    "mtu",
    "mac_in_use",
    "ifindex",
    "error",
    "options",
    "external_ids",
    "status",
    "statistics",
];
