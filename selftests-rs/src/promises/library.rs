// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library says what happened in words, and deletes nothing on a kernel without the series.

use std::fs::File;
use std::os::fd::AsFd;

use anyhow::{Result, ensure};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{Error, Map, Outcome, Support, Window, delete_if_eq, probe, probe_batch, probe_map_type};
use cmpdel_uapi_raw::{Errno, fd_by_id, freeze};

use crate::fixture::Expect::{self, Deleted, Kept};
use crate::fixture::{ENTRIES, Scratch, Shape, TARGET, kinds};
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

const VALUE_SIZE: u32 = 56;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("library::the_probe_knows_whether_the_kernel_carries_the_series", On::Both, probes),
        Test::new("library::delete_if_eq_has_an_outcome_for_each_answer", On::Both, outcomes),
        Test::new("library::delete_if_eq_has_an_error_for_each_refusal", On::Both, errors),
        Test::new("library::a_check_deletes_nothing", On::Both, check),
        Test::new("library::a_batch_is_as_many_single_deletes", On::Both, batches),
        Test::new("library::a_batch_has_an_error_for_each_refusal", On::Both, batch_errors),
        Test::new("library::batches_and_types_are_probed_by_themselves", On::Both, other_probes),
    ]
}

fn probes(context: &Context) -> Result<Verdict> {
    let wanted = match context.kernel {
        Kernel::Series => Support::Supported,
        Kernel::Base => Support::Unsupported,
    };
    let seen = probe()?;
    Ok(if seen == wanted {
        Verdict::Pass(String::new())
    } else {
        Verdict::Fail(format!("{seen:?} instead of {wanted:?}"))
    })
}

/// An answer of the library in short.
type Said = Result<Outcome, &'static str>;

/// The same of any call of the library's.
pub(super) fn in_short<T>(answer: Result<T, Error>) -> Result<T, &'static str> {
    answer.map_err(|error| match error {
        Error::UnsupportedKernel => "unsupported kernel",
        Error::UnsupportedMap { .. } => "unsupported map",
        Error::Permission => "permission",
        Error::UnsupportedBatch { .. } => "unsupported batch",
        Error::UnsupportedUpdate { .. } => "unsupported update",
        Error::BatchLength { .. } => "batch length",
        Error::BadWindow { .. } => "bad window",
        Error::KeySize { .. } => "key size",
        Error::ValueSize { .. } => "value size",
        Error::NotAMap => "not a map",
        _ => "another error",
    })
}

/// On the base every answer of a kernel with the series turns into this one.
fn unless_base(context: &Context, said: Said) -> Said {
    match context.kernel {
        Kernel::Series => said,
        Kernel::Base => Err("unsupported kernel"),
    }
}

/// Compares an answer with the wanted one, and the entries with what that one says of them.
fn problem(scratch: &Scratch, answer: Result<Outcome, Error>, wanted: Said) -> Result<Option<String>> {
    // Only whether the entry is there matters to the fixture: the errno has become a word.
    let stays = Errno(0);
    let (done, expect): (_, Expect) = match wanted {
        Ok(Outcome::Deleted) => (Ok(()), Deleted),
        _ => (Err(stays), Kept(stays)),
    };
    let told = format!("{answer:?}");
    let mut seen: Vec<_> = scratch.judge(done, expect)?.into_iter().collect();
    if in_short(answer) != wanted {
        seen.push(format!("{told} instead of {wanted:?}"));
    }
    Ok((!seen.is_empty()).then(|| seen.join(", ")))
}

fn outcomes(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(VALUE_SIZE))?);
        let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
        let absent = scratch.key(ENTRIES);
        let rows = [
            ("whole value", &key, Window::whole(value), Outcome::Deleted),
            ("window", &key, Window::at(32, &value[32..36]), Outcome::Deleted),
            ("other bytes", &key, Window::at(32, &value[33..37]), Outcome::Mismatch),
            ("absent", &absent, Window::whole(value), Outcome::Absent),
        ];
        for (case, key, window, outcome) in rows {
            let answer = delete_if_eq(scratch.fd(), key, window);
            let problem = problem(&scratch, answer, unless_base(context, Ok(outcome)))?;
            tally.case(format_args!("{name}, {case}"), problem);
        }
    }
    Ok(tally.verdict())
}

