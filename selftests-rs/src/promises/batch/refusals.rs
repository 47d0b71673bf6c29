// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is refused as a whole leaves map, count and statuses as they were. On a kernel without batches of compares,
//! everything is.

use std::fs::File;
use std::os::fd::{AsFd as _, AsRawFd as _};

use anyhow::{Context as _, Result, anyhow};
use cmpdel_uapi::Map;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{
    Batch, BatchAnswer, COMPARE_BATCH_ATTR_SIZE, Command, Create, Errno, Ptr, WHOLE_ATTR, fd_by_id, freeze,
    map_create, update,
};
use libbpf_rs::{MapCore as _, MapHandle};

use super::is_here;
use super::table::Element::{Absent, Differs, Equal, Outside};
use super::table::{COMMANDS, Made, Model, Table, Wanted};
use crate::Context;
use crate::errno::{E2BIG, EBADF, EINVAL, EOPNOTSUPP, EPERM};
use crate::fixture::kinds;
use crate::verdict::{On, Tally, Test, Verdict};

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("batch::a_field_that_does_not_fit_refuses_all_of_it", On::Both, fields),
        Test::new("batch::a_field_without_the_flag_refuses_all_of_it", On::Both, without_the_flag),
        Test::new("batch::nothing_is_taken_after_the_last_field", On::Both, trailing),
        Test::new("batch::an_fd_that_is_none_is_told_after_the_fields", On::Both, bad_fds),
        Test::new("batch::a_count_of_zero_does_nothing_and_is_checked_all_the_same", On::Both, count_of_zero),
        Test::new("batch::needs_an_fd_that_may_read_and_write", On::Both, permissions),
        Test::new("batch::a_map_can_be_frozen_after_every_refusal", On::Both, freeze_afterwards),
        Test::new("batch::other_map_types_are_refused_and_unchanged", On::Both, other_types),
        Test::new("batch::without_the_flag_is_as_ever", On::Both, plain),
    ]
}

const COMPARE: u64 = abi::BPF_F_COMPARE as u64;
const WINDOW: std::ops::Range<u32> = 8..12;
const VALUE_SIZE: u32 = 20;

/// What a kernel with batches says; any other says `-EINVAL` to bytes that it does not know.
fn unless_unknown(context: &Context, wanted: Wanted) -> Wanted {
    if is_here(context.kernel) { wanted } else { Wanted::Refused(EINVAL) }
}

/// Runs `case` on a map of each kind, for each command, with a batch in which all would be dealt with but one.
fn on_each(
    context: &Context,
    mut case: impl FnMut(&Table, &Made, Batch<'_>, &str, &mut Tally) -> Result<()>,
) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let table = Table::new(kind.shape(VALUE_SIZE), 4)?;
        let made = table.make(&[Equal(0), Differs(1), Absent(0), Outside(2)], WINDOW);
        for command in COMMANDS {
            let name = format!("{}, {command:?}", kind.name);
            case(&table, &made, made.batch(command), &name, &mut tally)?;
        }
        // The batch that every row spoils is one that deletes.
        let wanted = unless_unknown(context, Wanted::Done);
        table.try_both(&mut tally, format_args!("{}, nothing spoilt", kind.name), &made, wanted)?;
    }
    Ok(tally.verdict())
}

