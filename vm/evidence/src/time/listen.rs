// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes in what `lab time` says.

use ground::events::{Event, Events};
use guest::{listener::Listener, machine::Ended, verdict::Course};
use results::time::{Hold, Stepped, Stopped, TimeEvent};
use serde::Serialize;

/// What was seen in a scene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// A hold.
    Held(Box<Hold>),
    /// A stop.
    Stopped(Box<Stopped>),
    /// A step of a clock.
    Stepped(Box<Stepped>),
    /// It did not come about.
    Failed(String),
}

/// All that was said.
#[derive(Debug, Default)]
pub struct Heard {
    /// Scenes that were to be tried.
    pub planned: Option<Vec<String>>,
    /// What was seen in each, in order.
    pub seen: Vec<(String, Seen)>,
    running: Option<String>,
    begun: bool,
    done: bool,
    /// Scenes that were seen in guests before this one.
    before: usize,
}

impl Heard {
    /// How far the guest came.
    pub fn course(&self, ended: Ended, boot_limit: u64, silence_limit: u64) -> Course<'_> {
        Course {
            ended,
            begun: self.begun,
            done: self.done,
            running: self.running.as_deref(),
            program: "lab",
            unit: "scene",
            boot_limit,
            silence_limit,
        }
    }

    /// Another guest is booted: it has to say itself how far it came.
    pub fn next_guest(&mut self) {
        (self.begun, self.running, self.done) = (false, None, false);
    }

    /// The scene that began and did not end.
    pub fn unfinished(&self) -> Option<&str> {
        self.running.as_deref()
    }

    fn end(&mut self, scene: String, seen: Seen) {
        self.running = None;
        self.seen.push((scene, seen));
    }
}

impl Listener for Heard {
    type Event = TimeEvent;

    fn take_in(&mut self, events: &Events, event: TimeEvent) {
        match event {
            TimeEvent::Plan { release, cpus, scenes } => {
                events.note(format!("{release}, {cpus} CPUs, {} scenes", scenes.len()));
                // A guest that goes on where another was lost plans the rest of it.
                self.planned.get_or_insert(scenes);
                self.before = self.seen.len();
                self.begun = true;
            }
            TimeEvent::Began { scene } => {
                let total = self.planned.as_ref().map_or(0, Vec::len) as u64;
                let (done, what) = (self.seen.len() as u64, scene.clone());
                events.emit(&Event::Progress { done, total, what });
                self.running = Some(scene);
            }
            TimeEvent::Held { scene, hold } => self.end(scene, Seen::Held(hold)),
            TimeEvent::Stopped { scene, stopped } => self.end(scene, Seen::Stopped(stopped)),
            TimeEvent::Stepped { scene, stepped } => self.end(scene, Seen::Stepped(stepped)),
            TimeEvent::Failed { scene, error } => {
                events.note(format!("{scene}: {error}"));
                self.end(scene, Seen::Failed(error));
            }
            TimeEvent::Done { scenes } => self.done = self.before + scenes == self.seen.len(),
        }
    }

    fn running(&self) -> Option<&str> {
        self.running.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use guest::machine::End;

    use super::*;
    use crate::time::judge;

    const ENDED: Ended = Ended { end: End::Exited, up: true, status: Some(0), boot_seconds: 1.0 };

    fn heard() -> Heard {
        Heard {
            planned: Some(vec!["a".into()]),
            seen: vec![("a".into(), Seen::Failed("no veth".into()))],
            begun: true,
            done: true,
            ..Heard::default()
        }
    }

    #[test]
    fn what_the_kernel_said_in_a_guest_that_was_lost_is_not_lost() {
        let clean = || "[    1.000000] Linux version 7.3".to_owned();
        let bad = "[    2.000000] BUG: KASAN: slab-use-after-free in htab".to_owned();
        let judged = |consoles: &[String]| judge(&heard(), ENDED, consoles, 1, 1).unwrap();
        assert!(judged(&[clean(), clean()]).splats.is_empty());
        assert_eq!(judged(&[bad, clean()]).splats.len(), 1);
    }

    #[test]
    fn a_guest_that_never_began_says_nothing_of_scenes() {
        let mut heard = heard();
        heard.next_guest();
        let judged = judge(&heard, ENDED, &["[    1.000000] Linux version 7.3".into()], 1, 1);
        assert!(judged.unwrap_err().to_string().contains("first scene"));
    }
}
