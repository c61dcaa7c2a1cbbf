//! What tables can do and what they counted, as `ovs-ofctl dump-table-features` and `dump-tables` print it:
//! what is as for the table before is not printed again.

use alloc::{collections::BTreeSet, string::String, vec::Vec};
use core::fmt::{self, Write};

use crate::{
    model::{field::Field, print::Hex},
    wire::table::{
        features::{ActionAbilities, InstructionSet, TableAbilities, TableFeatures},
        stats::TableStats,
    },
};

/// Prints one table after the other.
#[derive(Default)]
pub(crate) struct Tables {
    before: Option<(TableFeatures, Option<Counts>)>,
    /// The tables that are as the one before them, the first and the last.
    same: Option<(u8, u8)>,
}

#[derive(Clone, Copy, PartialEq)]
struct Counts {
    active: u32,
    lookups: u64,
    matched: u64,
}

impl Tables {
    /// Prints the next table with what it counted.
    pub(crate) fn stats(&mut self, text: &mut String, stats: TableStats) {
        let TableStats {
            active,
            lookups,
            matched,
            features,
        } = stats;
        let counts = Counts {
            active,
            lookups,
            matched,
        };
        self.table(text, features, Some(counts));
    }

    /// Prints the next table.
    pub(crate) fn features(&mut self, text: &mut String, features: TableFeatures) {
        self.table(text, features, None);
    }

    fn table(&mut self, text: &mut String, features: TableFeatures, counts: Option<Counts>) {
        let before = self.before.take();
        // Nothing fails that only appends to a string.
        let _ = self.write(text, &features, counts, before.as_ref());
        self.before = Some((features, counts));
    }

    fn write(
        &mut self,
        f: &mut String,
        features: &TableFeatures,
        counts: Option<Counts>,
        before: Option<&(TableFeatures, Option<Counts>)>,
    ) -> fmt::Result {
        let table = features.table;
        if before.is_none() && features.command != 0 {
            let words = ["replace", "modify", "enable", "disable"];
            let word = words
                .get(usize::from(features.command))
                .unwrap_or(&"***bad command***");
            write!(f, "\n  command: {word}")?;
        }
        let same_counts = counts.is_none() || before.is_some_and(|(_, before)| *before == counts);
        let before = before.map(|(before, _)| before);
        let same_features = before.is_some_and(|before| features.is_like(before));
        if same_counts && same_features && features.name.is_empty() {
            let (first, _) = *self.same.get_or_insert((table, table));
            self.same = Some((first, table));
            return Ok(());
        }
        self.end(f);
        write!(f, "\n  table {table}")?;
        if !features.name.is_empty() {
            write!(f, " (\"{}\")", features.name)?;
        }
        f.push(':');
        if same_counts && same_features {
            f.push_str(" ditto");
            return Ok(());
        }
        f.push('\n');
        if let Some(Counts {
            active,
            lookups,
            matched,
        }) = counts
        {
            writeln!(f, "    active={active}, lookup={lookups}, matched={matched}")?;
        }
        if same_features {
            return match features.says_nothing() {
                true => Ok(()),
                false => writeln!(f, "    (same features)"),
            };
        }
        features.write(before, f)
    }

    /// Prints which tables were as the one before them.
    pub(crate) fn end(&mut self, text: &mut String) {
        let _ = match self.same.take() {
            None => Ok(()),
            Some((first, last)) if first == last => write!(text, "\n  table {first}: ditto\n"),
            Some((first, last)) => write!(text, "\n  tables {first}...{last}: ditto\n"),
        };
    }
}

impl TableFeatures {
    /// Whether it prints as the other does, but for its number and its name.
    fn is_like(&self, other: &TableFeatures) -> bool {
        self.metadata_match == other.metadata_match
            && self.metadata_write == other.metadata_write
            && self.on_miss == other.on_miss
            && self.eviction == other.eviction
            && self.vacancy_events == other.vacancy_events
            && self.max_entries == other.max_entries
            && self.does_like(other)
            && self.matches == other.matches
    }

    /// Whether its flows may do what those of the other may.
    fn does_like(&self, other: &TableFeatures) -> bool {
        self.flows.is_like(self.table, &other.flows, other.table)
            && self.miss.is_like(self.table, &other.miss, other.table)
    }

