// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kfuncs compare as the commands do; what makes no sense is refused when the program is loaded.

use std::error::Error;
use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use anyhow::{Context as _, Result};
use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::Func;
use libbpf_rs::skel::{OpenSkel as _, Skel as _, SkelBuilder as _};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, ProgramMut};

use super::run;
use crate::Context;
use crate::errno::{ENOENT, ESTALE};
use crate::fixture::Expect::{self, Deleted, Differs, Kept, Replaced};
use crate::fixture::{ENTRIES, Scratch, TARGET, kinds};
use crate::skeletons::kfunc::KfuncSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};

pub fn tests() -> Vec<Test> {
    type Run = fn(&Context) -> Result<Verdict>;
    let tests: [(&str, Run); 7] = [
        ("programs::a_kfunc_compares_whole_values_and_parts", compares),
        ("programs::a_kfunc_takes_the_key_of_a_for_each_callback", sweeps),
        ("programs::a_kfunc_takes_what_is_read_only", constants),
        ("programs::a_kfunc_takes_elements_of_other_maps_and_an_own_one_as_new_value", elements),
        ("programs::a_kfunc_takes_64_bytes_and_what_is_beside_a_timer", bounds),
        ("programs::a_kfunc_is_refused_at_load_where_it_makes_no_sense", refusals),
        ("programs::a_kfunc_is_refused_an_own_element_to_compare_with", own_element),
    ];
    let test = |(name, run): (&'static str, Run)| {
        Test::new(name, On::Series, move |context| {
            if !is_here() {
                return Ok(Verdict::Skip("this kernel has no such kfuncs".into()));
            }
            run(context).or_else(|error| match error.downcast_ref::<Refused>() {
                Some(refused) => Ok(Verdict::Fail(refused.to_string())),
                None => Err(error),
            })
        })
    };
    tests.into_iter().map(test).collect()
}

/// They are one more patch on top of the series.
fn is_here() -> bool {
    let find =
        || Btf::from_vmlinux().ok()?.type_by_name::<Func<'_>>("bpf_map_compare_and_update_elem").map(drop);
    find().is_some()
}

/// A program that the verifier should take and does not: the promise is broken, not the test.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refused {}

/// Values for the object's constants: key, expected bytes, new value.
type Constants = (u32, u64, u64);

/// Loads one program of the object, which uses the map of `scratch`, and does something with it.
fn with_program<T>(
    name: &str,
    scratch: Option<BorrowedFd<'_>>,
    constants: Constants,
    act: impl FnOnce(&ProgramMut<'_>, &dyn Fn(&str) -> Result<MapHandle>) -> Result<T>,
) -> Result<T> {
    let mut place = MaybeUninit::uninit();
    let mut open = KfuncSkelBuilder::default().open(&mut place).context("cannot open the BPF object")?;
    if let Some(fd) = scratch {
        open.maps.scratch.reuse_fd(fd).context("cannot share the map")?;
    }
    let data = open.maps.rodata_data.as_deref_mut().context("the object has no constants")?;
    (data.constant_key, data.constant_expected, data.constant_value) = constants;
    let mut programs = open.open_object_mut().progs_mut();
    let mut program = programs.find(|program| program.name() == name).context("no such program")?;
    program.set_autoload(true);
    drop(programs);
    let skeleton = open.load().map_err(|error| Refused(format!("{name} is refused: {error}")))?;
    let object = skeleton.object();
    let map = |name: &str| {
        let map = object.maps().find(|map| map.name() == name).context("no such map")?;
        MapHandle::try_from(&map).context("cannot use the map")
    };
    let program = object.progs_mut().find(|program| program.name() == name).context("no such program")?;
    act(&program, &map)
}

/// `struct request` of `kfunc.bpf.c`.
fn request(key: &[u8], update: bool, expected: &[u8], value: &[u8]) -> Vec<u8> {
    [key, &u32::from(update).to_ne_bytes(), expected, value].concat()
}

fn word(bytes: &[u8]) -> Result<u64> {
    Ok(u64::from_ne_bytes(bytes.try_into()?))
}

/// What becomes of the entry if it is equal.
fn equal(update: bool) -> Expect {
    if update { Replaced } else { Deleted }
}

const BOTH: [bool; 2] = [false, true];

fn compares(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(8))?;
        let (key, value, new) = (scratch.key(TARGET), scratch.value(TARGET), scratch.replacement());
        let flipped = |at: usize| {
            let mut bytes = value.to_vec();
            bytes[at] ^= 0x80;
            bytes
        };
        for (program, part) in [("compare", 0..8), ("compare_upper", 4..8)] {
            with_program(program, Some(scratch.fd()), (0, 0, 0), |program, _| {
                for update in BOTH {
                    let name = format!("{}, {:?}, update: {update}", kind.name, program.name());
                    let send = |key: &[u8], expected: &[u8], expect| -> Result<Option<String>> {
                        scratch.judge(run(program, &mut request(key, update, expected, new))?, expect)
                    };
                    tally.case(format_args!("{name}, equal"), send(key, value, equal(update))?);
                    for at in 0..8 {
                        let expect = if part.contains(&at) { Differs } else { equal(update) };
                        tally.case(format_args!("{name}, byte {at}"), send(key, &flipped(at), expect)?);
                    }
                    let absent = send(scratch.key(ENTRIES), value, Kept(ENOENT))?;
                    tally.case(format_args!("{name}, absent"), absent);
                }
                Ok(())
            })?;
        }
    }
    Ok(tally.verdict())
}

fn sweeps(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(8))?;
        with_program("sweep", Some(scratch.fd()), (0, 0, 0), |program, _| {
            for update in BOTH {
                let mut request = request(scratch.key(TARGET), update, &[0; 8], scratch.replacement());
                let problem = scratch.judge(run(program, &mut request)?, equal(update))?;
                tally.case(format_args!("{}, update: {update}", kind.name), problem);
            }
            Ok(())
        })?;
    }
    Ok(tally.verdict())
}

