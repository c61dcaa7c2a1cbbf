//! Which Open vSwitch tests run on: what is installed, or a release that is unpacked and not installed.

use std::{
    env,
    ffi::OsString,
    fmt,
    fs::{self, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Read as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::{
    Debian, Error, Missing,
    cache::{self, Lock},
    closure,
    debian::Apt,
    tools::{self, quoted},
};

/// A release of Open vSwitch: 3.1.0.
///
/// ```
/// use testbed::Version;
///
/// assert!(Version::new(2, 17, 9) < Version::new(3, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The patch level.
    pub patch: u32,
}

impl Version {
    /// The release of these three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Whether it has a change that these releases brought, each the first one of its series, oldest first; what comes
    /// after the last one has it.
    ///
    /// ```
    /// use testbed::Version;
    ///
    /// let firsts = [Version::new(3, 4, 5), Version::new(3, 5, 3), Version::new(3, 7, 0)];
    /// assert!(Version::new(3, 5, 3).has(&firsts) && Version::new(4, 0, 0).has(&firsts));
    /// assert!(!Version::new(3, 5, 2).has(&firsts) && !Version::new(3, 6, 9).has(&firsts));
    /// ```
    pub fn has(self, firsts: &[Self]) -> bool {
        let is_after = |first: &Self| self >= *first;
        let series = |version: &Self| (version.major, version.minor);
        let mut own = firsts.iter().filter(|first| series(first) == series(&self));
        own.any(is_after) || firsts.last().is_some_and(is_after)
    }

    /// Whether it loses a socket with each internal port whose network namespace was deleted, if it has a socket for each
    /// port. Others keep one until the number of the port is used again (commit 5d0c98d1c).
    pub fn loses_upcall_sockets(self) -> bool {
        !self.has(&[
            Self::new(3, 3, 7),
            Self::new(3, 4, 5),
            Self::new(3, 5, 3),
            Self::new(3, 6, 1),
            Self::new(3, 7, 0),
        ])
    }

    /// Reads what `ovs-vswitchd --version` says: "ovs-vswitchd (Open vSwitch) 3.1.0".
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text
            .lines()
            .next()?
            .rsplit_once(' ')?
            .1
            .split(['.', '~', '+', '-']);
        let mut number = || numbers.next()?.parse().ok();
        Some(Self::new(number()?, number()?, number()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The release that tests run on, as `ovs-vswitchd` says it.
///
/// # Errors
/// As [`program`](crate::program); [`Error::Unexpected`] if it says something else.
pub fn version() -> Result<Version, Error> {
    static VERSION: OnceLock<Version> = OnceLock::new();
    if let Some(version) = VERSION.get() {
        return Ok(*version);
    }
    let version = version_of(&tools::program("ovs-vswitchd")?)?;
    Ok(*VERSION.get_or_init(|| version))
}

fn version_of(vswitchd: &Path) -> Result<Version, Error> {
    let text = tools::output(Command::new(vswitchd).arg("--version"))?;
    Version::parse(&text).ok_or_else(|| Error::Unexpected {
        path: vswitchd.to_owned(),
        problem: format!("says of its version: {text}"),
    })
}

/// The schema of the database `Open_vSwitch` of the release that tests run on: a file.
///
/// # Errors
/// [`Error::Missing`] if it is not there, [`Error::TurnedOff`].
pub fn schema() -> Result<PathBuf, Error> {
    tools::check_wanted()?;
    let (path, package) = match Root::chosen()? {
        Some(root) => (root.dir.join(&SCHEMA[1..]), None),
        None => (PathBuf::from(SCHEMA), Some("openvswitch-switch")),
    };
    if path.is_file() {
        return Ok(path);
    }
    let what = path.display().to_string();
    Err(Missing { what, package }.into())
}

/// A release that is unpacked and not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// Its root directory, for `OVS_RS_OPENVSWITCH`.
    pub root: PathBuf,
    /// Which release it is.
    pub version: Version,
}

/// Open vSwitch and OVN of a release of Debian. The first call on a machine brings the
/// packages and their libraries, and keeps them, unpacked (80 MB), in the cache, as [`Guest::new`](crate::vm::Guest::new)
/// does with kernels. What is there stays: remove its directory to get the archive's newest.
///
/// # Errors
/// [`Error::Missing`] if the packages cannot be had; [`Error::Unexpected`] if a program lacks a library.
pub fn unpacked(debian: Debian) -> Result<Unpacked, Error> {
    tools::check_wanted()?;
    let cache = cache::directory()?;
    let dir = debian.directory(&cache)?;
    let place = dir.join("openvswitch");
    // Who only uses what is there does not wait for a guest.
    let _lock = if place.is_dir() {
        None
    } else {
        Some(Lock::take(&cache)?)
    };
    if !place.is_dir() {
        unpack(debian, &dir, &place)?;
    }
    let version = version_of(&Root::open(&place)?.program("ovs-vswitchd")?)?;
    Ok(Unpacked { root: place, version })
}

fn unpack(debian: Debian, dir: &Path, place: &Path) -> Result<(), Error> {
    let apt = Apt::of(debian, dir)?;
    // Of what they depend on, libraries: not the interpreters and services of what else is in the packages.
    let is_library = |name: &str| name.starts_with("lib") || name == "zlib1g";
    let packages = apt.closure(&PACKAGES, is_library)?;
    let parts = tempfile::tempdir_in(dir).map_err(Error::io(dir))?;
    let root = Root::open(&apt.unpack(&packages, parts.path())?)?;
    for program in tools::OPENVSWITCH.iter().chain(&OVN) {
        root.libraries(program)?;
    }
    fs::rename(&root.dir, place).map_err(Error::io(place))
}

/// Whether a program is one of Open vSwitch or OVN, so that it goes with the release.
pub(crate) fn goes_with_release(program: &str) -> bool {
    // A script of the shell, which is the same in all of them.
    program != "ovs-pki"
        && ["ovs-", "ovsdb-", "ovn-"]
            .iter()
            .any(|prefix| program.starts_with(prefix))
}

/// An unpacked root directory with programs, their libraries, and the loader of those.
///
/// A program of another release of Debian needs that release's C library, and so its loader, by whose name it must be
/// started. A script of the shell does that, so that it has a path as any program: it replaces itself, so the process
/// id stays, and it calls the loader by a link that is named as the program, since this becomes the name of the process.
#[derive(Debug)]
pub(crate) struct Root {
    dir: PathBuf,
    loader: PathBuf,
    scripts: PathBuf,
}

impl Root {
    /// That of `OVS_RS_OPENVSWITCH`.
    pub(crate) fn chosen() -> Result<Option<Self>, Error> {
        match env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(dir) => Self::open(Path::new(&dir)).map(Some),
            None => Ok(None),
        }
    }

    fn open(dir: &Path) -> Result<Self, Error> {
        let dir = dir.canonicalize().map_err(Error::io(dir))?;
        let loader = loader(&dir).ok_or_else(|| Error::Unexpected {
            path: dir.clone(),
            problem: format!("has no usr/lib/*/{LOADER}*, as {VARIABLE} must"),
        })?;
        let mut name = DefaultHasher::new();
        dir.hash(&mut name);
        let scripts = cache::directory()?
            .join("programs")
            .join(format!("{:016x}", name.finish()));
        Ok(Self { dir, loader, scripts })
    }

    /// The path of a script that runs `program`.
    pub(crate) fn program(&self, program: &str) -> Result<PathBuf, Error> {
        let real = self.real(program)?;
        let (link, script) = (self.link(program), self.scripts.join(program));
        let [loader, libraries, real] = [link.as_os_str(), &self.library_path(), real.as_os_str()]
            .map(|word| quoted(&word.to_string_lossy()));
        let text = format!("#!/bin/sh\nexec {loader} --library-path {libraries} {real} \"$@\"\n");
        if fs::read_link(&link).ok().as_ref() != Some(&self.loader) {
            replace(&link, |path| symlink(&self.loader, path).map_err(Error::io(path)))?;
        }
        if fs::read_to_string(&script).ok().as_ref() != Some(&text) {
            replace(&script, |path| write_program(path, &text))?;
        }
        Ok(script)
    }

    /// All files behind the script that runs `program`, and the link by which it calls the loader.
    pub(crate) fn files(&self, program: &str) -> Result<(Vec<PathBuf>, PathBuf), Error> {
        let (mut files, real) = (self.libraries(program)?, self.real(program)?);
        files.extend([self.program(program)?, real, self.loader.clone()]);
        Ok((files, self.link(program)))
    }

    fn libraries(&self, program: &str) -> Result<Vec<PathBuf>, Error> {
        let real = self.real(program)?;
        let mut list = Command::new(&self.loader);
        list.arg("--list")
            .arg("--library-path")
            .arg(self.library_path())
            .arg(&real);
        closure::parse(&tools::output(&mut list)?)
            .map_err(|problem| Error::Unexpected { path: real, problem })
    }

    /// The loader, which links lead to.
    pub(crate) fn loader(&self) -> &Path {
        &self.loader
    }

    fn link(&self, program: &str) -> PathBuf {
        self.scripts.join("loader").join(program)
    }

    fn real(&self, program: &str) -> Result<PathBuf, Error> {
        let places = PROGRAMS.iter().map(|place| self.dir.join(place).join(program));
        let found = places
            .into_iter()
            .find(|path| is_elf(path))
            .ok_or_else(|| Missing {
                what: format!("{program} in {}", self.dir.display()),
                package: None,
            });
        Ok(found?)
    }

    /// Where libraries are. Those of Open vSwitch alone have a directory of their own, in some releases.
    fn library_path(&self) -> OsString {
        let libraries = self.loader.parent().unwrap_or(&self.dir);
        let mut path = libraries.as_os_str().to_owned();
        let own = PRIVATE.map(|name| [libraries.join(name), self.dir.join("usr/lib").join(name)]);
        for directory in own.into_iter().flatten().filter(|directory| directory.is_dir()) {
            path.push(":");
            path.push(directory);
        }
        path
    }
}

/// `usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2`, and its like on other machines.
fn loader(dir: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(dir.join("usr/lib")).ok()?;
    let inner = entries.filter_map(|entry| fs::read_dir(entry.ok()?.path()).ok());
    let mut files = inner.flatten().filter_map(|entry| Some(entry.ok()?.path()));
    files.find(|path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(LOADER) && path.is_file()
    })
}

pub(crate) fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"\x7fELF"
}

