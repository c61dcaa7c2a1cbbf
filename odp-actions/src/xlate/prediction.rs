//! How far a translation is certain.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Unpredictable;
use super::vlan::Tag;
use crate::{Action, Actions, Key, Tunnel};

/// What can be said of the datapath actions of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// These, byte for byte.
    Exact(Actions),
    /// A list within these bounds: an order, the member of a bond or the packet itself is open.
    Within {
        /// One that may be it, the longest that is known.
        sample: Actions,
        /// Bytes of the list.
        bytes: Bounds,
        /// Outputs, as [`Actions::output_count`] counts them.
        outputs: Bounds,
    },
    /// Nothing, for this reason.
    Unknown(Unpredictable),
}

impl Prediction {
    /// What holds for either of two packets.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(one), Self::Exact(other)) if one == other => Self::Exact(one),
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
            (one, other) => {
                let ((one, bytes, outputs), (other, more_bytes, more_outputs)) = (one.parts(), other.parts());
                Self::Within {
                    sample: if bytes.most >= more_bytes.most { one } else { other },
                    bytes: bytes.or(more_bytes),
                    outputs: outputs.or(more_outputs),
                }
            }
        }
    }

    /// Bytes of the list.
    pub fn bytes(&self) -> Option<Bounds> {
        match self {
            Self::Exact(actions) => Some(Bounds::exactly(bytes_of(actions.iter()))),
            Self::Within { bytes, .. } => Some(*bytes),
            Self::Unknown(_) => None,
        }
    }

    fn parts(self) -> (Actions, Bounds, Bounds) {
        match self {
            Self::Exact(actions) => {
                let (bytes, outputs) = (bytes_of(actions.iter()), actions.output_count());
                (actions, Bounds::exactly(bytes), Bounds::exactly(outputs))
            }
            Self::Within {
                sample,
                bytes,
                outputs,
            } => (sample, bytes, outputs),
            Self::Unknown(_) => (Actions::new(), Bounds::exactly(0), Bounds::exactly(0)),
        }
    }
}

/// The error is the reason why nothing is known.
impl From<Result<Self, Unpredictable>> for Prediction {
    fn from(result: Result<Self, Unpredictable>) -> Self {
        result.unwrap_or_else(Self::Unknown)
    }
}

/// A number that lies between two others, or is one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least that it can be.
    pub least: usize,
    /// The most that it can be.
    pub most: usize,
}

impl Bounds {
    /// A number that is known.
    pub const fn exactly(number: usize) -> Self {
        Self {
            least: number,
            most: number,
        }
    }

    /// Whether only one number is possible.
    pub const fn is_exact(&self) -> bool {
        self.least == self.most
    }

    fn or(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }
}

/// What one output needs of the packet: tags, and tunnel metadata if it is a tunnel.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) tags: Vec<Tag>,
    pub(super) tunnel: Option<Tunnel>,
    /// Whether there is no such step in some orders.
    pub(super) is_optional: bool,
}

impl Step {
    pub(super) const fn new(tags: Vec<Tag>, tunnel: Option<Tunnel>) -> Self {
        Self {
            tags,
            tunnel,
            is_optional: false,
        }
    }
}

/// How the packet may stand: one way, or several where an order is open.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    pub(super) tags: Vec<Vec<Tag>>,
    pub(super) tunnels: Vec<Option<Tunnel>>,
}

impl Ways {
    /// What a step can cost, wherever it starts. Tags and metadata are committed without regard to each other.
    pub(super) fn to(&self, step: &Step) -> Bounds {
        let tags = self.tags.iter().map(|tags| tags_cost(tags, &step.tags));
        let tunnels = self.tunnels.iter().map(|tunnel| match &step.tunnel {
            Some(key) if tunnel.as_ref() != Some(key) => tunnel_cost(key),
            _ => 0,
        });
        let (tags, tunnels) = (range(tags), range(tunnels));
        Bounds {
            least: tags.least + tunnels.least,
            most: tags.most + tunnels.most,
        }
    }

