// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask bindings`: are the committed bindings those of the patched headers?

use anyhow::{Result, ensure};
use ground::{
    cache::write_whole,
    context::Ctx,
    lock,
    outcome::{Count, Done, Outcome},
};
use kernel::{bindings, series::Series};

use crate::{cli::Bindings, workshop::Workshop};

/// Compares, or writes.
///
/// # Errors
/// Those of the steps.
pub fn run(ctx: &Ctx, opts: &Bindings) -> Result<Done> {
    let _lock = lock::take_folder(ctx, &ctx.out)?;
    let series = Series::read(&ctx.root, &opts.series)?;
    let shop = Workshop::open(ctx, &opts.kernel)?;
    ensure!(
        shop.base.pinned || !opts.write,
        "the bindings are made from the packaged source: leave out --kernel-src"
    );
    let built = shop.build(&series)?;
    if opts.write {
        let path = bindings::committed(&ctx.root);
        let text = ctx.phase("bindings", || Ok((bindings::generate(ctx, &built.kernel.include)?, false)))?;
        write_whole(&path, text.as_bytes())?;
        ctx.events.note(format!("wrote {}", path.display()));
        return Ok(Outcome::Passed.into());
    }
    let result = shop.bindings(&built)?;
    let mut count = Count::default();
    count.add(result.status);
    Ok(Done::counted(count))
}
