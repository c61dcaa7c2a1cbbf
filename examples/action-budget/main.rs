//! How big are this bridge's datapath actions, and which limit do they meet first?
//!
//! A flooded packet is output to every endpoint, and each output costs bytes in one netlink attribute. `action-budget`
//! says how many endpoints fit, and of each flow how many bytes its actions take and what becomes of them. It reads;
//! it changes nothing. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod budget;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use examples::bridge::{Bridge, NEWEST};
use examples::cli::{self, Failure, Status, complain};
use examples::db::{CertificateOption, Certificates, Server};
use examples::flood::Flows;
use examples::{dump, openflow};
use odp_actions::xlate::OvsVersion;
use odp_actions::{KernelRule, Limits};

use self::budget::Budget;
use self::report::Report;

const TOOL: &str = "action-budget";
const HELP: &str = "\
action-budget: how big are a bridge's datapath actions, and which limit do they meet first?

  action-budget                                       the incident: OpenStack br-tun, 1171 VXLAN endpoints, OVS 2.5.0
  action-budget --db unix:/run/openvswitch/db.sock --bridge br-tun
  ovs-ofctl dump-flows br-tun | action-budget --db unix:/run/openvswitch/db.sock --bridge br-tun --flows -
  action-budget --db unix:/run/openvswitch/db.sock --bridge br-tun --openflow unix:/run/openvswitch/br-tun.mgmt

  --db REMOTE         read Interface, Port and Bridge rows from unix:FILE, tcp:IP:PORT or ssl:IP:PORT
  -p, -c, -C FILE     for ssl:, as ovsdb-client has them: --private-key, --certificate and --ca-cert
  --bridge NAME       which bridge; not needed where there is one, or one with tunnels
  --flows FILE|-      what ovs-ofctl dump-flows printed: predict each flow; needs --db to tell one port from another
  --openflow REMOTE   the same of the flows of the switch at unix:FILE or tcp:HOST:PORT
  --endpoints N[..M]  N endpoints instead of those that are there, or growing to M
  --backlog N         net.core.netdev_max_backlog of the switch's host (default: this host's)
  --kernel RELEASE    kernel of the switch's host, as uname -r prints it (default: this host's)
  --ovs VERSION       Open vSwitch of the switch's host (default: what the database says, or the newest)
  --all               list the flows whose actions cannot be told, too, and not only the reasons with their numbers
  --json              one JSON object instead of tables, with every flow
  --svg FILE          draw bytes against endpoints, with the limits as lines

A packet that other flows have seen may have more outputs than its last flow: those of other tables, and of bridges that
patch ports lead to. Such a flow is fast only if it would be with every port of all these bridges.

Exit status: 0 nothing near a limit, 1 at 80 % or more of one, or perhaps over one, 2 over one, 3 could not look, or not
at every line of the dump, or cannot tell what an endpoint takes, 64 wrong command line. A flow whose actions cannot be
told is no finding. With N..M the status is that of M endpoints.
";
const INCIDENT_ENDPOINTS: usize = 1171;
/// OpenFlow has 65 279 port numbers below `OFPP_MAX`, and the incident's bridge has a patch port.
const MAX_ENDPOINTS: usize = 65_278;

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

#[derive(Default)]
struct Options {
    db: Option<Server>,
    bridge: Option<String>,
    flows: Option<PathBuf>,
    openflow: Option<String>,
    /// From, and to if it is a range.
    endpoints: Option<(usize, Option<usize>)>,
    backlog: Option<usize>,
    kernel: Option<String>,
    ovs: Option<OvsVersion>,
    all: bool,
    json: bool,
    svg: Option<PathBuf>,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let mut options = Self::default();
        let mut certificates = Certificates::default();
        while let Some(arg) = parser.next()? {
            match arg {
                Long("db") => options.db = Some(Server::new(parser.value()?.parse()?)),
                Long("bridge") => options.bridge = Some(parser.value()?.string()?),
                Long("flows") => options.flows = Some(parser.value()?.into()),
                Long("openflow") => options.openflow = Some(openflow::remote(&parser.value()?.string()?)?),
                Long("endpoints") => options.endpoints = Some(parser.value()?.parse_with(parse_endpoints)?),
                Long("backlog") => options.backlog = Some(cli::number(&mut parser)?),
                Long("kernel") => options.kernel = Some(parser.value()?.string()?),
                Long("ovs") => options.ovs = Some(parser.value()?.parse()?),
                Long("all") => options.all = true,
                Long("json") => options.json = true,
                Long("svg") => options.svg = Some(parser.value()?.into()),
                Long("help") | Short('h') => return Ok(None),
                arg => certificates.read(CertificateOption::of(arg)?, &mut parser)?,
            }
        }
        if let Some(server) = &mut options.db {
            server.certificates = certificates;
        }
        if options.bridge.is_some() && options.db.is_none() {
            return Err(Failure::usage("--bridge needs --db"));
        }
        if options.flows.is_some() && options.openflow.is_some() {
            return Err(Failure::usage("either --flows or --openflow"));
        }
        let flows = options.flows.as_ref().and_then(|path| path.to_str());
        if flows.is_some_and(openflow::is_remote) {
            return Err(Failure::usage("--flows reads a file; --openflow asks a switch"));
        }
        Ok(Some(options))
    }
}

