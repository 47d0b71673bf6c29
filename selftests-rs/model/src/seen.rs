// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a step saw and did, small enough to be thrown away a million times, and in words for the one that is kept.

use crate::element::{Key, Owner};
use crate::map::{NONE, Write};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Clock(u8),
    Waits,
    Waited,
    Nothing(Key),
    Copied { element: u8, lifetime: u8, live: bool },
    CopiedAll { element: u8, lifetime: u8 },
    CopiedValue { element: u8, backend: Key, owner: Owner },
    CopiedKey { element: u8, key: Key },
    Found { element: u8, lifetime: u8, key: Key },
    FoundAgain { element: u8 },
    NotOurs { element: u8 },
    Read { element: u8, lifetime: u8, live: bool, owner: Owner },
    Half { element: u8, lifetime: u8, live: bool, owner: Owner },
    Wrote { element: u8, lifetime: u8, owner: Owner, buffered: bool },
    WroteAll { element: u8, lifetime: u8, owner: Owner },
    Locked { element: u8, owner: Owner },
    Foreign { element: u8 },
    Dead { element: u8 },
    Marked { element: u8, lifetime: u8, owner: Owner },
    Unmarked { element: u8 },
    NoMark { element: u8 },
    Exists { element: u8 },
    Updated { element: u8, old: u8, lifetime: u8, backend: Key },
    Unlinked { element: u8, lifetime: u8, key: Key },
    Refused,
    Equal { element: u8, lifetime: u8 },
    Differs { element: u8, lifetime: u8, copy: u8 },
    OtherState { element: u8 },
    Freed { element: u8, waits: bool },
    Lost { element: u8 },
    TookStripe,
    DroppedStripe,
    Pinned,
    Unpinned,
    ReadMap { map: u8 },
    FoundIn { map: u8 },
    MissedIn { map: u8 },
    PutInto { map: u8, new: bool },
    Previous { map: u8 },
    Current { map: u8 },
    Dropped { map: u8 },
    Filled { element: u8, word: bool },
    Inserted { element: u8, live: bool },
    Drained(Write),
}

fn verdict(live: bool) -> &'static str {
    if live { "live" } else { "expired" }
}

