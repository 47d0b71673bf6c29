// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a race goes on. Where the host runs the guest's CPUs one after the other, the sides of a race seldom meet:
//! it goes on until they have, as long as there is patience.

use std::time::{Duration, Instant};

use crate::Context;

/// Enough for a race the sides of which have met.
const USUAL: Duration = Duration::from_millis(1200);

/// Less than the host waits for a sign of life.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bounds a race in tries and in time.
pub struct Effort {
    tries: u32,
    patience: Duration,
    start: Instant,
}

impl Effort {
    /// From now on, `full` tries; a tenth of them in quick form.
    pub fn new(context: &Context, full: u32) -> Self {
        let tries = if context.quick { full / 10 } else { full };
        // On one CPU they may never meet.
        let patience = if context.cpus == 1 { USUAL } else { PATIENCE };
        Self { tries, patience, start: Instant::now() }
    }

    /// Whether to try again after so many tries. `met`: what they saw proves that the sides met, whatever else it says.
    pub fn goes_on(&self, tried: u32, met: bool) -> bool {
        let elapsed = self.start.elapsed();
        (tried < self.tries && elapsed < USUAL) || (!met && elapsed < self.patience)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::Kernel;

    #[test]
    fn goes_on_until_all_was_tried_and_the_sides_have_met() {
        let context = Context {
            kernel: Kernel::Base,
            cmpdel: PathBuf::new(),
            quick: true,
            race_limit: PATIENCE,
            cpus: 1,
            calls: None,
            seed: 1,
        };
        let effort = Effort::new(&context, 50);
        assert!(effort.goes_on(4, true));
        assert!(!effort.goes_on(5, true));
        assert!(effort.goes_on(5, false));
    }
}
