// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a walk by `BPF_MAP_GET_NEXT_KEY` tells while entries come and go: it starts again where its key has gone, meets keys
//! twice, and misses keys that were there all the time. A collector that walks so has to bear all three. All of it holds with
//! and without the series, and needs no race: one thread does both. A list in batches is exact on a hash map; on an RHASH map
//! it misses keys while the kernel moves them to another table.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Create, Elements, Errno, Snapshot, map_create, update};

use crate::Context;
use crate::fixture::ALLOCATIONS;
use crate::verdict::{On, Tally, Test, Verdict};

/// Entries of a map, and so its buckets: some have several.
const ENTRIES: u32 = 256;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("walk::of_a_map_at_rest_meets_each_key_once", On::Both, at_rest),
        Test::new("walk::starts_again_where_its_key_has_gone", On::Both, starts_again),
        Test::new("walk::meets_keys_twice_where_it_deletes_as_it_goes", On::Both, twice),
        Test::new("walk::misses_a_key_that_is_replaced_and_never_absent", On::Both, missed),
        Test::new("walk::a_list_of_a_map_that_grows_misses_what_look_ups_find", On::Both, resized),
    ]
}

/// A full hash map.
struct Walked(OwnedFd);

impl Walked {
    fn new(flags: u32) -> Result<Self> {
        let map = map_create(&Create {
            map_type: abi::BPF_MAP_TYPE_HASH,
            key_size: 4,
            value_size: 8,
            max_entries: ENTRIES,
            flags,
            name: "walked",
            ..Create::default()
        });
        let map = Self(map.context("cannot make the map")?);
        (0..ENTRIES).try_for_each(|key| map.put(key))?;
        Ok(map)
    }

    fn elements(&self) -> Result<Elements<'_>> {
        Elements::new(self.0.as_fd()).context("cannot learn the sizes of the map")
    }

    fn put(&self, key: u32) -> Result<()> {
        update(self.0.as_fd(), &key.to_ne_bytes(), &[1; 8], 0).with_context(|| format!("cannot put {key}"))
    }

    fn delete(&self, key: u32) -> Result<()> {
        self.elements()?.delete(&key.to_ne_bytes()).with_context(|| format!("cannot delete {key}"))
    }

    fn look_up(&self, key: u32) -> Result<()> {
        let found = self.elements()?.look_up(&key.to_ne_bytes(), &mut [0; 8], 0);
        found.with_context(|| format!("cannot look {key} up"))
    }

    /// The key after that one; the first, if there is none before.
    fn next(&self, after: Option<u32>) -> Result<Option<u32>> {
        let after = after.map(u32::to_ne_bytes);
        let next = self.elements()?.next_key(after.as_ref().map(<[u8; 4]>::as_slice));
        let number = |key: Vec<u8>| Ok(u32::from_ne_bytes(key.as_slice().try_into()?));
        next.context("cannot walk on")?.map(number).transpose()
    }

    /// All keys that a list in batches has.
    fn listed(&self) -> Result<BTreeSet<u32>> {
        let elements = self.elements()?;
        let (mut keys, mut position, mut snapshot) = (BTreeSet::new(), None, Snapshot::default());
        loop {
            match elements.look_up_batch(position.as_ref(), 4 * (STAY + COME), &mut snapshot) {
                Ok(next) => position = next,
                // The key at which it was to go on is nowhere to be found.
                Err(Errno(libc::EAGAIN)) => {
                    position = None;
                    continue;
                }
                Err(errno) => return Err(errno).context("cannot list the map"),
            }
            for (key, _) in snapshot.entries(&elements) {
                keys.insert(u32::from_ne_bytes(key.try_into()?));
            }
            if position.is_none() {
                return Ok(keys);
            }
        }
    }

    /// All keys, as a walk meets them.
    fn order(&self) -> Result<Vec<u32>> {
        self.walk(|_| Ok(()))
    }

    /// Walks to the end, but no further than four times as many keys as there are; does something at each.
    fn walk(&self, mut at: impl FnMut(u32) -> Result<()>) -> Result<Vec<u32>> {
        let mut met = Vec::new();
        let mut key = self.next(None)?;
        while let Some(now) = key.filter(|_| met.len() < ENTRIES as usize * 4) {
            met.push(now);
            at(now)?;
            key = self.next(Some(now))?;
        }
        Ok(met)
    }
}

/// How often each key was met.
fn times(met: &[u32]) -> BTreeMap<u32, u32> {
    let mut times = BTreeMap::new();
    for &key in met {
        *times.entry(key).or_default() += 1;
    }
    times
}

/// Tries it with both ways in which a map gets its elements.
fn each(mut check: impl FnMut(&Walked) -> Result<Option<String>>) -> Result<Verdict> {
    let mut tally = Tally::default();
    for (name, flags) in ALLOCATIONS {
        tally.case(name, check(&Walked::new(flags)?)?);
    }
    Ok(tally.verdict())
}

/// The control of all that follow.
fn at_rest(_: &Context) -> Result<Verdict> {
    each(|map| {
        let met = map.order()?;
        let once = met.len() == ENTRIES as usize && times(&met).len() == ENTRIES as usize;
        Ok((!once).then(|| format!("{} keys met, {} of them different", met.len(), times(&met).len())))
    })
}