fn name(key: Key) -> &'static str {
    match key {
        Key::A => "A",
        Key::B => "B",
    }
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
    pub fn words(self) -> String {
        match self {
            Self::Clock(now) => format!("reads {now}"),
            Self::Waits => "begins a grace period".to_owned(),
            Self::Waited => "everybody who was running when it began has ended".to_owned(),
            Self::Nothing(key) => format!("finds no {}", name(key)),
            Self::Copied { element, lifetime, live } => {
                format!("copies lifetime {lifetime} from element {element}: {}", verdict(live))
            }
            Self::CopiedAll { element, lifetime } => {
                format!("copies the value from element {element}, lifetime {lifetime}")
            }
            Self::CopiedValue { element, backend, owner } => {
                format!(
                    "copies the value from element {element}{}, with {}'s backend",
                    whose(owner),
                    name(backend)
                )
            }
            Self::CopiedKey { element, key } => {
                format!("copies the key of {} from element {element}", name(key))
            }
            Self::Found { element, lifetime, key } => {
                format!("finds {} in element {element}, lifetime {lifetime}", name(key))
            }
            Self::FoundAgain { element } => format!("finds A in element {element}, as before"),
            Self::NotOurs { element } => {
                format!("finds A in element {element}, as before, but the copied tag is not A's")
            }
            Self::Read { element, lifetime, live, owner } => {
                format!("reads lifetime {lifetime} from element {element}{}: {}", whose(owner), verdict(live))
            }
            Self::Half { element, lifetime, live, owner } => {
                let left = if live { "more" } else { "no more" };
                let whose = whose(owner);
                format!(
                    "reads lifetime {lifetime} from element {element}{whose}: {left} than half of it is left"
                )
            }
            Self::Wrote { element, lifetime, buffered: true, .. } => {
                format!("stores lifetime {lifetime} for element {element} in this CPU's buffer")
            }
            Self::Wrote { element, lifetime, owner, .. } => {
                format!("writes lifetime {lifetime} into element {element}{}", whose(owner))
            }
            Self::WroteAll { element, lifetime, owner } => {
                format!("writes a value with lifetime {lifetime} into element {element}{}", whose(owner))
            }
            Self::Locked { element, owner } => {
                format!("locks element {element}{}, and finds nothing against it", whose(owner))
            }
            Self::Foreign { element } => format!("reads a tag of B's from element {element}: not A's"),
            Self::Dead { element } => format!("finds element {element} marked dead"),
            Self::Marked { element, lifetime, owner } => {
                format!(
                    "finds lifetime {lifetime} in element {element}{}: expired, marks it dead",
                    whose(owner)
                )
            }
            Self::Unmarked { element } => format!("takes the mark in element {element} back"),
            Self::NoMark { element } => format!("finds no mark of its own in element {element}"),
            Self::Exists { element } => format!("is told that A exists, in element {element}"),
            Self::Updated { element, old, lifetime, backend } => {
                let state = if backend == Key::B { " and B's backend" } else { "" };
                let old = if old == NONE { String::new() } else { format!(", and unlinks element {old}") };
                format!("links element {element} for A, lifetime {lifetime}{state}{old}")
            }
            Self::Unlinked { element, lifetime, key } => {
                format!("removes {} with element {element}, lifetime {lifetime}", name(key))
            }
            Self::Refused => "is refused: a lock could not be had".to_owned(),
            Self::Equal { element, lifetime } => {
                format!("finds lifetime {lifetime} in element {element}, as it was copied")
            }
            Self::Differs { element, lifetime, copy } => {
                format!("finds lifetime {lifetime} in element {element}, not lifetime {copy}: lets it be")
            }
            Self::OtherState { element } => {
                format!("finds another state in element {element} than it copied: lets it be")
            }
            Self::Freed { element, waits: false } => format!("element {element} is free for any key"),
            Self::Freed { element, waits: true } => {
                format!("element {element} is free once those have ended who were reading")
            }
            Self::Lost { element } => format!("the word in element {element} has changed"),
            Self::TookStripe => "takes the lock word of its key's stripe".to_owned(),
            Self::DroppedStripe => "drops it".to_owned(),
            Self::Pinned => "disables interrupts on the CPU of A's packets".to_owned(),
            Self::Unpinned => "enables interrupts".to_owned(),
            Self::ReadMap { map } => format!("reads map {map}"),
            Self::FoundIn { map } => format!("finds A in map {map}"),
            Self::MissedIn { map } => format!("finds no A in map {map}"),
            Self::PutInto { map, new: true } => format!("puts A into map {map}"),
            Self::PutInto { map, new: false } => format!("is told that A exists in map {map}"),
            Self::Previous { map } => {
                format!("map {map} is the previous one: what was promised a period ago is over")
            }
            Self::Current { map } => format!("map {map}, which is empty, is the current one"),
            Self::Dropped { map } => format!("drops map {map}"),
            Self::Filled { element, word: false } => {
                format!("takes element {element} for B and fills key, backend and port")
            }
            Self::Filled { element, word: true } => format!("fills lifetime and tag of element {element}"),
            Self::Inserted { element, live } => {
                format!("links element {element} for B, {}", verdict(live))
            }
            Self::Drained(Write::Lifetime { element, lifetime }) => {
                format!("lifetime {lifetime} reaches element {element}")
            }
            Self::Drained(Write::Link { element: NONE }) => "others see that A is unlinked".to_owned(),
            Self::Drained(Write::Link { element }) => format!("others see A in element {element}"),
            Self::Drained(Write::Unlock) => "others see the bucket unlocked".to_owned(),
        }
    }
}
