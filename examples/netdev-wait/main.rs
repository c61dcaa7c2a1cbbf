//! Whose port is the device that the kernel waits for? See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use examples::cli::{self, Failure, Status, complain};
use examples::db::{CertificateOption, Server};
use examples::kmsg::Messages;
use examples::sight::{Port, Sight};

use self::report::Device;

const TOOL: &str = "netdev-wait";
const HELP: &str = "\
netdev-wait: whose port is the device that the kernel waits for?

  netdev-wait                 devices in the kernel's messages that cannot be freed, and which are ports of this switch
  netdev-wait --follow        one line for each message as it comes
  journalctl -k | netdev-wait -

  [--offline] FILE    read dmesg's output, or a log; - is standard input (default: /dev/kmsg)
  --db REMOTE         unix:FILE, tcp: or ssl:IP:PORT of the switch of this host (default: unix:/run/openvswitch/db.sock)
  -p, -c, -C FILE     for ssl:, as ovsdb-client has them: --private-key, --certificate and --ca-cert
  --follow            do not end
  --json              one JSON object; with --follow one for each message

It looks for `unregister_netdevice: waiting for X to become free`, which the kernel writes every ten seconds, and for X
among the ports of the database and of the kernel's datapath. To read /dev/kmsg may take root. Only there can be told
whether the kernel has written a message, or a process.

Exit status: 0 the kernel waits for no port of this switch, 1 only a process says so, 2 it does, 3 could not look,
64 wrong command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

struct Options {
    file: Option<PathBuf>,
    db: Server,
    follow: bool,
    json: bool,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let mut options = Self {
            file: None,
            db: Server::default(),
            follow: false,
            json: false,
        };
        while let Some(arg) = parser.next()? {
            match arg {
                Value(file) if options.file.is_none() => options.file = Some(file.into()),
                Long("offline") if options.file.is_none() => options.file = Some(parser.value()?.into()),
                Long("db") => options.db.remote = parser.value()?.parse()?,
                Long("follow") => options.follow = true,
                Long("json") => options.json = true,
                Long("help") | Short('h') => return Ok(None),
                arg => options
                    .db
                    .certificates
                    .read(CertificateOption::of(arg)?, &mut parser)?,
            }
        }
        Ok(Some(options))
    }

    /// The ports of the switch.
    fn ports(&self) -> Result<Vec<Port>, Failure> {
        let sight = cli::block_on(cli::patiently(TOOL, &self.db, Sight::take(&self.db, None)))?;
        sight.unseen.iter().for_each(|unseen| complain(TOOL, unseen));
        Ok(sight.ports)
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    if options.follow {
        cli::end_with_reader();
    }
    let messages = Messages::open(options.file.as_deref(), options.follow)?;
    match options.follow {
        true => follow(options, messages),
        false => summary(options, messages),
    }
}

/// All messages up to now, by device.
fn summary(options: &Options, mut messages: Messages) -> Result<Status, Failure> {
    let mut devices: Vec<Device> = Vec::new();
    let mut ports: Option<Vec<Port>> = None;
    while let Some(waiting) = messages.next_waiting()? {
        if let Some(device) = devices
            .iter_mut()
            .find(|device| device.last.device == waiting.device)
        {
            device.again(waiting);
            continue;
        }
        if ports.is_none() {
            ports = Some(options.ports()?);
        }
        devices.push(Device::of(waiting, ports.as_deref().unwrap_or_default()));
    }
    cli::print(match options.json {
        true => report::json(&devices)?,
        false => report::text(&devices),
    })?;
    Ok(devices
        .iter()
        .fold(Status::Fine, |status, device| status.or(judge(device))))
}

/// Each message as it comes. Ports come and go between two of them.
fn follow(options: &Options, mut messages: Messages) -> Result<Status, Failure> {
    let mut status = Status::Fine;
    while let Some(waiting) = messages.next_waiting()? {
        let device = Device::of(waiting, &options.ports()?);
        status = status.or(judge(&device));
        let line = match options.json {
            true => device.json_line()?,
            false => device.line(),
        };
        if cli::emit(line)?.is_break() {
            break;
        }
    }
    Ok(status)
}

fn judge(device: &Device) -> Status {
    match (&device.port, device.last.injected) {
        (None, _) => Status::Fine,
        (Some(_), true) => Status::Warning,
        (Some(_), false) => Status::Finding,
    }
}
