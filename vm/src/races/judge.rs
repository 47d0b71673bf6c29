// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a matrix to results and one of the three outcomes. Nothing here touches the machine.

use anyhow::{Result, bail};
use results::{Status, TestResult, races::Cell};

use super::{
    agree::{self, Standing},
    connected::{self, milliseconds},
    listen::Evidence,
    matrix::Matrix,
};
use crate::{
    outcome::Outcome,
    splat,
    verdict::{Judged, is_broken},
    watch::Ended,
};

/// A cell's name among test results.
pub fn name_of(cell: &Cell) -> String {
    format!("races::{}::{}::{}", cell.refresh, cell.gc, cell.map)
}

/// What a run of the guest showed besides its evidence.
pub struct Guest<'a> {
    /// How far it came.
    pub evidence: &'a Evidence,
    /// How it ended.
    pub ended: Ended,
    /// Its console.
    pub console: &'a str,
    /// Seconds, as the options say.
    pub boot_limit: u64,
    /// Seconds.
    pub silence_limit: u64,
}

/// Gives every cell its standing; without any of `guests`, the model alone was asked for.
///
/// # Errors
/// When there is no cell, or a guest never came to its first.
pub fn judge(matrix: &mut Matrix, guests: &[Guest<'_>], filtered: bool) -> Result<Judged> {
    let (mut short, mut splats, mut after) = (Vec::new(), Vec::new(), String::new());
    for guest in guests {
        let course = guest.evidence.course(guest.ended, guest.boot_limit, guest.silence_limit);
        course.began(guest.console)?;
        short.push(course.cut_short());
        match splat::scan(guest.console) {
            Ok(found) => splats.extend(found),
            Err(why) => after = why,
        }
        if after.is_empty() && guest.ended.status != Some(0) {
            after =
                format!("the evidence agrees, yet the lab ended with {}", guest.ended.status.unwrap_or(-1));
        }
    }
    if let Some(first) = splats.first() {
        after = format!("the evidence agrees, but the kernel reported {first}");
    }
    short.retain(|why| !why.is_empty());
    let cut_short = short.join("; ");
    if matrix.rows.is_empty() {
        bail!("no cell to look at{}", if filtered { ": is --filter right?" } else { "" });
    }
    weigh(matrix, guests.is_empty(), &cut_short);
    let tests = results(matrix);
    let count = |standing| matrix.rows.iter().filter(|row| row.standing == standing).count();
    let broken: Vec<&TestResult> = tests.iter().filter(|test| is_broken(test.status)).collect();
    let mut reasons = Vec::new();
    if !cut_short.is_empty() {
        reasons.push(cut_short);
    }
    let named = |standing: Standing| {
        let first = matrix.rows.iter().find(|row| row.standing == standing);
        first.map_or(String::new(), |row| {
            format!("{}: {}", row.cell, row.notes.first().map_or("", String::as_str))
        })
    };
    let (disagree, missing) = (count(Standing::Disagree), count(Standing::Missing));
    if disagree > 0 {
        let cells = cells(disagree);
        reasons.push(format!("evidence disagrees in {cells}, first in {}", named(Standing::Disagree)));
    }
    if missing > 0 {
        let cells = cells(missing);
        reasons.push(format!("evidence is missing in {cells}, first in {}", named(Standing::Missing)));
    }
    if disagree + missing == 0
        && let Some(first) = broken.first()
    {
        reasons.push(format!("{}: {}", first.name, first.detail));
    }
    if reasons.is_empty() && !after.is_empty() {
        reasons.push(after);
    }
    // With a filter, what the kernel refuses may be all that was asked for.
    if reasons.is_empty() && !filtered && tests.iter().all(|test| test.status == Status::Skip) {
        reasons.push("no cell has any evidence of the kernel".into());
    }
    let reason = reasons.join("; ");
    Ok(Judged { outcome: Outcome::from_ok(reason.is_empty()), tests, splats, reason })
}

fn cells(count: usize) -> String {
    format!("{count} {}", if count == 1 { "cell" } else { "cells" })
}

/// Gives every row its standing.
pub fn weigh(matrix: &mut Matrix, model_only: bool, cut_short: &str) {
    let weighed: Vec<_> =
        matrix.rows.iter().map(|row| agree::judge(row, matrix, model_only, cut_short)).collect();
    for (row, (standing, notes)) in matrix.rows.iter_mut().zip(weighed) {
        row.agree = match standing {
            Standing::Agree => Some(true),
            Standing::Disagree => Some(false),
            _ => None,
        };
        (row.standing, row.notes) = (standing, notes);
    }
}

/// One result for each cell, and one for each run of connections.
pub fn results(matrix: &Matrix) -> Vec<TestResult> {
    let mut tests = Vec::new();
    for row in &matrix.rows {
        let status = match row.standing {
            Standing::Agree | Standing::ModelOnly => Status::Pass,
            Standing::Disagree => Status::Fail,
            Standing::Missing => Status::Error,
            Standing::Refused | Standing::Absent => Status::Skip,
        };
        let ms = milliseconds(row.stress.as_ref().map_or(0.0, |stress| stress.seconds));
        tests.push(TestResult { name: name_of(&row.cell), status, ms, detail: row.notes.join("; ") });
        tests.extend(row.connections.iter().map(|run| connected::judge(row, run)));
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        races::made_up::{
            absent, cell, connected, done, matrix, model, of_each_kind, plan, refused, stressed,
        },
        watch::End,
    };
    use results::races::{RaceEvent, Violation::LostRefresh};

    const CLEAN: &str = "[    0.000000] Linux version 7.3\n";

    fn ended() -> Ended {
        Ended { end: End::Exited, up: true, status: Some(0), boot_seconds: 1.0 }
    }

    /// A made-up run: what the model said, what the guest said, and how the guest ended.
    fn run(model: &[RaceEvent], said: &[RaceEvent], ended: Ended, console: &str) -> Result<(Matrix, Judged)> {
        let evidence = Evidence::of(said.iter().cloned());
        let mut matrix = matrix(model);
        matrix.add(&evidence.events);
        let guest = Guest { evidence: &evidence, ended, console, boot_limit: 9, silence_limit: 7 };
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
        let said = [
            plan(3),
            stressed(here(), 10, 10, 0),
            RaceEvent::Began { what: "stress of store × blind".into() },
        ];
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
        let skipped = [model(here(), &[]), refused(here()), absent(cell("seal", "seal", "hash"))];
        let all = [&skipped[..], &[model(cell("seal", "seal", "hash"), &[])]].concat();
        let (_, judged) = run(&all, &[plan(0), done(0)], ended(), CLEAN).unwrap();
        assert!(judged.tests.iter().all(|test| test.status == Status::Skip));
        assert_eq!(judged.reason, "no cell has any evidence of the kernel");
    }

    #[test]
    fn the_model_alone_passes_if_that_was_asked_for() {
        let mut matrix = matrix(&[model(here(), &[LostRefresh])]);
        let judged = judge(&mut matrix, &[], false).unwrap();
        assert_eq!((judged.outcome, judged.tests[0].status), (Outcome::Passed, Status::Pass));
        assert_eq!(matrix.rows[0].agree, None);
    }

    #[test]
    fn every_kind_of_cell_ends_in_its_status() {
        let mut matrix = matrix(&of_each_kind());
        weigh(&mut matrix, false, "");
        let status = |name: &str| results(&matrix).iter().find(|t| t.name == name).unwrap().status;
        assert_eq!(status("races::store::blind::hash"), Status::Pass);
        assert_eq!(status("races::replace::compare::lru-hash"), Status::Skip);
        assert_eq!(status("races::seal::seal::hash"), Status::Skip);
    }
}
