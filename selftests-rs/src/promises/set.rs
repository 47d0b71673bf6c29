// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library's compare-and-update and `cmpdel set`: what they replace, what they leave as it was, and that they insert nothing.

use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{Error, Map, Updated, Window};
use cmpdel_uapi_raw::{fd_by_id, freeze, update};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use super::library::in_short;
use crate::cmpdel::{DELETED, KEPT, NO_SUCH_KEY, NOT_PERMITTED, Run, UNSUPPORTED, USAGE};
use crate::fixture::{ENTRIES, Scratch, Shape, TARGET, has_updates, kinds};
use crate::objects::make_map;
use crate::skeletons::flows::FlowsSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

/// Exit code 0 is that of a value set as well.
const SET: i32 = DELETED;
const VALUE_SIZE: u32 = 56;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("set::update_if_eq_has_an_outcome_for_each_answer", On::Both, outcomes),
        Test::new("set::update_if_eq_has_an_error_for_each_refusal", On::Both, errors),
        Test::new("set::a_batch_is_as_many_single_updates", On::Both, batches),
        Test::new("set::exit_codes_are_those_of_the_contract", On::Both, exit_codes),
    ]
}

/// An answer of the library in short.
type Said = Result<Updated, &'static str>;

/// What a kernel without such updates says instead.
fn unless_missing(context: &Context, said: Said) -> Said {
    match context.kernel {
        Kernel::Base => Err("unsupported kernel"),
        Kernel::Series if !has_updates(context.kernel) => Err("unsupported update"),
        Kernel::Series => said,
    }
}

/// Compares an answer with the wanted one, and all entries with what that one says of them. Puts the target back.
fn problem(scratch: &Scratch, answer: Result<Updated, Error>, wanted: Said) -> Result<Option<String>> {
    let told = format!("{answer:?}");
    let mut wrong = Vec::new();
    if in_short(answer) != wanted {
        wrong.push(format!("{told} instead of {wanted:?}"));
    }
    let map = Map::new(scratch.fd())?;
    for entry in 0..=ENTRIES {
        let right = match entry {
            ENTRIES => None,
            TARGET if wanted == Ok(Updated::Replaced) => Some(scratch.replacement()),
            _ => Some(scratch.value(entry)),
        };
        if map.lookup(scratch.key(entry))?.as_deref() != right {
            wrong.push(format!("entry {entry} is not as it should be"));
        }
    }
    scratch.put(TARGET)?;
    Ok((!wrong.is_empty()).then(|| wrong.join(", ")))
}

fn outcomes(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(VALUE_SIZE))?;
        let map = Map::new(scratch.fd())?;
        let (key, value, new) = (scratch.key(TARGET), scratch.value(TARGET), scratch.replacement());
        let absent = scratch.key(ENTRIES);
        let rows = [
            ("whole value", key, Window::whole(value), Updated::Replaced),
            ("window", key, Window::at(32, &value[32..36]), Updated::Replaced),
            ("other bytes", key, Window::at(32, &value[33..37]), Updated::Mismatch),
            ("what it is to become", key, Window::whole(new), Updated::Mismatch),
            ("absent", absent, Window::whole(value), Updated::Absent),
        ];
        for (case, key, window, outcome) in rows {
            let answer = map.update_if_eq(key, new, window);
            let problem = problem(&scratch, answer, unless_missing(context, Ok(outcome)))?;
            tally.case(format_args!("{}, {case}", kind.name), problem);
        }
    }
    Ok(tally.verdict())
}

