//! The shared libraries of a program, as the dynamic loader finds them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, openvswitch::is_elf, tools};

/// The libraries that `program` is linked with, directly or not, and its loader. None for a
/// script or a static program.
pub(crate) fn libraries(program: &Path) -> Result<Vec<PathBuf>, Error> {
    if !is_elf(program) {
        return Ok(Vec::new());
    }
    let listing = match tools::output(Command::new(tools::find("ldd")?).arg(program).env("LC_ALL", "C")) {
        Err(Error::Command { stderr, .. }) if stderr.contains("not a dynamic executable") => {
            return Ok(Vec::new());
        }
        listing => listing?,
    };
    parse(&listing).map_err(|problem| Error::Unexpected {
        path: program.to_owned(),
        problem,
    })
}

/// Reads lines of "libc.so.6 => /lib/libc.so.6 (0x0)", "/lib64/ld.so (0x0)" and "linux-vdso.so.1 (0x0)".
pub(crate) fn parse(listing: &str) -> Result<Vec<PathBuf>, String> {
    let mut libraries = Vec::new();
    for line in listing.lines().map(str::trim) {
        let (name, place) = line.split_once(" => ").unwrap_or((line, line));
        if place == "not found" {
            return Err(format!("needs {name}, which is not found"));
        }
        let path = place.split(" (").next().unwrap_or(place);
        if path.starts_with('/') {
            libraries.push(PathBuf::from(path));
        }
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_libraries_and_loader_and_leaves_the_vdso() {
        let listing = "\tlinux-vdso.so.1 (0x00007f33)\n\
             \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f30)\n\
             \t/lib64/ld-linux-x86-64.so.2 (0x00007f31)\n";
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(parse(listing), Ok(expected.map(PathBuf::from).to_vec()));
        assert_eq!(parse("\tstatically linked\n"), Ok(Vec::new()));
    }

    #[test]
    fn names_the_library_that_is_not_there() {
        let problem = "needs libx.so.1, which is not found".to_owned();
        assert_eq!(parse("\tlibx.so.1 => not found\n"), Err(problem));
    }

    #[test]
    fn a_script_has_no_libraries_and_this_test_has_some() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("script");
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        assert_eq!(libraries(&script).unwrap(), Vec::<PathBuf>::new());
        let own = libraries(&std::env::current_exe().unwrap()).unwrap();
        assert!(own.iter().any(|path| path.ends_with("libc.so.6")), "{own:?}");
    }
}
