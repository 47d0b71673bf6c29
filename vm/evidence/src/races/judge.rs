// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a matrix to results and one of the three outcomes. Nothing here touches the machine.

use anyhow::{Result, bail};
use approaches::Since;
use ground::outcome::Outcome;
use guest::{
    listener::Listener,
    machine::Ended,
    splat,
    verdict::{Judged, is_broken},
};
use results::{Status, TestResult, races::RaceEvent};

use super::{
    agree::{self, Judgement, Terms},
    connected::{self, milliseconds},
    listen::Evidence,
    matrix::Matrix,
    release::version,
    row::{Row, Standing, name_of},
};

/// What a run of the guest showed besides its evidence.
pub struct Guest<'a> {
    /// How far it came.
    pub evidence: &'a Evidence,
    /// How it ended.
    pub ended: Ended,
    /// Its console.
    pub console: &'a str,
    /// A debugger was beside it.
    pub debugger: bool,
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
    let kernel = kernel(guests.iter().map(|guest| guest.evidence));
    let no_debugger = guests.iter().any(|guest| !guest.debugger);
    let preempts_packets = guests.iter().any(|guest| guest.evidence.preempts_packets());
    let terms =
        Terms { model_only: guests.is_empty(), cut_short: &cut_short, kernel, no_debugger, preempts_packets };
    conclude(matrix, terms, Aside { splats, after }, filtered)
}

/// A run of the lab on this machine's own kernel.
pub struct Native {
    /// What it said.
    pub evidence: Evidence,
    /// How it ended, if not well.
    pub trouble: Option<String>,
    /// The last lines that it printed.
    pub last: Vec<String>,
    /// A debugger was beside it.
    pub debugger: bool,
}

/// Gives every cell its standing by a run on this machine's own kernel.
///
/// # Errors
/// When there is no cell, the lab never came to its first step, or it may not load programs.
pub fn judge_native(matrix: &mut Matrix, native: &Native, filtered: bool) -> Result<Judged> {
    let Native { evidence, trouble, last, debugger } = native;
    if evidence.planned.is_none() {
        let mut tail = last.join("\n    | ");
        if !tail.is_empty() {
            tail.insert_str(0, "; it said:\n    | ");
        }
        let ended = trouble.as_deref().unwrap_or("ended as if all were well");
        bail!("the lab {ended} before its first step{tail}");
    }
    if let Some(why) = forbidden(matrix) {
        bail!(
            "bpf(2) is not permitted here ({why}): run it as root, outside of a container, on a kernel that is not locked down"
        );
    }
    let running = evidence.running().map_or(String::new(), |what| format!(" in {what}"));
    let cut_short = match trouble {
        _ if evidence.done() => String::new(),
        Some(trouble) => format!("the lab {trouble}{running}"),
        None => format!("the lab ended without finishing its steps{running}"),
    };
    let after =
        trouble.as_ref().map_or(String::new(), |how| format!("the evidence agrees, yet the lab {how}"));
    let kernel = kernel(std::iter::once(evidence));
    let preempts_packets = evidence.preempts_packets();
    let terms =
        Terms { model_only: false, cut_short: &cut_short, kernel, no_debugger: !debugger, preempts_packets };
    conclude(matrix, terms, Aside { after, splats: Vec::new() }, filtered)
}

/// The first refusal for want of a permission, if nothing ran and there was one.
fn forbidden(matrix: &Matrix) -> Option<String> {
    if matrix.rows.iter().any(Row::ran_in_the_kernel) {
        return None;
    }
    let refused = matrix.rows.iter().filter_map(|row| row.refused.as_ref());
    let failed = matrix.rows.iter().flat_map(|row| &row.failed);
    let refusals =
        refused.filter(|refusal| refusal.errno == "EPERM").map(|refusal| format!("EPERM: {}", refusal.text));
    let failures = failed.map(|failure| failure.error.clone());
    let denied = |error: &String| error.contains("EPERM") || error.contains("Operation not permitted");
    refusals.chain(failures.filter(denied)).next()
}

/// What runs showed besides their evidence.
struct Aside {
    /// What kernels reported.
    splats: Vec<String>,
    /// What is wrong even if the evidence agrees; may be empty.
    after: String,
}

/// Gives every cell its standing, and says what they come to.
fn conclude(matrix: &mut Matrix, terms: Terms<'_>, aside: Aside, filtered: bool) -> Result<Judged> {
    let Aside { splats, after } = aside;
    if matrix.rows.is_empty() {
        bail!("no cell to look at{}", if filtered { ": is --filter right?" } else { "" });
    }
    weigh_by(matrix, terms);
    let tests = results(matrix, terms.preempts_packets);
    let count = |standing| matrix.rows.iter().filter(|row| row.standing == standing).count();
    let broken: Vec<&TestResult> = tests.iter().filter(|test| is_broken(test.status)).collect();
    let mut reasons = Vec::new();
    if !terms.cut_short.is_empty() {
        reasons.push(terms.cut_short.to_owned());
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

/// Gives every row its standing, whatever kernel its evidence is of.
#[cfg(any(test, feature = "made-up"))]
pub fn weigh(matrix: &mut Matrix, model_only: bool, cut_short: &str) {
    weigh_by(matrix, Terms { model_only, cut_short, ..Terms::default() });
}

/// The oldest kernel that anything of it is from.
fn kernel<'a>(evidence: impl Iterator<Item = &'a Evidence>) -> Option<Since> {
    let plans = evidence.flat_map(|evidence| &evidence.events).filter_map(|event| match event {
        RaceEvent::Plan { release, .. } => version(release),
        _ => None,
    });
    plans.min()
}

/// Gives every row its standing.
fn weigh_by(matrix: &mut Matrix, terms: Terms<'_>) {
    let weighed: Vec<_> = matrix.rows.iter().map(|row| agree::judge(row, matrix, terms)).collect();
    for (row, Judgement { standing, notes, absent }) in matrix.rows.iter_mut().zip(weighed) {
        row.absent = row.absent.take().or(absent);
        row.agree = match standing {
            Standing::Agree => Some(true),
            Standing::Disagree => Some(false),
            _ => None,
        };
        (row.standing, row.notes) = (standing, notes);
    }
}

/// One result for each cell, and one for each run of connections, on kernels that preempt packets or that do not.
pub fn results(matrix: &Matrix, preempts_packets: bool) -> Vec<TestResult> {
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
        tests.extend(row.connections.iter().map(|run| connected::judge(row, run, preempts_packets)));
    }
    tests
}

#[cfg(test)]
mod tests;
