// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes in what `lab bench` says, and tells how far it is.

use std::time::Instant;

use ground::events::{Event, Events};
use guest::{course::Course, listener::Listener, machine::Ended};
use results::bench::{BenchEvent, Group, Measure};

/// Instructions that a bar counts as one.
const MILLION: u64 = 1_000_000;

/// What the bench said so far.
#[derive(Debug, Default)]
pub struct Heard {
    planned: Option<u64>,
    ended: u64,
    done: bool,
    running: Option<String>,
    weight: (u64, u64),
    step: u64,
    since: Option<Instant>,
    /// The figures.
    pub measures: Vec<Measure>,
    /// What does not exist there, and why.
    pub skipped: Vec<(Group, String, String)>,
    /// What went wrong: what, how, and whether an operation did what it must not.
    pub failed: Vec<(String, String, bool)>,
}

impl Heard {
    /// It said that all was done, and the count was right.
    pub fn done(&self) -> bool {
        self.done && self.planned == Some(self.ended)
    }

    /// Steps that it said it would take.
    pub fn planned(&self) -> Option<u64> {
        self.planned
    }

    /// How far a guest came.
    pub fn course(&self, ended: Ended, boot_limit: u64, silence_limit: u64) -> Course<'_> {
        Course {
            ended,
            begun: self.planned.is_some(),
            done: self.done(),
            running: self.running.as_deref(),
            program: "bench",
            unit: "step",
            boot_limit,
            silence_limit,
        }
    }

    /// Takes in one event; gives what to tell of it.
    pub fn hear(&mut self, event: BenchEvent) -> Option<Event> {
        match event {
            BenchEvent::Plan { release, cpus, unit, steps, weight } => {
                self.planned = Some(steps);
                self.weight = (0, weight);
                self.since = Some(Instant::now());
                Some(Event::Note { text: format!("{release}, {cpus} CPU, {steps} figures in {unit}") })
            }
            BenchEvent::Began { what, weight } => {
                self.running = Some(what.clone());
                self.step = weight;
                let (done, total) = self.weight;
                let what = format!("{what}{}", self.left());
                Some(Event::Progress { done: done / MILLION, total: total / MILLION, what })
            }
            BenchEvent::Measured(measure) => {
                self.end();
                self.measures.push(*measure);
                None
            }
            BenchEvent::Skipped { group, what, reason } => {
                self.end();
                self.skipped.push((group, what, reason));
                None
            }
            BenchEvent::Failed { what, error, broken } => {
                self.end();
                let text = format!("{what}: {error}");
                self.failed.push((what, error, broken));
                Some(Event::Note { text })
            }
            BenchEvent::Done { steps } => {
                self.done = steps == self.ended;
                None
            }
        }
    }

    fn end(&mut self) {
        self.ended += 1;
        self.weight.0 += self.step;
        self.step = 0;
        self.running = None;
    }

    /// An estimate, once there is something to estimate from.
    fn left(&self) -> String {
        let (done, total) = self.weight;
        let Some(since) = self.since.filter(|_| done * 20 > total) else { return String::new() };
        let seconds = since.elapsed().as_secs_f64() * (total - done.min(total)) as f64 / done as f64;
        format!(", about {seconds:.0} s to go")
    }
}

impl Listener for Heard {
    type Event = BenchEvent;

    fn take_in(&mut self, events: &Events, event: BenchEvent) {
        if let Some(told) = self.hear(event) {
            events.emit(&told);
        }
    }

    fn running(&self) -> Option<&str> {
        self.running.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::bench::Unit;

    fn skipped() -> BenchEvent {
        BenchEvent::Skipped { group: Group::Job, what: "a".into(), reason: "b".into() }
    }

    fn plan(steps: u64) -> BenchEvent {
        BenchEvent::Plan {
            release: "7.3".into(),
            cpus: 1,
            unit: Unit::Instructions,
            steps,
            weight: 10 * MILLION,
        }
    }

    #[test]
    fn done_is_believed_only_if_every_step_has_ended() {
        let of = |events: Vec<BenchEvent>| {
            let mut heard = Heard::default();
            events.into_iter().for_each(|event| drop(heard.hear(event)));
            heard
        };
        assert!(of(vec![plan(1), skipped(), BenchEvent::Done { steps: 1 }]).done());
        assert!(!of(vec![plan(2), skipped(), BenchEvent::Done { steps: 1 }]).done());
        assert!(!of(vec![plan(1), skipped()]).done());
        assert!(!of(vec![plan(1), BenchEvent::Done { steps: 1 }]).done());
    }

    #[test]
    fn progress_is_told_by_weight() {
        let mut heard = Heard::default();
        heard.hear(plan(2));
        heard.hear(BenchEvent::Began { what: "a".into(), weight: 7 * MILLION });
        heard.hear(skipped());
        let told = heard.hear(BenchEvent::Began { what: "b".into(), weight: 3 * MILLION });
        assert!(matches!(told, Some(Event::Progress { done: 7, total: 10, .. })));
    }
}
