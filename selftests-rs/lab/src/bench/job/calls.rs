// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts this process' system calls by a program on `sys_enter`. That makes each of them slower: not while timing.

// What is declared to be `Plain` is shared with a BPF program.
#![allow(unsafe_code)]

use std::os::fd::AsFd as _;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use anyhow::{Context as _, Result};
use libbpf_rs::{Link, MapCore as _, ObjectBuilder};

use crate::load::{BENCHES, object};
use crate::shared::{Plain, Shared};

/// The process, and its calls.
#[repr(C)]
struct Counted([AtomicU64; 2]);

// SAFETY: atomics alone, laid out as the value of `counted`.
unsafe impl Plain for Counted {}

/// Counting, if it is.
pub struct Calls(Option<(Shared<Counted>, Link)>);

impl Calls {
    /// Begins, if wanted.
    ///
    /// # Errors
    /// When the kernel does not let it.
    pub fn count(wanted: bool) -> Result<Self> {
        if !wanted {
            return Ok(Self(None));
        }
        let mut builder = ObjectBuilder::default();
        let loaded = builder.open_memory(object(BENCHES, "calls")?)?.load()?;
        let map = loaded.maps().find(|map| map.name() == "counted").context("there is no map `counted`")?;
        let counted = Shared::<Counted>::map(map.as_fd())?;
        let program = loaded.progs_mut().find(|program| program.name() == "count");
        let link = program.context("there is no program `count`")?.attach_raw_tracepoint("sys_enter")?;
        // To close what is not needed any more takes system calls.
        drop(loaded);
        drop(builder);
        counted.0[0].store(std::process::id().into(), SeqCst);
        Ok(Self(Some((counted, link))))
    }

    /// Ends; how many there were, 0 if they were not counted.
    pub fn counted(self) -> u64 {
        let Some((counted, _)) = self.0 else { return 0 };
        counted.0[0].store(0, SeqCst);
        counted.0[1].load(Relaxed)
    }
}
