//! What happens to the ports of a switch, as database, kernel and switch tell of it.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::cli::{Failure, chain, complain};
use crate::db::Server;

pub use self::step::{Lane, Step, What};

mod database;
mod flows;
mod kernel;
mod step;

/// Where the sources tell their steps, or why one of them has to stop.
type Steps = Sender<Result<Step, Failure>>;

/// Tells steps until nobody listens.
type Source = Box<dyn FnOnce(&Steps) -> Result<(), Failure> + Send>;

/// What the sources tell of all ports, each in a thread of its own, until nobody listens: the database, the kernel, and the
/// flows of the switch `openflow`. Over lost connections they go on; `tool` complains of these.
///
/// Without the database, or the switch that is named, there is a [`Failure`]. Without a datapath of the kernel there are
/// none of its ports.
pub fn follow(tool: &'static str, db: Server, openflow: Option<String>) -> Receiver<Result<Step, Failure>> {
    let (steps, told) = mpsc::channel();
    let start = |source: Source| {
        let steps = steps.clone();
        thread::spawn(move || {
            if let Err(failure) = source(&steps) {
                // Nobody listens at the end.
                let _ = steps.send(Err(failure));
            }
        });
    };
    start(Box::new(move |steps| database::rows(tool, &db, steps)));
    start(Box::new(|steps| {
        kernel::netdevs(steps);
        Ok(())
    }));
    start(Box::new(move |steps| {
        if let Err(error) = kernel::vports(steps) {
            let why = chain(&error);
            complain(tool, format_args!("no ports of the kernel's datapath: {why}"));
        }
        Ok(())
    }));
    if let Some(remote) = openflow {
        start(Box::new(move |steps| flows::flows(tool, &remote, steps)));
    }
    told
}
