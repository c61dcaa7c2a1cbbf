//! `cargo xtask bench` ends here: `report OUT RUN..` reads what criterion left in the directories of several runs, and
//! writes `OUT/REPORT.md` and a plot for each crate.

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
    let (Some(out), runs) = (args.next(), args.collect::<Vec<_>>()) else {
        eprintln!("usage: report OUT RUN..");
        return ExitCode::from(USAGE);
    };
    match write(&out, &runs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(out: &Path, runs: &[PathBuf]) -> Result<(), Box<dyn Error>> {
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
    for name in crates {
        let groups: BTreeMap<&str, &Group> = groups
            .iter()
            .filter(|(group, _)| crate_of(group) == name)
            .map(|(group, figures)| (group.as_str(), figures))
            .collect();
        page.push_str(&format!("\n## {name}\n"));
        let mut lines = lines(&groups);
        if !lines.is_empty() {
            let file = format!("{name}.svg");
            plot::write(&plots.join(&file), &format!("{name}: time by size"), &mut lines)?;
            page.push_str(&format!("\n![time by size](plots/{file})\n"));
        }
        page.push_str(&page::tables(&groups));
    }
    let report = out.join("REPORT.md");
    fs::write(&report, page)?;
    println!("{}", report.display());
    Ok(())
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
const HOW_TO_READ: &str = "\
Read the ratios: each is to the row that says *baseline*, at the same size and in the same run, and outlives the
machine. Time and rate are those of the largest size. *Grows as* is the power of the size that the time grows with,
over the three largest sizes: 1 is a straight line.
";
