// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cells of the matrix in which nothing may go wrong, turn after turn, each on maps of its own that live as long as the soak.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use approaches::{Column, MapKind, Place, Refresh};
use results::soak::{EXPIRED_REOPENED, RACED, WHOLE};

use super::board::Page;
use super::collect::Process;
use super::room;
use super::worker::Worker;
use crate::claims::Claims;
use crate::collector::Collector;
use crate::datapath::{Datapath, Settings, object_for};
use crate::load::Denied;
use crate::stress::{self, Plan, Round, Run};
use crate::{arena, connections};

/// One of each approach that loses nothing; on each type of map that it is for, one or the other.
const CELLS: [(Refresh, &str, MapKind); 13] = [
    (Refresh::HalfLifeStripe, "iter-stripe", MapKind::HashNoPrealloc),
    // The kernel notes the time of its removals with the stripe held: an eviction is never taken for one.
    (Refresh::HalfLifeStripe, "prog-stripe-array", MapKind::LruHash),
    (Refresh::CasTagged, "prog-mark-array", MapKind::Hash),
    (Refresh::Store, "prog-pinned", MapKind::Hash),
    (Refresh::Generation, "swap", MapKind::Hash),
    (Refresh::Arena, "arena", MapKind::Arena),
    (Refresh::LockTagged, "prog-lock-array", MapKind::HashNoPrealloc),
    (Refresh::HalfLifeStripe, "prog-stripe-array", MapKind::Rhash),
    (Refresh::ReplaceChecked, "compare", MapKind::HashNoPrealloc),
    (Refresh::ReplaceChecked, "compare-batch", MapKind::Hash),
    (Refresh::HalfLifeStripe, "compare-batch", MapKind::Hash),
    (Refresh::ReplaceCompared, "compare-batch", MapKind::Hash),
    (Refresh::ReplaceCompared, "prog-kfunc", MapKind::Hash),
];
/// The cell beside whose collector others are at work that are killed.
const KILLED: (Refresh, &str, MapKind) = (Refresh::HalfLifeStripe, "prog-stripe-array", MapKind::Hash);
/// The cell that real connections go through.
const CONNECTED: (Refresh, &str, MapKind) = (Refresh::HalfLifeStripe, "prog-stripe-array", MapKind::Hash);
/// For how long they do, in a turn.
const SECONDS: f64 = 4.0;

/// All of them.
pub fn all() -> impl Iterator<Item = Place> {
    CELLS.iter().filter_map(place)
}

/// The one of [`Killed`].
pub fn killed() -> Option<Place> {
    place(&KILLED)
}

/// The one of [`Connected`].
pub fn connected() -> Option<Place> {
    place(&CONNECTED)
}

fn place(&(refresh, gc, map): &(Refresh, &str, MapKind)) -> Option<Place> {
    Some(Place { refresh, gc: Column::named(gc)?, map })
}

fn load(place: &Place, cpus: usize) -> Result<Arc<Datapath>, Denied> {
    let settings = Settings::new(place.map, stress::entries(place.map, cpus)).with(place.gc.runs);
    Datapath::load(&object_for(place.refresh, place.gc), settings).map(Arc::new)
}

/// A cell that runs freely.
pub struct Free {
    place: Place,
    cpus: usize,
    datapath: Arc<Datapath>,
}

impl Free {
    /// Loads its datapath, and sees that its collector is taken.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(place: Place, cpus: usize) -> Result<Self, Denied> {
        let datapath = load(&place, cpus)?;
        Collector::open(&place.gc, place.gc.grace, datapath.target("ct4")?)?;
        Ok(Self { place, cpus, datapath })
    }
}

impl Worker for Free {
    fn datapath(&self) -> Option<Arc<Datapath>> {
        Some(Arc::clone(&self.datapath))
    }

    fn tells_bytes(&self) -> bool {
        room::tells_bytes(&self.datapath)
    }

    fn turn(&mut self, page: &Page) -> Result<()> {
        let (gc, cpus) = (self.place.gc, self.cpus);
        let run = Run { datapath: &self.datapath, gc, cpus, plan: Plan::TURN, circumstance: None };
        page.ran(&stress::run(&run).map_err(Denied::error)?);
        room::judge(&self.datapath, &["ct4"], page)
    }
}

/// The table of its own, made anew for each turn.
pub struct Table {
    gc: Column,
    cpus: usize,
}

impl Table {
    /// Nothing is loaded yet.
    pub fn open(place: Place, cpus: usize) -> Self {
        Self { gc: place.gc, cpus }
    }
}

impl Worker for Table {
    fn turn(&mut self, page: &Page) -> Result<()> {
        page.ran(&arena::stress(self.cpus, Plan::TURN, self.gc, None).map_err(Denied::error)?);
        Ok(())
    }
}

/// Three collectors at once: the lab's, keep's in a process of its own, and one of those after the other that is killed.
pub struct Killed {
    free: Free,
    steady: Process,
    random: fastrand::Rng,
}

/// Until one is killed, from its first round on; and before the next is started.
const LIVES: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(200);

impl Killed {
    /// As [`Free::open`], with the collector that lives on.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(place: Place, cpus: usize) -> Result<Self, Denied> {
        let free = Free::open(place, cpus)?;
        let steady = Process::start(&free.datapath)?;
        Ok(Self { free, steady, random: fastrand::Rng::with_seed(1) })
    }
}

impl Worker for Killed {
    fn datapath(&self) -> Option<Arc<Datapath>> {
        self.free.datapath()
    }

