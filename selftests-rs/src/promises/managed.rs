// SPDX-License-Identifier: MIT OR Apache-2.0
//! A window over a field that the kernel manages is refused: a look-up hides those bytes, so that a snapshot could not match,
//! and comparing them would tell kernel pointers byte by byte. A window beside it is like any other. A value with a lock in
//! it is updated in place, under that lock, and refused whatever the window.

use std::os::fd::{AsFd, AsRawFd};

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi_raw::{Batch, Errno, Single, WHOLE_ATTR, freeze, update};
use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::errno::{EINVAL, ENOTSUPP, EOPNOTSUPP};
use crate::fixture::Expect::{self, Deleted, Differs, Kept};
use crate::fixture::has_updates;
use crate::objects::make_map;
use crate::skeletons::managed::ManagedSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};
use crate::{Context, Kernel};

/// The maps of `managed.bpf.c` without a lock, each called after its field, with the bytes of it.
const FIELDS: [(&str, usize); 7] = [
    ("timer", 16),
    ("workqueue", 16),
    ("task_work", 8),
    ("refcount", 4),
    ("kptr_ref", 8),
    ("kptr_untrusted", 8),
    ("kptr_percpu", 8),
];

/// Those with a lock. List and tree need one.
const LOCKED: [&str; 4] = ["spin_lock", "res_spin_lock", "list_head", "rb_root"];

/// Where the field before the managed one ends. One more of this size is the last of the value.
const BEFORE: usize = 8;

/// The managed field that is another one in each copy: a look-up sets up a list whose head points to itself.
const POINTS_TO_ITSELF: &str = "list_head";

const KEY: [u8; 4] = 7_u32.to_ne_bytes();

pub fn tests() -> Vec<Test> {
    let fields = FIELDS.iter().map(|&(field, size)| {
        let name = format!("managed::a_value_with_a_{field}_is_compared_beside_it_alone");
        Test::new(name, On::Both, move |context| run_field(field, size, context))
    });
    let locked = LOCKED.iter().map(|field| {
        let name = format!("managed::a_value_with_a_{field}_is_refused_and_unchanged");
        Test::new(name, On::Both, |context| run_locked(field, context))
    });
    let uptr = Test::new("managed::a_value_with_a_uptr_is_refused_and_unchanged", On::Both, |_| {
        let reason = "the kernel allows a uptr in task_storage alone, which map_types:: sees refused";
        Ok(Verdict::Skip(reason.into()))
    });
    fields.chain(locked).chain([uptr]).collect()
}

/// A map with one entry, and what a look-up shows of it.
struct Managed {
    map: MapHandle,
    value: Vec<u8>,
    /// How much of it the next look-up shows as well.
    stable: usize,
}

impl Managed {
    fn new(field: &str) -> Result<Self> {
        let map = make_map(ManagedSkelBuilder::default(), field)?;
        // libbpf makes a map without its BTF where the kernel refuses it, and the kernel itself ignores a field that it does
        // not understand. A value that it does manage shows in that its map cannot be frozen.
        ensure!(
            freeze(map.as_fd()) == Err(ENOTSUPP),
            "the kernel does not see the {field} in the map's value"
        );
        let stable = if field == POINTS_TO_ITSELF { BEFORE } else { map.value_size() as usize };
        let mut managed = Self { map, value: Vec::new(), stable };
        managed.put()?;
        // The kernel sets up some fields itself, and a look-up tells of it.
        managed.value = managed.look_up()?.context("the entry is not there")?;
        Ok(managed)
    }

    fn fd(&self) -> i32 {
        self.map.as_fd().as_raw_fd()
    }

    fn filled(&self, byte: u8) -> Vec<u8> {
        let mut value = vec![0; self.map.value_size() as usize];
        value[..BEFORE].fill(byte);
        value
    }

    fn put(&self) -> Result<()> {
        Ok(update(self.map.as_fd(), &KEY, &self.filled(0xab), 0)?)
    }

