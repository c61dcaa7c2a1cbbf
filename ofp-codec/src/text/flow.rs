use alloc::{borrow::Cow, string::String};
use core::{fmt, ops::Range};

use crate::{
    model::{action::Action, flow::Flow},
    text::{
        Limits, action,
        error::{ErrorKind, Fault, ParseError, Place},
        lex,
        line::Line,
        scan::{Item, List, is_word},
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
    line: Line<'a>,
    /// The line without its colours: what the spans are of.
    text: Cow<'a, [u8]>,
    info: Range<usize>,
    matches: Range<usize>,
    actions: Range<usize>,
}

impl<'a> FlowRef<'a> {
    /// Looks a line over, by itself and with the default limits.
    ///
    /// # Errors
    ///
    /// [`Expected`](super::ErrorKind::Expected) if it is not a flow, [`TooDeep`](super::ErrorKind::TooDeep) and
    /// [`LineTooLong`](super::ErrorKind::LineTooLong) if it is above [`Limits`].
    pub fn parse(line: &'a [u8]) -> Result<Self, ParseError> {
        let line = Line {
            raw: line,
            place: Place::START,
            limits: Limits::default(),
            coloured: true,
        };
        line.check_len()?;
        FlowRef::of_line(line)
    }

    /// The flow of a line whose length was checked.
    pub(super) fn of_line(line: Line<'a>) -> Result<Self, ParseError> {
        let text = line.text();
        let [info, matches, actions] = spans(&text, line.limits.depth).map_err(|fault| line.error(fault))?;
        Ok(FlowRef {
            line,
            text,
            info,
            matches,
            actions,
        })
    }

    /// The line, without its end.
    pub fn raw(&self) -> &'a [u8] {
        self.line.raw
    }

    /// The number of the line in its dump, from 1.
    pub fn line(&self) -> u64 {
        self.line.place.line
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
            list: List::new(
                &self.text[..self.actions.end],
                self.actions.start,
                self.line.limits.depth,
            ),
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
    /// What is known but malformed: [`Expected`](super::ErrorKind::Expected), [`TooLarge`](super::ErrorKind::TooLarge),
    /// [`NotMaskable`](super::ErrorKind::NotMaskable). What is unknown is kept, and an error only if it is
    /// [`NotUtf8`](super::ErrorKind::NotUtf8).
    pub fn to_flow(&self) -> Result<Flow, ParseError> {
        let mut flow = Flow::default();
        let typed = typed::flow(&self.text, self.line.limits.depth, &mut flow);
        typed.map_err(|fault| self.line.error(fault))?;
        flow.matches.0.shrink_to_fit();
        flow.actions.shrink_to_fit();
        Ok(flow)
    }

    fn pairs(&self, span: &Range<usize>) -> Pairs<'_> {
        let text = &self.text[..span.end];
        let list = List::new(text, span.start, self.line.limits.depth);
        Pairs { text, list }
    }
}

impl fmt::Display for FlowRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lossy(f, self.line.raw)
    }
}

/// A key and its value, as they were printed but without colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pair<'a> {
    /// The key.
    pub key: &'a [u8],
    /// What follows the `=`, or the `:` that stands for one, or what the parentheses behind the key enclose; `None` if
    /// none of them follows the key.
    pub value: Option<&'a [u8]>,
    at: usize,
    end: usize,
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

    /// The pair in an item. What has not its form is all key.
    #[inline]
    fn of(text: &'a [u8], item: Item) -> Self {
        let rest = &text[item.key_end..item.end];
        let (key_end, value) = match rest {
            [b'=', value @ ..] => (item.key_end, Some(value)),
            _ => Pair::written(text, item),
        };
        Pair {
            key: &text[item.start..key_end],
            value,
            at: item.start,
            end: item.end,
        }
    }

    /// The end of the key and the value where people write `key:value` or `key(value)` for `key=value`
    /// (`ofputil_parse_key_value` in lib/ofp-parse.c).
    fn written(text: &'a [u8], item: Item) -> (usize, Option<&'a [u8]>) {
        let whole = &text[item.start..item.end];
        let end = whole.iter().position(|byte| b":=(".contains(byte));
        let key = end.unwrap_or(whole.len());
        let value = match &whole[key..] {
            [b':' | b'=', value @ ..] => value,
            [b'(', value @ .., b')'] => value,
            _ => return (item.end, None),
        };
        match typed::is_known(&whole[..key]) {
            true => (item.start + key, Some(value)),
            // What is not known stays as it stands.
            false => (item.end, None),
        }
    }

    /// Where it ends.
    fn end(&self) -> usize {
        self.end
    }

    /// Where it stands in the line without its colours.
    pub(super) fn span(&self) -> Range<usize> {
        self.at..self.end
    }
}

/// The pairs of a part of a flow.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    text: &'a [u8],
    list: List<'a>,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        // `parts` went over the same items: they end.
        let item = self.list.next_item().ok()??;
        Some(Pair::of(self.text, item))
    }
}

