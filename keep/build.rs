// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the collector, and makes the Rust side of `include/keep/call.h`, where they are wanted.

#[cfg(feature = "stripes")]
fn main() -> std::process::ExitCode {
    bpf_build::report(build())
}

#[cfg(not(feature = "stripes"))]
fn main() {}

#[cfg(feature = "stripes")]
fn build() -> anyhow::Result<()> {
    use anyhow::Context as _;
    use std::path::{Path, PathBuf};

    println!("cargo::rerun-if-changed=src/bpf");
    let out = PathBuf::from(std::env::var("OUT_DIR").context("OUT_DIR is not set: cargo sets it")?);
    let compiler = bpf_build::Compiler::new("-mcpu=v3")?;
    compiler.object(Path::new("src/bpf/collector.bpf.c"), &out.join("collector.o"), &[])?;
    if cfg!(feature = "examples") {
        for folder in ["examples", "tests/native/bpf"] {
            println!("cargo::rerun-if-changed={folder}");
            compile_all(&compiler, Path::new(folder), &out)?;
        }
    }
    let call = bpf_build::bindings(Path::new("include/keep/call.h"))?.allowlist_file(".*keep/call\\.h");
    let call = call.generate().context("bindgen cannot read include/keep/call.h")?;
    std::fs::write(out.join("call.rs"), call.to_string()).context("cannot write the contract")
}

/// Each `NAME.bpf.c` in `folder` to `NAME.o` in `out`.
#[cfg(feature = "stripes")]
fn compile_all(
    compiler: &bpf_build::Compiler,
    folder: &std::path::Path,
    out: &std::path::Path,
) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let source = entry?.path();
        let name =
            source.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".bpf.c"));
        if let Some(name) = name {
            compiler.object(&source, &out.join(format!("{name}.o")), &[])?;
        }
    }
    Ok(())
}
