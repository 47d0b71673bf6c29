// SPDX-License-Identifier: MIT OR Apache-2.0
//! What several CPUs count into one counter: `packets++` is a load and a store, and what another CPU counted in between
//! is lost; an atomic add is one step. A per-CPU counter has one writer, and needs neither.

use std::mem::MaybeUninit;
use std::sync::Barrier;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use libbpf_rs::{MapCore as _, MapFlags, MapType};

use super::counters::{Datapath, Flows, How, PACKET_SIZE, Pair, Speed};
use super::effort::Effort;
use super::{KEY, copy_out, pin, proves_nothing, word};
use crate::Context;
use crate::verdict::{On, Test, Verdict};

const SPEED: Speed = Speed { batch: 4096, pause: 0 };

/// Batches that each thread counts.
const BATCHES: u32 = 200;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("map_atomicity::control_packets_plus_plus_loses_counts", On::Both, control),
        Test::new("map_atomicity::sync_fetch_and_add_counts_every_packet", On::Both, |context| {
            count_all(context, How::Atomic)
        }),
        Test::new("map_atomicity::a_spin_lock_counts_every_packet", On::Both, |context| {
            count_all(context, How::Locked)
        }),
        Test::new("map_atomicity::per_cpu_packets_plus_plus_sums_exactly", On::Both, count_per_cpu),
    ]
}

/// Counts until counts were lost.
fn control(context: &Context) -> Result<Verdict> {
    let effort = Effort::new(context, 1);
    let (mut packets, mut lost) = (0, 0);
    let mut tried = 0;
    while effort.goes_on(tried, lost > 0) {
        let (seen, expected) = count_shared(context, How::Plain)?;
        packets += expected.packets;
        lost += expected.packets - seen.packets;
        tried += 1;
    }
    let figures = format!("{lost} of {packets} packets lost");
    Ok(if lost > 0 { Verdict::Pass(figures) } else { proves_nothing(context, figures) })
}

fn count_all(context: &Context, how: How) -> Result<Verdict> {
    let (seen, expected) = count_shared(context, how)?;
    Ok(if seen == expected {
        Verdict::Pass(format!("{} packets", seen.packets))
    } else {
        Verdict::Fail(format!("{seen:?} instead of {expected:?}"))
    })
}

/// What is there after all have counted, and what should be.
fn count_shared(context: &Context, how: How) -> Result<(Pair, Pair)> {
    let flows = Flows::new(MapType::Hash)?;
    let packets = count(context, &flows, how, 1, false)?;
    let mut value = [0; 24];
    copy_out(&flows.shared, &mut value, MapFlags::ANY)?;
    Ok((Pair::of(&value), Pair { packets, bytes: packets * PACKET_SIZE }))
}

/// Two threads a CPU: softirqs are off while an XDP program runs, so they do not meet within one.
fn count_per_cpu(context: &Context) -> Result<Verdict> {
    let flows = Flows::new(MapType::Hash)?;
    let expected = count(context, &flows, How::Plain, 2, true)?;
    let values = flows.per_cpu.lookup_percpu(&KEY, MapFlags::ANY)?.context("the counter is not there")?;
    let counts: Vec<_> = values.iter().map(|value| word(value, 0)).collect();
    let figures = format!("{expected} packets, counted {counts:?}");
    let kept = counts.iter().sum::<u64>() == expected;
    Ok(if kept { Verdict::Pass(figures) } else { Verdict::Fail(figures) })
}

/// Has every CPU, and two threads at least, count at the same time: so many packets in all.
fn count(context: &Context, flows: &Flows, how: How, per_cpu_threads: usize, per_cpu: bool) -> Result<u64> {
    let threads = (context.cpus * per_cpu_threads).max(2);
    let batches = if context.quick { BATCHES / 10 } else { BATCHES };
    let ready = Barrier::new(threads);
    thread::scope(|scope| {
        let spawn = |number| {
            let ready = &ready;
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
    Ok(threads as u64 * u64::from(batches) * u64::from(SPEED.batch))
}
