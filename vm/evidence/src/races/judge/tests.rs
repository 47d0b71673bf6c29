// SPDX-License-Identifier: MIT OR Apache-2.0
//! On made-up runs: nothing here was observed.

use guest::machine::End;

use super::*;
use crate::races::made_up::{
    absent, cell, connected, done, matrix, model, of_each_kind, plan, refused, stressed,
};
use results::races::{Cell, Violation::LostRefresh};

const CLEAN: &str = "[    0.000000] Linux version 7.3\n";

fn ended() -> Ended {
    Ended { end: End::Exited, up: true, status: Some(0), boot_seconds: 1.0 }
}

/// A made-up run: what the model said, what the guest said, and how the guest ended.
fn run(model: &[RaceEvent], said: &[RaceEvent], ended: Ended, console: &str) -> Result<(Matrix, Judged)> {
    let evidence = Evidence::of(said.iter().cloned());
    let mut matrix = matrix(model);
    matrix.add(&evidence.events);
    let guest =
        Guest { evidence: &evidence, ended, console, debugger: true, boot_limit: 9, silence_limit: 7 };
    let judged = judge(&mut matrix, &[guest], false)?;
    Ok((matrix, judged))
}

fn here() -> Cell {
    cell("replace", "compare", "hash")
}

fn good() -> [RaceEvent; 3] {
    [plan(1), stressed(here(), 10, 10, 0), done(1)]
}

#[test]
fn a_good_run_passes_and_one_sign_of_trouble_fails_it() {
    let clean = [model(here(), &[])];
    let (matrix, judged) = run(&clean, &good(), ended(), CLEAN).unwrap();
    assert_eq!((judged.outcome, judged.reason.as_str()), (Outcome::Passed, ""));
    assert_eq!(matrix.rows[0].agree, Some(true));
    let splat = format!("{CLEAN}[    1.000000] WARNING: x\n");
    let broken = [plan(2), stressed(here(), 10, 10, 0), connected(here(), 9, 1, false), done(2)];
    let cases: [(&[RaceEvent], Ended, &str, &str); 6] = [
        (&good(), ended(), &splat, "the evidence agrees, but the kernel reported warning"),
        (&good(), ended(), "", "the console log holds no line"),
        (
            &good(),
            Ended { status: Some(3), ..ended() },
            CLEAN,
            "the evidence agrees, yet the lab ended with 3",
        ),
        (&good()[..2], ended(), CLEAN, "the guest ended without finishing its steps"),
        (&good(), Ended { end: End::Panicked, ..ended() }, CLEAN, "the kernel panicked"),
        (&broken, ended(), CLEAN, "races::replace::compare::hash::connections: 1 of 9"),
    ];
    for (said, ended, console, reason) in cases {
        let (_, judged) = run(&clean, said, ended, console).unwrap();
        assert_eq!(judged.outcome, Outcome::Failed, "{reason}");
        assert!(judged.reason.starts_with(reason), "{reason}: {}", judged.reason);
    }
}

#[test]
fn a_run_cut_off_names_the_step_and_leaves_the_rest_in_error() {
    let all = [model(here(), &[]), model(cell("store", "blind", "hash"), &[LostRefresh])];
    let said =
        [plan(3), stressed(here(), 10, 10, 0), RaceEvent::Began { what: "stress of store × blind".into() }];
    let silent = Ended { end: End::Silent, status: None, ..ended() };
    let (matrix, judged) = run(&all, &said, silent, CLEAN).unwrap();
    assert!(
        judged.reason.starts_with(
            "no word from the guest for 7 s (--test-timeout): it hangs in stress of store × blind; evidence is missing in 1 cell"
        ),
        "{}",
        judged.reason
    );
    let statuses: Vec<_> = judged.tests.iter().map(|t| t.status).collect();
    assert_eq!(statuses, [Status::Pass, Status::Error]);
    assert!(matrix.rows[1].notes.iter().any(|note| note.contains("it hangs")), "{:?}", matrix.rows[1]);
}

#[test]
fn a_guest_that_never_came_to_a_step_and_a_filter_for_nothing_could_not_run() {
    let early = Ended { status: Some(2), ..ended() };
    let error = run(&[model(here(), &[])], &[], early, CLEAN).unwrap_err().to_string();
    assert!(error.starts_with("the lab ended with 2 before its first step"), "{error}");
    let none = judge(&mut Matrix::default(), &[], true).unwrap_err().to_string();
    assert_eq!(none, "no cell to look at: is --filter right?");
}

#[test]
fn a_cell_that_only_one_side_names_is_in_error() {
    let stranger = cell("store", "iter", "hash");
    let said = [plan(2), stressed(here(), 10, 10, 0), stressed(stranger, 10, 10, 0), done(2)];
    let (_, judged) = run(&[model(here(), &[])], &said, ended(), CLEAN).unwrap();
    assert!(
        judged.reason.contains("first in store × iter on hash: the model says nothing"),
        "{}",
        judged.reason
    );
    let all = [model(here(), &[]), model(cell("due", "blind", "hash"), &[])];
    let (_, judged) = run(&all, &good(), ended(), CLEAN).unwrap();
    assert!(judged.reason.contains("first in due × blind on hash: no stress ran"), "{}", judged.reason);
}