fn errors(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let scratch = Scratch::new(Shape::hash(VALUE_SIZE, 0))?;
    let (key, value, new) = (scratch.key(TARGET), scratch.value(TARGET), scratch.replacement());
    let map = Map::new(scratch.fd())?;
    let arguments = [
        ("empty window", key, new, Window::whole(&[]), "bad window"),
        ("window past the value", key, new, Window::at(VALUE_SIZE - 3, &value[..4]), "bad window"),
        ("window that wraps", key, new, Window::at(u32::MAX, &value[..4]), "bad window"),
        ("short key", &key[..3], new, Window::whole(value), "key size"),
        ("short value", key, &new[1..], Window::whole(value), "value size"),
        ("no value", key, &[], Window::whole(value), "value size"),
    ];
    for (case, key, new, window, wanted) in arguments {
        tally.case(case, problem(&scratch, map.update_if_eq(key, new, window), Err(wanted))?);
    }
    for (case, mode) in [("read-only fd", abi::BPF_F_RDONLY), ("write-only fd", abi::BPF_F_WRONLY)] {
        let fd = fd_by_id(scratch.id()?, mode)?;
        let answer = Map::new(fd.as_fd())?.update_if_eq(key, new, Window::whole(value));
        tally.case(case, problem(&scratch, answer, unless_missing(context, Err("permission")))?);
    }
    freeze(scratch.fd())?;
    let answer = map.update_if_eq(key, new, Window::whole(value));
    let said = in_short(answer);
    let wanted = unless_missing(context, Err("permission"));
    tally.case("frozen", (said != wanted).then(|| format!("{said:?} instead of {wanted:?}")));
    let kept = map.lookup(key)?.as_deref() == Some(value);
    tally.case("frozen, kept", (!kept).then(|| "the entry has changed".into()));
    Ok(tally.verdict())
}

/// The two forms say the same of a map in which all entries are as they were seen but one, and leave the same behind.
fn batches(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        for form in ["batch", "each"] {
            let scratch = Scratch::new(kind.shape(VALUE_SIZE))?;
            let map = Map::new(scratch.fd())?;
            let all = |of: &dyn Fn(u8) -> Vec<u8>| (0..=ENTRIES).flat_map(of).collect::<Vec<u8>>();
            let keys = all(&|entry| scratch.key(entry).to_vec());
            let mut seen = all(&|entry| scratch.value(entry).to_vec());
            let new = all(&|entry| scratch.value(entry).iter().map(|byte| !byte).collect());
            seen[(u32::from(TARGET) * VALUE_SIZE) as usize + 33] ^= 1;
            let answer = match form {
                "batch" => map.update_batch_if_eq(&keys, &seen, &new, 32..36),
                _ => map.update_each_if_eq(&keys, &seen, &new, 32..36),
            };
            let said = in_short(answer.map(|batch| (batch.outcomes, batch.ended.is_none())));
            let replaced = |entry| match entry {
                ENTRIES => Updated::Absent,
                TARGET => Updated::Mismatch,
                _ => Updated::Replaced,
            };
            let wanted = unless_missing(context, Ok(Updated::Replaced))
                .map(|_| ((0..=ENTRIES).map(replaced).collect::<Vec<_>>(), true));
            let name = format!("{}, {form}", kind.name);
            tally.case(&name, (said != wanted).then(|| format!("{said:?} instead of {wanted:?}")));
            for entry in 0..=ENTRIES {
                let value = map.lookup(scratch.key(entry))?;
                let changed = scratch.value(entry).iter().map(|byte| !byte).collect::<Vec<u8>>();
                let right = match replaced(entry) {
                    Updated::Absent => None,
                    Updated::Replaced if wanted.is_ok() => Some(changed),
                    _ => Some(scratch.value(entry).to_vec()),
                };
                let wrong = (value != right).then(|| "it is not as it should be".into());
                tally.case(format_args!("{name}, entry {entry}"), wrong);
            }
        }
    }
    Ok(tally.verdict())
}

/// `struct flow` of `flows.bpf.c`: packets 7, lifetime 42, flags 1, port 80.
const VALUE: [u8; 16] = [7, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 1, 0, 80, 0];
const HEX_VALUE: &str = "07 00 00 00 00 00 00 00 2a 00 00 00 01 00 50 00";
const KEYS: [u32; 2] = [5, 7];

/// The map of `flows.bpf.c` with two entries that hold [`VALUE`].
fn flows() -> Result<MapHandle> {
    let flows = make_map(FlowsSkelBuilder::default(), "flows")?;
    for key in KEYS {
        update(flows.as_fd(), &key.to_ne_bytes(), &VALUE, 0).context("cannot put an entry")?;
    }
    Ok(flows)
}

