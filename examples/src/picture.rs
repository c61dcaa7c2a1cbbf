//! Pictures as SVG, written by hand so that the same input gives the same bytes. They follow a reader's wish for dark.

use std::fmt::{self, Write as _};

use crate::cli::printable;

pub mod lanes;
pub mod matrix;
pub mod plot;

/// What has been drawn, in pixels from the left upper corner.
#[derive(Default)]
struct Svg(String);

// Writing to a String does not fail.
impl Svg {
    fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(Pixels);
        let _ = writeln!(
            self.0,
            r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#
        );
    }

    fn bar(&mut self, class: &str, (x, y): (f64, f64), width: f64, height: f64) {
        let [x, y, width, height] = [x, y, width, height].map(Pixels);
        let _ = writeln!(
            self.0,
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}"/>"#
        );
    }

    /// A dot; a browser shows `hint` to who points at it.
    fn dot(&mut self, class: &str, (x, y): (f64, f64), hint: &str) {
        let [x, y] = [x, y].map(Pixels);
        let _ = match hint {
            "" => writeln!(self.0, r#"<circle class="{class}" cx="{x}" cy="{y}" r="5"/>"#),
            hint => writeln!(
                self.0,
                r#"<circle class="{class}" cx="{x}" cy="{y}" r="5"><title>{}</title></circle>"#,
                escaped(hint)
            ),
        };
    }

    fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let [x, y] = [x, y].map(Pixels);
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let text = escaped(text);
        let _ = writeln!(
            self.0,
            r#"<text class="{class}" x="{x}" y="{y}"{anchor}>{text}</text>"#
        );
    }

    /// The picture, of this size.
    fn finish(self, width: f64, height: f64) -> String {
        let [width, height] = [width, height].map(Pixels);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\">\n<style>{STYLE}</style>\n\
             <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n{}</svg>\n",
            self.0
        )
    }
}

/// Where a text stands: it begins, has its middle, or ends there.
#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// Whole pixels, or tenths.
struct Pixels(f64);

impl fmt::Display for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ((self.0 * 10.0).round() / 10.0).fmt(f)
    }
}

/// Text as XML has it; control characters, which it does not have, stand there escaped.
pub fn escaped(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// `65 531`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// At most `max` letters, the last of them a sign that something is missing.
fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// A step of 1, 2 or 5 times a power of ten that gives about ten ticks.
fn step(max: usize) -> usize {
    let mut power = 1;
    loop {
        for factor in [1, 2, 5] {
            if max / (power * factor) < 10 {
                return power * factor;
            }
        }
        power *= 10;
    }
}

/// Far below 2^32 here, and saturates there.
fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The distance of rows from left and upper edge.
const MARGIN: f64 = 20.0;
const STYLE: &str = include_str!("picture/style.css");
