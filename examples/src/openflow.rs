//! Flows of a running switch.

use std::fmt::Write as _;

use ofp_codec::client::{Connection, Error, Options};
use ofp_codec::wire::FlowRequest;
use ofp_codec::{Flow, Version};

use crate::cli::{Failure, chain, complain};

/// Whether this names a switch (`unix:FILE`, `tcp:HOST:PORT`) and not a file.
pub fn is_remote(source: &str) -> bool {
    ["unix:", "tcp:", "ssl:"]
        .iter()
        .any(|scheme| source.starts_with(scheme))
}

/// The name of a switch that can be asked.
///
/// # Errors
/// [`Failure`]: it is a file, or a switch that only speaks TLS.
pub fn remote(text: &str) -> Result<String, Failure> {
    match text.split_once(':') {
        Some(("unix" | "tcp", place)) if !place.is_empty() => Ok(text.to_owned()),
        _ => Err(Failure::usage(format_args!(
            "{text:?} is neither unix:FILE nor tcp:HOST:PORT, where switches are asked"
        ))),
    }
}

/// Connects to a switch.
///
/// # Errors
/// [`Failure`]: it cannot be reached, or speaks no version that is known here.
pub async fn connect(remote: &str) -> Result<Connection, Failure> {
    Connection::connect(remote, Options::default())
        .await
        .map_err(failed(remote))
}

/// What an error of a connection to this switch is.
pub fn failed(remote: &str) -> impl Fn(Error) -> Failure {
    move |error| match error {
        // These name it already.
        Error::Connect { .. } | Error::Remote { .. } => Failure::blind(chain(&error)),
        error => Failure::blind(format_args!("{remote}: {}", chain(&error))),
    }
}

/// The flows of a switch as they are, with all that was not printed of them, and the version that it speaks. A flow that
/// cannot be read is complained of, and costs no other: how many they are.
///
/// # Errors
/// [`Failure`]: the switch cannot be reached, or the connection ends.
pub async fn flows(reader: &str, remote: &str) -> Result<(Version, Vec<Flow>, usize), Failure> {
    let failed = failed(remote);
    let mut switch = connect(remote).await?;
    let version = switch.version();
    let (mut flows, mut unread) = (Vec::new(), 0);
    let mut dump = switch.flows(&FlowRequest::default()).map_err(&failed)?;
    while let Some(flow) = dump.next().await.map_err(&failed)? {
        match flow {
            Ok(flow) => flows.push(flow),
            Err(bad) => {
                unread += 1;
                complain(reader, format_args!("a flow that cannot be read: {}", bad.error));
            }
        }
    }
    Ok((version, flows, unread))
}

/// The flows of a switch as `ovs-ofctl dump-flows` prints them. A flow that cannot be read is a `***decode error***` as
/// it has it, but costs no other.
///
/// # Errors
/// [`Failure`]: the switch cannot be reached, or the connection ends.
pub async fn dump(remote: &str) -> Result<String, Failure> {
    let failed = failed(remote);
    let mut switch = connect(remote).await?;
    let version = switch.version();
    // Without flows there is a header, as from ovs-ofctl.
    let mut text = format!(
        "OFPST_FLOW reply (OF1.{}) (xid=0x0):\n",
        version.0.saturating_sub(1)
    );
    let mut flows = switch.flows(&FlowRequest::default()).map_err(&failed)?;
    while let Some(flow) = flows.next().await.map_err(&failed)? {
        // Writing to a String does not fail.
        let _ = match flow {
            Ok(flow) => writeln!(text, " {}", flow.canonical(version)),
            Err(bad) => writeln!(text, "***decode error: {}***", bad.error),
        };
    }
    Ok(text)
}
