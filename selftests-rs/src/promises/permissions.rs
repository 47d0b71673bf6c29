// SPDX-License-Identifier: MIT OR Apache-2.0
//! Comparing tells what is in a value, so it needs an fd that may read *and* write. Such an fd is all the authority there is.

use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Errno, Ptr, Single, WHOLE_ATTR, fd_by_id, freeze};
use rustix::process::Uid;

use crate::Context;
use crate::errno::{EFAULT, EINVAL, ENOENT, EPERM};
use crate::fixture::Expect::{self, Deleted, Differs, Kept};
use crate::fixture::{Scratch, Shape, TARGET, kinds};
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};

const VALUE_SIZE: u32 = 16;

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("permissions::a_read_only_fd_says_eperm", On::Both, |context| {
            through(context, abi::BPF_F_RDONLY, Kept(EPERM))
        }),
        Test::new("permissions::a_write_only_fd_says_eperm_since_comparing_reads", On::Both, |context| {
            through(context, abi::BPF_F_WRONLY, Deleted)
        }),
        Test::new("permissions::a_frozen_map_says_eperm", On::Both, frozen),
        Test::new("permissions::an_fd_is_authority_enough_without_privileges", On::Both, unprivileged),
        Test::new("permissions::are_checked_before_type_window_and_pointers", On::Series, order),
        Test::new("permissions::a_map_can_be_frozen_after_every_refusal", On::Both, freeze_after_refusals),
    ]
}

/// A scratch map, and another fd of it in the mode of `flags`.
fn with_mode(flags: u32, shape: Shape) -> Result<(Scratch, OwnedFd)> {
    let scratch = Scratch::new(shape)?;
    let fd = fd_by_id(scratch.id()?, flags).context("cannot open the map in another mode")?;
    Ok((scratch, fd))
}

/// Compare-and-delete and the plain one through an fd of this mode; of the former nothing is ever deleted.
fn through(context: &Context, mode: u32, plain: Expect) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, (scratch, fd)) = (kind.name, with_mode(mode, kind.shape(VALUE_SIZE))?);
        let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
        let refused = Kept(EPERM).unless_base(context.kernel);
        for (kind, expected) in [("equal", &value[..8]), ("different", &value[8..])] {
            let compare = Single::compare(fd.as_raw_fd(), key, 0, expected);
            scratch.try_both(
                &mut tally,
                format!("{name}, {kind} window"),
                &compare,
                refused,
                context.kernel,
            )?;
        }
        let problem = scratch.try_call(&Single::plain(fd.as_raw_fd(), key), plain)?;
        tally.case(format_args!("{name}, plain delete"), problem);
    }
    Ok(tally.verdict())
}

fn frozen(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(VALUE_SIZE))?);
        freeze(scratch.fd()).context("cannot freeze")?;
        let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
        let refused = Kept(EPERM).unless_base(context.kernel);
        let compare = Single::compare(scratch.raw_fd(), key, 0, value);
        scratch.try_both(&mut tally, format!("{name}, compare"), &compare, refused, context.kernel)?;
        let plain = Single::plain(scratch.raw_fd(), key);
        tally.case(format_args!("{name}, plain delete"), scratch.try_call(&plain, Kept(EPERM))?);
    }
    Ok(tally.verdict())
}

/// A user that owns nothing. Its thread gives up all capabilities with its uid.
const NOBODY: u32 = 65534;

fn unprivileged(context: &Context) -> Result<Verdict> {
    let scratch = Scratch::new(Shape::hash(VALUE_SIZE, 0))?;
    let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
    let fd = scratch.raw_fd();
    let answers = thread::scope(|scope| {
        let thread = scope.spawn(|| -> Result<[Result<(), Errno>; 2]> {
            let nobody = Uid::from_raw(NOBODY);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody)
                .context("cannot give up privileges")?;
            let send = |offset, expected| Single::compare(fd, key, offset, expected).send(WHOLE_ATTR);
            Ok([send(0, &value[8..]), send(0, value)])
        });
        thread.join().map_err(|_| anyhow!("the unprivileged thread panicked"))?
    })?;
    let mut tally = Tally::default();
    let [different, equal] = answers;
    let wanted = Differs.unless_base(context.kernel).answer();
    tally.case(
        "different window",
        (different != wanted).then(|| format!("{different:?} instead of {wanted:?}")),
    );
    tally.case("equal window", scratch.judge(equal, Deleted.unless_base(context.kernel))?);
    Ok(tally.verdict())
}

fn order(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for (name, map_type) in [("hash", abi::BPF_MAP_TYPE_HASH), ("lru_hash", abi::BPF_MAP_TYPE_LRU_HASH)] {
        let shape = Shape { map_type, ..Shape::hash(VALUE_SIZE, 0) };
        for (mode, flags) in [("read-only", abi::BPF_F_RDONLY), ("write-only", abi::BPF_F_WRONLY)] {
            let (scratch, fd) = with_mode(flags, shape)?;
            let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
            let good = Single::compare(fd.as_raw_fd(), key, 0, value);
            let worse = [
                ("bad window", Single { compare_offset: 1, ..good }),
                ("window too long", Single { compare_size: 65, ..good }),
                ("bad key", Single { key: Ptr::Unmapped, ..good }),
                ("bad expected bytes", Single { compare: Ptr::Unmapped, ..good }),
            ];
            for (fault, delete) in worse {
                let name = format!("{mode} {name}, {fault}");
                scratch.try_both(&mut tally, name, &delete, Kept(EPERM), context.kernel)?;
            }
        }
    }
    Ok(tally.verdict())
}

/// Freezing fails for as long as the kernel believes that somebody is writing.
fn freeze_after_refusals(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(VALUE_SIZE))?);
        let read_only = fd_by_id(scratch.id()?, abi::BPF_F_RDONLY)?;
        let (key, value) = (scratch.key(TARGET), scratch.value(TARGET));
        let good = Single::compare(scratch.raw_fd(), key, 0, value);
        let refusals = [
            (Kept(EINVAL), Single { compare_size: 0, ..good }),
            (Kept(EPERM), Single { fd: read_only.as_raw_fd(), ..good }),
            (Kept(EINVAL), Single { compare_offset: 1, ..good }),
            (Kept(Series::of_this_kernel().too_long()), Single { compare_size: 65, ..good }),
            (Kept(EFAULT), Single { key: Ptr::Unmapped, ..good }),
            (Kept(EFAULT), Single { compare: Ptr::Unmapped, ..good }),
            (Kept(ENOENT), Single { key: Ptr::Bytes(&[0xee; 4]), ..good }),
            (Differs, Single { compare: Ptr::Bytes(&[0; VALUE_SIZE as usize]), ..good }),
        ];
        for (refusal, delete) in refusals {
            let (name, expect) = (format!("{name}, {refusal:?}"), refusal.unless_base(context.kernel));
            scratch.try_both(&mut tally, name, &delete, expect, context.kernel)?;
        }
        tally.case(name, freeze(scratch.fd()).err().map(|errno| format!("freezing says {errno}")));
    }
    Ok(tally.verdict())
}
