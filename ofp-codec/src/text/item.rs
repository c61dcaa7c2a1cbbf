use core::fmt;

use crate::{
    model::{flow::Flow, version::Version},
    text::{
        Limits,
        error::{Fault, ParseError, Place},
        flow::{self, FlowRef, write_lossy},
        lex,
        line::{self, Line},
        typed,
        value::Token,
    },
};

/// The items of a dump that is in memory, one for each line.
///
/// After an error the iteration goes on with the next line.
///
/// ```
/// use ofp_codec::text::{Item, items};
///
/// let dump = b"NXST_FLOW reply (xid=0x4): flags=[more]\n in_port=1 actions=2\n";
/// let Some(Ok(Item::Header(header))) = items(dump).next() else { panic!("no header") };
/// assert!(header.nxst && header.more);
/// assert_eq!(header.xid, 4);
/// ```
pub fn items(buf: &[u8]) -> Items<'_> {
    Items {
        rest: buf,
        current: &[],
        next: Place::START,
        limits: Limits::default(),
    }
}

/// One line of a dump. `Display` prints the line back, as [`FlowRef`]'s does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Item<'a> {
    /// The header of a reply, of which a dump has one for each OpenFlow message.
    Header(ReplyHeader<'a>),
    /// A flow.
    Flow(FlowRef<'a>),
    /// `ovs-ofctl` could not decode the rest of the message: the flows in it are lost to text.
    /// Their bytes follow as [`Item::HexLine`]s of the whole message.
    DecodeError(DecodeError<'a>),
    /// A line of the bytes of a message that could not be decoded.
    HexLine(HexLine<'a>),
    /// A line of white space.
    Blank(&'a [u8]),
}

impl<'a> Item<'a> {
    /// The line, without its end.
    pub fn raw(&self) -> &'a [u8] {
        match self {
            Item::Header(header) => header.raw,
            Item::Flow(flow) => flow.raw(),
            Item::DecodeError(error) => error.raw,
            Item::HexLine(line) => line.raw,
            Item::Blank(raw) => raw,
        }
    }

    /// The item of a line.
    pub(super) fn parse(line: Line<'a>) -> Result<Self, ParseError> {
        match Item::other(line)? {
            Some(item) => Ok(item),
            None => FlowRef::of_line(line).map(Item::Flow),
        }
    }

    /// Types the flow of a line. `false`: the line is no flow.
    pub(super) fn read_flow(line: Line<'a>, flow: &mut Flow) -> Result<bool, ParseError> {
        match Item::other(line)? {
            Some(_) => Ok(false),
            None => flow::read(line, flow).map(|()| true),
        }
    }

    /// The item of a line that is no flow.
    fn other(whole: Line<'a>) -> Result<Option<Self>, ParseError> {
        whole.check_len()?;
        let Line { raw, place, .. } = whole;
        if let [b' ', b'a'..=b'z', ..] = raw {
            // None of the others begins so.
            return Ok(None);
        }
        let line = raw.trim_ascii_end();
        if line.is_empty() {
            return Ok(Some(Item::Blank(raw)));
        }
        // These lines have no colours.
        let error = |fault: Fault| place.error(raw, fault.span, fault.kind);
        if let Some(words) = lex::header(line) {
            let header = words.and_then(|words| ReplyHeader::typed(raw, &words));
            return header.map(|header| Some(Item::Header(header))).map_err(error);
        }
        if let Some(name) = lex::decode_error(line) {
            return name
                .map(|name| Some(Item::DecodeError(DecodeError { raw, name })))
                .map_err(error);
        }
        let Some((offset, digits)) = lex::hex_line(line) else {
            return Ok(None);
        };
        let offset = lex::digits(16, offset).and_then(|offset| u64::try_from(offset).ok());
        Ok(offset.map(|offset| Item::HexLine(HexLine { raw, offset, digits })))
    }
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lossy(f, self.raw())
    }
}

/// `OFPST_FLOW reply (OF1.3) (xid=0x2): flags=[more]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplyHeader<'a> {
    /// The line.
    pub raw: &'a [u8],
    /// The OpenFlow version of the reply.
    pub version: Version,
    /// The transaction id.
    pub xid: u32,
    /// Whether another part of the same reply follows.
    pub more: bool,
    /// The flags besides that one.
    pub unknown_flags: u16,
    /// Whether it is Nicira's extension of OpenFlow 1.0, `NXST_FLOW`.
    pub nxst: bool,
    /// The name of the error, if `ovs-ofctl` could not decode the first flow of the message: then
    /// this line is an [`Item::DecodeError`] as well.
    pub decode_error: Option<&'a [u8]>,
}

impl<'a> ReplyHeader<'a> {
    fn typed(raw: &'a [u8], words: &lex::HeaderWords<'a>) -> Result<Self, Fault> {
        let whole = Token { text: raw, at: 0 };
        let number = |radix, digits| lex::digits(radix, digits);
        let minor = words.minor.map_or(Some(0), |digits| number(10, digits));
        let version = minor
            .and_then(|minor| u8::try_from(minor).ok()?.checked_add(1))
            .ok_or_else(|| whole.expected("an OpenFlow version"))?;
        let xid = number(16, words.xid)
            .and_then(|xid| u32::try_from(xid).ok())
            .ok_or_else(|| whole.expected("a transaction id of 32 bits"))?;
        let unknown_flags = words.unknown_flags.map_or(Some(0), |digits| number(16, digits));
        let unknown_flags = unknown_flags
            .and_then(|flags| u16::try_from(flags).ok())
            .ok_or_else(|| whole.expected("flags of 16 bits"))?;
        Ok(ReplyHeader {
            raw,
            version: Version(version),
            xid,
            more: words.more,
            unknown_flags,
            nxst: words.nxst,
            decode_error: words.decode_error,
        })
    }
}

/// `***decode error: OFPBAC_BAD_VENDOR_TYPE***`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError<'a> {
    /// The line.
    pub raw: &'a [u8],
    /// The name of the error in Open vSwitch.
    pub name: &'a [u8],
}

