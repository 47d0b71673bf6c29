// SPDX-License-Identifier: MIT OR Apache-2.0
//! On made-up events: none of these figures was observed.

use results::races::{
    Circumstance, RaceEvent, Side,
    Violation::{DoubleDelete, Gap, LostRefresh, StrayWrite},
};

use super::*;
use crate::races::made_up::{
    absent, cell, connected, disturbed, matrix, model, model_if_worse, refused, stressed, undisturbed,
    witnessed,
};

fn here() -> results::races::Cell {
    cell("store", "recheck", "hash")
}

/// The standing of [`here`] after these events, and all that is said of it.
fn of(events: &[RaceEvent]) -> (Standing, String) {
    let matrix = matrix(events);
    let row = matrix.find("store", "recheck", "hash").unwrap();
    let Judgement { standing, notes, .. } = judge(row, &matrix, Terms::default());
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
        notes.contains("0 in 10000000 refreshes") && notes.contains("fewer than 1.0 per million"),
        "{notes}"
    );
}

#[test]
fn what_a_kernel_that_preempts_packets_breaks_is_noted_there_and_wrong_elsewhere() {
    for (gc, loses, preempts_packets, standing) in [
        ("prog-pinned", &[][..], true, Standing::Agree),
        ("prog-pinned", &[], false, Standing::Disagree),
        ("compare", &[], true, Standing::Disagree),
        // It loses something else in any case, whose schedule was not replayed here: nothing is claimed of it.
        ("compare", &[StrayWrite], true, Standing::Missing),
        ("compare", &[StrayWrite], false, Standing::Disagree),
    ] {
        let place = || cell("store", gc, "hash");
        let matrix = matrix(&[model(place(), loses), stressed(place(), 500, 1_000_000, 7)]);
        let judged = judge(&matrix.rows[0], &matrix, Terms { preempts_packets, ..Terms::default() });
        assert_eq!(judged.standing, standing, "{:?}", judged.notes);
    }
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
    let Judgement { standing, notes, .. } =
        judge(&matrix.rows[0], &matrix, Terms { cut_short: "the kernel panicked", ..Terms::default() });
    assert_eq!(standing, Standing::Missing);
    assert!(notes.contains(&"no stress ran (the kernel panicked)".to_owned()), "{notes:?}");
}

#[test]
fn refused_absent_and_model_only_cells_stand_alone() {
    assert_eq!(of(&[refused(here())]).0, Standing::Refused);
    assert_eq!(of(&[model(here(), &[Gap]), refused(here())]).0, Standing::Refused);
    let (standing, notes) = of(&[model(here(), &[]), absent(here())]);
    assert_eq!(standing, Standing::Absent);
    assert!(notes.contains("the model alone: left out of the quick form"), "{notes}");
    let matrix = matrix(&[model(here(), &[Gap])]);
    let terms = Terms { model_only: true, ..Terms::default() };
    assert_eq!(judge(&matrix.rows[0], &matrix, terms).standing, Standing::ModelOnly);
}

#[test]
fn a_run_in_worse_circumstances_is_held_against_what_the_model_has_there() {
    use Circumstance::{AgentUpdates, Collision, HandDeletes, Spread, TwoCollectors};
    let base = |events: &[RaceEvent]| {
        let stress = if matches!(&events[0], RaceEvent::Modelled { model, .. } if !model.counterexamples.is_empty())
        {
            vec![witnessed(here(), LostRefresh, 10, 10), stressed(here(), 100, 100, 1)]
        } else {
            vec![stressed(here(), 100, 100, 0)]
        };
        [events, &stress].concat()
    };
    let lost = || model(here(), &[LostRefresh]);
    let worse = |circumstance| model_if_worse(here(), circumstance, &[LostRefresh]);
    let cases = [
        (
            worse(Spread),
            Spread,
            12,
            Standing::Agree,
            "breaks with a flow's packets on two CPUs: lost refresh, 120",
        ),
        (
            worse(Spread),
            Collision,
            12,
            Standing::Disagree,
            "lost refresh with two flows with one tag: the stress",
        ),
        (model(here(), &[]), TwoCollectors, 12, Standing::Disagree, "lost refresh with a second collector"),
        (lost(), TwoCollectors, 12, Standing::Agree, "breaks with a second collector: lost refresh, 120"),
        (worse(AgentUpdates), AgentUpdates, 12, Standing::Agree, "breaks with an agent's plain update"),
        (model(here(), &[]), HandDeletes, 12, Standing::Disagree, "lost refresh with a delete by hand"),
        (model(here(), &[]), HandDeletes, 0, Standing::Agree, "holds with a delete by hand: 0 in 100000"),
        (
            worse(Spread),
            Spread,
            0,
            Standing::Agree,
            "the model with a flow's packets on two CPUs: lost refresh in 4",
        ),
    ];
    for (model, circumstance, seen, standing, said) in cases {
        let (stands, notes) = of(&base(&[model, disturbed(here(), circumstance, 100_000, seen)]));
        assert_eq!(stands, standing, "{circumstance:?}: {notes}");
        assert!(notes.contains(said), "{said}: {notes}");
    }
    // Where the claim is broken already, nobody asked the model about agents.
    let mut agent = disturbed(here(), AgentUpdates, 100_000, 0);
    if let RaceEvent::Disturbed { stress, .. } = &mut agent {
        stress.violations.gap = 1;
    }
    let (stands, notes) = of(&base(&[lost(), agent]));
    assert_eq!(stands, Standing::Agree, "{notes}");
    assert!(notes.contains("breaks with an agent's plain update: gap, 10 per million"), "{notes}");
}

