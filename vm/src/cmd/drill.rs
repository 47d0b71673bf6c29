// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask drill`: what vm-test does with a guest that panics, hangs, or lies, tried on a real one.

mod nested;

use std::time::Duration;

use anyhow::Result;
use ground::{
    context::Ctx,
    lock,
    outcome::{Count, Done, Outcome},
};
use guest::{
    channel::{EVENTS, STATUS},
    machine::Limits,
};
use kernel::series::Series;
use results::Status;

use crate::{
    cli::Drill,
    run_report::Place,
    steps::{self, Bench},
    workshop::Workshop,
};

/// What the guest does, and how a run of it has to end.
struct Case {
    name: &'static str,
    /// Shell lines; `$events` is the event file.
    script: &'static str,
    outcome: Outcome,
    /// Has to be in the sentence that says why.
    reason: &'static str,
}

const PANIC: &str = "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger; sleep 60";
const PLAN: &str = r#"echo '{"event":"plan","release":"x","cpus":1,"tests":["a::b"]}' >> $events"#;
const START: &str = r#"echo '{"event":"started","name":"a::b"}' >> $events"#;
const PASS: &str =
    r#"echo '{"event":"finished","name":"a::b","status":"pass","ms":1,"detail":""}' >> $events"#;
const DONE: &str = r#"echo '{"event":"done","tests":1}' >> $events"#;
const KTAP: &str = "echo 'KTAP version 1'; echo '1..1'; echo 'ok 1 a::b'; echo '# 1 passed'";

/// `PLAN`, `START` and so on stand for the lines above.
const CASES: [Case; 7] = [
    Case { name: "good", script: "PLAN; START; PASS; DONE; true", outcome: Outcome::Passed, reason: "" },
    Case {
        name: "panic-first",
        script: "PANIC",
        outcome: Outcome::CouldNotRun,
        reason: "panicked before the first",
    },
    Case {
        name: "panic-in-test",
        script: "PLAN; START; PANIC",
        outcome: Outcome::Failed,
        reason: "panicked in a::b",
    },
    Case {
        name: "hang-first",
        script: "sleep 600",
        outcome: Outcome::CouldNotRun,
        reason: "said nothing for",
    },
    Case {
        name: "hang-in-test",
        script: "PLAN; START; sleep 600",
        outcome: Outcome::Failed,
        reason: "hangs in a::b",
    },
    Case {
        name: "lie-then-panic",
        script: "PLAN; START; PASS; DONE; KTAP; echo 0 > STATUS; PANIC",
        outcome: Outcome::Failed,
        reason: "panicked",
    },
    Case {
        name: "ktap-only",
        script: "KTAP; true",
        outcome: Outcome::CouldNotRun,
        reason: "before its first test",
    },
];

/// Boots each case, or what is asked for instead.
///
/// # Errors
/// Those of the steps before the first boot.
pub fn run(ctx: &Ctx, opts: &Drill) -> Result<Done> {
    let _lock = lock::take_folder(ctx, &ctx.out)?;
    if !opts.kvm.is_empty() {
        return nested::run(ctx, opts);
    }
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
    let vng = steps::vng(ctx, &opts.kernel)?;
    let built = shop.build(&series)?;
    let bench = Bench::open(ctx, &shop.program_headers(&built)?, vng, &opts.machine, &built)?;
    let limits = Limits { boot: Duration::from_secs(120), silence: Duration::from_secs(8) };
    let mut count = Count::default();
    for case in CASES {
        let name = format!("drill-{}", case.name);
        let ended = bench.run(&built.image(), &name, Place::Series, &script(case.script), limits);
        ctx.still_wanted()?;
        let (outcome, reason) = match ended {
            Ok(judged) => (judged.outcome, judged.reason),
            Err(e) => (Outcome::CouldNotRun, format!("{e:#}")),
        };
        let sentence = reason.lines().next().unwrap_or_default();
        let right = outcome == case.outcome && sentence.contains(case.reason);
        count.add(if right { Status::Pass } else { Status::Fail });
        let (sign, words) = (if right { "right" } else { "WRONG" }, outcome.words());
        ctx.events.note(format!("{sign}  {:<15} {words}: {sentence}", case.name));
    }
    Ok(Done::counted(count))
}

/// The case's lines, spelt out.
fn script(short: &str) -> String {
    let words =
        [("PLAN", PLAN), ("START", START), ("PASS", PASS), ("DONE", DONE), ("KTAP", KTAP), ("PANIC", PANIC)];
    let spelt =
        words.iter().fold(short.replace("STATUS", STATUS), |text, (word, line)| text.replace(word, line));
    format!("events={EVENTS}\n{spelt}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_spelt_out() {
        let text = script("PLAN; PANIC");
        assert!(text.contains("\"plan\"") && text.contains("sysrq-trigger") && !text.contains("PANIC"));
    }
}