    /// What the steps can cost in any order, and how the packet may stand after them.
    pub(super) fn through(self, steps: &[Step]) -> (Bounds, Self) {
        let (tags, ends) = self.tags_through(steps);
        let (tunnels, keys) = self.tunnels_through(steps);
        let bounds = Bounds {
            least: tags.least + tunnels.least,
            most: tags.most + tunnels.most,
        };
        let is_settled = |is: fn(&&Step) -> bool| steps.iter().filter(is).any(|step| !step.is_optional);
        let has_ended = is_settled(|_| true);
        let has_tunnel = is_settled(|step| step.tunnel.is_some());
        let ways = Self {
            tags: ends
                .into_iter()
                .chain((!has_ended).then_some(self.tags).into_iter().flatten())
                .collect(),
            tunnels: keys
                .into_iter()
                .chain((!has_tunnel).then_some(self.tunnels).into_iter().flatten())
                .collect(),
        };
        (bounds, ways)
    }

    /// The same ways, and those in which any of the steps leaves tunnel metadata.
    pub(super) fn at_entries<'a>(&self, steps: impl Iterator<Item = &'a Step>) -> Self {
        let mut ways = self.clone();
        let keys: BTreeMap<_, _> = steps
            .filter_map(|step| step.tunnel.as_ref())
            .map(|key| (key.as_bytes(), key))
            .collect();
        ways.tunnels.extend(keys.into_values().cloned().map(Some));
        ways
    }

    /// The same, with these tags.
    pub(super) fn with_tags(&self, tags: Vec<Tag>) -> Self {
        Self {
            tags: [tags].into(),
            tunnels: self.tunnels.clone(),
        }
    }

    fn tags_through(&self, steps: &[Step]) -> (Bounds, Vec<Vec<Tag>>) {
        let counts = count(steps.iter().map(|step| (&step.tags, step.is_optional)));
        let costs = |to: &Vec<Tag>| {
            let from = counts.keys().copied().chain(&self.tags);
            range(from.filter(|from| *from != to).map(|from| tags_cost(from, to)))
        };
        let bounds = in_any_order(&counts, costs, |tags| self.tags.contains(tags), self.tags.len());
        (bounds, counts.into_keys().cloned().collect())
    }

    fn tunnels_through(&self, steps: &[Step]) -> (Bounds, Vec<Option<Tunnel>>) {
        let keys: BTreeMap<&[u8], &Tunnel> = steps
            .iter()
            .filter_map(|step| step.tunnel.as_ref())
            .map(|key| (key.as_bytes(), key))
            .collect();
        let counts = count(
            steps
                .iter()
                .filter_map(|step| Some((step.tunnel.as_ref()?.as_bytes(), step.is_optional))),
        );
        let costs = |key: &[u8]| Bounds::exactly(keys.get(key).map_or(0, |key| tunnel_cost(key)));
        let is_start = |key: &[u8]| self.tunnels.iter().flatten().any(|start| start.as_bytes() == key);
        let bounds = in_any_order(&counts, costs, is_start, self.tunnels.len());
        (bounds, keys.into_values().cloned().map(Some).collect())
    }
}

/// Bounds of what it costs to bring the packet into each state as often as it occurs, in any order.
///
/// Each state is entered once at least, unless the packet may be in it from the start or all that need it are optional, and
/// at most as often as it can stand behind another one.
fn in_any_order<T: Copy + Ord>(
    counts: &BTreeMap<T, Count>,
    costs: impl Fn(T) -> Bounds,
    is_start: impl Fn(T) -> bool,
    starts: usize,
) -> Bounds {
    let all: usize = counts.values().map(|count| count.all).sum();
    let mut bounds = Bounds::exactly(0);
    for (state, Count { all: times, required }) in counts {
        let (cost, is_start) = (costs(*state), is_start(*state));
        // Where there is one start, and this is it, the first of the others has to come before.
        let before = usize::from(!(is_start && starts == 1));
        bounds.least += if is_start || *required == 0 { 0 } else { cost.least };
        bounds.most += cost.most * (*times).min(all - times + before);
    }
    bounds
}

