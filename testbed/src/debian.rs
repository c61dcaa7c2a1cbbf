//! Debian's packages: those of this machine's release, or of another one. Downloaded and unpacked, never installed.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fmt, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Missing, tools};

/// A release of Debian, for its kernel and its Open vSwitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debian {
    /// That of this machine.
    Own,
    /// Debian 13, with Linux 6.12 and Open vSwitch 3.5.
    Trixie,
    /// The suite into which all that is new goes: the newest kernel and Open vSwitch of the archive.
    Sid,
}

impl Debian {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::Trixie, Self::Sid];

    /// The archive's name of the suite; `None` for that of this machine.
    pub fn suite(self) -> Option<&'static str> {
        match self {
            Self::Own => None,
            Self::Trixie => Some("trixie"),
            Self::Sid => Some("sid"),
        }
    }

    /// The one that `OVS_RS_KERNEL` names, else this machine's.
    pub(crate) fn chosen() -> Result<Self, Error> {
        let chosen = env::var(VARIABLE).unwrap_or_default();
        let mut all = Self::ALL.into_iter();
        all.find(|debian| debian.suite().unwrap_or_default() == chosen)
            .ok_or_else(|| Error::Unexpected {
                path: VARIABLE.into(),
                problem: format!("{chosen} is neither trixie nor sid"),
            })
    }

    /// The place of its packages in a cache directory, created.
    pub(crate) fn directory(self, cache: &Path) -> Result<PathBuf, Error> {
        let dir = self.suite().map_or(cache.to_owned(), |suite| cache.join(suite));
        fs::create_dir_all(&dir).map_err(Error::io(&dir))?;
        Ok(dir)
    }
}

impl fmt::Display for Debian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "this machine's Debian",
            Self::Trixie => "Debian 13",
            Self::Sid => "Debian unstable",
        })
    }
}

/// Which sources apt looks at.
#[derive(Debug)]
pub(crate) struct Apt {
    debian: Debian,
    options: Vec<OsString>,
}

impl Apt {
    /// Those of this machine, or of a suite from the mirror that this machine uses; if that does not have it, from Debian's
    /// own. The lists of a suite go to `dir/apt`: the machine's own stay as they are.
    ///
    /// # Errors
    /// [`Error::Missing`] if the suite cannot be had.
    pub(crate) fn of(debian: Debian, dir: &Path) -> Result<Self, Error> {
        let Some(suite) = debian.suite() else {
            return Ok(Self {
                debian,
                options: Vec::new(),
            });
        };
        let mirror = mirror()?;
        let apt = Self::of_suite(debian, suite, &mirror, dir);
        if apt.is_ok() || mirror.trim_end_matches('/') == DEBIAN {
            return apt;
        }
        Self::of_suite(debian, suite, DEBIAN, dir)
    }

    fn of_suite(debian: Debian, suite: &str, mirror: &str, dir: &Path) -> Result<Self, Error> {
        let dir = dir.join("apt");
        let sources = dir.join("sources.list");
        for directory in ["state/lists/partial", "cache/archives/partial", "etc"] {
            let directory = dir.join(directory);
            fs::create_dir_all(&directory).map_err(Error::io(directory))?;
        }
        let line = format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n");
        fs::write(&sources, line).map_err(Error::io(&sources))?;
        let place = |option: &str, path: PathBuf| {
            let mut option = OsString::from(format!("-oDir::{option}="));
            option.push(path);
            option
        };
        let mut options = vec![
            place("State", dir.join("state")),
            place("Cache", dir.join("cache")),
            place("Etc", dir.join("etc")),
            place("Etc::sourcelist", sources),
        ];
        // No translations and descriptions, and no second user, who could not read here.
        let others = [
            "-oDir::State::status=/dev/null",
            "-oDir::Etc::sourceparts=/dev/null",
            "-oAcquire::Languages=none",
            "-oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
            "-oAPT::Sandbox::User=",
        ];
        options.extend(others.map(OsString::from));
        let apt = Self { debian, options };
        let mut update = apt.command("apt-get")?;
        tools::output(update.args(["--quiet", "--error-on=any", "update"]))
            .map_err(|error| apt.missing("packages", &error))?;
        Ok(apt)
    }

