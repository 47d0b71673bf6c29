// SPDX-License-Identifier: MIT OR Apache-2.0
//! One replay: the sides in threads of their own, let on step by step.

mod course;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use approaches::Column;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Elements, Errno};
use results::races::Violations;

use crate::claims::Claims;
use crate::clock::monotonic;
use crate::collector::Collector;
use crate::cpus::pin;
use crate::datapath::{Datapath, Handled, MapKind, Packet, flow_of, key_of};
use crate::gate::Actor as Side;
use crate::layout::{Fate, Gate, Kind, Outcome, STEPS, TICK, VALUE_SIZE};
use crate::load::Denied;
use crate::oracle::{Left, Oracle, Settled};
use crate::stress::clear;
use crate::target::{HELD_WINDOW, Target};
use crate::value::lifetime_of;
use crate::value::{backend_for, backend_of, value_of};

use course::Course;

use super::debugger::{Debugger, Spot};
use super::schedule::{Actor, GRACE, GRACE_END, Move, Schedule};

/// The flow of the schedule.
const A: u32 = 1;
/// The third one.
const B: u32 = 2;
/// A fourth one, that keeps an element from the third. More of them follow.
const C: u32 = 3;
/// The first of those that keep an LRU map full.
const FILLERS: u32 = 100;
/// The tick at which A was last refreshed.
const BEGAN: u32 = 100;
/// Where packets are handled.
const PACKETS: usize = 0;
/// Where the collector runs, and where elements that it frees are taken again.
const COLLECTOR: usize = 1;
/// CPUs with which whoever lets the sides on has one to himself: a program that waits at a gate leaves its own to nobody, unless
/// the kernel preempts it.
pub const ENOUGH: usize = 3;
/// For a side to come to its next gate.
const PATIENCE: Duration = Duration::from_secs(5);
/// The step that every program begins with.
const FIRST: &str = "read_clock";

/// A schedule, and where it is to be replayed.
pub struct Replay<'a> {
    /// Loaded with gates.
    pub datapath: &'a Datapath,
    /// The gc strategy.
    pub strategy: Column,
    /// What to do in which order.
    pub schedule: &'a Schedule,
    /// CPUs that there are.
    pub cpus: usize,
}

/// What a replay learns on its way.
struct Truth {
    oracle: Mutex<Oracle>,
}