/// What is wrong after a run on key 5 that should have ended with `code` and left `lifetime` there.
fn left(flows: &MapHandle, run: &Run, code: i32, lifetime: u8) -> Result<Option<String>> {
    let mut wrong = Vec::new();
    if run.code != Some(code) {
        wrong.push(format!("exit {:?} instead of {code}: {}", run.code, run.said()));
    }
    let mut value = VALUE;
    value[8] = lifetime;
    for (key, right) in KEYS.into_iter().zip([value, VALUE]) {
        let there = flows.lookup(&key.to_ne_bytes(), MapFlags::ANY)?;
        if there.as_deref() != Some(&right[..]) {
            wrong.push(format!("key {key} holds {there:?} instead of {right:?}"));
        }
    }
    if flows.keys().count() != KEYS.len() {
        wrong.push("an entry was inserted or deleted".into());
    }
    Ok((!wrong.is_empty()).then(|| wrong.join(", ")))
}

fn exit_codes(context: &Context) -> Result<Verdict> {
    let new_value = HEX_VALUE.replace("2a", "2b");
    // What is found out without asking the kernel is the same everywhere.
    let rows: [(i32, &[&str]); 15] = [
        (SET, &["--key", "u32:5", "--expect", HEX_VALUE, "--value", &new_value]),
        (SET, &["--key", "u32:5", "--offset", "8", "--expect", "u32:42", "--value", "u32:43"]),
        (SET, &["--key", "u32:5", "--field", "lifetime", "--expect", "42", "--value", "43"]),
        (
            SET,
            &["--key", "u32:5", "--field", "lifetime", "--expect", "42", "--value", "43", "--rest-as-seen"],
        ),
        (SET, &["--key", "u32:5", "--expect", r#"{"lifetime": 42}"#, "--value", r#"{"lifetime": 43}"#]),
        (KEPT, &["--key", "u32:5", "--expect", &new_value, "--value", &new_value]),
        (KEPT, &["--key", "u32:5", "--offset", "8", "--expect", "u32:41", "--value", "u32:43"]),
        (KEPT, &["--key", "u32:5", "--field", "lifetime", "--expect", "41", "--value", "43"]),
        (NO_SUCH_KEY, &["--key", "u32:6", "--expect", HEX_VALUE, "--value", &new_value]),
        (NO_SUCH_KEY, &["--key", "u32:6", "--field", "lifetime", "--expect", "42", "--value", "43"]),
        (USAGE, &["--key", "u32:5", "--expect", HEX_VALUE]),
        (USAGE, &["--key", "u32:5", "--expect", HEX_VALUE, "--value", "0x2b"]),
        (USAGE, &["--key", "u32:5", "--offset", "8", "--expect", "u32:42", "--value", "u64:43"]),
        (USAGE, &["--key", "u32:5", "--field", "lifetime", "--expect", "42", "--value", "4294967296"]),
        (USAGE, &["--key", "u32:5", "--field", "lifetime", "--expect", "42", "--value", ""]),
    ];
    let unless_missing = |code| if code == USAGE || has_updates(context.kernel) { code } else { UNSUPPORTED };
    let mut tally = Tally::default();
    for (code, arguments) in rows {
        for dry in [true, false] {
            let flows = flows()?;
            let id = flows.info()?.info.id.to_string();
            let mut all = vec!["set", "--id", &id];
            all.extend(arguments);
            all.extend(dry.then_some("--dry-run"));
            let code = unless_missing(code);
            let lifetime = if code == SET && !dry { 43 } else { 42 };
            tally.case(all[3..].join(" "), left(&flows, &Run::new(context, &all)?, code, lifetime)?);
        }
    }
    let flows = flows()?;
    let id = flows.info()?.info.id.to_string();
    freeze(flows.as_fd()).context("cannot freeze")?;
    let all = ["set", "--id", &id, "--key", "u32:5", "--expect", HEX_VALUE, "--value", &new_value];
    tally.case("frozen", left(&flows, &Run::new(context, &all)?, unless_missing(NOT_PERMITTED), 42)?);
    Ok(tally.verdict())
}
