// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a cell's exploration depends on. Cells that have it in common are explored once.

use std::fmt::Write as _;

use model::dsl::Step;

use crate::{Place, Protocol};

/// See the module: everything but the names of functions, written out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Space(String);

impl Space {
    pub fn of(place: &Place) -> Self {
        let mut text = String::new();
        let mut list = |steps: &[Step]| {
            for Step { label, function: _, op, gate, branches, then, reports } in steps {
                // Nothing can fail in a string.
                let _ = write!(text, "{label} {op:?} {gate} {branches:?} {then:?} {reports:?};");
            }
            text.push('|');
        };
        list(place.refresh.steps);
        list(place.gc.steps);
        let Place { refresh, gc, map } = place;
        // Maps that take turns never give an element back, so that it makes no difference what becomes of one.
        let turns = refresh.protocol == Protocol::Generations;
        let recycling = (!turns).then(|| map.recycling());
        let _ = write!(text, "{recycling:?} {} {} {}", gc.grace, refresh.ordering, refresh.tagged);
        Self(text)
    }
}
