// SPDX-License-Identifier: MIT OR Apache-2.0
//! An aligned window of 2, 4 or 8 bytes is read in one access: compared byte by byte while a program stores into it, it
//! could match a value that never existed. (A window of one byte cannot be torn.)

use std::mem::MaybeUninit;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
use cmpdel_uapi::{Map, Outcome, Window};
use cmpdel_uapi_raw::update;
use libbpf_rs::skel::{OpenSkel as _, SkelBuilder as _};
use libbpf_rs::{MapHandle, ProgramInput};

use crate::Context;
use crate::skeletons::store::StoreSkelBuilder;
use crate::verdict::{On, Test, Verdict};

const KEY: [u8; 4] = [0; 4];
const TRIES: u32 = 200_000;

pub fn tests() -> Vec<Test> {
    [2, 4, 8]
        .into_iter()
        .map(|width| {
            let name = format!("single_access::a_window_of_{width}_bytes_never_matches_two_halves");
            Test::new(name, On::Series, move |context| run(width, context))
        })
        .collect()
}

/// Values that the word never has: some bytes of the one it alternates with, the rest of the other.
fn mixtures(width: usize) -> Vec<Vec<u8>> {
    let mixture = |first: u8, second: u8, cut: usize| [vec![first; cut], vec![second; width - cut]].concat();
    (1..width).flat_map(|cut| [mixture(0x11, 0x22, cut), mixture(0x22, 0x11, cut)]).collect()
}

fn run(width: usize, context: &Context) -> Result<Verdict> {
    let tries = if context.quick { TRIES / 10 } else { TRIES };
    let mut place = MaybeUninit::uninit();
    let mut open = StoreSkelBuilder::default().open(&mut place)?;
    open.maps.rodata_data.as_deref_mut().context("no constants in the BPF object")?.width =
        u32::try_from(width)?;
    let skeleton = open.load().context("cannot load the storing program")?;
    let map = MapHandle::try_from(&skeleton.maps.words)?;
    update(map.as_fd(), &KEY, &[0x11; 8], 0)?;

    let done = AtomicBool::new(false);
    let (matched, stores) = thread::scope(|scope| -> Result<_> {
        let deleter = scope.spawn(|| {
            let matched = delete_mixtures(&map, width, tries);
            done.store(true, Ordering::Relaxed);
            matched
        });
        let mut runs = 0_u64;
        while !done.load(Ordering::Relaxed) {
            skeleton
                .progs
                .alternate
                .test_run(ProgramInput::default())
                .context("cannot run the storing program")?;
            runs += 1;
        }
        Ok((deleter.join().map_err(|_| anyhow!("the deleter panicked"))??, runs * 4096))
    })?;
    let figures = format!("{matched} of {tries} windows made of two halves matched, beside {stores} stores");
    Ok(if matched == 0 { Verdict::Pass(figures) } else { Verdict::Fail(figures) })
}

/// How many times a value that never existed was found equal.
fn delete_mixtures(handle: &MapHandle, width: usize, tries: u32) -> Result<u32> {
    let map = Map::new(handle.as_fd())?;
    let mut matched = 0;
    for (_, mixture) in (0..tries).zip(mixtures(width).iter().cycle()) {
        match map.delete_if_eq(&KEY, Window::whole(mixture))? {
            Outcome::Mismatch => {}
            Outcome::Deleted => {
                matched += 1;
                update(handle.as_fd(), &KEY, &[0x11; 8], 0)?;
            }
            outcome => ensure!(false, "{outcome:?} where nobody else deletes"),
        }
    }
    Ok(matched)
}

#[cfg(test)]
mod tests {
    use super::mixtures;

    #[test]
    fn mixtures_are_never_one_of_the_two_values() {
        assert_eq!(mixtures(2), [[0x11, 0x22], [0x22, 0x11]]);
        assert_eq!(mixtures(8).len(), 14);
        assert!(mixtures(4).iter().all(|m| m.len() == 4 && m.contains(&0x11) && m.contains(&0x22)));
    }
}
