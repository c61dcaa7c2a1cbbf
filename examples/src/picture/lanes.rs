//! What happens in several places, as swimlanes over time.

use super::{Anchor, MARGIN, Svg, cut, float, grouped, step};

/// Swimlanes.
#[derive(Clone, Debug)]
pub struct Lanes<'a> {
    /// What stands above them.
    pub title: &'a str,
    /// What the places are called.
    pub lanes: Vec<&'a str>,
    /// What happened, in any order.
    pub marks: Vec<Mark>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// When, in milliseconds since the first of them.
    pub ms: u32,
    /// Which lane.
    pub lane: usize,
    /// What it did to the number of things that are there.
    pub change: Change,
    /// What it was.
    pub text: String,
}

/// What an event does to the number of things in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// One more.
    More,
    /// As many.
    Same,
    /// One less.
    Less,
}

impl Lanes<'_> {
    /// The picture: a bar is the time in which something was there, a dot an event, and a ring one that ended something.
    /// Below it the first of the events are listed.
    pub fn svg(&self) -> String {
        let mut marks: Vec<&Mark> = self.marks.iter().collect();
        marks.sort_by_key(|mark| mark.ms);
        let length = marks.last().map_or(1, |mark| mark.ms.max(1));
        let x = |ms: u32| LEFT + WIDTH * f64::from(ms) / f64::from(length);
        let bottom = TOP + float(self.lanes.len()) * ROW;

        let mut out = Svg::default();
        out.text(
            "title",
            (MARGIN, 26.0),
            Anchor::Start,
            &cut(self.title, TITLE_MAX),
        );
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        for tick in (0..=length).step_by(step(whole)) {
            out.line("grid", (x(tick), TOP - ROW / 2.0), (x(tick), bottom - 18.0));
            let label = grouped(usize::try_from(tick).unwrap_or(usize::MAX)) + "\u{a0}ms";
            out.text("tick", (x(tick), bottom), Anchor::Middle, &label);
        }
        for (n, lane) in self.lanes.iter().enumerate() {
            let y = TOP + float(n) * ROW;
            out.text("name", (MARGIN, y + 4.0), Anchor::Start, lane);
            out.line("grid", (LEFT, y), (LEFT + WIDTH, y));
            let here: Vec<&Mark> = marks.iter().copied().filter(|mark| mark.lane == n).collect();
            for (from, to) in times_there(&here, length) {
                out.bar("bar", (x(from), y - 6.0), (x(to) - x(from)).max(1.0), 12.0);
            }
            for mark in here {
                let class = match mark.change {
                    Change::Less => "hole",
                    Change::More | Change::Same => "there",
                };
                out.dot(class, (x(mark.ms), y), &self.line(mark));
            }
        }
        for (n, mark) in marks.iter().enumerate().take(LIST_MAX) {
            let y = bottom + 34.0 + float(n) * LINE;
            out.text(
                "list",
                (MARGIN, y),
                Anchor::Start,
                &cut(&self.line(mark), LIST_LETTERS),
            );
        }
        let listed = marks.len().min(LIST_MAX);
        let left_out = marks.len() - listed;
        let mut height = bottom + 34.0 + float(listed) * LINE;
        if left_out > 0 {
            let text = format!("and {left_out} more");
            out.text("note", (MARGIN, height), Anchor::Start, &text);
            height += LINE;
        }
        out.finish(LEFT + WIDTH + 60.0, height)
    }

    fn line(&self, mark: &Mark) -> String {
        let lane = self.lanes.get(mark.lane).copied().unwrap_or_default();
        format!("{:>8} ms  {lane:<9}  {}", mark.ms, mark.text)
    }
}

/// From when to when there was something, of a lane's marks in their order. What goes without having come was there from
/// the start.
fn times_there(marks: &[&Mark], end: u32) -> Vec<(u32, u32)> {
    let mut times = Vec::new();
    let (mut there, mut since) = (0_usize, 0);
    for mark in marks {
        match mark.change {
            Change::More => {
                if there == 0 {
                    since = mark.ms;
                }
                there += 1;
            }
            Change::Same => {}
            Change::Less => {
                there = there.saturating_sub(1);
                if there == 0 {
                    times.push((since, mark.ms));
                }
            }
        }
    }
    if there > 0 {
        times.push((since, end));
    }
    times
}

const LEFT: f64 = 110.0;
const WIDTH: f64 = 800.0;
const TOP: f64 = 70.0;
const ROW: f64 = 40.0;
const LINE: f64 = 16.0;
const TITLE_MAX: usize = 90;
/// Events that are listed below the lanes, and letters of each.
const LIST_MAX: usize = 60;
const LIST_LETTERS: usize = 138;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_the_time_in_which_anything_was_there() {
        let mark = |ms, change| Mark {
            ms,
            lane: 0,
            change,
            text: String::new(),
        };
        use Change::{Less, More, Same};
        for (marks, times) in [
            (vec![(5, More), (7, Same)], vec![(5, 20)]),
            (vec![(5, More), (6, More), (7, Less), (9, Less)], vec![(5, 9)]),
            (vec![(9, Less), (12, More), (15, Less)], vec![(0, 9), (12, 15)]),
            (vec![(3, Same)], vec![]),
        ] {
            let marks: Vec<Mark> = marks.into_iter().map(|(ms, change)| mark(ms, change)).collect();
            assert_eq!(times_there(&marks.iter().collect::<Vec<_>>(), 20), times);
        }
    }
}
