// SPDX-License-Identifier: MIT OR Apache-2.0
//! How far a guest came with what ran in it, in sentences: why it did not begin, why it did not end.

use anyhow::{Result, bail};
use ground::exec;

use crate::{
    machine::{End, Ended},
    splat,
};

/// How far a guest came, in the words of what it ran.
pub struct Course<'a> {
    /// What was seen of the guest.
    pub ended: Ended,
    /// It said what it would run.
    pub begun: bool,
    /// It said that all of that was done.
    pub done: bool,
    /// What had begun and not ended.
    pub running: Option<&'a str>,
    /// What ran in it.
    pub program: &'a str,
    /// What the program goes through one by one.
    pub unit: &'a str,
    /// Seconds, as `--boot-timeout` says.
    pub boot_limit: u64,
    /// Seconds, as `--test-timeout` says.
    pub silence_limit: u64,
}

impl Course<'_> {
    /// The sentence that says why the guest did not come to its work, if it did not.
    ///
    /// # Errors
    /// That sentence: nothing was learnt of the kernel.
    pub fn began(&self, console: &str) -> Result<()> {
        if self.begun && self.ended.end != End::GaveUp {
            return Ok(());
        }
        let mut tail = exec::last_lines(console).join("\n    | ");
        if !tail.is_empty() {
            tail.insert_str(0, "; the console ends:\n    | ");
        }
        let Self { program, unit, boot_limit, silence_limit, .. } = self;
        let splats = splat::scan(console).unwrap_or_default();
        match (self.ended.end, splats.iter().find(|s| s.starts_with("panic")), self.ended.status) {
            (_, Some(panic), _) => bail!("the kernel panicked before the first {unit}: {panic}{tail}"),
            (End::GaveUp, ..) => {
                bail!("KVM could not go on with the guest; --accel tcg does without KVM{tail}")
            }
            (End::BootTimeout, ..) => {
                bail!("the guest did not come up within {boot_limit} s (--boot-timeout){tail}")
            }
            (End::Silent, ..) => bail!("the guest came up, then said nothing for {silence_limit} s{tail}"),
            (_, _, Some(status)) => {
                bail!("the {program} ended with {status} before its first {unit}{tail}")
            }
            _ if self.ended.up => bail!("the guest ended before its first {unit}{tail}"),
            _ => bail!("the guest ended before its first {unit}, and before its script began{tail}"),
        }
    }

    /// Why the program did not come to its end; empty if it did.
    pub fn cut_short(&self) -> String {
        let Self { unit, silence_limit, .. } = self;
        let mut reason = match self.ended.end {
            End::Panicked => "the kernel panicked".to_owned(),
            End::Silent => {
                format!("no word from the guest for {silence_limit} s (--test-timeout): it hangs")
            }
            End::BootTimeout | End::Exited if self.done && self.ended.status.is_some() => String::new(),
            End::BootTimeout | End::Exited | End::GaveUp => {
                format!("the guest ended without finishing its {unit}s")
            }
        };
        if !reason.is_empty()
            && let Some(what) = self.running
        {
            reason.push_str(&format!(" in {what}"));
        }
        reason
    }
}
