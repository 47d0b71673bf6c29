// SPDX-License-Identifier: MIT OR Apache-2.0
//! A list of steps with its labels looked up.

use crate::dsl::{Op, Outcome, Step, Then};
use crate::needs::{reads, writes};

/// Where to go on, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    At(u8),
    /// A SYN goes on there, a data packet is dropped.
    Syn(u8),
    /// A SYN goes on at the first, a data packet at the second.
    SynElse(u8, u8),
    End,
    Drop,
}

#[derive(Clone, Debug)]
struct Line {
    step: Step,
    branches: Vec<(Outcome, Target)>,
    then: Target,
}

/// What one actor runs.
#[derive(Clone, Debug)]
pub struct Program {
    lines: Vec<Line>,
    /// What of an actor's memory is needed at each step or after it.
    needs: Vec<u8>,
}

impl Program {
    /// A packet's program.
    ///
    /// # Errors
    /// A label that no step has, the first step as a target, or more steps than a byte counts.
    pub fn packet(steps: &[Step]) -> Result<Self, String> {
        Self::new(steps)
    }

    /// A gc round; with `grace` it waits, right after it has read the clock, for the packets that may have read an earlier one.
    ///
    /// # Errors
    /// Those of [`Program::packet`]; with `grace`, a list in which no clock is read.
    pub fn gc(steps: &[Step], grace: bool) -> Result<Self, String> {
        let mut steps = steps.to_vec();
        if grace {
            let clock = steps.iter().position(|step| step.op == Op::ReadClock);
            let clock = clock.ok_or("grace needs a step that reads the clock, and this program has none")?;
            let begin = Step::new("grace", "synchronize_rcu", Op::Grace);
            let end = Step::new("grace_end", "synchronize_rcu", Op::GraceEnd).same_call();
            steps.splice(clock + 1..clock + 1, [begin, end]);
        }
        Self::new(&steps)
    }

    fn new(steps: &[Step]) -> Result<Self, String> {
        let labels: Vec<_> = steps.iter().map(|step| step.label).collect();
        let at = |label: &str| {
            let place = labels.iter().position(|&known| known == label).and_then(|at| u8::try_from(at).ok());
            // A program that has not begun stands before its first step, so nothing may return there.
            place.filter(|&at| at != 0).ok_or(format!("no step to go on with is called `{label}`"))
        };
        let target = |then: Then, here: usize| match then {
            Then::Next if here + 1 == labels.len() => Ok(Target::End),
            Then::Next => u8::try_from(here + 1).map(Target::At).map_err(|e| e.to_string()),
            Then::Go(label) => at(label).map(Target::At),
            Then::Syn(label) => at(label).map(Target::Syn),
            Then::SynElse(syn, data) => Ok(Target::SynElse(at(syn)?, at(data)?)),
            Then::End => Ok(Target::End),
            Then::Drop => Ok(Target::Drop),
        };
        if let Some(twice) = labels.iter().enumerate().find(|(i, label)| labels[..*i].contains(label)) {
            return Err(format!("two steps are called `{}`", twice.1));
        }
        let mut lines = Vec::with_capacity(steps.len());
        for (here, step) in steps.iter().enumerate() {
            let branches = step
                .branches
                .iter()
                .map(|&(outcome, then)| target(then, here).map(|to| (outcome, to)))
                .collect::<Result<_, _>>()?;
            lines.push(Line { step: *step, branches, then: target(step.then, here)? });
        }
        let needs = Self::all_needs(&lines);
        Ok(Self { lines, needs })
    }

    fn all_needs(lines: &[Line]) -> Vec<u8> {
        let mut needs = vec![0; lines.len()];
        loop {
            let before = needs.clone();
            for (at, line) in lines.iter().enumerate() {
                let ways = line.branches.iter().map(|&(_, to)| to).chain([line.then]);
                let of = |to: u8| needs[usize::from(to)];
                let after = ways.fold(0, |all, to| match to {
                    Target::At(to) | Target::Syn(to) => all | of(to),
                    Target::SynElse(syn, data) => all | of(syn) | of(data),
                    Target::End | Target::Drop => all,
                });
                let ignored = line.step.op == Op::Free && line.branches.is_empty();
                let read = if ignored { 0 } else { reads(line.step.op) };
                needs[at] = read | (after & !writes(line.step.op));
            }
            if needs == before {
                return needs;
            }
        }
    }

    pub(crate) fn needs(&self, at: u8) -> u8 {
        self.needs[usize::from(at)]
    }

    /// Whether a step does that.
    pub(crate) fn has(&self, op: Op) -> bool {
        self.lines.iter().any(|line| line.step.op == op)
    }

    pub(crate) fn step(&self, at: u8) -> &Step {
        &self.lines[usize::from(at)].step
    }

    pub(crate) fn after(&self, at: u8, outcome: Outcome) -> Target {
        let line = &self.lines[usize::from(at)];
        line.branches.iter().find(|(known, _)| *known == outcome).map_or(line.then, |&(_, to)| to)
    }

    /// Whether the step tells that outcome from others.
    pub(crate) fn tells(&self, at: u8, outcome: Outcome) -> bool {
        self.lines[usize::from(at)].branches.iter().any(|(known, _)| *known == outcome)
    }

    /// Where the program stands if it is to go on with a step that it has nothing to do in.
    pub(crate) fn passing_over(&self, at: u8) -> Target {
        self.lines[usize::from(at)].then
    }

    /// Whether a program that stands there has that step before it.
    pub(crate) fn is_yet_to(&self, op: Op, at: u8) -> bool {
        self.lines[usize::from(at)..].iter().any(|line| line.step.op == op)
    }
}
