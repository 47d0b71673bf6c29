// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is special about an LRU hash: entries go by themselves. (Its part of the common contract is tried by the other
//! topics, eviction beside compare-and-delete by `atomicity::`.)

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{Map, Outcome, Window};
use cmpdel_uapi_raw::{Create, Elements, Errno, Single, Snapshot, WHOLE_ATTR, map_create, update};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Context;
use crate::errno::ESTALE;
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("lru::a_look_up_by_system_call_does_not_save_an_entry_from_eviction", On::Both, looked_up),
        Test::new("lru::a_mismatch_does_not_save_an_entry_from_eviction", On::Series, not_marked),
        Test::new("lru::an_evicted_entry_is_absent_and_one_put_back_differs", On::Series, evicted),
        Test::new("lru::what_was_deleted_makes_room_before_anything_is_evicted", On::Series, makes_room),
        Test::new(
            "lru::an_update_that_compares_evicts_neither_its_own_nor_if_refused",
            On::Series,
            evicts_for_itself_alone,
        ),
    ]
}

fn missing() -> Option<Verdict> {
    (Series::of_this_kernel() == Series::Rfc)
        .then(|| Verdict::Skip("this series refuses LRU hash maps".into()))
}

/// Elements that each CPU has in a map with lists of their own.
const EACH: u32 = 64;

/// A map whose lists are each CPU's own, and this thread on one CPU as long as it lives: so eviction is predictable.
struct Alone {
    fd: OwnedFd,
    before: CpuSet,
}

