// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest saw while a CPU was held, while all of it stood still, and while its clocks were set. Written by the lab, one
//! event a line; what has to be true of it is for the reader to say.

pub mod clocks;
pub mod stop;

use serde::{Deserialize, Serialize};

pub use self::{
    clocks::{Collected, Stepped},
    stop::Stopped,
};
use crate::races::Violations;

/// One line of the event file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TimeEvent {
    /// First line: what will be tried, in order.
    Plan {
        /// `uname -r`.
        release: String,
        /// CPUs of the guest.
        cpus: usize,
        /// By name.
        scenes: Vec<String>,
    },
    /// One begins.
    Began {
        /// Its name.
        scene: String,
    },
    /// A CPU was held.
    Held {
        /// The scene.
        scene: String,
        /// What was seen.
        hold: Box<Hold>,
    },
    /// All CPUs were.
    Stopped {
        /// The scene.
        scene: String,
        /// What was seen.
        stopped: Box<Stopped>,
    },
    /// A clock was set.
    Stepped {
        /// The scene.
        scene: String,
        /// What was seen.
        stepped: Box<Stepped>,
    },
    /// It did not come about.
    Failed {
        /// The scene.
        scene: String,
        /// Why.
        error: String,
    },
    /// Last line.
    Done {
        /// Scenes that ended.
        scenes: usize,
    },
}

/// What the held CPU had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// That of a bucket of a map, which gives up.
    Bucket,
    /// A lock word of the programs' own, which gives up.
    Stripe,
    /// The `bpf_spin_lock` of an element, which waits.
    Element,
    /// None: its packet waits in a queue.
    None,
}

/// What a call needs of what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// The lock.
    Lock,
    /// The lock, or one that is held with it, as it comes.
    Perhaps,
    /// Nothing.
    Nothing,
}

/// A call beside the held CPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Who made it.
    pub who: String,
    /// What it needs of what is held.
    pub needs: Needs,
    /// Its answer; 0 is a success.
    pub errno: i32,
    /// The same in a word: the name of the errno, or what came of a packet.
    pub word: String,
    /// How long it took, in µs of the guest's clock.
    pub us: u64,
    /// It began while the CPU was held.
    pub began_held: bool,
    /// It ended while the CPU was held.
    pub ended_held: bool,
}

/// A CPU was held with a lock in its hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Which lock.
    pub lock: Lock,
    /// What was held, in words.
    pub holder: String,
    /// Where, as the kernel names it.
    pub at: String,
    /// Interrupts were off there.
    pub interrupts_off: bool,
    /// A careless sister is beside it: something has to be lost.
    pub careless: bool,
    /// For how long it was to be held, in ms.
    pub asked_ms: u64,
    /// From the moment that the others heard of it to its end, in ms of the guest's clock.
    pub held_ms: u64,
    /// How often the host looked at the others, and how often one of them waited for a lock.
    pub looks: (u32, u32),
    /// In which function.
    pub waited_in: Option<String>,
    /// What the held call came to; 0 is a success.
    pub errno: i32,
    /// The same in a word.
    pub word: String,
    /// Earlier tries that were in vain, with all that was seen of them.
    pub earlier: Vec<Hold>,
    /// Calls beside it, and one more of each afterwards. Of very many the first are kept, and those at its end and after it.
    pub calls: Vec<Call>,
    /// From its end to the end of the last call that had begun before, in ms.
    pub ended_ms: u64,
    /// What the oracle found afterwards.
    pub violations: Violations,
    /// What the map had afterwards.
    pub left: Left,
}

impl Hold {
    /// The others heard of it late: something of the kernel's may have kept their CPU until the held one went on.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.held_ms * 3 < self.asked_ms * 2
    }

    /// It was short, or somebody who needs nothing of what is held was kept waiting all the same. Once that is chance.
    #[must_use]
    pub fn is_in_vain(&self) -> bool {
        self.is_short() || self.calls.iter().any(Call::was_kept_waiting)
    }
}

/// A call that needs nothing of what is held may take so long: an emulated CPU may be off its core for a while.
const FREE_US: u64 = 200_000;

impl Call {
    /// It needs nothing of what was held, and yet took long.
    #[must_use]
    pub fn was_kept_waiting(&self) -> bool {
        self.needs == Needs::Nothing && self.began_held && self.us > FREE_US
    }
}

/// The map after a scene, once a round of the collector has been over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The live entry that nobody touched is there as it was.
    pub live: bool,
    /// The expired entry that nobody touched is gone.
    pub expired_gone: bool,
    /// Entries by a walk.
    pub walked: u64,
    /// Entries by look-ups of all keys that may be there.
    pub found: u64,
    /// Entries that could still be made.
    pub room: u64,
    /// Entries that the map is made for; 0 where it evicts instead of refusing.
    pub capacity: u64,
}
