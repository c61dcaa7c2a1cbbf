//! A real kernel with `openvswitch.ko`: what we read there is what `ovs-dpctl` shows.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

#[cfg(feature = "write")]
mod admin;
#[cfg(feature = "client")]
mod client;
mod flow;
mod incident;
mod module;
mod watch;
#[cfg(feature = "write")]
mod write;

use std::collections::BTreeSet;
use std::env;
use std::ffi::CString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{self, ExitCode};
use std::time::Duration;

use netlink_genl::Error;
use netlink_genl::accounting::{Accounting, Role};
use netlink_genl::blocking::{Connection, Ovs};
use netlink_genl::exchange::Exchange;
use netlink_genl::message::{Errno, Flags, Request};
use netlink_genl::nlattr::{EncodeError, NESTED, Sink};
use netlink_genl::ovs::datapath::Datapath;
use netlink_genl::ovs::vport::{self, Extensions, Kind, Options, Vport};
use netlink_genl::ovs::{Command, DpIfindex};
#[cfg(feature = "write")]
use netlink_genl::ovs::{
    Object,
    datapath::{self, DatapathAttr, Features},
};
use netlink_genl::socket::{self, Socket};
use testbed::sh;

fn main() -> ExitCode {
    let programs = |guest: testbed::vm::Guest| {
        let guest = guest.dispatch_per_port().program("ip");
        guest.timeout(Duration::from_secs(600))
    };
    testbed::vm::main_on_each(programs, || {
        if env::args().nth(1).as_deref() == Some(LIST_PORTS) {
            list_ports();
            return ExitCode::SUCCESS;
        }
        let tests: &[(&str, fn())] = &[
            ("a_kernel_without_datapaths_lists_none", without_datapaths),
            ("a_module_that_is_loaded_again_is_found_again", module::reloaded),
            ("lists_the_ports_that_ovs_dpctl_shows", ports_of_ovs_dpctl),
            ("an_absent_datapath_is_enodev", absent_datapath),
            ("looks_one_object_up", lookups),
            (
                "a_flow_that_is_too_big_for_a_list_is_read_alone",
                flow::too_big_for_a_list,
            ),
            #[cfg(feature = "write")]
            ("makes_changes_and_deletes_ports", write::ports),
            #[cfg(feature = "write")]
            (
                "a_change_of_a_datapath_keeps_its_other_features",
                write::datapaths,
            ),
            #[cfg(feature = "write")]
            ("makes_and_deletes_flows_and_sends_packets", write::flows),
            (
                "reads_a_flow_of_1170_outputs_through_tunnels",
                flow::outputs_through_tunnels,
            ),
            #[cfg(feature = "write")]
            ("makes_and_deletes_meters", admin::meters),
            #[cfg(feature = "write")]
            ("limits_the_connections_of_zones", admin::ct_limits),
            #[cfg(feature = "write")]
            ("makes_many_changes_at_once", admin::batches),
            #[cfg(feature = "write")]
            ("takes_the_packets_of_a_port_and_of_a_cpu", admin::upcalls),
            ("reads_the_options_of_old_tunnel_ports", old_tunnel_ports),
            (
                "names_the_namespace_that_a_port_went_to",
                port_in_another_namespace,
            ),
            (
                "a_switch_that_dispatches_per_cpu_is_not_told_of_vanished_ports",
                incident::per_cpu,
            ),
            (
                "a_switch_that_dispatches_per_port_loses_a_socket_with_each_vanished_port",
                incident::per_vport,
            ),
            (
                "a_list_over_several_datagrams_is_complete_also_after_one_that_was_left",
                many_ports,
            ),
            ("reading_needs_no_privilege", unprivileged),
            (
                "a_watcher_tells_of_ports_that_come_move_and_vanish",
                watch::come_move_and_vanish,
            ),
            #[cfg(feature = "client")]
            (
                "the_client_for_tokio_reads_what_the_other_reads",
                client::reads_the_same,
            ),
            #[cfg(feature = "client")]
            (
                "the_client_for_tokio_tells_of_ports_that_come_move_and_vanish",
                client::watches,
            ),
            #[cfg(all(feature = "client", feature = "write"))]
            (
                "the_client_for_tokio_minds_no_wait_that_is_dropped",
                client::cancelled,
            ),
            ("a_watcher_tells_of_the_end_of_a_datapath", watch::end_of_datapath),
            (
                "a_watcher_finds_the_true_ports_when_many_go_while_it_lists",
                watch::deleted_while_listing,
            ),
            (
                "a_watcher_that_slept_through_10_000_events_says_what_changed",
                watch::slept,
            ),
        ];
        testbed::vm::run_tests(tests)
    })
}