fn constants(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(8))?;
        let key = u32::from_ne_bytes(scratch.key(TARGET).try_into()?);
        let (value, new) = (word(scratch.value(TARGET))?, word(scratch.replacement())?);
        for (case, expected, differs) in [("equal", value, false), ("different", value ^ 1, true)] {
            with_program("constants", Some(scratch.fd()), (key, expected, new), |program, _| {
                for update in BOTH {
                    let expect = if differs { Differs } else { equal(update) };
                    let answer = run(program, &mut request(&[0; 4], update, &[0; 8], &[0; 8]))?;
                    let name = format!("{}, {case}, update: {update}", kind.name);
                    tally.case(name, scratch.judge(answer, expect)?);
                }
                Ok(())
            })?;
        }
    }
    Ok(tally.verdict())
}

fn elements(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(8))?;
        let (key, value, new) = (scratch.key(TARGET), scratch.value(TARGET), scratch.replacement());
        with_program("foreign_element", Some(scratch.fd()), (0, 0, 0), |program, _| {
            for update in BOTH {
                for (case, expected, expect) in
                    [("equal", value, equal(update)), ("different", scratch.value(0), Differs)]
                {
                    let answer = run(program, &mut request(key, update, expected, new))?;
                    let name = format!("{}, {case}, update: {update}", kind.name);
                    tally.case(name, scratch.judge(answer, expect)?);
                }
            }
            Ok(())
        })?;
        with_program("own_element_as_value", Some(scratch.fd()), (0, 0, 0), |program, _| {
            // It is replaced by one that holds the same.
            let answer = run(program, &mut request(key, true, value, new))?;
            let problem = (answer != Ok(())).then(|| format!("{answer:?}"));
            let after = scratch.judge(Err(ESTALE), Differs)?;
            tally.case(format_args!("{}, an own element as new value", kind.name), problem.or(after));
            Ok(())
        })?;
    }
    Ok(tally.verdict())
}

fn bounds(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let (key, other) = (3_u32.to_ne_bytes(), 7_u64.to_ne_bytes());
    for (program, map_name, zeroes) in [("longest", "large", 72), ("beside_a_timer", "timed", 24)] {
        with_program(program, None, (0, 0, 0), |program, map| {
            let map = map(map_name)?;
            for update in BOTH {
                map.update(&key, &vec![0; zeroes], MapFlags::ANY)?;
                let send =
                    |key: &[u8], expected: &[u8]| run(program, &mut request(key, update, expected, &other));
                let absent = send(&[9; 4], &[0; 8])?;
                let answer = send(&key, &[0; 8])?;
                let left = map.lookup(&key, MapFlags::ANY)?;
                let first = left.as_ref().map(|value| value[0]);
                let wanted = match (update, map_name) {
                    (false, _) => None,
                    (true, "timed") => Some(7),
                    (true, _) => Some(0),
                };
                let right = (absent, answer, first) == (Err(ENOENT), Ok(()), wanted);
                let said = || format!("{absent:?}, {answer:?}, {left:?}");
                tally.case(format_args!("{map_name}, update: {update}"), (!right).then(said));
            }
            map.update(&key, &vec![1; zeroes], MapFlags::ANY)?;
            let differs = run(program, &mut request(&key, false, &[0; 8], &other))?;
            tally.case(map_name, (differs != Err(ESTALE)).then(|| format!("{differs:?}")));
            Ok(())
        })?;
    }
    Ok(tally.verdict())
}

/// What the verifier says to a program that it refuses, for the reason that it should.
fn refused(name: &str, reason: &str) -> Result<Option<String>> {
    libbpf_log::clear();
    Ok(match with_program(name, None, (0, 0, 0), |_, _| Ok(())) {
        Ok(()) => Some("was loaded".into()),
        Err(_) if libbpf_log::said().iter().any(|line| line.contains(reason)) => None,
        Err(error) => Some(format!("not for '{reason}': {error:#}{}", libbpf_log::tail())),
    })
}

fn refusals(_: &Context) -> Result<Verdict> {
    const TYPE: &str = "cannot be used on map";
    const WINDOW: &str = "cannot compare";
    const LENGTH: &str = "compares at most 64 bytes";
    const MODE: &str = "needs to read and to write map";
    let mut tally = Tally::default();
    for (what, reason) in [
        ("array", TYPE),
        ("per_cpu", TYPE),
        ("spin_lock", TYPE),
        ("over_timer", WINDOW),
        ("empty", WINDOW),
        ("past", WINDOW),
        ("wraps", WINDOW),
        ("too_long", LENGTH),
        ("read_only", MODE),
        ("write_only", MODE),
        ("short_copy", "invalid"),
        ("unknown_window", "must be a known constant"),
    ] {
        for command in ["delete", "update"] {
            let name = format!("{what}_{command}");
            tally.case(&name, refused(&name, reason)?);
        }
    }
    Ok(tally.verdict())
}

fn own_element(_: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for name in ["own_element_delete", "own_element_update"] {
        tally.case(name, refused(name, "compares with a copy")?);
    }
    // Two maps in one outer map are all the same to the verifier but for which look-up they come from.
    tally.case("the same inner map", refused("own_element_of_inner", "compares with a copy")?);
    libbpf_log::clear();
    let loaded = with_program("element_of_other_inner", None, (0, 0, 0), |_, _| Ok(()));
    tally.case(
        "another inner map",
        loaded.err().map(|error| format!("was refused: {error:#}{}", libbpf_log::tail())),
    );
    Ok(tally.verdict())
}
