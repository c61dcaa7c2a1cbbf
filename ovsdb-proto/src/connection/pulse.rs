//! What a connection does by the clock, but for its calls.

use std::time::Duration;

use super::{Connection, End};

#[derive(Debug)]
pub(super) struct Pulse {
    interval: Option<Duration>,
    probe: Probe,
    /// When bytes came last, or the connection was made.
    last_received: Duration,
    /// Since when no bytes are wanted.
    shut_since: Option<Duration>,
    /// Bytes that are wanted nevertheless.
    allowance: usize,
    /// When to end the connection, and why.
    last_words: Option<(Duration, End)>,
    /// Nothing is due before it. It may be too early, for whatever postpones something leaves it.
    wake_at: Option<Duration>,
}

/// How far the question goes whether the peer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// It was, at this time.
    There(Duration),
    /// It was asked at this time.
    Asked(Duration),
    /// There was no answer. If the program kept the reader from its work, one may have arrived:
    /// until this time it can be read.
    LastTurn(Duration),
}

impl Pulse {
    pub(super) fn new(interval: Option<Duration>, now: Duration) -> Self {
        let interval = interval.map(|interval| interval.max(MIN_INTERVAL));
        Self {
            interval,
            probe: Probe::There(now),
            last_received: now,
            shut_since: None,
            allowance: 0,
            last_words: None,
            wake_at: interval.map(|interval| now.saturating_add(interval)),
        }
    }

    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.wake_at
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.wake_at.is_some_and(|at| at <= now)
    }

    pub(super) fn wake_before(&mut self, at: Duration) {
        self.wake_at = Some(self.wake_at.map_or(at, |there| there.min(at)));
    }

    pub(super) fn last_received(&self) -> Duration {
        self.last_received
    }

    pub(super) fn received(&mut self, now: Duration, len: usize) {
        self.last_received = now;
        self.probe = Probe::There(now);
        self.allowance = self.allowance.saturating_sub(len);
    }

    pub(super) fn set_last_words(&mut self, now: Duration, end: End) {
        let at = now.saturating_add(READER_GRACE);
        self.last_words.get_or_insert((at, end));
        self.wake_before(at);
    }

    pub(super) fn wants_bytes(&mut self, now: Duration, shut: bool) -> bool {
        if !shut {
            self.shut_since = None;
        } else if self.allowance == 0 {
            let since = *self.shut_since.get_or_insert(now);
            self.wake_before(since.saturating_add(TRICKLE_INTERVAL));
            return false;
        }
        true
    }

    /// When the next thing is due.
    fn next_due(&self) -> Option<Duration> {
        let probe = self.interval.map(|interval| match self.probe {
            Probe::There(since) | Probe::Asked(since) => since.saturating_add(interval),
            Probe::LastTurn(until) => until,
        });
        let trickle = self
            .shut_since
            .map(|since| since.saturating_add(TRICKLE_INTERVAL));
        let words = self.last_words.as_ref().map(|(at, _)| *at);
        [probe, trickle, words].into_iter().flatten().min()
    }
}

impl Connection {
    /// Does what is due.
    pub(super) fn tick(&mut self, now: Duration) {
        let calls_due = self.expire_calls(now);
        if let Some((_, end)) = self.pulse.last_words.take_if(|(at, _)| *at <= now) {
            self.end(end);
        }
        self.probe(now);
        let shut_since = self.pulse.shut_since;
        if shut_since.is_some_and(|since| since.saturating_add(TRICKLE_INTERVAL) <= now) {
            self.pulse.shut_since = None;
            self.pulse.allowance = TRICKLE_LEN;
        }
        self.pulse.wake_at = self.pulse.next_due().into_iter().chain(calls_due).min();
    }

    fn probe(&mut self, now: Duration) {
        let Some(interval) = self.pulse.interval else {
            return;
        };
        // Who does not read cannot tell. Nor can who waits for a large initial state.
        let (shut, patient) = (self.is_shut(), self.calls.is_any_patient());
        self.pulse.probe = match self.pulse.probe {
            Probe::There(since) if since.saturating_add(interval) <= now => {
                if !shut {
                    self.send_and_forget("echo", &[(); 0]);
                }
                Probe::Asked(now)
            }
            Probe::Asked(at) if at.saturating_add(interval) <= now => match shut || patient {
                true => Probe::There(now),
                false => Probe::LastTurn(now.saturating_add(READER_TURN)),
            },
            Probe::LastTurn(until) if until <= now => {
                match shut || patient {
                    true => {}
                    false => self.end(End::Silent { after: interval * 2 }),
                }
                Probe::There(now)
            }
            probe => probe,
        };
    }
}

/// More than the kernel holds for a socket by default, in the 5 s that the server waits for the
/// reply to its echo.
const TRICKLE_LEN: usize = 1024 * 1024;

const TRICKLE_INTERVAL: Duration = Duration::from_secs(1);

/// Less would be all that a connection does.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// For the reader to take what has arrived.
const READER_TURN: Duration = Duration::from_millis(100);

/// For the reader to take what arrived before the peer went away.
const READER_GRACE: Duration = Duration::from_secs(1);
