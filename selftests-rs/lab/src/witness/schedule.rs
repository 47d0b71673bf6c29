// SPDX-License-Identifier: MIT OR Apache-2.0
//! A counter-example as something to replay: whose steps, held where, and what has to be set up for it.

use anyhow::{Context as _, Result, bail};
use model::dsl::{self, has_gate};
use results::races::Step;

use crate::datapath::MapKind;

/// The collector begins to wait for a grace period; others go on meanwhile.
pub const GRACE: &str = "grace";
/// The grace period is over.
pub const GRACE_END: &str = "grace_end";
/// Steps with which a packet makes an entry.
const CREATES: [&str; 2] = ["create", "create_current"];
/// What the model says of a call that fails for want of a lock.
const REFUSED: &str = "is refused";
/// The steps of the third flow's update, of which each follows the one before.
const BEGINS_INSIDE: [&str; 2] = ["insert", "fill"];

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The flow's packet, or the one after it on the same CPU.
    Packet,
    /// The collector.
    Gc,
    /// The clock.
    Tick,
    /// The flow's next packet looks for the entry.
    Next,
    /// A third flow takes an element.
    Insert,
    /// A third flow's entry is replaced, on that CPU.
    Update(usize),
    /// A third flow's entry is removed.
    Remove,
    /// An LRU map has the flow's element for another.
    Evict,
    /// What the call that the step before it began does on its own.
    Inside,
}

/// One step of it.
#[derive(Clone, Debug)]
pub struct Move {
    /// Who.
    pub actor: Actor,
    /// The gate's name.
    pub label: String,
    /// Whether there is a gate before it.
    pub gate: bool,
    /// The kernel function, or the place in a program, that it stands for.
    pub function: String,
    /// The element of the map that it is about.
    pub element: Option<u32>,
    /// The third flow's entry has expired when it comes.
    pub expired: bool,
}

/// What it takes to hold the sides as the schedule has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Gates in the programs and in the collector.
    Gate,
    /// Somebody has to hold a CPU inside a kernel call.
    Debugger,
}

/// A schedule to replay.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// In order.
    pub moves: Vec<Move>,
    /// Packets of the flow; true for a SYN.
    pub packets: Vec<bool>,
    /// The entry expires by a tick; otherwise it has expired at the beginning.
    pub ticks: bool,
}

impl Schedule {
    /// Reads a counter-example of `refresh` × `gc`.
    ///
    /// # Errors
    /// An actor that has no part in a kernel.
    pub fn read(steps: &[Step], refresh: &[dsl::Step], gc: &[dsl::Step]) -> Result<Self> {
        let mut moves = Vec::new();
        let mut packets: Vec<(String, bool)> = Vec::new();
        for given in steps {
            let (actor, program) = match given.actor.as_str() {
                "start" => continue,
                "packet" | "again" => (Actor::Packet, Some(refresh)),
                "gc" => (Actor::Gc, Some(gc)),
                "tick" => (Actor::Tick, None),
                "next" => (Actor::Next, None),
                "other" => (other(given)?, None),
                "lru" => (Actor::Evict, None),
                other => bail!("nothing in the kernel plays the part of `{other}`"),
            };
            if given.label == "drain" {
                bail!("a store buffer drains when it likes");
            }
            if given.text.contains(REFUSED) {
                bail!("nobody can make the lock of a bucket fail");
            }
            if actor == Actor::Inside
                && moves.last().is_none_or(|last: &Move| !BEGINS_INSIDE.contains(&last.label.as_str()))
            {
                bail!("nobody can be held within an update of the third flow's, at `{}`", given.label);
            }
            if actor == Actor::Packet {
                let opens = CREATES.contains(&given.label.as_str());
                match packets.last_mut() {
                    Some((name, syn)) if *name == given.actor => *syn |= opens,
                    _ => packets.push((given.actor.clone(), opens)),
                }
            }
            // Those that `Program::gc` puts before each round are in no strategy's list.
            let gate = program.is_some_and(|steps| has_gate(steps, &given.label)) || given.label == GRACE;
            let (label, function) = (given.label.clone(), given.function.clone());
            let expired = given.text.ends_with("expired");
            if let (Actor::Inside, Some(insert)) =
                (actor, moves.iter_mut().rfind(|step| step.actor == Actor::Insert))
            {
                insert.expired |= expired;
            }
            moves.push(Move { actor, label, gate, function, element: element_of(&given.text), expired });
        }
        // The first line says whether it has expired by then.
        let ticks = steps.first().is_some_and(|start| start.text.contains("lifetime 1"));
        Ok(Self { moves, packets: packets.into_iter().map(|(_, syn)| syn).collect(), ticks })
    }

