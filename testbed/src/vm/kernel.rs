//! Debian's kernel package: downloaded and unpacked, never installed.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Debian, Error, Missing, cache::Lock, debian::Apt, tools};

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
    /// The kernel of `debian` in `cache`, which is filled first if it is empty. A kernel that is there stays:
    /// remove its directory to get the archive's newest.
    pub(crate) fn ensure(cache: &Path, debian: Debian) -> Result<Self, Error> {
        let dir = debian.directory(cache)?;
        if let Some(root) = newest(&dir)? {
            return Self::open(&root);
        }
        let _lock = Lock::take(cache)?;
        // Another process may have been faster.
        let root = newest(&dir)?.map_or_else(|| download(&dir, debian), Ok)?;
        Self::open(&root)
    }

    /// Its version in Debian, as the image says it: `uname -r` may leave out the patch level.
    pub(crate) fn version(&self) -> Result<String, Error> {
        let image = fs::read(&self.image).map_err(Error::io(&self.image))?;
        version(&image).ok_or_else(|| Error::Unexpected {
            path: self.image.clone(),
            problem: "does not say which version it is".to_owned(),
        })
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
        // Where the image has a package of its own, it is with the modules.
        let boot = root.join("boot").join(format!("vmlinuz-{version}"));
        let mut images = [boot, modules.join("vmlinuz")].into_iter();
        let image = images
            .find(|image| image.is_file())
            .ok_or_else(|| Error::Unexpected {
                path: root.to_owned(),
                problem: "has no vmlinuz".to_owned(),
            })?;
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

/// Brings what the metapackage depends on and unpacks it into the cache, in one step as others see it. Up to Debian 13 that
/// is one package, later image and modules are two.
fn download(dir: &Path, debian: Debian) -> Result<PathBuf, Error> {
    let apt = Apt::of(debian, dir)?;
    let packages = apt.closure(&[METAPACKAGE], |name| name.starts_with("linux-"))?;
    let is_image = |name: &&String| name.starts_with(IMAGE) && *name != METAPACKAGE;
    let image = packages.iter().find(is_image).ok_or_else(|| Missing {
        what: format!("a real package behind {METAPACKAGE} (apt-get update?)"),
        package: None,
    })?;
    let parts = tempfile::tempdir_in(dir).map_err(Error::io(dir))?;
    let root = apt.unpack(&packages, parts.path())?;
    let modules = only_entry(&root.join("lib/modules"))?;
    let version = modules.file_name().unwrap_or_default();
    tools::output(
        Command::new(tools::find("depmod")?)
            .arg("-b")
            .arg(&root)
            .arg(version),
    )?;
    let place = dir.join(image);
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

/// Two bytes at 0x20e say where the text is that `/proc/version` has: "6.1.0-57-amd64 (..) #1 SMP Debian 6.1.192-1 (2026-11-01)"
/// (Documentation/arch/x86/boot.rst).
fn version(image: &[u8]) -> Option<String> {
    let at = u16::from_le_bytes(image.get(0x20e..0x210)?.try_into().ok()?);
    let text = image
        .get(usize::from(at) + 0x200..)?
        .split(|byte| *byte == 0)
        .next()?;
    let (_, version) = std::str::from_utf8(text).ok()?.rsplit_once(" Debian ")?;
    version.split([' ', '-']).next().map(str::to_owned)
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
/// Newer kernels have crc32c as a library, and nfnetlink as a part that could not be a module.
const OPTIONAL: [&str; 2] = ["crc32c_generic", "nfnetlink"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_says_which_version_it_is() {
        let mut image = vec![0; 0x300];
        image[0x20e..0x210].copy_from_slice(&0x50_u16.to_le_bytes());
        assert_eq!(version(&image), None);
        let text = b"6.1.0-57-amd64 (a@b) (gcc 12) #1 SMP Debian 6.1.192-1 (2026-11-01)";
        image[0x250..0x250 + text.len()].copy_from_slice(text);
        assert_eq!(version(&image).as_deref(), Some("6.1.192"));
        assert_eq!(version(&image[..0x20f]), None);
    }
}
