//! Finds the end of one JSON value, over as many reads as it takes.
//!
//! Objects and arrays, which is where all the bytes are, are scanned in blocks of 64 bytes: one
//! bit mask for each of `"`, `\`, opening and closing brackets, made in a way that a compiler turns
//! into vector instructions. Only a block in which the value may end, or in which the depth limit
//! may be met, is walked bracket by bracket.

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

    fn scan_nested(&mut self, mut bytes: &[u8]) -> Result<(usize, ValueEnd), usize> {
        let mut base = 0;
        while let Some((block, rest)) = bytes.split_first_chunk() {
            if let Some(at) = self.block(block).map_err(|at| base + at)? {
                return Ok((base + at + 1, ValueEnd::Found));
            }
            base += BLOCK;
            bytes = rest;
        }
        for &byte in bytes {
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
    fn block(&mut self, block: &[u8; BLOCK]) -> Result<Option<usize>, usize> {
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
    fn of(block: &[u8; BLOCK]) -> Self {
        // Bit n of a lane stands for a byte of the nth eight. Sixteen lanes are what a vector has,
        // the first half for even n, the other for odd n.
        let mut lanes = [[0; 16]; 4];
        for (nth, bytes) in block.chunks_exact(16).enumerate() {
            for (lane, &byte) in bytes.iter().enumerate() {
                // '[' and '{' differ in one bit only, and so do ']' and '}'.
                let folded = byte | 0x20;
                let found = [byte == b'"', byte == b'\\', folded == b'{', folded == b'}'];
                for (lanes, found) in lanes.iter_mut().zip(found) {
                    lanes[lane] |= if found { 1 << (2 * nth + lane / 8) } else { 0 };
                }
            }
        }
        let [quote, backslash, open, close] = lanes.map(|lanes| {
            let (even, odd) = lanes.split_at(8);
            let word = |half: &[u8]| half.try_into().map_or(0, u64::from_le_bytes);
            match word(even) | word(odd) {
                // Nearly every block is without backslashes.
                0 => 0,
                bits => transpose(bits),
            }
        });
        Self {
            quote,
            backslash,
            open,
            close,
        }
    }
}

/// Swaps rows and columns of eight by eight bits.
fn transpose(mut bits: u64) -> u64 {
    // Blocks of one bit, of two by two, of four by four: the upper right one and the lower left one.
    for (shift, upper_right) in [
        (7, 0x00aa_00aa_00aa_00aa),
        (14, 0x0000_cccc_0000_cccc),
        (28, 0x0000_0000_f0f0_f0f0),
    ] {
        let differ = (bits ^ bits >> shift) & upper_right;
        bits ^= differ ^ differ << shift;
    }
    bits
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
