// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the BPF programs: `src/bpf/conntrack.bpf.c` once for each `src/bpf/refresh/NAME.h`, each
//! `src/bpf/gc/NAME.bpf.c` and `src/bpf/bench/NAME.bpf.c`, and the table of its own, `src/bpf/arena.bpf.c`. A new discipline
//! or strategy is found by its file.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use bpf_build::Compiler;

const BPF: &str = "src/bpf";

fn main() -> ExitCode {
    bpf_build::report(build())
}

fn build() -> Result<()> {
    println!("cargo::rerun-if-changed={BPF}");
    let out = PathBuf::from(env::var("OUT_DIR").context("OUT_DIR is not set: cargo sets it")?);
    let compiler = Compiler::new("-mcpu=v4")?;
    let bpf = Path::new(BPF);

    let mut datapaths = Vec::new();
    for name in named(&bpf.join("refresh"), ".h")? {
        let object = out.join(format!("datapath-{name}.o"));
        let header = format!("-DREFRESH_HEADER=\"refresh/{name}.h\"");
        compiler.object(&bpf.join("conntrack.bpf.c"), &object, &[&header])?;
        datapaths.push((name, object));
    }
    let mut collectors = Vec::new();
    for name in named(&bpf.join("gc"), ".bpf.c")? {
        let object = out.join(format!("gc-{name}.o"));
        compiler.object(&bpf.join("gc").join(format!("{name}.bpf.c")), &object, &[])?;
        collectors.push((name, object));
    }
    let mut benches = Vec::new();
    for name in named(&bpf.join("bench"), ".bpf.c")? {
        let object = out.join(format!("bench-{name}.o"));
        compiler.object(&bpf.join("bench").join(format!("{name}.bpf.c")), &object, &[])?;
        benches.push((name, object));
    }
    let arena = out.join("arena.o");
    compiler.object(&bpf.join("arena.bpf.c"), &arena, &[])?;
    let tables = [
        table("DATAPATHS", &datapaths),
        table("COLLECTORS", &collectors),
        table("BENCHES", &benches),
        table("TABLES", &[("arena".to_owned(), arena)]),
    ];
    fs::write(out.join("objects.rs"), tables.concat()).context("cannot write the table of BPF objects")
}

/// The files of `folder` that end so, without that end, in order.
fn named(folder: &Path, end: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(end)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn table(name: &str, objects: &[(String, PathBuf)]) -> String {
    let rows: String = objects
        .iter()
        .map(|(name, object)| {
            format!("    ({name:?}, include_bytes!({:?})),\n", object.display().to_string())
        })
        .collect();
    format!("pub const {name}: &[(&str, &[u8])] = &[\n{rows}];\n")
}
