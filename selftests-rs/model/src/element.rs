// SPDX-License-Identifier: MIT OR Apache-2.0
//! An element of the map: what its bytes hold, whether it is linked or not. Unlinking and freeing clear none of them.

use std::hash::{Hash, Hasher};

/// The two flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    #[default]
    A,
    B,
}

/// Where an element is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    #[default]
    Free,
    Linked,
    /// In somebody's hands: allocated and not linked yet, or unlinked and not freed yet.
    Held,
    /// A CPU's spare.
    Spare,
    /// Freed; it waits for those who were reading when it was unlinked.
    Waiting,
}

/// Who holds the lock in an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Lock {
    #[default]
    Open,
    /// The actor of that index.
    Held(u8),
    /// The kernel, while it fills the element for B.
    Fill,
}

/// Whose the element is that a write landed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    A,
    B,
    Nobody,
}

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub place: Place,
    pub key: Key,
    pub lifetime: u8,
    /// Whose tag stands beside the lifetime.
    pub tag: Key,
    /// Whose backend and port the value names.
    pub backend: Key,
    pub dead: bool,
    pub lock: Lock,
    /// Put in by gc's restore.
    pub restored: bool,
    /// Counts the claims of an arena's slot.
    pub generation: u8,
    /// Whom it waits for once it is freed, a bit each.
    pub waits: u8,
}

impl Hash for Element {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let lock = match self.lock {
            Lock::Open => 0,
            Lock::Held(actor) => actor + 1,
            Lock::Fill => u8::MAX,
        };
        let keys = self.key as u8 | (self.tag as u8) << 1 | (self.backend as u8) << 2;
        let flags = u8::from(self.dead) | u8::from(self.restored) << 1;
        let bytes = [self.place as u8, keys, flags, lock, self.lifetime, self.generation, self.waits, 0];
        state.write_u64(u64::from_le_bytes(bytes));
    }
}