impl Replay<'_> {
    /// Replays it by gates.
    ///
    /// # Errors
    /// When the sides do not stop where the schedule says, or a call fails.
    pub fn by_gates(&self) -> Result<Violations> {
        let truth = self.set_up()?;
        let control = self.datapath.control();
        let (packet, round) = (Course::default(), Course::default());
        let acts = |actor| self.schedule.moves.iter().any(|step| step.actor == actor);
        let mut collector = self.collector().map_err(Denied::error)?;
        let (packets, gc) = (acts(Actor::Packet), acts(Actor::Gc));
        let third = thread::scope(|scope| -> Result<Option<Left>> {
            let sender = packets.then(|| scope.spawn(|| self.send(&truth, &packet)));
            let collector = gc.then(|| {
                scope.spawn(|| {
                    pin(COLLECTOR)?;
                    round.run(|| collector.round(&mut Claimed(&truth)))
                })
            });
            let followed = self.follow(&truth, &packet, &round);
            // Whatever came of it: nobody is left waiting.
            for (side, course) in [(Side::Packet, &packet), (Side::Gc, &round)] {
                side.gate(control).go.store(u64::MAX, Release);
                course.begun.store(usize::MAX, Release);
            }
            for side in [sender, collector].into_iter().flatten() {
                side.join().map_err(|_| anyhow!("a side of a replay panicked"))??;
            }
            followed
        })?;
        self.settle(&truth, third)
    }

    /// Replays it with the collector held between compare and unlink while the packets run.
    ///
    /// # Errors
    /// When the hold did not come about, or a call fails.
    pub fn by_debugger(&self, run: &Path) -> Result<Violations> {
        let truth = self.set_up()?;
        for side in [Side::Packet, Side::Gc] {
            side.gate(self.datapath.control()).go.store(u64::MAX, Release);
        }
        if self.schedule.ticks {
            self.datapath.tick();
        }
        let mut collector = self.collector().map_err(Denied::error)?;
        let at_once = Course { begun: AtomicUsize::new(usize::MAX), ..Course::default() };
        let debugger = Debugger::new(run)?;
        let compares = self.schedule.compares().context("nothing but a compare can be held by a debugger")?;
        let (_, (), held) = debugger.hold(
            &Spot::compared(compares, HELD_WINDOW),
            (COLLECTOR, PACKETS),
            || collector.round(&mut Claimed(&truth)),
            |_| self.send(&truth, &at_once),
        )?;
        if let Some(lock) = held.waited {
            bail!("the packet waited in {lock} for the collector that was held at {}", held.at);
        }
        self.settle(&truth, None)
    }

    /// The map holds A's entry alone, which has expired or is about to; the gates are shut.
    fn set_up(&self) -> Result<Truth> {
        let datapath = self.datapath;
        clear(datapath)?;
        for gate in &datapath.control().gates {
            for counter in [&gate.at, &gate.go] {
                counter.store(0, Relaxed);
            }
            gate.gave_up.store(0, Relaxed);
        }
        let timeout = datapath.settings().timeout;
        datapath.set_clock(BEGAN);
        pin(PACKETS)?;
        let oracle = match datapath.settings().map {
            MapKind::LruHash => Oracle::of_evicting(),
            _ => Oracle::default(),
        };
        let truth = Truth { oracle: Mutex::new(oracle) };
        for filler in 0..self.schedule.fillers(datapath.settings().map) {
            self.put(&self.handled(FILLERS + filler, Outcome::Created, 0))?;
        }
        self.insert(&truth, &self.handled(A, Outcome::Created, 0))?;
        // A packet that is held keeps its CPU to itself: nobody else may need it.
        aside(self.cpus)?;
        datapath.set_clock(BEGAN + timeout + u32::from(!self.schedule.ticks));
        Ok(truth)
    }

    fn elements(&self) -> Result<Elements<'_>> {
        Elements::new(self.datapath.map("ct4")?).context("cannot use the map under test")
    }

    /// The collector, stopping at its gates.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn collector(&self) -> Result<Collector<'_>, Denied> {
        let target = Target { gated: true, ..self.datapath.target("ct4")? };
        Collector::open(&self.strategy, self.strategy.grace, target)
    }

    /// The flow's packets, one run of the program each.
    fn send(&self, truth: &Truth, course: &Course) -> Result<()> {
        pin(PACKETS)?;
        for &opens in &self.schedule.packets {
            let kind = if opens { Kind::Open } else { Kind::Data };
            let packet = Packet { flow: A, kind };
            course.run(|| self.datapath.burst(0, &[packet], |handled| truth.packet(&handled)))?;
        }
        Ok(())
    }

    /// Gives what the map last had of the third flow: a later step may evict it from an LRU map, and what was done to it
    /// with it.
    fn follow(&self, truth: &Truth, packet: &Course, round: &Course) -> Result<Option<Left>> {
        let mut third = None;
        for (at, step) in self.schedule.moves.iter().enumerate() {
            match step.actor {
                Actor::Packet => self.let_on(step, Side::Packet, packet)?,
                Actor::Gc => self.let_on(step, Side::Gc, round)?,
                Actor::Tick => self.datapath.tick(),
                Actor::Next => self.look(truth)?,
                Actor::Insert => {
                    pin(COLLECTOR)?;
                    let live = self.handled(B, Outcome::Created, 0);
                    let due = live.now - TICK + B;
                    let lifetime = if step.expired { due } else { live.lifetime };
                    self.insert(truth, &Handled { lifetime, ..live })?;
                }
                Actor::Update(cpu) => {
                    pin(cpu)?;
                    self.insert(truth, &self.handled(B, Outcome::Created, 0))?;
                }
                Actor::Remove => {
                    pin(COLLECTOR)?;
                    let removed = self.elements()?.delete(&key_of(B));
                    removed.map_err(|errno| anyhow!("cannot remove the third flow's entry: {errno}"))?;
                }
                Actor::Evict => {
                    pin(COLLECTOR)?;
                    self.put(&self.handled(C, Outcome::Created, 0))?;
                    ensure!(
                        self.found(A)?.is_none(),
                        "the map did not evict the entry of flow {A} for another"
                    );
                }
                Actor::Inside => {}
            }
            if !matches!(step.actor, Actor::Packet | Actor::Gc) {
                aside(self.cpus)?;
            }
            third = self.found(B)?.or(third);
            if self.schedule.wants_filler_after(at, self.datapath.settings().map) {
                pin(PACKETS)?;
                // Expired, as what was in that element: a collector may still read it there.
                self.put(&Handled { lifetime: C, ..self.handled(C, Outcome::Created, 0) })?;
                aside(self.cpus)?;
            }
        }
        Ok(third)
    }

    /// Has one side take a step, and waits until it has.
    fn let_on(&self, step: &Move, side: Side, course: &Course) -> Result<()> {
        if step.label == FIRST {
            course.begun.fetch_add(1, Release);
        }
        let gate = side.gate(self.datapath.control());
        let taken = gate.go.load(Relaxed);
        let come_out = |steps: u64| {
            wait(|| gate.at.load(Acquire) > steps || course.has_ended())
                .with_context(|| format!("{side:?} does not come out of `{}`", step.label))
        };
        if step.label == GRACE_END {
            return come_out(taken);
        }
        if !step.gate {
            return Ok(());
        }
        wait(|| gate.at.load(Acquire) > taken || course.has_ended())
            .with_context(|| format!("{side:?} never came to `{}`", step.label))?;
        let stops = stops_at(gate);
        if gate.at.load(Acquire) <= taken || stops != step.label {
            let stops = if course.has_ended() { "has ended" } else { stops };
            bail!("the schedule says `{}` where {side:?} is at `{stops}`", step.label);
        }
        gate.go.store(taken + 1, Release);
        if step.label == GRACE { Ok(()) } else { come_out(taken + 1) }
    }

    /// The flow's next packet, as far as the oracle is concerned.
    fn look(&self, truth: &Truth) -> Result<()> {
        let (outcome, seen) = self
            .found(A)?
            .map_or((Outcome::Missed, Left { lifetime: 0, backend: 0 }), |left| (Outcome::Left, left));
        truth.packet(&Handled { seen_backend: seen.backend, ..self.handled(A, outcome, seen.lifetime) });
        Ok(())
    }

    /// A flow's entry is made, or replaced, from outside the datapath.
    fn insert(&self, truth: &Truth, handled: &Handled) -> Result<()> {
        self.put(handled)?;
        truth.inserted(handled);
        Ok(())
    }

    fn put(&self, handled: &Handled) -> Result<()> {
        let flow = handled.packet.flow;
        let value = value_of(flow, handled.lifetime);
        let answer = self.elements()?.update(&key_of(flow), &value, abi::BPF_ANY.into());
        answer.map_err(|errno| anyhow!("cannot make the entry of flow {flow}: {errno}"))
    }

    fn handled(&self, flow: u32, outcome: Outcome, seen: u32) -> Handled {
        let now = self.datapath.control().now.load(Relaxed);
        let lifetime = now + self.datapath.settings().timeout * TICK + flow;
        Handled {
            packet: Packet { flow, kind: Kind::Open },
            now,
            seen,
            began: monotonic(),
            seen_backend: backend_for(flow),
            lifetime,
            outcome,
            errno: 0,
        }
    }

    /// What the map has of a flow.
    fn found(&self, flow: u32) -> Result<Option<Left>> {
        let mut value = vec![0; VALUE_SIZE];
        match self.elements()?.look_up(&key_of(flow), &mut value, 0) {
            Ok(()) => Ok(Some(Left { lifetime: lifetime_of(&value), backend: backend_of(&value) })),
            Err(Errno(libc::ENOENT)) => Ok(None),
            Err(errno) => bail!("cannot look for the entry of flow {flow}: {errno}"),
        }
    }

    /// Judges what came of it; `third` is what the map last had of the third flow.
    fn settle(&self, truth: &Truth, third: Option<Left>) -> Result<Violations> {
        let now_there = [(A, self.found(A)?), (B, self.found(B)?.or(third))];
        let left: HashMap<u32, Left> =
            now_there.into_iter().filter_map(|(flow, left)| Some((flow, left?))).collect();
        let now = self.datapath.control().now.load(Relaxed);
        // Without a packet, the entry has expired and a round has passed.
        let idle = self.schedule.packets.is_empty() && left.get(&A).is_some_and(|left| left.lifetime < now);
        let oracle = truth.oracle.lock().map_err(|_| anyhow!("a side of a replay panicked"))?.clone();
        Ok(Settled::join(vec![oracle.settle(now, monotonic(), &left, u64::from(idle))]).violations)
    }
}