    /// The names of these packages, and of those that they depend on, directly or not, of a name that is `wanted`.
    pub(crate) fn closure(
        &self,
        packages: &[&str],
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Error> {
        let mut depends = self.command("apt-cache")?;
        depends
            .args(["depends", "--recurse", "--important"])
            .args(packages);
        let listing = tools::output(&mut depends).map_err(|error| self.missing(packages[0], &error))?;
        Ok(closure(&listing, packages, wanted))
    }

    /// Brings packages and unpacks them below `dir`, all into one root directory, which it gives.
    pub(crate) fn unpack(&self, packages: &[String], dir: &Path) -> Result<PathBuf, Error> {
        let [archives, root] = ["archives", "root"].map(|name| dir.join(name));
        fs::create_dir(&archives).map_err(Error::io(&archives))?;
        let mut get = self.command("apt-get")?;
        get.args(["--quiet", "download"])
            .args(packages)
            .current_dir(&archives);
        tools::output(&mut get).map_err(|error| self.missing(&packages[0], &error))?;
        for archive in fs::read_dir(&archives).map_err(Error::io(&archives))? {
            let archive = archive.map_err(Error::io(&archives))?.path();
            tools::output(
                Command::new(tools::find("dpkg")?)
                    .arg("-x")
                    .args([&archive, &root]),
            )?;
        }
        // Since Debian 13 libraries and modules are below /usr/lib, to which /lib is a link on a real system.
        let lib = root.join("lib");
        if !lib.exists() {
            symlink("usr/lib", &lib).map_err(Error::io(&lib))?;
        }
        Ok(root)
    }

    fn missing(&self, package: &str, error: &Error) -> Error {
        let what = format!("{package} of {}: {error}", self.debian);
        Missing { what, package: None }.into()
    }

    /// A program of apt that looks there.
    fn command(&self, program: &str) -> Result<Command, Error> {
        let mut command = Command::new(tools::find(program)?);
        command.args(&self.options);
        Ok(command)
    }
}

/// Follows what `apt-cache depends --recurse` says: a package, and on indented lines those that it depends on. One in angle
/// brackets is no package, but what several provide.
fn closure(listing: &str, packages: &[&str], wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut graph: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut package = "";
    for line in listing.lines() {
        match line.trim_start_matches([' ', '|']).split_once("Depends: ") {
            Some((_, needed)) => graph.entry(package).or_default().push(needed),
            None if !line.starts_with(' ') => package = line,
            None => {}
        }
    }
    let mut found: Vec<String> = Vec::new();
    let mut open: Vec<&str> = packages.iter().rev().copied().collect();
    while let Some(package) = open.pop() {
        if found.iter().any(|found| found == package) {
            continue;
        }
        found.push(package.to_owned());
        let needed = graph.get(package).into_iter().flatten().rev().copied();
        open.extend(needed.filter(|needed| wanted(needed)));
    }
    found
}

/// Where this machine has Debian's packages from.
fn mirror() -> Result<String, Error> {
    let format = ["indextargets", "--format", "$(REPO_URI)"];
    let of_debian = ["Created-By: Packages", "Origin: Debian", "Label: Debian"];
    let listed = tools::output(Command::new(tools::find("apt-get")?).args(format).args(of_debian))?;
    Ok(listed.lines().next().unwrap_or(DEBIAN).to_owned())
}

const VARIABLE: &str = "OVS_RS_KERNEL";
const DEBIAN: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_a_wanted_name_are_followed_to_their_end() {
        let listing = "\
image-all
  Depends: image-7
image-7
  PreDepends: base
 |Depends: dracut
 |Depends: <initramfs>
    dracut
  Depends: image-modules-7
image-modules-7
  Depends: kmod
  Depends: image-base
image-base
  Depends: image-modules-7
";
        let found = closure(listing, &["image-all"], |name| name.starts_with("image"));
        assert_eq!(found, ["image-all", "image-7", "image-modules-7", "image-base"]);
        assert_eq!(
            closure(listing, &["image-base", "base"], |_| false),
            ["image-base", "base"]
        );
    }
}
