// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each allocation of a call, and each of its copies from and to user space, fails once, in turn. The errno is a documented
//! one, count and statuses are true, what was not reported is as it was, and the map can be frozen and goes away: no writer
//! and no reference is left. It takes a kernel that can fail on demand (`cargo xtask vm-test --profile fault`).

mod fail_nth;

use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use cmpdel_uapi::Map;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Create, Elements, Errno, Prepared, fd_by_id, freeze, map_create, update};

use self::fail_nth::FailNth;
use crate::Context;
use crate::errno::{EFAULT, ENOENT, ESTALE};
use crate::fixture::{Shape, kinds};
use crate::series::Series;
use crate::verdict::{On, Tally, Test, Verdict};

const ENOMEM: Errno = Errno(libc::ENOMEM);
const VALUE_SIZE: usize = 16;
/// The window in each value.
const OFFSET: u32 = 4;
const SIZE: u32 = 8;
/// Elements of a batch: by turns equal, different and absent. One entry more is in the map and in no call.
const ELEMENTS: u32 = 6;
/// A call allocates and copies less often.
const POINTS: u32 = 300;
/// No errno.
const UNTOUCHED: i32 = 0x5555_5555;
/// Maps go away after a grace period, in a work queue.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn tests() -> Vec<Test> {
    let test = |name: &'static str, on, call| Test::new(name, on, move |context| each_fault(context, call));
    vec![
        test("fault::a_plain_delete_bears_each", On::Both, Call::Delete),
        test("fault::a_delete_that_compares_bears_each", On::Series, Call::CompareDelete),
        test("fault::an_update_that_compares_bears_each", On::Series, Call::CompareUpdate),
        test("fault::a_batch_of_deletes_that_compare_bears_each", On::Series, Call::CompareDeletes),
        test("fault::a_batch_of_updates_that_compare_bears_each", On::Series, Call::CompareUpdates),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Delete,
    CompareDelete,
    CompareUpdate,
    CompareDeletes,
    CompareUpdates,
}

/// How an element of a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Equal,
    Differs,
    Absent,
}

impl Stands {
    fn of(element: u32) -> Self {
        [Self::Equal, Self::Differs, Self::Absent][element as usize % 3]
    }

    fn status(self) -> i32 {
        match self {
            Self::Equal => 0,
            Self::Differs => -ESTALE.0,
            Self::Absent => -ENOENT.0,
        }
    }
}

/// The value in the map, the one that was seen there, and the one that an update puts.
fn value(element: u32) -> Vec<u8> {
    vec![element.to_ne_bytes()[0] + 1; VALUE_SIZE]
}

fn seen(element: u32) -> Vec<u8> {
    if Stands::of(element) == Stands::Differs { vec![0xff; VALUE_SIZE] } else { value(element) }
}

fn new(element: u32) -> Vec<u8> {
    vec![element.to_ne_bytes()[0] | 0x80; VALUE_SIZE]
}

impl Call {
    fn elements(self) -> u32 {
        if matches!(self, Self::CompareDeletes | Self::CompareUpdates) { ELEMENTS } else { 1 }
    }

    fn updates(self) -> bool {
        matches!(self, Self::CompareUpdate | Self::CompareUpdates)
    }

    fn prepare(self, map: &Elements<'_>) -> Result<Prepared, Errno> {
        let elements = || 0..self.elements();
        let mut call = match self {
            Self::Delete => Prepared::delete(map),
            Self::CompareDelete => Prepared::compare(map, OFFSET, SIZE)?,
            Self::CompareUpdate => Prepared::compare_update(map, OFFSET, SIZE)?,
            Self::CompareDeletes => Prepared::compare_batch(map, ELEMENTS, OFFSET, SIZE)?,
            Self::CompareUpdates => Prepared::compare_update_batch(map, ELEMENTS, OFFSET, SIZE)?,
        };
        let keys: Vec<u8> = elements().flat_map(u32::to_ne_bytes).collect();
        call.keys_mut().copy_from_slice(&keys);
        let mut values: Vec<u8> =
            if self.updates() { elements().flat_map(new).collect() } else { Vec::new() };
        match self {
            Self::Delete => {}
            Self::CompareUpdate => values.extend(&seen(0)[..SIZE as usize]),
            _ => values.extend(elements().flat_map(seen)),
        }
        call.value_mut().copy_from_slice(&values);
        call.statuses_mut().fill(UNTOUCHED);
        Ok(call)
    }
}

