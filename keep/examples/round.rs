// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a round of the collector costs on this machine, as root: a map is filled, some of its entries have expired, and one
//! round is timed, many times over.
//!
//! `cargo run --release -p keep --example round -- [ENTRIES] [EXPIRED PER HUNDRED]`

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use keep::{Field, Means, Plan};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, MapType, libbpf_sys};

const ROUNDS: usize = 31;
const KEY: u32 = 14;
const VALUE: u32 = 56;
/// As in Cilium's entries.
const LIFETIME: u32 = 32;
const NOW: u32 = 1_000;

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse().context("that is no number"));
    let entries: u32 = numbers.next().transpose()?.unwrap_or(16_384);
    let expired: u32 = numbers.next().transpose()?.unwrap_or(10);
    ensure!(
        entries > 0 && (1..=100).contains(&expired),
        "some entries, of which 1 to 100 of a hundred have expired"
    );

    let map = create(MapType::Hash, "round", KEY, VALUE, entries)?;
    let stripes = create(MapType::Array, "keep_stripes", 4, 64, 1024)?;
    keep::table::set_up(stripes.as_fd(), keep::table::random_seed()?)?;
    let plan = Plan::new(map.as_fd(), Field::unsigned(LIFETIME, 4)).stripes(stripes.as_fd());
    let mut collector = plan.only(Means::Stripes).open()?;

    let (mut idle, mut busy) = (Vec::new(), Vec::new());
    let mut deleted = 0;
    for _ in 0..ROUNDS {
        fill(&map, entries, expired)?;
        // Filling has left the caches with something else: a look makes them as they are for the round that finds nothing.
        collector.look_counted(NOW.into())?;
        let start = Instant::now();
        deleted = collector.round_counted(NOW.into())?.deleted;
        busy.push(start.elapsed());
        let start = Instant::now();
        let round = collector.round_counted(NOW.into())?;
        idle.push(start.elapsed());
        ensure!(round.deleted == 0, "a second round has deleted {} entries", round.deleted);
    }
    let all = (0..entries).filter(|number| number % 100 < expired).count() as u64;
    ensure!(deleted == all, "a round has deleted {deleted} entries");
    let (idle, busy) = (median(&mut idle), median(&mut busy));
    let live = f64::from(entries) - deleted as f64;
    println!("{entries} entries, {deleted} of them expired, median of {ROUNDS} rounds");
    println!("a round: {busy:?}; one that finds nothing: {idle:?}");
    println!("an entry that is live: {:.1} ns", idle.as_secs_f64() * 1e9 / live);
    println!("a removal, the walk included: {:.0} ns", busy.as_secs_f64() * 1e9 / deleted as f64);
    println!(
        "a removal, without the walk: {:.0} ns",
        busy.saturating_sub(idle).as_secs_f64() * 1e9 / deleted as f64
    );

    // Interrupts are off while the collector waits: this is the longest that a key can take.
    fill(&map, entries, expired)?;
    hold(&stripes)?;
    let start = Instant::now();
    let round = collector.round_counted(NOW.into())?;
    let waited = start.elapsed().saturating_sub(idle);
    ensure!(round.busy == all, "{} keys were busy, of {all} whose stripes are held", round.busy);
    println!("a key whose stripe is held by another: {:.1} us", waited.as_secs_f64() * 1e6 / all as f64);
    Ok(())
}

/// As programs do that never let go.
fn hold(stripes: &MapHandle) -> Result<()> {
    for key in stripes.keys() {
        let mut stripe = stripes.lookup(&key, MapFlags::ANY)?.context("a stripe is missing")?;
        stripe[..4].copy_from_slice(&1_u32.to_ne_bytes());
        stripes.update(&key, &stripe, MapFlags::ANY)?;
    }
    Ok(())
}

fn create(kind: MapType, name: &str, key: u32, value: u32, entries: u32) -> Result<MapHandle> {
    let options = libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_sys::bpf_map_create_opts>() as u64,
        ..Default::default()
    };
    MapHandle::create(kind, Some(name), key, value, entries, &options)
        .with_context(|| format!("cannot make the map {name}: are you root?"))
}

/// The entries that have expired are spread evenly.
fn fill(map: &MapHandle, entries: u32, expired: u32) -> Result<()> {
    for number in 0..entries {
        let mut key = [0; KEY as usize];
        key[..4].copy_from_slice(&number.to_ne_bytes());
        let mut value = [0; VALUE as usize];
        let lifetime = if number % 100 < expired { NOW - 1 } else { NOW };
        value[LIFETIME as usize..LIFETIME as usize + 4].copy_from_slice(&lifetime.to_ne_bytes());
        map.update(&key, &value, MapFlags::ANY)?;
    }
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
