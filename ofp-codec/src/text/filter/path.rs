//! Where in an action a value stands.

use alloc::boxed::Box;
use core::iter::repeat;

use crate::{
    model::{field::Field, port::Port},
    text::{
        action::{Argument, Entry, ct::nat_parts, entries, pair},
        lex::word,
        value::Token,
    },
};

/// The field whose values stand at this path, if they are those of one field. Addresses of `nat` are of two.
pub(super) fn value_field(path: &[Box<[u8]>], value: &[u8]) -> Option<Field> {
    let known = Field::from_bytes;
    let last = path.last()?;
    let argument = || {
        let found = FIELD_ACTIONS
            .iter()
            .find(|(name, _)| name.as_bytes() == &**last)?;
        Some(found.1)
    };
    match path {
        [name] => known(name).or_else(argument),
        [.., value, name] if &**value == b"value" => known(name),
        [.., addrs, _] if &**addrs == b"addrs" && value.contains(&b':') => Some(Field::Ipv6Src),
        [.., addrs, _] if &**addrs == b"addrs" => Some(Field::IpSrc),
        _ => argument(),
    }
}

/// Whether the test holds for a value at `path` in an action.
pub(super) fn any_in_action(item: Token<'_>, path: &[Box<[u8]>], test: &dyn Fn(Token<'_>) -> bool) -> bool {
    let [name, below @ ..] = path else {
        return false;
    };
    let entry = Entry::of(item);
    if is_port(item, entry.key) {
        return &**name == b"output" && any_below(item, Shape::of(b"output"), below, test);
    }
    let (value, shape) = match entry.argument {
        _ if &**name != entry.key => return false,
        Argument::None => (item.from(item.text.len()), Shape::Scalar),
        Argument::Value(value) => (value, Shape::of(entry.key)),
        Argument::Arrow(left, right) => {
            let Shape::Arrow(names) = Shape::of(entry.key) else {
                return false;
            };
            return any_of(names.iter().copied().zip([left, right]), below, test);
        }
        Argument::Other => return false,
    };
    any_below(value, shape, below, test)
}

/// How the arguments of an action have their names.
#[derive(Clone, Copy)]
enum Shape {
    /// They have none: there is one.
    Scalar,
    /// By their places, between which these bytes stand.
    Places(&'static [&'static str], &'static [u8]),
    /// Two with an arrow between them.
    Arrow([&'static str; 2]),
    /// By their places as far as there are names, and then members.
    Members(&'static [&'static str]),
    /// `src=10.0.0.1-10.0.0.9:80,random`.
    Nat,
    /// A header, and its properties: `nsh(md_type=1)`.
    Encap,
    /// They say them: `zone=5`, `commit`, `exec(..)`.
    Pairs,
}

impl Shape {
    // The names are those of Python's ovs.flow.
    fn of(action: &[u8]) -> Self {
        match action {
            b"output" => Shape::Places(&["port"], b","),
            b"enqueue" => Shape::Places(&["port", "queue"], b",:"),
            b"resubmit" => Shape::Places(&["port", "table", "ct"], b","),
            b"conjunction" => Shape::Places(&["id", "k", "n"], b",/"),
            b"multipath" => Shape::Places(&["fields", "basis", "algorithm", "n_links", "arg", "dst"], b","),
            b"load" | b"set_field" => Shape::Arrow(["value", "dst"]),
            b"move" => Shape::Arrow(["src", "dst"]),
            b"check_pkt_larger" => Shape::Arrow(["pkt_len", "dst"]),
            b"bundle" => Shape::Members(&["fields", "basis", "algorithm", ""]),
            b"bundle_load" => Shape::Members(&["fields", "basis", "algorithm", "", "dst"]),
            b"nat" => Shape::Nat,
            b"encap" => Shape::Encap,
            b"tlv" => Shape::Places(&["class", "type", "value"], b","),
            _ => Shape::Pairs,
        }
    }
}

fn any_below(value: Token<'_>, shape: Shape, path: &[Box<[u8]>], test: &dyn Fn(Token<'_>) -> bool) -> bool {
    let [name, below @ ..] = path else {
        return test(value);
    };
    // Values that are bits of a field.
    if let ([], b"field" | b"start" | b"end") = (below, &**name) {
        return bits(value, name).is_some_and(test);
    }
    match shape {
        Shape::Scalar => false,
        // `output(port=1,max_len=100)`
        Shape::Places(["port"], _) if value.text.starts_with(b"port=") => {
            any_below(value, Shape::Pairs, path, test)
        }
        Shape::Places(names, separators) => {
            let mut rest = Some(value);
            let parts = core::iter::from_fn(|| {
                let whole = rest?;
                let splits = separators
                    .chunks(1)
                    .filter_map(|separator| whole.split(separator));
                let (part, tail) = splits.min_by_key(|(part, _)| part.text.len()).unzip();
                rest = tail;
                Some(part.unwrap_or(whole))
            });
            any_of(names.iter().copied().zip(parts), path, test)
        }
        Shape::Arrow(names) => match value.split(b"->") {
            // `set_field.value.eth_dst`
            Some((value, dst)) if is_value_of(path, dst) => test(value),
            Some((left, right)) => any_of(names.into_iter().zip([left, right]), path, test),
            None => false,
        },
        Shape::Members(names) => {
            let names = names.iter().copied().chain(repeat("members"));
            let items = entries(value).flatten().map(|item| match pair(item) {
                (b"members" | b"slaves", first) => first,
                _ => item,
            });
            any_of(names.zip(items), path, test)
        }
        Shape::Nat if matches!(&**name, b"type" | b"addrs" | b"ports") => nat(value, path, test),
        Shape::Encap if &**name == b"header" => below.is_empty() && test(value.until(word(value.text).len())),
        Shape::Encap if &**name == b"props" => any_below(pair(value).1, Shape::Pairs, below, test),
        Shape::Nat | Shape::Encap | Shape::Pairs => entries(value)
            .flatten()
            .any(|item| any_in_action(item, path, test)),
    }
}

