//! A real `ovsdb-server`.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    Error, Pki,
    daemon::{Daemon, tcp_answers},
    openvswitch::schema,
    tools,
};

/// A real `ovsdb-server` with an empty `Open_vSwitch` database, in a temporary directory of its own.
///
/// It listens on a Unix socket and on a free loopback port. Dropping the value kills the process,
/// by its id, and removes the directory. Keep it in a local variable: a `static` is never dropped.
///
/// ```
/// use testbed::{OvsdbServer, or_skip};
///
/// let Some(server) = or_skip(OvsdbServer::start()) else { return Ok(()) };
/// server.vsctl(&["add-br", "br0"])?;
/// assert_eq!(server.vsctl(&["list-br"])?, "br0\n");
/// # Ok::<(), testbed::Error>(())
/// ```
#[derive(Debug)]
pub struct OvsdbServer {
    // Dropped in this order: the process must be gone before its directory.
    daemon: Daemon,
    port: u16,
    socket: PathBuf,
    dir: TempDir,
}

impl OvsdbServer {
    /// Creates a database and starts the server on it; returns once both sockets answer.
    ///
    /// # Errors
    /// [`Error::Missing`] without `ovsdb-server`, `ovsdb-tool` or the schema; [`Error::Start`] and
    /// [`Error::Timeout`] quote the server's log.
    pub fn start() -> Result<Self, Error> {
        tools::check_wanted()?;
        // Looked up first, so that a missing tool is one clear error and not a late one.
        for tool in ["ovsdb-server", "ovsdb-tool", "ovsdb-client", "ovs-vsctl"] {
            tools::find(tool)?;
        }
        Self::start_in(short_temp_dir()?, &schema()?)
    }

    /// As [`start`](Self::start), with a database of the caller's: `schema` is its text.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn with_schema(schema: &str) -> Result<Self, Error> {
        tools::check_wanted()?;
        let dir = short_temp_dir()?;
        let file = dir.path().join("ovsschema");
        fs::write(&file, schema).map_err(Error::io(&file))?;
        Self::start_in(dir, &file)
    }

    fn start_in(dir: TempDir, schema: &Path) -> Result<Self, Error> {
        let database = dir.path().join(DATABASE);
        tools::output(
            Command::new(tools::find("ovsdb-tool")?)
                .arg("create")
                .args([&database, schema]),
        )?;
        let socket = dir.path().join("db.sock");
        let (daemon, port) = launch(program()?, dir.path(), &socket, None)?;
        Ok(Self {
            daemon,
            port,
            socket,
            dir,
        })
    }

    /// The Unix socket as the OVS tools name it: `unix:PATH`.
    pub fn remote(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    /// The TCP listener as the OVS tools name it: `tcp:127.0.0.1:PORT`.
    pub fn tcp_remote(&self) -> String {
        format!("tcp:127.0.0.1:{}", self.port)
    }

    /// The path of the Unix socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The temporary directory, with the database and the logs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The server's process id; after [`kill`](Self::kill), the one that it had.
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// Runs `ovs-vsctl --no-wait ARGS` on this database and gives its standard output.
    ///
    /// # Errors
    /// [`Error::Command`] for a status other than 0, [`Error::Timeout`] after two minutes.
    pub fn vsctl(&self, args: &[&str]) -> Result<String, Error> {
        tools::output(self.vsctl_command()?.arg("--no-wait").args(args))
    }

    /// Runs `ovsdb-client ARGS` and gives its standard output. The server is not added to `args`:
    /// name it, with [`remote`](Self::remote), where the subcommand wants it.
    ///
    /// # Errors
    /// [`Error::Command`] for a status other than 0, [`Error::Timeout`] after two minutes.
    pub fn client(&self, args: &[&str]) -> Result<String, Error> {
        let mut command = self.command("ovsdb-client")?;
        tools::output(command.arg(tools::timeout_option()).args(args))
    }

    /// Ends the server with SIGKILL, so that it cannot say goodbye. Its files stay.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Stops the server by SIGSTOP: it keeps its connections and says nothing any more.
    ///
    /// # Errors
    /// [`Error::Command`] if there is no such process.
    pub fn pause(&self) -> Result<(), Error> {
        tools::signal(self.pid(), "STOP")
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// [`Error::Command`] if there is no such process.
    pub fn resume(&self) -> Result<(), Error> {
        tools::signal(self.pid(), "CONT")
    }

    /// Changes the database's file while no server runs: `transaction` is the parameters of
    /// `transact` as JSON text.
    ///
    /// # Errors
    /// [`Error::Command`] if the server runs, or for a malformed transaction.
    pub fn transact_offline(&self, transaction: &str) -> Result<String, Error> {
        let database = self.dir.path().join(DATABASE);
        let mut command = self.command("ovsdb-tool")?;
        tools::output(command.arg("transact").arg(database).arg(transaction))
    }

    /// Closes every connection of the server's clients.
    ///
    /// # Errors
    /// [`Error::Command`] if the server does not run.
    pub fn drop_clients(&self) -> Result<(), Error> {
        self.control(&["ovsdb-server/reconnect"])
    }

    /// Makes the server the backup of one that is not there: it takes no changes any more.
    ///
    /// # Errors
    /// [`Error::Command`] if the server does not run.
    pub fn make_read_only(&self) -> Result<(), Error> {
        self.control(&["ovsdb-server/set-active-ovsdb-server", "tcp:127.0.0.1:1"])?;
        self.control(&["ovsdb-server/connect-active-ovsdb-server"])
    }

    /// Starts the server again, with no room for its files to grow by more than `kib`, as on a disk that is nearly
    /// full.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart_with_room(&mut self, kib: u64) -> Result<(), Error> {
        self.kill();
        let database = self.dir.path().join(DATABASE);
        let len = fs::metadata(&database).map_err(Error::io(database))?.len();
        // In blocks of 512 bytes, and the signal that comes with the error would end the server.
        let script = format!(
            "trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"",
            len / 512 + kib * 2
        );
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(tools::find("ovsdb-server")?);
        (self.daemon, _) = launch(command, self.dir.path(), &self.socket, Some(self.port))?;
        Ok(())
    }

    /// Kills the server if it runs and starts it again on the same database, socket and port.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart(&mut self) -> Result<(), Error> {
        self.restart_with(&[])
    }

    /// As [`restart`](Self::restart), with more options on its command line.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart_with(&mut self, options: &[String]) -> Result<(), Error> {
        self.kill();
        let mut command = program()?;
        command.args(options);
        (self.daemon, _) = launch(command, self.dir.path(), &self.socket, Some(self.port))?;
        Ok(())
    }

    /// Starts the server again with one more listener, for TLS, and gives it as the OVS tools name
    /// it: `ssl:127.0.0.1:PORT`. Clients must have a certificate of the same `pki`. `remote` says
    /// that it listens on a port of the system's choice: `pssl:0:127.0.0.1`, or the column of the
    /// database that says so.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart_with_tls(&mut self, pki: &Pki, remote: &str) -> Result<String, Error> {
        let log = self.dir.path().join("ovsdb-server.log");
        let before = logged_port(&log);
        let options = [&[format!("--remote={remote}")][..], &pki.server_options()].concat();
        self.restart_with(&options)?;
        let port = self.daemon.wait_until("listen for TLS", || {
            logged_port(&log).filter(|port| Some(*port) != before)
        })?;
        // It listens before it has read the keys.
        let mut client = Command::new(tools::find("ovsdb-client")?);
        let (private_key, certificate) = pki.client();
        client
            .arg(format!("--private-key={}", private_key.display()))
            .arg(format!("--certificate={}", certificate.display()))
            .arg(format!("--ca-cert={}", pki.server_authority().display()))
            .args([&tools::timeout_option(), "list-dbs"]);
        let remote = format!("ssl:127.0.0.1:{port}");
        client.arg(&remote);
        self.daemon
            .wait_until("answer by TLS", || tools::output(&mut client).ok())?;
        Ok(remote)
    }

    fn control(&self, args: &[&str]) -> Result<(), Error> {
        let control = self.dir.path().join("ovsdb-server.ctl");
        let mut command = self.command("ovs-appctl")?;
        tools::output(command.arg("-t").arg(control).args(args)).map(drop)
    }

    /// A tool that looks for its sockets in this server's directory.
    pub(crate) fn command(&self, program: &str) -> Result<Command, Error> {
        let mut command = Command::new(tools::find(program)?);
        in_dir(&mut command, self.dir.path());
        Ok(command)
    }

    pub(crate) fn vsctl_command(&self) -> Result<Command, Error> {
        let mut command = self.command("ovs-vsctl")?;
        command
            .arg(format!("--db={}", self.remote()))
            .arg(tools::timeout_option());
        Ok(command)
    }
}

