// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask mutants`: deliberately wrong kernels. A test that catches none of them proves nothing.

use std::time::Duration;

use anyhow::Result;
use ground::{
    context::Ctx,
    lock,
    outcome::{Count, Done},
};
use guest::{folder, leaks, machine::Limits, verdict::Judged};
use kernel::series::Series;
use results::{Status, TestResult};

use crate::{
    cli::Mutants,
    mutant::{self, Mutant},
    run_report::Place,
    steps::{self, Bench, Drawn, selftests_command},
    workshop::Workshop,
};

/// Builds, boots and tests each; all have to be caught.
///
/// # Errors
/// Those of the steps; a mutant that does not say who catches it.
pub fn run(ctx: &Ctx, opts: &Mutants) -> Result<Done> {
    let _lock = lock::take_folder(ctx, &ctx.out)?;
    let series = Series::read(&ctx.root, &opts.series)?;
    let mutants = mutant::read(ctx, &opts.filter)?;
    let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    let bench = Bench::open(ctx, &shop.program_headers(&built)?, vng, &opts.machine, &built)?;
    let limits = Limits { boot: Duration::from_secs(120), silence: Duration::from_secs(120) }
        .times(shop.profile.patience);
    let mut count = Count::default();
    for mutant in mutants {
        let (word, status, seen) = match mutant.escapes(&shop.profile) {
            Some(why) => ("skipped ", Status::Skip, why),
            None => match tried(ctx, &shop, &bench, &series, &mutant, limits) {
                Ok((true, seen)) => ("caught  ", Status::Pass, seen),
                Ok((false, seen)) => ("SURVIVED", Status::Fail, seen),
                // One that does not compile says nothing of the others.
                Err(e) => {
                    ctx.still_wanted()?;
                    ("UNTESTED", Status::Error, format!("{e:#}"))
                }
            },
        };
        count.add(status);
        // At once: what is done is told, whatever ends the run.
        ctx.events.note(format!("{word}  {:<40} {seen}", mutant.name));
    }
    Ok(Done::counted(count))
}

/// Builds and boots it: whether the promise that it names noticed, and what was seen.
fn tried(
    ctx: &Ctx,
    shop: &Workshop<'_>,
    bench: &Bench<'_>,
    series: &Series,
    mutant: &Mutant,
    limits: Limits,
) -> Result<(bool, String)> {
    let wrong = shop.build(&series.with(&mutant.name, &mutant.patch))?;
    // The promise that has to fail, and its likes: the others would only cost time.
    let mut command = selftests_command(
        Place::Series,
        limits,
        Drawn { filter: Some(&mutant.exercised_by), ..Drawn::default() },
    );
    if shop.profile.is_slow() {
        command.push_str(" --quick");
    }
    if mutant.leaks() {
        command = leaks::after(&command);
    }
    let mut judged = bench.run(&wrong.image(), &mutant.name, Place::Series, &command, limits)?;
    if mutant.leaks() {
        judged.tests.push(leaks::judge(&folder::run_folder(&ctx.out, &mutant.name))?);
    }
    Ok(match mutant.splat() {
        Some(wanted) => is_told(&judged, wanted),
        None => is_caught(&judged, &mutant.caught_by),
    })
}

/// Whether the kernel said so of itself.
fn is_told(judged: &Judged, wanted: &str) -> (bool, String) {
    match judged.splats.iter().find(|splat| splat.contains(wanted)) {
        Some(splat) => (true, format!("by the kernel: {splat}")),
        None => (false, format!("the kernel said nothing of \"{wanted}\" ({})", judged.reason)),
    }
}

/// Whether a test of that name failed. A splat or a panic alone does not count: the promise has to be named.
fn is_caught(judged: &Judged, caught_by: &str) -> (bool, String) {
    let failed: Vec<&TestResult> = judged.tests.iter().filter(|t| t.status == Status::Fail).collect();
    match failed.iter().find(|test| test.name.starts_with(caught_by)) {
        Some(test) => (true, format!("by {}: {}", test.name, test.detail)),
        None if failed.is_empty() => {
            (false, format!("no test failed; {caught_by} should have ({})", judged.reason))
        }
        None => {
            let names: Vec<&str> = failed.iter().map(|t| t.name.as_str()).collect();
            (false, format!("{caught_by} should have failed; failed have {}", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use ground::outcome::Outcome;

    use super::*;

    #[test]
    fn only_the_named_promise_catches() {
        let test =
            |name: &str, status| TestResult { name: name.into(), status, ms: 0, detail: String::new() };
        let judged =
            |tests| Judged { outcome: Outcome::Failed, tests, splats: Vec::new(), reason: String::new() };
        assert!(is_caught(&judged(vec![test("errno::zero", Status::Fail)]), "errno::").0);
        assert!(!is_caught(&judged(vec![test("race::x", Status::Fail)]), "errno::").0);
        assert!(!is_caught(&judged(vec![test("errno::zero", Status::Error)]), "errno::").0);
    }

    #[test]
    fn only_the_named_splat_tells() {
        let splats = vec!["KCSAN: BUG: KCSAN: data-race in memcmp+0x39/0xa0".into()];
        let judged = Judged { outcome: Outcome::Failed, tests: Vec::new(), splats, reason: String::new() };
        assert!(is_told(&judged, "KCSAN: data-race in memcmp").0);
        assert!(!is_told(&judged, "KCSAN: data-race in htab_").0);
    }
}
