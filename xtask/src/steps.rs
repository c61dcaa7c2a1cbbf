//! Running one thing after the other until one fails.

use std::{
    cell::RefCell,
    fmt,
    fs::File,
    io::{self, Seek as _, Write as _},
    process::{Child, Command, Stdio},
    rc::Rc,
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

/// Commands that run at the same time, a step each. What a command says is shown when its turn comes, or
/// after the first that fails.
///
/// The first step starts them all; also after a failure none is left behind.
pub(crate) fn side_by_side(commands: Vec<(String, Command)>) -> Vec<Step> {
    let (titles, commands): (Vec<_>, Vec<_>) = commands.into_iter().unzip();
    let count = titles.len();
    let group = Rc::new(RefCell::new(Group {
        waiting: commands,
        running: Vec::new(),
    }));
    let steps = titles.into_iter().enumerate().map(|(number, title)| {
        let group = Rc::clone(&group);
        Step::new(title, move || {
            let mut group = group.borrow_mut();
            if number == 0 {
                println!("(beside the next {})", count - 1);
                group.start()?;
            }
            let result = group.running[number].result();
            if result.is_err() {
                // No step comes after this one, and what the others found is worth as much.
                for other in &mut group.running[number + 1..] {
                    if let Err(reason) = other.result() {
                        println!("{reason}");
                    }
                }
            }
            result
        })
    });
    steps.collect()
}

/// The commands of steps that run side by side.
struct Group {
    waiting: Vec<Command>,
    running: Vec<Running>,
}

impl Group {
    fn start(&mut self) -> Result<(), String> {
        for command in self.waiting.drain(..) {
            self.running.push(Running::start(command)?);
        }
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for running in &mut self.running {
            // One that has ended is asked once more, to no harm.
            let _ = running.child.wait();
        }
    }
}

struct Running {
    line: String,
    child: Child,
    output: File,
}

impl Running {
    fn start(mut command: Command) -> Result<Self, String> {
        let line = line(&command);
        let of = |error: io::Error| format!("{line}: {error}");
        let output = tempfile::tempfile().map_err(of)?;
        let [stdout, stderr] = [output.try_clone().map_err(of)?, output.try_clone().map_err(of)?];
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn();
        let child = child.map_err(of)?;
        Ok(Self { line, child, output })
    }

    fn result(&mut self) -> Result<(), String> {
        let Self { line, child, output } = self;
        println!("$ {line}");
        let of = |error: io::Error| format!("{line}: {error}");
        let status = child.wait().map_err(of)?;
        output.rewind().map_err(of)?;
        io::copy(output, &mut io::stdout()).map_err(of)?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{line}: {status}"))
        }
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
    fn commands_side_by_side_are_steps_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let sh = |title: &str, script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).current_dir(dir.path());
            (title.to_owned(), command)
        };
        // Neither ends without the other.
        let meet = |own: &str, other: &str| format!("touch {own}; until [ -e {other} ]; do sleep 0.01; done");
        let pair = || vec![sh("one", &meet("a", "b")), sh("two", &meet("b", "a"))];
        assert_eq!(run(side_by_side(pair())), Ok(2));

        let slow = sh("three", "sleep 0.3; touch late");
        let failure = run(side_by_side(vec![sh("one", "true"), sh("two", "exit 3"), slow])).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "failed at step 2 of 3 (two): sh -c exit 3: exit status: 3"
        );
        assert!(dir.path().join("late").exists());
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