fn without_datapaths() {
    assert_eq!(Ovs::open().unwrap().datapaths().unwrap().count(), 0);
}

fn ports_of_ovs_dpctl() {
    sh("ovs-dpctl add-dp dp0");
    sh("ip link add v0 type veth peer name v1");
    sh("ovs-dpctl add-if dp0 v0 int0,type=internal int7,type=internal,port_no=7");
    sh("ovs-dpctl add-if dp0 vx0,type=vxlan,remote_ip=flow,key=flow,dst_port=4789");
    sh("ovs-dpctl add-if dp0 gv0,type=geneve,remote_ip=flow,key=flow");
    sh("ovs-dpctl add-if dp0 gre0x,type=gre,remote_ip=flow,key=flow");
    let shown = sh("ovs-dpctl show dp0");
    let shown: BTreeSet<_> = shown.lines().filter_map(shown_port).collect();
    assert_eq!(shown.len(), 7, "{shown:?}");

    let mut ovs = Ovs::open().unwrap();
    let datapaths: Vec<_> = ovs.datapaths().unwrap().map(Result::unwrap).collect();
    let names: Vec<_> = datapaths.iter().map(|dp| dp.name.to_str().unwrap()).collect();
    assert_eq!(names, ["dp0"]);
    let ports = ports(&mut ovs, datapaths[0].ifindex);
    let listed: BTreeSet<_> = ports
        .iter()
        .map(|port| (port.port_no, name(port).to_owned(), port.kind))
        .collect();
    assert_eq!(listed, shown);
    assert_eq!(ports.len(), shown.len());

    for port in &ports {
        let ifindex = fs::read_to_string(format!("/sys/class/net/{}/ifindex", name(port))).unwrap();
        assert_eq!(port.ifindex, Some(ifindex.trim().parse().unwrap()));
        assert_eq!(port.datapath, datapaths[0].ifindex);
        assert_eq!((port.netnsid, port.upcall_pids.len()), (None, 1));
        assert!(port.stats.is_some() && port.other.is_empty() && port.options.is_none());
    }
}

fn absent_datapath() {
    let mut ovs = Ovs::open().unwrap();
    let items: Vec<_> = ovs.vports(DpIfindex(9999)).unwrap().collect();
    let [Err(error @ Error::Kernel(_))] = &items[..] else {
        panic!("{items:?}");
    };
    assert_eq!(error.errno(), Some(Errno::ENODEV));
    assert_eq!(error.to_string(), "the kernel answered ENODEV");
    assert!(!error.is_retryable());
    // The error is that list's, not the socket's.
    assert!(ovs.datapaths().unwrap().all(|dp| dp.is_ok()));
}

