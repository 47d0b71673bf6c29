// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles each `src/bpf/NAME.bpf.c` and writes its skeleton to `OUT_DIR/NAME.skel.rs`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use bpf_build::Compiler;

const SOURCES: &str = "src/bpf";

fn main() -> ExitCode {
    bpf_build::report(build())
}

fn build() -> Result<()> {
    println!("cargo::rerun-if-changed={SOURCES}");
    let out = PathBuf::from(env::var("OUT_DIR").context("OUT_DIR is not set: cargo sets it")?);
    let compiler = Compiler::new("-mcpu=v3")?;
    for entry in fs::read_dir(SOURCES).with_context(|| format!("cannot list {SOURCES}"))? {
        let source = entry?.path();
        let name = source.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.and_then(|name| name.strip_suffix(".bpf.c")) {
            compiler.skeleton(&source, &out.join(format!("{name}.skel.rs")))?;
        }
    }
    Ok(())
}
