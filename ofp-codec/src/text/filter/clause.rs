//! A key, an operator and a value, and whether they hold for a flow.

use alloc::{boxed::Box, vec::Vec};
use core::{cmp::Ordering, time::Duration};

use crate::{
    model::{
        field::{Field, Format},
        matches::Value,
    },
    text::{
        error::Fault,
        filter::path,
        flow::{FlowRef, Pair},
        lex,
        value::Token,
    },
};

/// A key, and what its value must be.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    /// The words of the key between its dots.
    path: Vec<Box<[u8]>>,
    /// The field that the key is a name of.
    field: Option<Field>,
    test: Option<Test>,
}

#[derive(Clone, Debug)]
struct Test {
    operator: Operator,
    wanted: Wanted,
}

/// The value that is compared with.
#[derive(Clone, Debug)]
enum Wanted {
    /// The value of a field, and its mask.
    Field(Field, Value, Option<u128>),
    /// Text, and what it means if it means more.
    Plain {
        text: Box<[u8]>,
        number: Option<u128>,
        duration: Option<Duration>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Within,
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
}

impl Operator {
    /// All of them, none before one that it begins with.
    pub(super) const ALL: [Operator; 7] = [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Within,
        Operator::LessOrEqual,
        Operator::Less,
        Operator::GreaterOrEqual,
        Operator::Greater,
    ];

    pub(super) fn text(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Within => "~=",
            Operator::LessOrEqual => "<=",
            Operator::Less => "<",
            Operator::GreaterOrEqual => ">=",
            Operator::Greater => ">",
        }
    }

    /// Whether two values in this order are as the operator says.
    fn holds(self, order: Ordering) -> bool {
        match self {
            Operator::Equal | Operator::Within => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Less => order.is_lt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Greater => order.is_gt(),
        }
    }
}

impl Clause {
    pub(super) fn new(key: Token<'_>, test: Option<(Operator, Token<'_>)>) -> Result<Self, Fault> {
        let path: Vec<Box<[u8]>> = key.text.split(|byte| *byte == b'.').map(Box::from).collect();
        let field = match &path[..] {
            [name] => Field::from_bytes(name),
            _ => None,
        };
        let test = test.map(|(operator, value)| {
            let wanted = Wanted::parse(path::value_field(&path, value.text), value)?;
            Ok(Test { operator, wanted })
        });
        Ok(Clause {
            path,
            field,
            test: test.transpose()?,
        })
    }

    pub(super) fn holds(&self, flow: &FlowRef<'_>) -> bool {
        self.holds_before_actions(flow)
            || flow
                .actions()
                .any(|action| path::any_in_action(action.token(), &self.path, &|value| self.holds_for(value)))
    }

    fn holds_before_actions(&self, flow: &FlowRef<'_>) -> bool {
        let [name] = &self.path[..] else {
            return false;
        };
        let is_key = |pair: &Pair<'_>| match self.field {
            // Ports and types share names between protocols, and fields have several.
            Some(field) => Field::from_bytes(pair.key).is_some_and(|found| same(found, field)),
            None => pair.key == &**name,
        };
        let mut pairs = flow.info().chain(flow.matches()).filter(is_key).peekable();
        if pairs.peek().is_some() {
            return pairs.any(|pair| {
                pair.value_token()
                    .map_or(self.test.is_none(), |value| self.holds_for(value))
            });
        }
        let default = DEFAULTS.iter().find(|(key, _)| key.as_bytes() == &**name);
        let value = default.map(|(_, value)| Token {
            text: value.as_bytes(),
            at: 0,
        });
        self.test.is_some() && value.is_some_and(|value| self.holds_for(value))
    }

    fn holds_for(&self, found: Token<'_>) -> bool {
        self.test.as_ref().is_none_or(|test| test.holds(found))
    }
}

