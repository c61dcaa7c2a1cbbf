//! A guest with Debian's kernel and `openvswitch.ko`, under QEMU without hardware help (TCG).
//!
//! The guest has no disk and no network: its whole file tree is an initramfs made for the run, with
//! the test binary, the shared libraries that it needs, the programs and files that were added, and
//! busybox for the rest. Nothing is installed and no privilege is needed on the host. A boot takes
//! 5 to 15 s, so one guest runs many checks, and one guest runs at a time.
//!
//! A kernel test is a test target with `harness = false` whose `main` is [`main`]:
//!
//! ```no_run
//! use std::process::{Command, ExitCode};
//!
//! fn main() -> ExitCode {
//!     testbed::vm::main(
//!         |guest| guest.program("ovs-dpctl"),
//!         || {
//!             let added = Command::new("ovs-dpctl").args(["add-dp", "dp0"]).status();
//!             assert!(added.is_ok_and(|status| status.success()));
//!             ExitCode::SUCCESS
//!         },
//!     )
//! }
//! ```

mod initramfs;
mod kernel;

use std::{
    env,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use libtest_mimic::{Arguments, ColorSetting, Trial};

use self::{initramfs::Initramfs, kernel::Kernel};
use crate::{
    Debian, Error,
    cache::{self, Lock},
    closure,
    daemon::Daemon,
    openvswitch::{SCHEMA, schema},
    or_skip,
    tools::{self, quoted},
};

/// A guest that is about to boot.
#[derive(Debug)]
pub struct Guest {
    cache: PathBuf,
    kernel: Kernel,
    programs: Vec<PathBuf>,
    files: Vec<(PathBuf, PathBuf)>,
    has_schema: bool,
    dispatches_per_port: bool,
    memory_mib: u64,
    timeout: Duration,
}

/// What came back from a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// What the program wrote to its standard output and error, in its order.
    pub output: String,
    /// The exit status as a shell gives it: 101 for a failed Rust test, 128 + N for a death by
    /// signal N, so 134 for an abort and [`TIMED_OUT`] for a program that took too long.
    pub status: i32,
    /// What kernel and init wrote to the console.
    pub console: String,
}

impl Outcome {
    /// Prints the output and gives the status as this process's own.
    pub fn relay(&self) -> ExitCode {
        // A closed standard output is no reason to lose the status.
        let _ = io::stdout().write_all(self.output.as_bytes());
        if self.status == TIMED_OUT {
            let _ = writeln!(io::stderr(), "killed in the guest: it took too long");
        }
        ExitCode::from(u8::try_from(self.status).unwrap_or(u8::MAX))
    }
}

impl Guest {
    /// A guest with two minutes for its program, and with the kernel of the [`Debian`] that `OVS_RS_KERNEL` names: `trixie`
    /// or `sid`, else with that of this machine's. The first call on a machine brings the kernel
    /// package (70 MB) with `apt-get download` and keeps it, unpacked (400 MB), in the cache: `OVS_RS_CACHE`, or
    /// `ovs-rs-testbed` below `XDG_CACHE_HOME` or `~/.cache`.
    ///
    /// # Errors
    /// [`Error::Missing`] without QEMU, busybox, kmod, or a kernel package to download;
    /// [`Error::TurnedOff`]; [`Error::Unexpected`] if the kernel package has another shape.
    pub fn new() -> Result<Self, Error> {
        Self::of(Debian::chosen()?)
    }

