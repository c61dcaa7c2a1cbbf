//! Updates that wait to be taken. They are never dropped.

use std::collections::{BTreeMap, VecDeque};

use super::{End, MonitorId, Notice};

#[derive(Debug, Default)]
pub(super) struct Updates {
    queues: BTreeMap<MonitorId, VecDeque<Notice>>,
    /// Bytes in all queues.
    len: usize,
}

impl Updates {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn subscribe(&mut self, monitor: MonitorId) {
        self.queues.insert(monitor, VecDeque::new());
    }

    pub(super) fn unsubscribe(&mut self, monitor: MonitorId) {
        let queue = self.queues.remove(&monitor).unwrap_or_default();
        self.len -= queue.iter().map(Notice::len).sum::<usize>();
    }

    pub(super) fn take(&mut self, monitor: MonitorId) -> Option<Notice> {
        let notice = self.queues.get_mut(&monitor)?.pop_front()?;
        self.len -= notice.len();
        Some(notice)
    }

    /// Gives the monitor that the notification is for; `None` if there is none such.
    pub(super) fn push(
        &mut self,
        params: &[u8],
        notice: Notice,
        limit: usize,
    ) -> Result<Option<MonitorId>, End> {
        let Some(monitor) = monitor_id(params) else {
            return Ok(None);
        };
        let Some(queue) = self.queues.get_mut(&monitor) else {
            return Ok(None);
        };
        let len = notice.len();
        queue.push_back(notice);
        self.len += len;
        // However large, one message that waits alone is no backlog.
        match self.len {
            queued if queued > limit && queued > len => Err(End::Lagged { queued, limit }),
            _ => Ok(Some(monitor)),
        }
    }
}

impl Notice {
    /// What it counts in the queue: its bytes, and some for itself.
    fn len(&self) -> usize {
        match self {
            Self::Update { params, .. } => size_of::<Self>() + params.len(),
            Self::Canceled => size_of::<Self>(),
        }
    }
}

/// The id of the monitor, which is the first parameter. Ours are plain numbers.
fn monitor_id(params: &[u8]) -> Option<MonitorId> {
    let first = params.strip_prefix(b"[")?.trim_ascii_start();
    let end = first.iter().position(|byte| !byte.is_ascii_digit())?;
    let number = std::str::from_utf8(&first[..end]).ok()?.parse().ok()?;
    Some(MonitorId(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_parameter_is_the_monitor() {
        assert_eq!(monitor_id(b"[7,{}]"), Some(MonitorId(7)));
        assert_eq!(monitor_id(b"[ 18446744073709551615 ]"), Some(MonitorId(u64::MAX)));
        for other in [
            "[]",
            "[null,{}]",
            "[\"7\",{}]",
            "[-7]",
            "[18446744073709551616,{}]",
            "7",
            "[7",
        ] {
            assert_eq!(monitor_id(other.as_bytes()), None, "{other}");
        }
    }
}
