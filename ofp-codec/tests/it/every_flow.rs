//! A table of every field and action on a real switch, over our connection: written and read in all six
//! versions.

use std::collections::BTreeMap;

use ofp_codec::{
    Flow, Stats, TableRef, Version,
    client::{Admin, Connection, Error},
    diff::diff,
    text::FlowRef,
    wire::{EncodeError, FlowRequest, SessionError},
};

use testbed::Switch;

use crate::{
    add_flows::usable,
    client::{VERSIONS, connect},
    flow_mods::rows,
    switch::switch,
};

/// The flows of the vectors of this version, each with a priority of its own, in a table that is not the
/// first, and as `ovs-ofctl` reads them.
fn flows(version: Version) -> Vec<(Flow, String)> {
    let rows = rows()
        .into_iter()
        .filter(|row| row.version == version && row.printed.is_ok());
    let flow = |(text, priority): (String, u16)| {
        let mut flow = FlowRef::parse(text.as_bytes()).unwrap().to_flow().unwrap();
        (flow.priority, flow.table) = (priority, TableRef::Number(TABLE));
        (flow.idle_timeout, flow.hard_timeout) = (0, 0);
        // As `ovs-ofctl` does.
        flow.matches.take_ignored();
        // What comes last counts.
        let (matches, actions) = text.split_once("actions=").unwrap();
        let settings = format!("table={TABLE},priority={priority},idle_timeout=0,hard_timeout=0");
        let line = format!("{matches},{settings} actions={actions}");
        (flow, line)
    };
    rows.map(|row| row.flow).zip(1..).map(flow).collect()
}

const TABLE: u8 = 7;

/// Why this switch refuses some: options, groups, queues and meters that it does not have, actions that it takes
/// since OpenFlow 1.3 only; what the version cannot say, and numbers and masks that have no place in their form.
const REASONS: [&str; 8] = [
    "NXFMFC_INVALID_TLV_FIELD",
    "OFPBAC_BAD_OUT_GROUP",
    "OFPBAC_BAD_VENDOR_TYPE",
    "OFPBRC_EPERM",
    "OFPMMFC_INVALID_METER",
    "cannot be expressed",
    "is out of range",
    "takes no mask",
];

fn switch_with_meter() -> Option<Switch> {
    let switch = switch()?;
    let meter = "meter=1,kbps,band=type=drop,rate=9";
    let add = ["-O", "OpenFlow13", "add-meter", &switch.mgmt("br0"), meter];
    switch.ofctl(&add).unwrap();
    Some(switch)
}

/// Puts in those that the switch takes. Gives them, and how many it refuses by the name of the error.
async fn put(admin: &mut Admin, flows: Vec<(Flow, String)>) -> (Vec<String>, BTreeMap<String, usize>) {
    let mut refused = BTreeMap::new();
    let mut taken = Vec::new();
    for (flow, line) in flows {
        match admin.add_flow(flow.clone()).await {
            Ok(()) => taken.push(line),
            Err(Error::Change { error, .. }) => {
                let name = match *error {
                    Error::Refused(error) => error.error().map_or("?", |error| error.name()).to_owned(),
                    Error::Session(SessionError::Encode(EncodeError::NotInVersion { .. })) => {
                        "cannot be expressed".into()
                    }
                    Error::Session(SessionError::Encode(EncodeError::OutOfRange { .. })) => {
                        "is out of range".into()
                    }
                    Error::Session(SessionError::Encode(EncodeError::NotMaskable { .. })) => {
                        "takes no mask".into()
                    }
                    error => panic!("{error}"),
                };
                *refused.entry(name).or_insert(0) += 1;
            }
            Err(error) => panic!("{flow}: {error}"),
        }
    }
    (taken, refused)
}

/// What the switch has, by priority, in the words of the version; nothing in it is malformed.
async fn dump(connection: &mut Connection) -> Vec<Flow> {
    let version = connection.version();
    let flows = connection.flows(&FlowRequest::default()).unwrap();
    let flows = flows.collect().await.unwrap();
    let mut flows: Vec<Flow> = flows.iter().map(|flow| flow.canonical(version)).collect();
    flows.sort_by_key(|flow| flow.priority);
    flows.iter_mut().for_each(|flow| flow.stats = Stats::default());
    flows
}

#[tokio::test]
async fn a_table_of_every_field_and_action_is_read_whole_in_all_six_versions() {
    let Some(switch) = switch_with_meter() else { return };
    let br0 = switch.mgmt("br0");

    let mut admin = Admin::new(connect(&switch, Version::V1_5).await);
    let (taken, _) = put(&mut admin, flows(Version::V1_5)).await;
    let first = dump(admin.connection()).await;
    assert!(taken.len() > 1180, "{}", taken.len());
    assert_eq!(first.len(), taken.len());
    for (version, name) in VERSIONS {
        let known: Vec<Flow> = first.iter().map(|flow| flow.canonical(version)).collect();
        let found = dump(&mut connect(&switch, version).await).await;
        let changes: Vec<_> = diff(&known, &found).iter().map(ToString::to_string).collect();
        assert_eq!(changes, [""; 0], "{name}");
        // Up to OpenFlow 1.2 `ovs-ofctl` drops the rest of a message behind a flow that it does not know.
        let shown = switch.ofctl(&["-O", name, "dump-flows", &br0]).unwrap();
        let shown = shown.matches("actions=").count();
        assert_eq!(shown < taken.len(), version < Version::V1_3, "{name}: {shown}");
    }
}

#[tokio::test]
async fn flows_that_we_add_are_those_that_ovs_ofctl_adds_in_all_six_versions() {
    let Some(switch) = switch_with_meter() else { return };
    let br0 = switch.mgmt("br0");

    let counts = [1228, 687, 1230, 1239, 1196, 1196];
    let mut found = Vec::new();
    for (version, name) in VERSIONS {
        let of = match version {
            Version::V1_2 => Version::V1_3,
            Version::V1_4 => Version::V1_5,
            version => version,
        };
        let mut admin = Admin::new(connect(&switch, version).await);
        let (taken, refused) = put(&mut admin, flows(of)).await;
        let mut ours = dump(admin.connection()).await;
        assert_eq!(ours.len(), taken.len(), "{name}");
        assert!(
            refused.keys().all(|reason| REASONS.contains(&reason.as_str())),
            "{name} {refused:?}"
        );
        found.push(taken.len());
        // A few that the version does not know are taken by the switch all the same.
        let file = tempfile::NamedTempFile::new().unwrap();
        let usable = usable(&taken, &["-O", name], file.path());
        assert!(
            usable.len() + 40 > taken.len(),
            "{name}: {} of {}",
            usable.len(),
            taken.len()
        );
        let is_usable: BTreeMap<u16, bool> = ours
            .iter()
            .zip(&taken)
            .map(|(flow, line)| (flow.priority, usable.contains(line)))
            .collect();
        ours.retain(|flow| is_usable[&flow.priority]);
        switch.ofctl(&["-O", "OpenFlow14", "del-flows", &br0]).unwrap();
        let added = switch.ofctl_stdin(
            &["-O", name, "--no-names", "add-flows", &br0, "-"],
            &(usable.join("\n") + "\n"),
        );
        added.unwrap();
        let theirs = dump(admin.connection()).await;
        let changes: Vec<_> = diff(&ours, &theirs).iter().map(ToString::to_string).collect();
        assert_eq!(changes, [""; 0], "{name}");
        switch.ofctl(&["-O", "OpenFlow14", "del-flows", &br0]).unwrap();
    }
    assert_eq!(found, counts);
}
