// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel gc` deletes what is too old and was not refreshed meanwhile, counts it right, and deletes nothing on a kernel
//! without the series.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{Map, Snapshot};
use cmpdel_uapi_raw::{Create, Elements, Errno, fd_by_id, freeze, map_create, update};
use serde_json::Value;

use crate::cmpdel::{ANYTHING_ELSE, NOT_PERMITTED, Run, UNSUPPORTED, USAGE};
use crate::errno::ENOENT;
use crate::fixture::map_of_numbers;
use crate::objects::make_map;
use crate::series::Series;
use crate::skeletons::flows::FlowsSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

/// Every expired entry was dealt with.
const COLLECTED: i32 = 0;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("gc::deletes_what_is_too_old_and_counts_it", On::Both, counts),
        Test::new("gc::a_dry_run_counts_and_deletes_nothing", On::Both, dry_run),
        Test::new("gc::what_does_not_fit_is_usage_and_deletes_nothing", On::Both, usage),
        Test::new("gc::maps_that_are_refused_are_unchanged", On::Both, refused_maps),
        Test::new("gc::a_refreshed_entry_is_never_deleted", On::Series, refreshed),
        Test::new("gc::is_of_use_where_only_programs_may_write", On::Both, read_only_for_programs),
    ]
}

/// A map of `entries` entries whose first four bytes are their number, as key and as value.
struct Numbers {
    fd: OwnedFd,
    entries: u32,
}

impl Numbers {
    fn new(map_type: u32, flags: u32, entries: u32) -> Result<Self> {
        // Room to spare, for an LRU map evicts early.
        let max_entries = entries * 4 + 1024;
        let fd = map_of_numbers(map_type, flags, max_entries)?;
        let numbers = Self { fd, entries };
        let elements = numbers.elements()?;
        (0..entries).try_for_each(|number| put(&elements, number, number, 0))?;
        Ok(numbers)
    }

    fn elements(&self) -> Result<Elements<'_>> {
        Ok(Elements::new(self.fd.as_fd())?)
    }

    fn run(&self, context: &Context, arguments: &str) -> Result<Run> {
        let id = Map::new(self.fd.as_fd())?.info().id.to_string();
        let all = ["gc", "--id", &id, "--offset", "4", "--type", "u32"];
        Run::new(context, &all.into_iter().chain(arguments.split_whitespace()).collect::<Vec<_>>())
    }

    /// Numbers that are there.
    fn left(&self) -> Result<Vec<u32>> {
        left(self.fd.as_fd())
    }

    /// What is wrong after a run that should have deleted all numbers below `threshold`.
    fn problem(&self, run: &Run, code: i32, threshold: u32) -> Result<Option<String>> {
        let left = self.left()?;
        let wanted: Vec<u32> = (threshold..self.entries).collect();
        let mut wrong = Vec::new();
        if run.code != Some(code) {
            wrong.push(format!("exit {:?} instead of {code}: {}", run.code, run.said()));
        }
        if left != wanted {
            wrong.push(format!(
                "{} entries are left, {} should be: {}",
                left.len(),
                wanted.len(),
                run.said()
            ));
        }
        let elements = self.elements()?;
        (0..threshold).try_for_each(|number| put(&elements, number, number, 0))?;
        Ok((!wrong.is_empty()).then(|| wrong.join(", ")))
    }
}

fn put(elements: &Elements<'_>, key: u32, time: u32, flags: u64) -> Result<(), Errno> {
    let mut value = [0xcc; 16];
    value[4..8].copy_from_slice(&time.to_ne_bytes());
    elements.update(&key.to_ne_bytes(), &value, flags)
}

