//! Filters of flows: an expression, read once, and then asked of each line.

mod clause;
mod expression;
mod path;

use core::str::FromStr;

use alloc::{boxed::Box, vec::Vec};

use crate::text::{
    error::{ParseError, Place},
    filter::clause::Clause,
    flow::FlowRef,
};

/// A filter in the language of `ovs-flowviz`, which works on flows that are only borrowed.
///
/// An expression has clauses, `!` or `not`, `&&` or `and`, `||` or `or` (in this order from the
/// tightest) and parentheses. A clause is a key alone, which the flow must have, or a key, an operator and
/// a value:
///
/// | | |
/// |---|---|
/// | `=` `!=` | the same value with the same mask, or another one |
/// | `<` `<=` `>` `>=` | a smaller or greater number; a field with a mask is neither |
/// | `~=` | the field admits every packet that the value does: `nw_dst~=10.0.0.7`, `reg0~=0x5`, where the flow may have masks; of flags: the flow has these (`ct_state~=+trk`); of other text: it is part of the flow's |
///
/// A key is what stands before the match (`n_packets`, `table`, `send_flow_rem`), in the match (`tcp`,
/// `priority`, a field by any of its names) or among the actions (`drop`). Arguments of
/// actions have names, and dots in front of these: `output.port`, `ct.zone`, `resubmit.table`,
/// `load.value`, `load.dst.field`, `set_field.value.eth_dst`, `move.src.start`, `clone.output.port`, `ct.nat.type`,
/// `ct.nat.addrs.start`, `ct.nat.ports.end`, `bundle.members`, `encap.props.md_type`. A port alone is an `output`. Where a
/// key is there more than once, one that holds is enough, also for `!=`.
///
/// Without `table`, `priority`, `cookie` and timeouts a flow has their defaults, but not
/// the keys.
///
/// A value with a space, a parenthesis or `&&` in it is in double quotes, with JSON's escapes: `packet_type="(1,0x894f)"`.
/// A port in quotes is a name, also if it is a number.
///
/// ```
/// use ofp_codec::text::{Filter, FlowRef};
///
/// let flow = FlowRef::parse(b"table=3, n_packets=7, tcp,nw_dst=10.0.0.0/8 actions=ct(commit,zone=5),output:3")?;
/// for expression in ["tcp && n_packets > 5", "nw_dst~=10.1.2.3", "!(drop || arp)", "ct.zone=5 and output.port != 4"] {
///     assert!(Filter::parse(expression)?.matches(&flow), "{expression}");
/// }
/// let error = Filter::parse("tcp && n_packets >").unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 19: expected a value, found nothing");
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Filter(Expression);

#[derive(Clone, Debug)]
enum Expression {
    /// Every one holds.
    All(Vec<Expression>),
    /// At least one holds.
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Clause(Clause),
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Expected`](super::ErrorKind::Expected) where the expression is malformed or the value
    /// is none of the field, [`ErrorKind::TooLarge`](super::ErrorKind::TooLarge) for a value that does not fit it,
    /// [`ErrorKind::TooDeep`](super::ErrorKind::TooDeep) for more than 100 parentheses or negations inside one another.
    pub fn parse(expression: &str) -> Result<Self, ParseError> {
        let parsed = expression::parse(expression.as_bytes());
        parsed
            .map(Filter)
            .map_err(|fault| Place::START.error(expression.as_bytes(), fault.span, fault.kind))
    }

    /// Whether the flow is one of those that the filter is for.
    pub fn matches(&self, flow: &FlowRef<'_>) -> bool {
        self.0.holds(flow)
    }
}

impl FromStr for Filter {
    type Err = ParseError;

    fn from_str(expression: &str) -> Result<Self, ParseError> {
        Filter::parse(expression)
    }
}

impl Expression {
    fn holds(&self, flow: &FlowRef<'_>) -> bool {
        match self {
            Expression::All(parts) => parts.iter().all(|part| part.holds(flow)),
            Expression::Any(parts) => parts.iter().any(|part| part.holds(flow)),
            Expression::Not(inner) => !inner.holds(flow),
            Expression::Clause(clause) => clause.holds(flow),
        }
    }
}
