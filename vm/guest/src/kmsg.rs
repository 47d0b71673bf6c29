// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel of this machine reports from now on, where nothing is booted.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
};

use rustix::fs::OFlags;

use crate::splat;

/// The log of this machine's kernel, from where it was opened on.
pub struct Log(File);

impl Log {
    /// `None` where nobody may read it.
    pub fn open() -> Option<Self> {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).ok()?;
        let mut file = OpenOptions::new().read(true).custom_flags(flags).open("/dev/kmsg").ok()?;
        file.seek(SeekFrom::End(0)).ok()?;
        Some(Self(file))
    }

    /// The reports since the last call, each as `what: line`.
    pub fn splats(&mut self) -> Vec<String> {
        let mut record = [0; 8192];
        let mut found = Vec::new();
        loop {
            match self.0.read(&mut record) {
                Ok(0) => return found,
                Ok(length) => found.extend(reported(&String::from_utf8_lossy(&record[..length]))),
                // Some were overwritten before they were read; the next one is there.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(_) => return found,
            }
        }
    }
}

/// What a record reports, if it is the kernel's own: `LEVEL,NUMBER,TIME,FLAGS;TEXT`, and more lines that belong to it.
fn reported(record: &str) -> Option<String> {
    /// In the level, who speaks is from here on. The kernel is 0.
    const FACILITY: u32 = 8;
    let (head, text) = record.split_once(';')?;
    let level: u32 = head.split(',').next()?.parse().ok()?;
    (level < FACILITY).then(|| splat::of(text.lines().next()?))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_the_kernel_alone_are_found() {
        let found =
            reported("4,1234,5678,-;WARNING: CPU: 1 PID: 7 at kernel/bpf/hashtab.c:1\n SUBSYSTEM=x\n");
        assert_eq!(found.unwrap(), "warning: WARNING: CPU: 1 PID: 7 at kernel/bpf/hashtab.c:1");
        assert_eq!(reported("12,1234,5678,-;WARNING: says a program\n"), None);
        assert_eq!(reported("6,1234,5678,-;eth0: link becomes ready\n"), None);
    }
}
