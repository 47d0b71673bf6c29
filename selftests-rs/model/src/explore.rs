// SPDX-License-Identifier: MIT OR Apache-2.0
//! The explorer: breadth first over every state that the actors can bring about, so that a counter-example is the shortest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use results::races::{self, Violation};
use stateright::{Checker, Model, Property};

use crate::Program;
use crate::dsl::Op;
use crate::map::{Key, NONE, Recycling};
use crate::rules::Rules;
use crate::scenario::{Scenario, Steering};
use crate::schedule;
use crate::seen::Seen;
use crate::state::{ENDED, Role, State};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// An actor's next step, in one of its ways.
    Step(usize, u8),
    /// The oldest store of a CPU's buffer becomes visible.
    Drain(u8),
    /// The clock advances.
    Tick,
    /// A's next packet looks and misses. (That it finds A changes nothing, and is left out.)
    Miss,
    /// B's first packet.
    Insert(u8),
    /// B's next packet, on a CPU that packets of A run on.
    Update(u8),
}

/// An exploration: one discipline against one strategy on one kind of map.
#[derive(Clone, Debug)]
pub struct Lab {
    rules: Rules,
    scenarios: Vec<Scenario>,
}

/// What stateright drives.
#[derive(Debug)]
pub(crate) struct Machine {
    pub rules: Rules,
    scenarios: Vec<Scenario>,
    /// Which violations have been found, in their order, and then whether anybody was stuck. stateright keeps the last
    /// path to each, so that all but the first, which is the shortest, must not count.
    found: [AtomicBool; 8],
}

impl Lab {
    /// With sequential consistency; see [`Lab::with_store_buffers`].
    #[must_use]
    pub fn new(packet: Program, gc: Program, recycling: Recycling, steering: Steering) -> Self {
        let spread = steering == Steering::Spread;
        let rules = Rules { packet, gc, recycling, tso: false, spread };
        Self { rules, scenarios: Scenario::all(steering) }
    }

    /// The same under x86-TSO: a plain store waits in its CPU's buffer, which locks and atomic operations empty.
    #[must_use]
    pub fn with_store_buffers(mut self) -> Self {
        self.rules.tso = true;
        self
    }

    /// Explores everything.
    ///
    /// # Errors
    /// The schedule into a state in which somebody is in the middle of something and nobody can go on: such a model would
    /// find nothing because it does nothing.
    pub fn explore(self) -> Result<races::Model, String> {
        let memory = if self.rules.tso { "tso" } else { "sc" };
        let checker = Machine::new(self.rules, self.scenarios).checker().spawn_bfs().join();
        let states = u64::try_from(checker.unique_state_count()).unwrap_or(u64::MAX);
        let mut counterexamples = BTreeMap::new();
        for (name, path) in checker.discoveries() {
            let model = checker.model();
            let schedule = schedule::write(&model.rules, model, &path.into_vec());
            match Violation::ALL.into_iter().find(|violation| violation.words() == name) {
                Some(violation) => counterexamples.insert(violation, schedule),
                None => {
                    let lines: Vec<_> =
                        schedule.iter().map(|s| format!("{} {}: {}", s.actor, s.label, s.text)).collect();
                    return Err(format!("the model is {name}: {}", lines.join("; ")));
                }
            };
        }
        let counterexample = counterexamples.values().next().cloned();
        Ok(races::Model {
            states,
            memory: memory.to_owned(),
            counterexample,
            counterexamples,
            ..races::Model::default()
        })
    }
}

impl Machine {
    pub fn new(rules: Rules, scenarios: Vec<Scenario>) -> Self {
        Self { rules, scenarios, found: Default::default() }
    }

    /// Holds unless this is the first state in which `found`.
    fn first(&self, index: usize, found: bool) -> bool {
        !found || self.found[index].swap(true, Relaxed)
    }

    fn scenario(&self, state: &State) -> &Scenario {
        &self.scenarios[usize::from(state.scenario)]
    }

    /// The next state, with what was seen on the way.
    pub(crate) fn take(&self, last: &State, action: Action) -> Option<(State, Seen)> {
        let mut state = last.clone();
        let seen = match action {
            Action::Step(actor, choice) => self.rules.step(&mut state, actor, choice)?,
            Action::Drain(cpu) => {
                let write = state.map.drain(cpu)?;
                self.rules.let_grace_pass(&mut state);
                state.forget();
                Seen::Drained(write)
            }
            Action::Tick => {
                state.clock = 2;
                Seen::Clock(2)
            }
            Action::Miss => {
                state.missed = true;
                Seen::Nothing
            }
            Action::Insert(choice) => self.rules.insert(&mut state, choice)?,
            Action::Update(cpu) => self.rules.update_other(&mut state, cpu)?,
        };
        Some((state, seen))
    }

    fn idle(&self, state: &State, cpu: u8) -> bool {
        (0..2).all(|packet| self.rules.cpu(packet) != cpu || !state.actors[packet].running())
    }

