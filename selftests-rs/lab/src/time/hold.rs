// SPDX-License-Identifier: MIT OR Apache-2.0
//! One hold: a thread with a lock in its hands stands still for seconds, while others want it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use approaches::{Column, Refresh};
use cmpdel_uapi::{Map, bindings as abi};
use cmpdel_uapi_raw::{Errno, Snapshot};
use results::time::{Call, Hold, Lock, Needs};

use super::callers::{Answer, Caller, Callers, compare_update};
use super::scene::{Function, Holder, Scene};
use super::walk::walk;
use super::world::{A, B, C, NEW, World};
use crate::clock::monotonic;
use crate::collector::Collector;
use crate::datapath::{Datapath, Packet, Settings, key_of, object_for};
use crate::layout::{Kind, LIFETIME, Outcome, VALUE_SIZE};
use crate::load::Denied;
use crate::target::{HELD_WINDOW, Target};
use crate::value::value_of;
use crate::witness::debugger::{Debugger, Spot};

/// Where callers are, and who is held.
const CALLERS: usize = 0;
const HELD: usize = 1;
/// The lane of packets that are held.
const LANE: usize = 0;
/// Beyond the hold itself, for all to be over.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the kernel does on the callers' CPU may wait for the held one, by chance, and then nobody has called.
const TRIES: usize = 3;
/// Calls that are kept of those which begin and end in the hold.
const MOST: usize = 400;
/// Between calls that take no time.
const PAUSE: Duration = Duration::from_millis(20);

/// Holds whom `scene` says for `lasts`, and says what came of it, the last of some tries if the first are in vain. Who wants the
/// lock first is a matter of `turn`.
///
/// # Errors
/// When the hold did not come about, or a call was answered in a way that makes the scene void.
pub fn run(scene: &Scene, turn: usize, lasts: Duration, run: &Path) -> Result<Hold> {
    let mut earlier = Vec::new();
    loop {
        let hold = once(scene, turn, lasts, run)?;
        if !hold.is_in_vain() || earlier.len() + 1 == TRIES {
            return Ok(Hold { earlier, ..hold });
        }
        earlier.push(hold);
    }
}

fn once(scene: &Scene, turn: usize, lasts: Duration, run: &Path) -> Result<Hold> {
    let gc = Column { gc: scene.gc, grace: false };
    let entries = match scene.holder {
        // It has to evict.
        Holder::Open => 256,
        // It is followed from the first bucket, step by step.
        Holder::LookUpBatch => 16,
        _ => 1024,
    };
    let settings = Settings { gated: true, ..Settings::new(scene.map, entries) };
    let datapath = Datapath::load(&object_for(scene.refresh, gc), settings).map_err(Denied::error)?;
    let careless = match (scene.careless, scene.lock) {
        (true, Lock::Element) => Some(datapath.careless(true).map_err(Denied::error)?),
        (true, _) if scene.refresh != Refresh::HalfLife => {
            Some(datapath.careless(false).map_err(Denied::error)?)
        }
        _ => None,
    };
    let deletes = matches!(scene.holder, Holder::Delete | Holder::Take);
    let world = World::set_up(&datapath, deletes, scene.later, scene.holder == Holder::Open)?;
    let open = || -> Result<Collector<'_>> {
        let target = Target { gated: true, ..datapath.target("ct4")? };
        Collector::open(&gc, false, target).map_err(Denied::error)
    };
    let (mut held_round, mut last_round) = (open()?, open()?);
    let asks = |caller| scene.wants.contains(&caller) || scene.free.contains(&caller);
    let mut callers = Callers {
        world: &world,
        map: Map::new(datapath.map("ct4")?)?,
        sender: careless.as_ref().unwrap_or(&datapath),
        collector: asks(Caller::Collector).then(&open).transpose()?,
        keep: asks(Caller::Keep).then(|| keep_on(&datapath)).transpose()?,
        snapshot: Snapshot::default(),
        opened: NEW / 2,
    };
    // Memory that is asked for now need not be asked for while a CPU is held.
    walk(&world.elements()?, &mut callers.snapshot).map_err(|e| anyhow!("cannot walk the map: {e}"))?;
    let function = match scene.function {
        Function::Kernel(name) => name.to_owned(),
        Function::Program(name) => program(name)?,
    };
    let debugger = Debugger::new(run)?;
    let spot = Spot { function: &function, place: scene.place, lasts: Some(lasts) };
    let (began, released) = (AtomicU64::new(0), AtomicU64::new(0));
    let first = || {
        let answer = act(scene, &world, &datapath, &mut held_round);
        released.store(monotonic(), Release);
        answer
    };
    let second = |goes_on: &dyn Fn() -> bool| {
        began.store(monotonic(), Release);
        if scene.later {
            world.later();
        }
        let is_over = || released.load(Acquire) != 0;
        beside(scene, turn, &mut callers, [goes_on, &is_over], lasts)
    };
    let (answer, calls, held) = debugger.hold(&spot, (HELD, CALLERS), first, second)?;
    let (began, released) = (began.load(Acquire), released.load(Acquire));
    drop(callers);
    let (violations, left) = world.settle(&mut last_round)?;
    let ended = calls.iter().filter(|call| call.began_held).map(|call| call.ended);
    let ended = ended.max().unwrap_or(released).saturating_sub(released);
    Ok(Hold {
        lock: scene.lock,
        holder: scene.name.into(),
        at: held.at,
        interrupts_off: held.interrupts_off,
        careless: scene.careless,
        asked_ms: u64::try_from(lasts.as_millis())?,
        held_ms: released.saturating_sub(began) / 1_000_000,
        looks: held.looks,
        waited_in: held.waited,
        errno: answer.errno,
        word: answer.word,
        earlier: Vec::new(),
        calls: calls.into_iter().map(|timed| timed.call).collect(),
        ended_ms: ended / 1_000_000,
        violations,
        left,
    })
}