/// Writes a program, in another process: while this one has it open, so has each child that another thread is about to
/// start, and what is open cannot be run.
fn write_program(path: &Path, text: &str) -> Result<(), Error> {
    let script = r#"printf %s "$0" > "$1" && chmod 755 "$1""#;
    tools::output(Command::new("sh").args(["-c", script, text]).arg(path)).map(drop)
}

/// Makes a file at `path`, in one step as others see it, who may be doing the same.
fn replace(path: &Path, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let dir = tempfile::tempdir_in(parent).map_err(Error::io(parent))?;
    let new = dir.path().join("new");
    make(&new)?;
    fs::rename(&new, path).map_err(Error::io(path))
}

/// Where an installed release has its schema.
pub(crate) const SCHEMA: &str = "/usr/share/openvswitch/vswitch.ovsschema";
const PACKAGES: [&str; 5] = [
    "openvswitch-switch",
    "openvswitch-common",
    "ovn-common",
    "ovn-central",
    "ovn-host",
];
const OVN: [&str; 4] = ["ovn-northd", "ovn-controller", "ovn-nbctl", "ovn-sbctl"];
const VARIABLE: &str = "OVS_RS_OPENVSWITCH";
/// `ovs-vswitchd` is in a directory of its own, to which the installation would make a link.
const PROGRAMS: [&str; 4] = [
    "usr/sbin",
    "usr/bin",
    "usr/lib/openvswitch-switch",
    "usr/lib/openvswitch-common",
];
const PRIVATE: [&str; 2] = ["openvswitch-switch", "openvswitch-common"];
const LOADER: &str = "ld-linux";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_with_its_patch_level() {
        let said = |text: &str| Version::parse(&format!("ovs-vswitchd (Open vSwitch) {text}\nmore 1.2.3\n"));
        assert_eq!(said("3.5.0"), Some(Version::new(3, 5, 0)));
        assert_eq!(said("4.0.1~git20261001"), Some(Version::new(4, 0, 1)));
        assert_eq!(said("4.0"), None);
        assert_eq!(Version::parse(""), None);
    }

    #[test]
    fn a_directory_without_a_loader_is_no_release() {
        let dir = tempfile::tempdir().unwrap();
        let error = Root::open(dir.path()).unwrap_err();
        assert!(matches!(error, Error::Unexpected { .. }), "{error}");
        assert!(Root::open(&dir.path().join("nothing")).is_err());
    }

    #[test]
    fn programs_of_open_vswitch_and_ovn_go_with_the_release() {
        assert!(
            ["ovs-ofctl", "ovsdb-server", "ovn-northd"]
                .into_iter()
                .all(goes_with_release)
        );
        assert!(!["ovs-pki", "ip"].into_iter().any(goes_with_release));
    }
}
