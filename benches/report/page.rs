//! The report as Markdown.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    figures::{BASELINE, Figure, Group, Work},
    plot::duration,
    ratio::{Ratio, growth, median},
    targets::{TARGETS, Target},
};

/// The tables of a crate's groups.
pub(crate) fn tables(groups: &BTreeMap<&str, &Group>) -> String {
    let mut page = String::new();
    for (name, group) in groups {
        let _ = write!(page, "\n### {name}\n\n{}", table(group));
    }
    page
}

/// A row for each function: its ratio to the baseline at each size, and what the largest size takes.
fn table(group: &Group) -> String {
    let mut sizes: Vec<Option<u64>> = group.values().flat_map(BTreeMap::keys).copied().collect();
    sizes.sort();
    sizes.dedup();
    let baseline = group.iter().find(|(name, _)| name.ends_with(BASELINE));
    let mut page = String::from("| |");
    for size in &sizes {
        let _ = write!(page, " {} |", size.map_or("ratio".to_owned(), grouped));
    }
    page.push_str(" time | rate | grows as | memory |\n|---|");
    page.push_str(&"--:|".repeat(sizes.len() + 4));
    page.push('\n');
    for (name, figures) in group {
        let _ = write!(page, "| {name} |");
        for size in &sizes {
            let baseline = baseline.and_then(|(_, figures)| figures.get(size));
            let ratio = figures.get(size).and_then(|figure| Ratio::of(figure, baseline?));
            let _ = write!(page, " {} |", ratio.map_or_else(String::new, spread));
        }
        let largest = figures.last_key_value().map(|(_, figure)| figure);
        let time = largest.and_then(middle);
        if time.is_none() {
            page.push_str(" **missing, or not done in time** | | | |\n");
            continue;
        }
        let memory = largest.and_then(|figure| figure.peak_kib);
        let _ = writeln!(
            page,
            " {} | {} | {} | {} |",
            time.map_or_else(String::new, duration),
            largest.and_then(|it| rate(it.work?, time?)).unwrap_or_default(),
            growth(&points(figures)).map_or_else(String::new, |power| format!("n^{power:.2}")),
            memory.map_or_else(String::new, |kib| format!("{} MiB", grouped(kib / 1024))),
        );
    }
    page
}

/// What each target is, and whether it is met.
pub(crate) fn targets(groups: &BTreeMap<String, Group>) -> String {
    let mut page =
        String::from("| what | beside | wanted | measured | | for a user |\n|---|---|--:|--:|---|---|\n");
    for target in TARGETS {
        let Target { name, means, .. } = target;
        let (measured, verdict) = match target.measured(groups) {
            Some(ratio) => (spread(ratio), target.verdict(ratio)),
            None => (String::new(), "**not measured**".to_owned()),
        };
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {measured} | {verdict} | {means} |",
            target.beside(groups),
            target.wanted(),
        );
    }
    page
}

/// What was measured of the targets, for the front page.
pub(crate) fn headlines(groups: &BTreeMap<String, Group>) -> String {
    let mut page = String::from("| what | beside | takes |\n|---|---|---|\n");
    for target in TARGETS {
        if let Some(ratio) = target.measured(groups) {
            let ratio = target.terms(&digits(ratio.median));
            let _ = writeln!(page, "| {} | {} | {ratio} |", target.name, target.beside(groups));
        }
    }
    page
}

/// Whether anything grows faster than its work.
pub(crate) fn steepest(mut powers: Vec<(f64, String)>) -> String {
    powers.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let count = powers.len();
    powers.truncate(SHOWN);
    let mut page = format!(
        "\n## What grows fastest\n\nOf {count} functions, by the power of the size that the time grows with.\n\n"
    );
    for (power, name) in powers {
        let verdict = if power < STRAIGHT {
            ""
        } else {
            " **faster than its size**"
        };
        let _ = writeln!(page, "- n^{power:.2} {name}{verdict}");
    }
    page
}

/// A function's times by size; for one that has sizes.
pub(crate) fn points(figures: &BTreeMap<Option<u64>, Figure>) -> Vec<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "a size on a plot")]
    let point = |(size, figure): (&Option<u64>, &Figure)| Some(((*size)? as f64, middle(figure)?));
    figures.iter().filter_map(point).collect()
}

fn middle(figure: &Figure) -> Option<f64> {
    let mut runs = figure.runs.clone();
    runs.sort_by(f64::total_cmp);
    median(&runs)
}

/// `11.2 (10.9 to 12.0)`; without the spread if that is in the last digit.
fn spread(Ratio { median, least, most }: Ratio) -> String {
    let [median, least, most] = [median, least, most].map(digits);
    if least == most {
        median
    } else {
        format!("{median} ({least} to {most})")
    }
}

/// Three digits, more before the point.
fn digits(number: f64) -> String {
    let behind = usize::from(number < 100.0) + usize::from(number < 10.0);
    format!("{number:.behind$}")
}

fn rate(work: Work, nanoseconds: f64) -> Option<String> {
    let unit = match work {
        Work::Bytes(_) => "B/s",
        Work::Elements(_) => "/s",
    };
    let rate = work.a_second(nanoseconds);
    let scales = [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
    let (scale, prefix) = scales.into_iter().find(|(scale, _)| rate >= *scale)?;
    Some(format!("{:.3} {prefix}{unit}", rate / scale))
}

/// `65 520`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join("\u{202f}")
}

/// How many of the steepest are named.
const SHOWN: usize = 3;
/// A power that noise does not explain: twice the size would take 2.3 times as long.
const STRAIGHT: f64 = 1.2;