/// keep's collector, under the datapath's stripes.
fn keep_on(datapath: &Datapath) -> Result<keep::Collector<'_>> {
    let field = keep::Field::unsigned(LIFETIME, 4);
    let plan = keep::Plan::new(datapath.map("ct4")?, field).stripes(datapath.map("keep_stripes")?);
    plan.open().context("keep's collector does not open")
}

/// What the kernel calls a program of that name: the newest, where there are several.
fn program(name: &str) -> Result<String> {
    let text = fs::read_to_string("/proc/kallsyms").context("cannot read /proc/kallsyms")?;
    let end = format!("_{name}");
    let mut names = text.lines().filter_map(|line| line.split_ascii_whitespace().nth(2));
    let found = names.rfind(|symbol| symbol.starts_with("bpf_prog_") && symbol.ends_with(&end));
    found.map(str::to_owned).with_context(|| format!("the kernel names no program {name} (bpf_jit_kallsyms)"))
}

/// What the held thread does.
fn act(
    scene: &Scene,
    world: &World<'_>,
    datapath: &Datapath,
    collector: &mut Collector<'_>,
) -> Result<Answer> {
    let elements = world.elements()?;
    let done = Answer::of;
    let deleted = |answer: Result<(), Errno>| {
        if answer.is_ok() {
            world.claim(B);
        }
        done(answer)
    };
    Ok(match scene.holder {
        Holder::Collect => {
            let mut claims = world.claims();
            collector.round(&mut claims)?;
            done(claims.failed.map_or(Ok(()), Err))
        }
        Holder::Packet => packet(world, datapath, A, Kind::Data)?,
        Holder::Open => {
            for flow in C..C + 2 * datapath.settings().entries {
                packet(world, datapath, flow, Kind::Open)?;
            }
            done(Ok(()))
        }
        Holder::Update => {
            let (answer, handled) = world.update(A, 0)?;
            if answer.is_ok() {
                world.truth(|oracle| oracle.inserted(&handled));
            }
            done(answer)
        }
        Holder::CompareUpdate => compare_update(world, &Map::new(datapath.map("ct4")?)?, HELD_WINDOW)?,
        Holder::Delete => deleted(elements.delete(&key_of(B))),
        Holder::Take => deleted(elements.take(&key_of(B), &mut [0; VALUE_SIZE], 0)),
        Holder::LookUpBatch => done(walk(&elements, &mut Snapshot::default())),
        Holder::LockedUpdate => {
            let handled = world.handled(A, 0);
            let value = value_of(A, handled.lifetime);
            let answer = elements.update(&key_of(A), &value, u64::from(abi::BPF_F_LOCK | abi::BPF_EXIST));
            if answer.is_ok() {
                world.truth(|oracle| oracle.inserted(&handled));
            }
            done(answer)
        }
    })
}

fn packet(world: &World<'_>, datapath: &Datapath, flow: u32, kind: Kind) -> Result<Answer> {
    let mut answer = None;
    datapath.burst(LANE, &[Packet { flow, kind }], |handled| {
        world.packet(handled);
        let errno = if handled.outcome == Outcome::Failed { handled.errno } else { 0 };
        answer = Some(Answer { errno, word: format!("{:?}", handled.outcome).to_lowercase() });
    })?;
    answer.context("a packet said nothing")
}

/// A call, and when it ended.
struct Timed {
    call: Call,
    began_held: bool,
    ended: u64,
}

/// Calls one after the other, in turns, until the hold is over and each has had a turn after it.
fn beside(
    scene: &Scene,
    turn: usize,
    callers: &mut Callers<'_>,
    [goes_on, is_over]: [&dyn Fn() -> bool; 2],
    lasts: Duration,
) -> Result<Vec<Timed>> {
    let since = Instant::now();
    let mut calls = Vec::with_capacity(MOST + 64);
    // Those who go on are quick. Of the others each may take a third of the hold: another one begins in each scene.
    let all = |callers: &'static [Caller], needs| callers.iter().map(move |&caller| (needs, caller));
    let mut wants: Vec<_> = all(scene.wants, Needs::Lock).collect();
    let first = turn % wants.len().max(1);
    wants.rotate_left(first);
    let (free, perhaps) = (all(scene.free, Needs::Nothing), all(scene.perhaps, Needs::Perhaps));
    let order: Vec<(Needs, Caller)> = free.chain(wants).chain(perhaps).collect();
    loop {
        let last = !goes_on();
        // What is about to go on may have its lock for a while yet.
        while last && !is_over() {
            ensure!(since.elapsed() < lasts + PATIENCE, "what was held does not end");
            thread::yield_now();
        }
        for &(needs, caller) in &order {
            ensure!(since.elapsed() < lasts + PATIENCE, "the hold goes on and on");
            let (began, began_held) = (monotonic(), goes_on());
            let answer = callers.call(caller)?;
            let (ended, ended_held) = (monotonic(), goes_on());
            // However many there are: what goes on beyond the hold, and what comes after it.
            if calls.len() < MOST || !began_held || !ended_held {
                let call = Call {
                    who: caller.words().into(),
                    needs,
                    errno: answer.errno,
                    word: answer.word,
                    us: (ended - began) / 1000,
                    began_held,
                    ended_held,
                };
                calls.push(Timed { call, began_held, ended });
            }
        }
        if last {
            return Ok(calls);
        }
        let pause = Instant::now();
        while pause.elapsed() < PAUSE && goes_on() {
            std::hint::spin_loop();
        }
    }
}
