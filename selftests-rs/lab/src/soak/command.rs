// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel gc`, called again and again on a map half of which has expired, and killed now and then. What has not expired
//! stays, and on a kernel that does not compare all of it.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi::Map;
use cmpdel_uapi::bindings as abi;
use cmpdel_uapi_raw::{Create, Elements, Errno, map_create};

use super::Compares;
use super::board::Page;
use super::worker::Worker;
use crate::load::Denied;

/// Entries, whose times are their numbers; those below [`EXPIRED`] have expired.
const ENTRIES: u32 = 2000;
const EXPIRED: u32 = 1000;
const VALUE: usize = 16;
/// Where the time is in a value.
const AT: usize = 4;
/// One in so many calls is killed, so long after it began at most.
const KILLED: u64 = 4;
const LIVES: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(100);
/// Exit codes: every expired entry was dealt with; this kernel does not compare.
const COLLECTED: i32 = 0;
const UNSUPPORTED: i32 = 4;

/// The map, and whoever calls.
pub struct Calls {
    cmpdel: PathBuf,
    compares: Compares,
    fd: OwnedFd,
    calls: u64,
    random: fastrand::Rng,
}

impl Calls {
    /// Makes the map.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(cmpdel: Option<PathBuf>, compares: Compares) -> Result<Self, Denied> {
        let create = Create {
            map_type: abi::BPF_MAP_TYPE_HASH,
            key_size: 4,
            value_size: u32::try_from(VALUE).context("values of that size")?,
            max_entries: ENTRIES,
            name: "soak_calls",
            ..Create::default()
        };
        let fd = map_create(&create).context("cannot make a map")?;
        let cmpdel = cmpdel.context("there is no command to call")?;
        Ok(Self { cmpdel, compares, fd, calls: 0, random: fastrand::Rng::with_seed(1) })
    }

    /// How many of the numbers from `first` to `end` are there.
    fn there(&self, first: u32, end: u32) -> Result<u32> {
        let (elements, mut value) = (Elements::new(self.fd.as_fd())?, [0; VALUE]);
        let mut there = 0;
        for number in first..end {
            match elements.look_up(&number.to_ne_bytes(), &mut value, 0) {
                Ok(()) => there += 1,
                Err(Errno(libc::ENOENT)) => {}
                Err(errno) => anyhow::bail!("cannot look an entry up: {errno}"),
            }
        }
        Ok(there)
    }
}

impl Worker for Calls {
    fn turn(&mut self, page: &Page) -> Result<()> {
        self.calls += 1;
        let elements = Elements::new(self.fd.as_fd())?;
        for number in 0..ENTRIES {
            let mut value = [0xcc; VALUE];
            value[AT..AT + 4].copy_from_slice(&number.to_ne_bytes());
            elements.update(&number.to_ne_bytes(), &value, 0).context("cannot put an entry")?;
        }
        let id = Map::new(self.fd.as_fd())?.info().id.to_string();
        let mut command = Command::new(&self.cmpdel);
        command
            .args(["gc", "--id", &id, "--offset", "4", "--type", "u32", "--force", "--json"])
            .args(["--older-than", &EXPIRED.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().context("cannot call cmpdel")?;
        if self.calls.is_multiple_of(KILLED) {
            thread::sleep(LIVES.mul_f64(self.random.f64()));
            // It may have come to its end.
            let _ = child.kill();
            child.wait()?;
            page.did("calls killed", 1);
        } else {
            let status = child.wait()?.code();
            let (code, left) = match self.compares {
                Compares::No => (UNSUPPORTED, EXPIRED),
                _ => (COLLECTED, 0),
            };
            ensure!(status == Some(code), "`cmpdel gc` ended with {status:?} instead of {code}");
            let there = self.there(0, EXPIRED)?;
            page.lost("expired entries that were dealt with right", u64::from(there.abs_diff(left)));
            page.did("deletes", u64::from(EXPIRED - there));
            page.did("calls", 1);
        }
        let live = self.there(EXPIRED, ENTRIES)?;
        page.lost("live entries", u64::from(ENTRIES - EXPIRED - live));
        thread::sleep(PAUSE);
        Ok(())
    }
}
