// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cells that no kernel is asked about with a grace period are those in which the model finds the same with it and without.
#![allow(clippy::unwrap_used, reason = "a model that cannot be explored fails the test")]

use approaches::{Column, Place, cells, explore::explore};

#[test]
fn a_grace_period_that_no_kernel_is_asked_about_makes_no_difference() {
    let mut compared = 0;
    for place in cells::all().filter(|place| place.gc.grace) {
        let without = Place { gc: Column { grace: false, ..place.gc }, ..place };
        let left_to_the_model = place.model_alone().is_some() && without.model_alone().is_none();
        if !left_to_the_model {
            continue;
        }
        let found = |place: &Place| explore(place).unwrap().counterexamples.into_keys().collect::<Vec<_>>();
        assert_eq!(found(&place), found(&without), "{}", place.cell());
        compared += 1;
    }
    assert!(compared > 100, "only {compared} cells were compared");
}
