// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table in an arena.

use results::races::Stress;

use crate::load::Denied;
use crate::stress::Plan;

/// Its name in the matrix.
pub const MAP: &str = "arena";

pub fn stress(_cpus: usize, _plan: Plan) -> Result<Stress, Denied> {
    Err(anyhow::anyhow!("not yet").into())
}
