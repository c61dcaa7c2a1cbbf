//! Reading what `ovs-ofctl dump-flows` printed, or a switch says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor};
use std::path::Path;

use ofp_codec::Flow;
use ofp_codec::recover::{LostFlows, Recovery};
use ofp_codec::text::{DumpReader, FlowRef, Item, ParseError, ReadError};

use crate::cli::{self, Failure, Patience, Status, chain, complain};
use crate::openflow;

/// How much of a dump could not be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unread {
    /// Lines.
    pub lines: usize,
    /// There was no line at all, not even a header.
    pub empty: bool,
}

impl Unread {
    /// [`Status::Blind`] unless everything was read.
    pub fn status(self) -> Status {
        match self.lines > 0 || self.empty {
            true => Status::Blind,
            false => Status::Fine,
        }
    }
}

/// `table=25, priority=2,in_port=21`: what tells one flow from another.
pub fn selector(flow: &Flow) -> String {
    let matches = flow.matches.to_string();
    let comma = if matches.is_empty() { "" } else { "," };
    format!("table={}, priority={}{comma}{matches}", flow.table, flow.priority)
}

/// Opens a dump; `-` is standard input.
///
/// # Errors
/// [`Failure`] if there is no such file.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file =
        File::open(path).map_err(|error| Failure::blind(format_args!("{}: {error}", path.display())))?;
    Ok(Box::new(BufReader::new(file)))
}

/// Opens a dump, or asks the switch of this name, `unix:FILE` or `tcp:HOST:PORT`, for one.
///
/// # Errors
/// [`Failure`] if there is no such file, or the switch cannot be reached.
pub fn open_or_ask(tool: &str, source: &Path) -> Result<Box<dyn BufRead>, Failure> {
    match source.to_str() {
        Some(text) if openflow::is_remote(text) => ask(tool, &openflow::remote(text)?),
        _ => open(source),
    }
}

/// The flows of a switch, as it prints them, one after the other; they are not put into a text and read again.
///
/// # Errors
/// [`Failure`] if the switch cannot be reached.
pub fn read_switch(tool: &str, remote: &str, mut each: impl FnMut(Flow)) -> Result<Unread, Failure> {
    let asked = cli::patiently(tool, remote, openflow::flows(tool, remote));
    let (version, flows, lines) = cli::block_on(asked)?;
    flows.iter().for_each(|flow| each(flow.canonical(version)));
    Ok(Unread { lines, empty: false })
}

/// Asks a switch for a dump.
///
/// # Errors
/// [`Failure`] if the switch cannot be reached.
pub fn ask(tool: &str, remote: &str) -> Result<Box<dyn BufRead>, Failure> {
    let text = cli::block_on(cli::patiently(tool, remote, openflow::dump(remote)))?;
    Ok(Box::new(Cursor::new(text)))
}

/// Reads every flow. A line that cannot be read is complained about in the name of `reader`, and the others go on: that is
/// the tool, and which dump if there may be several, as in `flow-diff: after`.
///
/// # Errors
/// [`Failure`] if the input fails.
pub fn read(reader: &str, input: impl BufRead, mut each: impl FnMut(Flow)) -> Result<Unread, Failure> {
    read_lines(reader, input, |flow| flow.to_flow().map(&mut each))
}

/// As [`read`], with each flow as it stands there. What `each` finds wrong with one is complained about, too.
///
/// # Errors
/// [`Failure`] if the input fails.
pub fn read_lines(
    reader: &str,
    input: impl BufRead,
    mut each: impl FnMut(&FlowRef<'_>) -> Result<(), ParseError>,
) -> Result<Unread, Failure> {
    let mut dump = DumpReader::new(input);
    let mut unread = Unread {
        lines: 0,
        empty: true,
    };
    let mut patience = Patience::new(reader);
    let mut recovery = Recovery::default();
    while let Some(item) = dump.next_item() {
        unread.empty = false;
        patience.check();
        let lost = item.as_ref().ok().and_then(|item| recovery.push(item));
        let read = match item {
            Ok(Item::Flow(flow)) if is_group(&flow) => Err(format!("line {}: {GROUP}", flow.line())),
            Ok(Item::Flow(flow)) => each(&flow).map_err(|error| error.to_string()),
            Ok(_) => Ok(()),
            Err(ReadError::Parse(error)) => Err(error.to_string()),
            Err(error) => {
                // Whoever prints a failure names the tool himself.
                let (_, dump) = reader.split_once(": ").unwrap_or((reader, "the dump"));
                return Err(Failure::blind(format_args!("{dump}: {}", chain(&error))));
            }
        };
        // What ovs-ofctl could not decode, it printed as bytes.
        let recovered = lost.iter().flat_map(LostFlows::flows).map(|flow| {
            let line = flow.map_err(|error| error.to_string())?.to_string();
            let line = FlowRef::parse(line.as_bytes()).and_then(|flow| each(&flow));
            line.map_err(|error| error.to_string())
        });
        for fault in [read].into_iter().chain(recovered).filter_map(Result::err) {
            unread.lines += 1;
            complain(reader, fault);
        }
    }
    if recovery.missing() > 0 {
        unread.lines += recovery.missing();
        complain(
            reader,
            "ovs-ofctl lost flows, and the dump has not all of their bytes",
        );
    }
    if unread.empty {
        complain(
            reader,
            "the dump is empty: either there are no flows, or ovs-ofctl failed",
        );
    }
    Ok(unread)
}

/// Whether a line describes a group, whose buckets have actions, too.
fn is_group(flow: &FlowRef<'_>) -> bool {
    flow.info()
        .chain(flow.matches())
        .any(|pair| pair.key == b"group_id")
}

const GROUP: &str = "a line of dump-groups, not of dump-flows";
