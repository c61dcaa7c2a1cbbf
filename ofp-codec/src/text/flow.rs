use alloc::{borrow::Cow, string::String};
use core::{fmt, ops::Range};

use crate::{
    model::{action::Action, flow::Flow},
    text::{
        Limits, action, ansi,
        error::{ErrorKind, Fault, ParseError, Place},
        lex,
        scan::{item_end, skip_separators, word_end},
        typed,
        value::Token,
    },
};

/// A line that is a flow: where its parts are, untyped. It borrows the line and allocates only
/// to take colours out.
///
/// `Display` prints the line back, as it is; bytes that are not UTF-8 print as U+FFFD, and
/// [`raw`](Self::raw) has them as they are.
///
/// ```
/// use ofp_codec::text::FlowRef;
///
/// let line = b" table=7, in_port=\"a, b\",tcp actions=clone(output:1,output:2),drop";
/// let flow = FlowRef::parse(line)?;
/// let keys: Vec<_> = flow.matches().map(|pair| (pair.key, pair.value)).collect();
/// assert_eq!(keys, [(&b"in_port"[..], Some(&b"\"a, b\""[..])), (b"tcp", None)]);
/// let actions: Vec<_> = flow.actions().map(|action| action.raw()).collect();
/// assert_eq!(actions, [&b"clone(output:1,output:2)"[..], b"drop"]);
/// assert_eq!(flow.raw(), line);
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FlowRef<'a> {
    raw: &'a [u8],
    /// The line without its colours: what the spans are of.
    text: Cow<'a, [u8]>,
    info: Range<usize>,
    matches: Range<usize>,
    actions: Range<usize>,
    place: Place,
}

impl<'a> FlowRef<'a> {
    /// Looks a line over, by itself and with the default limits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Expected`] if it is not a flow, [`ErrorKind::TooDeep`] and
    /// [`ErrorKind::LineTooLong`] if it is above [`Limits`].
    pub fn parse(line: &'a [u8]) -> Result<Self, ParseError> {
        let limits = Limits::default();
        check_len(line, Place::START, limits)?;
        FlowRef::of_line(line, Place::START, limits)
    }

    /// The flow of a line whose length was checked.
    pub(super) fn of_line(raw: &'a [u8], place: Place, limits: Limits) -> Result<Self, ParseError> {
        let text = ansi::strip(raw);
        match spans(&text, limits.depth) {
            Ok([info, matches, actions]) => Ok(FlowRef {
                raw,
                text,
                info,
                matches,
                actions,
                place,
            }),
            Err(fault) => Err(raw_error(raw, place, fault)),
        }
    }

    /// The line, without its end.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The number of the line in its dump, from 1.
    pub fn line(&self) -> u64 {
        self.place.line
    }

    /// What stands before the match: `cookie=0x1`, `table=3`, `send_flow_rem`.
    pub fn info(&self) -> Pairs<'_> {
        self.pairs(&self.info)
    }

    /// The match, with the priority: `priority=5`, `tcp`, `in_port=3`.
    pub fn matches(&self) -> Pairs<'_> {
        self.pairs(&self.matches)
    }

    /// The match, with the priority, as it was printed but without colours.
    pub fn match_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.text[self.matches.clone()])
    }

    /// The actions, untyped, in order.
    pub fn actions(&self) -> ActionItems<'_> {
        ActionItems {
            flow: self,
            here: self.actions.start,
        }
    }

    /// The actions as they were printed but without colours.
    pub fn actions_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.text[self.actions.clone()])
    }

    /// Types every part of the flow.
    ///
    /// # Errors
    ///
    /// What is known but malformed: [`ErrorKind::Expected`], [`ErrorKind::TooLarge`],
    /// [`ErrorKind::NotMaskable`]. What is unknown is kept, and an error only if it is
    /// [`ErrorKind::NotUtf8`].
    pub fn to_flow(&self) -> Result<Flow, ParseError> {
        typed::flow(self).map_err(|fault| raw_error(self.raw, self.place, fault))
    }

    fn pairs(&self, span: &Range<usize>) -> Pairs<'_> {
        Pairs {
            text: &self.text[..span.end],
            here: span.start,
        }
    }
}

