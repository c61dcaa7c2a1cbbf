//! Keys of a line that are no match fields and are there twice.

use alloc::vec::Vec;

use crate::text::FlowRef;

/// What is wrong with a line that the typed flow does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LineProblem {
    /// A setting of the flow is there more than once: what the line said first is forgotten.
    #[error("{0} is given more than once: only the last one counts")]
    Overridden(&'static str),
    /// A flag is there more than once, which says no more than once.
    #[error("{0} is given more than once: once says the same")]
    Redundant(&'static str),
    /// A statistic is there more than once. Open vSwitch takes the line and no statistic of it; the
    /// last one is in [`Stats`](crate::Stats).
    #[error("{0} is given more than once: open vSwitch ignores it, however often it is given")]
    Statistic(&'static str),
    /// A key is there more than once that only `ovs-appctl bridge/dump-flows` prints and `ovs-ofctl`
    /// does not know. `table_id` stands for `table` beside it, too.
    #[error("{0} is given more than once: open vSwitch refuses it, however often it is given")]
    Unreadable(&'static str),
}

impl LineProblem {
    /// Whether Open vSwitch refuses the line for it, in every version.
    pub fn is_refused(self) -> bool {
        matches!(self, LineProblem::Unreadable(_))
    }

    fn key(self) -> &'static str {
        match self {
            LineProblem::Overridden(key)
            | LineProblem::Redundant(key)
            | LineProblem::Statistic(key)
            | LineProblem::Unreadable(key) => key,
        }
    }
}

/// The keys of a line that are there more than once, each once, in a fixed order: settings, flags,
/// statistics.
///
/// Match fields are none of them: the typed flow keeps every one, and
/// [`problems`](crate::lint::problems) finds those that are there twice. Nor are keys that are not
/// known.
///
/// ```
/// use ofp_codec::{lint::{LineProblem, line_problems}, text::FlowRef};
///
/// let line = FlowRef::parse(b"priority=9,send_flow_rem,tcp,priority=5,send_flow_rem actions=drop")?;
/// let found = line_problems(&line);
/// assert_eq!(found, [
///     LineProblem::Overridden("priority"),
///     LineProblem::Redundant("send_flow_rem"),
/// ]);
/// assert_eq!(found[0].to_string(), "priority is given more than once: only the last one counts");
/// assert_eq!(line.to_flow()?.priority, 5);
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
pub fn line_problems(line: &FlowRef<'_>) -> Vec<LineProblem> {
    let mut counts = [0_usize; KEYS.len()];
    let mut tables = 0;
    for pair in line.info().chain(line.matches()) {
        tables += usize::from(pair.key == b"table");
        let row = KEYS.iter().position(|row| row.key().as_bytes() == pair.key);
        if let Some(count) = row.and_then(|row| counts.get_mut(row)) {
            *count += 1;
        }
    }
    let twice = |(row, count): (&LineProblem, usize)| {
        let same = match row.key() {
            "table_id" if count > 0 => tables,
            _ => 0,
        };
        (count + same > 1).then_some(*row)
    };
    KEYS.iter().zip(counts).filter_map(twice).collect()
}

/// What each key is if it is there twice (`parse_ofp_str__` in lib/ofp-flow.c).
const KEYS: [LineProblem; 21] = [
    LineProblem::Overridden("cookie"),
    LineProblem::Overridden("table"),
    LineProblem::Unreadable("table_id"),
    LineProblem::Overridden("priority"),
    LineProblem::Overridden("idle_timeout"),
    LineProblem::Overridden("hard_timeout"),
    LineProblem::Overridden("importance"),
    LineProblem::Redundant("send_flow_rem"),
    LineProblem::Redundant("check_overlap"),
    LineProblem::Redundant("reset_counts"),
    LineProblem::Redundant("no_packet_counts"),
    LineProblem::Redundant("no_byte_counts"),
    LineProblem::Redundant("allow_hidden_fields"),
    LineProblem::Redundant("no_readonly_table"),
    LineProblem::Statistic("duration"),
    LineProblem::Statistic("n_packets"),
    LineProblem::Statistic("n_bytes"),
    LineProblem::Unreadable("n_offload_packets"),
    LineProblem::Unreadable("n_offload_bytes"),
    LineProblem::Statistic("idle_age"),
    LineProblem::Statistic("hard_age"),
];

#[cfg(test)]
mod tests {
    use alloc::{format, vec};
    use core::time::Duration;

    use super::*;
    use crate::{Flow, FlowFlags, Stats};

    fn problems(line: &str) -> Vec<LineProblem> {
        line_problems(&FlowRef::parse(line.as_bytes()).unwrap())
    }

    #[test]
    fn every_key_that_a_flow_prints_has_a_row() {
        let all_flags = (0..32).fold(FlowFlags::default(), |flags, bit| flags | FlowFlags(1 << bit));
        let flow = Flow {
            table: 1.into(),
            priority: 1,
            cookie: 1,
            idle_timeout: 1,
            hard_timeout: 1,
            importance: 1,
            flags: all_flags,
            stats: Stats {
                duration: Some(Duration::from_secs(1)),
                n_packets: Some(1),
                n_bytes: Some(1),
                n_offload_packets: Some(1),
                n_offload_bytes: Some(1),
                idle_age: Some(1),
                hard_age: Some(1),
            },
            matches: Default::default(),
            actions: Vec::new(),
            unknown: Vec::new(),
            unsaid: Default::default(),
        };
        let line = format!("table_id=1, {flow}");
        let line = FlowRef::parse(line.as_bytes()).unwrap();
        let mut printed: Vec<_> = line.info().chain(line.matches()).map(|pair| pair.key).collect();
        let mut rows = KEYS.map(|row| row.key().as_bytes());
        printed.sort_unstable();
        rows.sort_unstable();
        assert_eq!(printed, rows);
    }

    #[test]
    fn each_key_is_named_once_and_only_if_it_is_there_twice() {
        for row in KEYS {
            let item = match row {
                LineProblem::Redundant(flag) => flag.into(),
                row => format!("{}=1", row.key()),
            };
            for (line, expected) in [
                (format!("{item} actions=drop"), vec![]),
                (format!("{item},tcp,{item} actions=drop"), vec![row]),
                (format!(" {item}, {item}, {item}, tcp actions=drop"), vec![row]),
            ] {
                assert_eq!(problems(&line), expected, "{line}");
            }
        }
    }

    #[test]
    fn table_and_table_id_are_one_key() {
        let unreadable = LineProblem::Unreadable("table_id");
        let overridden = LineProblem::Overridden("table");
        assert_eq!(problems("table=1,table_id=1 actions="), [unreadable]);
        assert_eq!(problems("table_id=1,table=1 actions="), [unreadable]);
        assert_eq!(problems("table=1,table=2 actions="), [overridden]);
        assert_eq!(
            problems("table=1,table_id=1,table=2 actions="),
            [overridden, unreadable]
        );
    }

    #[test]
    fn fields_and_keys_that_are_not_known_are_left_to_others() {
        for line in [
            "reg0=1,reg0=2,tcp,udp actions=drop",
            "new=1, new=2, tcp,later=1,later=2 actions=drop",
            "priority=1 actions=learn(priority=2,priority=3)",
        ] {
            assert_eq!(problems(line), [], "{line}");
        }
    }
}
