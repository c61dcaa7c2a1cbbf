//! Finding and running the programs of the machine.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    Error, Missing,
    openvswitch::{Root, goes_with_release},
};

/// Each program that some real part needs and this machine lacks, in a fixed order.
pub fn missing() -> Vec<Missing> {
    PACKAGES
        .iter()
        .flat_map(|(_, programs)| *programs)
        .filter_map(|program| match find(program) {
            Err(Error::Missing(missing)) => Some(missing),
            _ => None,
        })
        .collect()
}

/// The full path of a program that a test runs beside its real parts.
///
/// # Errors
/// [`Error::Missing`] if it is not there, [`Error::TurnedOff`].
pub fn program(name: &str) -> Result<PathBuf, Error> {
    check_wanted()?;
    find(name)
}

/// The full path of `program`: of the release that `OVS_RS_OPENVSWITCH` names, else by `PATH` and then the sbin
/// directories, which an ordinary user's `PATH` lacks.
pub(crate) fn find(program: &str) -> Result<PathBuf, Error> {
    if let Some(root) = root_of(program)? {
        return root.program(program);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .chain(SBIN.iter().map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| Missing {
            what: program.to_owned(),
            package: package_of(program),
        })?;
    Ok(found)
}

/// The unpacked release that a program comes from.
pub(crate) fn root_of(program: &str) -> Result<Option<Root>, Error> {
    if goes_with_release(program) {
        Root::chosen()
    } else {
        Ok(None)
    }
}

/// As [`find`] for a bare name; anything else is a path, taken from the root.
pub(crate) fn find_path(program: &Path) -> Result<PathBuf, Error> {
    match program.to_str() {
        Some(name) if !name.contains('/') => find(name),
        _ => std::path::absolute(program).map_err(Error::io(program)),
    }
}

/// Runs `command` to its end and gives its standard output.
///
/// # Errors
/// As [`output_bytes`].
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    output_bytes(command).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Runs `command` to its end and gives its standard output.
///
/// # Errors
/// [`Error::Command`] for a status other than 0, [`Error::Timeout`] if it ended by `SIGALRM`,
/// which is what the OVS tools' own `--timeout` does.
pub(crate) fn output_bytes(command: &mut Command) -> Result<Vec<u8>, Error> {
    let output = command.output().map_err(Error::io(command.get_program()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let argv: Vec<String> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(lossy)
        .collect();
    Err(if output.status.signal() == Some(SIGALRM) {
        Error::Timeout {
            what: argv.join(" "),
            after: COMMAND_TIMEOUT,
            log: stderr,
        }
    } else {
        Error::Command {
            argv,
            status: output.status,
            stderr,
        }
    })
}

/// Sends a signal to a process that this crate started.
pub(crate) fn signal(pid: u32, signal: &str) -> Result<(), Error> {
    let pid = pid.to_string();
    output(Command::new("kill").args(["-s", signal, &pid])).map(drop)
}

/// One word of a shell's command line.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The option that bounds every OVS tool's run.
pub(crate) fn timeout_option() -> String {
    format!("--timeout={}", COMMAND_TIMEOUT.as_secs())
}

/// The last lines of a log, or why there are none.
pub(crate) fn tail(log: &Path) -> String {
    match fs::read(log) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
        }
        Err(error) => format!("({}: {error})", log.display()),
    }
}

/// Real parts are wanted unless `OVS_RS_REAL=0`.
pub(crate) fn check_wanted() -> Result<(), Error> {
    if env::var_os("OVS_RS_REAL").is_some_and(|value| value == "0") {
        return Err(Error::TurnedOff);
    }
    Ok(())
}

fn package_of(program: &str) -> Option<&'static str> {
    PACKAGES
        .iter()
        .find(|(_, programs)| programs.contains(&program))
        .map(|(package, _)| *package)
}

fn lossy(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}

pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);
/// The daemons and tools of Open vSwitch.
pub(crate) const OPENVSWITCH: [&str; 8] = [
    "ovsdb-server",
    "ovs-vswitchd",
    "ovsdb-tool",
    "ovsdb-client",
    "ovs-vsctl",
    "ovs-ofctl",
    "ovs-appctl",
    "ovs-dpctl",
];
/// A kernel panic with its call trace fits.
const TAIL_LINES: usize = 60;
const SIGALRM: i32 = 14;
const SBIN: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
const PACKAGES: [(&str, &[&str]); 12] = [
    ("openvswitch-switch", &OPENVSWITCH),
    ("openvswitch-common", &["ovs-pki"]),
    ("openssl", &["openssl"]),
    ("qemu-system-x86", &["qemu-system-x86_64"]),
    ("busybox-static", &["busybox"]),
    ("kmod", &["depmod"]),
    ("iproute2", &["ip"]),
    ("xz-utils", &["xz"]),
    ("curl", &["curl"]),
    ("chromium", &["chromium"]),
    ("chromium-driver", &["chromedriver"]),
    ("prometheus", &["promtool"]),
];