impl fmt::Display for FlowRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lossy(f, self.raw)
    }
}

/// A key and its value, as they were printed but without colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pair<'a> {
    /// The key.
    pub key: &'a [u8],
    /// What follows the `=`; `None` if no `=` follows the key.
    pub value: Option<&'a [u8]>,
    at: usize,
}

impl<'a> Pair<'a> {
    pub(super) fn key_token(self) -> Token<'a> {
        Token {
            text: self.key,
            at: self.at,
        }
    }

    /// The value; without one, what is missing.
    pub(super) fn value_token(self) -> Result<Token<'a>, Fault> {
        let at = self.at + self.key.len();
        match self.value {
            Some(text) => Ok(Token { text, at: at + 1 }),
            None => Err(Token { text: &[], at }.expected("`=`")),
        }
    }

    /// The pair in `item`, which begins with a word: a key, and perhaps `=` and a value.
    fn of(item: Token<'a>, word_len: usize) -> Self {
        let pair = |key_len: usize, value| Pair {
            key: &item.text[..key_len],
            value,
            at: item.at,
        };
        // The bits of a field may stand between the key and the `=`.
        let rest = &item.text[word_len..];
        let bits = match rest.first() {
            Some(b'[') => rest.iter().position(|byte| *byte == b']').map_or(0, |at| at + 1),
            _ => 0,
        };
        let len = word_len + bits;
        match item.text[len..] {
            [b'=', ..] => pair(len, Some(&item.text[len + 1..])),
            // Not the form of a pair: all of it is the key.
            _ => pair(item.text.len(), None),
        }
    }
}

/// The pairs of a part of a flow.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    text: &'a [u8],
    here: usize,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let start = skip_separators(self.text, self.here);
        if start >= self.text.len() {
            return None;
        }
        let word_end = word_end(self.text, start);
        // `spans` went over the same items: they end.
        let end = item_end(self.text, word_end, usize::MAX).ok()?;
        self.here = end;
        let item = Token {
            text: &self.text[start..end],
            at: start,
        };
        Some(Pair::of(item, word_end - start))
    }
}

/// The actions of a flow, untyped.
#[derive(Clone, Debug)]
pub struct ActionItems<'f> {
    flow: &'f FlowRef<'f>,
    here: usize,
}

impl<'f> Iterator for ActionItems<'f> {
    type Item = ActionItem<'f>;

    fn next(&mut self) -> Option<ActionItem<'f>> {
        let text = &self.flow.text[..self.flow.actions.end];
        if self.here >= text.len() {
            return None;
        }
        // `spans` went over the same items: they end.
        let word_end = word_end(text, self.here);
        let end = item_end(text, word_end, usize::MAX).ok()?;
        let token = Token {
            text: &text[self.here..end],
            at: self.here,
        };
        self.here = skip_separators(text, end);
        Some(ActionItem {
            flow: self.flow,
            token,
        })
    }
}

/// One action of a flow, untyped.
#[derive(Clone, Copy, Debug)]
pub struct ActionItem<'f> {
    flow: &'f FlowRef<'f>,
    token: Token<'f>,
}

impl<'f> ActionItem<'f> {
    /// The action as it was printed but without colours.
    pub fn raw(&self) -> &'f [u8] {
        self.token.text
    }

    /// The word that it begins with; empty if it is a quoted name.
    pub fn name(&self) -> &'f [u8] {
        lex::word(self.token.text)
    }

    /// Types the action.
    ///
    /// # Errors
    ///
    /// As of [`FlowRef::to_flow`].
    pub fn to_action(&self) -> Result<Action, ParseError> {
        self.typed()
            .map_err(|fault| raw_error(self.flow.raw, self.flow.place, fault))
    }

    pub(super) fn token(&self) -> Token<'f> {
        self.token
    }

    pub(super) fn typed(&self) -> Result<Action, Fault> {
        action::action(self.token)
    }
}