/// How many steps need a state, and how many of them there are in every order.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    required: usize,
}

fn count<T: Ord>(items: impl Iterator<Item = (T, bool)>) -> BTreeMap<T, Count> {
    let mut counts = BTreeMap::<T, Count>::new();
    for (item, is_optional) in items {
        let count = counts.entry(item).or_default();
        count.all += 1;
        count.required += usize::from(!is_optional);
    }
    counts
}

fn range(costs: impl Iterator<Item = usize>) -> Bounds {
    let bounds = costs.map(Bounds::exactly).reduce(Bounds::or);
    bounds.unwrap_or(Bounds::exactly(0))
}

/// Bytes of `pop_vlan` and `push_vlan` from one stack of tags to another.
fn tags_cost(from: &[Tag], to: &[Tag]) -> usize {
    let same = same_tags(from, to);
    let pushed: Actions = to[same..]
        .iter()
        .map(|tag| Action::PushVlan(tag.push()))
        .collect();
    bytes_of(from[same..].iter().map(|_| &Action::PopVlan)) + bytes_of(pushed.iter())
}

/// How many tags, from the innermost on, two stacks share.
pub(super) fn same_tags(one: &[Tag], other: &[Tag]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

fn tunnel_cost(key: &Tunnel) -> usize {
    bytes_of([Action::Set(Key::Tunnel(key.clone()))].iter())
}

/// The actions of a translation are short, and encode.
pub(super) fn bytes_of<'a>(actions: impl Iterator<Item = &'a Action>) -> usize {
    actions.filter_map(|action| action.encoded_len().ok()).sum()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::TunnelAttr;

    /// Calls `run` with every order of the items.
    fn permute(items: &mut Vec<Step>, from: usize, run: &mut impl FnMut(&[Step])) {
        if from == items.len() {
            return run(items);
        }
        for other in from..items.len() {
            items.swap(from, other);
            permute(items, from + 1, run);
            items.swap(from, other);
        }
    }

    fn cost(start: &Step, steps: &[Step]) -> usize {
        let mut at = Ways {
            tags: vec![start.tags.clone()],
            tunnels: vec![start.tunnel.clone()],
        };
        let costs = steps.iter().map(|step| {
            let cost = at.to(step);
            at.tags = vec![step.tags.clone()];
            if step.tunnel.is_some() {
                at.tunnels = vec![step.tunnel.clone()];
            }
            assert!(cost.is_exact());
            cost.least
        });
        costs.sum()
    }

    #[test]
    fn bounds_hold_in_every_order_and_are_met_where_tags_stay() {
        let stacks = [vec![], vec![Tag::new(0x8100, 5, 0)], vec![Tag::new(0x8100, 6, 0)]];
        let key = |ttl| Tunnel::new([TunnelAttr::Ttl(ttl)]).ok();
        let keys = [None, key(1), key(2)];
        let step = |number: usize| Step::new(stacks[number % 3].clone(), keys[number / 3 % 3].clone());
        for number in (0..9_usize.pow(4)).step_by(5) {
            let start = step(number);
            let mut steps: Vec<_> = (1..=3).map(|place| step(number / 9_usize.pow(place))).collect();
            steps.push(step(number % 7));
            let ways = Ways {
                tags: vec![start.tags.clone()],
                tunnels: vec![start.tunnel.clone()],
            };
            let (bounds, _) = ways.through(&steps);
            let mut costs = Vec::new();
            permute(&mut steps, 0, &mut |steps| costs.push(cost(&start, steps)));
            let (least, most) = (
                costs.iter().min().copied().unwrap(),
                costs.iter().max().copied().unwrap(),
            );
            assert!(
                bounds.least <= least && most <= bounds.most,
                "{bounds:?} {least} {most} {start:?} {steps:?}"
            );
            let is_simple = steps.iter().all(|step| step.tags == start.tags);
            assert!(
                !is_simple || (bounds.least, bounds.most) == (least, most),
                "{bounds:?} {least} {most} {start:?} {steps:?}"
            );
        }
    }
}
