// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is refused as a whole leaves map, count and statuses as they were. On a kernel without batches of compares,
//! everything is.

use std::fs::File;
use std::os::fd::{AsFd as _, AsRawFd as _};

use anyhow::{Context as _, Result, anyhow};
use cmpdel_uapi::Map;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Batch, Create, Errno, Ptr, delete_batch, fd_by_id, freeze, map_create, update};
use libbpf_rs::{MapCore as _, MapHandle};

use super::is_here;
use super::table::Element::{Absent, Differs, Equal, Outside};
use super::table::{Made, Table, Wanted};
use crate::Context;
use crate::errno::{E2BIG, EBADF, EINVAL, EOPNOTSUPP, EPERM};
use crate::fixture::{WHOLE_ATTR, kinds};
use crate::objects::make_map;
use crate::skeletons::managed::ManagedSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("batch::a_field_that_does_not_fit_refuses_all_of_it", On::Both, fields),
        Test::new("batch::a_field_without_the_flag_refuses_all_of_it", On::Both, without_the_flag),
        Test::new("batch::nothing_is_taken_after_the_last_field", On::Both, trailing),
        Test::new("batch::an_fd_that_is_none_is_told_after_the_fields", On::Both, bad_fds),
        Test::new(
            "batch::a_count_of_zero_deletes_nothing_and_is_checked_all_the_same",
            On::Both,
            count_of_zero,
        ),
        Test::new("batch::needs_an_fd_that_may_read_and_write", On::Both, permissions),
        Test::new("batch::a_map_can_be_frozen_after_every_refusal", On::Both, freeze_afterwards),
        Test::new("batch::other_map_types_are_refused_and_unchanged", On::Both, other_types),
        Test::new("batch::without_the_flag_deletes_whatever_the_values", On::Both, plain),
    ]
}

const COMPARE: u64 = abi::BPF_F_COMPARE as u64;
const WINDOW: std::ops::Range<u32> = 8..12;
const VALUE_SIZE: u32 = 20;

/// What a kernel with batches says; any other says `-EINVAL` to bytes that it does not know.
fn unless_unknown(context: &Context, wanted: Wanted) -> Wanted {
    if is_here(context.kernel) { wanted } else { Wanted::Refused(EINVAL) }
}

/// Runs `case` on a map of each kind with a batch in which all would be deleted but one.
fn on_each(
    context: &Context,
    mut case: impl FnMut(&Table, &Made, &str, &mut Tally) -> Result<()>,
) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let table = Table::new(kind.shape(VALUE_SIZE), 4)?;
        let made = table.make(&[Equal(0), Differs(1), Absent(0), Outside(2)], WINDOW);
        case(&table, &made, kind.name, &mut tally)?;
        // The batch that every row spoils is one that deletes.
        let wanted = unless_unknown(context, Wanted::Done);
        tally.case(
            format_args!("{}, nothing spoilt", kind.name),
            table.try_batch(&made, &made.batch(), wanted)?,
        );
    }
    Ok(tally.verdict())
}

fn fields(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        let good = made.batch();
        let rows = [
            ("flags of the batch", Batch { flags: 1, ..good }),
            ("the flag among those of the batch", Batch { flags: COMPARE, ..good }),
            ("in_batch", Batch { in_batch: 8, ..good }),
            ("out_batch", Batch { out_batch: 8, ..good }),
            ("an empty window", Batch { compare_size: 0, ..good }),
            ("a window past the value", Batch { compare_offset: VALUE_SIZE - 3, ..good }),
            ("a window at the end", Batch { compare_offset: VALUE_SIZE, compare_size: 1, ..good }),
            ("a window that wraps", Batch { compare_offset: u32::MAX - 3, compare_size: 12, ..good }),
            ("a window that wraps to zero", Batch { compare_offset: 1, compare_size: u32::MAX, ..good }),
            ("a window of u32::MAX", Batch { compare_offset: 0, compare_size: u32::MAX, ..good }),
            (
                "a bad window and bad pointers",
                Batch {
                    compare_offset: VALUE_SIZE,
                    keys: Ptr::Null,
                    values: Ptr::Null,
                    statuses: Ptr::Null,
                    ..good
                },
            ),
        ];
        for (what, batch) in rows {
            tally.case(
                format_args!("{name}, {what}"),
                table.try_batch(made, &batch, Wanted::Refused(EINVAL))?,
            );
        }
        for bit in (0..64).map(|i| 1_u64 << i).filter(|&bit| bit != COMPARE) {
            let batch = Batch { elem_flags: COMPARE | bit, ..good };
            let problem = table.try_batch(made, &batch, Wanted::Refused(EINVAL))?;
            tally.case(format_args!("{name}, flag {bit:#x} beside"), problem);
        }
        Ok(())
    })
}

