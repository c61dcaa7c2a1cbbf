//! Debian's packages: those of this machine's release, or of another one.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, tools};

/// Which sources apt looks at.
#[derive(Debug)]
pub(crate) struct Apt {
    options: Vec<OsString>,
}

impl Apt {
    /// Those of this machine.
    pub(crate) fn own() -> Self {
        Self { options: Vec::new() }
    }

    /// Those of `release`, from the mirror that this machine uses. The lists go to `dir`: the machine's own stay as they
    /// are.
    pub(crate) fn of(release: &str, dir: &Path) -> Result<Self, Error> {
        let sources = dir.join("sources.list");
        for directory in ["state/lists/partial", "cache/archives/partial", "etc"] {
            let directory = dir.join(directory);
            fs::create_dir_all(&directory).map_err(Error::io(directory))?;
        }
        let line = format!("deb [signed-by={KEYRING}] {} {release} main\n", mirror()?);
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
        let apt = Self { options };
        tools::output(apt.command("apt-get")?.args(["--quiet", "update"]))?;
        Ok(apt)
    }

    /// A program of apt that looks there.
    pub(crate) fn command(&self, program: &str) -> Result<Command, Error> {
        let mut command = Command::new(tools::find(program)?);
        command.args(&self.options);
        Ok(command)
    }
}

/// Where this machine has Debian's packages from.
fn mirror() -> Result<String, Error> {
    let format = ["indextargets", "--format", "$(REPO_URI)"];
    let of_debian = ["Created-By: Packages", "Origin: Debian", "Label: Debian"];
    let listed = tools::output(Command::new(tools::find("apt-get")?).args(format).args(of_debian))?;
    Ok(listed.lines().next().unwrap_or(DEFAULT_MIRROR).to_owned())
}

const DEFAULT_MIRROR: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
