//! Any text as a filter, asked of any line: an error points into the text, and `!` turns the answer round.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ofp_codec::text::{Filter, FlowRef};

fuzz_target!(|text: &str| {
    let (expression, line) = text.split_once('\n').unwrap_or((text, LINE));
    let filter = match Filter::parse(expression) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(error.span.start <= error.span.end && error.span.end <= expression.len());
            return;
        }
    };
    for line in [line, LINE] {
        let Ok(flow) = FlowRef::parse(line.as_bytes()) else { continue };
        if let Ok(opposite) = Filter::parse(&format!("!({expression})")) {
            assert_ne!(opposite.matches(&flow), filter.matches(&flow));
        }
    }
});

const LINE: &str = "cookie=0x5, duration=1.5s, table=3, n_packets=7, send_flow_rem priority=5,tcp,in_port=\"a b\",\
    ct_state=+trk-new,reg0=0x1/0xff,nw_dst=10.0.0.0/8,tun_metadata0=0x5/0xf actions=ct(commit,zone=NXM_NX_REG0[0..15],\
    nat(src=10.0.0.1)),load:0x1->NXM_NX_REG1[3],set_field:02:00:00:00:00:01->eth_dst,resubmit(,9),\
    output:\"c,d\",clone(1,2),conjunction(6,1/2),enqueue:3:1,check_pkt_larger(1500)->reg0[0],LOCAL";
