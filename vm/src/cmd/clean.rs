// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask clean`: what the cache holds, and removing it.

use std::fs;

use anyhow::{Context, Result, ensure};
use ground::{
    context::Ctx,
    outcome::{Done, Outcome},
};
use guest::accel;

use crate::{cli::Clean, inventory, say::say};

/// Lists or removes.
///
/// # Errors
/// An unknown part, or one that cannot be removed.
pub fn run(ctx: &Ctx, opts: &Clean) -> Result<Done> {
    let parts = inventory::parts(&ctx.cache)?;
    let wanted: Vec<&str> = match (opts.all, opts.parts.is_empty()) {
        (false, true) => {
            for part in &parts {
                say!("{:>6} MiB  {:<10} {}", part.mib, part.name, part.what)?;
            }
            say!("in {}; remove with `cargo xtask clean PART…` or `--all`", ctx.cache.root().display())?;
            return Ok(Outcome::Passed.into());
        }
        (true, _) => parts.iter().map(|part| part.name).collect(),
        (false, false) => opts.parts.iter().map(String::as_str).collect(),
    };
    for name in wanted {
        ensure!(
            parts.iter().any(|part| part.name == name),
            "the cache has no part {name}; `cargo xtask clean` lists them"
        );
        let path = ctx.cache.root().join(name);
        fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        say!("removed {name}")?;
    }
    if opts.all {
        accel::forget(ctx)?;
    }
    Ok(Outcome::Passed.into())
}
