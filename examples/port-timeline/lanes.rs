//! The life of a port as swimlanes.

use std::fmt::Write as _;
use std::time::SystemTime;

use examples::plot::{escaped, step};

use crate::event::{Lane, Said, What};

/// Draws a lane for each place; a bar is the time in which the thing was there, a dot is an event. The same events give
/// the same picture.
pub fn svg(title: &str, events: &[Said]) -> String {
    let mut events: Vec<&Said> = events.iter().collect();
    events.sort_by_key(|event| event.time);
    let start = events.first().map_or(SystemTime::UNIX_EPOCH, |event| event.time);
    let length = events.last().map_or(0, |event| event.ms_since(start)).max(1);
    // Exact enough for a picture, and far below 2^53.
    let x = |ms: i128| LEFT + usize::try_from(ms * (WIDTH as i128) / length).unwrap_or(0);
    let y = |lane: usize| TOP + lane * ROW;

    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        r#"<text class="title" x="{MARGIN}" y="26">{}</text>"#,
        escaped(title)
    );
    for (row, lane) in Lane::ALL.iter().enumerate() {
        let mid = y(row);
        let _ = writeln!(
            out,
            r#"<text class="lane" x="{MARGIN}" y="{}">{}</text>"#,
            mid + 4,
            lane.name()
        );
        let _ = writeln!(
            out,
            r#"<line class="grid" x1="{LEFT}" y1="{mid}" x2="{}" y2="{mid}"/>"#,
            LEFT + WIDTH
        );
        // Of flows there are many at a time.
        let (mut there, mut since) = (0_usize, 0);
        let here: Vec<&&Said> = events.iter().filter(|event| event.lane == *lane).collect();
        for event in &here {
            let now = event.ms_since(start);
            match (event.what, there) {
                (What::Went, 0 | 1) => {
                    bar(&mut out, x(since), x(now), mid);
                    there = 0;
                }
                (What::Went, _) => there -= 1,
                (What::Is | What::Came, 0) => (there, since) = (1, now),
                (What::Is | What::Came, _) => there += 1,
                (What::Changed, _) => {}
            }
        }
        if there > 0 {
            bar(&mut out, x(since), LEFT + WIDTH, mid);
        }
        for event in here {
            let label = format!("{:+} ms: {} {}", event.ms_since(start), event.device, event.text);
            let class = if event.what == What::Went { "went" } else { "event" };
            let _ = writeln!(
                out,
                r#"<circle class="{class}" cx="{}" cy="{mid}" r="5"><title>{}</title></circle>"#,
                x(event.ms_since(start)),
                escaped(&label)
            );
        }
    }
    let bottom = y(Lane::ALL.len());
    let step = step(usize::try_from(length).unwrap_or(usize::MAX));
    for ms in (0..=length).step_by(step) {
        let _ = writeln!(
            out,
            r#"<text class="tick" x="{}" y="{bottom}" text-anchor="middle">{ms} ms</text>"#,
            x(ms)
        );
    }
    for (number, event) in events.iter().enumerate().take(LIST_MAX) {
        let line = format!(
            "{:+} ms  {}  {}  {}",
            event.ms_since(start),
            event.lane.name(),
            event.device,
            event.text
        );
        let _ = writeln!(
            out,
            r#"<text class="list" x="{MARGIN}" y="{}">{}</text>"#,
            bottom + 30 + number * LINE,
            escaped(&line)
        );
    }
    let width = LEFT + WIDTH + 60;
    let height = bottom + 40 + events.len().min(LIST_MAX) * LINE;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\">\n<style>{STYLE}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{out}</svg>\n"
    )
}

fn bar(out: &mut String, from: usize, to: usize, mid: usize) {
    let _ = writeln!(
        out,
        r#"<rect class="there" x="{from}" y="{}" width="{}" height="10"/>"#,
        mid - 5,
        to.saturating_sub(from).max(1)
    );
}

const MARGIN: usize = 20;
const LEFT: usize = 110;
const WIDTH: usize = 800;
const TOP: usize = 70;
const ROW: usize = 40;
const LINE: usize = 16;
/// Events that are listed below the lanes.
const LIST_MAX: usize = 60;
const STYLE: &str = "text{font:12px sans-serif;fill:#333}.title{font-size:16px;font-weight:bold}.lane{font-weight:bold}\
    .tick{fill:#666}.list{font:11px monospace;white-space:pre}.grid{stroke:#e5e5e5}.there{fill:#aecbe8}.event{fill:#1f5fa8}\
    .went{fill:#fff;stroke:#c0392b;stroke-width:2}";
