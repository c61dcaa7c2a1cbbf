//! What the real parts need from the machine.

use std::{collections::BTreeSet, env, fs, os::unix::fs::MetadataExt as _, process::Command};

use testbed::{Debian, Error};

use crate::{platform::Platform, steps};

/// Installs the Debian packages that are missing, as root.
pub(crate) fn prepare() -> Result<(), String> {
    let missing = testbed::missing();
    if missing.is_empty() {
        println!("all programs are here");
    } else {
        let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
        println!("{}", list.join("\n"));
        let packages: BTreeSet<&str> = missing.iter().filter_map(|missing| missing.package).collect();
        install(&packages)?;
        if let Some(still) = testbed::missing().first() {
            return Err(format!("{still}, also after the installation"));
        }
    }
    Ok(())
}

/// What tests run on: this machine's releases, and those of other Debians, which it brings into the cache. One that the
/// archive does not give is left out, which is said; with `CI` set it is an error.
pub(crate) fn platforms() -> Result<Vec<Platform>, String> {
    let own = match Platform::of(Debian::Own) {
        // Without package lists there is no kernel package to find.
        Err(Error::Missing(missing)) if is_root()? => {
            println!("{missing}");
            steps::command(Command::new("apt-get").arg("update"), 0)?;
            Platform::of(Debian::Own)
        }
        result => result,
    };
    let mut platforms = vec![own.map_err(|error| error.with_causes())?];
    for debian in [Debian::Trixie, Debian::Sid] {
        match Platform::of(debian) {
            Ok(platform) => platforms.push(platform),
            Err(Error::Missing(missing)) if env::var_os("CI").is_none_or(|value| value.is_empty()) => {
                println!("{} IS LEFT OUT: {missing}", debian.to_string().to_uppercase());
            }
            Err(error) => return Err(error.with_causes()),
        }
    }
    for platform in &platforms {
        println!("{platform}");
    }
    Ok(platforms)
}

/// Installs, as root, what Debian's Python lacks to make a virtual environment.
pub(crate) fn prepare_venv() -> Result<(), String> {
    let found = Command::new("python3").args(["-c", "import ensurepip"]).output();
    match found {
        Ok(output) if output.status.success() => Ok(()),
        _ => install(&BTreeSet::from(["python3-venv"])),
    }
}

fn install(packages: &BTreeSet<&str>) -> Result<(), String> {
    if !is_root()? {
        let packages: Vec<&str> = packages.iter().copied().collect();
        return Err(format!(
            "not root, so install it yourself: apt-get install --no-install-recommends {}",
            packages.join(" ")
        ));
    }
    steps::command(Command::new("apt-get").arg("update"), 0)?;
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages);
    steps::command(&mut command, 0)
}

fn is_root() -> Result<bool, String> {
    let own = fs::metadata("/proc/self").map_err(|error| format!("/proc/self: {error}"))?;
    Ok(own.uid() == 0)
}
