// SPDX-License-Identifier: MIT OR Apache-2.0
//! Old and new together: a caller of v3 on a kernel with `rfc` or without any series, a caller of `rfc` on one with v3, and two
//! collectors of which one knows of no compare. What is refused deletes nothing: docs/MIX.md has a row for each.

use std::os::fd::AsFd as _;

use anyhow::{Result, ensure};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi::{Map, Outcome, Window};
use cmpdel_uapi_raw::{Batch, Create, Elements, Errno, Single, WHOLE_ATTR, map_create};

use crate::cmpdel::{Run, UNSUPPORTED};
use crate::errno::{EBADF, EINVAL};
use crate::fixture::Expect::{Deleted, Differs, Kept};
use crate::fixture::{ENTRIES, Scratch, Shape, TARGET, kinds};
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

/// Bytes of the attribute as `rfc` has it: up to the size of the window.
const RFC_ATTR: u32 = 48;
const VALUE_SIZE: u32 = 16;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("mix::a_batch_of_v3_deletes_nothing_where_v3_is_not", On::Both, batches),
        Test::new("mix::an_update_of_v3_changes_nothing_where_v3_is_not", On::Both, updates),
        Test::new("mix::a_single_call_of_v3_is_one_of_rfc", On::Both, singles),
        Test::new("mix::a_probe_of_rfc_gets_its_answer_from_v3", On::Both, probe),
        Test::new("mix::a_gc_of_v3_collects_a_hash_or_says_that_it_cannot", On::Both, gc),
        Test::new("mix::a_collector_that_knows_no_compare_loses_beside_one_that_does", On::Both, careless),
    ]
}

/// What this kernel carries; none on the base.
fn series(context: &Context) -> Option<Series> {
    (context.kernel == Kernel::Series).then(Series::of_this_kernel)
}

fn batches(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(VALUE_SIZE))?;
        let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
        let batch = Batch::compare(scratch.raw_fd(), key, 1, 0..8, value, VALUE_SIZE);
        let answer = batch.send(WHOLE_ATTR).answer;
        let expect = if series(context) == Some(Series::V3) { Deleted } else { Kept(EINVAL) };
        tally.case(kind.name, scratch.judge(answer, expect)?);
    }
    Ok(tally.verdict())
}

fn updates(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(VALUE_SIZE))?;
        let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
        let update = Single::compare(scratch.raw_fd(), key, 0, &value[..8]).updating(scratch.replacement());
        tally.case(kind.name, scratch.try_call(&update, Deleted.of_an_update(context.kernel))?);
    }
    Ok(tally.verdict())
}

/// The attribute is the same. What differs is the word for a window that differs, which the caller of the one does not know
/// from the other: an errno of which it can only say that the call failed.
fn singles(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(VALUE_SIZE))?;
        let (key, value, other) = (scratch.key(TARGET), scratch.value(TARGET), scratch.value(0));
        for (caller, size) in [("rfc", RFC_ATTR), ("v3", WHOLE_ATTR)] {
            for (window, seen, expect) in [("equal", value, Deleted), ("different", other, Differs)] {
                let call = Single::compare(scratch.raw_fd(), key, 0, &seen[..8]);
                let problem = scratch.try_sized(&call, size, expect.unless_base(context.kernel))?;
                tally.case(format_args!("{}, caller of {caller}, {window}", kind.name), problem);
            }
        }
    }
    Ok(tally.verdict())
}

/// `rfc` tells by an fd that is none whether a kernel knows the flag.
fn probe(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let scratch = Scratch::new(Shape::hash(VALUE_SIZE, 0))?;
    let value = scratch.value(TARGET);
    let answer = Single::compare(-1, scratch.key(TARGET), 0, &value[..8]).send(RFC_ATTR);
    let wanted = if context.kernel == Kernel::Base { EINVAL } else { EBADF };
    tally.case("no fd", (answer != Err(wanted)).then(|| format!("{answer:?} instead of {wanted}")));
    Ok(tally.verdict())
}

/// The command takes batches where there are some, and single calls where not.
fn gc(context: &Context) -> Result<Verdict> {
    const NUMBERS: u32 = 100;
    let mut tally = Tally::default();
    let create = Create {
        map_type: abi::BPF_MAP_TYPE_HASH,
        key_size: 4,
        value_size: 4,
        max_entries: NUMBERS,
        ..Create::default()
    };
    let map = map_create(&create)?;
    let elements = Elements::new(map.as_fd())?;
    for number in (0..NUMBERS).map(u32::to_ne_bytes) {
        elements.update(&number, &number, 0)?;
    }
    let id = Map::new(map.as_fd())?.info().id.to_string();
    let run = Run::new(
        context,
        &["gc", "--id", &id, "--offset", "0", "--type", "u32", "--older-than", "40", "--force"],
    )?;
    let (code, gone) = if context.kernel == Kernel::Base { (UNSUPPORTED, 0) } else { (0, 40) };
    let mut value = [0; 4];
    let left = (0..NUMBERS).filter(|number| elements.look_up(&number.to_ne_bytes(), &mut value, 0).is_ok());
    let left: Vec<u32> = left.collect();
    let right = run.code == Some(code) && left == (gone..NUMBERS).collect::<Vec<_>>();
    tally.case("hash", (!right).then(|| format!("exit {:?}, {} left: {}", run.code, left.len(), run.said())));
    Ok(tally.verdict())
}

/// Both have seen the entry expired, and a packet has refreshed it since. The one that compares keeps it, or is refused; the
/// other deletes it, on any kernel.
fn careless(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let scratch = Scratch::new(kind.shape(VALUE_SIZE))?;
        let (map, elements) = (Map::new(scratch.fd())?, Elements::new(scratch.fd())?);
        let (key, seen) = (scratch.key(TARGET), scratch.value(TARGET).to_vec());
        elements.update(key, scratch.replacement(), abi::BPF_EXIST.into())?;
        let compared = map.delete_if_eq(key, Window::at(0, &seen[..8]));
        let kept = match (context.kernel, compared) {
            (Kernel::Series, Ok(Outcome::Mismatch))
            | (Kernel::Base, Err(cmpdel_uapi::Error::UnsupportedKernel)) => None,
            (_, other) => Some(format!("{other:?}")),
        };
        tally.case(format_args!("{}, the one that compares", kind.name), kept);
        let there = map.lookup(key)?.as_deref() == Some(scratch.replacement());
        tally.case(format_args!("{}, the refreshed entry", kind.name), (!there).then(|| "is gone".into()));
        let lost = elements.delete(key) == Ok(()) && map.lookup(key)?.is_none();
        tally.case(format_args!("{}, the one that does not", kind.name), (!lost).then(|| "kept it".into()));
        let others = (0..ENTRIES).filter(|&entry| entry != TARGET);
        for entry in others {
            ensure!(map.lookup(scratch.key(entry))?.is_some(), "another entry is gone");
        }
        ensure!(elements.delete(scratch.key(ENTRIES)) == Err(Errno(libc::ENOENT)), "an entry was made");
    }
    Ok(tally.verdict())
}
