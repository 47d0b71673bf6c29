// SPDX-License-Identifier: MIT OR Apache-2.0
//! On made-up events: none of these figures was observed.

use results::races::{
    RaceEvent, Side,
    Violation::{DoubleDelete, Gap, LostRefresh, StrayWrite},
};

use super::*;
use crate::races::made_up::{
    absent, cell, connected, matrix, model, refused, stressed, undisturbed, witnessed,
};

fn here() -> results::races::Cell {
    cell("store", "recheck", "hash")
}

/// The standing of [`here`] after these events, and all that is said of it.
fn of(events: &[RaceEvent]) -> (Standing, String) {
    let matrix = matrix(events);
    let row = matrix.find("store", "recheck", "hash").unwrap();
    let (standing, notes) = judge(row, &matrix, false, "");
    (standing, notes.join("\n"))
}

#[test]
fn a_predicted_violation_that_every_replay_shows_agrees_whatever_the_stress_saw() {
    for (lost, said) in [(83, "83 per million deletes"), (0, "not seen by the stress in 1000000 deletes")] {
        let (standing, notes) = of(&[
            model(here(), &[LostRefresh]),
            witnessed(here(), LostRefresh, 10, 10),
            stressed(here(), 500, 1_000_000, lost),
        ]);
        assert_eq!(standing, Standing::Agree, "{notes}");
        assert!(notes.contains(said) && notes.contains("seen in 10 of 10 replays (gate)"), "{notes}");
    }
}

#[test]
fn a_clean_cell_says_what_zero_bounds() {
    let (standing, notes) = of(&[model(here(), &[]), stressed(here(), 10_000_000, 3_000_000, 0)]);
    assert_eq!(standing, Standing::Agree);
    assert!(notes.contains("no counter-example in 1234 states"), "{notes}");
    assert!(
        notes.contains("0 in 10000000 refreshes") && notes.contains("fewer than 0.30 per million"),
        "{notes}"
    );
}

#[test]
fn each_contradiction_is_a_disagreement_that_names_a_step() {
    let neighbour = cell("replace", "recheck", "hash");
    let stray = {
        let mut event = stressed(here(), 500, 1_000_000, 0);
        if let RaceEvent::Stressed { stress, .. } = &mut event {
            stress.violations.stray_write = 2;
        }
        event
    };
    let cases: [(&str, Vec<RaceEvent>, &str, &str); 6] = [
        (
            "a replay that does not follow the schedule",
            vec![
                model(here(), &[LostRefresh]),
                witnessed(here(), LostRefresh, 9, 10),
                stressed(here(), 5, 10, 1),
            ],
            "the kernel followed it in 9 of 10 replays",
            "look at step 3 of the schedule's 4: gc `delete` (htab_map_delete_elem): made up",
        ),
        (
            "a stray write turns on the packet's step",
            vec![
                model(here(), &[StrayWrite]),
                witnessed(here(), StrayWrite, 0, 10),
                stressed(here(), 5, 10, 0),
            ],
            "in 0 of 10 replays",
            "look at step 2 of the schedule's 4: packet `store`",
        ),
        (
            "the stress counts what the model has not",
            vec![
                model(here(), &[]),
                model(neighbour.clone(), &[LostRefresh]),
                stressed(here(), 500, 1_000_000, 7),
            ],
            "lost refresh: the stress counted 7 in 1000000 deletes",
            "what it makes here of gc `delete` (htab_map_delete_elem), with which its schedule for replace × recheck",
        ),
        (
            "the witness sees what the model has not",
            vec![
                model(here(), &[]),
                witnessed(here(), DoubleDelete, 1, 10),
                stressed(here(), 5, 10, 0),
                undisturbed(Side::Gc, "recheck", 2),
            ],
            "double delete: the witness saw it in 1 of 10 replays",
            "in any cell; look at what it makes of gc `unlink` (htab_map_delete_elem)",
        ),
        (
            "nobody has a schedule or steps",
            vec![model(here(), &[]), stray],
            "stray write: the stress counted 2",
            "look at the steps that it has for `store`",
        ),
        (
            "refused, and yet it ran",
            vec![model(here(), &[]), refused(here()), stressed(here(), 5, 10, 0)],
            "the kernel refused it (EOPNOTSUPP), and yet it ran",
            "look at how the lab builds it",
        ),
    ];
    for (what, events, said, place) in cases {
        let (standing, notes) = of(&events);
        assert_eq!(standing, Standing::Disagree, "{what}: {notes}");
        assert!(notes.contains(said), "{what}: {notes}");
        assert!(notes.contains(place), "{what}: {notes}");
    }
}

