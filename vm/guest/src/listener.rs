// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who understands the events of a guest.

use ground::events::Events;
use serde::de::DeserializeOwned;

/// Takes in what a program says of its work, one event a line.
pub trait Listener {
    /// What it says.
    type Event: DeserializeOwned;

    /// Takes in one event, and tells `events` of it.
    fn take_in(&mut self, events: &Events, event: Self::Event);

    /// What has begun and not ended.
    fn running(&self) -> Option<&str>;
}
