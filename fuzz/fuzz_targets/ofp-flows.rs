//! Any line as a flow: what is typed prints, reads again as the same flow, and means the same in every version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ofp_codec::{Flow, Version, lint, text::FlowRef};

fuzz_target!(|line: &[u8]| {
    let Ok(parts) = FlowRef::parse(line) else { return };
    let _ = lint::line_problems(&parts);
    let flow = match parts.to_flow() {
        Ok(flow) => flow,
        Err(error) => {
            assert!(error.span.start <= error.span.end && error.span.end <= line.len());
            return;
        }
    };
    let _ = lint::problems(&flow);
    // What is left of broken colours may make a new one.
    if flow.to_string().contains('\x1b') {
        return;
    }
    let Ok(again) = read(&flow.to_string()) else {
        panic!("{flow} does not read");
    };
    assert_eq!(again.to_string(), flow.to_string());
    assert_eq!(read(&again.to_string()).as_ref(), Ok(&again));
    for version in [Version::V1_0, Version::V1_1, Version::V1_3, Version::V1_5] {
        let canonical = flow.canonical(version);
        assert_eq!(canonical.canonical(version), canonical);
    }
});

fn read(line: &str) -> Result<Flow, ofp_codec::text::ParseError> {
    FlowRef::parse(line.as_bytes())?.to_flow()
}
