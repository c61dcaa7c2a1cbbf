//! The steps of a port: as lines, as JSON, and as swimlanes.

use examples::cli::timestamp;
use examples::follow::{Lane, Step, What};
use examples::picture::lanes::{Change, Lanes, Mark};
use serde_json::{Value, json};

pub fn json(step: &Step, before: Option<&Step>) -> Value {
    json!({
        "time": timestamp(step.time),
        "ms_since_last": before.map(|before| step.ms_since(before.time)),
        "device": step.device,
        "lane": step.lane.name(),
        "what": step.what.name(),
        "text": step.text,
    })
}

/// A line, with the time since the one before.
pub fn line(step: &Step, before: Option<&Step>) -> String {
    let delta = before.map_or(String::new(), |before| {
        format!("{:+} ms", step.ms_since(before.time))
    });
    let (time, lane, thing) = (timestamp(step.time), step.lane.name(), thing(step));
    format!("{time}  {delta:>10}  {lane:<9}  {thing}  {}", step.text)
}

/// The name of a device, or what became of a flow.
fn thing(step: &Step) -> &str {
    match (step.lane, step.what) {
        (Lane::Flow, What::Is) => "=",
        (Lane::Flow, What::Came) => "+",
        (Lane::Flow, What::Changed) => "~",
        (Lane::Flow, What::Went) => "-",
        _ => &step.device,
    }
}

/// A lane for each place.
pub fn lanes<'a>(title: &'a str, steps: &[Step]) -> Lanes<'a> {
    let start = steps.iter().map(|step| step.time).min();
    let marks = steps.iter().map(|step| Mark {
        ms: start.map_or(0, |start| step.ms_since(start).try_into().unwrap_or(u32::MAX)),
        lane: Lane::ALL.iter().position(|lane| *lane == step.lane).unwrap_or(0),
        change: match step.what {
            What::Is | What::Came => Change::More,
            What::Changed => Change::Same,
            What::Went => Change::Less,
        },
        text: format!("{} {}", thing(step), step.text),
    });
    Lanes {
        title,
        lanes: Lane::ALL.map(Lane::name).into(),
        marks: marks.collect(),
    }
}
