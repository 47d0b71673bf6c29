// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles each `src/bpf/NAME.bpf.c` and writes its skeleton to `OUT_DIR/NAME.skel.rs`.
//!
//! `KERNEL_HEADERS` names the `include` folder of a kernel's installed headers; without it the system's are used.
//! `CLANG` names the compiler; without it the first of [`CLANGS`] that answers.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow};
use libbpf_cargo::SkeletonBuilder;

const SOURCES: &str = "src/bpf";
const CLANGS: [&str; 5] = ["clang-22", "clang-21", "clang-20", "clang-19", "clang"];

fn main() -> ExitCode {
    // Not returned as it is: a backtrace would bury what the compiler said.
    build().map_or_else(
        |error| {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn build() -> Result<()> {
    println!("cargo::rerun-if-changed={SOURCES}");
    println!("cargo::rerun-if-env-changed=KERNEL_HEADERS");
    println!("cargo::rerun-if-env-changed=CLANG");
    let out = PathBuf::from(env::var("OUT_DIR").context("OUT_DIR is not set: cargo sets it")?);
    let clang = find_clang()?;
    let mut args: Vec<OsString> = ["-Wall", "-Werror", "-mcpu=v3"].map(Into::into).into();
    for folder in headers()? {
        args.push("-I".into());
        args.push(folder.into());
    }
    for entry in fs::read_dir(SOURCES).with_context(|| format!("cannot list {SOURCES}"))? {
        let source = entry?.path();
        let Some(name) = source.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".bpf.c"))
        else {
            continue;
        };
        SkeletonBuilder::new()
            .source(&source)
            .clang(&clang)
            .clang_args(&args)
            .build_and_generate(out.join(format!("{name}.skel.rs")))
            .with_context(|| format!("{} does not compile with {}", source.display(), clang.display()))?;
    }
    Ok(())
}

fn find_clang() -> Result<PathBuf> {
    if let Some(clang) = env::var_os("CLANG") {
        return Ok(clang.into());
    }
    let answers = |name: &&str| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    CLANGS.into_iter().find(answers).map(PathBuf::from).ok_or_else(|| {
        anyhow!(
            "no clang found to compile BPF programs (tried {}): install one or set CLANG",
            CLANGS.join(", ")
        )
    })
}

/// Where `linux/bpf.h` and `asm/types.h` are. Debian keeps the latter under the machine's triplet.
fn headers() -> Result<Vec<PathBuf>> {
    if let Some(folder) = env::var_os("KERNEL_HEADERS") {
        return Ok(vec![folder.into()]);
    }
    let arch =
        env::var("CARGO_CFG_TARGET_ARCH").context("CARGO_CFG_TARGET_ARCH is not set: cargo sets it")?;
    let triplet = PathBuf::from(format!("/usr/include/{arch}-linux-gnu"));
    Ok(vec![PathBuf::from("/usr/include"), triplet].into_iter().filter(|folder| folder.is_dir()).collect())
}