/// A flag lost on the way must not turn into a delete without a condition.
fn without_the_flag(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        let plain = Batch { elem_flags: 0, ..made.batch() };
        let (statuses, compare_offset, compare_size) = (Ptr::Null, 0, 0);
        let rows = [
            ("all of them", plain),
            ("statuses", Batch { compare_offset, compare_size, ..plain }),
            ("offset", Batch { statuses, compare_size, ..plain }),
            ("size", Batch { statuses, compare_offset, ..plain }),
            ("size beside another flag", Batch { elem_flags: 4, statuses, compare_offset, ..plain }),
        ];
        for (what, batch) in rows {
            tally.case(
                format_args!("{name}, {what}"),
                table.try_batch(made, &batch, Wanted::Refused(EINVAL))?,
            );
        }
        Ok(())
    })
}

fn trailing(context: &Context) -> Result<Verdict> {
    let whole = WHOLE_ATTR as usize;
    on_each(context, |table, made, name, tally| {
        for at in (72..whole).step_by(5).chain([whole - 1, whole, whole + 7, 4095]) {
            let errno = if at < whole { EINVAL } else { E2BIG };
            let batch = Batch { trailing: Some((at, 1)), ..made.batch() };
            let problem = table.try_sized(made, &batch, 4096, Wanted::Refused(errno))?;
            tally.case(format_args!("{name}, byte {at}"), problem);
        }
        Ok(())
    })
}

fn bad_fds(context: &Context) -> Result<Verdict> {
    let file = File::open("/dev/null")?;
    on_each(context, |table, made, name, tally| {
        let closed = Batch { fd: -1, ..made.batch() };
        let rows = [
            ("closed", closed, unless_unknown(context, Wanted::Refused(EBADF))),
            ("no map", Batch { fd: file.as_raw_fd(), ..closed }, Wanted::Refused(EINVAL)),
            ("closed, empty window", Batch { compare_size: 0, ..closed }, Wanted::Refused(EINVAL)),
            ("closed, no flag", Batch { elem_flags: 0, ..closed }, Wanted::Refused(EINVAL)),
            ("closed, flags", Batch { flags: 1, ..closed }, Wanted::Refused(EINVAL)),
        ];
        for (what, batch, wanted) in rows {
            tally.case(format_args!("{name}, {what}"), table.try_batch(made, &batch, wanted)?);
        }
        Ok(())
    })
}

fn count_of_zero(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        let none = table.make(&[], WINDOW);
        let empty = Batch { keys: made.batch().keys, values: made.batch().values, ..none.batch() };
        let nowhere = Batch { keys: Ptr::Null, values: Ptr::Null, statuses: Ptr::Null, ..empty };
        let bad = Batch { compare_offset: VALUE_SIZE, ..empty };
        let done = unless_unknown(context, Wanted::Done);
        tally.case(format_args!("{name}, pointers to elements"), table.try_batch(&none, &empty, done)?);
        tally.case(format_args!("{name}, null pointers"), table.try_batch(&none, &nowhere, done)?);
        tally
            .case(format_args!("{name}, bad window"), table.try_batch(&none, &bad, Wanted::Refused(EINVAL))?);
        Ok(())
    })
}

fn permissions(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, name, tally| {
        for (mode, flags) in [("read-only", abi::BPF_F_RDONLY), ("write-only", abi::BPF_F_WRONLY)] {
            let fd = fd_by_id(table.id()?, flags).context("cannot open the map in another mode")?;
            let batch = Batch { fd: fd.as_raw_fd(), ..made.batch() };
            let wanted = unless_unknown(context, Wanted::Refused(EPERM));
            tally.case(format_args!("{name}, {mode}"), table.try_batch(made, &batch, wanted)?);
            // Before anything that the map has to be known for.
            let worse = Batch { compare_offset: VALUE_SIZE, keys: Ptr::Null, ..batch };
            tally.case(format_args!("{name}, {mode}, worse"), table.try_batch(made, &worse, wanted)?);
        }
        Ok(())
    })
}

/// Freezing fails for as long as the kernel believes that somebody is writing. A frozen map is not deleted from.
fn freeze_afterwards(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, table) = (kind.name, Table::new(kind.shape(VALUE_SIZE), 4)?);
        let made = table.make(&[Equal(0), Equal(1)], WINDOW);
        let read_only = fd_by_id(table.id()?, abi::BPF_F_RDONLY)?;
        let good = made.batch();
        let refusals = [
            Batch { compare_size: 0, ..good },
            Batch { compare_offset: VALUE_SIZE, ..good },
            Batch { fd: read_only.as_raw_fd(), ..good },
            Batch { keys: Ptr::Unmapped, ..good },
            Batch { values: Ptr::Unmapped, ..good },
            Batch { statuses: Ptr::Unmapped, ..good },
            Batch { count: 0, ..good },
        ];
        for batch in refusals {
            // What each says is the matter of other tests.
            let _ = delete_batch(&batch, WHOLE_ATTR);
        }
        tally.case(name, freeze(table.fd()).err().map(|errno| format!("freezing says {errno}")));
        let wanted = unless_unknown(context, Wanted::Refused(EPERM));
        tally.case(format_args!("{name}, frozen"), table.try_batch(&made, &good, wanted)?);
    }
    Ok(tally.verdict())
}

