//! Where text is printed to.

use core::fmt;

use crate::PortNames;

/// Collects text before it goes to a formatter.
///
/// Lists are printed in pieces of few characters, and a formatter takes longer to be called than they take to be copied.
/// Decimal numbers and hexadecimal ones have methods for the same reason; anything else goes through [`write!`].
pub(crate) struct Printer<'a> {
    to: &'a mut dyn fmt::Write,
    bytes: [u8; SIZE],
    len: usize,
    /// The names of ports, if they are to be shown.
    ports: Option<&'a PortNames>,
}

impl<'a> Printer<'a> {
    /// Prints to a formatter.
    pub(crate) fn print(
        to: &'a mut fmt::Formatter<'_>,
        print: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        Self::print_to(to, None, print)
    }

    /// Prints to a formatter, and ports by name.
    pub(crate) fn print_named(
        to: &'a mut fmt::Formatter<'_>,
        ports: &'a PortNames,
        print: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        Self::print_to(to, Some(ports), print)
    }

    #[inline]
    fn print_to(
        to: &'a mut dyn fmt::Write,
        ports: Option<&'a PortNames>,
        print: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        let (bytes, len) = ([0; SIZE], 0);
        let mut printer = Self {
            to,
            bytes,
            len,
            ports,
        };
        print(&mut printer)?;
        printer.flush()
    }

    /// Prints a port by its name, or by its number if it has none.
    pub(crate) fn port(&mut self, number: u32) -> fmt::Result {
        match self.ports.and_then(|ports| ports.name(number)) {
            Some(name) => self.write_str(name),
            None => self.decimal(number.into()),
        }
    }

    #[inline]
    pub(crate) fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        match self.bytes.get_mut(self.len..end) {
            Some(free) => {
                free.copy_from_slice(text.as_bytes());
                self.len = end;
                Ok(())
            }
            None => self.overflow(text),
        }
    }

    /// What [`write!`] calls.
    pub(crate) fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        fmt::write(self, text)
    }

    /// Prints a number in decimal.
    #[inline]
    pub(crate) fn decimal(&mut self, number: u64) -> fmt::Result {
        self.number::<10>(number, 1)
    }

    /// Prints a number in hexadecimal, without `0x`.
    #[inline]
    pub(crate) fn hexadecimal(&mut self, number: u64) -> fmt::Result {
        self.number::<16>(number, 1)
    }

    /// Prints bytes in hexadecimal, two digits each.
    #[inline]
    pub(crate) fn octets(&mut self, octets: &[u8]) -> fmt::Result {
        octets
            .iter()
            .try_for_each(|octet| self.number::<16>((*octet).into(), 2))
    }

    /// Prints a number as `%#x` of C does: in hexadecimal after `0x`, but `0`.
    pub(crate) fn alternate(&mut self, number: u64) -> fmt::Result {
        if number != 0 {
            self.write_str("0x")?;
        }
        self.hexadecimal(number)
    }

    /// Prints `least` digits or more.
    fn number<const RADIX: u64>(&mut self, number: u64, least: usize) -> fmt::Result {
        if self.len + MAX_DIGITS > SIZE {
            self.flush()?;
        }
        let (mut len, mut rest) = (1, number / RADIX);
        while rest > 0 {
            (len, rest) = (len + 1, rest / RADIX);
        }
        let end = self.len + len.max(least);
        rest = number;
        for byte in self.bytes[self.len..end].iter_mut().rev() {
            *byte = usize::try_from(rest % RADIX).map_or(b'0', |digit| DIGITS[digit]);
            rest /= RADIX;
        }
        self.len = end;
        Ok(())
    }

    #[cold]
    fn overflow(&mut self, text: &str) -> fmt::Result {
        self.flush()?;
        match text.len() {
            ..=SIZE => self.write_str(text),
            _ => self.to.write_str(text),
        }
    }

    fn flush(&mut self) -> fmt::Result {
        // It was text when it came, and was not cut.
        let text = core::str::from_utf8(&self.bytes[..self.len]).map_err(|_| fmt::Error)?;
        self.len = 0;
        self.to.write_str(text)
    }
}

impl fmt::Write for Printer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write_str(text)
    }
}

/// Some tunnels fit.
const SIZE: usize = 512;
/// Those of `u64::MAX` in decimal.
const MAX_DIGITS: usize = 20;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::*;

    struct Numbers<'a>(&'a [u64]);

    impl fmt::Display for Numbers<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            Printer::print(f, |f| {
                self.0.iter().try_for_each(|number| {
                    f.decimal(*number)?;
                    f.write_str("=")?;
                    f.hexadecimal(*number)?;
                    write!(f, "={number:#x}=")?;
                    f.alternate(*number)
                })
            })
        }
    }

    #[test]
    fn prints_numbers_as_the_standard_library_does_however_many() {
        let numbers: Vec<u64> = (0..64)
            .flat_map(|n| [(1 << n) - 1, 1 << n, 10_u64.pow(n % 20)])
            .collect();
        let alternate = |n: &u64| if *n == 0 { "0".into() } else { format!("{n:#x}") };
        let wanted = numbers
            .iter()
            .map(|n| format!("{n}={n:x}={n:#x}={}", alternate(n)));
        let wanted: String = wanted.collect();
        assert_eq!(Numbers(&numbers).to_string(), wanted);
    }

    #[test]
    fn keeps_the_order_of_long_and_short_texts() {
        struct Texts;
        impl fmt::Display for Texts {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Printer::print(f, |f| {
                    f.write_str("é")?;
                    f.write_str(&"long".repeat(SIZE))?;
                    f.write_str(&"x".repeat(SIZE))?;
                    f.write_str("é")
                })
            }
        }
        let wanted = format!("é{}{}é", "long".repeat(SIZE), "x".repeat(SIZE));
        assert_eq!(Texts.to_string(), wanted);
    }
}
