// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs that turn source into something else, and what they say of their versions.

use ground::{context::Ctx, exec};
use xshell::cmd;

/// First line of what a program says of its version; empty if there is no such program.
pub fn version_of(ctx: &Ctx, program: &str) -> String {
    let sh = &ctx.sh;
    let said = exec::read(ctx, cmd!(sh, "{program} --version")).unwrap_or_default();
    said.lines().next().unwrap_or_default().to_owned()
}

/// The versions of what turns source into a kernel: compiler, pahole.
pub fn toolchain(ctx: &Ctx) -> (String, String) {
    (version_of(ctx, "gcc"), version_of(ctx, "pahole"))
}