fn fields(context: &Context) -> Result<Verdict> {
    on_each(context, |table, made, good, name, tally| {
        let rows = [
            ("flags of the batch", Batch { flags: 1, ..good }),
            ("the flag among those of the batch", Batch { flags: COMPARE, ..good }),
            ("in_batch", Batch { in_batch: 8, ..good }),
            ("out_batch", Batch { out_batch: 8, ..good }),
            ("an empty window", Batch { compare_size: 0, ..good }),
            ("a window past the value", Batch { compare_offset: VALUE_SIZE - 3, ..good }),
            ("a window at the end", Batch { compare_offset: VALUE_SIZE, compare_size: 1, ..good }),
            ("a window that wraps", Batch { compare_offset: u32::MAX - 3, compare_size: 12, ..good }),
            ("a stride less than the window", Batch { compare_stride: 3, ..good }),
            (
                "a bad window and bad pointers",
                Batch {
                    compare_offset: VALUE_SIZE,
                    keys: Ptr::Null,
                    compare: Ptr::Null,
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
        if good.command == Command::Delete {
            let values = Batch { values: Ptr::Bytes(&made.new), ..good };
            let problem = table.try_batch(made, &values, Wanted::Refused(EINVAL))?;
            tally.case(format_args!("{name}, values of a delete"), problem);
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
    on_each(context, |table, made, good, name, tally| {
        let plain = Batch { elem_flags: 0, ..good };
        let none = Batch {
            compare: Ptr::Null,
            statuses: Ptr::Null,
            compare_offset: 0,
            compare_size: 0,
            compare_stride: 0,
            ..plain
        };
        let rows = [
            ("all of them", plain),
            ("expected bytes", Batch { compare: plain.compare, ..none }),
            ("statuses", Batch { statuses: plain.statuses, ..none }),
            ("offset", Batch { compare_offset: plain.compare_offset, ..none }),
            ("size", Batch { compare_size: plain.compare_size, ..none }),
            ("stride", Batch { compare_stride: plain.compare_stride, ..none }),
            ("size beside another flag", Batch { elem_flags: 4, compare_size: 4, ..none }),
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
    on_each(context, |table, made, good, name, tally| {
        for at in
            (COMPARE_BATCH_ATTR_SIZE as usize..whole).step_by(3).chain([whole - 1, whole, whole + 7, 4095])
        {
            let errno = if at < whole { EINVAL } else { E2BIG };
            let batch = Batch { trailing: Some((at, 1)), ..good };
            let problem = table.try_sized(made, &batch, 4096, Wanted::Refused(errno))?;
            tally.case(format_args!("{name}, byte {at}"), problem);
        }
        Ok(())
    })
}

fn bad_fds(context: &Context) -> Result<Verdict> {
    let file = File::open("/dev/null")?;
    on_each(context, |table, made, good, name, tally| {
        let closed = Batch { fd: -1, ..good };
        let rows = [
            ("closed", closed, unless_unknown(context, Wanted::Refused(EBADF))),
            ("no map", Batch { fd: file.as_raw_fd(), ..closed }, Wanted::Refused(EINVAL)),
            (
                "closed, empty window",
                Batch { compare_size: 0, ..closed },
                unless_unknown(context, Wanted::Refused(EBADF)),
            ),
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
    on_each(context, |table, _, good, name, tally| {
        let none = table.make(&[], WINDOW);
        let empty = Batch { count: 0, statuses: Ptr::Null, ..good };
        let nowhere = Batch { keys: Ptr::Null, compare: Ptr::Null, ..empty };
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
    on_each(context, |table, made, good, name, tally| {
        for (mode, flags) in [("read-only", abi::BPF_F_RDONLY), ("write-only", abi::BPF_F_WRONLY)] {
            let fd = fd_by_id(table.id()?, flags).context("cannot open the map in another mode")?;
            let batch = Batch { fd: fd.as_raw_fd(), ..good };
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
        let good = made.batch(Command::Delete);
        let refusals = [
            Batch { compare_size: 0, ..good },
            Batch { compare_offset: VALUE_SIZE, ..good },
            Batch { fd: read_only.as_raw_fd(), ..good },
            Batch { keys: Ptr::Unmapped, ..good },
            Batch { compare_size: 65, compare_stride: 65, ..good },
            Batch { compare_stride: 1, ..good },
            Batch { compare: Ptr::Unmapped, ..good },
            Batch { statuses: Ptr::Unmapped, ..good },
            Batch { count: 0, ..good },
        ];
        for batch in refusals {
            // What each says is the matter of other tests.
            let _ = batch.send(WHOLE_ATTR);
            let _ = batch.updating(&made.new).send(WHOLE_ATTR);
        }
        tally.case(name, freeze(table.fd()).err().map(|errno| format!("freezing says {errno}")));
        let wanted = unless_unknown(context, Wanted::Refused(EPERM));
        table.try_both(&mut tally, format_args!("{name}, frozen"), &made, wanted)?;
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
    Ok(tally.verdict())
}

fn possible_cpus() -> Result<usize> {
    libbpf_rs::num_possible_cpus().map_err(|error| anyhow!("cannot count the CPUs: {error}"))
}

/// Sends batches of one key, whose expected bytes are what was put there.
fn unchanged(context: &Context, map: &MapHandle, key: &[u8]) -> Result<Option<String>> {
    let (before, new) = (map.keys().count(), vec![8; map.value_size() as usize]);
    let delete = Batch::compare(map.as_fd().as_raw_fd(), key, 1, 0..4, &[7; 4], 4);
    let wanted: Errno = if is_here(context.kernel) { EOPNOTSUPP } else { EINVAL };
    for batch in [delete, delete.updating(&new)] {
        let (said, after) = (batch.send(WHOLE_ATTR), map.keys().count());
        if before == 0 || after != before {
            return Ok(Some(format!("{before} keys before and {after} after: {said:?}")));
        }
        if said.answer != Err(wanted) || said.count != 1 {
            return Ok(Some(format!("{said:?} instead of {wanted}")));
        }
    }
    Ok(None)
}

/// The batch that everybody has used so far: it reads no values, and stops at an absent key.
fn plain(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let table = Table::new(kind.shape(VALUE_SIZE), 4)?;
        let made = table.make(&[Equal(0), Differs(1), Differs(3)], WINDOW);
        for (what, values) in [("with values", Ptr::Bytes(&made.seen)), ("without", Ptr::Null)] {
            let batch = Batch { values, ..Batch::plain(table.fd().as_raw_fd(), &made.keys, made.count()) };
            let problem = table.try_batch(&made, &batch, Wanted::Unconditional)?;
            tally.case(format_args!("{}, {what}", kind.name), problem);
        }
        let update = Batch::plain(table.fd().as_raw_fd(), &made.keys, made.count()).updating(&made.new);
        let problem = table.try_batch(&made, &update, Wanted::Unconditional)?;
        tally.case(format_args!("{}, an update", kind.name), problem);
        let made = table.make(&[Equal(0), Absent(0), Equal(1)], WINDOW);
        let said = Batch::plain(table.fd().as_raw_fd(), &made.keys, made.count()).send(WHOLE_ATTR);
        let stopped = (said.count, said.answer) == (1, Err(Errno(libc::ENOENT)));
        let wrong = (!stopped).then(|| format!("{said:?} at an absent key"));
        // As if the batch had had one key.
        let first = BatchAnswer { answer: Ok(()), ..said };
        let model = Model::run(Command::Delete, &made.elements[..1], Wanted::Unconditional);
        let problem = wrong.or(table.judge(&model, 1, &first)?);
        tally.case(format_args!("{}, an absent key", kind.name), problem);
    }
    Ok(tally.verdict())
}
