//! What criterion measured: one directory a run, one figure a function and size.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// A function at one size, in every run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    /// Nanoseconds of one iteration: each run's median. Empty: the peer is missing.
    pub(crate) runs: Vec<f64>,
    /// What one iteration works through.
    pub(crate) work: Option<Work>,
    /// The most memory that a process of its own had, in KiB.
    pub(crate) peak_kib: Option<u64>,
}

/// How much one iteration works through.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) enum Work {
    /// Bytes.
    Bytes(u64),
    /// Flows, rows, messages.
    Elements(u64),
}

impl Work {
    /// How much of it is done in a second, if one iteration takes so many nanoseconds.
    pub(crate) fn a_second(self, nanoseconds: f64) -> f64 {
        let (Self::Bytes(count) | Self::Elements(count)) = self;
        #[expect(clippy::cast_precision_loss, reason = "a rate of three digits")]
        let count = count as f64;
        count / nanoseconds * 1e9
    }
}

/// The functions of a group, each by its sizes. The functions keep no order of their own.
pub(crate) type Group = BTreeMap<String, BTreeMap<Option<u64>, Figure>>;

/// What stands behind the name of a function that the others of its group are compared with.
pub(crate) const BASELINE: &str = " (baseline)";

/// Reads all groups of all runs.
///
/// # Errors
///
/// A directory or file that cannot be read, or that criterion has not written.
pub(crate) fn read(runs: &[PathBuf]) -> io::Result<BTreeMap<String, Group>> {
    let mut groups = BTreeMap::<String, Group>::new();
    for run in runs {
        for file in benchmarks(run)? {
            let Benchmark {
                group_id,
                function_id,
                value_str,
                throughput,
                peak_kib,
            } = json(&file)?;
            let Estimates { median } = json(&file.with_file_name("estimates.json"))?;
            let size = value_str.and_then(|value| value.parse().ok());
            let figure = groups
                .entry(group_id)
                .or_default()
                .entry(function_id.unwrap_or_default())
                .or_default()
                .entry(size)
                .or_insert(Figure {
                    runs: vec![],
                    work: throughput,
                    peak_kib,
                });
            figure.runs.extend(median.map(|it| it.point_estimate));
            figure.peak_kib = figure.peak_kib.max(peak_kib);
        }
    }
    Ok(groups)
}

/// The `new/benchmark.json` of every benchmark below a directory.
fn benchmarks(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![];
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(benchmarks(&path)?);
        } else if path.ends_with("new/benchmark.json") {
            found.push(path);
        }
    }
    Ok(found)
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> io::Result<T> {
    let text = fs::read(path)?;
    serde_json::from_slice(&text)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display())))
}

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<Work>,
    // Only what runs in a process of its own has it.
    peak_kib: Option<u64>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Option<Estimate>,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}
