// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the model finds, explored here, in this process: no kernel, no compiler and no package is needed for it.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fs::{self, File},
    io::BufWriter,
    path::Path,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use approaches::{Place, explore};
use ground::{context::Ctx, events::Event};
use results::{
    races::{Cell, RaceEvent},
    write_event,
};

/// Names a file with a model's events to take instead of exploring, for tests.
const READY: &str = "XTASK_MODEL";
/// Between looks at whether anybody still waits for it.
const TICK: Duration = Duration::from_millis(100);

/// Explores `places` on all CPUs, with a sign of life for each; gives what the model says, in the order of the matrix.
///
/// # Errors
/// When the run is interrupted or out of time, or a list of steps makes no program.
pub fn events(ctx: &Ctx, places: &[Place]) -> Result<Vec<RaceEvent>> {
    if let Some(file) = env::var_os(READY) {
        // Whoever reads the log has to see that nothing was explored.
        ctx.events.note(format!("nothing is explored: the model's events are those of {}", file.display()));
        return ready(&file, places);
    }
    let said = start(places);
    let (mut events, mut done, total) = (Vec::new(), 0, places.len() as u64);
    loop {
        ctx.still_wanted().context("the model was stopped")?;
        let event = match said.recv_timeout(TICK) {
            Ok(event) => event.map_err(|why| anyhow!("the model: {why}"))?,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) if done == total => return Ok(events),
            Err(RecvTimeoutError::Disconnected) => bail!("the model broke off after {done} of {total} cells"),
        };
        if let Some(cell) = event.cell() {
            done += 1;
            ctx.events.emit(&Event::Progress { done, total, what: cell.to_string() });
        }
        events.push(event);
    }
}

/// What the model says of `places`, from a thread of its own, so that nobody has to wait for the largest of them. Its last
/// word may be why it cannot begin.
fn start(places: &[Place]) -> Receiver<Result<RaceEvent, String>> {
    let (send, receive) = mpsc::channel();
    let cells: BTreeSet<Cell> = places.iter().map(Place::cell).collect();
    thread::spawn(move || {
        // Nobody listens any more once the run is given up, and soon there is no process either.
        let told = explore::all(
            |cell| cells.contains(cell),
            |event| {
                let _ = send.send(Ok(event));
            },
        );
        if let Err(why) = told {
            let _ = send.send(Err(why));
        }
    });
    receive
}

/// The events in `file` that are of one of `places` or of no cell.
fn ready(file: &OsString, places: &[Place]) -> Result<Vec<RaceEvent>> {
    let path = Path::new(file);
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let events = results::read_events::<RaceEvent>(&text).map_err(|e| anyhow!("{}: {e}", path.display()))?;
    let wanted = |event: &RaceEvent| {
        event.cell().is_none_or(|cell| Place::of(cell).is_some_and(|place| places.contains(&place)))
    };
    Ok(events.into_iter().filter(wanted).collect())
}

/// Writes what the model said for the lab, whose witness replays it.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, said: &[RaceEvent]) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(cannot)?);
    said.iter().try_for_each(|event| write_event(&mut file, event)).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cells_that_are_asked_for_are_explored_and_no_others() {
        let places: Vec<Place> = approaches::all().filter(|place| place.gc.to_string() == "arena").collect();
        let said: Vec<RaceEvent> = start(&places).iter().map(Result::unwrap).collect();
        let cells: Vec<_> = said.iter().filter_map(RaceEvent::cell).cloned().collect();
        assert_eq!(cells, places.iter().map(Place::cell).collect::<Vec<_>>());
        assert!(said.iter().any(|event| matches!(event, RaceEvent::Undisturbed(_))));
    }
}
