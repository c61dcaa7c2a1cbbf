//! The project's own commands: `cargo xtask help` lists them.

#![forbid(unsafe_code)]

mod bench;
mod codegen;
mod machine;
mod platform;
mod steps;
mod test;
mod tested;

use std::{env, path::Path, process::ExitCode};

use testbed::{Debian, vm::Guest};

use crate::codegen::Mode;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["test"] => test::run(test::Extent::Full),
        ["test", "--quick"] => test::run(test::Extent::Quick),
        ["codegen"] => codegen::run(&test::top(), Mode::Write),
        ["codegen", "--check"] => codegen::run(&test::top(), Mode::Check),
        ["codegen", "--from", header] => codegen::run(&test::top(), Mode::From(header)),
        ["bench"] => bench::run(RUNS),
        ["openvswitch", suite] => match Debian::ALL
            .into_iter()
            .find(|debian| debian.suite() == Some(suite))
        {
            Some(debian) => openvswitch(debian),
            None => usage(),
        },
        ["vm", program, ref args @ ..] => vm(program, args),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{HELP}");
    ExitCode::from(USAGE)
}

/// Prints where the Open vSwitch of a Debian is unpacked.
fn openvswitch(debian: Debian) -> ExitCode {
    match testbed::unpacked(debian) {
        Ok(unpacked) => {
            println!("{}", unpacked.root.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xtask openvswitch: {}", error.with_causes());
            ExitCode::FAILURE
        }
    }
}

/// Runs a program of the host in a guest, with Open vSwitch's programs and `ip` at hand.
fn vm(program: &str, args: &[&str]) -> ExitCode {
    let boot = || {
        Guest::new()?
            .openvswitch()
            .program("ip")
            .run(Path::new(program), args)
    };
    match boot() {
        Ok(outcome) => outcome.relay(),
        Err(error) => {
            eprintln!("xtask vm: {}", error.with_causes());
            ExitCode::FAILURE
        }
    }
}

/// How often each benchmark runs for the report.
const RUNS: usize = 3;
const USAGE: u8 = 2;
const HELP: &str = "\
cargo xtask test            all checks and tests, as CI runs them; as root it installs what is missing
cargo xtask test --quick    the same without real processes, kernel and network
cargo xtask codegen         writes the tables that are made from Open vSwitch's headers; --check only compares,
                            --from HEADER takes the facts anew from a meta-flow.h, ofp-errors.h or ofp-msgs.h
cargo xtask bench           every benchmark three times, and benches/REPORT.md made of them
cargo xtask openvswitch SUITE
                            unpacks the Open vSwitch of Debian's suite trixie or sid, and prints the directory, which is
                            for OVS_RS_OPENVSWITCH
cargo xtask vm PROGRAM ARG..
                            runs a program of this machine under Debian's kernel with openvswitch.ko
cargo xtask help            this text";
