// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who understands the events of a guest.

use ground::context::Ctx;
use serde::de::DeserializeOwned;

/// Takes in what a program says of its work, one event a line.
pub trait Listener {
    /// What it says.
    type Event: DeserializeOwned;

    /// Takes in one event.
    fn take_in(&mut self, ctx: &Ctx, event: Self::Event);

    /// What has begun and not ended.
    fn running(&self) -> Option<&str>;
}
