//! How fast sockets are lost.

use std::time::Duration;

use super::Upcalls;

/// What changed between two looks at a switch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Sockets that are lost in a minute.
    pub lost: f64,
    /// Until all descriptors are in use; `None` if that is not to come.
    pub left: Option<Duration>,
}

impl Growth {
    /// From one look to another, this far apart; `None` if that is no time.
    pub fn between(first: &Upcalls, now: &Upcalls, apart: Duration) -> Option<Self> {
        let minutes = apart.as_secs_f64() / 60.0;
        let left = || {
            let rate = difference(first.open?, now.open?) / minutes;
            let minutes = difference(now.open?, now.limit?) / rate;
            // Who has a century left has no limit.
            (rate > 0.0 && minutes < CENTURY).then(|| Duration::from_secs_f64(minutes.max(0.0) * 60.0))
        };
        (minutes > 0.0).then(|| Self {
            lost: difference(first.orphaned(), now.orphaned()) / minutes,
            left: left(),
        })
    }
}

/// `to - from`; numbers of descriptors are far below 2^32, and saturate there.
fn difference(from: usize, to: usize) -> f64 {
    let float = |n| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    float(to) - float(from)
}

/// In minutes.
const CENTURY: f64 = 60.0 * 24.0 * 36525.0;

#[cfg(test)]
mod tests {
    use netlink_genl::accounting::Accounting;

    use super::*;

    #[test]
    fn descriptors_run_out_at_the_rate_at_which_they_were_taken() {
        let upcalls = |open| Upcalls {
            accounting: Accounting {
                attributed: true,
                sockets: vec![],
                dangling: [].into(),
                dispatch: [].into(),
            },
            dispatch: None,
            deaf: false,
            ports: 0,
            per_port: 0,
            open: Some(open),
            limit: Some(1024),
        };
        let left = |from, to| {
            Growth::between(&upcalls(from), &upcalls(to), Duration::from_secs(60))
                .unwrap()
                .left
        };
        assert_eq!(left(14, 24), Some(Duration::from_secs(100 * 60)));
        assert_eq!(left(24, 1024), Some(Duration::ZERO));
        assert_eq!((left(24, 24), left(24, 14)), (None, None));
        assert_eq!(Growth::between(&upcalls(1), &upcalls(2), Duration::ZERO), None);
    }
}
