//! One action, typed.

pub(super) mod ct;
mod learn;
mod nested;
mod plain;

use alloc::vec::Vec;

use crate::{
    model::action::Action,
    text::{
        error::{ErrorKind, Fault},
        lex,
        scan::List,
        value::Token,
    },
};

pub(super) fn action(item: Token<'_>) -> Result<Action, Fault> {
    let entry = Entry::of(item);
    match plain::action(item, entry)? {
        Some(action) => Ok(action),
        None => other(item, entry, MAX_DEPTH),
    }
}

/// As [`action`], to the end of a list: what is as large as an action is better not handed around.
pub(super) fn push(actions: &mut Vec<Action>, item: Token<'_>) -> Result<(), Fault> {
    push_nested(actions, item, MAX_DEPTH)
}

/// An action that may have `depth` actions around one another in it.
fn push_nested(actions: &mut Vec<Action>, item: Token<'_>, depth: usize) -> Result<(), Fault> {
    let entry = Entry::of(item);
    if let Some(action) = plain::action(item, entry)? {
        actions.push(action);
        return Ok(());
    }
    actions.push(other(item, entry, depth)?);
    Ok(())
}

/// An action that is not a plain one. What has no type here is kept as text.
fn other(item: Token<'_>, entry: Entry<'_>, depth: usize) -> Result<Action, Fault> {
    if let Some(action) = nested::action(item, entry, depth)? {
        return Ok(action);
    }
    if let Some(action) = plain::port(item, entry)? {
        return Ok(action);
    }
    if let Some(action) = in_lower_case(item, entry, depth)? {
        return Ok(action);
    }
    Ok(Action::Unknown {
        name: item.until(entry.key.len()).str()?.into(),
        text: item.str()?.into(),
    })
}

/// The action of a name in another case of letters, of which Open vSwitch takes any.
#[cold]
fn in_lower_case(item: Token<'_>, entry: Entry<'_>, depth: usize) -> Result<Option<Action>, Fault> {
    let mut name = [0; MAX_NAME_LEN];
    let Some(key) = name.get_mut(..entry.key.len()) else {
        return Ok(None);
    };
    key.copy_from_slice(entry.key);
    key.make_ascii_lowercase();
    if key == entry.key {
        return Ok(None);
    }
    let entry = Entry { key, ..entry };
    match plain::action(item, entry)? {
        None => nested::action(item, entry, depth),
        found => Ok(found),
    }
}

/// The actions in a list.
fn list(list: Token<'_>, depth: usize) -> Result<Vec<Action>, Fault> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| list.fault(ErrorKind::TooDeep { limit: MAX_DEPTH }))?;
    let mut actions = Vec::new();
    for item in entries(list) {
        push_nested(&mut actions, item?, depth)?;
    }
    actions.shrink_to_fit();
    Ok(actions)
}

/// The items of a list of arguments.
pub(super) fn entries(list: Token<'_>) -> impl Iterator<Item = Result<Token<'_>, Fault>> {
    let mut items = List::new(list.text, 0, usize::MAX);
    core::iter::from_fn(move || match items.next_item() {
        Ok(item) => item.map(|item| Ok(list.until(item.end).from(item.start))),
        Err(fault) => {
            items = List::new(&[], 0, 0);
            let span = fault.span.start + list.at..fault.span.end + list.at;
            Some(Err(Fault { span, ..fault }))
        }
    })
}

/// A word and what follows it. `word:value`, `word=value` and `word(value)` are the same
/// (`ofputil_parse_key_value` in lib/ofp-parse.c).
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a [u8],
    pub(super) argument: Argument<'a>,
}

/// What follows a word.
#[derive(Clone, Copy)]
pub(super) enum Argument<'a> {
    None,
    /// This value.
    Value(Token<'a>),
    /// `(value)->..`: the value, and what follows the arrow.
    Arrow(Token<'a>, Token<'a>),
    /// Something else.
    Other,
}

impl<'a> Entry<'a> {
    #[inline]
    pub(super) fn of(item: Token<'a>) -> Self {
        let key = lex::word(item.text);
        let rest = item.from(key.len());
        let argument = match rest.text {
            [] => Argument::None,
            [b':' | b'=', ..] => Argument::Value(rest.from(1)),
            [b'(', .., b')'] => Argument::Value(rest.from(1).until(rest.text.len() - 2)),
            [b'(', ..] => match rest.from(1).split(b")->") {
                Some((value, dst)) => Argument::Arrow(value, dst),
                None => Argument::Other,
            },
            _ => Argument::Other,
        };
        Entry { key, argument }
    }
}

/// The key of an item, and its value; without one, an empty one.
pub(super) fn pair(item: Token<'_>) -> (&[u8], Token<'_>) {
    let entry = Entry::of(item);
    match entry.argument {
        Argument::None => (entry.key, item.from(item.text.len())),
        Argument::Value(value) => (entry.key, value),
        // No key at all: the caller knows none that is empty.
        Argument::Arrow(..) | Argument::Other => (&[], item),
    }
}

/// No name of an action is longer.
const MAX_NAME_LEN: usize = 32;
/// `MAX_OFPACT_PARSE_DEPTH` of Open vSwitch.
const MAX_DEPTH: usize = 100;