fn errors(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let scratch = Scratch::new(Shape::hash(VALUE_SIZE, 0))?;
    let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
    let longer = vec![0; VALUE_SIZE as usize + 1];
    let arguments = [
        ("empty window", key, Window::whole(&[]), "bad window"),
        ("window past the value", key, Window::at(VALUE_SIZE - 3, &value[..4]), "bad window"),
        ("window that wraps", key, Window::at(u32::MAX, &value[..4]), "bad window"),
        ("window too long", key, Window::whole(&longer), "bad window"),
        ("short key", &key[..3], Window::whole(value), "key size"),
        ("long key", &longer, Window::whole(value), "key size"),
    ];
    for (case, key, window, wanted) in arguments {
        tally.case(case, problem(&scratch, delete_if_eq(scratch.fd(), key, window), Err(wanted))?);
    }
    for (case, mode) in [("read-only fd", abi::BPF_F_RDONLY), ("write-only fd", abi::BPF_F_WRONLY)] {
        let fd = fd_by_id(scratch.id()?, mode)?;
        let answer = delete_if_eq(fd.as_fd(), key, Window::whole(value));
        tally.case(case, problem(&scratch, answer, unless_base(context, Err("permission")))?);
    }
    let null = File::open("/dev/null")?;
    let answer = delete_if_eq(null.as_fd(), key, Window::whole(value));
    tally.case("not a map", problem(&scratch, answer, Err("not a map"))?);

    let rhash =
        Shape { map_type: abi::BPF_MAP_TYPE_RHASH, ..Shape::hash(VALUE_SIZE, abi::BPF_F_NO_PREALLOC) };
    // Younger than some bases.
    if let Ok(rhash) = Scratch::new(rhash) {
        let answer = delete_if_eq(rhash.fd(), key, Window::whole(value));
        tally.case("rhash", problem(&rhash, answer, unless_base(context, Err("unsupported map")))?);
    }

    freeze(scratch.fd())?;
    let answer = delete_if_eq(scratch.fd(), key, Window::whole(value));
    tally.case("frozen", problem(&scratch, answer, unless_base(context, Err("permission")))?);
    Ok(tally.verdict())
}

fn check(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let lru = Shape { map_type: abi::BPF_MAP_TYPE_LRU_HASH, ..Shape::hash(VALUE_SIZE, 0) };
    let rhash =
        Shape { map_type: abi::BPF_MAP_TYPE_RHASH, ..Shape::hash(VALUE_SIZE, abi::BPF_F_NO_PREALLOC) };
    let lru_is = (Series::of_this_kernel() == Series::Rfc).then_some("unsupported map");
    for (case, shape, series) in [
        ("hash", Shape::hash(VALUE_SIZE, 0), None),
        ("lru_hash", lru, lru_is),
        ("rhash", rhash, Some("unsupported map")),
    ] {
        let Ok(scratch) = Scratch::new(shape) else {
            ensure!(case == "rhash", "cannot make a {case}");
            continue; // Younger than some bases.
        };
        let said = Map::new(scratch.fd())?.check().map(|()| Outcome::Absent);
        let wanted = unless_base(context, series.map_or(Ok(Outcome::Absent), Err));
        tally.case(case, problem(&scratch, said, wanted)?);
    }
    Ok(tally.verdict())
}

/// A batch of the entries of a scratch map, in which all are equal but the second, and one more of none.
fn batch_of(scratch: &Scratch) -> (Vec<u8>, Vec<u8>) {
    let keys = (0..=ENTRIES).flat_map(|entry| scratch.key(entry).to_vec()).collect();
    let mut values: Vec<u8> = (0..=ENTRIES).flat_map(|entry| scratch.value(entry).to_vec()).collect();
    values[VALUE_SIZE as usize + 33] ^= 1;
    (keys, values)
}

