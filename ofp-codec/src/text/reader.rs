use std::{
    io::{self, BufRead},
    vec::Vec,
};

use crate::text::{
    Limits,
    error::{ParseError, Place},
    item::Item,
    scan::line_end,
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
        match self.fill() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(ReadError::Io(error))),
        }
        let place = self.next;
        self.next = place.after(self.taken);
        Some(Item::parse(&self.buf, place, self.limits).map_err(ReadError::Parse))
    }

    /// Reads a line. `false`: there is none.
    fn fill(&mut self) -> io::Result<bool> {
        if self.done {
            self.buf.clear();
            self.taken = 0;
            self.done = false;
        }
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = line_end(chunk);
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
