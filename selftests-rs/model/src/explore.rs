// SPDX-License-Identifier: MIT OR Apache-2.0
//! The explorer: breadth first over every state that the actors can bring about, so that a counter-example is the shortest.

use std::collections::{BTreeMap, VecDeque};

use results::races::{self, Circumstance, Violation};

use crate::Program;
use crate::agent;
use crate::fingerprint::Fingerprints;
use crate::machine::{Action, Machine};
use crate::map::Recycling;
use crate::rules::Rules;
use crate::scenario::{Scenario, Steering};
use crate::schedule;
use crate::state::State;

/// An exploration: one discipline against one strategy on one kind of map.
#[derive(Clone, Debug)]
pub struct Lab {
    rules: Rules,
    scenarios: Vec<Scenario>,
}

impl Lab {
    /// With sequential consistency; see [`Lab::with_store_buffers`].
    #[must_use]
    pub fn new(packet: Program, gc: Program, recycling: Recycling, steering: Steering) -> Self {
        let mut rules = Rules::new(packet, gc, recycling);
        rules.spread = steering == Steering::Spread;
        rules.in_turn = rules.traits.generations;
        let scenarios = if rules.traits.generations { Scenario::turns() } else { Scenario::all(steering) };
        Self { rules, scenarios }
    }

    /// The same under x86-TSO: a plain store waits in its CPU's buffer, which locks and atomic operations empty.
    #[must_use]
    pub fn with_store_buffers(mut self) -> Self {
        self.rules.tso = true;
        self
    }

    /// The collector's program may sleep: a grace period does not wait for it, unless it has disabled interrupts.
    #[must_use]
    pub fn sleepable(mut self) -> Self {
        self.rules.sleepable = true;
        self
    }

    /// The same in circumstances that are worse.
    ///
    /// # Errors
    /// An agent's list of steps that makes no program.
    pub fn in_circumstance(mut self, circumstance: Circumstance) -> Result<Self, String> {
        self.rules.agent = agent::steps(circumstance).map(Program::packet).transpose()?;
        self.rules.spread |= circumstance == Circumstance::Spread;
        self.rules.collision = circumstance == Circumstance::Collision;
        self.rules.in_turn &= circumstance != Circumstance::TwoCollectors;
        if !self.rules.traits.generations {
            self.scenarios = Scenario::worse(circumstance);
        }
        Ok(self)
    }

    /// Explores everything.
    ///
    /// # Errors
    /// The schedule into a state in which somebody is in the middle of something and nobody can go on: such a model would
    /// find nothing because it does nothing.
    pub fn explore(self) -> Result<races::Model, String> {
        let memory = if self.rules.tso { "tso" } else { "sc" };
        let mut search = Search::new(Machine::new(self.rules, self.scenarios));
        search.run()?;
        let counterexamples: BTreeMap<_, _> = search
            .found
            .iter()
            .map(|(&violation, &node)| (violation, search.schedule(node, Some(violation))))
            .collect();
        let counterexample = counterexamples.values().next().cloned();
        Ok(races::Model {
            states: u64::try_from(search.nodes.len()).unwrap_or(u64::MAX),
            memory: memory.to_owned(),
            counterexample,
            counterexamples,
            ..races::Model::default()
        })
    }
}

/// How a state was come to first: from which other one, and by what. A beginning is its own origin.
#[derive(Clone, Copy)]
struct Node {
    from: u32,
    by: Option<Action>,
}

struct Search {
    machine: Machine,
    nodes: Vec<Node>,
    seen: Fingerprints,
    ahead: VecDeque<(u32, State)>,
    /// The first state of each violation.
    found: BTreeMap<Violation, u32>,
}

impl Search {
    fn new(machine: Machine) -> Self {
        let mut search = Self {
            machine,
            nodes: Vec::new(),
            seen: Fingerprints::default(),
            ahead: VecDeque::new(),
            found: BTreeMap::new(),
        };
        for state in search.machine.beginnings() {
            let own = search.next_number();
            search.add(state, Node { from: own, by: None });
        }
        search
    }

    fn next_number(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    fn add(&mut self, state: State, node: Node) {
        if !self.seen.insert(&state) {
            return;
        }
        let number = self.next_number();
        self.nodes.push(node);
        for violation in Violation::ALL {
            if !self.found.contains_key(&violation) && self.machine.violated(&state, violation) {
                self.found.insert(violation, number);
            }
        }
        self.ahead.push_back((number, state));
    }

    fn run(&mut self) -> Result<(), String> {
        let mut actions = Vec::new();
        while let Some((number, state)) = self.ahead.pop_front() {
            actions.clear();
            self.machine.actions(&state, &mut actions);
            let mut goes_on = state.at_rest();
            for &action in &actions {
                if let Some((next, _)) = self.machine.take(&state, action) {
                    goes_on |=
                        matches!(action, Action::Step(..) | Action::Drain(_) | Action::Fill | Action::Link);
                    self.add(next, Node { from: number, by: Some(action) });
                }
            }
            if !goes_on {
                let lines: Vec<_> = self
                    .schedule(number, None)
                    .iter()
                    .map(|s| format!("{} {}: {}", s.actor, s.label, s.text))
                    .collect();
                return Err(format!("the model is stuck: {}", lines.join("; ")));
            }
        }
        Ok(())
    }

    /// The way to a state, as a schedule; if `violation` is what is wrong there, with calls in one piece where that is as wrong.
    fn schedule(&self, mut number: u32, violation: Option<Violation>) -> Vec<races::Step> {
        let mut actions = Vec::new();
        while let Some(node) = self.nodes.get(number as usize)
            && let Some(action) = node.by
        {
            actions.push(action);
            number = node.from;
        }
        actions.reverse();
        let beginning = self.machine.beginnings().into_iter().nth(number as usize);
        if let (Some(beginning), Some(violation)) = (&beginning, violation) {
            crate::calls::join(&self.machine, beginning, &mut actions, violation);
        }
        let mut path = Vec::new();
        let mut at = beginning;
        for &action in &actions {
            let next = at.as_ref().and_then(|state| self.machine.take(state, action));
            let Some((next, _)) = next else { break };
            path.extend(at.replace(next).map(|state| (state, Some(action))));
        }
        path.extend(at.map(|state| (state, None)));
        schedule::write(&self.machine.rules, &self.machine, &path)
    }
}
