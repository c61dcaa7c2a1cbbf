//! What memory reading takes. A binary of its own: the allocator counts for all of it.

#![cfg(feature = "std")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed assertion in a test is what a test is for"
)]

use allocation_counter::{AllocationInfo, measure};
use ofp_codec::{
    Flow,
    text::{DumpReader, Filter, FlowRef, Item, items},
};

const NEUTRON: &[u8] = include_bytes!("vectors/dumps/br-int.of13.txt");

fn ovn(count: u32) -> Vec<u8> {
    testbed::ovn_flows(count)
        .flat_map(|line| (line + "\n").into_bytes())
        .collect()
}

fn for_each_line(dump: &[u8], mut visit: impl FnMut(&FlowRef<'_>)) {
    let mut flows = 0;
    for item in items(dump) {
        if let Item::Flow(flow) = item.unwrap() {
            visit(&flow);
            flows += 1;
        }
    }
    assert!(flows > 40, "{flows}");
}

fn taken(work: impl FnOnce()) -> AllocationInfo {
    let taken = measure(work);
    println!("{taken:?}");
    taken
}

#[test]
fn a_borrowed_flow_takes_no_memory() {
    for dump in [&ovn(2000)[..], NEUTRON] {
        let taken = taken(|| {
            for_each_line(dump, |flow| {
                let pairs = flow.info().chain(flow.matches());
                assert!(pairs.map(|pair| pair.key.len()).sum::<usize>() > 0);
                assert!(
                    flow.actions()
                        .all(|action| action.name().len() <= action.raw().len())
                );
            });
        });
        assert_eq!(taken.count_total, 0);
    }
}

#[test]
fn a_filter_takes_no_memory() {
    let filter =
        "n_packets > 5 && (ip || metadata~=0x3) && !(nw_dst~=10.0.0.1 || resubmit.table=8) || ct.zone=1";
    let filter = Filter::parse(filter).unwrap();
    let (dump, mut found) = (ovn(2000), 0);
    let taken = taken(|| for_each_line(&dump, |flow| found += u32::from(filter.matches(flow))));
    assert!((1..2000).contains(&found), "{found}");
    assert_eq!(taken.count_total, 0);
}

#[test]
fn a_stream_takes_the_memory_of_its_longest_line() {
    for flows in [2000, 20_000] {
        let dump = ovn(flows);
        let longest = dump.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
        let mut count = 0;
        let taken = taken(|| {
            let mut reader = DumpReader::new(&dump[..]);
            while let Some(item) = reader.next_item() {
                count += u32::from(matches!(item, Ok(Item::Flow(_))));
            }
        });
        assert_eq!(count, flows);
        assert!(taken.bytes_max < 3 * u64::try_from(longest).unwrap(), "{taken:?}");
    }
}

#[test]
fn typed_flows_that_are_kept_take_no_more_than_they_need() {
    let dump = ovn(2000);
    let mut flows: Vec<Flow> = Vec::with_capacity(2000);
    let taken = taken(|| flows.extend(DumpReader::new(&dump[..]).flows().map(Result::unwrap)));
    let lists = |flow: &Flow| {
        assert_eq!(flow.matches.0.len(), flow.matches.0.capacity());
        assert_eq!(flow.actions.len(), flow.actions.capacity());
        size_of_val(&flow.matches.0[..]) + size_of_val(&flow.actions[..])
    };
    let lists: usize = flows.iter().map(lists).sum();
    // The rest is of nested actions, and of the one flow that all are read into.
    assert!(
        taken.bytes_max < u64::try_from(lists).unwrap() * 3 / 2,
        "{taken:?}, {lists}"
    );
    let of_items: Vec<Flow> = items(&dump).flows().map(Result::unwrap).collect();
    assert_eq!(flows, of_items);
}

#[test]
fn typed_flows_that_are_not_kept_take_the_memory_of_one() {
    for flows in [2000, 20_000] {
        let dump = ovn(flows);
        let mut count = 0;
        let taken = taken(|| {
            let (mut reader, mut flow) = (DumpReader::new(&dump[..]), Flow::default());
            while reader.read_flow(&mut flow).unwrap() {
                count += 1;
            }
        });
        assert_eq!(count, flows);
        assert!(taken.bytes_max < 8 << 10, "{taken:?}");
        // Those of nested actions and of what is seldom.
        assert!(taken.count_total < u64::from(flows), "{taken:?}");
    }
}
