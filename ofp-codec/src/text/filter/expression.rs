//! The grammar of expressions.

use alloc::{boxed::Box, vec::Vec};

use crate::text::{
    Limits,
    error::{ErrorKind, Fault},
    filter::{
        Expression,
        clause::{Clause, Operator},
    },
    scan,
    value::Token,
};

pub(super) fn parse(text: &[u8]) -> Result<Expression, Fault> {
    let mut parser = Parser {
        rest: Token { text, at: 0 },
    };
    let expression = parser.any(0)?;
    match parser.rest.text {
        [] => Ok(expression),
        _ => Err(parser.rest.expected("`&&`, `||` or the end")),
    }
}

/// What is left of an expression, without white space in front.
struct Parser<'a> {
    rest: Token<'a>,
}

impl<'a> Parser<'a> {
    fn any(&mut self, depth: usize) -> Result<Expression, Fault> {
        let mut parts = Vec::from([self.all(depth)?]);
        while self.takes("||", "or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, Fault> {
        let mut parts = Vec::from([self.one(depth)?]);
        while self.takes("&&", "and") {
            parts.push(self.one(depth)?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn one(&mut self, depth: usize) -> Result<Expression, Fault> {
        self.skip(0);
        let limit = Limits::default().depth;
        if depth > limit {
            return Err(self.rest.fault(ErrorKind::TooDeep { limit }));
        }
        if self.takes("!", "not") {
            return Ok(Expression::Not(Box::new(self.one(depth + 1)?)));
        }
        if !self.takes("(", "(") {
            return self.clause().map(Expression::Clause);
        }
        let inner = self.any(depth + 1)?;
        match self.takes(")", ")") {
            true => Ok(inner),
            false => Err(self.rest.expected("`&&`, `||` or `)`")),
        }
    }

    fn clause(&mut self) -> Result<Clause, Fault> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"=!<>~()&|\"".contains(byte);
        let key = self.take(self.rest.text.iter().position(ends));
        if key.text.is_empty() {
            return Err(self.rest.expected("a key"));
        }
        let operator = Operator::ALL
            .into_iter()
            .find(|operator| self.rest.text.starts_with(operator.text().as_bytes()));
        let Some(operator) = operator else {
            return Clause::new(key, None);
        };
        self.skip(operator.text().len());
        let value = self.value()?;
        Clause::new(key, Some((operator, value)))
    }

    /// A string in quotes, something in parentheses, or all up to a space, a parenthesis or an operator.
    fn value(&mut self) -> Result<Token<'a>, Fault> {
        let text = self.rest.text;
        let end = match text {
            [] => return Err(self.rest.expected("a value")),
            [b'"', ..] => {
                Some(self.rest.at + scan::quote_end(text, 0).map_err(|_| self.rest.expected("`\"`"))?)
                    .map(|end| end - self.rest.at)
            }
            [b'(', ..] => text.iter().position(|byte| *byte == b')').map(|at| at + 1),
            _ => (0..text.len()).find(|at| {
                let rest = &text[*at..];
                rest[0].is_ascii_whitespace()
                    || b"()".contains(&rest[0])
                    || rest.starts_with(b"&&")
                    || rest.starts_with(b"||")
            }),
        };
        match self.take(end) {
            value if value.text.is_empty() => Err(self.rest.expected("a value")),
            value => Ok(value),
        }
    }

    /// Takes a sign, or the word for it.
    fn takes(&mut self, sign: &str, word: &str) -> bool {
        let text = self.rest.text;
        let found = match text {
            _ if text.starts_with(sign.as_bytes()) => sign.len(),
            _ if &text[..scan::word_end(text, 0)] == word.as_bytes() => word.len(),
            _ => return false,
        };
        self.skip(found);
        true
    }

    /// Takes the bytes up to `end`, or all, and the white space behind them.
    fn take(&mut self, end: Option<usize>) -> Token<'a> {
        let end = end.unwrap_or(self.rest.text.len());
        let taken = self.rest.until(end);
        self.skip(end);
        taken
    }

    /// Leaves out `len` bytes and the white space behind them.
    fn skip(&mut self, len: usize) {
        let rest = self.rest.from(len);
        self.rest = rest.from(rest.text.len() - rest.text.trim_ascii_start().len());
    }
}

fn one_or(mut parts: Vec<Expression>, many: impl Fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            many(parts)
        }
    }
}
