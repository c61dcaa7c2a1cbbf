//! A line against limits.

use super::{Anchor, Svg, float, grouped, step};

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
    /// Where the deployment is, or may be, by rising number of endpoints.
    pub places: Vec<Place>,
}

/// A number of endpoints on the growing line.
#[derive(Clone, Debug)]
pub struct Place {
    /// What it is.
    pub name: &'static str,
    /// How many endpoints.
    pub endpoints: usize,
    /// Whether that is beyond a limit.
    pub is_over: bool,
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

        let mut out = Svg::default();
        out.text("title", (LEFT, 26.0), Anchor::Start, &self.title);
        out.text("note", (LEFT, 46.0), Anchor::Start, &self.subtitle);
        for tick in (0..=y_max).step_by(y_step) {
            out.line("grid", (LEFT, y(tick)), (right, y(tick)));
            out.text("tick", (LEFT - 8.0, y(tick) + 4.0), Anchor::End, &grouped(tick));
        }
        for tick in (0..=x_max).step_by(x_step) {
            out.line("axis", (x(tick), bottom), (x(tick), bottom + 5.0));
            out.text("tick", (x(tick), bottom + 20.0), Anchor::Middle, &grouped(tick));
        }
        out.line("axis", (LEFT, bottom), (right, bottom));
        let middle = LEFT + WIDTH / 2.0;
        out.text("label", (middle, bottom + 42.0), Anchor::Middle, "endpoints");
        out.text("label", (LEFT - 8.0, TOP - 14.0), Anchor::End, "bytes");
        for limit in self.endpoint_limits.iter().filter(|limit| limit.at <= x_max) {
            let at = x(limit.at);
            out.line(limit.line_class(), (at, TOP), (at, bottom));
            out.text(
                limit.text_class(),
                (at - 6.0, bottom - 10.0),
                Anchor::End,
                &limit.what,
            );
        }
        for limit in &self.byte_limits {
            // The label stands at the side where the growing line is further away.
            let (label, anchor) = match 2 * limit.at > y_max {
                true => (LEFT + 6.0, Anchor::Start),
                false => (right - 6.0, Anchor::End),
            };
            let at = y(limit.at);
            out.line(limit.line_class(), (LEFT, at), (right, at));
            out.text(limit.text_class(), (label, at - 5.0), anchor, &limit.what);
        }
        out.line("growth", (x(0), y(once)), (x(self.to), y(bytes_at(self.to))));
        for (nth, place) in self
            .places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.endpoints <= x_max)
        {
            let class = if place.is_over { "bad" } else { "good" };
            let (px, py) = (x(place.endpoints), y(bytes_at(place.endpoints)));
            out.dot(class, (px, py), "");
            let (endpoints, bytes) = (grouped(place.endpoints), grouped(bytes_at(place.endpoints)));
            let label = format!("{}: {endpoints} endpoints, {bytes} bytes", place.name);
            // Where the line is not: left of it above, right of it below, so that two that are near do not meet.
            let is_left = match self.places.len() {
                1 => px > middle,
                _ => nth > 0 || px > LEFT + 0.7 * WIDTH,
            };
            let (anchor, dx, dy) = match (is_left, nth + 1 < self.places.len()) {
                (true, false) => (Anchor::End, -4.0, -10.0),
                (true, true) => (Anchor::End, -12.0, 26.0),
                (false, _) => (Anchor::Start, 12.0, 18.0),
            };
            out.text(&format!("here {class}"), (px + dx, py + dy), anchor, &label);
        }
        out.finish(right + 30.0, bottom + 60.0)
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

/// `part / whole`.
fn ratio(part: usize, whole: usize) -> f64 {
    float(part) / float(whole.max(1))
}

const LEFT: f64 = 80.0;
const TOP: f64 = 90.0;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
