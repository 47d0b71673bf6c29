// SPDX-License-Identifier: MIT OR Apache-2.0
//! Comparing and replacing are one step: of several that saw the same value exactly one gets its own in.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use cmpdel_uapi_raw::{Elements, Errno, Prepared};
use libbpf_rs::{MapCore as _, MapFlags};

use super::super::map_atomicity::contest::{self, Contest};
use super::super::map_atomicity::pin;
use super::{Numbers, pair, test};
use crate::Context;
use crate::errno::{ENOENT, ESTALE};
use crate::fixture::{Kind, kinds};
use crate::verdict::{On, Test, Verdict};

/// Increments of each thread.
const INCREMENTS: u64 = 20_000;
const ROUNDS: u32 = 1500;
const KEY: [u8; 4] = 1_u32.to_ne_bytes();

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("update::control_look_up_and_update_loses_increments", On::Series, control),
        test("update::no_increment_is_lost_by_those_who_compare_and_update", |context| {
            increments(context, |kind| !kind.shape(16).is_lru())
        }),
        test("update::no_increment_is_lost_by_those_who_compare_and_update_lru", |context| {
            increments(context, |kind| kind.shape(16).is_lru())
        }),
        test("update::of_updaters_and_deleters_that_compare_exactly_one_wins", one_wins),
    ]
}

/// What was lost of the increments that several threads made, and how often they met.
struct Sum {
    made: u64,
    counted: u64,
    met: u64,
}

/// Lets a thread on each CPU, two at least, increment one counter.
fn count(kind: Kind, each: u64, compares: bool, context: &Context) -> Result<Sum> {
    let threads = context.cpus.clamp(2, 8);
    let numbers = Numbers::new(kind, 64)?;
    numbers.put(1, 0)?;
    let start = Barrier::new(threads);
    let met = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|cpu| {
                let (numbers, start) = (&numbers, &start);
                scope.spawn(move || {
                    let pinned = pin(cpu, context);
                    start.wait();
                    pinned?;
                    (0..each).try_fold(0, |met, _| Ok(met + increment(numbers, compares)?))
                })
            })
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<u64>>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
        };
        threads.into_iter().map(join).sum::<Result<u64>>()
    })?;
    let value = numbers.get(1)?.context("the counter is gone")?;
    let counted = u64::from_ne_bytes(value[8..].try_into()?);
    Ok(Sum { made: each * threads as u64, counted, met })
}

/// One increment; how often somebody else was faster.
fn increment(numbers: &Numbers, compares: bool) -> Result<u64> {
    let elements = Elements::new(numbers.fd())?;
    let (mut value, mut met) = ([0; 16], 0);
    let mut call = Prepared::compare_update(&elements, 8, 8)?;
    call.keys_mut().copy_from_slice(&KEY);
    loop {
        elements.look_up(&KEY, &mut value, 0)?;
        let expected: [u8; 8] = value[8..].try_into()?;
        let new = pair(u64::from_ne_bytes(expected) + 1);
        if !compares {
            elements.update(&KEY, &new, 0)?;
            return Ok(0);
        }
        call.value_mut()[..16].copy_from_slice(&new);
        call.value_mut()[16..].copy_from_slice(&expected);
        match call.send() {
            Ok(_) => return Ok(met),
            Err(ESTALE) => met += 1,
            Err(errno) if no_lock(errno) => {}
            Err(errno) => bail!("compare-and-update says {errno}"),
        }
    }
}

/// Somebody else had the lock of the bucket for too long.
fn no_lock(errno: Errno) -> bool {
    [libc::EDEADLK, libc::ETIMEDOUT].contains(&errno.0)
}

fn increments(context: &Context, which: fn(&Kind) -> bool) -> Result<Verdict> {
    let each = if context.quick { INCREMENTS / 10 } else { INCREMENTS };
    let (mut seen, mut right, mut met) = (Vec::new(), true, 0);
    for kind in kinds(context.kernel).iter().filter(|kind| which(kind)) {
        let sum = count(*kind, each, true, context)?;
        right &= sum.made == sum.counted;
        met += sum.met;
        seen.push(format!("{}: {} of {} increments, {} retries", kind.name, sum.counted, sum.made, sum.met));
    }
    let seen = seen.join("; ");
    Ok(match (right, met) {
        (false, _) => Verdict::Fail(seen),
        (true, 0) if context.cpus == 1 => Verdict::Skip(format!("one CPU: {seen}")),
        (true, 0) => Verdict::Fail(format!("they never met: {seen}")),
        (true, _) => Verdict::Pass(seen),
    })
}

