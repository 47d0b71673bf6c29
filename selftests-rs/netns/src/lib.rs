// SPDX-License-Identifier: MIT OR Apache-2.0
//! Network namespaces without names: nothing of them outlives the process, however that ends.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

/// A network namespace. It lives as long as this, or a thread in it.
pub struct Namespace {
    file: File,
}

impl Namespace {
    /// A new one, which nobody is in.
    ///
    /// # Errors
    /// Not root, or a kernel without them.
    pub fn new() -> Result<Self> {
        let made = thread::spawn(|| {
            // Deprecated for the sake of another flag, which would leave this thread with fds of its own.
            #[allow(deprecated)]
            rustix::thread::unshare(UnshareFlags::NEWNET).context(
                "cannot make a network namespace: this takes root, and a kernel with CONFIG_NET_NS",
            )?;
            let file =
                File::open("/proc/thread-self/ns/net").context("cannot open a namespace: no /proc?")?;
            Ok(Self { file })
        });
        made.join().map_err(|_| anyhow!("the thread that was to make a namespace panicked"))?
    }

    /// Moves the calling thread in, for the rest of its life.
    ///
    /// # Errors
    /// The kernel's.
    pub fn enter(&self) -> Result<()> {
        move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network))
            .context("cannot enter the network namespace")
    }

    /// Does something in it, on a thread of its own.
    ///
    /// # Errors
    /// Those of `what`; the kernel's.
    pub fn within<T: Send>(&self, what: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let work = || {
            self.enter()?;
            what()
        };
        let done = thread::scope(|scope| scope.spawn(work).join());
        done.map_err(|_| anyhow!("a thread panicked in a network namespace"))?
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
