// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes in what `lab soak` says, and tells how far it is.

use std::{collections::BTreeMap, time::Instant};

use ground::events::{Event, Events};
use guest::{listener::Listener, machine::Ended, verdict::Course};
use results::soak::{Gauge, Sample, SoakEvent, Worked};

/// What it said so far.
#[derive(Debug, Default)]
pub struct Heard {
    /// `uname -r`.
    pub release: String,
    /// CPUs that it uses.
    pub cpus: usize,
    /// For how long it is to go on.
    pub seconds: u64,
    /// Who works.
    pub workers: Vec<String>,
    /// Who does not, and why.
    pub absent: BTreeMap<String, String>,
    /// What is read in each sample.
    pub gauges: Vec<Gauge>,
    /// What was read.
    pub samples: Vec<Sample>,
    /// What those have come to who have stopped.
    pub worked: Vec<Worked>,
    /// It was told to stop before its time.
    pub stopped: bool,
    /// Milliseconds, the most that its clock fell behind ours from one sample to the next.
    pub behind_ms: u64,
    /// When by our clock the last sample came, or the plan, and at which millisecond of the plan that was by its own.
    last: Option<(Instant, u64)>,
    planned: bool,
    running: Option<String>,
    done: bool,
}

impl Heard {
    /// As if these had been said.
    pub fn of(events: impl IntoIterator<Item = SoakEvent>) -> Self {
        let mut heard = Self::default();
        for event in events {
            heard.hear(event);
        }
        heard
    }

    /// All were ready, and began.
    pub fn began(&self) -> bool {
        self.planned
    }

    /// It said that all was done, and has left out no sample and nobody.
    pub fn done(&self) -> bool {
        self.done && self.worked.len() == self.workers.len()
    }

    /// How far a guest came.
    pub fn course(&self, ended: Ended, boot_limit: u64, silence_limit: u64) -> Course<'_> {
        Course {
            ended,
            begun: self.planned,
            done: self.done(),
            running: self.running.as_deref(),
            program: "lab",
            unit: "sample",
            boot_limit,
            silence_limit,
        }
    }

    /// Takes in one event; gives what to tell of it.
    pub fn hear(&mut self, event: SoakEvent) -> Option<Event> {
        self.hear_at(Instant::now(), event)
    }

    /// The same of one that came `now`.
    fn hear_at(&mut self, now: Instant, event: SoakEvent) -> Option<Event> {
        match event {
            SoakEvent::Readied { worker } => {
                self.running = Some(format!("making ready: {worker}"));
                None
            }
            SoakEvent::Plan { release, cpus, seconds, every_ms: _, workers, absent, gauges } => {
                let text = format!("{release}, {cpus} CPUs: {} at work for {seconds} s", workers.len());
                (self.release, self.cpus, self.seconds) = (release, cpus, seconds);
                (self.workers, self.absent, self.gauges) = (workers, absent, gauges);
                self.planned = true;
                self.last = Some((now, 0));
                self.running = None;
                Some(Event::Note { text })
            }
            SoakEvent::Sampled(sample) => {
                let Sample { at_ms, refreshes, deletes, losses, .. } = &sample;
                let what = format!("s, {refreshes} refreshes, {deletes} deletes, {losses} losses");
                let done = (at_ms / 1000).min(self.seconds);
                if let Some((then, then_ms)) = self.last.replace((now, *at_ms)) {
                    let ours = u64::try_from(now.duration_since(then).as_millis()).unwrap_or(u64::MAX);
                    self.behind_ms = self.behind_ms.max(ours.saturating_sub(at_ms.saturating_sub(then_ms)));
                }
                self.samples.push(sample);
                Some(Event::Progress { done, total: self.seconds, what })
            }
            SoakEvent::Ended(worked) => {
                let text = worked.error.as_ref().map(|error| format!("{}: {error}", worked.worker));
                self.worked.push(worked);
                text.map(|text| Event::Note { text })
            }
            SoakEvent::Done { samples, stopped } => {
                self.stopped = stopped;
                self.done = samples == self.samples.len() as u64;
                None
            }
        }
    }
}

impl Listener for Heard {
    type Event = SoakEvent;

    fn take_in(&mut self, events: &Events, event: SoakEvent) {
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_falls_behind_ours_is_seen() {
        let (mut heard, began) = (Heard::default(), Instant::now());
        let plan = SoakEvent::Plan {
            release: String::new(),
            cpus: 2,
            seconds: 100,
            every_ms: 1000,
            workers: Vec::new(),
            absent: BTreeMap::new(),
            gauges: Vec::new(),
        };
        heard.hear_at(began, plan);
        // Ours and its own, in seconds: nothing, a second late, 24 s in which its own shows 1, and a second ahead.
        for (ours, own) in [(10, 10), (21, 20), (45, 21), (54, 31)] {
            let sample = Sample { at_ms: own * 1000, ..Sample::default() };
            heard.hear_at(began + Duration::from_secs(ours), SoakEvent::Sampled(sample));
        }
        assert_eq!(heard.behind_ms, 23_000);
    }
}
