//! The project's own commands: `cargo xtask help` lists them.

#![forbid(unsafe_code)]

mod machine;
mod steps;
mod test;

use std::{env, path::Path, process::ExitCode};

use testbed::vm::Guest;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["test"] => test::run(test::Extent::Full),
        ["test", "--quick"] => test::run(test::Extent::Quick),
        ["vm", program, ref args @ ..] => vm(program, args),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{HELP}");
            ExitCode::from(USAGE)
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

const USAGE: u8 = 2;
const HELP: &str = "\
cargo xtask test            all checks and tests, as CI runs them; as root it installs what is missing
cargo xtask test --quick    the same without real processes, kernel and network
cargo xtask vm PROGRAM ARG..
                            runs a program of this machine under Debian's kernel with openvswitch.ko
cargo xtask help            this text";
