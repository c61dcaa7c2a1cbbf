//! Groups.

use ofp_codec::{Bucket, Group, GroupType};

use super::{Walk, Walked, set::in_order};
use crate::{
    config::NO_PORT,
    trace::{Failure, What},
    unknown::Unknown,
};

impl Walk<'_> {
    /// `true`: there is no such group, and the list ends.
    pub(super) fn group(&mut self, id: u32, last: bool) -> Walked<bool> {
        if !self.may_go_deeper() {
            return Ok(false);
        }
        let Some(group) = self.bridge_ref().group(id) else {
            self.say(What::Note("output to nonexistent group"));
            return Ok(true);
        };
        match group.kind {
            GroupType::ALL | GroupType::INDIRECT => {
                for (n, bucket) in group.buckets.iter().enumerate() {
                    self.bucket(bucket, last && n + 1 == group.buckets.len())?;
                }
            }
            GroupType::FAST_FAILOVER => match self.first_live(group)? {
                Some(bucket) => self.bucket(bucket, last)?,
                None => self.say(What::Note("no live bucket")),
            },
            GroupType::SELECT => self.select(group, last)?,
            _ => return Err(Unknown::Action(format!("group:{id}").into())),
        }
        Ok(false)
    }

    fn bucket(&mut self, bucket: &Bucket, last: bool) -> Walked {
        let flow = self.flow;
        let was_mpls = self.was_mpls;
        self.say(What::Bucket(bucket.id.unwrap_or(0)));
        let list = in_order(&bucket.actions);
        self.depth += 1;
        self.nesting += 1;
        self.list(&list, last, true)?;
        self.nesting -= 1;
        self.depth -= 1;
        if self.freezing.is_on {
            self.finish_freezing()?;
        }
        self.flow = flow;
        self.was_mpls = was_mpls;
        self.exit = false;
        if matches!(
            self.failure,
            Some(Failure::TooManyMplsLabels | Failure::UnsupportedPacketType)
        ) {
            self.failure = None;
        }
        Ok(())
    }

    fn first_live<'g>(&self, group: &'g Group) -> Walked<Option<&'g Bucket>> {
        for bucket in &group.buckets {
            if self.is_live(bucket, 0)? {
                return Ok(Some(bucket));
            }
        }
        Ok(None)
    }

    /// Whether a bucket's port or group is up; one that watches nothing is.
    pub(super) fn is_live(&self, bucket: &Bucket, depth: u32) -> Walked<bool> {
        if depth >= MAX_LIVENESS_RECURSION {
            return Ok(false);
        }
        let port = bucket
            .watch_port
            .as_ref()
            .map(|port| self.port_number(port))
            .transpose()?
            .filter(|port| *port != NO_PORT);
        let group = bucket.watch_group.filter(|group| *group != Group::ANY);
        if port.is_none() && group.is_none() {
            return Ok(true);
        }
        if port.is_some_and(|port| self.bridge_ref().port(port).is_some_and(|port| port.up)) {
            return Ok(true);
        }
        let Some(watched) = group.and_then(|group| self.bridge_ref().group(group)) else {
            return Ok(false);
        };
        for bucket in &watched.buckets {
            if watched.kind == GroupType::SELECT && bucket.weight == 0 {
                continue;
            }
            if self.is_live(bucket, depth + 1)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn select(&mut self, group: &Group, last: bool) -> Walked {
        if self.was_mpls {
            self.freeze();
            return Ok(());
        }
        let method = group
            .selection
            .as_ref()
            .map_or("", |selection| &*selection.method);
        match method {
            "" | "dp_hash" => self.select_by_datapath_hash(group, last),
            _ => self.select_by_hash(group, last),
        }
    }

    fn bucket_of(&mut self, group: &Group, index: usize, last: bool) -> Walked {
        match group.buckets.get(index) {
            Some(bucket) => self.bucket(bucket, last),
            None => {
                self.say(What::Note("no live bucket"));
                Ok(())
            }
        }
    }

    fn select_by_hash(&mut self, group: &Group, last: bool) -> Walked {
        let best = self.best_bucket(group)?;
        self.bucket_of(group, best.unwrap_or(usize::MAX), last)
    }

    /// The datapath computes a hash, and the packet comes back with it.
    fn select_by_datapath_hash(&mut self, group: &Group, last: bool) -> Walked {
        use crate::fields::at;
        let Some(table) = HashTable::of(group, self.switch.rules.larger_hash_tables) else {
            return self.select_by_hash(group, last);
        };
        let hash = self.flow.u32(at::DP_HASH);
        if hash == 0 {
            let algorithm = table.algorithm.min(self.switch.datapath.max_hash_algorithm);
            self.freeze_with_hash(algorithm, table.basis);
            return Ok(());
        }
        let mask = u32::try_from(table.buckets.len()).unwrap_or(0) - 1;
        self.mask.mask_bits(at::DP_HASH, mask);
        for step in 0..=mask {
            let at = usize::try_from(hash.wrapping_add(step) & mask).unwrap_or(0);
            let index = table.buckets[at];
            if group.buckets[index].weight != 0 && self.is_live(&group.buckets[index], 0)? {
                return self.bucket_of(group, index, last);
            }
        }
        self.say(What::Note("no live bucket"));
        Ok(())
    }
}

/// Which bucket each value of the datapath's hash chooses (`group_setup_dp_hash_table` in `ofproto/ofproto-dpif.c`).
struct HashTable {
    algorithm: u32,
    basis: u32,
    buckets: Vec<usize>,
}

impl HashTable {
    /// `None`: the weights do not fit, and Open vSwitch chooses by a hash of its own.
    fn of(group: &Group, is_larger: bool) -> Option<Self> {
        let count = group.buckets.len();
        let weights = group.buckets.iter().map(|bucket| u32::from(bucket.weight));
        let total: u32 = weights.clone().sum();
        let min = weights.clone().filter(|weight| *weight > 0).min()?;
        let wanted = total.div_ceil(min);
        let wanted = if is_larger {
            wanted.max(4 * u32::try_from(count).ok()?)
        } else {
            wanted
        };
        let size = wanted.next_power_of_two().max(16);
        let has_method = group
            .selection
            .as_ref()
            .is_some_and(|selection| !selection.method.is_empty());
        if size > 256 && !has_method || size > MAX_HASHES {
            return None;
        }
        // Webster's method: the highest quotient of weight and divisor gets the next value; the earlier one of equals.
        let mut seats: Vec<(usize, u32, u32)> =
            weights.enumerate().map(|(n, weight)| (n, weight, 1)).collect();
        let mut buckets = Vec::new();
        for _ in 0..size {
            let best = seats
                .iter()
                .enumerate()
                .fold(None::<usize>, |best, (n, seat)| match best {
                    Some(other) if !is_greater(seat, &seats[other]) => Some(other),
                    _ => Some(n),
                })?;
            buckets.push(seats[best].0);
            seats[best].2 += 2;
        }
        let param = group
            .selection
            .as_ref()
            .filter(|_| has_method)
            .map_or(1 << 32, |selection| selection.param);
        Some(Self {
            algorithm: u32::try_from(param >> 32).ok()?,
            basis: u32::try_from(param & 0xffff_ffff).ok()?,
            buckets,
        })
    }
}

/// Whether the quotient of the first is greater than that of the second.
fn is_greater(one: &(usize, u32, u32), other: &(usize, u32, u32)) -> bool {
    u64::from(one.1) * u64::from(other.2) > u64::from(other.1) * u64::from(one.2)
}

const MAX_LIVENESS_RECURSION: u32 = 128;
const MAX_HASHES: u32 = 65_536;
