// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rounds in which several threads, each on a CPU of its own, want the same thing at the same moment; and who got it.

use std::fmt;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;

use anyhow::{Result, anyhow};

use super::effort::Effort;
use super::pin;
use crate::Context;

/// What they contend for.
pub trait Contest: Sync {
    /// Sets the stage for a round.
    fn prepare(&self) -> Result<()>;
    /// Tries; true if this contender believes to be the one who won.
    fn act(&self, contender: u32) -> Result<bool>;
    /// After a round with exactly one winner: what contradicts it.
    fn contradiction(&self, winner: u32) -> Result<Option<String>>;
}

/// How many won in each round.
#[derive(Debug, Default)]
pub struct Outcome {
    pub contenders: u32,
    pub nobody: u32,
    pub one: u32,
    pub several: u32,
    pub contradictions: Vec<String>,
}

impl Outcome {
    pub fn exactly_one_each(&self) -> bool {
        self.nobody == 0 && self.several == 0 && self.contradictions.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { contenders, nobody, one, several, contradictions } = self;
        write!(
            f,
            "{contenders} contenders: one winner in {one} rounds, several in {several}, none in {nobody}"
        )?;
        contradictions.iter().take(3).try_for_each(|text| write!(f, "; {text}"))
    }
}

/// Rounds of one contender a CPU, and two at least. They have met once `met` says so of what came out so far.
pub fn run(
    contest: &impl Contest,
    rounds: u32,
    context: &Context,
    met: impl Fn(&Outcome) -> bool + Sync,
) -> Result<Outcome> {
    let contenders = u32::try_from(context.cpus.clamp(2, 64))?;
    let gate = Gate::new(contenders);
    let winners = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    let effort = Effort::new(context, rounds);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..contenders)
            .map(|contender| {
                let (gate, winners, over, effort, met) = (&gate, &winners, &over, &effort, &met);
                scope.spawn(move || {
                    let mut failed = pin(contender as usize, context).err();
                    let mut outcome = Outcome { contenders, ..Outcome::default() };
                    // Also who failed goes through all gates: the others wait there.
                    while !over.load(Ordering::Relaxed) {
                        if contender == 0 {
                            keep_first(&mut failed, || contest.prepare());
                        }
                        gate.pass();
                        keep_first(&mut failed, || {
                            let won = u64::from(contest.act(contender)?);
                            winners.fetch_or(won << contender, Ordering::Relaxed);
                            Ok(())
                        });
                        gate.pass();
                        if contender == 0 {
                            let round = winners.swap(0, Ordering::Relaxed);
                            keep_first(&mut failed, || outcome.add(round, contest));
                            let goes_on = effort.goes_on(outcome.rounds(), met(&outcome));
                            over.store(failed.is_some() || !goes_on, Ordering::Relaxed);
                        }
                        gate.pass();
                    }
                    failed.map_or(Ok(outcome), Err)
                })
            })
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a contender panicked")))
        };
        let outcomes = threads.into_iter().map(join).collect::<Result<Vec<Outcome>>>()?;
        outcomes.into_iter().next().ok_or_else(|| anyhow!("nobody contended"))
    })
}

impl Outcome {
    fn rounds(&self) -> u32 {
        self.nobody + self.one + self.several
    }

    fn add(&mut self, winners: u64, contest: &impl Contest) -> Result<()> {
        match winners.count_ones() {
            0 => self.nobody += 1,
            1 => {
                self.one += 1;
                self.contradictions.extend(contest.contradiction(winners.trailing_zeros())?);
            }
            _ => self.several += 1,
        }
        Ok(())
    }
}

/// Does nothing any more once something failed.
fn keep_first(failed: &mut Option<anyhow::Error>, act: impl FnOnce() -> Result<()>) {
    if failed.is_none() {
        *failed = act().err();
    }
}

/// A barrier that spins: one that sleeps wakes its threads one after the other, and they would never meet.
struct Gate {
    threads: u32,
    arrived: AtomicU32,
    passed: AtomicU32,
}

/// Tries before a waiting thread gives its CPU to whom it may be waiting for.
const SPINS: u32 = 1000;

impl Gate {
    fn new(threads: u32) -> Self {
        Self { threads, arrived: AtomicU32::new(0), passed: AtomicU32::new(0) }
    }

    fn pass(&self) {
        let before = self.passed.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.passed.store(before + 1, Ordering::Release);
            return;
        }
        let mut spins = 0_u32;
        while self.passed.load(Ordering::Acquire) == before {
            spins += 1;
            if spins.is_multiple_of(SPINS) { thread::yield_now() } else { spin_loop() }
        }
    }
}