fn each_fault(context: &Context, call: Call) -> Result<Verdict> {
    if Series::of_this_kernel() == Series::Rfc && call != Call::Delete {
        return Ok(Verdict::Skip("this series has neither the batch nor the update".into()));
    }
    let Some(faults) = FailNth::open()? else {
        return Ok(Verdict::Skip("this kernel fails nothing on demand: --profile fault".into()));
    };
    let (mut tally, mut ids) = (Tally::default(), Vec::new());
    for kind in kinds(context.kernel) {
        let mut nth = 1;
        loop {
            let map = make(kind.shape(u32::try_from(VALUE_SIZE)?))?;
            ids.push(Map::new(map.as_fd())?.info().id);
            let elements = Elements::new(map.as_fd()).context("cannot learn the sizes of the map")?;
            let mut prepared = call.prepare(&elements).context("cannot prepare the call")?;
            let (answer, failed) = faults.during(nth, || prepared.send().map(drop))?;
            let mut problem = judge(call, &elements, &prepared, answer, failed)?;
            if let Err(errno) = freeze(map.as_fd()) {
                problem = Some(format!("cannot be frozen afterwards: -{errno}"));
            }
            tally.case(format_args!("{}, point {nth}", kind.name), problem);
            if !failed || nth == POINTS {
                tally.case(kind.name, failed.then(|| format!("more than {POINTS} points")));
                break;
            }
            nth += 1;
        }
    }
    let deadline = Instant::now() + PATIENCE;
    for id in ids {
        while fd_by_id(id, 0).is_ok() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        let there = fd_by_id(id, 0).is_ok();
        tally.case(format_args!("map {id}"), there.then(|| "is there after its last file was closed".into()));
    }
    Ok(tally.verdict())
}

fn make(shape: Shape) -> Result<OwnedFd> {
    let fd = map_create(&Create {
        map_type: shape.map_type,
        key_size: shape.key_size,
        value_size: shape.value_size,
        // Nothing is evicted.
        max_entries: 1024,
        flags: shape.flags,
        name: "fault",
        ..Create::default()
    });
    let fd = fd.with_context(|| format!("cannot make a map ({shape:?})"))?;
    for key in (0..=ELEMENTS).filter(|&key| key == ELEMENTS || Stands::of(key) != Stands::Absent) {
        update(fd.as_fd(), &key.to_ne_bytes(), &value(key), abi::BPF_ANY.into())
            .context("cannot fill the map")?;
    }
    Ok(fd)
}

/// Says what is wrong with the answer, and with the entries after it.
fn judge(
    call: Call,
    map: &Elements<'_>,
    prepared: &Prepared,
    answer: Result<(), Errno>,
    failed: bool,
) -> Result<Option<String>> {
    let handled = match answer {
        Ok(()) => call.elements(),
        Err(errno) if !failed => return Ok(Some(format!("nothing failed, and it says -{errno}"))),
        Err(errno) if errno != ENOMEM && errno != EFAULT => return Ok(Some(format!("it says -{errno}"))),
        Err(_) if prepared.statuses().is_empty() => 0,
        // The attribute could not be read: nobody told how many.
        Err(_) if prepared.statuses().iter().all(|&status| status == UNTOUCHED) => 0,
        Err(_) => prepared.counted(),
    };
    if !prepared.statuses().is_empty() {
        if answer.is_ok() && prepared.counted() != handled {
            return Ok(Some(format!("count is {}, not {handled}", prepared.counted())));
        }
        for (element, &status) in (0..).zip(prepared.statuses()) {
            let right = match element {
                // The one that it ended at has been written first.
                _ if element == handled => continue,
                _ if element > handled => UNTOUCHED,
                _ => Stands::of(element).status(),
            };
            if status != right {
                return Ok(Some(format!(
                    "status {element} is {status}, not {right}; {handled} were handled"
                )));
            }
        }
    }
    for key in 0..=ELEMENTS {
        let hit = key < handled && Stands::of(key) == Stands::Equal;
        let right = match (hit, call.updates()) {
            (true, true) => Some(new(key)),
            (true, false) => None,
            (false, _) => (key == ELEMENTS || Stands::of(key) != Stands::Absent).then(|| value(key)),
        };
        let mut there = vec![0; VALUE_SIZE];
        let there = match map.look_up(&key.to_ne_bytes(), &mut there, 0) {
            Ok(()) => Some(there),
            Err(ENOENT) => None,
            Err(error) => return Err(error).context("cannot look an entry up"),
        };
        if there != right {
            return Ok(Some(format!(
                "entry {key} is {there:?}, not {right:?}; {answer:?}, {handled} handled"
            )));
        }
    }
    Ok(None)
}
