//! The look-up of a packet in a flow table: tuple space search with stages, prefix tries and conjunctions
//! (`lib/classifier.c`). A look-up adds to a mask whatever it looked at, as Open vSwitch does.

use std::collections::{HashMap, HashSet};

use ofp_codec::Field;

use crate::{
    fields::{Fields, Place, SEGMENTS, at, place},
    hash::Hasher,
    prerequisites,
    trie::{Found, Trie},
};

/// A flow's match, under the mask of its subtable.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) priority: u16,
    pub(crate) value: Fields,
    pub(crate) mask: Fields,
    /// The parts of conjunctive matches that it is: id, number of the clause from 0, how many there are.
    pub(crate) conjunctions: Vec<(u32, u8, u8)>,
}

/// The flows of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Classifier {
    subtables: Vec<Subtable>,
    by_mask: HashMap<Box<[(usize, u64)]>, usize>,
    /// By descending priority, and of equal ones the older one first.
    order: Vec<usize>,
    /// The fields whose prefixes are in a trie (`prefixes` of a table).
    tries: Vec<(Field, Trie)>,
    /// What the numbers of entries stand for.
    entries: Vec<Stored>,
    /// Whether all fields of a last stage count that the trie of ports excludes (489553b1c).
    masks_final_stage: bool,
}

#[derive(Clone, Debug)]
struct Stored {
    priority: u16,
    value: Box<[u64]>,
    conjunctions: Box<[(u32, u8, u8)]>,
}

/// The flows of one mask.
#[derive(Clone, Debug)]
struct Subtable {
    mask: Box<[(usize, u64)]>,
    max_priority: u16,
    /// Where each stage but the last one ends in `mask`, and which hashes are there.
    stages: Vec<(usize, HashSet<u64>)>,
    rules: HashMap<u64, Vec<u32>>,
    prefix_lens: Vec<u32>,
    ports_mask: u32,
    ports: Trie,
}

impl Classifier {
    pub(crate) fn new(prefixes: &[Field], masks_final_stage: bool) -> Self {
        let tries = prefixes.iter().map(|field| (*field, Trie::default())).collect();
        Self {
            tries,
            masks_final_stage,
            ..Self::default()
        }
    }

    /// Adds a flow. Its number is how many were added before.
    pub(crate) fn insert(&mut self, entry: &Entry) {
        let mask: Box<[(usize, u64)]> = words(&entry.mask);
        let index = match self.by_mask.get(&mask) {
            Some(index) => *index,
            None => {
                let index = self.subtables.len();
                self.subtables.push(Subtable::new(
                    mask.clone(),
                    &entry.mask,
                    entry.priority,
                    &self.tries,
                ));
                self.by_mask.insert(mask, index);
                self.order.push(index);
                index
            }
        };
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let subtable = &mut self.subtables[index];
        subtable.max_priority = subtable.max_priority.max(entry.priority);
        let value: Box<[u64]> = subtable
            .mask
            .iter()
            .map(|(word, mask)| entry.value.0[*word] & mask)
            .collect();
        let mut hasher = Hasher::default();
        let mut from = 0;
        for (end, hashes) in &mut subtable.stages {
            value[from..*end].iter().for_each(|word| hasher.add(*word));
            hashes.insert(hasher.get());
            from = *end;
        }
        value[from..].iter().for_each(|word| hasher.add(*word));
        let same = subtable.rules.entry(hasher.get()).or_default();
        let entries = &self.entries;
        // Behind those of the same priority or a higher one.
        let behind = same.partition_point(|other| entries[*other as usize].priority >= entry.priority);
        same.insert(behind, number);
        for ((field, trie), len) in self.tries.iter_mut().zip(&subtable.prefix_lens) {
            if *len > 0 {
                trie.insert(top(&entry.value, *field), *len);
            }
        }
        if subtable.ports_mask != 0 {
            let ports = entry.value.u32(at::TP) & subtable.ports_mask;
            let len = 32 - subtable.ports_mask.trailing_zeros();
            subtable.ports.insert(u128::from(ports) << 96, len);
        }
        self.entries.push(Stored {
            priority: entry.priority,
            value,
            conjunctions: entry.conjunctions.clone().into(),
        });
    }

    /// To be called when all are there.
    pub(crate) fn settle(&mut self) {
        let subtables = &self.subtables;
        self.order
            .sort_by_key(|index| core::cmp::Reverse(subtables[*index].max_priority));
    }

    /// The flow that the packet takes. Conjunctive matches set `conj_id` for a second look-up, which restores it.
    pub(crate) fn find(&self, flow: &mut Fields, mask: &mut Fields) -> Option<u32> {
        self.find_in(flow, mask, true)
    }

