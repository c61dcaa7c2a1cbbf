//! A clustered database: three real `ovsdb-server`s on loopback.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    Error,
    daemon::Daemon,
    openvswitch::schema,
    ovsdb::{answers, in_dir, short_temp_dir},
    tools,
};

/// Three members of one RAFT cluster with the database `Open_vSwitch`, each with a Unix socket.
#[derive(Debug)]
pub struct OvsdbCluster {
    members: Vec<Member>,
    dir: TempDir,
}

#[derive(Debug)]
struct Member {
    daemon: Daemon,
    database: PathBuf,
}

impl OvsdbCluster {
    /// Starts the cluster and waits until every member belongs to it.
    ///
    /// # Errors
    /// [`Error::Missing`] without `ovsdb-server` or its tools; [`Error::Start`] and
    /// [`Error::Timeout`] quote the log of the member.
    pub fn start() -> Result<Self, Error> {
        tools::check_wanted()?;
        let dir = short_temp_dir()?;
        // Members name each other, so the ports must be known before they listen. Each is held
        // until all are chosen, so that they differ.
        let listeners =
            (0..MEMBERS).map(|_| TcpListener::bind("127.0.0.1:0").map_err(Error::io("127.0.0.1")));
        let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
        let addresses = listeners.iter().map(|listener| {
            let address = listener.local_addr().map_err(Error::io("127.0.0.1"))?;
            Ok::<_, Error>(format!("tcp:{address}"))
        });
        let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
        drop(listeners);

        let mut members = Vec::new();
        for (nth, address) in addresses.iter().enumerate() {
            let database = dir.path().join(format!("{nth}.db"));
            let mut create = Command::new(tools::find("ovsdb-tool")?);
            in_dir(&mut create, dir.path());
            match nth {
                0 => create
                    .arg("create-cluster")
                    .arg(&database)
                    .arg(schema()?)
                    .arg(address),
                _ => create
                    .arg("join-cluster")
                    .arg(&database)
                    .args(["Open_vSwitch", address, &addresses[0]]),
            };
            tools::output(&mut create)?;
            let daemon = launch(dir.path(), nth, &database)?;
            members.push(Member { daemon, database });
        }
        let cluster = Self { members, dir };
        for nth in 0..MEMBERS {
            cluster.wait_connected(nth)?;
        }
        Ok(cluster)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none; there always is.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A member as the OVS tools name it: `unix:PATH`.
    pub fn remote(&self, nth: usize) -> String {
        format!("unix:{}", socket(self.dir.path(), nth).display())
    }

    /// The member that says that it leads, if any that runs does.
    pub fn leader(&self) -> Option<usize> {
        (0..self.members.len()).find(|nth| {
            self.control(*nth, &["cluster/status", "Open_vSwitch"])
                .is_ok_and(|status| status.contains("\nRole: leader\n"))
        })
    }

    /// Runs `ovs-appctl ARGS` on a member.
    ///
    /// # Errors
    /// [`Error::Command`] for a status other than 0, also if the member does not run.
    pub fn control(&self, nth: usize, args: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(tools::find("ovs-appctl")?);
        in_dir(&mut command, self.dir.path());
        let control = self.dir.path().join(format!("{nth}.ctl"));
        tools::output(command.arg("--timeout=5").arg("-t").arg(control).args(args))
    }

    /// Runs `ovsdb-client ARGS` and gives its standard output.
    ///
    /// # Errors
    /// [`Error::Command`] for a status other than 0, [`Error::Timeout`] after two minutes.
    pub fn client(&self, args: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(tools::find("ovsdb-client")?);
        in_dir(&mut command, self.dir.path());
        tools::output(command.arg(tools::timeout_option()).args(args))
    }

    /// Ends a member with SIGKILL. Its files stay.
    pub fn kill(&mut self, nth: usize) {
        self.members[nth].daemon.kill();
    }

    /// Starts a member that was killed again. It may not belong to the cluster yet.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart(&mut self, nth: usize) -> Result<(), Error> {
        self.kill(nth);
        let database = self.members[nth].database.clone();
        self.members[nth].daemon = launch(self.dir.path(), nth, &database)?;
        Ok(())
    }

    /// Waits until a member belongs to the cluster.
    ///
    /// # Errors
    /// [`Error::Timeout`] if it never does.
    pub fn wait_connected(&self, nth: usize) -> Result<(), Error> {
        self.client(&["wait", &self.remote(nth), "Open_vSwitch", "connected"])
            .map(drop)
    }

    /// Stops a member by SIGSTOP: it keeps its connections and says nothing any more.
    ///
    /// # Errors
    /// [`Error::Command`] if there is no such process.
    pub fn pause(&self, nth: usize) -> Result<(), Error> {
        tools::signal(self.members[nth].daemon.pid(), "STOP")
    }

    /// Lets a paused member go on.
    ///
    /// # Errors
    /// [`Error::Command`] if there is no such process.
    pub fn resume(&self, nth: usize) -> Result<(), Error> {
        tools::signal(self.members[nth].daemon.pid(), "CONT")
    }
}

fn launch(dir: &Path, nth: usize, database: &Path) -> Result<Daemon, Error> {
    let socket = socket(dir, nth);
    // A killed member leaves it behind, and another may listen before this one does.
    let _ = fs::remove_file(&socket);
    let mut command = Command::new(tools::find("ovsdb-server")?);
    in_dir(&mut command, dir)
        .arg(database)
        .arg(format!("--remote=punix:{}", socket.display()))
        .arg(format!("--unixctl={}", dir.join(format!("{nth}.ctl")).display()))
        .arg("--verbose=syslog:off");
    let log = dir.join(format!("{nth}.log"));
    let mut daemon = Daemon::spawn("ovsdb-server", &mut command, &log)?;
    daemon.wait_until("serve", || answers(&socket).then_some(()))?;
    Ok(daemon)
}

fn socket(dir: &Path, nth: usize) -> PathBuf {
    dir.join(format!("{nth}.sock"))
}

const MEMBERS: usize = 3;