/// Makes `dir` the run, log and database directory of a program of OVS.
pub(crate) fn in_dir<'c>(command: &'c mut Command, dir: &Path) -> &'c mut Command {
    command.envs(["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"].map(|variable| (variable, dir)))
}

fn program() -> Result<Command, Error> {
    Ok(Command::new(tools::find("ovsdb-server")?))
}

/// Starts `command`, which is the server with more options than these.
fn launch(
    mut command: Command,
    dir: &Path,
    socket: &Path,
    port: Option<u16>,
) -> Result<(Daemon, u16), Error> {
    let log = dir.join("ovsdb-server.log");
    in_dir(&mut command, dir)
        .arg(dir.join(DATABASE))
        .arg(format!("--remote=punix:{}", socket.display()))
        .arg(format!("--remote=ptcp:{}:127.0.0.1", port.unwrap_or(0)))
        .arg(format!("--unixctl={}", dir.join("ovsdb-server.ctl").display()))
        .arg("--verbose=syslog:off");
    let mut daemon = Daemon::spawn("ovsdb-server", &mut command, &log)?;
    let port = daemon.wait_until("listen", || {
        let port = port.or_else(|| logged_port(&log))?;
        (answers(socket) && tcp_answers(port)).then_some(port)
    })?;
    Ok((daemon, port))
}

/// Whether the server serves: since release 3.3 it listens before it has read its database.
pub(crate) fn answers(socket: &Path) -> bool {
    let ask = || {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(br#"{"method":"echo","params":[],"id":0}"#)?;
        stream.read_exact(&mut [0])
    };
    ask().is_ok()
}

/// Where the kernel put the listener: "0:127.0.0.1: listening on port 35967".
fn logged_port(log: &Path) -> Option<u16> {
    let text = fs::read_to_string(log).ok()?;
    let (_, rest) = text.rsplit_once("listening on port ")?;
    rest.lines()
        .next()?
        .trim()
        .parse()
        .ok()
        .filter(|_| rest.contains('\n'))
}

/// A directory whose sockets fit into the 108 bytes of `sun_path`.
pub(crate) fn short_temp_dir() -> Result<TempDir, Error> {
    let mut parent = env::temp_dir();
    if parent.as_os_str().len() > PARENT_MAX {
        parent = PathBuf::from("/tmp");
    }
    tempfile::Builder::new()
        .prefix("ovs-")
        .tempdir_in(&parent)
        .map_err(Error::io(parent))
}

const PATIENCE: Duration = Duration::from_secs(10);
const DATABASE: &str = "conf.db";
/// Leaves 60 bytes for "/ovs-XXXXXX/" and a socket's name.
const PARENT_MAX: usize = 48;