fn lookups() {
    let dp = add_datapath("dp5");
    sh("ovs-dpctl add-if dp5 int5,type=internal,port_no=5");
    let mut ovs = Ovs::open().unwrap();
    let by_number = ovs.vport(dp, 5).unwrap();
    assert_eq!((name(&by_number), by_number.datapath), ("int5", dp));
    // Its counters may have moved in between: the host sends packets of its own.
    let by_name = ovs.vport_by_name(c"int5").unwrap();
    assert_eq!((by_name.datapath, by_name.port_no), (dp, by_number.port_no));
    let datapath = ovs.datapath(dp).unwrap();
    assert_eq!(datapath.name.as_c_str(), c"dp5");
    assert!(datapath.stats.is_some() && datapath.megaflow_stats.is_some() && datapath.other.is_empty());
    assert_eq!(ovs.datapath_by_name(c"dp5").unwrap().ifindex, datapath.ifindex);

    let too_long = c"sixteen_bytes_xx";
    let refused = ovs.vport_by_name(too_long).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the kernel answered EINVAL: Attribute failed policy validation (OVS_VPORT_ATTR_NAME at byte \
         24 of the request: a string with NUL, at most 15 bytes)"
    );
    let refused = [
        (ovs.vport(dp, 6).map(drop), Errno::ENODEV),
        (ovs.vport(DpIfindex(9999), 5).map(drop), Errno::ENODEV),
        (ovs.vport_by_name(c"int6").map(drop), Errno::ENODEV),
        (ovs.vport_by_name(too_long).map(drop), Errno::EINVAL),
        (ovs.datapath(DpIfindex(9999)).map(drop), Errno::ENODEV),
        (ovs.datapath_by_name(c"int5").map(drop), Errno::ENODEV),
        (ovs.datapath_by_name(too_long).map(drop), Errno::EINVAL),
    ];
    for (result, errno) in refused {
        assert_eq!(result.unwrap_err().errno(), Some(errno));
    }
}

fn old_tunnel_ports() {
    let dp = add_datapath("dp1");
    let mut kernel = Kernel::open();
    kernel
        .add(dp, "vxlan_a", Kind::VXLAN, |s| s.attr_u16(1, 4790))
        .unwrap();
    kernel
        .add(dp, "vxlan_b", Kind::VXLAN, |s| {
            s.attr_u16(1, 4791)?;
            s.nest(2 | NESTED, |s| s.flag(1))
        })
        .unwrap();
    kernel
        .add(dp, "geneve_a", Kind::GENEVE, |s| s.attr_u16(1, 6082))
        .unwrap();
    let refused = kernel.add(dp, "vxlan_c", Kind::VXLAN, |s| s.attr_u32(1, 4792));
    assert_eq!(refused.unwrap_err().errno(), Some(Errno::EINVAL));

    let tunnels: BTreeSet<_> = ports(&mut Ovs::open().unwrap(), dp)
        .into_iter()
        .filter(|port| port.kind != Kind::INTERNAL)
        .map(|port| {
            let options = port.options.map(
                |Options {
                     dst_port,
                     extensions,
                     other,
                 }| {
                    assert!(other.is_empty());
                    (
                        dst_port.unwrap(),
                        extensions
                            == Some(Extensions {
                                gbp: true,
                                other: vec![],
                            }),
                    )
                },
            );
            (
                port.name.into_string().unwrap(),
                port.kind.name().unwrap(),
                options,
            )
        })
        .collect();
    let expected = [
        ("vxlan_a", "vxlan", Some((4790, false))),
        ("vxlan_b", "vxlan", Some((4791, true))),
        ("geneve_a", "geneve", Some((6082, false))),
    ];
    assert_eq!(
        tunnels,
        expected
            .map(|(name, kind, options)| (name.to_owned(), kind, options))
            .into()
    );
}

fn port_in_another_namespace() {
    let dp = add_datapath("dp2");
    sh("ovs-dpctl add-if dp2 stays,type=internal goes,type=internal");
    sh("ip netns add away");
    sh("ip link set goes netns away");
    let namespace = |port: &Vport| (name(port).to_owned(), port.netnsid);
    let mut ovs = Ovs::open().unwrap();
    let namespaces: BTreeSet<_> = ports(&mut ovs, dp).iter().map(namespace).collect();
    // "away (id: 0)", once the kernel has given it a number.
    let shown = sh("ip netns list");
    let (_, number) = shown.trim().trim_end_matches(')').split_once("(id: ").unwrap();
    let expected = [
        ("dp2", None),
        ("stays", None),
        ("goes", Some(number.parse().unwrap())),
    ];
    assert_eq!(
        namespaces,
        expected.map(|(name, id)| (name.to_owned(), id)).into()
    );
}

