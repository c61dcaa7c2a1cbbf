//! Prefixes of a field, and how many bits of a value decide which of them it has.

/// A set of prefixes of up to 128 bits. Bits count from the most significant one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
}

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// As many bits of the value decide.
    pub(crate) bits: u32,
    /// The lengths of prefixes that the value has: bit `n` is a prefix of `n + 1` bits.
    pub(crate) lengths: u128,
}

#[derive(Clone, Debug)]
struct Node {
    /// The bits of the edge to it, at the top.
    prefix: u128,
    len: u32,
    /// Whether a prefix ends here.
    ends: bool,
    edges: [Option<u32>; 2],
}

impl Trie {
    /// Adds the first `len` bits of `value`, whose first bit is at the top; at least one.
    pub(crate) fn insert(&mut self, value: u128, len: u32) {
        let mut rest = Bits { value, len }.cut(len);
        let Some(mut at) = self.nodes.len().checked_sub(1).map(|_| 0) else {
            // The root has no bits.
            self.nodes.push(Node::new(Bits { value: 0, len: 0 }));
            return self.grow(0, rest);
        };
        loop {
            let bit = rest.first();
            let Some(next) = self.nodes[at].edges[bit] else {
                return self.grow(at, rest);
            };
            let next = next as usize;
            let edge = self.nodes[next].edge();
            let common = edge.common(rest);
            if common < edge.len {
                self.split(next, common);
            }
            rest = rest.skip(common);
            if rest.len == 0 {
                self.nodes[next].ends = true;
                return;
            }
            at = next;
        }
    }

    /// `width` is that of the field.
    pub(crate) fn find(&self, value: u128, width: u32) -> Found {
        let mut lengths = 0;
        let mut matched = 0;
        let mut rest = Bits { value, len: width };
        let Some(mut node) = self.nodes.first() else {
            return Found { bits: 0, lengths };
        };
        loop {
            let Some(next) = node.edges[rest.first()] else {
                // The other branch has to be excluded, if there is one.
                let is_leaf = node.edges == [None, None];
                return Found {
                    bits: if is_leaf { matched } else { matched + 1 },
                    lengths,
                };
            };
            let Some(next) = self.nodes.get(next as usize) else {
                return Found {
                    bits: matched,
                    lengths,
                };
            };
            let edge = next.edge();
            let common = edge.common(rest);
            matched += common;
            if common < edge.len {
                return Found {
                    bits: matched + 1,
                    lengths,
                };
            }
            if next.ends {
                lengths |= 1 << (matched - 1);
            }
            if matched >= width {
                return Found { bits: width, lengths };
            }
            rest = rest.skip(common);
            node = next;
        }
    }

    fn grow(&mut self, at: usize, rest: Bits) {
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let mut leaf = Node::new(rest);
        leaf.ends = true;
        self.nodes.push(leaf);
        self.nodes[at].edges[rest.first()] = Some(number);
    }

    /// Cuts the edge to a node behind its first bits: what was there is below it from now on.
    fn split(&mut self, at: usize, len: u32) {
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let edge = self.nodes[at].edge();
        let lower = edge.skip(len);
        let mut upper = Node::new(edge.cut(len));
        upper.edges[lower.first()] = Some(number);
        let mut below = core::mem::replace(&mut self.nodes[at], upper);
        (below.prefix, below.len) = (lower.value, lower.len);
        self.nodes.push(below);
    }
}

impl Node {
    fn new(edge: Bits) -> Self {
        Self {
            prefix: edge.value,
            len: edge.len,
            ends: false,
            edges: [None; 2],
        }
    }

    fn edge(&self) -> Bits {
        Bits {
            value: self.prefix,
            len: self.len,
        }
    }
}

/// Some bits, the first of them at the top.
#[derive(Clone, Copy)]
struct Bits {
    value: u128,
    len: u32,
}

impl Bits {
    fn first(self) -> usize {
        usize::from(self.value >> 127 == 1)
    }

    fn cut(self, len: u32) -> Self {
        let mask = if len == 0 { 0 } else { u128::MAX << (128 - len) };
        Self {
            value: self.value & mask,
            len,
        }
    }

    fn skip(self, len: u32) -> Self {
        Self {
            value: self.value.checked_shl(len).unwrap_or(0),
            len: self.len - len,
        }
    }

    fn common(self, other: Self) -> u32 {
        (self.value ^ other.value)
            .leading_zeros()
            .min(self.len)
            .min(other.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by looking at every prefix.
    fn naive(prefixes: &[(u128, u32)], value: u128, width: u32) -> Found {
        let common = |(prefix, len): (u128, u32)| (prefix ^ value).leading_zeros().min(len);
        let depth = prefixes.iter().map(|prefix| common(*prefix)).max().unwrap_or(0);
        let branches = prefixes
            .iter()
            .any(|prefix| prefix.1 > depth && common(*prefix) == depth);
        let lengths = prefixes
            .iter()
            .filter(|prefix| common(**prefix) == prefix.1)
            .fold(0, |lengths, prefix| lengths | 1 << (prefix.1 - 1));
        let bits = if depth < width && branches {
            depth + 1
        } else {
            depth
        };
        Found { bits, lengths }
    }

    #[test]
    fn finds_what_looking_at_every_prefix_finds() {
        let mut seed = 1_u64;
        let mut random = |limit: u32| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(seed >> 33).unwrap() % limit
        };
        for _ in 0..2000 {
            let width = [4, 8, 32][usize::try_from(random(3)).unwrap()];
            let mut trie = Trie::default();
            let mut prefixes = Vec::new();
            for _ in 0..random(12) {
                let len = random(width) + 1;
                let value = u128::from(random(1 << 16)) << (128 - 16);
                let value = Bits { value, len }.cut(len).value;
                trie.insert(value, len);
                prefixes.push((value, len));
            }
            for _ in 0..20 {
                let value = u128::from(random(1 << 16)) << (128 - 16);
                let value = Bits { value, len: width }.cut(width).value;
                assert_eq!(
                    trie.find(value, width),
                    naive(&prefixes, value, width),
                    "{prefixes:?} {value:#x}"
                );
            }
        }
    }
}