impl Alone {
    fn new() -> Result<Self> {
        let before = sched_getaffinity(None).context("cannot see the CPUs of this thread")?;
        let mut one = CpuSet::new();
        one.set(0);
        sched_setaffinity(None, &one).context("cannot run on CPU 0")?;
        let cpus = u32::try_from(libbpf_rs::num_possible_cpus()?)?;
        let fd = map_create(&Create {
            map_type: abi::BPF_MAP_TYPE_LRU_HASH,
            key_size: 4,
            value_size: 8,
            max_entries: EACH * cpus,
            flags: abi::BPF_F_NO_COMMON_LRU,
            name: "alone",
            ..Create::default()
        })
        .context("cannot make an LRU map")?;
        Ok(Self { fd, before })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn put(&self, key: u32) -> Result<()> {
        update(self.fd(), &key.to_ne_bytes(), &[key.to_ne_bytes(), [1; 4]].concat(), 0)
            .with_context(|| format!("cannot put {key}"))
    }

    fn is_there(&self, key: u32) -> Result<bool> {
        Ok(Map::new(self.fd())?.lookup(&key.to_ne_bytes())?.is_some())
    }

    /// Compare-and-delete with the first half of the value as window.
    fn delete(&self, key: u32, expected: u32) -> Result<Outcome> {
        let expected = expected.to_ne_bytes();
        Ok(Map::new(self.fd())?.delete_if_eq(&key.to_ne_bytes(), Window::whole(&expected))?)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // Whoever comes next has all CPUs again. It had them before, so this does not fail.
        let _ = sched_setaffinity(None, &self.before);
    }
}

/// Whether the oldest entry is still there after the first eviction, something having been done to it before.
fn survives(act: impl Fn(&Alone) -> Result<()>) -> Result<bool> {
    let map = Alone::new()?;
    // One is free for what `act` does.
    (0..EACH - 1).try_for_each(|key| map.put(key))?;
    act(&map)?;
    (EACH - 1..=EACH).try_for_each(|key| map.put(key))?;
    map.is_there(0)
}

/// Whoever watches a map from user space does not keep it from evicting what no packet uses.
fn looked_up(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let mut row = |what: &str, survives: bool, wanted: bool| {
        let problem = (survives != wanted)
            .then(|| format!("the entry was {}", if survives { "kept" } else { "evicted" }));
        tally.case(what, problem);
    };
    row("nothing done", survives(|_| Ok(()))?, false);
    let looked_up = survives(|map| (0..100).try_for_each(|_| map.is_there(0).map(drop)))?;
    row("looked up a hundred times", looked_up, false);
    let in_batches = survives(|map| {
        let (elements, mut snapshot) = (Elements::new(map.fd())?, Snapshot::default());
        elements.look_up_batch(None, EACH, &mut snapshot).context("cannot look up in a batch")?;
        ensure!(snapshot.entries(&elements).count() > 0, "a batch of nothing");
        Ok(())
    })?;
    row("looked up in a batch", in_batches, false);
    // The control: what a program does as it looks up, an update does as well.
    row("replaced", survives(|map| map.put(0))?, true);
    Ok(tally.verdict())
}

/// A collector that compares in vain must not make entries look used: what is stale would push out what is in use.
fn not_marked(_: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    let row = |survives: bool, wanted: bool| {
        (survives != wanted).then(|| format!("the entry was {}", if survives { "kept" } else { "evicted" }))
    };
    tally.case("nothing done", row(survives(|_| Ok(()))?, false));
    // The control: an entry that was replaced counts as used.
    tally.case("replaced", row(survives(|map| map.put(0))?, true));
    let compared = survives(|map| {
        for _ in 0..100 {
            ensure!(map.delete(0, 4711)? == Outcome::Mismatch, "no mismatch");
        }
        Ok(())
    })?;
    tally.case("compared a hundred times", row(compared, false));
    let in_batches = survives(|map| {
        let batch = Map::new(map.fd())?.delete_batch_if_eq(&[0; 4 * 100], &[7; 8 * 100], 0..4)?;
        ensure!(batch.count(Outcome::Mismatch) == 100, "{batch:?}");
        Ok(())
    })?;
    tally.case("compared in a batch", row(in_batches, false));
    Ok(tally.verdict())
}

fn evicted(_: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    let map = Alone::new()?;
    (0..EACH * 4).try_for_each(|key| map.put(key))?;
    let (mut gone, mut there) = (Vec::new(), Vec::new());
    for key in 0..EACH * 4 {
        if map.is_there(key)? { there.push(key) } else { gone.push(key) }
    }
    ensure!(!gone.is_empty() && !there.is_empty(), "{} evicted, {} left", gone.len(), there.len());
    let said = |outcome: Outcome, wanted: Outcome| (outcome != wanted).then(|| format!("{outcome:?}"));
    for &key in &gone {
        tally.case(format_args!("evicted {key}"), said(map.delete(key, key)?, Outcome::Absent));
    }
    // One comes back with another value: the old expectation must not hit it.
    let key = gone[0];
    update(map.fd(), &key.to_ne_bytes(), &[9; 8], 0)?;
    tally.case("put back", said(map.delete(key, key)?, Outcome::Mismatch));
    tally.case("its new value", said(map.delete(key, u32::from_ne_bytes([9; 4]))?, Outcome::Deleted));
    let last = there[there.len() - 1];
    tally.case("never evicted", said(map.delete(last, last)?, Outcome::Deleted));
    Ok(tally.verdict())
}

/// The element of a deleted entry goes back to the list that it came from.
fn makes_room(_: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut tally = Tally::default();
    let map = Alone::new()?;
    (0..EACH).try_for_each(|key| map.put(key))?;
    // The first half is never touched, and would be the first to go if there were no room.
    for key in EACH / 2..EACH * 4 {
        let outcome = map.delete(key, key)?;
        tally.case(format_args!("key {key}"), (outcome != Outcome::Deleted).then(|| format!("{outcome:?}")));
        map.put(key + EACH / 2)?;
    }
    for key in 0..EACH / 2 {
        let evicted = !map.is_there(key)?;
        tally.case(format_args!("key {key}"), evicted.then(|| "evicted although there was room".into()));
    }
    Ok(tally.verdict())
}

/// How the oldest or the newest entry of a full map is updated.
#[derive(Clone, Copy, Debug)]
enum Update {
    Plain,
    Equal,
    Different,
}

/// What the kernel says to it, and who is gone afterwards.
fn of_a_full_map(update: Update, key: u32) -> Result<(Result<(), Errno>, Vec<u32>)> {
    let map = Alone::new()?;
    (0..EACH).try_for_each(|key| map.put(key))?;
    let (bytes, other) = (key.to_ne_bytes(), (key + 1).to_ne_bytes());
    let plain = Single::plain(map.fd().as_raw_fd(), &bytes);
    let call = match update {
        Update::Plain => Single { flags: abi::BPF_EXIST.into(), ..plain },
        Update::Equal => Single::compare(plain.fd, &bytes, 0, &bytes),
        Update::Different => Single::compare(plain.fd, &bytes, 0, &other),
    };
    let answer = call.updating(&[7; 8]).send(WHOLE_ATTR);
    let mut gone = Vec::new();
    for key in 0..EACH {
        if !map.is_there(key)? {
            gone.push(key);
        }
    }
    Ok((answer, gone))
}

/// An element is taken for the new value, and where none is free it is that of another entry: not for an update that is
/// refused, and not the very one. A plain update does both.
fn evicts_for_itself_alone(_: &Context) -> Result<Verdict> {
    if let Some(skip) = missing() {
        return Ok(skip);
    }
    let mut seen = Vec::new();
    for key in [0, EACH / 2, EACH - 1] {
        let plain = of_a_full_map(Update::Plain, key)?;
        let (equal, others) = of_a_full_map(Update::Equal, key)?;
        let different = of_a_full_map(Update::Different, key)?;
        if equal.is_err() || others.contains(&key) || different != (Err(ESTALE), Vec::new()) {
            let said = format!("{key}: {equal:?} with {others:?} gone, and if it differs {different:?}");
            return Ok(Verdict::Fail(said));
        }
        seen.push(format!("key {key}: {} gone; a plain one: {plain:?}", others.len()));
    }
    Ok(Verdict::Pass(seen.join("; ")))
}
