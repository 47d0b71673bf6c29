// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare-and-update replaces an element as an update does, if its value is as expected, and inserts none. (What it is refused
//! for is tried beside the delete, by the other topics.)

mod races;
mod timers;

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use anyhow::Result;
use cmpdel_uapi_raw::{Batch, Errno, Single, WHOLE_ATTR, update};
use libbpf_rs::{MapCore as _, MapHandle};

use crate::Context;
use crate::errno::{E2BIG, ENOENT, ESTALE};
use crate::fixture::{Kind, Shape, has_updates, kinds, map_of_numbers};
use crate::verdict::{On, Tally, Test, Verdict};

pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        test("update::an_element_is_replaced_if_equal_and_kept_if_not", replaces),
        test("update::an_absent_key_is_not_inserted", never_inserts),
        test("update::a_full_map_has_room_for_it_and_for_no_more_afterwards", counts),
    ];
    tests.extend(timers::tests());
    tests.extend(races::tests());
    tests
}

/// One that is left out where there are no such updates.
fn test(name: &'static str, run: fn(&Context) -> Result<Verdict>) -> Test {
    Test::new(name, On::Series, move |context| {
        if has_updates(context.kernel) {
            run(context)
        } else {
            Ok(Verdict::Skip("this series has no such updates".into()))
        }
    })
}

/// A map with keys of 4 and values of 16 bytes.
struct Numbers {
    fd: OwnedFd,
    handle: MapHandle,
}

impl Numbers {
    fn new(kind: Kind, max_entries: u32) -> Result<Self> {
        let Shape { map_type, flags, .. } = kind.shape(16);
        let fd = map_of_numbers(map_type, flags, max_entries)?;
        let id = cmpdel_uapi::Map::new(fd.as_fd())?.info().id;
        Ok(Self { fd, handle: MapHandle::from_map_id(id)? })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn put(&self, key: u32, value: u64) -> Result<(), Errno> {
        update(self.fd(), &key.to_ne_bytes(), &pair(value), 0)
    }

    fn get(&self, key: u32) -> Result<Option<Vec<u8>>> {
        Ok(cmpdel_uapi::Map::new(self.fd())?.lookup(&key.to_ne_bytes())?)
    }

    /// Replaces the value, if its second half is `expected`.
    fn replace(&self, key: u32, expected: u64, value: u64) -> Result<(), Errno> {
        let (key, expected, value) = (key.to_ne_bytes(), expected.to_ne_bytes(), pair(value));
        Single::compare(self.fd.as_raw_fd(), &key, 8, &expected).updating(&value).send(WHOLE_ATTR)
    }

    fn count(&self) -> usize {
        self.handle.keys().count()
    }
}

/// A value of two numbers.
fn pair(number: u64) -> [u8; 16] {
    let mut value = [0; 16];
    value[..8].copy_from_slice(&(!number).to_ne_bytes());
    value[8..].copy_from_slice(&number.to_ne_bytes());
    value
}

fn wrong<T: PartialEq + std::fmt::Debug>(seen: &T, right: &T) -> Option<String> {
    (seen != right).then(|| format!("{seen:?} instead of {right:?}"))
}

fn replaces(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let numbers = Numbers::new(*kind, 64)?;
        numbers.put(1, 0)?;
        for number in 0..100 {
            let name = format!("{}, {number}", kind.name);
            for stale in [number + 1, number ^ 1 << 63] {
                tally.case(
                    format_args!("{name}, not equal"),
                    wrong(&numbers.replace(1, stale, 7), &Err(ESTALE)),
                );
                let kept = wrong(&numbers.get(1)?, &Some(pair(number).to_vec()));
                tally.case(format_args!("{name}, kept"), kept);
            }
            tally
                .case(format_args!("{name}, equal"), wrong(&numbers.replace(1, number, number + 1), &Ok(())));
            let replaced = wrong(&numbers.get(1)?, &Some(pair(number + 1).to_vec()));
            tally.case(format_args!("{name}, replaced"), replaced);
        }
        // A new value equal to the old one is one all the same.
        tally.case(format_args!("{}, the same", kind.name), wrong(&numbers.replace(1, 100, 100), &Ok(())));
        tally.case(format_args!("{}, keys", kind.name), wrong(&numbers.count(), &1));
    }
    Ok(tally.verdict())
}

/// Neither into an empty map, nor into a full one, alone or in a batch.
fn never_inserts(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let numbers = Numbers::new(*kind, 64)?;
        for filled in [0, 1, 8] {
            (0..filled).try_for_each(|key| numbers.put(key, 0))?;
            let name = format!("{}, {filled} entries", kind.name);
            for expected in [0, u64::MAX] {
                tally.case(
                    format_args!("{name}, single"),
                    wrong(&numbers.replace(100, expected, 7), &Err(ENOENT)),
                );
            }
            let keys: Vec<u8> = (100..104_u32).flat_map(u32::to_ne_bytes).collect();
            let (expected, values) = ([0; 8 * 4], pair(7).repeat(4));
            let batch = Batch::compare(numbers.fd.as_raw_fd(), &keys, 4, 8..16, &expected, 8);
            let said = batch.updating(&values).send(WHOLE_ATTR);
            let right = (Ok(()), 4, vec![-ENOENT.0; 4]);
            tally.case(
                format_args!("{name}, batch"),
                wrong(&(said.answer, said.count, said.statuses), &right),
            );
            tally.case(format_args!("{name}, keys"), wrong(&numbers.count(), &(filled as usize)));
        }
    }
    Ok(tally.verdict())
}

/// An element that is replaced is given back, and counted once. One that was not used is, too.
fn counts(context: &Context) -> Result<Verdict> {
    const ENTRIES: u32 = 16;
    let mut tally = Tally::default();
    // An LRU map takes any number.
    for kind in kinds(context.kernel).iter().filter(|kind| !kind.shape(16).is_lru()) {
        let numbers = Numbers::new(*kind, ENTRIES)?;
        (0..ENTRIES).try_for_each(|key| numbers.put(key, 0))?;
        for number in 0..40 {
            for key in 0..ENTRIES {
                let name = format!("{}, key {key}, {number}", kind.name);
                tally.case(&name, wrong(&numbers.replace(key, number, number + 1), &Ok(())));
                tally.case(&name, wrong(&numbers.replace(key, number, 0), &Err(ESTALE)));
                tally.case(&name, wrong(&numbers.replace(key + ENTRIES, number, 0), &Err(ENOENT)));
            }
        }
        tally.case(format_args!("{}, full", kind.name), wrong(&numbers.put(ENTRIES, 0), &Err(E2BIG)));
        for key in 0..ENTRIES {
            Single::plain(numbers.fd.as_raw_fd(), &key.to_ne_bytes()).send(WHOLE_ATTR)?;
        }
        let taken = (0..=ENTRIES).take_while(|&key| numbers.put(key, 0).is_ok()).count();
        tally.case(format_args!("{}, emptied and filled", kind.name), wrong(&taken, &(ENTRIES as usize)));
    }
    Ok(tally.verdict())
}