fn many_ports() {
    let dp = add_datapath("dp3");
    let mut kernel = Kernel::open();
    let mut names: BTreeSet<_> = (1..=1200).map(|n| format!("a_long_name{n:04}")).collect();
    for name in &names {
        assert_eq!(name.len(), 15);
        kernel.add(dp, name, Kind::INTERNAL, |_| Ok(())).unwrap();
    }
    names.insert("dp3".to_owned());
    let listed = ports(&mut Ovs::open().unwrap(), dp);
    assert_eq!(listed.len(), 1201);
    let numbers: BTreeSet<_> = listed.iter().map(|port| port.port_no).collect();
    assert_eq!(numbers, (0..=1200).collect());
    let listed: BTreeSet<_> = listed.iter().map(|port| name(port).to_owned()).collect();
    assert_eq!(listed, names);
    // The last one holds no port.
    assert!(datagrams(dp) > 2);

    let mut ovs = Ovs::open().unwrap();
    for taken in [0, 1, 200, 1200] {
        let first = ovs.vports(dp).unwrap().take(taken).filter(Result::is_ok).count();
        assert_eq!(first, taken);
        assert_eq!(ports(&mut ovs, dp).len(), 1201, "after a list that was left");
    }
}

/// How many datagrams the list of a datapath's ports takes, over the parts that [`Ovs`] is made of.
fn datagrams(dp: DpIfindex) -> usize {
    let socket = Socket::open(&socket::Options::default()).unwrap();
    let mut exchange = Exchange::new(socket.port(), 1);
    let mut request = vec![];
    let family = Kernel::open().vport;
    exchange.begin(&vport::dump(family, dp), &mut request).unwrap();
    socket.send(&request).unwrap();
    let mut buffer = vec![0; 1 << 17];
    let mut datagrams = 0;
    while exchange.is_pending() {
        let datagram = socket.receive(&mut buffer).unwrap();
        assert!(
            exchange
                .datagram(datagram.source, datagram.bytes)
                .unwrap()
                .all(|event| event.is_ok())
        );
        datagrams += 1;
    }
    datagrams
}

fn unprivileged() {
    add_datapath("dp4");
    let program = env::current_exe().unwrap();
    let mut child = process::Command::new(program);
    child.arg(LIST_PORTS).uid(NOBODY).gid(NOBODY);
    let mut expected = String::new();
    let mut ovs = Ovs::open().unwrap();
    let datapaths: Vec<Datapath> = ovs.datapaths().unwrap().map(Result::unwrap).collect();
    assert!(!datapaths.is_empty());
    for dp in datapaths {
        for port in ports(&mut ovs, dp.ifindex) {
            expected += &line(&dp, &port);
        }
    }
    assert_eq!(output(&mut child), expected);
}

/// What the unprivileged child does.
fn list_ports() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    assert!(
        status.contains(&format!("\nUid:\t{NOBODY}\t{NOBODY}\t")),
        "{status}"
    );
    assert!(status.contains("\nCapEff:\t0000000000000000\n"), "{status}");
    let mut ovs = Ovs::open().unwrap();
    let datapaths: Vec<_> = ovs.datapaths().unwrap().map(Result::unwrap).collect();
    for dp in &datapaths {
        for port in ports(&mut ovs, dp.ifindex) {
            print!("{}", line(dp, &port));
        }
    }
    let first = ovs.datapath(datapaths[0].ifindex).unwrap();
    let local = ovs.vport(first.ifindex, 0).unwrap();
    assert_eq!(ovs.vport_by_name(&local.name).unwrap().name, local.name);

    // Of what is another user's there are counts.
    let init = Accounting::of(1, &mut ovs).unwrap();
    assert!(!init.attributed && !init.sockets.is_empty());
    let own = Accounting::of(process::id(), &mut ovs).unwrap();
    assert!(own.attributed);
    assert_eq!((own.count(Role::Own), own.sockets.len()), (1, 1));

    let ports = ovs.vports(first.ifindex).unwrap().count();
    let watch = ovs.watch(first.ifindex, &socket::Options::default()).unwrap();
    assert_eq!(watch.ports().len(), ports);
}

