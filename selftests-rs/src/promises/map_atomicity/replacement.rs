// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether user space copies out half a value while the entry is replaced. `bpf_map_copy_value()` copies under RCU alone.
//! One replacement leaves the element that is being copied as it is (see [`super::pointers`]); the next one on the same CPU
//! fills it again, without waiting for the copy to end. So whole copies are promised to those who let a grace period pass
//! between two replacements; and to those who look up in batches, since `__htab_map_lookup_and_delete_batch()` copies under
//! the bucket lock, which a replacement holds while it fills the element.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, MapType, num_possible_cpus};
use rustix::thread::{MembarrierCommand, membarrier};

use super::effort::Effort;
use super::{Expect, KEY, copy_out, pin, proves_nothing, word};
use crate::Context;
use crate::fixture::ALLOCATIONS;
use crate::verdict::{On, Test, Verdict};

/// Grace periods of a test. Each takes some milliseconds.
const GRACES: u32 = 60;

/// Bytes of a value: so many that a reader is mostly copying, and is so when another takes the CPU from it.
const VALUE_SIZE: usize = 32 << 10;

/// Bytes of a value that each CPU has of its own: the kernel's allocator gives no more than 32 KiB at once.
const PER_CPU_SIZE: usize = VALUE_SIZE / 2;

/// All of them, and the writer, share a CPU: as it writes, each has been interrupted somewhere. No two CPUs have to meet.
const READERS: usize = 3;

/// Spreads what a writer waits after a grace period, in microseconds, over a time slice: as the period ends, no copy has
/// been interrupted for long, and the writes would come too early.
const STRIDE: u32 = 373;
const SLICE: u32 = 4000;

pub fn tests() -> Vec<Test> {
    let in_place = Race { map_type: MapType::Array, flags: 0, writes: 1, batch: false };
    let per_cpu = Race { map_type: MapType::PercpuArray, ..in_place };
    let mut tests = vec![
        test("control_user_space_copies_half_a_value_written_in_place", in_place, Expect::Torn),
        test("control_user_space_copies_half_a_value_of_one_cpu_written_in_place", per_cpu, Expect::Torn),
    ];
    for (name, flags) in ALLOCATIONS {
        let once = Race { map_type: MapType::Hash, flags, ..in_place };
        let twice = Race { writes: 2, ..once };
        for (promise, race, expect) in [
            ("user_space_never_copies_half_of_one_replacement", once, Expect::Whole),
            ("control_user_space_copies_half_a_value_replaced_twice", twice, Expect::Torn),
            (
                "a_batch_never_copies_half_a_value_replaced_twice",
                Race { batch: true, ..twice },
                Expect::Whole,
            ),
        ] {
            tests.push(test(&format!("{promise}_{}", name.replace(' ', "_")), race, expect));
        }
    }
    tests
}

fn test(name: &str, race: Race, expect: Expect) -> Test {
    Test::new(format!("map_atomicity::{name}"), On::Both, move |context| judge(context, race, expect))
}

/// A writer of one entry, and readers.
#[derive(Clone, Copy)]
struct Race {
    map_type: MapType,
    flags: u32,
    /// Updates at once, after which a grace period passes.
    writes: u32,
    /// Readers look up in batches.
    batch: bool,
}

#[derive(Debug, Default)]
struct Copies {
    copies: AtomicU64,
    /// Copies that differ from the reader's last.
    changes: AtomicU64,
    /// Copies of more than one version.
    torn: AtomicU64,
}

impl Copies {
    fn met(&self, expect: Expect) -> bool {
        let proof = if expect == Expect::Whole { &self.changes } else { &self.torn };
        proof.load(Ordering::Relaxed) > 0
    }
}

