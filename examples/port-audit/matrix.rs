//! Ports against the places where they were found: a hole is seen at once.

use std::fmt::Write as _;

use examples::judge::{State, Verdict};
use examples::plot::escaped;

use crate::report;

/// Draws the ports, those with a fault first, as far as they fit. The same verdicts give the same picture.
pub fn svg(verdicts: &[Verdict]) -> String {
    let mut shown: Vec<&Verdict> = verdicts.iter().collect();
    shown.sort_by_key(|verdict| verdict.state);
    let left_out = shown.len().saturating_sub(MAX_ROWS);
    shown.truncate(MAX_ROWS);

    let name = |verdict: &Verdict| format!("{}  {}", verdict.port.bridge, verdict.port.interface);
    let longest = shown.iter().map(|verdict| name(verdict).chars().count()).max();
    let marks = LEFT + 40 + longest.unwrap_or(0).max(20) * LETTER;
    let width = marks + COLUMNS.len() * STEP + 200;

    let mut out = String::new();
    let mut text = |x: usize, y: usize, class: &str, text: &str| {
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            r#"<text class="{class}" x="{x}" y="{y}">{}</text>"#,
            escaped(text)
        );
    };
    text(LEFT, 24, "title", "Where each port was found");
    text(
        LEFT,
        42,
        "heading",
        "A dot: there. A ring: missing. Nothing: it need not be there, or nobody has looked.",
    );
    for (column, (heading, _)) in COLUMNS.iter().enumerate() {
        text(marks + column * STEP, TOP - 16, "heading", heading);
    }
    for (row, verdict) in shown.iter().enumerate() {
        let y = TOP + row * ROW + 4;
        let class = match verdict.state {
            State::Ok => "fine",
            State::Undecided => "open",
            _ => "bad",
        };
        text(LEFT, y, class, &name(verdict));
        let state = report::state(verdict);
        text(marks + COLUMNS.len() * STEP, y, class, &state);
    }
    if left_out > 0 {
        let y = TOP + shown.len() * ROW + 4;
        text(LEFT, y, "fine", &format!("and {left_out} more"));
    }
    for (row, verdict) in shown.iter().enumerate() {
        let y = TOP + row * ROW;
        for (column, (_, there)) in COLUMNS.iter().enumerate() {
            let class = match there(verdict) {
                None => continue,
                Some(true) => "there",
                Some(false) => "hole",
            };
            let x = marks + column * STEP + 20;
            let _ = writeln!(out, r#"<circle class="{class}" cx="{x}" cy="{y}" r="5"/>"#);
        }
    }
    let height = TOP + (shown.len() + usize::from(left_out > 0)) * ROW + 10;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\">\n<style>{STYLE}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{out}</svg>\n"
    )
}

type Column = (&'static str, fn(&Verdict) -> Option<bool>);

/// Where a port may be, and whether it is; `None`: it need not be, or nobody has looked.
const COLUMNS: [Column; 5] = [
    ("database", |_| Some(true)),
    ("ofport", |verdict| {
        Some(verdict.port.ofport.is_some_and(|ofport| ofport >= 0))
    }),
    ("netdev", |verdict| verdict.port.has_netdev()),
    ("vport", |verdict| verdict.port.has_vport()),
    ("openflow", |verdict| verdict.port.is_listed()),
];
const MAX_ROWS: usize = 200;
const LEFT: usize = 20;
/// Of a letter that is bold.
const LETTER: usize = 8;
const STEP: usize = 80;
const TOP: usize = 88;
const ROW: usize = 18;
const STYLE: &str = "text{font:12px sans-serif}.title{font-size:16px;font-weight:bold}.heading{fill:#666}.fine{fill:#333}\
    .open{fill:#b9770e}.bad{fill:#c0392b;font-weight:bold}.there{fill:#1f5fa8}.hole{fill:#fff;stroke:#c0392b;stroke-width:2}";
