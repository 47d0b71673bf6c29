// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a gc strategy is opened on.

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering::SeqCst;

use anyhow::{Context as _, Result};
use cmpdel_uapi_raw::Elements;

use crate::datapath::Datapath;
use crate::gate::Stop;
use crate::layout::Control;

/// A window of lifetime and flags: of a size that the kernel hands to `memcmp`.
pub const HELD_WINDOW: u32 = 6;

/// What a strategy is opened on.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The map under test.
    pub map: BorrowedFd<'a>,
    /// Clock and gates.
    pub control: &'a Control,
    /// The datapath that has both, for collectors that share more with it.
    pub datapath: &'a Datapath,
    /// Stop at gates.
    pub gated: bool,
}

impl<'a> Target<'a> {
    /// The time, as this target's collector takes it.
    pub fn now(&self) -> u32 {
        self.control.now.load(SeqCst)
    }

    /// The gate of the collector, if it is to stop.
    pub fn stop(&self) -> Stop<'a> {
        Stop(self.gated.then_some(self.control))
    }

    /// The elements of the map under test.
    ///
    /// # Errors
    /// When the map is not of plain values.
    pub fn elements(&self) -> Result<Elements<'a>> {
        Elements::new(self.map).context("cannot use the map under test")
    }
}

impl Datapath {
    /// What a collector is opened on, to work on the map of that name.
    ///
    /// # Errors
    /// When there is no such map.
    pub fn target(&self, map: &str) -> Result<Target<'_>> {
        let map = if self.generations().is_some() { "generations" } else { map };
        let (map, control) = (self.map(map)?, self.control());
        Ok(Target { map, control, datapath: self, gated: self.settings().gated })
    }
}