fn judge(context: &Context, race: Race, expect: Expect) -> Result<Verdict> {
    if context.cpus == 1 {
        return Ok(Verdict::Skip("one CPU: membarrier does not wait for a grace period".into()));
    }
    let seen = Copies::default();
    let graces = run(context, race, expect, &seen)?;
    let [copies, changes, torn] =
        [&seen.copies, &seen.changes, &seen.torn].map(|n| n.load(Ordering::Relaxed));
    let figures = format!(
        "{torn} of {copies} copies torn, {changes} changes seen; {graces} grace periods, {} writes each",
        race.writes
    );
    Ok(match expect {
        Expect::Whole if torn > 0 => Verdict::Fail(figures),
        _ if seen.met(expect) => Verdict::Pass(figures),
        _ => proves_nothing(context, figures),
    })
}

/// Races, and says how many grace periods passed.
fn run(context: &Context, race: Race, expect: Expect, seen: &Copies) -> Result<u32> {
    let options = bpf_map_create_opts {
        sz: size_of::<bpf_map_create_opts>() as _,
        map_flags: race.flags,
        ..Default::default()
    };
    let value_size = u32::try_from(if race.map_type.is_percpu() { PER_CPU_SIZE } else { VALUE_SIZE })?;
    let map = MapHandle::create(race.map_type, Some("replaced"), 4, value_size, 1, &options)
        .context("cannot make the map")?;
    put(&map, 0)?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let read = || read(context, &map, race, &done, seen);
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        let writer = scope.spawn(|| {
            let graces = write(context, &map, race, || seen.met(expect));
            done.store(true, Ordering::Relaxed);
            graces
        });
        let graces = writer.join().unwrap_or_else(|_| Err(anyhow!("the writer panicked")));
        let join = |reader: thread::ScopedJoinHandle<'_, _>| {
            reader.join().unwrap_or_else(|_| Err(anyhow!("a reader panicked")))
        };
        let read: Vec<Result<()>> = readers.into_iter().map(join).collect();
        read.into_iter().collect::<Result<()>>().and(graces)
    })
}

/// A value all words of which are its version.
fn put(map: &MapHandle, version: u64) -> Result<()> {
    let value = |size: usize| version.to_ne_bytes().repeat(size / 8);
    if map.map_type().is_percpu() {
        let values = vec![value(PER_CPU_SIZE); num_possible_cpus()?];
        map.update_percpu(&KEY, &values, MapFlags::ANY)
    } else {
        map.update(&KEY, &value(VALUE_SIZE), MapFlags::ANY)
    }
    .context("cannot update the entry")
}

fn write(context: &Context, map: &MapHandle, race: Race, met: impl Fn() -> bool) -> Result<u32> {
    pin(0, context)?;
    let effort = Effort::new(context, GRACES);
    let (mut graces, mut version) = (0, 0);
    while effort.goes_on(graces, met()) {
        for _ in 0..race.writes {
            version += 1;
            put(map, version)?;
        }
        membarrier(MembarrierCommand::Global).context("cannot wait for a grace period")?;
        graces += 1;
        thread::sleep(Duration::from_micros(u64::from(graces * STRIDE % SLICE)));
    }
    Ok(graces)
}

fn read(context: &Context, map: &MapHandle, race: Race, done: &AtomicBool, seen: &Copies) -> Result<()> {
    pin(0, context)?;
    let mut value = vec![0; VALUE_SIZE];
    let mut last = 0;
    while !done.load(Ordering::Relaxed) {
        if race.batch {
            let mut entries = map.lookup_batch(1, MapFlags::ANY, MapFlags::ANY)?;
            value = entries.next().context("a batch without the entry")?.1;
            ensure!(value.len() == VALUE_SIZE, "a value of {} bytes in a batch", value.len());
        } else if race.map_type.is_percpu() {
            let values = map.lookup_percpu(&KEY, MapFlags::ANY).context("cannot look the entry up")?;
            value = values.and_then(|values| values.into_iter().next()).context("the entry is not there")?;
        } else {
            copy_out(map, &mut value, MapFlags::ANY)?;
        }
        let version = word(&value, 0);
        seen.copies.fetch_add(1, Ordering::Relaxed);
        seen.changes.fetch_add(u64::from(version != last), Ordering::Relaxed);
        // Each word equals the one before it.
        seen.torn.fetch_add(u64::from(value[8..] != value[..value.len() - 8]), Ordering::Relaxed);
        last = version;
    }
    Ok(())
}