fn other_types(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    let types = [
        ("percpu_hash", abi::BPF_MAP_TYPE_PERCPU_HASH, 0),
        ("lru_percpu_hash", abi::BPF_MAP_TYPE_LRU_PERCPU_HASH, 0),
        ("rhash", abi::BPF_MAP_TYPE_RHASH, abi::BPF_F_NO_PREALLOC),
        ("array", abi::BPF_MAP_TYPE_ARRAY, 0),
        ("lpm_trie", abi::BPF_MAP_TYPE_LPM_TRIE, abi::BPF_F_NO_PREALLOC),
    ];
    for (name, map_type, flags) in types {
        let create =
            Create { map_type, key_size: 8, value_size: 8, max_entries: 4, flags, ..Create::default() };
        let create = if name == "array" { Create { key_size: 4, ..create } } else { create };
        let Ok(fd) = map_create(&create) else { continue }; // Younger than some bases.
        let map = MapHandle::from_map_id(Map::new(fd.as_fd())?.info().id)?;
        // In a trie, a prefix of one bit.
        let key = vec![1, 0, 0, 0, 0, 0, 0, 0];
        let (key, values) =
            if name == "array" { (1_u32.to_ne_bytes().to_vec(), 1) } else { (key, possible_cpus()?) };
        update(fd.as_fd(), &key, &[7; 8].repeat(values), 0)
            .with_context(|| format!("cannot fill a {name}"))?;
        tally.case(name, unchanged(context, &map, &key)?);
    }
    for name in ["spin_lock", "timer"] {
        let map = make_map(ManagedSkelBuilder::default(), name)?;
        let key = 1_u32.to_ne_bytes();
        update(map.as_fd(), &key, &vec![0; map.value_size() as usize], 0)?;
        tally.case(format_args!("a value with a {name}"), unchanged(context, &map, &key)?);
    }
    Ok(tally.verdict())
}

fn possible_cpus() -> Result<usize> {
    libbpf_rs::num_possible_cpus().map_err(|error| anyhow!("cannot count the CPUs: {error}"))
}

/// Sends a batch of one key, whose expected bytes are what was put there.
fn unchanged(context: &Context, map: &MapHandle, key: &[u8]) -> Result<Option<String>> {
    let before = map.keys().count();
    let values = vec![7; map.value_size() as usize];
    let said = delete_batch(&Batch::compare(map.as_fd().as_raw_fd(), key, &values, 1, 0..4), WHOLE_ATTR);
    let wanted: Errno = if is_here(context.kernel) { EOPNOTSUPP } else { EINVAL };
    let after = map.keys().count();
    Ok(if before == 0 || after != before {
        Some(format!("{before} keys before and {after} after: {said:?}"))
    } else if said.answer != Err(wanted) || said.count != 1 {
        Some(format!("{said:?} instead of {wanted}"))
    } else {
        None
    })
}

/// The batch that everybody has used so far: it reads no values, and stops at an absent key.
fn plain(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let table = Table::new(kind.shape(VALUE_SIZE), 4)?;
        let made = table.make(&[Equal(0), Differs(1), Differs(3)], WINDOW);
        let values = made.batch().values;
        for (what, values) in [("with values", values), ("without", Ptr::Null)] {
            let batch = Batch { values, ..Batch::plain(made.batch().fd, &made.keys, made.count()) };
            let problem = table.try_batch(&made, &batch, Wanted::Unconditional)?;
            tally.case(format_args!("{}, {what}", kind.name), problem);
        }
        let made = table.make(&[Equal(0), Absent(0), Equal(1)], WINDOW);
        let said = delete_batch(&Batch::plain(made.batch().fd, &made.keys, made.count()), WHOLE_ATTR);
        let stopped = (said.count, said.answer) == (1, Err(Errno(libc::ENOENT)));
        let wrong = (!stopped).then(|| format!("{said:?} at an absent key"));
        // As if the batch had had one key.
        let first = cmpdel_uapi_raw::BatchAnswer { answer: Ok(()), ..said };
        let problem = wrong.or(table.judge(&made.elements[..1], 1, &first, Wanted::Unconditional)?);
        tally.case(format_args!("{}, an absent key", kind.name), problem);
    }
    Ok(tally.verdict())
}
