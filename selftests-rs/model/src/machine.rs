// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may happen in a state, and what is wrong with one.

use results::races::Violation;

use crate::dsl::Op;
use crate::element::Key;
use crate::map::NONE;
use crate::rules::Rules;
use crate::scenario::Scenario;
use crate::seen::Seen;
use crate::state::{ENDED, Other, Role, State};

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
    /// B's first packet takes an element and fills key and state, for an entry that is live or has expired.
    Insert { choice: u8, live: bool },
    /// It fills the word.
    Fill,
    /// It links the element.
    Link,
    /// B's next packet, on a CPU that packets of A run on.
    Update(u8),
    /// B's entry, which has expired, is removed by its own collector.
    Remove,
    /// An LRU map takes A's element, which has expired, for somebody else.
    Evict,
}

/// The rules, with who takes part.
#[derive(Debug)]
pub(crate) struct Machine {
    pub rules: Rules,
    scenarios: Vec<Scenario>,
}

impl Machine {
    pub fn new(rules: Rules, scenarios: Vec<Scenario>) -> Self {
        Self { rules, scenarios }
    }

    /// One state for each scenario.
    pub fn beginnings(&self) -> Vec<State> {
        (0..).zip(&self.scenarios).map(|(i, s)| State::new(i, s, self.rules.recycling)).collect()
    }

    fn scenario(&self, state: &State) -> &Scenario {
        &self.scenarios[usize::from(state.scenario)]
    }

    /// The next state, with what was seen on the way.
    pub fn take(&self, last: &State, action: Action) -> Option<(State, Seen)> {
        let mut state = last.clone();
        let rules = &self.rules;
        let seen = match action {
            Action::Step(actor, choice) => {
                return rules.step(&mut state, actor, choice).map(|seen| (state, seen));
            }
            Action::Drain(cpu) => {
                let write = state.map.drain(cpu)?;
                rules.let_go(&mut state);
                Seen::Drained(write)
            }
            Action::Tick => {
                state.clock = 2;
                Seen::Clock(2)
            }
            Action::Miss => {
                state.missed = true;
                Seen::Nothing(Key::A)
            }
            Action::Insert { choice, live } => rules.insert(&mut state, choice, live)?,
            Action::Fill => rules.fill(&mut state)?,
            Action::Link => rules.link(&mut state)?,
            Action::Update(cpu) => rules.update_other(&mut state, cpu)?,
            Action::Remove => rules.remove_other(&mut state)?,
            Action::Evict => rules.evict(&mut state)?,
        };
        state.forget();
        Some((state, seen))
    }

    /// Whether that state shows a violation.
    pub fn violated(&self, state: &State, violation: Violation) -> bool {
        if !self.scenario(state).counts.contains(&violation) || !state.at_rest() {
            return false;
        }
        let linked = state.map.linked(Key::A);
        let has_a = self.rules.has_a(state);
        match violation {
            Violation::LostRefresh => state.lost || (state.believes() && !has_a),
            Violation::StrayWrite => state.map.stray,
            Violation::ForeignValue => linked != NONE && state.map.element(linked).backend != Key::A,
            Violation::StaleRestore => {
                linked != NONE && state.map.element(linked).restored && {
                    let written = state.map.last_written;
                    written != NONE && state.map.element(linked).lifetime < written
                }
            }
            Violation::Gap => state.missed && has_a,
            Violation::DoubleDelete => state.claims > 0,
            Violation::NeverRemoved => self.never_removed(state, linked),
        }
    }

    fn never_removed(&self, state: &State, linked: u8) -> bool {
        // Whoever finds a mark leaves the entry to whoever has set it.
        if linked != NONE && self.rules.traits.marks && state.map.element(linked).dead {
            return true;
        }
        if state.refused {
            return false;
        }
        if state.actors.iter().enumerate().any(|(i, actor)| self.rules.role(i) != Role::Gc && actor.at != 0) {
            return false;
        }
        let rounds = || state.actors[2..].iter().filter(|gc| gc.at == ENDED && gc.clock != NONE);
        if self.rules.traits.generations {
            return rounds().count() == 2 && self.rules.has_a(state);
        }
        linked != NONE && rounds().any(|gc| state.map.element(linked).lifetime < gc.clock)
    }

    /// What may happen next.
    pub fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let scenario = self.scenario(state);
        // Of schedules of one length the first is kept, so the order is that of the easiest to replay: a call that has begun
        // goes on, a grace period is over before a packet begins that it need not wait for, and gc is the last to come, so
        // that packets wait between its calls and not within them.
        match state.other {
            Other::State => actions.push(Action::Fill),
            Other::Word => actions.push(Action::Link),
            _ => {}
        }
        for rank in 0..4 {
            for actor in 0..4 {
                if self.takes_part(scenario, actor)
                    && self.rules.enabled(state, actor)
                    && self.rank(state, actor) == rank
                {
                    let choices = self.rules.choices(state, actor);
                    actions.extend((0..choices).map(|choice| Action::Step(actor, choice)));
                }
            }
        }
        if !state.map.buffers.is_empty() {
            let buffered = |cpu: &u8| !state.map.drained(*cpu);
            actions.extend((0..4).filter(buffered).map(Action::Drain));
        }
        if state.clock == 1 && !self.rules.traits.generations {
            actions.push(Action::Tick);
        }
        if !scenario.others {
            return;
        }
        // Packets of a CPU are handled one after the other, so A's next one comes when none is at work; what the other CPU
        // keeps in its store buffer nobody can call done.
        let after = self.rules.idle(state, 0) && state.map.drained(1);
        if !state.missed && state.believes() && after && !self.rules.hits(state) {
            actions.push(Action::Miss);
        }
        self.rules.other_actions(state, actions);
    }

    fn takes_part(&self, scenario: &Scenario, actor: usize) -> bool {
        match self.rules.role(actor) {
            Role::Packet => actor < usize::from(scenario.packets),
            Role::Gc => actor < 2 + usize::from(scenario.gcs),
            Role::Agent => scenario.agent,
        }
    }

    fn rank(&self, state: &State, actor: usize) -> u8 {
        let (program, me) = (self.rules.program(actor), &state.actors[actor]);
        match self.rules.role(actor) {
            _ if !program.step(me.at).gate || me.phase != 0 => 0,
            Role::Gc if program.is_yet_to(Op::GraceEnd, me.at) => 1,
            Role::Packet => 2,
            Role::Gc | Role::Agent => 3,
        }
    }
}