#[test]
fn refused_and_absent_cells_are_skipped_and_nothing_else_is_no_pass() {
    let skipped = [model(here(), &[]), refused(here()), absent(cell("due", "prog", "hash"))];
    let all = [&skipped[..], &[model(cell("due", "prog", "hash"), &[])]].concat();
    let (_, judged) = run(&all, &[plan(0), done(0)], ended(), CLEAN).unwrap();
    assert!(judged.tests.iter().all(|test| test.status == Status::Skip));
    assert_eq!(judged.reason, "no cell has any evidence of the kernel");
}

#[test]
fn what_the_catalogue_or_an_older_kernel_leaves_to_the_model_is_skipped_with_the_reason() {
    let alone = approaches::all().find(|place| place.model_alone().is_some());
    let reason = alone.as_ref().and_then(|place| place.model_alone());
    let new = cell("store", "blind", "rhash");
    let said = [
        RaceEvent::Plan { release: "6.1.0-50-amd64".into(), cpus: 2, steps: 2 },
        stressed(here(), 10, 10, 0),
        refused(new.clone()),
        done(2),
    ];
    let mut all = vec![model(here(), &[]), model(new.clone(), &[])];
    all.extend(alone.as_ref().map(|place| model(place.cell(), &[LostRefresh])));
    let (matrix, judged) = run(&all, &said, ended(), CLEAN).unwrap();
    assert_eq!((judged.outcome, judged.reason.as_str()), (Outcome::Passed, ""));
    let row = matrix.find("store", "blind", "rhash").unwrap();
    assert_eq!(row.standing, Standing::Absent);
    assert!(row.absent.as_ref().unwrap().starts_with("this kernel lacks rhash"), "{:?}", row.absent);
    let skipped: Vec<_> = judged.tests.iter().filter(|test| test.status == Status::Skip).collect();
    assert_eq!(skipped.len(), 1 + usize::from(alone.is_some()));
    if let (Some(place), Some(reason)) = (alone, reason) {
        let row = matrix.rows.iter().find(|row| row.cell == place.cell()).unwrap();
        assert_eq!((row.standing, row.absent.as_deref()), (Standing::Absent, Some(reason)));
    }
}

fn native(said: &[RaceEvent], trouble: Option<&str>) -> Result<Judged> {
    let evidence = Evidence::of(said.iter().cloned());
    let mut matrix = matrix(&[model(here(), &[])]);
    matrix.add_unpatched(&evidence.events);
    let last = vec!["its last line".into()];
    judge_native(
        &mut matrix,
        &Native { evidence, trouble: trouble.map(Into::into), last, debugger: false },
        false,
    )
}

#[test]
fn a_run_on_the_machines_own_kernel_ends_in_one_of_the_three_outcomes() {
    let trouble = Some("ended with exit status: 3");
    assert_eq!(native(&good(), None).unwrap().reason, "");
    let failed = [
        (&good()[..], trouble, "the evidence agrees, yet the lab ended with exit status: 3"),
        (&good()[..2], trouble, "the lab ended with exit status: 3"),
        (&good()[..2], None, "the lab ended without finishing its steps"),
    ];
    for (said, trouble, reason) in failed {
        let judged = native(said, trouble).unwrap();
        assert_eq!((judged.outcome, judged.reason.as_str()), (Outcome::Failed, reason));
    }
    let eperm = results::races::Refusal { errno: "EPERM".into(), text: "map_create".into() };
    let denied = [plan(1), RaceEvent::Refused { cell: here(), refusal: eperm }, done(1)];
    let cases = [
        (&[][..], trouble, "before its first step; it said:\n    | its last line"),
        (&denied[..], None, "bpf(2) is not permitted here (EPERM: map_create)"),
    ];
    for (said, trouble, reason) in cases {
        let error = native(said, trouble).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_model_alone_passes_if_that_was_asked_for() {
    let mut matrix = matrix(&[model(here(), &[LostRefresh])]);
    let judged = judge(&mut matrix, &[], false).unwrap();
    assert_eq!((judged.outcome, judged.tests[0].status), (Outcome::Passed, Status::Pass));
    assert_eq!(matrix.rows[0].agree, None);
}

#[test]
fn a_model_that_broke_says_why_even_if_it_is_all_that_was_asked_for() {
    let error = "no such step: cas".to_owned();
    let mut matrix = matrix(&[RaceEvent::Failed { cell: here(), evidence: "model".into(), error }]);
    let judged = judge(&mut matrix, &[], false).unwrap();
    assert_eq!(judged.outcome, Outcome::Failed);
    assert!(judged.reason.ends_with("the model could not run: no such step: cas"), "{}", judged.reason);
}

#[test]
fn every_kind_of_cell_ends_in_its_status() {
    let mut matrix = matrix(&of_each_kind());
    weigh(&mut matrix, false, "");
    let status = |name: &str| results(&matrix, false).iter().find(|t| t.name == name).unwrap().status;
    assert_eq!(status("races::store::blind::hash"), Status::Pass);
    assert_eq!(status("races::replace::compare::lru-hash"), Status::Skip);
    assert_eq!(status("races::due-tagged::prog::hash"), Status::Skip);
}
