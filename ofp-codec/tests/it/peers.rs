//! Lines that Python's ovs.flow cannot read, or reads wrongly.

use std::{fs, path::PathBuf};

use ofp_codec::{
    Action,
    text::{FlowRef, Item, items},
};

#[test]
fn what_ovs_flow_cannot_read_is_read_whole() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/peers/ovs-flow.tsv");
    let rows = fs::read_to_string(path).unwrap();
    let (mut raised, mut wrong) = (0, 0);
    for row in rows.lines().skip(1) {
        let (line, answer) = row.split_once('\t').unwrap();
        let item = items(line.as_bytes()).next().unwrap().unwrap();
        assert!(matches!(item, Item::Flow(_)), "{line}");
        assert_eq!(item.to_string(), line);
        let flow = FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap();
        let unknown = |action: &Action| matches!(action, Action::Unknown { .. });
        assert!(!flow.actions.iter().any(unknown), "{line}");
        // But for the order of its keys, the dialect of ovs-appctl, and one duration that no switch prints.
        if line.starts_with(' ') && !line.contains("1.5s") {
            assert_eq!(flow.to_string(), line.trim_start());
        }
        match answer.starts_with("ParseError") {
            true => raised += 1,
            // It makes two keys of a name with a comma, and of a type in parentheses.
            false => {
                let key = ["'b\"': True", "'0x894f)': True"];
                assert!(key.iter().any(|key| answer.contains(key)), "{answer}");
                wrong += 1;
            }
        }
    }
    assert_eq!((raised, wrong), (17, 2));
}