    fn process(&self) -> Option<u32> {
        Some(self.steady.id())
    }

    fn turn(&mut self, page: &Page) -> Result<()> {
        let Self { free: Free { place, cpus, datapath }, steady, random } = self;
        stress::clear(datapath)?;
        let target = datapath.target("ct4")?;
        let mut own = Collector::open(&place.gc, place.gc.grace, target).map_err(Denied::error)?;
        let steady = |claims: &mut dyn Claims| -> Result<()> {
            steady.ask(target.now())?;
            claims.dropped(steady.removed()?);
            Ok(())
        };
        // None of them outlives the turn: with the next one the clock begins anew.
        let killed = |_: &mut dyn Claims| -> Result<()> {
            let mut process = Process::start(datapath)?;
            process.ask(target.now())?;
            thread::sleep(LIVES.mul_f64(random.f64()));
            drop(process);
            page.did("collectors killed", 1);
            thread::sleep(PAUSE);
            Ok(())
        };
        let rounds: Vec<Round<'_>> =
            vec![Box::new(|claims| own.round(claims)), Box::new(steady), Box::new(killed)];
        let (gc, cpus) = (place.gc, *cpus);
        let run = Run { datapath, gc, cpus, plan: Plan::TURN, circumstance: None };
        let contents = || stress::contents(datapath, stress::flows(cpus));
        let stress = stress::drive(&run, contents, rounds).map_err(Denied::error)?;
        page.ran(&stress);
        room::judge(datapath, &["ct4"], page)
    }
}

/// Real connections over a veth between network namespaces of its own. Its datapath is attached before anybody else works and
/// until all have ended: attaching changes the code that XDP programs are called by (`bpf_dispatcher_xdp_func`), and QEMU 7.2
/// may go on with the old code on another CPU, where a kernel then meets a breakpoint that is no longer there.
pub struct Connected {
    through: connections::Through,
    again: bool,
    /// Of all turns so far.
    noted: connections::Sums,
}

impl Connected {
    /// Attaches it.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(place: Place) -> Result<Self, Denied> {
        let Place { refresh, gc, map } = place;
        Ok(Self {
            through: connections::Through::open(refresh, gc, map, false)?,
            again: false,
            noted: connections::Sums::default(),
        })
    }
}

impl Worker for Connected {
    fn turn(&mut self, page: &Page) -> Result<()> {
        if std::mem::replace(&mut self.again, true) {
            self.through.settle()?;
            room::judge(self.through.datapath(), &["ct4", "ct6"], page)?;
        }
        // A control would say of a busy machine that it is busy.
        let ran = self.through.run(Duration::ZERO, SECONDS).map_err(Denied::error);
        let connections::Ran { connections: ran, noted, kept } = ran.context("real connections")?;
        page.did("runs", 1);
        page.did("connections opened", ran.opened);
        page.did("packets dropped", ran.dropped);
        page.did("deletes", ran.deletes);
        let wrong = connections::WRONG_DATA.into_iter().filter_map(|error| ran.errors.get(error)).sum();
        let before = std::mem::replace(&mut self.noted, noted);
        page.lost("packets that missed a live entry", noted.lost.saturating_sub(before.lost));
        page.lost("connections with wrong data", wrong);
        page.lost("packets that met another flow's state", noted.foreign.saturating_sub(before.foreign));
        page.did("connections that went on after a RST", noted.went_on.saturating_sub(before.went_on));
        page.did(EXPIRED_REOPENED, noted.reopened.saturating_sub(before.reopened));
        page.did(RACED, kept);
        page.did(WHOLE, ran.opened.saturating_sub(ran.broken));
        // For want of time, or by such a RST.
        page.did("connections that broke otherwise", ran.broken.saturating_sub(wrong));
        for (error, times) in &ran.errors {
            page.did(&format!("error: {error}"), *times);
        }
        // A stripe or a lock that is not to be had is nobody's fault: the next round has it.
        let failed = ran.errors.keys().filter_map(|error| error.strip_prefix(connections::OF_COLLECTOR));
        match failed.into_iter().find(|errno| !["EBUSY", "ETIMEDOUT"].contains(errno)) {
            Some(errno) => Err(anyhow!("the collector beside real connections failed with {errno}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns that a careless collector has to lose a packet in.
    const PATIENCE: usize = 10;

    /// A soak with such a collector would have failed.
    #[test]
    fn a_careless_collector_beside_real_connections_is_a_loss_on_the_page() {
        let place = place(&(Refresh::Store, "blind", MapKind::Hash)).unwrap();
        if !connections::Through::is_possible() {
            return;
        }
        let mut connected = Connected::open(place).map_err(Denied::error).unwrap();
        let page = Page::of("connections");
        let lost = (0..PATIENCE).any(|_| {
            connected.turn(&page).unwrap();
            page.sums()[2] > 0
        });
        assert!(lost, "nothing was lost: {:?}", page.end(None));
        assert!(page.end(None).did[WHOLE] > 0);
    }

    #[test]
    fn the_model_finds_nothing_in_any_of_them() {
        let places: Vec<_> = all().chain(killed()).chain(connected()).collect();
        assert_eq!(places.len(), CELLS.len() + 2, "a strategy is not called so");
        for place in places {
            let model = approaches::explore::explore(&place).unwrap();
            assert!(model.counterexamples.is_empty(), "{}", place.cell());
            assert_eq!(place.model_alone(), None, "{}", place.cell());
        }
    }
}
