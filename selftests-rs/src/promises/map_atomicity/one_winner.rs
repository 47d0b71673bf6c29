// SPDX-License-Identifier: MIT OR Apache-2.0
//! Of several that create one key, or delete it, exactly one succeeds: `htab_map_update_elem()` looks for the key and links
//! the new element under the bucket lock, `htab_map_delete_elem()` looks and unlinks under it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use libbpf_rs::{ErrorKind, MapCore as _, MapFlags, MapHandle, MapType};

use super::contest::{self, Contest};
use super::{KEY, proves_nothing, word};
use crate::Context;
use crate::fixture::ALLOCATIONS;
use crate::verdict::{On, Tally, Test, Verdict};

const ROUNDS: u32 = 1500;

/// In every tenth round a control pauses between look-up and act, which has its CPU idle: where the host runs the
/// guest's CPUs one after the other, the other contender runs then. In all other rounds they meet as those of a promise do.
const PAUSE_EVERY: u32 = 10;
const PAUSE: Duration = Duration::from_micros(500);

/// Counts rounds, and pauses in some.
#[derive(Default)]
struct Pauses(AtomicU32);

impl Pauses {
    fn next_round(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn pause(&self) {
        if self.0.load(Ordering::Relaxed).is_multiple_of(PAUSE_EVERY) {
            thread::sleep(PAUSE);
        }
    }
}

pub fn tests() -> Vec<Test> {
    vec![
        Test::new(
            "map_atomicity::control_creators_that_look_first_and_put_any_all_believe_they_won",
            On::Both,
            |context| several_win(context, Creators::LookThenAny),
        ),
        Test::new("map_atomicity::of_creators_with_noexist_exactly_one_wins", On::Both, |context| {
            one_wins(context, Creators::NoExist)
        }),
        Test::new(
            "map_atomicity::creators_with_any_all_succeed_and_only_the_value_left_tells_who_was_last",
            On::Both,
            any_tells_nothing,
        ),
        Test::new(
            "map_atomicity::control_deleters_that_only_look_first_all_believe_they_won",
            On::Both,
            |context| several_win(context, Deleters::LookOnly),
        ),
        Test::new("map_atomicity::of_deleters_exactly_one_succeeds", On::Both, |context| {
            one_wins(context, Deleters::Answer)
        }),
    ]
}

/// How a contest on a map is made of what distinguishes it.
trait Rules: Copy + Sync + 'static {
    fn contest(self, map: MapHandle) -> impl Contest;
}

fn one_wins(context: &Context, rules: impl Rules) -> Result<Verdict> {
    let mut seen = Vec::new();
    let mut clean = true;
    for (name, flags) in ALLOCATIONS {
        let outcome = contest::run(&rules.contest(map(flags)?), ROUNDS, context, |_| true)?;
        clean &= outcome.exactly_one_each();
        seen.push(format!("{name}, {outcome}"));
    }
    let seen = seen.join("; ");
    Ok(if clean { Verdict::Pass(seen) } else { Verdict::Fail(seen) })
}

/// The same schedule with two steps instead of one. Were nobody to meet here, the promise would prove nothing.
fn several_win(context: &Context, rules: impl Rules) -> Result<Verdict> {
    let outcome = contest::run(&rules.contest(map(0)?), ROUNDS, context, |outcome| outcome.several > 0)?;
    Ok(if outcome.several > 0 {
        Verdict::Pass(outcome.to_string())
    } else {
        proves_nothing(context, outcome.to_string())
    })
}

fn map(flags: u32) -> Result<MapHandle> {
    let options = libbpf_rs::libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as _,
        map_flags: flags,
        ..Default::default()
    };
    MapHandle::create(MapType::Hash, Some("contested"), 4, 8, 4, &options).context("cannot make the map")
}

fn put(map: &MapHandle, value: u64, flags: MapFlags) -> libbpf_rs::Result<()> {
    map.update(&KEY, &value.to_ne_bytes(), flags)
}

fn is_there(map: &MapHandle) -> Result<bool> {
    Ok(map.lookup(&KEY, MapFlags::ANY).context("cannot look the key up")?.is_some())
}

/// True if the delete was answered with success.
fn delete(map: &MapHandle) -> Result<bool> {
    match map.delete(&KEY) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("cannot delete"),
    }
}

#[derive(Clone, Copy)]
enum Creators {
    /// `BPF_NOEXIST`; who is answered with success created it.
    NoExist,
    /// `BPF_ANY` where a look-up found nothing.
    LookThenAny,
}

impl Rules for Creators {
    fn contest(self, map: MapHandle) -> impl Contest {
        Creating { how: self, map, pauses: Pauses::default() }
    }
}

struct Creating {
    how: Creators,
    map: MapHandle,
    pauses: Pauses,
}

impl Contest for Creating {
    fn prepare(&self) -> Result<()> {
        self.pauses.next_round();
        delete(&self.map).map(drop)
    }

    fn act(&self, contender: u32) -> Result<bool> {
        match self.how {
            Creators::NoExist => match put(&self.map, contender.into(), MapFlags::NO_EXIST) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error).context("cannot create"),
            },
            Creators::LookThenAny if is_there(&self.map)? => Ok(false),
            Creators::LookThenAny => {
                self.pauses.pause();
                put(&self.map, contender.into(), MapFlags::ANY).map(|()| true).context("cannot put")
            }
        }
    }

    /// The value left is the winner's.
    fn contradiction(&self, winner: u32) -> Result<Option<String>> {
        let left = self.map.lookup(&KEY, MapFlags::ANY)?.map(|value| word(&value, 0));
        Ok((left != Some(winner.into())).then(|| format!("{winner} won, and {left:?} is there")))
    }
}

#[derive(Clone, Copy)]
enum Deleters {
    /// Who is answered with success deleted it.
    Answer,
    /// Who saw the entry just before says to have deleted it.
    LookOnly,
}

impl Rules for Deleters {
    fn contest(self, map: MapHandle) -> impl Contest {
        Deleting { how: self, map, pauses: Pauses::default() }
    }
}

struct Deleting {
    how: Deleters,
    map: MapHandle,
    pauses: Pauses,
}

impl Contest for Deleting {
    fn prepare(&self) -> Result<()> {
        self.pauses.next_round();
        put(&self.map, 0, MapFlags::NO_EXIST).context("the key was not deleted in the round before")
    }

    fn act(&self, _contender: u32) -> Result<bool> {
        match self.how {
            Deleters::Answer => delete(&self.map),
            Deleters::LookOnly => {
                let seen = is_there(&self.map)?;
                self.pauses.pause();
                delete(&self.map)?;
                Ok(seen)
            }
        }
    }

    fn contradiction(&self, _winner: u32) -> Result<Option<String>> {
        Ok(is_there(&self.map)?.then(|| "deleted, and still there".into()))
    }
}

/// No race is needed to see why `BPF_ANY` cannot create: the second answer is the first's.
fn any_tells_nothing(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for (name, flags) in ALLOCATIONS {
        let map = map(flags)?;
        let answers = [1, 2].map(|creator| put(&map, creator, MapFlags::ANY));
        if let Some(error) = answers.into_iter().find_map(Result::err) {
            bail!("an update with BPF_ANY was refused: {error}");
        }
        let left = map.lookup(&KEY, MapFlags::ANY)?.ok_or_else(|| anyhow!("the entry is not there"))?;
        let left = word(&left, 0);
        tally.case(name, (left != 2).then(|| format!("the value of creator {left} is left")));
    }
    Ok(tally.verdict())
}