fn left(map: BorrowedFd<'_>) -> Result<Vec<u32>> {
    let map = Map::new(map)?;
    let (mut walk, mut snapshot) = (map.walk(512)?, Snapshot::default());
    let mut numbers = Vec::new();
    while walk.next_into(&mut snapshot)? {
        numbers.extend(snapshot.keys().as_chunks().0.iter().map(|&key| u32::from_ne_bytes(key)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The types that this kernel compares in.
fn types(kernel: Kernel) -> &'static [(&'static str, u32, u32)] {
    const TYPES: [(&str, u32, u32); 3] = [
        ("hash", abi::BPF_MAP_TYPE_HASH, 0),
        ("hash, not preallocated", abi::BPF_MAP_TYPE_HASH, abi::BPF_F_NO_PREALLOC),
        ("lru_hash", abi::BPF_MAP_TYPE_LRU_HASH, 0),
    ];
    let v3 = kernel == Kernel::Base || Series::of_this_kernel() == Series::V3;
    if v3 { &TYPES } else { &TYPES[..2] }
}

/// Exit code and threshold of a run that should delete all below `threshold` where the series is.
fn unless_base(context: &Context, threshold: u32) -> (i32, u32) {
    match context.kernel {
        Kernel::Series => (COLLECTED, threshold),
        Kernel::Base => (UNSUPPORTED, 0),
    }
}

fn counts(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for &(name, map_type, flags) in types(context.kernel) {
        let numbers = Numbers::new(map_type, flags, 300)?;
        let rows = [
            ("--older-than 200 --batch 7", 200),
            ("--older-than 50 --now 250 --force", 200),
            ("--older-than 0", 0),
            ("--older-than 1", 1),
            ("--older-than 64 --batch 64", 64),
            ("--older-than 50 --now 20 --force", 0),
            ("--older-than 4294967296 --force", 300),
        ];
        // A run of a command takes long under emulation: all of them on one type is enough.
        let rows = if name == "hash" { &rows[..] } else { &rows[..2] };
        for &(arguments, threshold) in rows {
            let run = numbers.run(context, &format!("{arguments} --json"))?;
            let (code, deleted) = unless_base(context, threshold);
            tally.case(format_args!("{name}, {arguments}"), numbers.problem(&run, code, deleted)?);
            let said: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
            let is = |field: &str, wanted: u32| said[field] == wanted;
            let looked_at = if code == UNSUPPORTED { 0 } else { 300 };
            let right = said["exit_code"] == code
                && is("looked_at", looked_at)
                && is("expired", deleted)
                && is("deleted", deleted)
                && is("kept", 0)
                && is("absent", 0);
            tally.case(format_args!("{name}, {arguments} in JSON"), (!right).then(|| run.said()));
        }
    }
    Ok(tally.verdict())
}

fn dry_run(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let numbers = Numbers::new(abi::BPF_MAP_TYPE_HASH, 0, 100)?;
    let run = numbers.run(context, "--older-than 40 --dry-run")?;
    let (code, expired) = unless_base(context, 40);
    tally.case("dry run", numbers.problem(&run, code, 0)?);
    let right = expired == 0 || run.stdout.contains("40 of 100 entries");
    tally.case("its sentence", (!right).then(|| run.said()));
    Ok(tally.verdict())
}

fn usage(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let flows = make_map(FlowsSkelBuilder::default(), "flows")?;
    update(flows.as_fd(), &5_u32.to_ne_bytes(), &[0; 16], 0)?;
    let id = Map::new(flows.as_fd())?.info().id.to_string();
    let rows: [(&str, i32); 6] = [
        ("--field lifetime", USAGE),
        ("--older-than 5", USAGE),
        ("--older-than 5 --field no_such_field", USAGE),
        ("--older-than 5 --offset 13 --type u32", USAGE),
        ("--older-than 5 --offset 4294967295 --type u16", USAGE),
        ("--older-than 5 --field lifetime --name no_such_map", USAGE),
    ];
    for (arguments, code) in rows {
        let all: Vec<&str> = ["gc", "--id", &id].into_iter().chain(arguments.split_whitespace()).collect();
        let run = Run::new(context, &all)?;
        let there = left(flows.as_fd())? == [5];
        let right = there && run.code == Some(code);
        tally.case(
            arguments,
            (!right).then(|| format!("exit {:?}, entry there: {there}: {}", run.code, run.said())),
        );
    }
    let run =
        Run::new(context, &["gc", "--name", "no_such_map", "--older-than", "5", "--field", "lifetime"])?;
    tally.case("no such map", (run.code != Some(ANYTHING_ELSE)).then(|| run.said()));
    // The same map and field, spelt right.
    let run = Run::new(context, &["gc", "--id", &id, "--older-than", "5", "--field", "lifetime"])?;
    let (code, deleted) = unless_base(context, 1);
    let right = run.code == Some(code) && left(flows.as_fd())?.is_empty() == (deleted == 1);
    tally.case("nothing wrong", (!right).then(|| run.said()));
    Ok(tally.verdict())
}

fn refused_maps(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let numbers = Numbers::new(abi::BPF_MAP_TYPE_LRU_HASH, 0, 10)?;
    let refused = context.kernel == Kernel::Base || Series::of_this_kernel() == Series::Rfc;
    let (code, deleted) = if refused { (UNSUPPORTED, 0) } else { (COLLECTED, 5) };
    tally.case("lru_hash", numbers.problem(&numbers.run(context, "--older-than 5")?, code, deleted)?);

    let array = map_create(&Create {
        map_type: abi::BPF_MAP_TYPE_ARRAY,
        key_size: 4,
        value_size: 8,
        max_entries: 4,
        ..Create::default()
    })?;
    let id = Map::new(array.as_fd())?.info().id.to_string();
    let run = Run::new(context, &["gc", "--id", &id, "--offset", "0", "--type", "u32", "--older-than", "5"])?;
    tally.case("array", (run.code != Some(UNSUPPORTED)).then(|| run.said()));

    let numbers = Numbers::new(abi::BPF_MAP_TYPE_HASH, 0, 10)?;
    freeze(numbers.fd.as_fd()).context("cannot freeze")?;
    let run = numbers.run(context, "--older-than 5")?;
    let code = if context.kernel == Kernel::Base { UNSUPPORTED } else { NOT_PERMITTED };
    let there = numbers.left()?.len() == 10;
    let right = there && run.code == Some(code);
    tally
        .case("frozen", (!right).then(|| format!("exit {:?}, all there: {there}: {}", run.code, run.said())));
    Ok(tally.verdict())
}

/// Programs that may only read say nothing of user space.
fn read_only_for_programs(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for flags in [abi::BPF_F_RDONLY_PROG, abi::BPF_F_WRONLY_PROG] {
        let numbers = Numbers::new(abi::BPF_MAP_TYPE_HASH, flags, 10)?;
        // A second fd, as everybody has one.
        let _other = fd_by_id(Map::new(numbers.fd.as_fd())?.info().id, 0)?;
        let run = numbers.run(context, "--older-than 5")?;
        let (code, deleted) = unless_base(context, 5);
        tally.case(format_args!("flags {flags:#x}"), numbers.problem(&run, code, deleted)?);
    }
    Ok(tally.verdict())
}

const LATER: u32 = 1_000_000;

/// Refreshes entries all over the map, once the first was seen to be gone: a command takes far longer to start than to
/// collect. Returns the keys whose entries were there.
fn refresh(elements: &Elements<'_>, entries: u32, done: &AtomicBool) -> Result<Vec<u32>> {
    let keys = || (0..entries).map(|i| i.wrapping_mul(2_654_435_761) % entries);
    let is_over = || done.load(Ordering::Relaxed);
    let mut value = [0; 16];
    let mut is_there = |key: u32| elements.look_up(&key.to_ne_bytes(), &mut value, 0) != Err(ENOENT);
    while !is_over() && keys().all(&mut is_there) {}
    let mut refreshed = Vec::new();
    for key in keys().take_while(|_| !is_over()) {
        match put(elements, key, LATER, abi::BPF_EXIST.into()) {
            Ok(()) => refreshed.push(key),
            Err(ENOENT) => {}
            Err(errno) => bail!("cannot refresh: {errno}"),
        }
    }
    Ok(refreshed)
}

/// A datapath refreshes entries while the collector is at work. A refresh that found its entry keeps it.
fn refreshed(context: &Context) -> Result<Verdict> {
    const ENTRIES: u32 = 2000;
    let (mut rounds, mut met) = (0, 0);
    for _ in 0..12 {
        for &(name, map_type, flags) in types(context.kernel) {
            let numbers = Numbers::new(map_type, flags, ENTRIES)?;
            let (elements, done) = (numbers.elements()?, AtomicBool::new(false));
            let (run, refreshed) = thread::scope(|scope| -> Result<_> {
                let writer = scope.spawn(|| refresh(&elements, ENTRIES, &done));
                let run = numbers.run(context, &format!("--older-than {ENTRIES} --batch 256 --force --json"));
                done.store(true, Ordering::Relaxed);
                let refreshed = writer.join().map_err(|_| anyhow!("the writer panicked"))??;
                Ok((run?, refreshed))
            })?;
            rounds += 1;
            let left = numbers.left()?;
            let lost = refreshed.iter().filter(|key| left.binary_search(key).is_err()).count();
            let said: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
            let count = |field: &str| said[field].as_u64().unwrap_or(u64::MAX);
            let deleted = u64::from(ENTRIES) - left.len() as u64;
            if lost > 0 || run.code != Some(COLLECTED) || count("deleted") != deleted {
                return Ok(Verdict::Fail(format!(
                    "{name}: {lost} of {} refreshed entries are gone, {deleted} in all: {}",
                    refreshed.len(),
                    run.said()
                )));
            }
            met += count("kept");
        }
        // Each type has had its turn, and it was close.
        if met > 0 {
            break;
        }
    }
    let figures = format!("{met} entries were refreshed between look and delete, in {rounds} collections");
    Ok(match (met, context.cpus) {
        (0, 1) => Verdict::Skip(format!("one CPU: {figures}")),
        (0, _) => Verdict::Fail(figures),
        _ => Verdict::Pass(figures),
    })
}
