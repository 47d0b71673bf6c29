// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed bindings against what bindgen makes of the patched kernel's headers. What bindgen is told is data of
//! `uapi/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use ground::{
    cache::{read_if_there, write_whole},
    context::Ctx,
    hash::short_hash,
};
use results::{Status, TestResult};

/// Name of the host-side test in the report.
pub const TEST: &str = "host::bindings_in_step";
/// Lines of the difference that a failure shows.
const SHOWN: usize = 12;

/// Where they are committed.
pub fn committed(root: &Path) -> PathBuf {
    root.join("uapi/src/bindings.rs")
}

/// What bindgen makes of the headers in `include`. Remembered by content.
///
/// # Errors
/// No libclang, unreadable options, headers that do not parse.
pub fn generate(ctx: &Ctx, include: &Path) -> Result<String> {
    let header = ctx.root.join("uapi/bindings.h");
    let options_file = ctx.root.join("uapi/bindings.options");
    let options = fs::read_to_string(&options_file)
        .with_context(|| format!("cannot read {}", options_file.display()))?;
    let rustfmt = ctx.root.join("rustfmt.toml");
    let style = fs::read(&rustfmt).unwrap_or_default();
    let parts = [options.as_bytes(), &fs::read(&header)?, &style, include.as_os_str().as_encoded_bytes()];
    let memory = ctx.cache.dir("bindings")?.join(format!("{}.rs", short_hash(&parts)));
    if let Some(text) = read_if_there(&memory)? {
        return Ok(text);
    }
    let mut arguments = vec!["bindgen".to_owned()];
    arguments.extend(options.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).map(str::to_owned));
    arguments.push(format!("--rustfmt-configuration-file={}", rustfmt.display()));
    arguments.push(header.display().to_string());
    arguments.extend(["--", "-nostdinc", "-I"].map(str::to_owned));
    arguments.push(include.display().to_string());
    let (builder, _, _) = bindgen::builder_from_flags(arguments.into_iter())
        .with_context(|| format!("{} holds options that bindgen does not take", options_file.display()))?;
    let text =
        builder.generate().map_err(|e| anyhow!("bindgen cannot read the kernel's headers: {e}"))?.to_string();
    write_whole(&memory, text.as_bytes())?;
    Ok(text)
}

/// The host-side test: committed and generated bindings are the same text.
pub fn compare(committed: &str, generated: &str) -> TestResult {
    let detail = difference(committed, generated);
    let status = if detail.is_empty() { Status::Pass } else { Status::Fail };
    TestResult { name: TEST.into(), status, ms: 0, detail }
}

/// Empty, or the lines that differ and the mend.
fn difference(committed: &str, generated: &str) -> String {
    if committed == generated {
        return String::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (committed.lines().collect(), generated.lines().collect());
    let same = |a: &[&str], b: &[&str]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let head = same(&old, &new);
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let reversed = |lines: &[&str]| lines.iter().rev().map(|l| (*l).to_owned()).collect::<Vec<_>>();
    let (old_back, new_back) = (reversed(old_rest), reversed(new_rest));
    let tail = old_back.iter().zip(&new_back).take_while(|(a, b)| a == b).count();
    let removed = old_rest[..old_rest.len() - tail].iter().map(|l| format!("-{l}"));
    let added = new_rest[..new_rest.len() - tail].iter().map(|l| format!("+{l}"));
    let shown: Vec<String> = removed.take(SHOWN).chain(added.take(SHOWN)).collect();
    format!(
        "uapi/src/bindings.rs is not what the patched headers give; run `cargo xtask bindings --write`; from line {}: {}",
        head + 1,
        shown.join(" | ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_with_its_line_and_the_mend() {
        let result = compare("a\nb\nc\n", "a\nB\nc\n");
        assert_eq!(result.status, Status::Fail);
        assert!(
            result.detail.contains("bindings --write") && result.detail.ends_with("from line 2: -b | +B")
        );
        assert_eq!(compare("a\n", "a\n").status, Status::Pass);
    }
}
