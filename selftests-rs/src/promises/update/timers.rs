// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an element brought with it goes with it, as with a plain update, and stays where it is kept.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Single, WHOLE_ATTR, update};
use libbpf_rs::skel::{OpenSkel as _, SkelBuilder as _};
use libbpf_rs::{MapHandle, MapType, ProgramInput};

use super::test;
use crate::Context;
use crate::errno::ESTALE;
use crate::skeletons::timed::TimedSkelBuilder;
use crate::verdict::{Tally, Test, Verdict};

/// Long enough that all has been done to the elements before.
const DELAY: Duration = Duration::from_millis(500);
const ELEMENTS: u32 = 16;
const VALUE_SIZE: usize = 32;

pub fn tests() -> Vec<Test> {
    vec![
        test("update::the_timer_of_what_is_replaced_or_deleted_does_not_fire", does_not_fire),
        test("update::a_window_that_differs_leaves_the_timer_running", fires),
    ]
}

/// What is done to an element whose timer is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Nothing,
    PlainUpdate,
    Update,
    Delete,
    UpdateInVain,
    DeleteInVain,
}

fn value(word: u8) -> [u8; VALUE_SIZE] {
    let mut value = [0; VALUE_SIZE];
    value[..8].fill(word);
    value
}

impl Act {
    fn on(self, map: &MapHandle, key: &[u8]) -> Result<()> {
        let (fd, new, expected, other) = (map.as_fd().as_raw_fd(), value(2), [1; 8], [3; 8]);
        let answer = match self {
            Self::Nothing => Ok(()),
            Self::PlainUpdate => update(map.as_fd(), key, &new, 0),
            Self::Update => Single::compare(fd, key, 0, &expected).updating(&new).send(WHOLE_ATTR),
            Self::Delete => Single::compare(fd, key, 0, &expected).send(WHOLE_ATTR),
            Self::UpdateInVain => Single::compare(fd, key, 0, &other).updating(&new).send(WHOLE_ATTR),
            Self::DeleteInVain => Single::compare(fd, key, 0, &other).send(WHOLE_ATTR),
        };
        let right =
            if matches!(self, Self::UpdateInVain | Self::DeleteInVain) { Err(ESTALE) } else { Ok(()) };
        ensure!(answer == right, "{self:?} says {answer:?}");
        Ok(())
    }
}

/// `PREEMPT_RT`, as `uname -v` has it: its verifier refuses `bpf_timer`.
fn is_realtime() -> bool {
    rustix::system::uname().version().to_string_lossy().contains("PREEMPT_RT")
}

/// How many timers of [`ELEMENTS`] fire after all; nothing where the kernel has none.
fn fired(map_type: MapType, flags: u32, act: Act) -> Result<Option<u64>> {
    let mut place = MaybeUninit::uninit();
    let mut open = TimedSkelBuilder::default().open(&mut place)?;
    open.maps.timed.set_type(map_type)?;
    open.maps.timed.set_map_flags(flags)?;
    let skeleton = match open.load() {
        Err(_) if is_realtime() => return Ok(None),
        loaded => loaded.context("cannot load the timers")?,
    };
    let map = MapHandle::try_from(&skeleton.maps.timed)?;
    let start = Instant::now();
    for key in 0..ELEMENTS {
        update(map.as_fd(), &key.to_ne_bytes(), &value(1), 0)?;
        let delay = u64::try_from(DELAY.as_nanos())?.to_ne_bytes();
        let mut arming = [&u64::from(key).to_ne_bytes()[..], &delay].concat();
        let input = ProgramInput { context_in: Some(&mut arming), ..ProgramInput::default() };
        let answer = skeleton.progs.arm.test_run(input)?.return_value;
        ensure!(answer == 0, "cannot arm a timer: {}", answer.cast_signed());
    }
    (0..ELEMENTS).try_for_each(|key| act.on(&map, &key.to_ne_bytes()))?;
    let fired = || skeleton.maps.bss_data.as_deref().map(|data| data.fired).context("no counter");
    ensure!(start.elapsed() < DELAY, "too late: the first timer may have fired before");
    ensure!(fired()? == 0, "a timer fired too early");
    while start.elapsed() < DELAY * 3 / 2 {
        thread::sleep(DELAY / 10);
    }
    fired().map(Some)
}

fn run(acts: &[(Act, u32)]) -> Result<Verdict> {
    let mut tally = Tally::default();
    for (name, map_type, flags) in [
        ("preallocated", MapType::Hash, 0),
        ("not preallocated", MapType::Hash, abi::BPF_F_NO_PREALLOC),
        ("lru", MapType::LruHash, 0),
    ] {
        for &(act, right) in acts {
            let Some(fired) = fired(map_type, flags, act)? else {
                return Ok(Verdict::Skip("a kernel with PREEMPT_RT has no bpf_timer".into()));
            };
            let problem = (fired != u64::from(right)).then(|| format!("{fired} of {ELEMENTS} timers fired"));
            tally.case(format_args!("{name}, {act:?}"), problem);
        }
    }
    Ok(tally.verdict())
}

/// The control is one that nothing is done to; what has to be the same is the plain update.
fn does_not_fire(_: &Context) -> Result<Verdict> {
    run(&[(Act::Nothing, ELEMENTS), (Act::PlainUpdate, 0), (Act::Update, 0), (Act::Delete, 0)])
}

fn fires(_: &Context) -> Result<Verdict> {
    run(&[(Act::UpdateInVain, ELEMENTS), (Act::DeleteInVain, ELEMENTS)])
}