    fn says_nothing(&self) -> bool {
        let empty = TableFeatures::default();
        let TableFeatures { table, command, .. } = *self;
        *self
            == TableFeatures {
                table,
                command,
                name: self.name.clone(),
                masks: self.masks.clone(),
                wildcards: self.wildcards.clone(),
                ..empty
            }
    }

    fn write(&self, before: Option<&TableFeatures>, f: &mut String) -> fmt::Result {
        if self.metadata_match != 0 || self.metadata_write != 0 {
            let (matched, written) = (Hex(self.metadata_match.into()), Hex(self.metadata_write.into()));
            writeln!(f, "    metadata: match={matched} write={written}")?;
        }
        if let Some(miss) = self.on_miss {
            writeln!(f, "    config={}", miss.word())?;
        }
        let supported = |has| if has { "" } else { "not " };
        if let Some(has) = self.eviction {
            writeln!(f, "    eviction: {}supported", supported(has))?;
        }
        if let Some(has) = self.vacancy_events {
            writeln!(f, "    vacancy events: {}supported", supported(has))?;
        }
        if self.max_entries != 0 {
            writeln!(f, "    max_entries={}", self.max_entries)?;
        }
        let nothing = TableAbilities::default();
        if before.is_some_and(|before| self.does_like(before)) {
            if self.flows != nothing {
                writeln!(f, "    (same instructions)")?;
            }
        } else if !self.flows.is_like(self.table, &self.miss, self.table) {
            writeln!(f, "    instructions (other than table miss):")?;
            self.flows.write(before.map(|before| &before.flows), f)?;
            writeln!(f, "    instructions (table miss):")?;
            self.miss.write(before.map(|before| &before.miss), f)?;
        } else if self.flows != nothing {
            writeln!(f, "    instructions (table miss and others):")?;
            self.flows.write(before.map(|before| &before.flows), f)?;
        }
        if self.matches.is_empty() {
            return Ok(());
        }
        if before.is_some_and(|before| before.matches == self.matches) {
            return writeln!(f, "    (same matching)");
        }
        writeln!(f, "    matching:")?;
        for (title, masked, wild) in [
            ("arbitrary mask", true, true),
            ("exact match or wildcard", false, true),
            ("must exact match", false, false),
        ] {
            let is_of = |field: &&Field| {
                self.masks.contains(*field) == masked && self.wildcards.contains(*field) == wild
            };
            let fields: BTreeSet<Field> = self.matches.iter().filter(is_of).copied().collect();
            if !fields.is_empty() {
                write!(f, "      {title}:")?;
                write_fields(&fields, f)?;
            }
        }
        Ok(())
    }
}

impl TableAbilities {
    /// Whether they are the same, but that of two tables that follow each other only the first may go on
    /// with the second.
    fn is_like(&self, table: u8, other: &TableAbilities, other_table: u8) -> bool {
        let (first, second, between) = match u16::from(table) < other_table.into() {
            true => (self, other, other_table),
            false => (other, self, table),
        };
        let follows = u16::from(table).abs_diff(other_table.into()) == 1
            && first.next_tables.contains(&between)
            && !second.next_tables.contains(&between);
        let next_tables = match follows {
            true => {
                let left = |table: &&u8| **table != between;
                first.next_tables.iter().filter(left).eq(&second.next_tables)
            }
            false => first.next_tables == second.next_tables,
        };
        next_tables
            && self.instructions == other.instructions
            && self.write == other.write
            && self.apply == other.apply
    }

    fn write(&self, before: Option<&TableAbilities>, f: &mut String) -> fmt::Result {
        if !self.next_tables.is_empty() {
            f.push_str("      next tables: ");
            write_tables(&self.next_tables, f)?;
        }
        if self.instructions != InstructionSet::default() {
            match before.is_some_and(|before| before.instructions == self.instructions) {
                true => writeln!(f, "      (same instructions)")?,
                false => writeln!(f, "      instructions: {}", self.instructions)?,
            }
        }
        let same = |before: &TableAbilities| before.write == self.write && before.apply == self.apply;
        if before.is_some_and(same) && !self.write.set_fields.is_empty() {
            writeln!(f, "      (same actions)")
        } else if self.write != self.apply {
            writeln!(f, "      Write-Actions features:")?;
            self.write.write(f)?;
            writeln!(f, "      Apply-Actions features:")?;
            self.apply.write(f)
        } else if self.write != ActionAbilities::default() {
            writeln!(f, "      Write-Actions and Apply-Actions features:")?;
            self.write.write(f)
        } else {
            Ok(())
        }
    }
}