/// The actions of a flow, untyped.
#[derive(Clone, Debug)]
pub struct ActionItems<'f> {
    flow: &'f FlowRef<'f>,
    list: List<'f>,
}

impl<'f> Iterator for ActionItems<'f> {
    type Item = ActionItem<'f>;

    fn next(&mut self) -> Option<ActionItem<'f>> {
        // `parts` went over the same items: they end.
        let item = self.list.next_item().ok()??;
        Some(ActionItem {
            flow: self.flow,
            token: Token::of(&self.flow.text, item.start..item.end),
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
        self.typed().map_err(|fault| self.flow.line.error(fault))
    }

    pub(super) fn token(&self) -> Token<'f> {
        self.token
    }

    pub(super) fn typed(&self) -> Result<Action, Fault> {
        action::action(self.token)
    }
}

/// Types the flow of a line at once, without [`FlowRef`]'s look over the line before it.
pub(super) fn read(line: Line<'_>, flow: &mut Flow) -> Result<(), ParseError> {
    typed::flow(&line.text(), line.limits.depth, flow).map_err(|fault| line.error(fault))
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

/// Where the information, the match and the actions of a line are.
fn spans(line: &[u8], depth: usize) -> Result<[Range<usize>; 3], Fault> {
    let (mut info, mut matches) = (None, None);
    let show = |part, pair: Pair<'_>| {
        let span: &mut Option<Range<usize>> = match part {
            Part::Info => &mut info,
            Part::Match => &mut matches,
        };
        span.get_or_insert(pair.at..pair.at).end = pair.end();
        Ok(())
    };
    let actions = parts(line, 0, Part::Info, depth, show, |_| Ok(()))?;
    let info = info.unwrap_or(0..0);
    let matches = matches.unwrap_or(info.end..info.end);
    Ok([info, matches, actions])
}

/// What a pair is of.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// What stands before the match.
    Info,
    Match,
}

/// Goes over a line without colours from the item at `start` on, the first that may be of this part: shows its pairs and
/// then its actions, in order, and says where the actions are.
#[inline]
pub(super) fn parts<'a>(
    line: &'a [u8],
    start: usize,
    mut part: Part,
    depth: usize,
    mut pair: impl FnMut(Part, Pair<'a>) -> Result<(), Fault>,
    mut action: impl FnMut(Token<'a>) -> Result<(), Fault>,
) -> Result<Range<usize>, Fault> {
    let text = line.trim_ascii_end();
    let token = |span| Token::of(text, span);
    let mut list = List::new(text, start, depth);
    let mut prefix = None;
    let mut item = loop {
        let Some(item) = list.next_item()? else {
            return Err(token(text.len()..text.len()).expected("`actions=`"));
        };
        if let Some(len) = actions_word(&text[item.start..]) {
            break item.start + len..item.end;
        }
        if !is_word(text[item.start]) {
            return Err(token(item.start..item.start + 1).expected("a key"));
        }
        let found = Pair::of(text, item);
        if item.start <= 1 && found.value.is_none() && is_prefix(found.key, &text[item.end..]) {
            prefix = Some(item);
        }
        if matches!(part, Part::Info) && !is_info(found.key, &text[item.end..]) {
            part = Part::Match;
        }
        pair(part, found)?;
    };
    if let Some(prefix) = prefix {
        return Err(token(prefix.start..prefix.end).fault(ErrorKind::TextBefore));
    }
    let actions = item.start..text.len();
    if actions.is_empty() {
        return Ok(actions);
    }
    loop {
        // Commas and white space separate actions, as many as one likes.
        if !item.is_empty() {
            action(token(item))?;
        }
        item = match list.next_item()? {
            Some(next) => next.start..next.end,
            None => return Ok(actions),
        };
    }
}

/// The length of the word that the actions follow, if the text begins with it.
#[inline]
fn actions_word(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(ACTION)?;
    match rest {
        [b's', b'=', ..] => Some(ACTION.len() + 2),
        [b'=', ..] => Some(ACTION.len() + 1),
        _ => None,
    }
}

/// Whether the line begins with a bare word that is none of flows, and white space: a line of a log, perhaps.
#[cold]
fn is_prefix(key: &[u8], rest: &[u8]) -> bool {
    let space = rest.first().is_some_and(|byte| b" \t".contains(byte));
    space && actions_word(rest.trim_ascii_start()).is_none() && !typed::is_known(key)
}

/// Whether a key that stands before the match is no part of it. Of the keys that are not known,
/// statistics are followed by a comma and a space, flags by a space; the items of a match by a
/// comma alone, and its last one by ` actions=` or `,actions=`.
fn is_info(key: &[u8], rest: &[u8]) -> bool {
    let space = |rest: &[u8]| rest.first().is_some_and(|byte| b" \t".contains(byte));
    let spaced = match rest {
        [b',', rest @ ..] => space(rest),
        rest => space(rest) && actions_word(&rest[1..]).is_none(),
    };
    typed::is_info_key(key) || spaced && !typed::is_match_key(key)
}

const ACTION: &[u8] = b"action";
