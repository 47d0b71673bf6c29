// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values with fields that the kernel manages are refused: a look-up hides those bytes, so that a snapshot could not
//! match, and comparing them would tell kernel pointers byte by byte.

use std::os::fd::{AsFd, AsRawFd};

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi_raw::{Delete, delete_elem, freeze, update};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::Context;
use crate::errno::{ENOTSUPP, EOPNOTSUPP};
use crate::fixture::Expect::Kept;
use crate::fixture::WHOLE_ATTR;
use crate::objects::make_map;
use crate::skeletons::managed::ManagedSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};

/// The maps of `managed.bpf.c`, each called after its field.
const FIELDS: [&str; 11] = [
    "spin_lock",
    "res_spin_lock",
    "timer",
    "workqueue",
    "task_work",
    "refcount",
    "kptr_ref",
    "kptr_untrusted",
    "kptr_percpu",
    "list_head",
    "rb_root",
];

/// Where the ordinary field of each value ends and the managed one begins.
const PLAIN_END: usize = 8;

/// The managed field that is another one in each copy: a look-up sets up a list whose head points to itself.
const POINTS_TO_ITSELF: &str = "list_head";

pub fn tests() -> Vec<Test> {
    let mut tests: Vec<_> = FIELDS
        .iter()
        .map(|field| {
            let name = format!("managed::a_value_with_a_{field}_is_refused_and_unchanged");
            Test::new(name, On::Both, |context| run_field(field, context))
        })
        .collect();
    tests.push(Test::new("managed::a_value_with_a_uptr_is_refused_and_unchanged", On::Both, |_| {
        let reason = "the kernel allows a uptr in task_storage alone, which map_types:: sees refused";
        Ok(Verdict::Skip(reason.into()))
    }));
    tests
}

fn run_field(field: &str, context: &Context) -> Result<Verdict> {
    let map = make_map(ManagedSkelBuilder::default(), field)?;
    // libbpf makes a map without its BTF where the kernel refuses it, and the kernel itself ignores a field that it does not
    // understand. A value that it does manage shows in that its map cannot be frozen.
    ensure!(freeze(map.as_fd()) == Err(ENOTSUPP), "the kernel does not see the {field} in the map's value");
    let key = 7_u32.to_ne_bytes();
    let mut value = vec![0; map.value_size() as usize];
    value[..PLAIN_END].fill(0xab);
    update(map.as_fd(), &key, &value, 0)?;
    // The kernel sets up some fields itself, and a look-up tells of it.
    let value = map.lookup(&key, MapFlags::ANY)?.context("the entry is not there")?;
    let mut tally = Tally::default();
    let windows = [
        ("the plain field, equal", 0, &value[..PLAIN_END]),
        ("the plain field, different", 0, &[0; PLAIN_END][..]),
        ("the managed field", PLAIN_END, &value[PLAIN_END..]),
        ("the whole value", 0, &value[..]),
    ];
    for (name, offset, expected) in windows {
        let offset = u32::try_from(offset)?;
        let delete = Delete::compare(map.as_fd().as_raw_fd(), &key, offset, expected);
        let answer = delete_elem(&delete, WHOLE_ATTR);
        let unchanged = if field == POINTS_TO_ITSELF { &value[..PLAIN_END] } else { &value[..] };
        tally.case(name, problem(&map, &key, unchanged, answer, context)?);
    }
    Ok(tally.verdict())
}

fn problem(
    map: &MapHandle,
    key: &[u8],
    unchanged: &[u8],
    answer: Result<(), cmpdel_uapi_raw::Errno>,
    context: &Context,
) -> Result<Option<String>> {
    let expect = Kept(EOPNOTSUPP).unless_base(context.kernel);
    let after = map.lookup(key, MapFlags::ANY)?;
    Ok(if !after.as_ref().is_some_and(|after| after.starts_with(unchanged)) {
        Some(format!("{answer:?}, and the entry is now {after:02x?}"))
    } else if answer != expect.answer() {
        Some(format!("{answer:?} instead of {expect:?}"))
    } else {
        None
    })
}
