// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a soak knows of those who work in it.

use std::sync::Arc;

use anyhow::Result;

use super::board::Page;
use crate::datapath::Datapath;

/// One of them. Its turns follow each other until the end.
pub trait Worker: Send {
    /// What it does, once, in some seconds.
    ///
    /// # Errors
    /// What keeps it from going on. What is lost is written on its page.
    fn turn(&mut self, page: &Page) -> Result<()>;

    /// Its datapath, where that lives as long as the soak.
    fn datapath(&self) -> Option<Arc<Datapath>> {
        None
    }

    /// Its map has to need the same memory after each turn, and its page says how much that is.
    fn tells_bytes(&self) -> bool {
        false
    }

    /// A process of its own whose memory is watched.
    fn process(&self) -> Option<u32> {
        None
    }
}