    /// Whether A is there for a packet on the CPU that A's packets run on.
    fn hits(state: &State) -> bool {
        let found = state.map.find(0);
        found != NONE && !state.map.element(found).dead
    }

    fn violated(&self, state: &State, violation: Violation) -> bool {
        if !self.scenario(state).counts.contains(&violation) || !state.at_rest() {
            return false;
        }
        let linked = state.map.link[Key::A as usize];
        match violation {
            Violation::LostRefresh => state.believes() && !state.map.has_a(),
            Violation::StrayWrite => state.map.stray,
            Violation::StaleRestore => {
                linked != NONE && state.map.element(linked).restored && {
                    let written = state.map.last_written;
                    written != NONE && state.map.element(linked).lifetime < written
                }
            }
            Violation::ForeignValue => false,
            Violation::Gap => state.missed && state.map.has_a(),
            Violation::DoubleDelete => state.claims > 0,
            Violation::NeverRemoved => {
                linked != NONE
                    && state.actors[..2].iter().all(|packet| packet.at == 0)
                    && state.actors[2..].iter().any(|gc| {
                        gc.at == ENDED && gc.clock != NONE && state.map.element(linked).lifetime < gc.clock
                    })
            }
        }
    }

    fn stuck(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        self.actions(state, &mut actions);
        !state.at_rest()
            && !actions.iter().any(|action| {
                matches!(action, Action::Step(..) | Action::Drain(_)) && self.take(state, *action).is_some()
            })
    }
}

impl Model for Machine {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        (0..).zip(&self.scenarios).map(|(i, s)| State::new(i, s, self.rules.recycling)).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let scenario = self.scenario(state);
        let packets = 0..usize::from(scenario.packets);
        let gcs = 2..2 + usize::from(scenario.gcs);
        // Of schedules of one length the first is kept, so the order is that of the easiest to replay: a call that has begun
        // goes on, a grace period is over before a packet begins that it need not wait for, and gc is the last to come, so
        // that packets wait between its calls and not within them.
        let mut ready: Vec<_> =
            packets.chain(gcs).filter(|&actor| self.rules.enabled(state, actor)).collect();
        ready.sort_by_key(|&actor| {
            let (program, at) = (self.rules.program(actor), state.actors[actor].at);
            match self.rules.role(actor) {
                _ if !program.step(at).gate => 0,
                Role::Gc if program.is_yet_to(Op::GraceEnd, at) => 1,
                Role::Packet => 2,
                Role::Gc => 3,
            }
        });
        for actor in ready {
            let step = self.rules.program(actor).step(state.actors[actor].at);
            actions.extend((0..Rules::choices(step.op)).map(|choice| Action::Step(actor, choice)));
        }
        let mut cpus: Vec<_> = state.map.buffers.iter().map(|&(cpu, _)| cpu).collect();
        cpus.sort_unstable();
        cpus.dedup();
        actions.extend(cpus.into_iter().map(Action::Drain));
        if state.clock == 1 {
            actions.push(Action::Tick);
        }
        if !scenario.others {
            return;
        }
        // Packets of a CPU are handled one after the other, so A's next one comes when none is at work; what the other CPU
        // keeps in its store buffer nobody can call done.
        let after = self.idle(state, 0) && state.map.drained(1);
        if !state.missed && state.believes() && after && !Self::hits(state) {
            actions.push(Action::Miss);
        }
        match state.other {
            0 => actions.extend((0..5).map(Action::Insert)),
            1 if self.rules.spread && self.rules.recycling == Recycling::Parked => {
                actions.extend(
                    (0..2).filter(|&cpu| self.idle(state, cpu) && state.map.drained(cpu)).map(Action::Update),
                );
            }
            _ => {}
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        self.take(last, action).map(|(state, _)| state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn violation(m: &Machine, s: &State, violation: Violation) -> bool {
            m.first(violation as usize, m.violated(s, violation))
        }
        // stateright takes functions only, no closures that know their violation.
        vec![
            Property::always(Violation::LostRefresh.words(), |m, s| violation(m, s, Violation::LostRefresh)),
            Property::always(Violation::StrayWrite.words(), |m, s| violation(m, s, Violation::StrayWrite)),
            Property::always(Violation::StaleRestore.words(), |m, s| {
                violation(m, s, Violation::StaleRestore)
            }),
            Property::always(Violation::Gap.words(), |m, s| violation(m, s, Violation::Gap)),
            Property::always(Violation::DoubleDelete.words(), |m, s| {
                violation(m, s, Violation::DoubleDelete)
            }),
            Property::always(Violation::NeverRemoved.words(), |m, s| {
                violation(m, s, Violation::NeverRemoved)
            }),
            Property::always("stuck", |m, s| m.first(Violation::ALL.len(), m.stuck(s))),
        ]
    }
}
