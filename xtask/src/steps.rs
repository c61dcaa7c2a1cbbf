//! Running one thing after the other until one fails.

use std::{
    fmt,
    io::{self, Write as _},
    process::Command,
    time::Instant,
};

/// One thing to do.
pub(crate) struct Step {
    /// Its heading.
    pub(crate) title: String,
    /// What it does; an error is the reason why it failed.
    pub(crate) action: Box<dyn FnOnce() -> Result<(), String>>,
}

/// The step that failed, of how many, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    number: usize,
    count: usize,
    title: String,
    reason: String,
}

impl Step {
    pub(crate) fn new(
        title: impl Into<String>,
        action: impl FnOnce() -> Result<(), String> + 'static,
    ) -> Self {
        Self {
            title: title.into(),
            action: Box::new(action),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            count,
            title,
            reason,
        } = self;
        write!(f, "failed at step {number} of {count} ({title}): {reason}")
    }
}

/// Does the steps in their order, each under its heading and followed by its time.
pub(crate) fn run(steps: Vec<Step>) -> Result<usize, Failure> {
    let count = steps.len();
    for (number, Step { title, action }) in (1..).zip(steps) {
        println!("\n==== {number}/{count} {title}");
        let start = Instant::now();
        let result = action();
        println!(
            "---- {number}/{count} {title}: {:.1} s",
            start.elapsed().as_secs_f64()
        );
        result.map_err(|reason| Failure {
            number,
            count,
            title,
            reason,
        })?;
    }
    Ok(count)
}

/// Runs `command` with this process's own output, and asks for an exit status.
pub(crate) fn command(command: &mut Command, wanted: i32) -> Result<(), String> {
    let line = line(command);
    println!("$ {line}");
    // The child writes to the same place.
    io::stdout().flush().map_err(|error| error.to_string())?;
    let status = command.status().map_err(|error| format!("{line}: {error}"))?;
    if status.code() == Some(wanted) {
        Ok(())
    } else if wanted == 0 {
        Err(format!("{line}: {status}"))
    } else {
        Err(format!("{line}: {status}, not {wanted}"))
    }
}

/// The command as one would type it, with the variables that it sets.
fn line(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy())));
    // The name alone: the full path of a toolchain's cargo says nothing more.
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    variables
        .chain([program])
        .chain(args)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    #[test]
    fn the_first_failure_stops_and_names_its_step() {
        let later = Rc::new(Cell::new(false));
        let seen = Rc::clone(&later);
        let steps = vec![
            Step::new("one", || Ok(())),
            Step::new("two", || Err("broken".to_owned())),
            Step::new("three", move || {
                seen.set(true);
                Ok(())
            }),
        ];
        let failure = run(steps).unwrap_err();
        assert_eq!(failure.to_string(), "failed at step 2 of 3 (two): broken");
        assert!(!later.get());
    }

    #[test]
    fn all_steps_are_counted() {
        assert_eq!(
            run(vec![Step::new("one", || Ok(())), Step::new("two", || Ok(()))]),
            Ok(2)
        );
    }

    #[test]
    fn a_command_must_end_with_the_wanted_status() {
        let exit = |status: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("exit {status}")]);
            command
        };
        assert_eq!(command(&mut exit("2"), 2), Ok(()));
        let wrong = command(&mut exit("0"), 2).unwrap_err();
        assert_eq!(wrong, "sh -c exit 0: exit status: 0, not 2");
        let failed = command(exit("1").env("A", "b"), 0).unwrap_err();
        assert_eq!(failed, "A=b sh -c exit 1: exit status: 1");
    }
}