#[test]
fn without_a_debugger_what_takes_one_is_a_note() {
    let judged = |events: &[RaceEvent]| {
        let matrix = matrix(events);
        judge(&matrix.rows[0], &matrix, Terms { no_debugger: true, ..Terms::default() })
    };
    let found = || model(here(), &[LostRefresh, Gap]);
    let untried = || {
        let mut event = witnessed(here(), LostRefresh, 0, 0);
        if let RaceEvent::Witnessed { witness, .. } = &mut event {
            witness.by_violation.clear();
            witness.notes.push("made up: it takes a debugger".into());
        }
        event
    };
    let seen = judged(&[found(), untried(), stressed(here(), 100, 100, 1)]);
    assert_eq!((seen.standing, seen.absent), (Standing::Agree, None), "{:?}", seen.notes);
    let said = "gap: the schedule was not replayed; made up: it takes a debugger";
    assert!(seen.notes.iter().any(|note| note == said), "{:?}", seen.notes);
    // That nothing was seen is no evidence of this kernel.
    let unseen = judged(&[found(), untried(), stressed(here(), 100, 100, 0)]);
    assert_eq!(unseen.standing, Standing::Absent, "{:?}", unseen.notes);
    assert!(unseen.absent.unwrap().starts_with("without a debugger"), "{:?}", unseen.notes);
    // A lab that did not even try owes an answer.
    let owed = judged(&[found(), stressed(here(), 100, 100, 1)]);
    assert_eq!(owed.standing, Standing::Missing, "{:?}", owed.notes);
}

#[test]
fn eviction_is_told_and_is_no_violation() {
    let mut event = stressed(here(), 10_000_000, 3_000_000, 0);
    if let RaceEvent::Stressed { stress, .. } = &mut event {
        (stress.evicted, stress.evicted_live) = (700, 12);
        (stress.opens, stress.opens_refused, stress.undecided) = (5000, 3, 2);
    }
    let (standing, notes) = of(&[model(here(), &[]), event]);
    assert_eq!(standing, Standing::Agree);
    assert!(notes.contains("evicted 700 entries for want of room, 12 of them live"), "{notes}");
    assert!(notes.contains("2 of these may be the collector's doing"), "{notes}");
    assert!(notes.contains("3 of 5000 flows could not open"), "{notes}");
}

#[test]
fn a_run_that_was_to_evict_and_did_not_says_too_little() {
    let standing = |gc: &str, evicted: u64, preempts_packets: bool| {
        let cell = cell("half-life-stripe", gc, "lru-hash");
        let mut event = stressed(cell.clone(), 100, 100, 0);
        if let RaceEvent::Stressed { stress, .. } = &mut event {
            stress.evicted = evicted;
        }
        let matrix = matrix(&[model(cell.clone(), &[]), event]);
        judge(&matrix.rows[0], &matrix, Terms { preempts_packets, ..Terms::default() }).standing
    };
    assert_eq!(standing("prog-stripe", 1, false), Standing::Agree);
    assert_eq!(standing("prog-stripe", 0, false), Standing::Missing);
    assert_eq!(standing("prog-stripe", 0, true), Standing::Agree);
    // Its timers would pass for evictions.
    assert_eq!(standing("timer", 0, false), Standing::Agree);
}

#[test]
fn figures_have_two_digits_that_count() {
    let shown = [0.0, 0.0321, 0.3, 1.0, 9.87, 83.2, 97_999.6].map(figure);
    assert_eq!(shown, ["0", "0.032", "0.30", "1.0", "9.9", "83", "98000"]);
}