impl Truth {
    fn packet(&self, handled: &Handled) {
        if let Ok(mut oracle) = self.oracle.lock() {
            oracle.packet(handled);
        }
    }

    /// An update from outside says nothing of an entry that was lost before it.
    fn inserted(&self, handled: &Handled) {
        if let Ok(mut oracle) = self.oracle.lock() {
            oracle.inserted(handled);
        }
    }
}

struct Claimed<'a>(&'a Truth);

impl Claims for Claimed<'_> {
    fn claim(&mut self, key: &[u8], lifetime: u32, fate: Fate, done: u64) {
        if fate == Fate::Removed
            && let Ok(mut oracle) = self.0.oracle.lock()
        {
            oracle.claimed(flow_of(key), lifetime, done..=done);
        }
    }

    fn error(&mut self, _: Errno) {}

    fn dropped(&mut self, _: u64) {}
}

/// Puts whoever lets the sides on where none of them is, if there is such a CPU.
fn aside(cpus: usize) -> Result<()> {
    pin(if cpus < ENOUGH { COLLECTOR } else { cpus - 1 })
}

fn stops_at(gate: &Gate) -> &'static str {
    STEPS.get(gate.step.load(Relaxed) as usize).copied().unwrap_or("?")
}

fn wait(until: impl Fn() -> bool) -> Result<()> {
    let since = Instant::now();
    while !until() {
        if since.elapsed() > PATIENCE {
            bail!("it took longer than {} s", PATIENCE.as_secs());
        }
        thread::yield_now();
    }
    Ok(())
}