fn line(dp: &Datapath, port: &Vport) -> String {
    format!("{:?} {} {:?} {}\n", dp.name, port.port_no, port.name, port.kind)
}

/// "  port 1: v0", "  port 0: dp0 (internal)", "  port 3: vxlan_sys_4789 (vxlan: packet_type=ptap)"
fn shown_port(line: &str) -> Option<(u32, String, Kind)> {
    let (number, rest) = line.trim().strip_prefix("port ")?.split_once(": ")?;
    let (name, kind) = rest.split_once(" (").unwrap_or((rest, ""));
    let kind = if kind == "internal)" {
        Kind::INTERNAL
    } else {
        Kind::NETDEV
    };
    Some((number.parse().unwrap(), name.to_owned(), kind))
}

fn ports(ovs: &mut Ovs, dp: DpIfindex) -> Vec<Vport> {
    ovs.vports(dp).unwrap().map(Result::unwrap).collect()
}

fn name(port: &Vport) -> &str {
    port.name.to_str().unwrap()
}

fn datapath(name: &str) -> Datapath {
    let mut ovs = Ovs::open().unwrap();
    let mut datapaths = ovs.datapaths().unwrap().map(Result::unwrap);
    datapaths.find(|dp| dp.name.to_str() == Ok(name)).unwrap()
}

fn add_datapath(name: &str) -> DpIfindex {
    sh(&format!("ovs-dpctl add-dp {name}"));
    datapath(name).ifindex
}

/// Makes ports as no tool does any more.
struct Kernel {
    connection: Connection,
    vport: u16,
}

impl Kernel {
    fn open() -> Self {
        let mut connection = Connection::open().unwrap();
        let vport = connection.family(vport::FAMILY).unwrap().id;
        Self { connection, vport }
    }

    fn add(
        &mut self,
        dp: DpIfindex,
        name: &str,
        kind: Kind,
        options: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<(), Error> {
        let name = CString::new(name).unwrap();
        self.request(dp, Command::NEW, |s| {
            s.attr_u32(2, kind.0)?;
            s.attr(3, name.to_bytes_with_nul())?;
            s.nest(4 | NESTED, options)?;
            s.attr_u32(5, 0)
        })
    }

    fn set_upcall_pid(&mut self, dp: DpIfindex, port_no: u32, pid: u32) -> Result<(), Error> {
        self.request(dp, Command::SET, |s| {
            s.attr_u32(1, port_no)?;
            s.attr_u32(5, pid)
        })
    }

    #[cfg(feature = "write")]
    fn set_features(&mut self, dp: DpIfindex, features: Features) -> Result<(), Error> {
        let object = Object {
            datapath: dp,
            command: Command::SET.0,
            version: datapath::VERSION,
            attrs: vec![DatapathAttr::UserFeatures(features)],
        };
        let family = self.connection.family(datapath::FAMILY)?.id;
        let request = object.request(family, Flags::ACK)?;
        self.send(&request)
    }

    fn delete(&mut self, dp: DpIfindex, port_no: u32) -> Result<(), Error> {
        self.request(dp, Command::DEL, |s| s.attr_u32(1, port_no))
    }

    fn request(
        &mut self,
        dp: DpIfindex,
        command: Command,
        attrs: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<(), Error> {
        let request = Request::genl(self.vport, command.0, vport::VERSION, &dp.0.to_ne_bytes());
        self.send(&request.with(Flags::ACK).attrs(attrs).unwrap())
    }

    fn send(&mut self, request: &Request) -> Result<(), Error> {
        self.connection.acknowledged(request)
    }
}

fn output(command: &mut process::Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}: {stderr}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

const LIST_PORTS: &str = "list-ports";
const NOBODY: u32 = 65_534;
