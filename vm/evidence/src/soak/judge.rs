// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what was said and seen of a soak to one of the three outcomes. Nothing here touches the machine.

use ground::outcome::Outcome;
use guest::{
    verdict::{broken_words, is_broken},
    waiting::Waited,
};
use results::soak::{Kind, NEEDED, Worked};
use results::{Status, TestResult};

use super::{
    listen::Heard,
    trend::{Trend, Verdict, trends},
};

/// What was seen besides.
#[derive(Clone, Debug, Default)]
pub struct Besides {
    /// Why the lab did not come to its end; may be empty.
    pub trouble: String,
    /// Kernel reports, `what: line`.
    pub splats: Vec<String>,
    /// What kept QEMU waiting, if there was a guest.
    pub waited: Option<Waited>,
    /// Others use this kernel, too, so that its memory says nothing of the soak.
    pub shared: bool,
}

/// What it comes to.
#[derive(Debug)]
pub struct Judgement {
    /// Which of the three.
    pub outcome: Outcome,
    /// Why, in one sentence.
    pub reason: String,
    /// A result for everybody who worked or did not, and for each gauge.
    pub tests: Vec<TestResult>,
    /// How each gauge went on.
    pub trends: Vec<Trend>,
}

/// Kernel reports that a guest brings about which stands still: they count time.
const OF_TIME: [&str; 4] = ["soft lockup", "hard lockup", "RCU stall", "hung task"];
/// From here on a guest has stood still: half of what the kernel's watchdog lets pass.
const STOOD_MS: u64 = 10_000;

/// Judges it.
pub fn judge(heard: &Heard, besides: &Besides) -> Judgement {
    let trends = trends(&heard.gauges, &heard.samples);
    let mut tests: Vec<TestResult> = heard.workers.iter().map(|worker| work(worker, heard)).collect();
    tests.extend(heard.absent.iter().map(|(name, why)| test("work", name, Status::Skip, why.clone())));
    tests.extend(trends.iter().map(|trend| memory(trend, besides.shared)));
    let lost = heard.samples.last().is_some_and(|sample| sample.losses > 0)
        || heard.worked.iter().any(|worked| !worked.losses.is_empty());
    let Besides { trouble, splats, .. } = besides;
    let stood = stood(heard, besides);
    let broken: Vec<&str> =
        tests.iter().filter(|test| is_broken(test.status)).map(|test| test.name.as_str()).collect();
    let (outcome, reason) = match (&stood, splats.first()) {
        // What is lost is lost, however busy the host is.
        (Some(how), splat)
            if !lost
                && splats.iter().all(|splat| is_of_time(splat))
                && (splat.is_some() || !trouble.is_empty()) =>
        {
            let of_that = splat.map_or(trouble, |splat| splat);
            let reason = format!(
                "the host was too busy, so that this says nothing of the kernel: {how}, and {of_that}"
            );
            (Outcome::CouldNotRun, reason)
        }
        (_, Some(splat)) => (Outcome::Failed, format!("the kernel reported {splat}")),
        _ if !trouble.is_empty() => (Outcome::Failed, trouble.clone()),
        _ if !broken.is_empty() => (Outcome::Failed, broken_words(&broken)),
        _ if heard.stopped => (Outcome::Failed, "it was stopped before its time".into()),
        _ if besides.shared => {
            (Outcome::Passed, "nothing was lost, and the memory that can be judged here is flat".into())
        }
        _ => (Outcome::Passed, "nothing was lost, and memory is flat".into()),
    };
    Judgement { outcome, reason, tests, trends }
}

fn is_of_time(splat: &str) -> bool {
    OF_TIME.iter().any(|kind| splat.starts_with(kind))
}

/// That the guest stood still, where both sides show it: beats that did not come in the guest, or a clock of the guest that
/// fell behind ours; and threads of QEMU that were due and did not run on the host. A CPU that is locked up misses its beats
/// while QEMU runs.
fn stood(heard: &Heard, besides: &Besides) -> Option<String> {
    let Waited { waited_ms, of_ms } = besides.waited?;
    let most = |of: fn(&results::soak::Sample) -> u64| heard.samples.iter().map(of).max().unwrap_or(0);
    let (stood_ms, late_ms) = (most(|sample| sample.stood_ms), most(|sample| sample.late_ms));
    // One that said no more could not tell.
    let silent = !heard.done();
    let there = silent || stood_ms.max(late_ms).max(heard.behind_ms) >= STOOD_MS;
    (there && waited_ms >= STOOD_MS).then(|| {
        format!(
            "the guest's clock shows {:.1} s in which no CPU of it ran and {:.1} s in which one did not, it fell {:.1} s behind \
             the host's, and a thread of QEMU waited {:.1} of {:.0} s for a CPU of the host",
            seconds(stood_ms),
            seconds(late_ms),
            seconds(heard.behind_ms),
            seconds(waited_ms),
            seconds(of_ms)
        )
    })
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// What one who worked has come to.
fn work(name: &str, heard: &Heard) -> TestResult {
    let Some(worked) = heard.worked.iter().find(|worked| worked.worker == name) else {
        return test("work", name, Status::Error, "it was not heard of again".into());
    };
    let Worked { did, losses, error, .. } = worked;
    let list = |counts: &std::collections::BTreeMap<String, u64>| {
        counts.iter().map(|(what, times)| format!("{what} {times}")).collect::<Vec<_>>().join(", ")
    };
    let (status, detail) = match error {
        _ if !losses.is_empty() => (Status::Fail, format!("lost: {}; {}", list(losses), list(did))),
        Some(error) => (Status::Error, format!("{error}; {}", list(did))),
        None if did.values().all(|&times| times == 0) => {
            (Status::Error, "it came to nothing in all that time".into())
        }
        None => match NEEDED.iter().find(|what| did.contains_key("runs") && did.get(**what) == Some(&0)) {
            Some(what) => (Status::Error, format!("{what}: 0, so that nothing was tested; {}", list(did))),
            None => (Status::Pass, list(did)),
        },
    };
    test("work", name, status, detail)
}

/// Whether a gauge stays.
fn memory(trend: &Trend, shared: bool) -> TestResult {
    let Trend { growth, allowance, seconds, median, .. } = trend;
    let detail = format!(
        "{:+.1} KiB in {seconds:.0} s, at most {:.1} KiB more may come and go, of {:.0} KiB",
        growth / 1024.0,
        allowance / 1024.0,
        median / 1024.0
    );
    let whose = match trend.kind {
        Kind::Map => "map",
        Kind::Kernel => "kernel",
        Kind::Collector | Kind::Lab => "process",
    };
    let (status, detail) = match trend.verdict {
        _ if shared && trend.kind == Kind::Kernel => {
            (Status::Skip, format!("others use this kernel, too: {detail}"))
        }
        Verdict::Flat => (Status::Pass, detail),
        Verdict::Grows => (Status::Fail, format!("it grows: {detail}")),
        Verdict::Unknown => (Status::Error, "there are too few samples".into()),
    };
    test("memory", &format!("{whose}: {}", trend.name), status, detail)
}

fn test(of: &str, name: &str, status: Status, detail: String) -> TestResult {
    TestResult { name: format!("soak::{of}::{name}"), status, ms: 0, detail }
}

#[cfg(test)]
mod tests;