/// What the two forms say of a map: each with its outcomes or its error, and how many entries are left.
fn batches(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let mut left = Vec::new();
        for form in ["batch", "each"] {
            let scratch = Scratch::new(kind.shape(VALUE_SIZE))?;
            let map = Map::new(scratch.fd())?;
            let (keys, values) = batch_of(&scratch);
            let answer = match form {
                "batch" => map.delete_batch_if_eq(&keys, &values, 32..36),
                _ => map.delete_each_if_eq(&keys, &values, 32..36),
            };
            let said = in_short(answer.map(|batch| (batch.outcomes, batch.ended.is_none())));
            let [deleted, kept, absent] = [Outcome::Deleted, Outcome::Mismatch, Outcome::Absent];
            let all = (vec![deleted, kept, deleted, deleted, absent], true);
            let wanted = match (context.kernel, Series::of_this_kernel(), form) {
                (Kernel::Base, ..) => Err("unsupported kernel"),
                (Kernel::Series, Series::Rfc, "batch") => Err("unsupported batch"),
                _ => Ok(all),
            };
            left.push(if wanted.is_ok() { 1 } else { usize::from(ENTRIES) });
            let problem = (said != wanted).then(|| format!("{said:?} instead of {wanted:?}"));
            tally.case(format_args!("{}, {form}", kind.name), problem);
            let there =
                (0..ENTRIES).filter(|&entry| map.lookup(scratch.key(entry)).is_ok_and(|v| v.is_some()));
            let there = there.count();
            let right = left.last() == Some(&there);
            tally.case(
                format_args!("{}, {form}, left", kind.name),
                (!right).then(|| format!("{there} entries")),
            );
        }
    }
    Ok(tally.verdict())
}

fn batch_errors(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let scratch = Scratch::new(Shape::hash(VALUE_SIZE, 0))?;
    let (keys, values) = batch_of(&scratch);
    let read_only = fd_by_id(scratch.id()?, abi::BPF_F_RDONLY)?;
    let map = Map::new(scratch.fd())?;
    let unless_missing = |said: &'static str| match (context.kernel, Series::of_this_kernel()) {
        (Kernel::Base, _) => "unsupported kernel",
        (_, Series::Rfc) => "unsupported batch",
        _ => said,
    };
    let short = &keys[..keys.len() - 4];
    let rows = [
        ("a value more", map.delete_batch_if_eq(short, &values, 0..4), "batch length"),
        ("part of a key", map.delete_batch_if_eq(&keys[1..], &values, 0..4), "batch length"),
        ("a window past the value", map.delete_batch_if_eq(&keys, &values, 54..58), "bad window"),
        ("an empty window", map.delete_batch_if_eq(&keys, &values, 8..8), "bad window"),
        (
            "read-only",
            Map::new(read_only.as_fd())?.delete_batch_if_eq(&keys, &values, 0..4),
            unless_missing("permission"),
        ),
    ];
    for (case, answer, wanted) in rows {
        let told = format!("{answer:?}");
        let said = in_short(answer.map(|_| Outcome::Deleted));
        tally.case(case, (said != Err(wanted)).then(|| format!("{told} instead of {wanted}")));
    }
    freeze(scratch.fd())?;
    let said = in_short(map.delete_batch_if_eq(&keys, &values, 0..4).map(|_| Outcome::Deleted));
    let wanted = unless_missing("permission");
    tally.case("frozen", (said != Err(wanted)).then(|| format!("{said:?} instead of {wanted}")));
    let there =
        (0..ENTRIES).filter(|&entry| map.lookup(scratch.key(entry)).is_ok_and(|v| v.is_some())).count();
    tally.case("left", (there != usize::from(ENTRIES)).then(|| format!("{there} entries")));
    Ok(tally.verdict())
}

fn other_probes(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let v3 = context.kernel == Kernel::Series && Series::of_this_kernel() == Series::V3;
    let first = context.kernel == Kernel::Series;
    let rows = [
        ("hash", probe_map_type(abi::BPF_MAP_TYPE_HASH)?, first),
        ("lru_hash", probe_map_type(abi::BPF_MAP_TYPE_LRU_HASH)?, v3),
        ("rhash", probe_map_type(abi::BPF_MAP_TYPE_RHASH)?, false),
        ("batches of hash", probe_batch(abi::BPF_MAP_TYPE_HASH)?, v3),
        ("batches of lru_hash", probe_batch(abi::BPF_MAP_TYPE_LRU_HASH)?, v3),
        ("batches of percpu_hash", probe_batch(abi::BPF_MAP_TYPE_PERCPU_HASH)?, false),
    ];
    for (case, seen, supported) in rows {
        let wanted = if supported { Support::Supported } else { Support::Unsupported };
        tally.case(case, (seen != wanted).then(|| format!("{seen:?}")));
    }
    Ok(tally.verdict())
}