    /// As [`new`](Self::new), with the kernel of `debian`: from this machine's mirror, else from Debian's own, and without
    /// a change of its package lists.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(debian: Debian) -> Result<Self, Error> {
        tools::check_wanted()?;
        for tool in [QEMU, "busybox", "depmod", "ldd"] {
            tools::find(tool)?;
        }
        let cache = cache::directory()?;
        let kernel = Kernel::ensure(&cache, debian)?;
        let timeout = DEFAULT_TIMEOUT;
        Ok(Self {
            cache,
            kernel,
            programs: Vec::new(),
            files: Vec::new(),
            has_schema: false,
            dispatches_per_port: false,
            memory_mib: MEMORY_MIB,
            timeout,
        })
    }

    /// The version of its kernel: 6.12.117.
    ///
    /// # Errors
    /// [`Error::Unexpected`] if the kernel does not say it as Debian's do.
    pub fn linux(&self) -> Result<String, Error> {
        self.kernel.version()
    }

    /// Adds a program of the host with its shared libraries, all at the paths that they have
    /// there. A bare name is looked up in `PATH`.
    #[must_use]
    pub fn program(mut self, host_path: impl AsRef<Path>) -> Self {
        self.programs.push(host_path.as_ref().to_owned());
        self
    }

    /// Adds a file of the host at a path of the guest, with the permissions of a program.
    #[must_use]
    pub fn file(mut self, host: impl AsRef<Path>, guest: &str) -> Self {
        self.files.push((host.as_ref().to_owned(), PathBuf::from(guest)));
        self
    }

    /// Adds what [`Switch::in_guest`](crate::Switch::in_guest) needs: Open vSwitch's daemons, its
    /// tools, and its database schema.
    #[must_use]
    pub fn openvswitch(self) -> Self {
        let mut guest = tools::OPENVSWITCH.iter().fold(self, Self::program);
        guest.has_schema = true;
        guest
    }

    /// Adds what [`Switch::in_guest_per_port`](crate::Switch::in_guest_per_port) needs besides: a library that makes the
    /// kernel refuse to dispatch per CPU. It is compiled with `cc`.
    #[must_use]
    pub fn dispatch_per_port(mut self) -> Self {
        self.dispatches_per_port = true;
        self.openvswitch()
    }

    /// How long the program may run once the guest is up. It is killed after that, with status
    /// [`TIMED_OUT`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How much memory the guest has, besides what its files take: 512 MiB, if nothing is said. (A port takes 50 KiB.)
    #[must_use]
    pub fn memory_mib(mut self, memory: u64) -> Self {
        self.memory_mib = memory;
        self
    }

    /// Boots, runs `test_binary` (named as for [`program`](Self::program)) as root in `/tmp` with
    /// `OVS_VM=1` and `CI=1`, and powers off. Waits before that until no other guest runs on this
    /// cache.
    ///
    /// # Errors
    /// [`Error::Missing`] for a program that is not there; [`Error::Start`] if the guest ended
    /// without a report (a kernel panic, say) and [`Error::Timeout`] if it never ended, both with
    /// the end of the console.
    pub fn run(mut self, test_binary: &Path, args: &[&str]) -> Result<Outcome, Error> {
        let dir = tempfile::tempdir().map_err(Error::io(env::temp_dir()))?;
        if self.dispatches_per_port {
            let library = dir.path().join("per_port.so");
            compile(PER_PORT_SOURCE, &library)?;
            self.files.push((library, PathBuf::from(PER_PORT)));
        }
        let [initramfs, output, console] =
            ["initramfs", "output", "console"].map(|name| dir.path().join(name));
        let size = self.write_initramfs(&initramfs, test_binary, args)?;

        let _lock = Lock::take(&self.cache)?;
        let mut command = Command::new(tools::find(QEMU)?);
        command
            .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", CPUS])
            // The archive and what it unpacks to are in memory at the same time, and the root file system may
            // fill half of what the archive leaves.
            .args([
                "-m",
                &format!("{}M", self.memory_mib + 3 * size.div_ceil(1 << 20)),
            ])
            .args(["-display", "none", "-vga", "none", "-nic", "none", "-no-reboot"])
            .arg("-kernel")
            .arg(&self.kernel.image)
            .arg("-initrd")
            .arg(&initramfs)
            .args(["-append", COMMAND_LINE])
            .args([
                "-chardev",
                "stdio,id=console,signal=off",
                "-serial",
                "chardev:console",
            ])
            .args(["-serial", &format!("file:{}", output.display())]);
        let mut qemu = Daemon::spawn(QEMU, &mut command, &console)?;
        let qemu_status = qemu.wait(self.timeout + BOOT_TIMEOUT)?;

        let console_text = read_lossy(&console)?;
        let Some(status) = reported_status(&console_text) else {
            return Err(qemu.ended("the guest", qemu_status));
        };
        Ok(Outcome {
            output: read_lossy(&output)?,
            status,
            console: console_text,
        })
    }

    fn write_initramfs(&self, path: &Path, binary: &Path, args: &[&str]) -> Result<u64, Error> {
        let file = File::create(path).map_err(Error::io(path))?;
        let mut tree = Initramfs::new(BufWriter::new(file), path)?;
        for directory in ["/dev", "/proc", "/run", "/sys", "/tmp"] {
            tree.directory(Path::new(directory))?;
        }
        tree.link(Path::new("/var/run"), "/run")?;
        // Without it each program of Open vSwitch warns.
        tree.file(Path::new("/etc/resolv.conf"), &[])?;

        let mut order = String::new();
        for (name, content) in self.kernel.modules()? {
            tree.file(&Path::new("/guest/modules").join(&name), &content)?;
            order.push_str(&format!("{name}\n"));
        }
        tree.file(Path::new("/guest/modules.order"), order.as_bytes())?;

        let binary = tools::find_path(binary)?;
        // The host's shell: that of busybox runs its own applets before the programs in PATH.
        let busybox = tools::find("busybox")?;
        let named = [Path::new("/bin/sh"), &busybox, &binary];
        for program in named
            .into_iter()
            .chain(self.programs.iter().map(PathBuf::as_path))
        {
            add_program(&mut tree, program)?;
        }
        if self.has_schema {
            tree.host_file(&schema()?, Path::new(SCHEMA))?;
        }
        for (host, guest) in &self.files {
            tree.host_file(host, guest)?;
        }
        // Last, so that a real program of the same name in /bin wins.
        for applet in tools::output(Command::new(&busybox).arg("--list"))?.lines() {
            tree.link(&Path::new("/bin").join(applet), &busybox.to_string_lossy())?;
        }

        let mut run = format!("exec {}", quoted(&binary.to_string_lossy()));
        for arg in args {
            run.push(' ');
            run.push_str(&quoted(arg));
        }
        tree.file(Path::new("/guest/run"), run.as_bytes())?;
        let seconds = self.timeout.as_secs().max(1).to_string();
        tree.file(Path::new("/guest/timeout"), seconds.as_bytes())?;
        tree.file(Path::new("/init"), include_bytes!("vm/init.sh"))?;
        tree.finish()
    }
}