    fn find_in(&self, flow: &mut Fields, mask: &mut Fields, conjunctive: bool) -> Option<u32> {
        let mut tries: Vec<Option<Found>> = vec![None; self.tries.len()];
        let mut hard: Option<u32> = None;
        let mut soft: Vec<Soft<'_>> = Vec::new();
        for index in &self.order {
            let subtable = &self.subtables[*index];
            if hard.is_some_and(|hard| self.priority(hard) >= subtable.max_priority) {
                break;
            }
            let Some(same) = self.find_in_subtable(subtable, flow, mask, &mut tries) else {
                continue;
            };
            let Some(first) = same.first().copied() else {
                continue;
            };
            if hard.is_some_and(|hard| self.priority(first) <= self.priority(hard)) {
                continue;
            }
            if self.entries[first as usize].conjunctions.is_empty() {
                hard = Some(first);
            } else if conjunctive {
                soft.push(Soft { same, at: 0 });
            }
        }
        if soft.is_empty() {
            return hard;
        }
        self.find_conjunctive(flow, mask, hard, soft)
    }

    /// Decides among parts of conjunctive matches, the highest priority first.
    fn find_conjunctive(
        &self,
        flow: &mut Fields,
        mask: &mut Fields,
        mut hard: Option<u32>,
        mut soft: Vec<Soft<'_>>,
    ) -> Option<u32> {
        loop {
            let floor = hard.map(|hard| self.priority(hard));
            soft.retain(|soft| {
                soft.first()
                    .is_some_and(|entry| floor.is_none_or(|floor| self.priority(entry) > floor))
            });
            let Some(highest) = soft
                .iter()
                .filter_map(Soft::first)
                .map(|entry| self.priority(entry))
                .max()
            else {
                return hard;
            };
            let here = || {
                soft.iter()
                    .filter_map(Soft::first)
                    .filter(|entry| self.priority(*entry) == highest)
            };
            let count = here().count();
            let mut clauses: HashMap<u32, u64> = HashMap::new();
            for entry in here() {
                let conjunctions = &self.entries[entry as usize].conjunctions;
                let Some(id) = complete(conjunctions, count, &mut clauses) else {
                    continue;
                };
                let before = flow.get_at(at::CONJ_ID);
                flow.put(at::CONJ_ID, id);
                let found = self.find_in(flow, mask, false);
                flow.put(at::CONJ_ID, before);
                if found.is_some() {
                    return found;
                }
            }
            // Flows of the same match may stand behind these.
            for soft in &mut soft {
                if soft.first().is_none_or(|entry| self.priority(entry) != highest) {
                    continue;
                }
                soft.at += 1;
                if let Some(next) = soft.first() {
                    if self.entries[next as usize].conjunctions.is_empty() {
                        if hard.is_none_or(|hard| self.priority(next) > self.priority(hard)) {
                            hard = Some(next);
                        }
                        soft.at = soft.same.len();
                    }
                }
            }
        }
    }

    fn find_in_subtable<'a>(
        &self,
        subtable: &'a Subtable,
        flow: &Fields,
        mask: &mut Fields,
        tries: &mut [Option<Found>],
    ) -> Option<&'a [u32]> {
        let mut hasher = Hasher::default();
        let mut from = 0;
        for (end, hashes) in &subtable.stages {
            if self.excluded(subtable, from..*end, flow, mask, tries) {
                add_words(mask, &subtable.mask[..from]);
                return None;
            }
            for (word, bits) in &subtable.mask[from..*end] {
                hasher.add(flow.0[*word] & bits);
            }
            from = *end;
            if !hashes.contains(&hasher.get()) {
                add_words(mask, &subtable.mask[..from]);
                return None;
            }
        }
        if self.excluded(subtable, from..subtable.mask.len(), flow, mask, tries) {
            add_words(mask, &subtable.mask[..from]);
            return None;
        }
        for (word, bits) in &subtable.mask[from..] {
            hasher.add(flow.0[*word] & bits);
        }
        let found = subtable.rules.get(&hasher.get()).filter(|same| {
            let value = &self.entries[same[0] as usize].value;
            subtable
                .mask
                .iter()
                .zip(value.iter())
                .all(|((word, bits), value)| flow.0[*word] & bits == *value)
        });
        if found.is_none() && subtable.ports_mask != 0 {
            let ports = flow.u32(at::TP) & subtable.ports_mask;
            let bits = subtable.ports.find(u128::from(ports) << 96, 32).bits;
            let prefix = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            mask.mask_bits(at::TP, subtable.ports_mask & prefix);
            let seen = if self.masks_final_stage {
                subtable.mask.len()
            } else {
                from
            };
            for (word, bits) in &subtable.mask[..seen] {
                let bits = if *word == TP_WORD { bits & !TP_BITS } else { *bits };
                mask.0[*word] |= bits;
            }
            return None;
        }
        add_words(mask, &subtable.mask);
        found.map(Vec::as_slice)
    }

    /// Whether no flow of the subtable has a prefix that the packet has. The bits that tell this are added to the mask.
    fn excluded(
        &self,
        subtable: &Subtable,
        range: core::ops::Range<usize>,
        flow: &Fields,
        mask: &mut Fields,
        tries: &mut [Option<Found>],
    ) -> bool {
        for (((field, trie), len), found) in self.tries.iter().zip(&subtable.prefix_lens).zip(tries) {
            if *len == 0
                || !subtable.mask[range.clone()]
                    .iter()
                    .any(|(word, _)| *word == first_word(*field))
            {
                continue;
            }
            let found = *found.get_or_insert_with(|| match prerequisites::hold(*field, flow) {
                true => trie.find(top(flow, *field), width(*field)),
                false => Found {
                    bits: 0,
                    lengths: u128::MAX,
                },
            });
            if found.lengths >> (len - 1) & 1 == 0 {
                let bits = prefix_mask(*field, found.bits);
                if found.bits <= *len {
                    mask.mask_bits(place(*field), bits);
                    return true;
                }
                if mask.get(*field) & bits == bits {
                    return true;
                }
            }
        }
        false
    }

    fn priority(&self, entry: u32) -> u16 {
        self.entries[entry as usize].priority
    }
}

