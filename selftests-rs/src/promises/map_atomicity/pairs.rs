// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two counters of one value in step: only where writer, reader and reset all take the value's `bpf_spin_lock`. From user
//! space that is `BPF_F_LOCK`: `copy_map_value_locked()` in `bpf_map_copy_value()`, `htab_map_update_elem()` and
//! `array_map_update_elem()`.

use std::fmt;
use std::mem::MaybeUninit;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, MapType};

use super::counters::{Datapath, Flows, How, Pair, Speed, ZERO_FLOW};
use super::effort::Effort;
use super::{Expect, KEY, copy_out, pin, proves_nothing};
use crate::Context;
use crate::verdict::{On, Test, Verdict};

const LOOKS: u32 = 20_000;

/// Out of step for most of the time, so that the sides meet even where the host stops the datapath's CPU to run the other.
const SPEED: Speed = Speed { batch: 256, pause: 1000 };

pub fn tests() -> Vec<Test> {
    let look = |name, how, look_up, expect| {
        test(name, Meeting { map_type: MapType::Hash, how, reset: None, look_up, expect })
    };
    let reset = |name, map_type, reset, expect| {
        let (reset, look_up) = (Some(reset), MapFlags::LOCK);
        test(name, Meeting { map_type, how: How::Locked, reset, look_up, expect })
    };
    let (any, locked) = (MapFlags::ANY, MapFlags::LOCK);
    vec![
        look("control_two_atomic_adds_are_seen_out_of_step", How::Atomic, any, Expect::Torn),
        look("control_a_locked_look_up_sees_two_atomic_adds_out_of_step", How::Atomic, locked, Expect::Torn),
        look("control_a_look_up_without_the_lock_tears_a_locked_pair", How::Locked, any, Expect::Torn),
        look("a_locked_look_up_never_tears_a_locked_pair", How::Locked, locked, Expect::Whole),
        reset("control_a_reset_without_the_lock_splits_a_pair_for_good", MapType::Array, any, Expect::Torn),
        reset("a_locked_reset_never_splits_a_pair_in_an_array", MapType::Array, locked, Expect::Whole),
        reset("a_locked_reset_never_splits_a_pair_in_a_hash", MapType::Hash, locked, Expect::Whole),
    ]
}

fn test(name: &str, meeting: Meeting) -> Test {
    Test::new(format!("map_atomicity::{name}"), On::Both, move |context| judge(context, meeting))
}

/// A datapath that counts, and user space that looks, with or without having reset the counters just before.
#[derive(Clone, Copy)]
struct Meeting {
    map_type: MapType,
    how: How,
    /// Flags of the reset.
    reset: Option<MapFlags>,
    look_up: MapFlags,
    expect: Expect,
}

#[derive(Debug, Default)]
struct Looks {
    looks: u32,
    /// The datapath had counted since the look before, or the reset.
    moved: u32,
    out_of_step: u32,
    /// Of these: no packets, and bytes.
    bytes_alone: u32,
    example: Option<Pair>,
}

impl Looks {
    fn met(&self, expect: Expect) -> bool {
        match expect {
            Expect::Whole => self.moved > 0,
            Expect::Torn => self.out_of_step > 0,
        }
    }
}

impl fmt::Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { looks, moved, out_of_step, bytes_alone, example } = self;
        write!(f, "{out_of_step} of {looks} looks out of step, {moved} after a packet")?;
        if let Some(Pair { packets, bytes }) = example {
            write!(f, "; {bytes_alone} without packets but with bytes")?;
            write!(f, "; the first: {packets} packets, {bytes} bytes")?;
        }
        Ok(())
    }
}

fn judge(context: &Context, meeting: Meeting) -> Result<Verdict> {
    let seen = meet(context, meeting)?;
    let figures = seen.to_string();
    Ok(match meeting.expect {
        Expect::Whole if seen.out_of_step > 0 => Verdict::Fail(figures),
        expect if seen.met(expect) => Verdict::Pass(figures),
        _ => proves_nothing(context, figures),
    })
}

fn meet(context: &Context, meeting: Meeting) -> Result<Looks> {
    let flows = Flows::new(meeting.map_type)?;
    let ready = Barrier::new(2);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let datapath = scope.spawn(|| {
            let mut place = MaybeUninit::uninit();
            let datapath =
                pin(1, context).and_then(|()| Datapath::new(&flows, meeting.how, SPEED, &mut place));
            ready.wait();
            let datapath = datapath?;
            while !done.load(Ordering::Relaxed) {
                datapath.run(false)?;
            }
            Ok(())
        });
        let user = scope.spawn(|| {
            ready.wait();
            let looks = pin(0, context).and_then(|()| look(context, &flows.shared, meeting));
            done.store(true, Ordering::Relaxed);
            looks
        });
        let looks = user.join().unwrap_or_else(|_| Err(anyhow!("user space panicked")));
        datapath.join().unwrap_or_else(|_| Err(anyhow!("the datapath panicked"))).and(looks)
    })
}

fn look(context: &Context, flows: &MapHandle, meeting: Meeting) -> Result<Looks> {
    let mut seen = Looks::default();
    let effort = Effort::new(context, LOOKS);
    let mut value = ZERO_FLOW;
    let mut last = Pair::default();
    while effort.goes_on(seen.looks, seen.met(meeting.expect)) {
        if let Some(flags) = meeting.reset {
            flows.update(&KEY, &ZERO_FLOW, flags | MapFlags::EXIST).context("cannot reset the counters")?;
            last = Pair::default();
        }
        copy_out(flows, &mut value, meeting.look_up)?;
        let pair = Pair::of(&value);
        seen.looks += 1;
        seen.moved += u32::from(pair != last);
        last = pair;
        if !pair.in_step() {
            seen.out_of_step += 1;
            seen.bytes_alone += u32::from(pair.packets == 0 && pair.bytes > 0);
            seen.example.get_or_insert(pair);
        }
    }
    Ok(seen)
}
