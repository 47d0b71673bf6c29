// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what was seen to results and one of the three outcomes.

use anyhow::{Context, Result, bail};
use ground::outcome::Outcome;
use guest::{
    machine::Ended,
    splat,
    verdict::{Judged, broken_words, is_broken},
};
use results::{Status, TestResult};

use super::{
    hold,
    listen::{Heard, Seen},
    others,
};

/// Judges each scene. No report of the kernel is allowed: the holds are shorter than its limits (a soft lockup takes 20 s, an
/// RCU stall 21 s). `consoles`: that of each guest; the last one ended as `ended` says, QEMU had lost those before it.
///
/// # Errors
/// When the last guest never came to its scenes, or there is none: that says nothing.
pub fn judge(
    heard: &Heard,
    ended: Ended,
    consoles: &[String],
    boot_limit: u64,
    silence_limit: u64,
) -> Result<Judged> {
    let course = heard.course(ended, boot_limit, silence_limit);
    let (console, lost) = consoles.split_last().context("no guest was booted")?;
    course.began(console)?;
    let planned = heard.planned.as_deref().unwrap_or_default();
    if planned.is_empty() {
        bail!("no scene to try: is --filter right?");
    }
    let mut reason = course.cut_short();
    let mut tests: Vec<TestResult> = heard.seen.iter().map(|(scene, seen)| result(scene, seen)).collect();
    for scene in planned.iter().filter(|scene| heard.seen.iter().all(|(seen, _)| seen != *scene)) {
        let hangs = heard.unfinished() == Some(scene);
        let (status, detail) = match hangs {
            true => (Status::Fail, reason.clone()),
            false => (Status::Error, format!("was not tried: {reason}")),
        };
        tests.push(TestResult { name: scene.clone(), status, ms: 0, detail });
    }
    let scanned = splat::scan(console);
    // What was said of a guest is said, also where QEMU lost it afterwards.
    let mut splats: Vec<String> =
        lost.iter().filter_map(|console| splat::scan(console).ok()).flatten().collect();
    splats.extend(scanned.clone().unwrap_or_default());
    let broken: Vec<&str> = tests.iter().filter(|t| is_broken(t.status)).map(|t| t.name.as_str()).collect();
    if reason.is_empty() {
        reason = match (broken.is_empty(), splats.first(), scanned) {
            (false, ..) => broken_words(&broken),
            (_, Some(first), _) => format!("all is as it should be, but the kernel reported {first}"),
            (.., Err(why)) => why,
            _ if ended.status != Some(0) => {
                format!("all is as it should be, yet the lab ended with {}", ended.status.unwrap_or(-1))
            }
            _ => String::new(),
        };
    }
    Ok(Judged { outcome: Outcome::from_ok(reason.is_empty()), tests, splats, reason })
}

/// One scene.
fn result(scene: &str, seen: &Seen) -> TestResult {
    let (faults, detail, ms) = match seen {
        Seen::Held(held) => (hold::faults(held), hold::detail(held), held.held_ms),
        Seen::Stopped(stopped) => (others::stopped(stopped), others::of_stop(stopped), stopped.host_ms),
        Seen::Stepped(stepped) => (others::stepped(stepped), others::of_step(stepped), 0),
        Seen::Failed(why) => {
            return TestResult { name: scene.into(), status: Status::Error, ms: 0, detail: why.clone() };
        }
    };
    let status = if faults.is_empty() { Status::Pass } else { Status::Fail };
    let detail = faults.into_iter().chain(Some(detail)).collect::<Vec<_>>().join("; ");
    TestResult { name: scene.into(), status, ms, detail }
}
