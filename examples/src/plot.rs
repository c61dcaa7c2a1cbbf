//! A line plot as SVG, written by hand so that the same input gives the same bytes.

use std::fmt::Write as _;

use crate::cli::printable;

/// A plot of bytes against endpoints.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What stands above it.
    pub title: String,
    /// What stands below the title.
    pub subtitle: String,
    /// The last endpoint count on the horizontal axis.
    pub to: usize,
    /// The growing list: bytes without endpoints, and bytes for each.
    pub line: (usize, usize),
    /// Horizontal limits, in bytes.
    pub byte_limits: Vec<Limit>,
    /// Vertical limits, in endpoints.
    pub endpoint_limits: Vec<Limit>,
    /// Where the deployment is now: endpoints, and whether that is beyond a limit.
    pub here: (usize, bool),
}

/// A limit, drawn as a line.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Where it is.
    pub at: usize,
    /// What it is.
    pub what: String,
    /// Whether it is in force; one that is not is drawn pale.
    pub holds: bool,
}

impl Plot {
    /// The picture.
    pub fn svg(&self) -> String {
        let (once, each) = self.line;
        let bytes_at = |endpoints: usize| once + each * endpoints;
        let top = self
            .byte_limits
            .iter()
            .map(|limit| limit.at)
            .chain([bytes_at(self.to)])
            .max()
            .unwrap_or(1);
        let (x_step, y_step) = (step(self.to), step(top));
        let x_max = self.to.max(1).div_ceil(x_step) * x_step;
        let y_max = top.max(1).div_ceil(y_step) * y_step;
        let x = |endpoints: usize| LEFT + WIDTH * ratio(endpoints, x_max);
        let y = |bytes: usize| TOP + HEIGHT * (1.0 - ratio(bytes, y_max));
        let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);

        let mut out = Svg(String::new());
        out.text(LEFT, 26.0, "title", "start", &self.title);
        out.text(LEFT, 46.0, "note", "start", &self.subtitle);
        for tick in (0..=y_max).step_by(y_step) {
            out.line((LEFT, y(tick)), (right, y(tick)), "grid");
            out.text(LEFT - 8.0, y(tick) + 4.0, "tick", "end", &grouped(tick));
        }
        for tick in (0..=x_max).step_by(x_step) {
            out.line((x(tick), bottom), (x(tick), bottom + 5.0), "axis");
            out.text(x(tick), bottom + 20.0, "tick", "middle", &grouped(tick));
        }
        out.line((LEFT, bottom), (right, bottom), "axis");
        out.text(LEFT + WIDTH / 2.0, bottom + 42.0, "label", "middle", "endpoints");
        out.text(LEFT - 8.0, TOP - 14.0, "label", "end", "bytes");
        for limit in self.endpoint_limits.iter().filter(|limit| limit.at <= x_max) {
            out.line((x(limit.at), TOP), (x(limit.at), bottom), limit.line_class());
            out.text(
                x(limit.at) - 6.0,
                bottom - 10.0,
                limit.text_class(),
                "end",
                &limit.what,
            );
        }
        for limit in &self.byte_limits {
            // The label stands at the side where the growing line is further away.
            let (at, anchor) = if 2 * limit.at > y_max {
                (LEFT + 6.0, "start")
            } else {
                (right - 6.0, "end")
            };
            out.line((LEFT, y(limit.at)), (right, y(limit.at)), limit.line_class());
            out.text(at, y(limit.at) - 5.0, limit.text_class(), anchor, &limit.what);
        }
        out.line((x(0), y(once)), (x(self.to), y(bytes_at(self.to))), "growth");
        let (here, over) = self.here;
        if here <= x_max {
            let class = if over { "over" } else { "within" };
            let (px, py) = (x(here), y(bytes_at(here)));
            let _ = writeln!(
                out.0,
                r#"<circle class="{class}" cx="{px:.1}" cy="{py:.1}" r="6"/>"#
            );
            let label = format!(
                "now: {} endpoints, {} bytes",
                grouped(here),
                grouped(bytes_at(here))
            );
            let (anchor, dx) = if px > LEFT + WIDTH / 2.0 {
                ("end", -12.0)
            } else {
                ("start", 12.0)
            };
            out.text(px + dx, py + 18.0, class, anchor, &label);
        }
        out.finish()
    }
}

impl Limit {
    fn line_class(&self) -> &'static str {
        if self.holds { "limit" } else { "limit pale" }
    }

    fn text_class(&self) -> &'static str {
        if self.holds {
            "limit-text"
        } else {
            "limit-text pale"
        }
    }
}

struct Svg(String);

// Writing to a String does not fail.
impl Svg {
    fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        let _ = writeln!(
            self.0,
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        );
    }

    fn text(&mut self, x: f64, y: f64, class: &str, anchor: &str, text: &str) {
        let text = escaped(text);
        let _ = writeln!(
            self.0,
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
        );
    }

    fn finish(self) -> String {
        let (width, height) = (LEFT + WIDTH + 30.0, TOP + HEIGHT + 60.0);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\">\n<style>{STYLE}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{}</svg>\n",
            self.0
        )
    }
}

/// A step of 1, 2 or 5 times a power of ten that gives about ten ticks.
pub fn step(max: usize) -> usize {
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

/// `part / whole`; both are far below 2^32 here, and saturate there.
fn ratio(part: usize, whole: usize) -> f64 {
    let float = |n| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    float(part) / float(whole.max(1))
}

/// Text as XML has it; control characters, which it does not have, stand there escaped.
pub fn escaped(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
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

const LEFT: f64 = 80.0;
const TOP: f64 = 90.0;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const STYLE: &str = "text{font:12px sans-serif;fill:#333}.title{font-size:16px;font-weight:bold}.note{fill:#666}\
    .label{font-style:italic}.grid{stroke:#e5e5e5}.axis{stroke:#333}.limit{stroke:#c0392b;stroke-dasharray:6 4}\
    line.pale{stroke:#bbb}.limit-text{fill:#c0392b}text.pale{fill:#888}\
    .limit-text,text.within,text.over{paint-order:stroke;stroke:#fff;stroke-width:4px}\
    .growth{stroke:#1f5fa8;stroke-width:2.5}circle.within{fill:#1e8449}\
    circle.over{fill:#c0392b}text.within{fill:#1e8449;font-weight:bold}text.over{fill:#c0392b;font-weight:bold}";
