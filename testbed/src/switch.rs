//! A real `ovs-vswitchd`.

use std::{
    fs,
    io::{Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{Error, Missing, OvsdbServer, daemon::Daemon, ovsdb::in_dir, tools, vm};

/// An [`OvsdbServer`] and an `ovs-vswitchd` on it, whose every datapath is a dummy: no kernel
/// module, no privilege, no change to the host. Tunnels are real ones in what is traced.
///
/// Dropping the value kills both processes and removes their directory.
///
/// ```
/// use testbed::{Switch, or_skip};
///
/// let Some(switch) = or_skip(Switch::start()) else { return Ok(()) };
/// switch.add_bridge("br0")?;
/// switch.ofctl(&["add-flow", &switch.mgmt("br0"), "in_port=1,actions=drop"])?;
/// assert!(switch.ofctl(&["dump-flows", &switch.mgmt("br0")])?.contains("in_port=1 actions=drop"));
/// # Ok::<(), testbed::Error>(())
/// ```
#[derive(Debug)]
pub struct Switch {
    // Dropped in this order: the switch before its database.
    daemon: Daemon,
    db: OvsdbServer,
    ctl: PathBuf,
    datapath: &'static Datapath,
}

impl Switch {
    /// Starts both; returns once the switch has read its configuration.
    ///
    /// # Errors
    /// As [`OvsdbServer::start`].
    pub fn start() -> Result<Self, Error> {
        Self::launch(&DUMMY, |_, vswitchd| Ok(Command::new(vswitchd)))
    }

    /// As [`start`](Self::start), with the kernel's datapath and real devices: for a check in a
    /// guest that was made with [`Guest::openvswitch`](crate::vm::Guest::openvswitch).
    ///
    /// Open vSwitch 3.1 that starts within ten seconds of the boot may lose every upcall, so this
    /// waits for the eleventh. A check that sends packets should still see `lost:0` in
    /// `dpctl/show` before it believes what it counts.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::Missing`] outside a guest, whose own datapaths are not
    /// touched.
    pub fn in_guest() -> Result<Self, Error> {
        settle_in_guest()?;
        Self::launch(&SYSTEM, |_, vswitchd| Ok(Command::new(vswitchd)))
    }

    /// As [`in_guest`](Self::in_guest), with a switch that takes packets through one socket for each port, as it does on
    /// a kernel before 5.15: for a guest with [`Guest::dispatch_per_port`](crate::vm::Guest::dispatch_per_port).
    ///
    /// # Errors
    /// As [`in_guest`](Self::in_guest).
    pub fn in_guest_per_port() -> Result<Self, Error> {
        settle_in_guest()?;
        Self::launch(&SYSTEM, |_, vswitchd| {
            let mut command = Command::new(vswitchd);
            command.env("LD_PRELOAD", vm::PER_PORT);
            Ok(command)
        })
    }

    /// As [`start`](Self::start), with another `net.core.netdev_max_backlog`: more outputs than
    /// this number make a flow a slow one. The host's own value is not touched: the switch runs in
    /// a private mount namespace where a file stands over the one in `/proc`.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::Missing`] where neither the user nor a user namespace may
    /// mount.
    pub fn with_backlog(netdev_max_backlog: u32) -> Result<Self, Error> {
        let unshare = tools::find("unshare")?;
        Self::launch(&DUMMY, |dir, vswitchd| {
            let file = dir.join("netdev_max_backlog");
            fs::write(&file, format!("{netdev_max_backlog}\n")).map_err(Error::io(&file))?;
            // Each step replaces itself, so that the child's id becomes the switch's.
            let script =
                format!(r#"mount --make-rprivate /proc && mount --bind "$0" {BACKLOG} && exec "$@""#);
            let wrapper = |namespaces: &[&str]| {
                let mut command = Command::new(&unshare);
                // unshare(1) would make all mounts private from the root on, and that of a chroot is none.
                command.args(["--mount", "--propagation", "unchanged"]);
                command.args(namespaces).args(["sh", "-c", &script]).arg(&file);
                command
            };
            let mounts = |namespaces| tools::output(wrapper(namespaces).arg("true"));
            let mut namespaces = &[][..];
            if mounts(namespaces).is_err() {
                namespaces = &["--map-root-user"];
                mounts(namespaces).map_err(|error| Missing {
                    what: format!("the right to mount over {BACKLOG} ({error})"),
                    package: None,
                })?;
            }
            let mut command = wrapper(namespaces);
            command.arg(vswitchd);
            Ok(command)
        })
    }

    /// The database.
    pub fn db(&self) -> &OvsdbServer {
        &self.db
    }

    /// The process id of `ovs-vswitchd`.
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// Adds a bridge that forwards nothing of its own accord (`fail-mode=secure`).
    ///
    /// # Errors
    /// As [`vsctl`](Self::vsctl).
    pub fn add_bridge(&self, name: &str) -> Result<(), Error> {
        let datapath_type = format!("datapath_type={}", self.datapath.name);
        let settings = ["set", "bridge", name, &datapath_type, "fail-mode=secure"];
        self.vsctl(&[&["add-br", name, "--"], &settings[..]].concat())
            .map(drop)
    }

    /// Adds a port, with these settings of its interface: `type=internal`, `options:remote_ip=10.0.0.1`.
    ///
    /// # Errors
    /// As [`vsctl`](Self::vsctl).
    pub fn add_port(&self, bridge: &str, port: &str, settings: &[&str]) -> Result<(), Error> {
        let add = ["add-port", bridge, port, "--", "set", "interface", port];
        let add = if settings.is_empty() { &add[..3] } else { &add[..] };
        self.vsctl(&[add, settings].concat()).map(drop)
    }

    /// Runs `ovs-vsctl ARGS`, which waits until the switch has done it.
    ///
    /// # Errors
    /// [`Error::Command`] for a status other than 0, [`Error::Timeout`] after two minutes.
    pub fn vsctl(&self, args: &[&str]) -> Result<String, Error> {
        tools::output(self.db.vsctl_command()?.args(args))
    }

    /// Runs `ovs-ofctl ARGS`; name a bridge by [`mgmt`](Self::mgmt).
    ///
    /// # Errors
    /// As [`vsctl`](Self::vsctl).
    pub fn ofctl(&self, args: &[&str]) -> Result<String, Error> {
        tools::output(&mut self.ofctl_command(args)?)
    }

    /// Runs `ovs-ofctl ARGS` with `input` as its standard input, which it reads for the file `-`.
    ///
    /// # Errors
    /// As [`vsctl`](Self::vsctl).
    pub fn ofctl_stdin(&self, args: &[&str], input: &str) -> Result<String, Error> {
        // A file and not a pipe: nobody can block on it.
        let dir = self.db.dir();
        let mut file = tempfile::tempfile_in(dir).map_err(Error::io(dir))?;
        file.write_all(input.as_bytes())
            .and_then(|()| file.rewind())
            .map_err(Error::io(dir))?;
        tools::output(self.ofctl_command(args)?.stdin(Stdio::from(file)))
    }

    /// Runs `ovs-appctl ARGS` on the switch.
    ///
    /// # Errors
    /// As [`vsctl`](Self::vsctl).
    pub fn appctl(&self, args: &[&str]) -> Result<String, Error> {
        let mut command = self.db.command("ovs-appctl")?;
        tools::output(
            command
                .arg("-t")
                .arg(&self.ctl)
                .arg(tools::timeout_option())
                .args(args),
        )
    }

    /// The OpenFlow socket of a bridge: `unix:DIR/BRIDGE.mgmt`.
    pub fn mgmt(&self, bridge: &str) -> String {
        format!("unix:{}", self.db.dir().join(format!("{bridge}.mgmt")).display())
    }

    fn ofctl_command(&self, args: &[&str]) -> Result<Command, Error> {
        let mut command = self.db.command("ovs-ofctl")?;
        command.arg(tools::timeout_option()).args(args);
        Ok(command)
    }

    /// `wrap` makes the command that runs the `ovs-vswitchd` it is given.
    fn launch(
        datapath: &'static Datapath,
        wrap: impl FnOnce(&Path, &Path) -> Result<Command, Error>,
    ) -> Result<Self, Error> {
        let vswitchd = tools::find("ovs-vswitchd")?;
        tools::find("ovs-ofctl")?;
        tools::find("ovs-appctl")?;
        let db = OvsdbServer::start()?;
        db.vsctl(&["init"])?;
        let ctl = db.dir().join("ovs-vswitchd.ctl");
        let mut command = wrap(db.dir(), &vswitchd)?;
        in_dir(&mut command, db.dir())
            .arg(db.remote())
            .args(datapath.options)
            .arg(format!("--unixctl={}", ctl.display()))
            .arg("--verbose=syslog:off");
        let log = db.dir().join("ovs-vswitchd.log");
        let daemon = Daemon::spawn("ovs-vswitchd", &mut command, &log)?;
        let mut switch = Self {
            daemon,
            db,
            ctl,
            datapath,
        };
        switch.wait_until_configured()?;
        Ok(switch)
    }

    /// The switch raises `cur_cfg` to `next_cfg` after each configuration that it has carried out.
    fn wait_until_configured(&mut self) -> Result<(), Error> {
        self.db.vsctl(&["set", "Open_vSwitch", ".", "next_cfg=1"])?;
        let Self { daemon, db, .. } = self;
        daemon.wait_until("read its configuration", || {
            let cur_cfg = db.vsctl(&["get", "Open_vSwitch", ".", "cur_cfg"]).ok()?;
            (cur_cfg.trim() == "1").then_some(())
        })
    }
}

/// What the bridges of a switch forward with.
#[derive(Debug)]
struct Datapath {
    name: &'static str,
    options: &'static [&'static str],
}

/// Waits until a guest has run for a while; on the host it is an error.
fn settle_in_guest() -> Result<(), Error> {
    if !vm::inside() {
        return Err(Missing {
            what: "a guest".to_owned(),
            package: None,
        }
        .into());
    }
    wait_for_uptime(SETTLED)
}

fn wait_for_uptime(wanted: Duration) -> Result<(), Error> {
    loop {
        let text = fs::read_to_string(UPTIME).map_err(Error::io(UPTIME))?;
        let seconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
        let uptime = seconds
            .map(Duration::from_secs_f64)
            .ok_or_else(|| Error::Unexpected {
                path: UPTIME.into(),
                problem: format!("does not start with a number of seconds: {text}"),
            })?;
        match wanted.checked_sub(uptime) {
            None | Some(Duration::ZERO) => return Ok(()),
            Some(rest) => thread::sleep(rest),
        }
    }
}

const DUMMY: Datapath = Datapath {
    name: "dummy",
    options: &[
        // And not "override", which makes dummies of the tunnels too: their traces would lack set(tunnel(..)).
        "--enable-dummy=system",
        "--disable-system",
        "--disable-system-route",
    ],
};
const SYSTEM: Datapath = Datapath {
    name: "system",
    options: &[],
};
const SETTLED: Duration = Duration::from_secs(11);
const UPTIME: &str = "/proc/uptime";
const BACKLOG: &str = "/proc/sys/net/core/netdev_max_backlog";
