//! Metrics in Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write as _};

use crate::cli::printable;

/// A page of metrics.
#[derive(Clone, Debug, Default)]
pub struct Page(String);

/// A label and its value.
pub type Label = (&'static str, String);

impl Page {
    /// Adds a family of samples, each with its labels. Without samples there is no family.
    pub fn family<const N: usize, V: Display>(
        &mut self,
        kind: &str,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label; N], V)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let labels = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(&value)));
            let _ = match N {
                0 => writeln!(self.0, "{name} {value}"),
                _ => writeln!(self.0, "{name}{{{}}} {value}", labels.join(",")),
            };
        }
    }

    /// The text.
    pub fn text(self) -> String {
        self.0
    }
}

/// The value of a label. The format escapes a line feed; other control characters, which a terminal would obey, stand there
/// escaped as in the text of tools.
fn escaped(value: &str) -> String {
    let lines: Vec<_> = value.split('\n').map(printable).collect();
    let lines = lines
        .iter()
        .map(|line| line.replace('\\', r"\\").replace('"', r#"\""#));
    lines.collect::<Vec<_>>().join(r"\n")
}
