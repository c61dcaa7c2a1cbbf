//! `cargo xtask bench` ends here: `report OUT FRONT RUN..` reads what criterion left in the directories of several runs,
//! writes `OUT/REPORT.md` and a plot for each crate, and puts the figures of the targets into the page `FRONT`.

mod figures;
mod machine;
mod page;
mod plot;
mod ratio;
mod targets;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    figures::{BASELINE, Group},
    plot::Line,
};

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let (Some(out), Some(front), runs) = (args.next(), args.next(), args.collect::<Vec<_>>()) else {
        eprintln!("usage: report OUT FRONT RUN..");
        return ExitCode::from(USAGE);
    };
    match write(&out, &front, &runs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(out: &Path, front: &Path, runs: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    let groups = figures::read(runs)?;
    let crates: BTreeSet<&str> = groups.keys().map(|name| crate_of(name)).collect();
    let plots = out.join("plots");
    fs::create_dir_all(&plots)?;

    let mut page = format!(
        "# Benchmarks\n\n{}\nRuns of each: {}; a figure is the median of the runs, with the least and the most in \
         brackets.\n`cargo xtask bench` makes this page anew.\n\n{}\n## Targets\n\n{}",
        machine::describe(),
        runs.len(),
        HOW_TO_READ,
        page::targets(&groups),
    );
    let mut tables = String::new();
    let mut steepest = Vec::new();
    for name in crates {
        let groups: BTreeMap<&str, &Group> = groups
            .iter()
            .filter(|(group, _)| crate_of(group) == name)
            .map(|(group, figures)| (group.as_str(), figures))
            .collect();
        tables.push_str(&format!("\n## {name}\n"));
        let mut lines = lines(&groups);
        if !lines.is_empty() {
            let file = format!("{name}.svg");
            plot::write(&plots.join(&file), &format!("{name}: time by size"), &mut lines)?;
            tables.push_str(&format!("\n![time by size](plots/{file})\n"));
        }
        tables.push_str(&page::tables(&groups));
        let powers = lines
            .iter()
            .filter_map(|line| Some((ratio::growth(&line.points)?, format!("{name}: {}", line.name))));
        steepest.extend(powers);
    }
    page.push_str(&page::steepest(steepest));
    page.push_str(&tables);
    let report = out.join("REPORT.md");
    fs::write(&report, page)?;
    let text = fs::read_to_string(front)?;
    fs::write(front, with_figures(&text, &page::headlines(&groups))?)?;
    println!("{}", report.display());
    Ok(())
}

/// A page with other figures between its marks.
fn with_figures(page: &str, figures: &str) -> Result<String, String> {
    let parts = page.split_once(FIGURES).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{FIGURES}\n{figures}{END}{after}"))
    });
    parts.ok_or_else(|| format!("no {FIGURES} and {END} in the front page"))
}

/// `odp-actions` of `odp-actions/capacity`.
fn crate_of(group: &str) -> &str {
    group.split('/').next().unwrap_or(group)
}

/// What was measured at three sizes or more, without the baselines.
fn lines(groups: &BTreeMap<&str, &Group>) -> Vec<Line> {
    let figures = groups.iter().flat_map(|(group, functions)| {
        functions.iter().map(move |(name, figures)| {
            let topic = group
                .split_once('/')
                .map_or(String::new(), |(_, topic)| format!("{topic}: "));
            Line {
                name: format!("{topic}{name}"),
                points: page::points(figures),
            }
        })
    });
    figures
        .filter(|line| line.points.len() >= 3 && !line.name.ends_with(BASELINE))
        .collect()
}

const USAGE: u8 = 64;
const FIGURES: &str = "<!-- figures of benches/REPORT.md -->";
const END: &str = "<!-- end of figures -->";
const HOW_TO_READ: &str = "\
Read the ratios: each is to the row that says *baseline*, at the same size and in the same run, and outlives the
machine. Time and rate are those of the largest size. *Grows as* is the power of the size that the time grows with,
over the three largest sizes: 1 is a straight line.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_put_between_their_marks() {
        let page = format!("a\n{FIGURES}\nold\n{END}\nz\n");
        let new = format!("a\n{FIGURES}\nnew\n{END}\nz\n");
        assert_eq!(with_figures(&page, "new\n"), Ok(new));
        assert!(with_figures("a page without", "new\n").is_err());
    }

    /// Nobody types a figure by hand.
    #[test]
    fn the_front_page_says_what_the_report_says() {
        let (front, report) = (include_str!("../../README.md"), include_str!("../REPORT.md"));
        let (_, figures) = front.split_once(FIGURES).unwrap();
        let (figures, _) = figures.split_once(END).unwrap();
        let rows: Vec<&str> = figures
            .lines()
            .filter(|row| row.starts_with("| "))
            .skip(1)
            .collect();
        assert!(!rows.is_empty());
        for row in rows {
            let (what, takes) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
            let (number, _) = takes.split_once(' ').unwrap();
            let measured = report.lines().find(|line| line.starts_with(what));
            let cells: Vec<&str> = measured.unwrap().split(" | ").collect();
            assert_eq!(cells[3].split(' ').next(), Some(number), "{row}");
        }
    }
}
