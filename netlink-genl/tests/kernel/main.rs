//! A real kernel with `openvswitch.ko`: what we read there is what `ovs-dpctl` shows.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

#[macro_use]
mod both;

#[cfg(feature = "write")]
mod admin;
#[cfg(feature = "client")]
mod client;
mod flow;
mod incident;
mod module;
mod reader;
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
use netlink_genl::accounting::Role;
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
        guest.timeout(Duration::from_secs(1200))
    };
    testbed::vm::main(programs, || {
        if env::args().nth(1).as_deref() == Some(LIST_PORTS) {
            list_ports();
            return ExitCode::SUCCESS;
        }
        let of_one_client: &[(&str, fn())] = &[
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
                "a_watcher_finds_the_true_ports_when_many_go_while_it_lists",
                watch::deleted_while_listing,
            ),
            #[cfg(all(feature = "client", feature = "write"))]
            (
                "the_client_for_tokio_minds_no_wait_that_is_dropped",
                client::cancelled,
            ),
        ];
        let tests = [
            // These two need a kernel without datapaths.
            module::TESTS,
            reader::TESTS,
            flow::TESTS,
            #[cfg(feature = "write")]
            write::TESTS,
            #[cfg(feature = "write")]
            admin::TESTS,
            watch::TESTS,
            of_one_client,
        ];
        testbed::vm::run_tests(&tests.concat())
    })
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

    let dp = first.ifindex;
    assert_eq!(ovs.flows(dp).unwrap().whole().unwrap(), []);
    ovs.meter_features(dp).unwrap();
    ovs.ct_limits(&[]).unwrap();
    let absent = [ovs.flow(dp, &[1; 16]).map(drop), ovs.meter(dp, 1).map(drop)];
    for error in absent.map(Result::unwrap_err) {
        assert_eq!(error.errno(), Some(Errno::ENOENT));
    }
    #[cfg(feature = "write")]
    {
        let refused = netlink_genl::blocking::Admin::open().unwrap().delete_datapath(dp);
        assert_eq!(refused.unwrap_err().errno(), Some(Errno::EPERM));
    }

    // Of what is another user's there are counts.
    let init = ovs.accounting(1).unwrap();
    assert!(!init.attributed && !init.sockets.is_empty());
    let own = ovs.accounting(process::id()).unwrap();
    assert!(own.attributed);
    assert_eq!((own.count(Role::Own), own.sockets.len()), (1, 1));

    let ports = ovs.vports(first.ifindex).unwrap().count();
    let watch = ovs.watch(first.ifindex, &socket::Options::default()).unwrap();
    assert_eq!(watch.ports().len(), ports);
}

fn line(dp: &Datapath, port: &Vport) -> String {
    format!("{:?} {} {:?} {}\n", dp.name, port.port_no, port.name, port.kind)
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
