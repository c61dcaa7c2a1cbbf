//! Finds the end of one JSON value, over as many reads as it takes.
//!
//! Objects and arrays, which is where all the bytes are, are scanned in blocks of 64 bytes: one
//! bit mask for each of `"`, `\`, opening and closing brackets, made from eight 64-bit words
//! without looking at single bytes. Only a block in which the value may end, or in which the
//! depth limit may be met, is walked bracket by bracket.

/// The state inside one value. It counts brackets of both kinds together: `[}` ends where `[]`
/// would, and is refused by whoever decodes the value.
#[derive(Debug, Clone)]
pub(super) struct ValueScanner {
    kind: Kind,
    /// Objects and arrays open.
    depth: usize,
    depth_limit: usize,
    /// All ones inside a string, else 0.
    in_string: u64,
    /// The next byte follows a backslash.
    escaped: bool,
    /// Nothing has been scanned yet.
    fresh: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueEnd {
    Found,
    NeedsMore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An object or an array: ends with the bracket that closes it.
    Nested,
    /// Ends with its closing quote.
    String,
    /// A number or a word: ends before the first byte that cannot belong to one.
    Bare,
}

impl ValueScanner {
    /// A scanner for the value that starts with `first`, which is then scanned again.
    pub(super) fn start(first: u8, depth_limit: usize) -> Option<Self> {
        let kind = match first {
            b'{' | b'[' => Kind::Nested,
            b'"' => Kind::String,
            _ if is_bare(first) => Kind::Bare,
            _ => return None,
        };
        Some(Self {
            kind,
            depth: 0,
            depth_limit,
            in_string: 0,
            escaped: false,
            fresh: true,
        })
    }

    /// Scans on in `bytes`. Tells how many of them belong to the value.
    ///
    /// # Errors
    ///
    /// The position of the bracket that opens a level too many.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<(usize, ValueEnd), usize> {
        match self.kind {
            Kind::Nested => self.scan_nested(bytes),
            Kind::String => Ok(self.scan_string(bytes)),
            Kind::Bare => Ok(match bytes.iter().position(|&byte| !is_bare(byte)) {
                Some(end) => (end, ValueEnd::Found),
                None => (bytes.len(), ValueEnd::NeedsMore),
            }),
        }
    }

    fn scan_string(&mut self, bytes: &[u8]) -> (usize, ValueEnd) {
        let opening = usize::from(std::mem::take(&mut self.fresh));
        for (at, &byte) in bytes.iter().enumerate().skip(opening) {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                return (at + 1, ValueEnd::Found);
            }
        }
        (bytes.len(), ValueEnd::NeedsMore)
    }

    fn scan_nested(&mut self, bytes: &[u8]) -> Result<(usize, ValueEnd), usize> {
        let mut base = 0;
        let mut blocks = bytes.chunks_exact(BLOCK);
        for block in &mut blocks {
            if let Some(at) = self.block(block).map_err(|at| base + at)? {
                return Ok((base + at + 1, ValueEnd::Found));
            }
            base += BLOCK;
        }
        for &byte in blocks.remainder() {
            if self.byte(byte).map_err(|()| base)? {
                return Ok((base + 1, ValueEnd::Found));
            }
            base += 1;
        }
        Ok((base, ValueEnd::NeedsMore))
    }

    /// Takes one byte. True when it closes the value.
    fn byte(&mut self, byte: u8) -> Result<bool, ()> {
        if std::mem::take(&mut self.escaped) {
            return Ok(false);
        }
        match byte {
            b'\\' => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            b'{' | b'[' if self.in_string == 0 => {
                if self.depth == self.depth_limit {
                    return Err(());
                }
                self.depth += 1;
            }
            b'}' | b']' if self.in_string == 0 => {
                self.depth -= 1;
                return Ok(self.depth == 0);
            }
            _ => {}
        }
        Ok(false)
    }

    /// Takes 64 bytes. Gives the position of the bracket that closes the value.
    fn block(&mut self, block: &[u8]) -> Result<Option<usize>, usize> {
        let masks = Masks::of(block);
        let escaped = self.escapes(masks.backslash);
        let strings = prefix_xor(masks.quote & !escaped) ^ self.in_string;
        self.in_string = 0u64.wrapping_sub(strings >> 63);

        let open = masks.open & !strings & !escaped;
        let close = masks.close & !strings & !escaped;
        let (opens, closes) = (count(open), count(close));
        if closes < self.depth && opens <= self.depth_limit - self.depth {
            self.depth = self.depth + opens - closes;
            return Ok(None);
        }

        let mut brackets = open | close;
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            let at = count(bit - 1);
            if close & bit != 0 {
                self.depth -= 1;
                if self.depth == 0 {
                    return Ok(Some(at));
                }
            } else if self.depth == self.depth_limit {
                return Err(at);
            } else {
                self.depth += 1;
            }
            brackets ^= bit;
        }
        Ok(None)
    }

    /// The bytes that follow a backslash which is not itself escaped.
    fn escapes(&mut self, backslash: u64) -> u64 {
        let mut escaped = u64::from(std::mem::take(&mut self.escaped));
        let mut left = backslash & !escaped;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            let next = bit << 1;
            self.escaped = next == 0;
            escaped |= next;
            left &= !(bit | next);
        }
        escaped
    }
}

/// One bit for each byte of a block, the first byte lowest.
struct Masks {
    quote: u64,
    backslash: u64,
    open: u64,
    close: u64,
}

impl Masks {
    fn of(block: &[u8]) -> Self {
        let mut masks = Self {
            quote: 0,
            backslash: 0,
            open: 0,
            close: 0,
        };
        for (nth, bytes) in block.chunks_exact(8).enumerate() {
            let word = <[u8; 8]>::try_from(bytes).map_or(0, u64::from_le_bytes);
            // '[' and '{' differ in one bit only, and so do ']' and '}'.
            let folded = word | splat(0x20);
            let shift = nth * 8;
            masks.quote |= equal(word, b'"') << shift;
            masks.backslash |= equal(word, b'\\') << shift;
            masks.open |= equal(folded, b'{') << shift;
            masks.close |= equal(folded, b'}') << shift;
        }
        masks
    }
}

/// Eight bits: which of the eight bytes of `word`, lowest first, are `byte`.
fn equal(word: u64, byte: u8) -> u64 {
    const LOW7: u64 = splat(0x7f);
    let difference = word ^ splat(byte);
    // The high bit of a byte stays clear exactly if all its bits are clear. No carry leaves a byte.
    let high = !(((difference & LOW7) + LOW7) | difference | LOW7);
    // Moves bit 8 i to bit 56 + i: no two partial products meet, so there is no carry here, too.
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

const fn splat(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

/// Bit i of the result is the parity of bits 0 to i: ones from each opening quote up to its
/// closing quote.
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

fn count(bits: u64) -> usize {
    usize::try_from(bits.count_ones()).unwrap_or(BLOCK)
}

/// Bytes of numbers and of `true`, `false`, `null`.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

const BLOCK: usize = 64;
