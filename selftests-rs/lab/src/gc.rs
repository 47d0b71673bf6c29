// SPDX-License-Identifier: MIT OR Apache-2.0
//! What gc strategies do in user space by themselves: one a file, which `build.rs` finds by its name in the catalogue. A new one
//! is its file, with a function `open` that is an [`Open`].

use crate::claims::Remove;
use crate::load::Denied;
use crate::target::Target;

include!(concat!(env!("OUT_DIR"), "/strategies.rs"));

/// Has a strategy work on a target, if the kernel lets it.
pub type Open = for<'a> fn(Target<'a>) -> Result<Box<dyn Remove + 'a>, Denied>;

/// The one of that name.
pub fn named(name: &str) -> Option<Open> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, open)| *open)
}

#[cfg(test)]
mod tests {
    use approaches::{Gc, Runs};

    use super::*;

    #[test]
    fn what_runs_in_user_space_is_there() {
        let missing: Vec<_> = Gc::ALL
            .iter()
            .filter(|strategy| strategy.runs == Runs::UserSpace && named(strategy.name).is_none())
            .collect();
        assert!(missing.is_empty(), "no file in src/gc for {missing:?}");
    }
}
