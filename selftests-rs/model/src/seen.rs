// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a step saw and did, small enough to be thrown away a million times, and in words for the one that is kept.

use crate::dsl::Op;
use crate::map::{NONE, OF_B, Owner, SEAL, Write};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Clock(u8),
    Waits,
    Waited,
    Nothing,
    Copied { element: u8, lifetime: u8, live: bool },
    Found { element: u8, lifetime: u8 },
    FoundAgain { element: u8 },
    Read { element: u8, lifetime: u8, live: bool, owner: Owner },
    Wrote { element: u8, lifetime: u8, owner: Owner, buffered: bool },
    Foreign { element: u8 },
    Dead { element: u8 },
    Marked { element: u8, lifetime: u8, owner: Owner },
    Seal { element: u8, lifetime: u8 },
    Exists { element: u8 },
    Updated { element: u8, old: u8, lifetime: u8 },
    Unlinked { element: u8, lifetime: u8 },
    Equal { element: u8, lifetime: u8, sealed: bool },
    Differs { element: u8, lifetime: u8, copy: u8 },
    Freed { element: u8 },
    Lost { element: u8 },
    Inserted { element: u8 },
    Drained(Write),
}

/// A lifetime in words.
fn of(lifetime: u8) -> String {
    match lifetime {
        SEAL => "the seal".to_owned(),
        OF_B => "a lifetime of B's".to_owned(),
        lifetime => format!("lifetime {lifetime}"),
    }
}

fn verdict(live: bool) -> &'static str {
    if live { "live" } else { "expired" }
}

/// After "element n", if that is not where A is.
fn whose(owner: Owner) -> &'static str {
    match owner {
        Owner::A => "",
        Owner::B => ", which is B's by now",
        Owner::Nobody => ", which is not in the map any more",
    }
}

impl Seen {
    /// What the step did, as a sentence without its subject.
    pub fn words(self, op: Option<Op>) -> String {
        match self {
            Self::Clock(now) => format!("reads {now}"),
            Self::Waits => "begins a grace period".to_owned(),
            Self::Waited => "every packet that was running when it began has ended".to_owned(),
            Self::Nothing => "finds no A".to_owned(),
            Self::Copied { element, lifetime, live } => {
                format!("copies {} from element {element}: {}", of(lifetime), verdict(live))
            }
            Self::Found { element, lifetime } => format!("finds A in element {element}, {}", of(lifetime)),
            Self::FoundAgain { element } => format!("finds A in element {element}, as before"),
            Self::Read { element, lifetime, live, owner } => {
                let verdict = match op {
                    Some(Op::JudgeHalf) if live => "more than half of it is left",
                    Some(Op::JudgeHalf) => "no more than half of it is left",
                    _ => verdict(live),
                };
                format!("reads {} from element {element}{}: {verdict}", of(lifetime), whose(owner))
            }
            Self::Wrote { element, lifetime, buffered: true, .. } => {
                format!("stores {} for element {element} in this CPU's buffer", of(lifetime))
            }
            Self::Wrote { element, lifetime, owner, .. } => {
                format!("writes {} into element {element}{}", of(lifetime), whose(owner))
            }
            Self::Foreign { element } => format!("reads a lifetime of B's from element {element}: not A's"),
            Self::Dead { element } => format!("finds element {element} marked dead"),
            Self::Marked { element, lifetime, owner } => {
                format!("finds {} in element {element}{}: expired, marks it dead", of(lifetime), whose(owner))
            }
            Self::Seal { element, lifetime } => {
                format!("writes {} into element {element} and gets the seal: gc has won", of(lifetime))
            }
            Self::Exists { element } => format!("is told that A exists, in element {element}"),
            Self::Updated { element, old: NONE, lifetime } => {
                format!("links element {element} for A, {}", of(lifetime))
            }
            Self::Updated { element, old, lifetime } => {
                format!("links element {element} for A, {}, and unlinks element {old}", of(lifetime))
            }
            Self::Unlinked { element, lifetime } => {
                format!("removes A with element {element}, {}", of(lifetime))
            }
            Self::Equal { element, lifetime, sealed } => {
                let then = if sealed { ", and seals it" } else { "" };
                format!("finds {} in element {element}, as in the snapshot{then}", of(lifetime))
            }
            Self::Differs { element, lifetime, copy } => {
                format!("finds {} in element {element}, not {}: lets it be", of(lifetime), of(copy))
            }
            Self::Freed { element } => format!("element {element} is free for any key"),
            Self::Lost { element } => format!("the state word of slot {element} has changed"),
            Self::Inserted { element } => format!("links element {element} for B"),
            Self::Drained(Write::Lifetime { element, lifetime }) => {
                format!("{} reaches element {element}", of(lifetime))
            }
            Self::Drained(Write::Link { element: NONE }) => "others see that A is unlinked".to_owned(),
            Self::Drained(Write::Link { element }) => format!("others see A in element {element}"),
            Self::Drained(Write::Unlock) => "others see the bucket unlocked".to_owned(),
        }
    }
}
