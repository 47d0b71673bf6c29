// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the guest asks the host to hold one of its vCPUs inside a kernel function, and what the host answers. A request
//! is a file in the folder that both see, and so is each answer.

use serde::{Deserialize, Serialize};

/// A function of the guest's kernel, by the addresses in its `/proc/kallsyms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Its first byte.
    pub start: u64,
    /// The first byte of the next symbol.
    pub end: u64,
}

impl Symbol {
    /// Whether `address` lies in it.
    #[must_use]
    pub fn contains(&self, address: u64) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// Where in a function a vCPU is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// At its first instruction.
    Entry,
    /// At the instruction after the first compare-and-swap that succeeds: it has just gained a lock.
    Lock,
    /// At the instruction after the call.
    Return(Call),
}

/// A call made in a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Of which other function, called by it or, with interrupts disabled, by what it calls.
    pub callee: Symbol,
    /// Only with this third argument, where there are others.
    pub size: Option<u64>,
    /// What the call has to have returned, as an `int`.
    pub result: Option<i32>,
}

/// Hold the vCPU that runs `function` there, let the others go on for so long or until one of them comes to `mark`, then let all
/// go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// In which function to hold.
    pub function: Symbol,
    /// Where in it.
    pub at: At,
    /// For how long the others go on whatever they do, in ms; without it they go on to their mark, or to a lock.
    pub lasts: Option<u64>,
    /// The system call that says that the other side is done.
    pub mark: Symbol,
    /// Where a vCPU spins that waits for a lock.
    pub locks: Vec<Symbol>,
    /// Address, in the process whose call is held, of a 32-bit word that becomes 1 once it is, and 2 when a hold that was to
    /// last is about to end. No file would do: with one
    /// vCPU stopped, the interrupt that ends the other one's reading may wait for the stopped one.
    pub flag: u64,
}

/// What the other side did while the vCPU was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Other {
    /// It reached its mark.
    Passed,
    /// It waited for a lock that the held one has, and had to be let go with it.
    Waited {
        /// Where it was, an address in one of [`Request::locks`].
        at: u64,
    },
    /// It went on for as long as it was to.
    Lasted {
        /// How often it was looked at.
        looks: u32,
        /// How often of these it waited for a lock.
        waiting: u32,
        /// Where it last did.
        at: Option<u64>,
    },
}

/// A hold that came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Where the vCPU was held.
    pub at: u64,
    /// Whether it had interrupts disabled there, as under a bucket's lock.
    pub interrupts_off: bool,
    /// What the other side did.
    pub other: Other,
}

/// The files of the hold of that number in the folder that both see. Numbers begin at 0 and leave none out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Files(pub u32);

impl Files {
    /// A [`Request`], written by the guest.
    #[must_use]
    pub fn request(self) -> String {
        format!("hold-{}.json", self.0)
    }

    /// Empty: the host will hold whoever enters the function from now on.
    #[must_use]
    pub fn armed(self) -> String {
        format!("hold-{}.armed", self.0)
    }

    /// A [`Report`]: all go on.
    #[must_use]
    pub fn done(self) -> String {
        format!("hold-{}.done", self.0)
    }

    /// A sentence: nothing was witnessed, and all go on.
    #[must_use]
    pub fn failed(self) -> String {
        format!("hold-{}.failed", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_back_as_it_was_written() {
        let lasted = Other::Lasted { looks: 2, waiting: 1, at: None };
        for other in [Other::Passed, Other::Waited { at: u64::MAX }, lasted] {
            let report = Report { at: 0xffff_ffff_8100_0000, interrupts_off: true, other };
            let text = serde_json::to_string(&report).unwrap();
            assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report, "{text}");
        }
    }
}