impl Test {
    fn holds(&self, found: Token<'_>) -> bool {
        match &self.wanted {
            Wanted::Field(field, value, mask) => match found.field_value(*field) {
                Ok(found) => self.field_holds(*field, &found, (value, *mask)),
                Err(_) => false,
            },
            Wanted::Plain {
                text,
                number,
                duration,
            } => {
                let found_duration = || lex::seconds(found.text);
                if let Some((found, number)) = lex::number(found.text).zip(*number) {
                    self.operator.holds(found.cmp(&number))
                } else if let Some((found, duration)) = found_duration().zip(*duration) {
                    self.operator.holds(found.cmp(&duration))
                } else {
                    self.text_holds(&found.unquoted(), text, number.is_some())
                }
            }
        }
    }

    fn text_holds(&self, found: &[u8], wanted: &[u8], wants_number: bool) -> bool {
        match self.operator {
            Operator::Within => contains(found, wanted),
            Operator::Equal | Operator::NotEqual => self.operator.holds(found.cmp(wanted)),
            // Text is not above or below a number.
            operator => !wants_number && operator.holds(found.cmp(wanted)),
        }
    }

    fn field_holds(
        &self,
        field: Field,
        (found, found_mask): &(Value, Option<u128>),
        (wanted, wanted_mask): (&Value, Option<u128>),
    ) -> bool {
        let all = field.mask_max();
        let masks = (found_mask.unwrap_or(all), wanted_mask.unwrap_or(all));
        let same = found == wanted && masks.0 == masks.1;
        let numbers = found.number().zip(wanted.number());
        match self.operator {
            Operator::Equal => same,
            Operator::NotEqual => !same,
            Operator::Within => numbers.map_or_else(
                || names_within(found, wanted),
                |numbers| {
                    // Flags are asked for, not packets.
                    let (narrow, wide) = match field.info().format {
                        Format::CtState | Format::TcpFlags | Format::TunnelFlags => masks,
                        _ => (masks.1, masks.0),
                    };
                    narrow & wide == wide && (numbers.0 ^ numbers.1) & wide == 0
                },
            ),
            operator => {
                let exact = |mask| mask & field.max() == field.max();
                let order = numbers.map(|(found, wanted)| found.cmp(&wanted));
                exact(masks.0) && exact(masks.1) && order.is_some_and(|order| operator.holds(order))
            }
        }
    }
}

impl Wanted {
    fn parse(field: Option<Field>, value: Token<'_>) -> Result<Self, Fault> {
        let unquoted = value.unquoted();
        if let Some(field) = field {
            let inner = match field.info().format {
                // A name keeps its quotes, which tell it from a word.
                Format::Port => value,
                _ => Token {
                    text: &unquoted,
                    at: value.at + usize::from(value.text.starts_with(b"\"")),
                },
            };
            let (value, mask) = inner.field_value(field)?;
            return Ok(Wanted::Field(field, value, mask));
        }
        Ok(Wanted::Plain {
            number: lex::number(&unquoted),
            duration: lex::seconds(&unquoted),
            text: unquoted.into(),
        })
    }
}

fn names_within(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Name(found), Value::Name(wanted)) => contains(found.as_bytes(), wanted.as_bytes()),
        _ => found == wanted,
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|found| found == part)
}

/// Whether two fields are one under two names, as far as a match without its protocol can say.
fn same(a: Field, b: Field) -> bool {
    let shared = |field: Field| match field {
        Field::UdpSrc | Field::SctpSrc => Field::TcpSrc,
        Field::UdpDst | Field::SctpDst => Field::TcpDst,
        Field::Icmpv6Type => Field::IcmpType,
        Field::Icmpv6Code => Field::IcmpCode,
        Field::InPortOxm => Field::InPort,
        field => field,
    };
    shared(a) == shared(b)
}

/// What a flow has that does not say so.
const DEFAULTS: [(&str, &str); 6] = [
    ("table", "0"),
    ("priority", "32768"),
    ("cookie", "0"),
    ("idle_timeout", "0"),
    ("hard_timeout", "0"),
    ("importance", "0"),
];