/// Prints bytes, with U+FFFD for what is not UTF-8.
pub(super) fn write_lossy(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        f.write_str(chunk.valid())?;
        if !chunk.invalid().is_empty() {
            f.write_str("\u{fffd}")?;
        }
    }
    Ok(())
}

/// The error of a fault in the line `raw` without its colours.
fn raw_error(raw: &[u8], place: Place, fault: Fault) -> ParseError {
    let start = ansi::raw_offset(raw, fault.span.start);
    let end = match fault.span.len() {
        0 => start,
        _ => ansi::raw_offset(raw, fault.span.end - 1) + 1,
    };
    place.error(raw, start..end.max(start), fault.kind)
}

/// Refuses a line that is longer than the limit.
pub(super) fn check_len(raw: &[u8], place: Place, limits: Limits) -> Result<(), ParseError> {
    let limit = limits.line_len;
    match raw.len() > limit {
        true => Err(place.error(raw, limit..limit + 1, ErrorKind::LineTooLong { limit })),
        false => Ok(()),
    }
}

/// Where the information, the match and the actions of a line are.
fn spans(text: &[u8], depth: usize) -> Result<[Range<usize>; 3], Fault> {
    let text = text.trim_ascii_end();
    let start = skip_separators(text, 0);
    let mut here = start;
    // The ends of the information and of the match so far, and the begin of the match.
    let (mut info_end, mut match_start, mut match_end) = (start, None, start);
    let actions_start = loop {
        here = skip_separators(text, here);
        let item = Token {
            text: &text[here..],
            at: here,
        };
        if item.text.is_empty() {
            return Err(item.expected("`actions=`"));
        }
        if item.text.starts_with(b"actions=") {
            break here + b"actions=".len();
        }
        // Past the information it matters only that there is a key.
        let key = lex::word(if match_start.is_none() {
            item.text
        } else {
            &item.text[..1]
        });
        if key.is_empty() {
            return Err(item.until(1).expected("a key"));
        }
        let end = item_end(text, here + key.len(), depth)?;
        if match_start.is_none() && is_info(key, &text[end..]) {
            info_end = end;
        } else {
            match_start.get_or_insert(here);
            match_end = end;
        }
        here = end;
    };
    check_actions(text, actions_start, depth)?;
    let match_start = match_start.unwrap_or(match_end);
    Ok([
        start..info_end,
        match_start..match_end.max(match_start),
        actions_start..text.len(),
    ])
}

/// Whether a key that stands before the match is no part of it. Of the keys that are not known,
/// statistics are followed by a comma and a space, flags by a space; the items of a match by a
/// comma alone, and its last one by ` actions=` or `,actions=`.
fn is_info(key: &[u8], rest: &[u8]) -> bool {
    let space = |rest: &[u8]| rest.first().is_some_and(|byte| b" \t".contains(byte));
    let spaced = match rest {
        [b',', rest @ ..] => space(rest),
        rest => space(rest) && !rest[1..].starts_with(b"actions="),
    };
    typed::is_info_key(key) || spaced && !typed::is_match_key(key)
}

fn check_actions(text: &[u8], start: usize, depth: usize) -> Result<(), Fault> {
    let mut here = start;
    while here < text.len() {
        let end = item_end(text, here, depth)?;
        if end == here {
            return Err(Token {
                text: &text[here..here + 1],
                at: here,
            }
            .expected("an action"));
        }
        here = skip_separators(text, end);
        let gap = &text[end..here];
        if !gap.is_empty() && (gap[0] != b',' || gap[1..].contains(&b',') || here == text.len()) {
            return Err(Token { text: gap, at: end }.expected("`,` and an action"));
        }
    }
    Ok(())
}
