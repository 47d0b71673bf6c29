// SPDX-License-Identifier: MIT OR Apache-2.0
//! What several CPUs count into one counter: `packets++` is a load and a store, and what another CPU counted in between
//! is lost; an atomic add is one step. A per-CPU counter has one writer, and needs neither. All packets are counted by an
//! unguarded `++` beside: what that lost proves that the CPUs met.

use std::fmt;
use std::mem::MaybeUninit;
use std::sync::Barrier;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use libbpf_rs::{MapCore as _, MapFlags, MapType};

use super::counters::{Datapath, Flows, How, PACKET_SIZE, Pair, Speed, ZERO_FLOW, unguarded};
use super::effort::Effort;
use super::{KEY, copy_out, pin, proves_nothing, word};
use crate::Context;
use crate::verdict::{On, Test, Verdict};

const SPEED: Speed = Speed { batch: 4096, pause: 0 };

/// Batches that each thread counts in a round, and rounds.
const BATCHES: u32 = 100;
const ROUNDS: u32 = 2;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("map_atomicity::control_packets_plus_plus_loses_counts", On::Both, |context| {
            let counted =
                count_until(context, Counter::Flow(How::Plain), |counted| counted.kept < counted.packets)?;
            Ok(if counted.kept < counted.packets {
                Verdict::Pass(counted.to_string())
            } else {
                proves_nothing(context, counted.to_string())
            })
        }),
        Test::new("map_atomicity::sync_fetch_and_add_counts_every_packet", On::Both, |context| {
            all_kept(context, Counter::Flow(How::Atomic))
        }),
        Test::new("map_atomicity::a_spin_lock_counts_every_packet", On::Both, |context| {
            all_kept(context, Counter::Flow(How::Locked))
        }),
        Test::new("map_atomicity::per_cpu_packets_plus_plus_sums_exactly", On::Both, |context| {
            all_kept(context, Counter::PerCpu)
        }),
    ]
}

#[derive(Clone, Copy)]
enum Counter {
    /// One for all CPUs.
    Flow(How),
    PerCpu,
}

#[derive(Default)]
struct Counted {
    packets: u64,
    /// Of these, in the counter that is tested.
    kept: u64,
    unguarded: u64,
    /// Packets and bytes that do not agree.
    apart: Option<Pair>,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packets, kept, unguarded, apart } = self;
        write!(f, "{} of {packets} packets lost, {} by a ++ beside", packets - kept, packets - unguarded)?;
        apart.map_or(Ok(()), |pair| write!(f, "; {pair:?}"))
    }
}

fn all_kept(context: &Context, counter: Counter) -> Result<Verdict> {
    let counted = count_until(context, counter, |counted| counted.unguarded < counted.packets)?;
    Ok(if counted.kept < counted.packets || counted.apart.is_some() {
        Verdict::Fail(counted.to_string())
    } else if counted.unguarded == counted.packets {
        proves_nothing(context, counted.to_string())
    } else {
        Verdict::Pass(counted.to_string())
    })
}

fn count_until(context: &Context, counter: Counter, met: impl Fn(&Counted) -> bool) -> Result<Counted> {
    let effort = Effort::new(context, ROUNDS);
    let mut all = Counted::default();
    let mut rounds = 0;
    while effort.goes_on(rounds, met(&all)) {
        let counted = count(context, counter)?;
        all.packets += counted.packets;
        all.kept += counted.kept;
        all.unguarded += counted.unguarded;
        all.apart = all.apart.or(counted.apart);
        rounds += 1;
    }
    Ok(all)
}

/// Has every CPU, and two threads at least, count at the same time.
fn count(context: &Context, counter: Counter) -> Result<Counted> {
    let flows = Flows::new(MapType::Hash)?;
    let (how, per_cpu) = match counter {
        Counter::Flow(how) => (how, false),
        Counter::PerCpu => (How::Plain, true),
    };
    // A CPU's threads do not meet within a program: softirqs are off while it runs (`bpf_test_run()`, as in a driver).
    let threads = context.cpus.max(1) * 2;
    let batches = if context.quick { BATCHES / 10 } else { BATCHES };
    let ready = Barrier::new(threads);
    thread::scope(|scope| {
        let spawn = |number| {
            let (ready, flows) = (&ready, &flows);
            scope.spawn(move || {
                let mut place = MaybeUninit::uninit();
                let datapath =
                    pin(number, context).and_then(|()| Datapath::new(flows, how, SPEED, &mut place));
                // All wait for all, or one that failed would leave the others waiting.
                ready.wait();
                let datapath = datapath?;
                (0..batches).try_for_each(|_| datapath.run(per_cpu))
            })
        };
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a datapath panicked")))
        };
        threads.into_iter().map(join).collect::<Vec<_>>().into_iter().collect::<Result<()>>()
    })?;
    let packets = threads as u64 * u64::from(batches) * u64::from(SPEED.batch);
    let mut value = ZERO_FLOW;
    copy_out(&flows.shared, &mut value, MapFlags::ANY)?;
    let pair = Pair::of(&value);
    let kept = if per_cpu { per_cpu_sum(&flows)? } else { pair.packets };
    let apart = (!per_cpu && pair.bytes != packets * PACKET_SIZE).then_some(pair);
    Ok(Counted { packets, kept, unguarded: unguarded(&value), apart })
}

fn per_cpu_sum(flows: &Flows) -> Result<u64> {
    let values = flows.per_cpu.lookup_percpu(&KEY, MapFlags::ANY)?.context("the counter is not there")?;
    Ok(values.iter().map(|value| word(value, 0)).sum())
}