/// `00000010  00 00 00 00 00 00 00 00-00 40 00 00 00 00 00 00 |.........@......|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HexLine<'a> {
    /// The line.
    pub raw: &'a [u8],
    /// Where the bytes of this line are in the message.
    pub offset: u64,
    digits: &'a [u8],
}

impl<'a> HexLine<'a> {
    /// The bytes of this line.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        let pairs = self.digits.split(|byte| b" -".contains(byte));
        pairs.filter_map(lex::hex_byte)
    }
}

/// The iterator that [`items`] makes.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a [u8],
    current: &'a [u8],
    next: Place,
    limits: Limits,
}

impl<'a> Items<'a> {
    /// The same items, with other limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Items { limits, ..self }
    }

    /// The line of the item or error that came last.
    pub fn line(&self) -> &'a [u8] {
        self.current
    }

    /// The flows alone, typed, and what cannot be read.
    ///
    /// ```
    /// use ofp_codec::{Flow, text::items};
    ///
    /// let dump = b"NXST_FLOW reply (xid=0x4):\n table=0, actions=drop\n table=1, actions=NORMAL\n";
    /// let flows: Vec<Flow> = items(dump).flows().collect::<Result<_, _>>()?;
    /// assert_eq!(flows.len(), 2);
    /// # Ok::<(), ofp_codec::text::ParseError>(())
    /// ```
    pub fn flows(mut self) -> impl Iterator<Item = Result<Flow, ParseError>> + use<'a> {
        let mut flow = Flow::default();
        core::iter::from_fn(move || {
            loop {
                match Item::read_flow(self.next_line()?, &mut flow) {
                    Ok(true) => return Some(Ok(typed::kept(&mut flow))),
                    Ok(false) => {}
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    fn next_line(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (end, coloured) = line::end(self.rest);
        let len = end.unwrap_or(self.rest.len());
        self.current = &self.rest[..len];
        let taken = end.map_or(len, |end| end + 1);
        self.rest = &self.rest[taken..];
        let place = self.next;
        self.next = place.after(taken);
        Some(Line {
            raw: self.current,
            place,
            limits: self.limits,
            coloured,
        })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line().map(Item::parse)
    }
}