impl ActionAbilities {
    fn write(&self, f: &mut String) -> fmt::Result {
        if !self.actions.is_empty() {
            writeln!(f, "        actions: {}", self.actions)?;
        }
        if !self.set_fields.is_empty() {
            write!(f, "        supported on Set-Field:")?;
            write_fields(&self.set_fields, f)?;
        }
        Ok(())
    }
}

/// `1-253,`: runs of numbers.
fn write_tables(tables: &BTreeSet<u8>, f: &mut String) -> fmt::Result {
    let mut tables = tables.iter().copied().peekable();
    let mut comma = "";
    while let Some(first) = tables.next() {
        let mut last = first;
        while let Some(next) = tables.next_if(|next| last.checked_add(1) == Some(*next)) {
            last = next;
        }
        match first == last {
            true => write!(f, "{comma}{first}")?,
            false => write!(f, "{comma}{first}-{last}")?,
        }
        comma = ",";
    }
    f.push('\n');
    Ok(())
}

fn write_fields(fields: &BTreeSet<Field>, f: &mut String) -> fmt::Result {
    let names: Vec<&str> = fields.iter().map(|field| field.info().name).collect();
    f.push(' ');
    write_names(&names, 0, f)?;
    f.push('\n');
    Ok(())
}

/// Names in short: `tun_{id,src,dst}`, `reg0...reg15`. The first `skipped` bytes of each are printed
/// already.
fn write_names(mut names: &[&str], skipped: usize, f: &mut String) -> fmt::Result {
    let mut between = "";
    while let [first, ..] = names {
        f.push_str(between);
        between = if skipped > 0 { "," } else { " " };
        let (alike, prefix) = prefix_run(names, skipped);
        let numbered = number_run(names);
        let run = alike.max(numbered);
        if numbered >= alike {
            f.push_str(&first[skipped..]);
            if run > 1 {
                write!(f, "...{}", &names[run - 1][skipped..])?;
            }
        } else {
            write!(f, "{}{{", &first[skipped..skipped + prefix])?;
            write_names(&names[..run], skipped + prefix, f)?;
            f.push('}');
        }
        names = &names[run..];
    }
    Ok(())
}

/// How many names begin with a common word, and the length of what they have in common. Before release 3.3 Open vSwitch took
/// that of the first two, and printed the others from the middle of their words.
fn prefix_run(names: &[&str], skipped: usize) -> (usize, usize) {
    let Some((first, others)) = names.split_first() else {
        return (0, 0);
    };
    let prefixes = others
        .iter()
        .map(|name| common_prefix(&first[skipped..], &name[skipped..]))
        .take_while(|prefix| *prefix > 0);
    let (count, shortest) = prefixes.fold((0, usize::MAX), |(count, shortest), prefix| {
        (count + 1, shortest.min(prefix))
    });
    (1 + count, if count == 0 { 0 } else { shortest })
}

/// The length of the words that two names begin with, each with its underscore.
fn common_prefix(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a[..same].rfind('_').map_or(0, |at| at + 1)
}

/// How many names count on: `reg0`, `reg1`. Two are too few.
fn number_run(names: &[&str]) -> usize {
    let run = 1 + names
        .windows(2)
        .take_while(|pair| counts_on(pair[0], pair[1]))
        .count();
    if run == 2 { 1 } else { run }
}

fn counts_on(a: &str, b: &str) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let number = |name: &str| {
        let digits = name.get(same..).filter(|digits| digits.len() < 10)?;
        let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u32>().ok().filter(|_| is_digits)
    };
    matches!((number(a), number(b)), (Some(a), Some(b)) if a + 1 == b)
}
