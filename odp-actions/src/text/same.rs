//! Whether a value prints as a text that is there.

use core::fmt::{self, Write as _};

/// Where `value` first prints something else than `text`, in bytes of `text`.
pub(crate) fn first_difference(value: &dyn fmt::Display, text: &str) -> Option<usize> {
    let mut comparison = Comparison { rest: text };
    let same = write!(comparison, "{value}").is_ok() && comparison.rest.is_empty();
    (!same).then(|| text.len() - comparison.rest.len())
}

/// What is left of a text; writing takes it off, and fails at the first character that differs.
struct Comparison<'a> {
    rest: &'a str,
}

impl fmt::Write for Comparison<'_> {
    fn write_str(&mut self, printed: &str) -> fmt::Result {
        if let Some(rest) = self.rest.strip_prefix(printed) {
            self.rest = rest;
            return Ok(());
        }
        let same = printed
            .chars()
            .zip(self.rest.chars())
            .take_while(|(printed, there)| printed == there)
            .map(|(printed, _)| printed.len_utf8())
            .sum();
        self.rest = &self.rest[same..];
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn finds_the_first_byte_that_differs() {
        assert_eq!(first_difference(&"1,2", "1,2"), None);
        assert_eq!(first_difference(&"1,2", "1,3"), Some(2));
        assert_eq!(first_difference(&"1,2", "1"), Some(1));
        assert_eq!(first_difference(&"1", "1,2"), Some(1));
        assert_eq!(first_difference(&"aé", "aß"), Some(1));
    }
}