/// Whether this process runs in a guest.
pub fn inside() -> bool {
    env::var_os("OVS_VM").is_some()
}

/// The `main` of a kernel test: on the host it boots the guest that `guest` has equipped, with this
/// very program and its arguments, prints its output and ends with its status; in the guest it runs
/// `checks`.
///
/// # Panics
/// As [`or_skip`]: without the parts it skips, loudly, and with `CI` set it fails.
pub fn main(guest: impl FnOnce(Guest) -> Guest, checks: impl FnOnce() -> ExitCode) -> ExitCode {
    if inside() {
        return checks();
    }
    or_skip(Guest::new().map(guest)).map_or(ExitCode::SUCCESS, relay)
}

/// Runs the tests of a guest as libtest would, each under its name and one at a time: they share the kernel.
pub fn run_tests(tests: &[(&'static str, fn())]) -> ExitCode {
    let trials = tests.iter().map(|&(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    // The output goes to a serial line, which looks like a terminal and is read from a file.
    arguments.color = Some(ColorSetting::Never);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Runs this program in the guest, and ends as it does there.
fn relay(guest: Guest) -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let run = || {
        let program = env::current_exe().map_err(Error::io("this program"))?;
        // Where it is not taken for output of the tests.
        let _ = writeln!(io::stderr(), "in a guest with Linux {}", guest.linux()?);
        guest.run(&program, &args)
    };
    or_skip(run()).map_or(ExitCode::SUCCESS, |outcome| outcome.relay())
}

/// Adds a program with its libraries, at the paths of the host; one of an unpacked release is also where `PATH` leads.
fn add_program(tree: &mut Initramfs<impl io::Write>, program: &Path) -> Result<(), Error> {
    let path = tools::find_path(program)?;
    let name = program.to_str().unwrap_or_default();
    let files = match tools::root_of(name)? {
        Some(root) => {
            let (files, link) = root.files(name)?;
            tree.link(&link, &root.loader().to_string_lossy())?;
            tree.link(&Path::new("/usr/local/sbin").join(name), &path.to_string_lossy())?;
            files
        }
        None => closure::libraries(&path)?,
    };
    files
        .iter()
        .chain([&path])
        .try_for_each(|file| tree.host_file(file, file))
}

/// Makes a shared library of a C source.
fn compile(source: &str, library: &Path) -> Result<(), Error> {
    let file = library.with_extension("c");
    fs::write(&file, source).map_err(Error::io(&file))?;
    let mut compiler = Command::new(tools::find("cc")?);
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]);
    tools::output(compiler.arg(library).arg(&file)).map(drop)
}

/// The last report on the console that is a whole line.
fn reported_status(console: &str) -> Option<i32> {
    let (_, report) = console.rsplit_once("\nguest status: ")?;
    report.split_once('\n')?.0.trim().parse().ok()
}

fn read_lossy(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The status of a program that was killed when its time was over.
pub const TIMED_OUT: i32 = 137;

/// Where a guest has the library that makes the kernel refuse to dispatch per CPU.
pub(crate) const PER_PORT: &str = "/usr/lib/per_port.so";
const PER_PORT_SOURCE: &str = include_str!("vm/per_port.c");
const QEMU: &str = "qemu-system-x86_64";
const CPUS: &str = "2";
const MEMORY_MIB: u64 = 512;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);
/// For boot and power-off, on a busy host.
const BOOT_TIMEOUT: Duration = Duration::from_secs(120);
/// The first console is the kernel's and init's, the second carries the program's output alone.
const COMMAND_LINE: &str = "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check \
    tsc=reliable cryptomgr.notests nokaslr audit=0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_report_counts() {
        assert_eq!(reported_status("boot\r\n\r\nguest status: 101\r\n"), Some(101));
        assert_eq!(
            reported_status("\nguest status: 1\r\n\nguest status: 0\r\n"),
            Some(0)
        );
        assert_eq!(reported_status("boot\r\nguest status: 13"), None);
        assert_eq!(reported_status("Kernel panic - not syncing\r\n"), None);
    }

    #[test]
    fn a_quoted_word_is_one_word() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("a b $c"), "'a b $c'");
    }
}
