// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the model finds, explored here, in this process: no kernel, no compiler and no package is needed for it.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::BufWriter,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use approaches::Place;
use results::{
    races::{Model, RaceEvent},
    write_event,
};

use crate::{context::Ctx, events::Event};

/// Names a file with a model's events to take instead of exploring, for tests.
const READY: &str = "XTASK_MODEL";
/// Between looks at whether anybody still waits for it.
const TICK: Duration = Duration::from_millis(100);

/// What the model finds in one cell: in its claim's circumstances, and in worse ones.
fn explore(place: &Place) -> Result<Model, String> {
    approaches::explore::explore(place)
}

/// Explores `places` on all CPUs, with a sign of life for each; gives what the model says, in the order of the places.
///
/// # Errors
/// When the run is interrupted or out of time, or a list of steps makes no program.
pub fn events(ctx: &Ctx, places: &[Place]) -> Result<Vec<RaceEvent>> {
    if let Some(file) = env::var_os(READY) {
        // Whoever reads the log has to see that nothing was explored.
        ctx.events.note(format!("nothing is explored: the model's events are those of {}", file.display()));
        return ready(&file, places);
    }
    let prices = approaches::explore::undisturbed().map_err(|why| anyhow!("the model: {why}"))?;
    let mut found: Vec<Option<RaceEvent>> = vec![None; places.len()];
    let results = start(places);
    let (mut done, total) = (0, places.len() as u64);
    while done < total {
        ctx.still_wanted().context("the model was stopped")?;
        let (at, result) = match results.recv_timeout(TICK) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => bail!("the model broke off after {done} of {total} cells"),
        };
        let cell = places[at].cell();
        done += 1;
        ctx.events.emit(&Event::Progress { done, total, what: cell.to_string() });
        found[at] = Some(match result {
            Ok(model) => RaceEvent::Modelled { cell, model },
            Err(error) => RaceEvent::Failed { cell, evidence: "model".into(), error },
        });
    }
    Ok(prices.into_iter().map(RaceEvent::Undisturbed).chain(found.into_iter().flatten()).collect())
}

/// Each of the places once, on as many threads as there are CPUs. Who drops the receiver ends them at their next cell.
fn start(places: &[Place]) -> Receiver<(usize, Result<Model, String>)> {
    let (send, receive) = mpsc::channel();
    let (places, next) = (Arc::<[Place]>::from(places), Arc::new(AtomicUsize::new(0)));
    for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
        let (send, places, next) = (send.clone(), Arc::clone(&places), Arc::clone(&next));
        thread::spawn(move || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(place) = places.get(at) else { return };
                if send.send((at, explore(place))).is_err() {
                    return;
                }
            }
        });
    }
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
    fn every_place_is_explored_once_and_told_by_its_number() {
        let places: Vec<Place> = approaches::all().filter(|place| place.gc.to_string() == "arena").collect();
        let found: Vec<_> = start(&places).iter().collect();
        assert_eq!(found.len(), places.len());
        assert!(found.iter().all(|(at, model)| *at < places.len() && model.as_ref().unwrap().states > 0));
    }
}