fn starts_again(_: &Context) -> Result<Verdict> {
    each(|map| {
        let order = map.order()?;
        let (first, at, after) = (order[0], order[order.len() / 2], order[order.len() / 2 + 1]);
        let next = map.next(Some(at))?;
        ensure!(next == Some(after), "after {at}, which is there, came {next:?}, not {after}");
        map.delete(at)?;
        let next = map.next(Some(at))?;
        Ok((next != Some(first))
            .then(|| format!("after {at}, which has gone, came {next:?}, not {first}, the first")))
    })
}

/// Deletes every fourth key as the walk stands on it, as a naive collector does.
fn twice(_: &Context) -> Result<Verdict> {
    each(|map| {
        let mut seen = 0;
        let met = map.walk(|key| {
            seen += 1;
            if seen % 4 == 0 { map.delete(key) } else { Ok(()) }
        })?;
        let twice = times(&met).values().filter(|&&times| times > 1).count();
        Ok((twice == 0).then(|| format!("{} keys met, none of them twice", met.len())))
    })
}

/// An update links a new element at the head of its bucket and unlinks the old one: behind the walk that stands in between.
fn missed(_: &Context) -> Result<Verdict> {
    each(|map| {
        let order = map.order()?;
        let mut missed = None;
        for pair in order.windows(2) {
            let [at, next] = [pair[0], pair[1]];
            map.put(next)?;
            if map.next(Some(at))? != Some(next) {
                map.look_up(next)?;
                missed = Some(next);
                break;
            }
        }
        Ok(missed.is_none().then(|| format!("of {} keys none was missed", order.len())))
    })
}

/// Keys that stay all the time.
const STAY: u32 = 512;
/// Others that come, so that the table grows, and go with their map.
const COME: u32 = 1 << 15;
/// It takes a race with the kernel's worker that moves the keys.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// Whether a table of so many keys has just got three to each four buckets, so that the kernel moves them to one of twice the size.
fn grows(keys: u32) -> bool {
    let full = keys.next_power_of_two() / 4 * 3;
    (full..full + 16).contains(&keys)
}

/// A list that left keys out which were there all the time.
struct Missed {
    keys: Vec<u32>,
    /// How many keys the map had by then.
    of: u32,
}

/// An RHASH map in which the keys that stay are, and are listed: the control.
fn resizable() -> Result<Option<Walked>> {
    let map = map_create(&Create {
        map_type: abi::BPF_MAP_TYPE_RHASH,
        key_size: 4,
        value_size: 8,
        max_entries: STAY + COME,
        flags: abi::BPF_F_NO_PREALLOC,
        name: "resized",
        ..Create::default()
    });
    let map = match map {
        Err(Errno(libc::EINVAL)) => return Ok(None),
        map => Walked(map.context("cannot make the map")?),
    };
    (0..STAY).try_for_each(|key| put_into_growing(&map, key))?;
    // It may be growing still.
    lists_all(&map, STAY)?;
    Ok(Some(map))
}

/// A table that is about to grow may refuse a key for a moment.
fn put_into_growing(map: &Walked, key: u32) -> Result<()> {
    let began = Instant::now();
    loop {
        match update(map.0.as_fd(), &key.to_ne_bytes(), &[1; 8], 0) {
            Err(Errno(libc::EBUSY | libc::ENOMEM)) if began.elapsed() < PATIENCE => thread::sleep(PAUSE),
            done => return done.with_context(|| format!("cannot put {key}")),
        }
    }
}

/// A map into which nobody puts anything is listed whole, once the kernel has moved its keys.
fn lists_all(map: &Walked, keys: u32) -> Result<()> {
    let began = Instant::now();
    loop {
        let listed = map.listed()?.len();
        if listed == keys as usize {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "{listed} of {keys} keys are listed at rest");
        thread::sleep(PAUSE);
    }
}

/// Puts keys, and lists the map where the table grows; each that a list misses is looked up.
fn missed_as_it_grows(map: &Walked, lists: &mut u32) -> Result<Option<Missed>> {
    for key in STAY..STAY + COME {
        put_into_growing(map, key)?;
        let of = key + 1;
        if !grows(of) {
            continue;
        }
        let listed = map.listed()?;
        *lists += 1;
        let keys: Vec<u32> = (0..of).filter(|key| !listed.contains(key)).collect();
        keys.iter().try_for_each(|&key| map.look_up(key))?;
        if !keys.is_empty() {
            return Ok(Some(Missed { keys, of }));
        }
    }
    Ok(None)
}

fn resized(_: &Context) -> Result<Verdict> {
    let (began, mut lists) = (Instant::now(), 0);
    while began.elapsed() < PATIENCE {
        let Some(map) = resizable()? else {
            return Ok(Verdict::Skip("this kernel has no RHASH maps".into()));
        };
        if let Some(Missed { keys, of }) = missed_as_it_grows(&map, &mut lists)? {
            lists_all(&map, of)?;
            let (missed, first) = (keys.len(), keys[0]);
            let said =
                format!("list {lists} misses {missed} of {of} keys, {first} first; at rest none is missed");
            return Ok(Verdict::Pass(said));
        }
    }
    Ok(Verdict::Skip(format!("none of {lists} lists missed a key")))
}
