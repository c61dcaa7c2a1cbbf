//! Debian's kernel package: downloaded and unpacked, never installed.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Release, apt::Apt, cache::Lock};
use crate::{Error, Missing, tools};

/// An unpacked kernel package.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// The bootable image.
    pub(crate) image: PathBuf,
    modules: PathBuf,
    dependencies: String,
    builtin: String,
}

impl Kernel {
    /// The kernel of `release` in `cache`, which is filled first if it is empty. A kernel that is there stays:
    /// remove its directory to get the archive's newest.
    pub(crate) fn ensure(cache: &Path, release: Release) -> Result<Self, Error> {
        let _lock = Lock::take(cache)?;
        let cache = match release {
            Release::Own => cache.to_owned(),
            Release::Trixie => cache.join(TRIXIE),
        };
        fs::create_dir_all(&cache).map_err(Error::io(&cache))?;
        let root = match newest(&cache)? {
            Some(root) => root,
            None => download(&cache, release)?,
        };
        Self::open(&root)
    }

    /// Its release, as `uname -r` has it.
    pub(crate) fn version(&self) -> String {
        let name = self.modules.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The modules that a guest needs, each after those that it depends on: name and content.
    pub(crate) fn modules(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut files: Vec<&str> = Vec::new();
        for name in MODULES {
            let Some((file, dependencies)) = self.find(name) else {
                if has_module(&self.builtin, name) || OPTIONAL.contains(&name) {
                    continue;
                }
                let problem = format!("has no module {name}");
                return Err(Error::Unexpected {
                    path: self.modules.clone(),
                    problem,
                });
            };
            // modules.dep(5) lists them so that the last one is to be loaded first.
            for file in dependencies.split_whitespace().rev().chain([file]) {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        files.into_iter().map(|file| self.read(file)).collect()
    }

    fn open(root: &Path) -> Result<Self, Error> {
        let all = root.join("lib/modules");
        let modules = only_entry(&all)?;
        let version = modules.file_name().unwrap_or_default().to_string_lossy();
        let read = |name| {
            let path = modules.join(name);
            fs::read_to_string(&path).map_err(Error::io(path))
        };
        let dependencies = read("modules.dep")?;
        let builtin = read("modules.builtin")?;
        let image = root.join("boot").join(format!("vmlinuz-{version}"));
        fs::metadata(&image).map_err(Error::io(&image))?;
        Ok(Self {
            image,
            modules,
            dependencies,
            builtin,
        })
    }

    /// A module's file and, unsplit, those that it depends on.
    fn find(&self, name: &str) -> Option<(&str, &str)> {
        self.dependencies
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(file, _)| module_name(file) == name)
    }

    fn read(&self, file: &str) -> Result<(String, Vec<u8>), Error> {
        let path = self.modules.join(file);
        let content = match path.extension().and_then(OsStr::to_str) {
            Some("ko") => fs::read(&path).map_err(Error::io(&path))?,
            Some("xz") => tools::output_bytes(Command::new(tools::find("xz")?).arg("-dc").arg(&path))?,
            _ => {
                let problem = "is compressed in a way that is not supported".to_owned();
                return Err(Error::Unexpected { path, problem });
            }
        };
        Ok((module_name(file).to_owned(), content))
    }
}

/// The newest unpacked kernel: what cannot be read is not one.
fn newest(cache: &Path) -> Result<Option<PathBuf>, Error> {
    let mut roots: Vec<_> = fs::read_dir(cache)
        .map_err(Error::io(cache))?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let is_kernel = entry.file_name().to_str()?.starts_with(IMAGE);
            is_kernel.then_some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    roots.sort();
    Ok(roots.pop().map(|(_, root)| root))
}

/// Brings the real package behind the metapackage and unpacks it into the cache, in one step as
/// others see it.
fn download(cache: &Path, release: Release) -> Result<PathBuf, Error> {
    let no_kernel = |error: Error| Missing {
        what: format!("{METAPACKAGE}, the kernel of {release}: {error}"),
        package: None,
    };
    let apt = match release {
        Release::Own => Apt::own(),
        Release::Trixie => Apt::of(TRIXIE, &cache.join("apt")).map_err(no_kernel)?,
    };
    let mut depends = apt.command("apt-cache")?;
    let depends = tools::output(depends.args(["depends", METAPACKAGE])).map_err(no_kernel)?;
    let package = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|package| package.starts_with(IMAGE))
        .ok_or_else(|| Missing {
            what: format!("a real package behind {METAPACKAGE} (apt-get update?)"),
            package: None,
        })?;

    let dir = tempfile::tempdir_in(cache).map_err(Error::io(cache))?;
    let mut get = apt.command("apt-get")?;
    get.args(["--quiet", "download", package]).current_dir(&dir);
    tools::output(&mut get).map_err(no_kernel)?;
    let deb = only_entry(dir.path())?;
    let root = dir.path().join("root");
    tools::output(Command::new(tools::find("dpkg")?).arg("-x").args([&deb, &root]))?;
    // Since Debian 13 the modules are below /usr/lib, to which /lib is a link on a real system.
    let lib = root.join("lib");
    if !lib.exists() {
        symlink("usr/lib", &lib).map_err(Error::io(&lib))?;
    }
    let modules = only_entry(&lib.join("modules"))?;
    let version = modules.file_name().unwrap_or_default();
    tools::output(
        Command::new(tools::find("depmod")?)
            .arg("-b")
            .arg(&root)
            .arg(version),
    )?;
    let place = cache.join(package);
    fs::rename(&root, &place).map_err(Error::io(&place))?;
    Ok(place)
}

fn only_entry(dir: &Path) -> Result<PathBuf, Error> {
    let mut entries = fs::read_dir(dir).map_err(Error::io(dir))?;
    match (entries.next(), entries.next()) {
        (Some(Ok(entry)), None) => Ok(entry.path()),
        _ => {
            let problem = "is not a directory with one entry".to_owned();
            Err(Error::Unexpected {
                path: dir.to_owned(),
                problem,
            })
        }
    }
}

fn has_module(list: &str, name: &str) -> bool {
    list.lines().any(|file| module_name(file) == name)
}

/// "kernel/net/openvswitch/vport-vxlan.ko.xz" is "vport-vxlan".
fn module_name(file: &str) -> &str {
    let base = file.rsplit('/').next().unwrap_or(file);
    base.split(".ko").next().unwrap_or(base)
}

const METAPACKAGE: &str = "linux-image-amd64";
const TRIXIE: &str = "trixie";
const IMAGE: &str = "linux-image-";
/// In this order: libcrc32c asks for an implementation of crc32c as soon as it is loaded, and
/// modules.dep does not say so.
const MODULES: [&str; 9] = [
    "crc32c_generic",
    "nfnetlink",
    "openvswitch",
    "vport-vxlan",
    "vport-gre",
    "vport-geneve",
    "veth",
    "dummy",
    "netlink_diag",
];
/// Newer kernels have crc32c as a library.
const OPTIONAL: [&str; 1] = ["crc32c_generic"];
