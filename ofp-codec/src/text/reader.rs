use std::{
    io::{self, BufRead},
    vec::Vec,
};

use crate::{
    model::flow::Flow,
    text::{
        Limits,
        error::{ParseError, Place},
        item::Item,
        line::{self, Line},
        typed,
    },
};

/// Reads a dump as it comes, in memory for one line.
///
/// ```
/// use ofp_codec::text::{DumpReader, Item};
///
/// let mut reader = DumpReader::new(&b" priority=1 actions=drop\n priority=2 actions=NORMAL\n"[..]);
/// let mut priorities = Vec::new();
/// while let Some(item) = reader.next_item() {
///     if let Item::Flow(flow) = item? {
///         priorities.push(flow.to_flow()?.priority);
///     }
/// }
/// assert_eq!(priorities, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DumpReader<R> {
    input: R,
    limits: Limits,
    /// The line that is read, or was: at most one byte above the limit is kept.
    buf: Vec<u8>,
    /// How many bytes of the line were read, its end included.
    taken: usize,
    /// Whether it has colours, perhaps.
    coloured: bool,
    /// Whether `buf` is the line of the item that came last.
    done: bool,
    next: Place,
}

impl<R: BufRead> DumpReader<R> {
    /// A reader of `input` with the default limits.
    pub fn new(input: R) -> Self {
        let limits = Limits::default();
        DumpReader {
            input,
            limits,
            buf: Vec::new(),
            taken: 0,
            coloured: false,
            done: true,
            next: Place::START,
        }
    }

    /// The same reader, with other limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        DumpReader { limits, ..self }
    }

    /// The line of the item or error that came last; of a line that is too long, as many bytes
    /// as the limit and one.
    pub fn line(&self) -> &[u8] {
        &self.buf
    }

    /// The next item, or `None` at the end of the input.
    ///
    /// # Errors
    ///
    /// [`ReadError::Parse`] for a line that cannot be read: the next call goes on behind it.
    /// [`ReadError::Io`] if the input fails: the next call tries again.
    pub fn next_item(&mut self) -> Option<Result<Item<'_>, ReadError>> {
        let line = match self.next_line()? {
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        Some(Item::parse(line).map_err(ReadError::Parse))
    }

    /// Puts the next flow in the place of `flow`, whose memory it takes over. `false`: the input has ended.
    /// Lines that are no flow are passed over.
    ///
    /// The quickest way to typed flows, if none is kept.
    ///
    /// ```
    /// use ofp_codec::{Flow, text::DumpReader};
    ///
    /// let dump = b"NXST_FLOW reply (xid=0x4):\n table=0, n_packets=3, actions=drop\n table=1, n_packets=4, actions=2\n";
    /// let (mut reader, mut flow, mut packets) = (DumpReader::new(&dump[..]), Flow::default(), 0);
    /// while reader.read_flow(&mut flow)? {
    ///     packets += flow.stats.n_packets.unwrap_or(0);
    /// }
    /// assert_eq!(packets, 7);
    /// # Ok::<(), ofp_codec::text::ReadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`next_item`](Self::next_item) and [`FlowRef::to_flow`](super::FlowRef::to_flow); then `flow` has what was
    /// read before the fault.
    pub fn read_flow(&mut self, flow: &mut Flow) -> Result<bool, ReadError> {
        while let Some(line) = self.next_line() {
            if Item::read_flow(line?, flow).map_err(ReadError::Parse)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The flows alone, typed, and what cannot be read: as [`read_flow`](Self::read_flow), for flows that are kept.
    ///
    /// ```
    /// use ofp_codec::{Flow, text::DumpReader};
    ///
    /// let dump = b"NXST_FLOW reply (xid=0x4):\n table=0, actions=drop\n table=1, actions=NORMAL\n";
    /// let flows: Vec<Flow> = DumpReader::new(&dump[..]).flows().collect::<Result<_, _>>()?;
    /// assert_eq!(flows.len(), 2);
    /// # Ok::<(), ofp_codec::text::ReadError>(())
    /// ```
    pub fn flows(mut self) -> impl Iterator<Item = Result<Flow, ReadError>> {
        let mut flow = Flow::default();
        core::iter::from_fn(move || match self.read_flow(&mut flow) {
            Ok(true) => Some(Ok(typed::kept(&mut flow))),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn next_line(&mut self) -> Option<Result<Line<'_>, ReadError>> {
        match self.fill() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(ReadError::Io(error))),
        }
        let place = self.next;
        self.next = place.after(self.taken);
        Some(Ok(Line {
            raw: &self.buf,
            place,
            limits: self.limits,
            coloured: self.coloured,
        }))
    }

    /// Reads a line. `false`: there is none.
    fn fill(&mut self) -> io::Result<bool> {
        if self.done {
            self.buf.clear();
            self.taken = 0;
            self.coloured = false;
            self.done = false;
        }
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let (end, coloured) = line::end(chunk);
            self.coloured |= coloured;
            let text = &chunk[..end.unwrap_or(chunk.len())];
            let room = self
                .limits
                .line_len
                .saturating_add(1)
                .saturating_sub(self.buf.len());
            self.buf.extend_from_slice(&text[..text.len().min(room)]);
            let taken = end.map_or(chunk.len(), |end| end + 1);
            self.input.consume(taken);
            self.taken = self.taken.saturating_add(taken);
            if end.is_some() || taken == 0 {
                self.done = true;
                return Ok(self.taken > 0);
            }
        }
    }
}

/// Why there is no item.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input failed.
    #[error("reading the dump")]
    Io(#[source] io::Error),
    /// A line could not be read.
    #[error(transparent)]
    Parse(ParseError),
}
