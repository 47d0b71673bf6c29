// SPDX-License-Identifier: MIT OR Apache-2.0
//! A user-space look-up is a copy, a program's a pointer to the element: it shows what is stored there later. An update
//! of a hash does not store there: `htab_map_update_elem()` fills another element, links it before the old one and unlinks
//! that. So whoever holds the old one keeps a whole old value, until `alloc_htab_elem()` fills it again: at the second
//! replacement on the same CPU (`extra_elems`), or as soon where the map allocates (`bpf_mem_cache_free()` puts it first on
//! the CPU's free list). No grace period lies between. An array's update, and a hash's with `BPF_F_LOCK`, store in place.

use std::mem::MaybeUninit;

use anyhow::{Context as _, Result, ensure};
use libbpf_rs::skel::{OpenSkel as _, SkelBuilder as _};
use libbpf_rs::{MapCore as _, MapFlags, MapType, ProgramInput};

use super::{KEY, word};
use crate::Context;
use crate::fixture::ALLOCATIONS;
use crate::skeletons::pointers::PointersSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};

pub fn tests() -> Vec<Test> {
    vec![
        Test::new(
            "map_atomicity::a_program_sees_a_later_store_through_its_pointer_and_a_copy_does_not",
            On::Both,
            pointer_and_copy,
        ),
        Test::new(
            "map_atomicity::control_a_store_in_place_shows_a_program_half_a_value",
            On::Both,
            in_place_tears,
        ),
        Test::new("map_atomicity::a_program_never_sees_half_of_one_replacement", On::Both, |_| {
            let mut tally = Tally::default();
            for (name, flags) in ALLOCATIONS {
                let seen = hold(Map::hash(flags), Change::Update, 1)?;
                tally.case(name, seen.unlike([OLD, OLD], [NEW, NEW]));
            }
            Ok(tally.verdict())
        }),
        Test::new(
            "map_atomicity::control_an_element_reused_by_a_later_replacement_shows_a_program_half_a_value",
            On::Both,
            reuse_tears,
        ),
        Test::new(
            "map_atomicity::a_reset_beside_atomic_adds_loses_or_splits_a_packet_whatever_its_flags",
            On::Both,
            reset_across,
        ),
    ]
}

/// As in `pointers.bpf.c`.
#[derive(Clone, Copy, Debug)]
enum Change {
    Store,
    Update,
    UpdateLocked,
}

/// Halves of a value before it changes, and after the first change; each later one adds [`STEP`].
const OLD: u64 = 10;
const NEW: u64 = 20;
const STEP: u64 = 1;

/// More replacements than this a run does not make.
const MOST: u64 = 16;

#[derive(Clone, Copy, Debug)]
struct Map {
    map_type: MapType,
    flags: u32,
}

impl Map {
    const ARRAY: Self = Self { map_type: MapType::Array, flags: 0 };

    fn hash(flags: u32) -> Self {
        Self { map_type: MapType::Hash, flags }
    }
}

/// A first and a last half.
type Halves = [u64; 2];

/// `struct held` of `pointers.bpf.c` after its request, and user space's copies beside it.
#[derive(Debug)]
struct Seen {
    /// The program's copy, from before the change.
    copied: Halves,
    /// Through its pointer: the first half before, the last after.
    across: Halves,
    after: Halves,
    fresh: Halves,
    /// User space's look-ups before the run, and after.
    user: [Halves; 2],
}

impl Seen {
    /// What was not seen as told: across and fresh.
    fn unlike(&self, across: Halves, fresh: Halves) -> Option<String> {
        let same = self.across == across && self.fresh == fresh;
        (!same).then(|| format!("{:?} and then {:?}", self.across, self.fresh))
    }
}

#[derive(Clone, Copy)]
struct Request {
    change: Change,
    times: u64,
    value: u64,
    step: u64,
}

#[derive(Clone, Copy)]
enum Run {
    Hold,
    CountAcross,
}

fn hold(map: Map, change: Change, times: u64) -> Result<Seen> {
    run(map, Run::Hold, Request { change, times, value: NEW, step: STEP }, OLD)
}