fn parse_endpoints(text: &str) -> Result<(usize, Option<usize>), String> {
    let number = |text: &str| match text.parse() {
        Ok(number @ 1..=MAX_ENDPOINTS) => Ok(number),
        _ => Err(format!("endpoints are a number from 1 to {MAX_ENDPOINTS}")),
    };
    match text.split_once("..") {
        None => Ok((number(text)?, None)),
        Some((from, to)) => match (number(from)?, number(to)?) {
            (from, to) if from <= to => Ok((from, Some(to))),
            _ => Err("the range ends before it begins".to_owned()),
        },
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let host = Limits::host();
    let kernel = options
        .kernel
        .as_deref()
        .map_or(host.kernel(), KernelRule::of_release);
    let limits = options
        .backlog
        .map_or(host, |backlog| host.with_backlog(backlog))
        .with_kernel(kernel);
    let bridge = match &options.db {
        Some(server) => {
            let bridge = Bridge::read(server, options.bridge.as_deref());
            cli::block_on(cli::patiently(TOOL, server, bridge))?
        }
        None => Bridge::incident(
            options
                .endpoints
                .map_or(INCIDENT_ENDPOINTS, |(from, to)| to.unwrap_or(from)),
        ),
    };
    let ovs = options.ovs.or(bridge.ovs).unwrap_or(NEWEST);
    let mut budget = Budget::new(&bridge, ovs, limits, options.endpoints);
    // The example's ports say nothing of the ports in somebody's flows.
    let asked = options.flows.is_some() || options.openflow.is_some();
    let foreign = options.db.is_none() && asked;
    let ports = if foreign { &Bridge::unknown() } else { &bridge };
    let flood = budget.as_ref().ok().map(|budget| budget.flood.clone());
    let mut flows = Flows::new(ports, ovs, limits, flood.as_ref());
    match (&options.flows, &options.openflow) {
        (Some(path), _) => flows.read(TOOL, dump::open(path)?)?,
        (None, Some(remote)) => flows.read_switch(TOOL, remote)?,
        (None, None) if options.db.is_none() => flows.read(TOOL, bridge.incident_flow().as_bytes())?,
        (None, None) => {}
    }
    if flows.set_tunnel_options {
        flows.forget_endpoint();
        budget = Err("flows set tunnel options, and the database does not tell their lengths".to_owned());
    }
    let mut status = match &budget {
        _ if foreign => flows.status(),
        Ok(budget) => flows.status().or(budget.status()),
        Err(_) => flows.status().or(Status::Blind),
    };
    if let Some(path) = &options.svg {
        let drawn = match &budget {
            Ok(budget) => std::fs::write(path, budget.plot().svg()).map_err(|error| error.to_string()),
            Err(why) => Err(format!("there is nothing to draw: {why}")),
        };
        if let Err(error) = drawn {
            complain(TOOL, format_args!("{}: {error}", path.display()));
            status = status.or(Status::Blind);
        }
    }
    let report = Report {
        budget: budget.as_ref().map_err(String::as_str),
        bridge: &bridge,
        ovs,
        limits,
        flows: &flows,
        all: options.all,
        example: options.db.is_none(),
        ovs_assumed: options.ovs.or(bridge.ovs).is_none(),
    };
    cli::print(if options.json {
        report.json()?
    } else {
        report.text()
    })?;
    Ok(status)
}