    /// Whether gates are enough: a step without one has to follow its own side's step.
    pub fn hold(&self) -> Hold {
        let free = |pair: &[Move]| {
            let inside = matches!(pair[1].actor, Actor::Packet | Actor::Gc) && !pair[1].gate;
            // Whatever a grace period waits for ends by itself, so nobody has to hold who waits.
            inside && pair[1].label != GRACE_END && pair[0].actor != pair[1].actor
        };
        if self.moves.windows(2).any(free) { Hold::Debugger } else { Hold::Gate }
    }

    /// Whether something has to take the element that the step at `at`, the end of a packet, has made free, since the third
    /// flow is to get another one. An LRU map hands on what was free first, and evicts before it takes from another CPU; to
    /// take an element on the packet's CPU moves that of its entry to the list that all CPUs share, too.
    pub fn wants_filler_after(&self, at: usize, map: MapKind) -> bool {
        let (step, rest) = (&self.moves[at], &self.moves[at + 1..]);
        let taken = rest.iter().find(|step| step.actor == Actor::Insert).and_then(|insert| insert.element);
        let ends = step.actor == Actor::Packet && step.label == "free";
        map == MapKind::LruHash && ends && taken.is_some() && taken != step.element
    }

    /// Whether there is such a step.
    pub fn needs_a_filler(&self, map: MapKind) -> bool {
        (0..self.moves.len()).any(|at| self.wants_filler_after(at, map))
    }

    /// Whether the collector takes part at all.
    pub fn collects(&self) -> bool {
        self.moves.iter().any(|step| step.actor == Actor::Gc)
    }

    /// The kernel function that compares, if one does.
    pub fn compares(&self) -> Option<&str> {
        let step = self.moves.iter().find(|step| step.actor == Actor::Gc && step.label == "compare");
        step.map(|step| step.function.as_str())
    }

    /// Entries of the map: as many as are linked at once, so that what is made free is what is taken next. A hash has an element
    /// of its own for an update of an entry that is there; an LRU map has none, and would evict that very entry for it.
    pub fn entries(&self, map: MapKind) -> u32 {
        let (mut flow, mut third, mut most) = (1, 0, 1);
        for step in &self.moves {
            let mut spare = 0;
            match (step.actor, step.label.as_str()) {
                (Actor::Insert, _) => third = 1,
                (Actor::Remove, _) => third = 0,
                // Nothing but the flow's own entry is there to be evicted, and whatever comes later evicts what is there then.
                (Actor::Evict, _) if third == 0 && map == MapKind::LruHash => return most,
                (Actor::Evict, _) => flow = 0,
                (Actor::Gc, "delete" | "unlink" | "take_unlink") => flow = 0,
                (Actor::Packet, "replace") => {
                    spare = u32::from(flow == 1 && map == MapKind::LruHash);
                    flow = 1;
                }
                (Actor::Packet, "create") | (Actor::Gc, "restore") => flow = 1,
                _ => {}
            }
            most = most.max(flow + third + spare);
        }
        most
    }

    /// Entries that an LRU map holds beside the flow's own at first: it hands on what was free before it takes what is made free,
    /// and evicts the oldest if nothing is.
    pub fn fillers(&self, map: MapKind) -> u32 {
        let first = self.moves.iter().position(|step| GONE.contains(&step.label.as_str()));
        let before = &self.moves[..first.unwrap_or(self.moves.len())];
        let inserts = before.iter().filter(|step| step.actor == Actor::Insert).count();
        let replaced = first.is_some_and(|first| self.moves[first].label == "replace");
        let early = 1 + u32::try_from(inserts).unwrap_or(0) + u32::from(replaced);
        if map == MapKind::LruHash { self.entries(map).saturating_sub(early) } else { 0 }
    }
}

/// Steps after which the element that the flow had at first is another's.
const GONE: [&str; 6] = ["delete", "unlink", "take_unlink", "free", "replace", "evict"];

/// What the third flow does.
fn other(given: &Step) -> Result<Actor> {
    Ok(match given.label.as_str() {
        "insert" => Actor::Insert,
        "fill" | "link" => Actor::Inside,
        "remove" => Actor::Remove,
        "update" => Actor::Update(cpu_of(&given.text)?),
        label => bail!("nothing in the kernel does `{label}` for a third flow"),
    })
}

/// `links element 1 for B`, `element 0 is free for any key`.
fn element_of(text: &str) -> Option<u32> {
    text.split_once("element ")?.1.split_ascii_whitespace().next()?.parse().ok()
}

/// The model counts packets' CPUs first; here GC has the last of two.
fn cpu_of(text: &str) -> Result<usize> {
    let number = text.strip_prefix("on CPU ").and_then(|rest| rest.split(',').next());
    let cpu: usize = number.and_then(|number| number.parse().ok()).context("an update names no CPU")?;
    Ok(usize::from(cpu > 0))
}