/// Runs one of the programs on a map of its own, in which both halves are `before`.
fn run(kind: Map, which: Run, request: Request, before: u64) -> Result<Seen> {
    let mut place = MaybeUninit::uninit();
    let mut open = PointersSkelBuilder::default().open(&mut place)?;
    open.maps.entries.set_type(kind.map_type)?;
    open.maps.entries.set_map_flags(kind.flags)?;
    let skeleton = open.load().context("cannot load the holding programs")?;
    let map = &skeleton.maps.entries;
    let start = [0, before, before].map(u64::to_ne_bytes).concat();
    map.update(&KEY, &start, MapFlags::ANY).context("cannot put the entry")?;
    let copy = || -> Result<Halves> {
        let value = map.lookup(&KEY, MapFlags::ANY)?.context("the entry is not there")?;
        Ok([word(&value, 1), word(&value, 2)])
    };
    let first_copy = copy()?;
    let Request { change, times, value, step } = request;
    let mut held = [change as u64, times, value, step, 0, 0, 0, 0, 0, 0, 0, 0].map(u64::to_ne_bytes).concat();
    let input = ProgramInput { context_in: Some(&mut held), ..ProgramInput::default() };
    let program = match which {
        Run::Hold => &skeleton.progs.hold,
        Run::CountAcross => &skeleton.progs.count_across,
    };
    let answer = program.test_run(input).context("cannot run the holding program")?.return_value;
    ensure!(answer == 0, "the entry was not there, or its update was refused");
    let halves = |index| [word(&held, index), word(&held, index + 1)];
    let (copied, across, after, fresh) = (halves(4), halves(6), halves(8), halves(10));
    Ok(Seen { copied, across, after, fresh, user: [first_copy, copy()?] })
}

/// What the pointer shows depends on whether the change is stored in the element; a copy shows none of it.
fn pointer_and_copy(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let hash = Map::hash(0);
    for (name, map, change, shown) in [
        ("hash, a store", hash, Change::Store, NEW),
        ("hash, an update with BPF_F_LOCK", hash, Change::UpdateLocked, NEW),
        ("hash, an update", hash, Change::Update, OLD),
        ("array, a store", Map::ARRAY, Change::Store, NEW),
        ("array, an update with BPF_F_LOCK", Map::ARRAY, Change::UpdateLocked, NEW),
        ("array, an update", Map::ARRAY, Change::Update, NEW),
    ] {
        let seen = hold(map, change, 1)?;
        let as_told = seen.after == [shown; 2]
            && seen.copied == [OLD; 2]
            && seen.user == [[OLD; 2], [NEW; 2]]
            && seen.fresh == [NEW; 2];
        tally.case(name, (!as_told).then(|| format!("{seen:?}")));
    }
    Ok(tally.verdict())
}

/// The other way to write a whole value, on the same steps as one replacement.
fn in_place_tears(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for (name, map, change) in [
        ("hash, stores", Map::hash(0), Change::Store),
        ("hash, an update with BPF_F_LOCK", Map::hash(0), Change::UpdateLocked),
        ("array, an update", Map::ARRAY, Change::Update),
    ] {
        tally.case(name, hold(map, change, 1)?.unlike([OLD, NEW], [NEW, NEW]));
    }
    Ok(tally.verdict())
}

/// "A reader never sees half a value on replace" holds for one replacement. Says at which one it ends.
fn reuse_tears(_: &Context) -> Result<Verdict> {
    let mut seen = Vec::new();
    for (name, flags) in ALLOCATIONS {
        let mut reused = None;
        for times in 2..=MOST {
            let across = hold(Map::hash(flags), Change::Update, times)?.across;
            if across != [OLD, OLD] {
                reused = Some((times, across));
                break;
            }
        }
        let Some((times, [first, last])) = reused else {
            return Ok(Verdict::Fail(format!("{name}: not reused by {MOST} replacements")));
        };
        seen.push(format!("{name}: {first} and {last} in one value after {times} replacements"));
    }
    Ok(Verdict::Pass(seen.join("; ")))
}

/// A packet is counted in two atomic adds, and the counters are reset to zero in between. What is left is never {1, 1},
/// the packet counted whole: atomic adds take no lock, so no flag of the reset can wait for them.
fn reset_across(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let hash = Map::hash(0);
    for (name, map, change, times, left) in [
        ("no reset", hash, Change::Update, 0, [1, 1]),
        ("hash, stores", hash, Change::Store, 1, [0, 1]),
        ("hash, an update with BPF_F_LOCK", hash, Change::UpdateLocked, 1, [0, 1]),
        ("hash, an update", hash, Change::Update, 1, [0, 0]),
        ("hash, two updates", hash, Change::Update, 2, [0, 1]),
        ("array, an update", Map::ARRAY, Change::Update, 1, [0, 1]),
    ] {
        let request = Request { change, times, value: 0, step: 0 };
        let seen = run(map, Run::CountAcross, request, 0)?.fresh;
        tally.case(name, (seen != left).then(|| format!("{seen:?} is left")));
    }
    Ok(tally.verdict())
}
