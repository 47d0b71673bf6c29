// SPDX-License-Identifier: MIT OR Apache-2.0
//! cargo as a child: how it is started, and what it says of what it has built.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use ground::context::{Ctx, TARGET_DIRS};
use serde_json::Value;

/// The cargo that started this program, or the one in `PATH`.
pub fn program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// It, in the repository, with the kernel headers for what compiles BPF C.
pub fn command(ctx: &Ctx, arguments: &[&str], headers: Option<&Path>) -> Command {
    let mut cargo = Command::new(program());
    cargo.args(arguments).current_dir(&ctx.root).env("CARGO_TERM_COLOR", "never");
    // It says where this program's own package is, to this program; another package would be built anew for it.
    cargo.env_remove("CARGO_MANIFEST_DIR");
    if TARGET_DIRS.into_iter().any(|name| env::var_os(name).is_some()) {
        cargo.env(TARGET_DIRS[0], &ctx.target);
    }
    if let Some(headers) = headers {
        cargo.env("KERNEL_HEADERS", headers);
    }
    cargo
}

/// A program that cargo has built.
#[derive(Debug, PartialEq, Eq)]
pub struct Built {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub program: PathBuf,
    /// Whether it is one of tests.
    pub is_test: bool,
}

/// What a line of `--message-format json` tells of, if it is a program.
pub fn built(line: &str) -> Option<Built> {
    let message: Value = serde_json::from_str(line).ok()?;
    Some(Built {
        name: message["target"]["name"].as_str().unwrap_or_default().into(),
        program: message["executable"].as_str()?.into(),
        is_test: message["profile"]["test"].as_bool().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_asked_where_the_programs_are() {
        let folder = |line| built(line).filter(|built| built.name == "lab").map(|built| built.program);
        let line = r#"{"reason":"compiler-artifact","target":{"name":"lab"},"executable":"/elsewhere/x86_64/debug/lab"}"#;
        assert_eq!(folder(line), Some("/elsewhere/x86_64/debug/lab".into()));
        for other in [
            r#"{"target":{"name":"lab"},"executable":null}"#,
            r#"{"target":{"name":"x"},"executable":"/x"}"#,
            "   Compiling lab",
        ] {
            assert_eq!(folder(other), None, "{other}");
        }
    }

    #[test]
    fn cargo_names_the_programs_of_tests_alone() {
        let program_in = |line| built(line).filter(|built| built.is_test).map(|built| built.program);
        let test = r#"{"reason":"compiler-artifact","profile":{"test":true},"executable":"/t/native"}"#;
        assert_eq!(program_in(test), Some("/t/native".into()));
        for line in [
            r#"{"reason":"compiler-artifact","profile":{"test":false},"executable":"/t/xtask"}"#,
            r#"{"reason":"compiler-artifact","profile":{"test":true},"executable":null}"#,
            "warning: no JSON",
        ] {
            assert_eq!(program_in(line), None, "{line}");
        }
    }
}