#[test]
fn evidence_that_should_be_there_is_never_silently_missing() {
    let failed =
        RaceEvent::Failed { cell: here(), evidence: "stress".into(), error: "no veth in this kernel".into() };
    let untold = {
        let mut event = model(here(), &[Gap]);
        if let RaceEvent::Modelled { model, .. } = &mut event {
            model.counterexamples.clear();
        }
        event
    };
    let cases: [(&str, Vec<RaceEvent>, &str); 9] = [
        ("nothing but the model", vec![model(here(), &[])], "no stress ran"),
        (
            "no witness",
            vec![model(here(), &[Gap]), stressed(here(), 5, 10, 0)],
            "gap: the schedule was not replayed",
        ),
        (
            "no model",
            vec![stressed(here(), 5, 10, 0), connected(here(), 5, 0, false)],
            "the model says nothing",
        ),
        ("no refreshes", vec![model(here(), &[]), stressed(here(), 0, 10, 0)], "refreshed nothing"),
        ("no deletes", vec![model(here(), &[]), stressed(here(), 10, 0, 0)], "removed nothing"),
        ("a failure", vec![model(here(), &[]), failed], "the stress could not run: no veth in this kernel"),
        (
            "one of two schedules",
            vec![
                model(here(), &[Gap, LostRefresh]),
                witnessed(here(), Gap, 2, 2),
                stressed(here(), 5, 10, 0),
            ],
            "lost refresh: the schedule was not replayed",
        ),
        ("absent without a model", vec![absent(here())], "the model says nothing"),
        ("a schedule for nothing", vec![untold, stressed(here(), 5, 10, 0)], "does not say what goes wrong"),
    ];
    for (what, events, said) in cases {
        let (standing, notes) = of(&events);
        assert_eq!(standing, Standing::Missing, "{what}: {notes}");
        assert!(notes.contains(said), "{what}: {notes}");
    }
}

#[test]
fn a_file_cut_off_says_why_the_rest_is_missing() {
    let matrix = matrix(&[model(here(), &[])]);
    let (standing, notes) = judge(&matrix.rows[0], &matrix, false, "the kernel panicked");
    assert_eq!(standing, Standing::Missing);
    assert!(notes.contains(&"no stress ran (the kernel panicked)".to_owned()), "{notes:?}");
}

#[test]
fn refused_absent_and_model_only_cells_stand_alone() {
    assert_eq!(of(&[refused(here())]).0, Standing::Refused);
    assert_eq!(of(&[model(here(), &[Gap]), refused(here())]).0, Standing::Refused);
    let (standing, notes) = of(&[model(here(), &[]), absent(here())]);
    assert_eq!(standing, Standing::Absent);
    assert!(notes.contains("the model alone: no kernel seals"), "{notes}");
    let matrix = matrix(&[model(here(), &[Gap])]);
    assert_eq!(judge(&matrix.rows[0], &matrix, true, "").0, Standing::ModelOnly);
}

#[test]
fn figures_have_two_digits_that_count() {
    let shown = [0.0, 0.0321, 0.3, 1.0, 9.87, 83.2, 97_999.6].map(figure);
    assert_eq!(shown, ["0", "0.032", "0.30", "1.0", "9.9", "83", "98000"]);
}