/// The same with a plain update. Were nothing lost here, the promise would prove nothing.
fn control(context: &Context) -> Result<Verdict> {
    let (mut made, mut counted) = (0, 0);
    for _ in 0..50 {
        let sum = count(kinds(context.kernel)[0], INCREMENTS / 10, false, context)?;
        (made, counted) = (made + sum.made, counted + sum.counted);
        if counted < made {
            return Ok(Verdict::Pass(format!("{counted} of {made} increments")));
        }
    }
    let seen = format!("nothing was lost of {made} increments");
    Ok(if context.cpus == 1 { Verdict::Skip(format!("one CPU: {seen}")) } else { Verdict::Fail(seen) })
}

/// All expect the same value; every other one deletes, and the rest replace it, each by a value of its own.
struct Mixed<'a> {
    numbers: &'a Numbers,
    /// For each contender an update and a delete.
    calls: Vec<Mutex<[Prepared; 2]>>,
    /// Who deletes in one round, updates in the next: one of them is always the first to go.
    round: AtomicU32,
    deleted: AtomicU32,
    replaced: AtomicU32,
}

const SEEN: u64 = 1 << 40;

impl<'a> Mixed<'a> {
    fn new(numbers: &'a Numbers) -> Result<Self> {
        let elements = Elements::new(numbers.fd())?;
        let call = |contender: u64| -> Result<Mutex<[Prepared; 2]>> {
            let mut update = Prepared::compare_update(&elements, 8, 8)?;
            update.keys_mut().copy_from_slice(&KEY);
            update.value_mut()[..16].copy_from_slice(&pair(contender));
            update.value_mut()[16..].copy_from_slice(&SEEN.to_ne_bytes());
            let mut delete = Prepared::compare(&elements, 8, 8)?;
            delete.keys_mut().copy_from_slice(&KEY);
            delete.value_mut().copy_from_slice(&pair(SEEN));
            Ok(Mutex::new([update, delete]))
        };
        let calls = (0..64).map(call).collect::<Result<_>>()?;
        let [round, deleted, replaced] = [0; 3].map(AtomicU32::new);
        Ok(Self { numbers, calls, round, deleted, replaced })
    }

    fn deletes(&self, contender: u32) -> bool {
        (contender + self.round.load(Ordering::Relaxed)) % 2 == 1
    }
}

impl Contest for Mixed<'_> {
    fn prepare(&self) -> Result<()> {
        self.round.fetch_add(1, Ordering::Relaxed);
        self.numbers.put(1, SEEN).context("cannot put the element back")
    }

    fn act(&self, contender: u32) -> Result<bool> {
        // Each has its own: nobody waits here.
        let mut calls = self.calls[contender as usize].lock().unwrap_or_else(PoisonError::into_inner);
        match calls[usize::from(self.deletes(contender))].send() {
            Ok(_) => Ok(true),
            Err(ESTALE | ENOENT) => Ok(false),
            Err(errno) => bail!("contender {contender}: {errno}"),
        }
    }

    /// What is left is the winner's.
    fn contradiction(&self, winner: u32) -> Result<Option<String>> {
        let (left, deletes) = (self.numbers.handle.lookup(&KEY, MapFlags::ANY)?, self.deletes(winner));
        let right = (!deletes).then(|| pair(winner.into()).to_vec());
        let counter = if deletes { &self.deleted } else { &self.replaced };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok((left != right).then(|| format!("{winner} won, and {left:?} is there")))
    }
}

fn one_wins(context: &Context) -> Result<Verdict> {
    let (mut seen, mut clean) = (Vec::new(), true);
    for kind in kinds(context.kernel) {
        let numbers = Numbers::new(*kind, 64)?;
        let mixed = Mixed::new(&numbers)?;
        let both = || {
            let [deleted, replaced] = [&mixed.deleted, &mixed.replaced].map(|n| n.load(Ordering::Relaxed));
            (deleted > 0 && replaced > 0, deleted, replaced)
        };
        let outcome = contest::run(&mixed, ROUNDS, context, |_| both().0)?;
        clean &= outcome.exactly_one_each() && (both().0 || context.cpus == 1);
        let (_, deleted, replaced) = both();
        seen.push(format!("{}, {outcome}; {deleted} deleted, {replaced} replaced", kind.name));
    }
    let seen = seen.join("; ");
    Ok(if clean { Verdict::Pass(seen) } else { Verdict::Fail(seen) })
}
