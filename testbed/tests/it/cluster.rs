use testbed::{OvsdbCluster, or_skip};

#[test]
fn a_cluster_elects_another_leader_when_one_is_killed() {
    let Some(mut cluster) = or_skip(OvsdbCluster::start()) else {
        return;
    };
    let first = leader(&cluster);
    let dump = ["dump", &cluster.remote(first), "Open_vSwitch", "Bridge", "name"];
    assert!(cluster.client(&dump).unwrap().contains("Bridge table"));
    cluster.kill(first);
    let second = leader(&cluster);
    assert_ne!(first, second);
    cluster.restart(first).unwrap();
    cluster.wait_connected(first).unwrap();
    assert_eq!(leader(&cluster), second);
}

fn leader(cluster: &OvsdbCluster) -> usize {
    let pause = || std::thread::sleep(std::time::Duration::from_millis(20));
    let mut tries = (0..500).map(|_| cluster.leader().or_else(|| (pause(), None).1));
    tries.find_map(|leader| leader).unwrap()
}