/// `type`, `addrs.start`, `ports.end`. A range of one ends where it begins.
fn nat(arguments: Token<'_>, path: &[Box<[u8]>], test: &dyn Fn(Token<'_>) -> bool) -> bool {
    let mut items = entries(arguments).flatten();
    let range = items.find(|item| matches!(pair(*item).0, b"src" | b"dst"));
    let Some((kind, range)) = range.map(|item| (item.until(3), pair(item).1)) else {
        return false;
    };
    let part = match (&*path[0], nat_parts(range)) {
        (b"type", _) => return path.len() == 1 && test(kind),
        (b"addrs", Ok((addrs, _))) => Some(addrs),
        (_, Ok((_, ports))) => ports,
        _ => None,
    };
    part.is_some_and(|part| match &path[1..] {
        [] => test(part.whole),
        [end] if &**end == b"start" => test(part.first),
        [end] if &**end == b"end" => test(part.last.unwrap_or(part.first)),
        _ => false,
    })
}

fn any_of<'a>(
    mut arguments: impl Iterator<Item = (&'static str, Token<'a>)>,
    path: &[Box<[u8]>],
    test: &dyn Fn(Token<'_>) -> bool,
) -> bool {
    let [name, below @ ..] = path else {
        return false;
    };
    arguments.any(|(known, value)| {
        known.as_bytes() == &**name && !value.text.is_empty() && any_below(value, Shape::Scalar, below, test)
    })
}

/// Whether the path is `value` and the name of the field that is set.
fn is_value_of(path: &[Box<[u8]>], dst: Token<'_>) -> bool {
    let [value, name] = path else {
        return false;
    };
    let field = Field::from_bytes;
    &**value == b"value" && field(name).is_some() && field(name) == field(dst.text)
}

/// A part of `NXM_NX_REG0[0..15]`; one bit is its own end.
fn bits<'a>(value: Token<'a>, part: &[u8]) -> Option<Token<'a>> {
    let (field, bits) = match value.split(b"[") {
        Some((field, bits)) => (field, bits.until(bits.text.strip_suffix(b"]")?.len())),
        None => (value, value.from(value.text.len())),
    };
    let (start, end) = bits.split(b"..").unwrap_or((bits, bits));
    let found = match part {
        b"field" => return Some(field),
        b"start" => start,
        _ => end,
    };
    (!found.text.is_empty()).then_some(found)
}

/// Whether it is a port alone: a word, a number or a name in quotes.
fn is_port(item: Token<'_>, key: &[u8]) -> bool {
    key.is_empty()
        || key.first().is_some_and(u8::is_ascii_digit)
        || item.str().is_ok_and(|word| Port::from_word(word).is_some())
}

/// Actions whose argument is a value of a field.
const FIELD_ACTIONS: [(&str, Field); 5] = [
    ("mod_dl_src", Field::EthSrc),
    ("mod_dl_dst", Field::EthDst),
    ("mod_nw_src", Field::IpSrc),
    ("mod_nw_dst", Field::IpDst),
    ("write_metadata", Field::Metadata),
];