    fn look_up(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.map.lookup(&KEY, MapFlags::ANY)?)
    }

    /// Sends a call and says what is wrong with the answer and the entry after it; then puts the entry back.
    fn try_call(&self, call: &Single<'_>, expect: Expect) -> Result<Option<String>> {
        let answer = call.send(WHOLE_ATTR);
        let after = self.look_up()?;
        let right = match (expect, &after) {
            (Deleted, after) => after.is_none(),
            (Expect::Replaced, Some(after)) => after[..BEFORE] == self.filled(0xcd)[..BEFORE],
            (_, Some(after)) => after[..self.stable] == self.value[..self.stable],
            (_, None) => false,
        };
        if answer.is_ok() || !right {
            self.put()?;
        }
        Ok(if !right {
            Some(format!("{answer:?}, and the entry is now {after:02x?}"))
        } else if answer != expect.answer() {
            Some(format!("{answer:?} instead of {expect:?}"))
        } else {
            None
        })
    }

    /// A delete, an update, and both in a batch of one, which are refused or find a window that differs.
    fn try_in_vain(
        &self,
        tally: &mut Tally,
        (offset, expected): (usize, &[u8]),
        expect: Expect,
        kernel: Kernel,
    ) -> Result<()> {
        let (start, new) = (u32::try_from(offset)?, self.filled(0xcd));
        let name = format!("{} bytes at {offset}", expected.len());
        let delete = Single::compare(self.fd(), &KEY, start, expected);
        tally.case(&name, self.try_call(&delete, expect)?);
        let of_an_update = expect.of_an_update(kernel);
        tally.case(format_args!("update, {name}"), self.try_call(&delete.updating(&new), of_an_update)?);
        let (end, stride) = (start + u32::try_from(expected.len())?, u32::try_from(expected.len())?);
        let batch = Batch::compare(self.fd(), &KEY, 1, start..end, expected, stride);
        for batch in [batch, batch.updating(&new)] {
            let said = batch.send(WHOLE_ATTR);
            let right = match of_an_update {
                Differs => said.answer.is_ok() && status(said.statuses[0]) == Differs.answer(),
                refused => said.answer == refused.answer(),
            };
            let kept = self.look_up()?.is_some_and(|after| after[..self.stable] == self.value[..self.stable]);
            let problem = (!right || !kept || said.count != 1).then(|| format!("{said:?}, kept: {kept}"));
            tally.case(format_args!("batch, {:?}, {name}", batch.command), problem);
        }
        Ok(())
    }
}

/// What a status says.
fn status(status: i32) -> Result<(), Errno> {
    if status == 0 { Ok(()) } else { Err(Errno(-status)) }
}

/// Every window that there is in the value, with bytes that differ, so that none of them matches.
fn run_field(field: &str, size: usize, context: &Context) -> Result<Verdict> {
    let (managed, kernel) = (Managed::new(field)?, context.kernel);
    let whole = managed.value.len();
    let mut tally = Tally::default();
    for (start, end) in (0..whole).flat_map(|start| (start + 1..=whole).map(move |end| (start, end))) {
        let differs: Vec<u8> = managed.value[start..end].iter().map(|byte| !byte).collect();
        let over = start < BEFORE + size && BEFORE < end;
        let expect = match (kernel, has_updates(kernel)) {
            (Kernel::Base, _) => Kept(EINVAL),
            (Kernel::Series, false) => Kept(EOPNOTSUPP),
            (Kernel::Series, true) if over => Kept(EINVAL),
            (Kernel::Series, true) => Differs,
        };
        managed.try_in_vain(&mut tally, (start, &differs), expect, kernel)?;
    }
    // And what is equal.
    let new = managed.filled(0xcd);
    for (start, end) in [(0, BEFORE), (whole - BEFORE, whole), (BEFORE, whole), (0, whole)] {
        let beside = end <= BEFORE || start >= BEFORE + size;
        let expect = match (kernel, has_updates(kernel)) {
            (Kernel::Base, _) => Kept(EINVAL),
            (Kernel::Series, false) => Kept(EOPNOTSUPP),
            (Kernel::Series, true) if beside => Deleted,
            (Kernel::Series, true) => Kept(EINVAL),
        };
        let equal = &managed.value[start..end];
        let delete = Single::compare(managed.fd(), &KEY, u32::try_from(start)?, equal);
        tally.case(format_args!("{start}..{end}, equal"), managed.try_call(&delete, expect)?);
        let problem = managed.try_call(&delete.updating(&new), expect.of_an_update(kernel))?;
        tally.case(format_args!("update, {start}..{end}, equal"), problem);
    }
    Ok(tally.verdict())
}

fn run_locked(field: &str, context: &Context) -> Result<Verdict> {
    let managed = Managed::new(field)?;
    let whole = managed.value.len();
    let mut tally = Tally::default();
    for (start, end) in [(0, BEFORE), (BEFORE, BEFORE + 4), (whole - BEFORE, whole), (0, whole)] {
        let equal = &managed.value[start..end];
        let different: Vec<u8> = equal.iter().map(|byte| !byte).collect();
        for expected in [equal, &different] {
            let expect = Kept(EOPNOTSUPP).unless_base(context.kernel);
            managed.try_in_vain(&mut tally, (start, expected), expect, context.kernel)?;
        }
    }
    // Also what would be refused elsewhere as well: the value decides first.
    let long = [0; 65];
    let expect = Kept(EOPNOTSUPP).unless_base(context.kernel);
    managed.try_in_vain(&mut tally, (0, &long), expect, context.kernel)?;
    Ok(tally.verdict())
}
