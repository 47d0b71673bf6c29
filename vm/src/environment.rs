// SPDX-License-Identifier: MIT OR Apache-2.0
//! What children inherit. git, make, cargo, pip, compilers and locales are steered by variables that whoever calls this has
//! set for something else (a hook's `GIT_DIR` would have git work on his own repository). So this program starts itself
//! again with the variables of this list alone: nothing that it runs can see another.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt as _,
    process::Command,
};

use anyhow::{Context, Result};
use rustix::fs::Mode;

/// Where things are, who asks, what a terminal can do.
const NAMES: [&str; 28] = [
    "CI",
    "CLANG",
    "COLUMNS",
    "DEBIAN_FRONTEND",
    "HOME",
    "KERNEL_HEADERS",
    "LD_LIBRARY_PATH",
    "LIBCLANG_PATH",
    "LINES",
    "LOGNAME",
    "NO_COLOR",
    "PATH",
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TRUSTED_HOST",
    "PKG_CONFIG_PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "USER",
];

/// Kinds of them: caches, this project's own, toolchains and registries.
const PREFIXES: [&str; 7] = ["XDG_", "XTASK_", "CARGO_", "RUST_", "RUSTUP_", "RUSTC", "SSL_CERT_"];

/// But these say what is built, mix what tests print with what is counted, or were meant for this package alone by the cargo that
/// started it.
const DROPPED: [&str; 4] = ["CARGO_BUILD_TARGET", "CARGO_PKG_", "CARGO_MANIFEST_PATH", "RUST_TEST_NOCAPTURE"];

/// Ends of names, of proxies and of lists of certificates.
const SUFFIXES: [&str; 3] = ["_PROXY", "_CA_BUNDLE", "_SSL_CERT_FILE"];

/// Messages in one language, names of files in any.
const LOCALE: (&str, &str) = ("LC_ALL", "C.UTF-8");

/// Starts this program again where its environment holds anything else. Files are made as everybody expects them.
///
/// # Errors
/// When it cannot be started.
pub fn settle() -> Result<()> {
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let (kept, others): (Vec<(OsString, OsString)>, Vec<_>) =
        env::vars_os().partition(|(name, _)| is_kept(name));
    let is_locale = |(name, value): &(OsString, OsString)| name == LOCALE.0 && value == LOCALE.1;
    if others.iter().all(is_locale) && others.len() == 1 {
        return Ok(());
    }
    let program = env::current_exe().context("this program does not know where it is")?;
    let mut again = Command::new(&program);
    again.args(env::args_os().skip(1)).env_clear().envs(kept).env(LOCALE.0, LOCALE.1);
    Err(again.exec()).with_context(|| format!("cannot start {} again", program.display()))
}

fn is_kept(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let upper = name.to_ascii_uppercase();
    let kept = NAMES.contains(&name)
        || name == "CARGO"
        || name == "RUSTFLAGS"
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| upper.ends_with(suffix));
    let dropped = |name: &str| DROPPED.iter().any(|dropped| name.starts_with(dropped));
    kept && (name == "CARGO_BUILD_TARGET_DIR" || !dropped(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_child_elsewhere_is_not_kept() {
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_CONFIG_COUNT",
            "ARCH",
            "CROSS_COMPILE",
            "MAKEFLAGS",
            "KBUILD_OUTPUT",
            "LLVM",
            "CC",
            "V",
            "O",
            "LANG",
            "LC_MESSAGES",
            "LANGUAGE",
            "PIP_TARGET",
            "PIP_USER",
            "PIP_REQUIRE_VIRTUALENV",
            "PYTHONPATH",
            "PYTHONHOME",
            "VIRTUAL_ENV",
            "TAR_OPTIONS",
            "BASH_ENV",
            "ENV",
            "CDPATH",
            "CARGO_BUILD_TARGET",
            "CARGO_PKG_NAME",
            "RUST_TEST_NOCAPTURE",
            "GZIP",
            "XZ_OPT",
            "APT_CONFIG",
            "PERL5LIB",
            "SOURCE_DATE_EPOCH",
            "POSIXLY_CORRECT",
            "GREP_OPTIONS",
            "QEMU_AUDIO_DRV",
        ] {
            assert!(!is_kept(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "XDG_CACHE_HOME",
            "CARGO",
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET_DIR",
            "CARGO_MANIFEST_DIR",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_MINE_INDEX",
            "RUSTFLAGS",
            "RUST_BACKTRACE",
            "RUSTUP_TOOLCHAIN",
            "PIP_INDEX_URL",
            "https_proxy",
            "HTTPS_PROXY",
            "no_proxy",
            "REQUESTS_CA_BUNDLE",
            "SSL_CERT_DIR",
            "NO_COLOR",
            "TERM",
            "XTASK_ROOT",
        ] {
            assert!(is_kept(OsStr::new(name)), "{name}");
        }
    }
}
