// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes in what the lab says, on the host and in the guest.

use ground::events::{Event, Events};
use guest::{course::Course, listener::Listener, machine::Ended};
use results::races::RaceEvent;

use super::release::preempts_packets;

/// What the lab said so far.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Steps that it said it would take; none until it says so.
    pub planned: Option<u64>,
    /// Steps that ended.
    pub ended: u64,
    /// How often it has said what it would do, and not yet that this is done.
    open: u32,
    /// It miscounted its steps.
    miscounted: bool,
    running: Option<String>,
    /// All of it.
    pub events: Vec<RaceEvent>,
}

impl Evidence {
    /// It said that all was done, and the count was right.
    pub fn done(&self) -> bool {
        self.planned == Some(self.ended) && self.open == 0 && !self.miscounted
    }

    /// A kernel with `PREEMPT_RT`, by its release, has said some of it.
    pub fn preempts_packets(&self) -> bool {
        self.events
            .iter()
            .any(|event| matches!(event, RaceEvent::Plan { release, .. } if preempts_packets(release)))
    }

    /// How far a guest came.
    pub fn course(&self, ended: Ended, boot_limit: u64, silence_limit: u64) -> Course<'_> {
        Course {
            ended,
            begun: self.planned.is_some(),
            done: self.done(),
            running: self.running.as_deref(),
            program: "lab",
            unit: "step",
            boot_limit,
            silence_limit,
        }
    }

    fn hear(&mut self, event: RaceEvent) -> Option<Event> {
        let told = match &event {
            RaceEvent::Plan { release, cpus, steps } => {
                // Several parts may plan for themselves, one after the other.
                self.planned = Some(self.planned.unwrap_or_default() + steps);
                self.open += 1;
                Some(Event::Note { text: format!("{release}, {cpus} CPUs: {steps} steps") })
            }
            RaceEvent::Began { what } => {
                self.running = Some(what.clone());
                Some(self.progress(what.clone()))
            }
            RaceEvent::Done { steps } => {
                self.open = self.open.saturating_sub(1);
                self.miscounted |= *steps > self.ended;
                None
            }
            RaceEvent::Undisturbed(_) => None,
            RaceEvent::Failed { cell, evidence, error } => {
                let text = format!("{cell}: the {evidence} could not run: {error}");
                self.step();
                Some(Event::Note { text })
            }
            RaceEvent::Modelled { cell, .. }
            | RaceEvent::Refused { cell, .. }
            | RaceEvent::Absent { cell, .. }
            | RaceEvent::Witnessed { cell, .. }
            | RaceEvent::Stressed { cell, .. }
            | RaceEvent::Disturbed { cell, .. }
            | RaceEvent::Connected { cell, .. } => {
                let what = cell.to_string();
                self.step();
                Some(self.progress(what))
            }
        };
        self.events.push(event);
        told
    }

    fn step(&mut self) {
        self.ended += 1;
        self.running = None;
    }

    fn progress(&self, what: String) -> Event {
        Event::Progress { done: self.ended, total: self.planned.unwrap_or_default(), what }
    }
}

impl Listener for Evidence {
    type Event = RaceEvent;

    fn take_in(&mut self, events: &Events, event: RaceEvent) {
        if let Some(told) = self.hear(event) {
            events.emit(&told);
        }
    }

    fn running(&self) -> Option<&str> {
        self.running.as_deref()
    }
}

impl Evidence {
    /// As if these had been said.
    pub fn of(events: impl IntoIterator<Item = RaceEvent>) -> Self {
        let mut evidence = Self::default();
        for event in events {
            evidence.hear(event);
        }
        evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::made_up::{cell, done, plan, stressed};

    #[test]
    fn done_is_believed_only_if_every_step_has_ended() {
        let ran = || stressed(cell("store", "blind", "hash"), 9, 3, 0);
        assert!(Evidence::of([plan(2), ran(), ran(), done(2)]).done());
        assert!(!Evidence::of([plan(2), ran(), ran()]).done(), "no last line");
        assert!(!Evidence::of([plan(2), ran(), done(1)]).done(), "a step is missing");
        assert!(!Evidence::of([plan(1), done(1)]).done(), "more is claimed than was said");
        assert!(!Evidence::of([]).done());
    }

    #[test]
    fn parts_that_plan_for_themselves_add_up() {
        let ran = || stressed(cell("store", "blind", "hash"), 9, 3, 0);
        let both = Evidence::of([plan(1), ran(), done(1), plan(2), ran(), ran(), done(2)]);
        assert!(both.done() && both.planned == Some(3));
        assert!(!Evidence::of([plan(1), ran(), done(1), plan(1), ran()]).done());
    }

    #[test]
    fn what_was_running_is_known_when_the_file_is_cut_off() {
        let began = RaceEvent::Began { what: "stress of a cell".into() };
        assert_eq!(Evidence::of([plan(1), began]).running(), Some("stress of a cell"));
    }
}