/// Flows of one match, of which those from `at` on are still to be looked at.
struct Soft<'a> {
    same: &'a [u32],
    at: usize,
}

impl Soft<'_> {
    fn first(&self) -> Option<u32> {
        self.same.get(self.at).copied()
    }
}

/// Adds the clauses of a flow to those of other flows; the id of a conjunction that has all of them now.
fn complete(conjunctions: &[(u32, u8, u8)], flows: usize, clauses: &mut HashMap<u32, u64>) -> Option<u32> {
    conjunctions.iter().find_map(|(id, clause, count)| {
        if usize::from(*count) > flows {
            return None;
        }
        let all = u64::MAX.checked_shl((*count).into()).unwrap_or(0);
        let seen = clauses.entry(*id).or_insert(all);
        *seen |= 1_u64.checked_shl((*clause).into()).unwrap_or(0);
        (*seen == u64::MAX).then_some(*id)
    })
}

impl Subtable {
    fn new(mask: Box<[(usize, u64)]>, fields: &Fields, priority: u16, tries: &[(Field, Trie)]) -> Self {
        let mut ends: Vec<usize> = Vec::new();
        for segment in SEGMENTS {
            let end = mask.partition_point(|(word, _)| *word < segment);
            if end > ends.last().copied().unwrap_or(0) {
                ends.push(end);
            }
        }
        // The last stage is that of the rules themselves.
        if ends.last() == Some(&mask.len()) {
            ends.pop();
        }
        Self {
            max_priority: priority,
            stages: ends.into_iter().map(|end| (end, HashSet::new())).collect(),
            rules: HashMap::new(),
            prefix_lens: tries
                .iter()
                .map(|(field, _)| prefix_len(fields, *field))
                .collect(),
            ports_mask: fields.u32(at::TP),
            ports: Trie::default(),
            mask,
        }
    }
}

fn words(mask: &Fields) -> Box<[(usize, u64)]> {
    mask.0
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, bits)| *bits != 0)
        .collect()
}

fn add_words(mask: &mut Fields, words: &[(usize, u64)]) {
    for (word, bits) in words {
        mask.0[*word] |= bits;
    }
}

/// The length of the prefix that a mask is of a field; 0 if it is none.
fn prefix_len(mask: &Fields, field: Field) -> u32 {
    let bits = top(mask, field);
    let len = bits.leading_ones();
    if bits.checked_shl(len).unwrap_or(0) == 0 {
        len
    } else {
        0
    }
}

fn width(field: Field) -> u32 {
    field.info().bits.into()
}

/// A field's value with its first bit at the top.
fn top(fields: &Fields, field: Field) -> u128 {
    fields.get(field) << (128 - width(field))
}

/// The first bits of a field.
fn prefix_mask(field: Field, len: u32) -> u128 {
    let width = width(field);
    let ones = u128::MAX.checked_shl(128 - len).unwrap_or(0);
    ones >> (128 - width)
}

fn first_word(field: Field) -> usize {
    match place(field) {
        Place::Bits { word, .. } | Place::Wide(word) | Place::Across { word, .. } | Place::Option(word) => {
            word
        }
    }
}

const TP_WORD: usize = at::L4 + 7;
const TP_BITS: u64 = 0xffff_ffff_0000_0000;
