// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel fails the nth allocation, or the nth copy from or to user space, of what this thread does next
//! (Documentation/fault-injection/fault-injection.rst).

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rustix::mount::{MountFlags, mount};

const FILE: &str = "/proc/thread-self/fail-nth";
const DEBUG: &str = "/sys/kernel/debug";

/// Allocations that may sleep, of high memory and of single pages are left alone unless these say otherwise.
const ALL: [(&str, &str); 4] = [
    ("failslab/ignore-gfp-wait", "N"),
    ("fail_page_alloc/ignore-gfp-wait", "N"),
    ("fail_page_alloc/ignore-gfp-highmem", "N"),
    ("fail_page_alloc/min-order", "0"),
];

/// For the thread that opened it.
pub struct FailNth(File);

impl FailNth {
    /// `None` on a kernel that fails nothing.
    pub fn open() -> Result<Option<Self>> {
        if !Path::new(FILE).exists() {
            return Ok(None);
        }
        let debug = Path::new(DEBUG);
        if !debug.join("failslab").exists() {
            mount("debugfs", debug, "debugfs", MountFlags::empty(), None).context("cannot mount debugfs")?;
        }
        for (name, value) in ALL {
            fs::write(debug.join(name), value).with_context(|| format!("cannot write {value} to {name}"))?;
        }
        let file = OpenOptions::new().read(true).write(true).open(FILE);
        Ok(Some(Self(file.with_context(|| format!("cannot open {FILE}"))?)))
    }

    /// Does it while the `nth` fails, and says whether there were so many.
    pub fn during<T>(&self, nth: u32, act: impl FnOnce() -> T) -> Result<(T, bool)> {
        let armed = nth.to_string();
        self.0.write_at(armed.as_bytes(), 0).with_context(|| format!("cannot write {nth} to {FILE}"))?;
        let done = act();
        let mut left = [0; 16];
        let failed = match self.0.read_at(&mut left, 0) {
            Ok(length) => left[..length].trim_ascii() == b"0",
            // What failed was the copy of this very answer.
            Err(e) if e.raw_os_error() == Some(libc::EFAULT) => false,
            Err(e) => bail!("cannot read {FILE}: {e}"),
        };
        // If this copy is the one that fails, nothing is armed any more either.
        let _ = self.0.write_at(b"0", 0);
        Ok((done, failed))
    }
}
