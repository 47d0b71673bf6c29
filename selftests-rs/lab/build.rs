// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the BPF programs: `src/bpf/conntrack.bpf.c` once for each `src/bpf/refresh/NAME.h` (and for some with values of
//! another layout), each `src/bpf/gc/NAME.bpf.c` and `src/bpf/bench/NAME.bpf.c`, and the table of its own,
//! `src/bpf/arena.bpf.c`. Makes the Rust side of their contract, and the list of what user space does by itself,
//! `src/gc/NAME.rs`. A new discipline or strategy is found by its file.

#[path = "build/contract.rs"]
mod contract;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use bpf_build::Compiler;

const BPF: &str = "src/bpf";
const GC: &str = "src/gc";

/// A datapath that cares for nobody's protocol, on values that have what a protocol's collectors look at: the discipline, a
/// name for the values, and what makes them so.
const BESIDE: [(&str, &str, &[&str]); 5] = [
    ("store", "lock", &["-DLOCKED", "-DTAGGED"]),
    ("store", "mark", &["-DTAGGED"]),
    ("store", "timer", &["-DTIMED"]),
    ("replace", "lock", &["-DLOCKED", "-DTAGGED"]),
    ("replace", "mark", &["-DTAGGED"]),
];

/// libbpf's Rust does not know the type of map, so that it has to be in the object.
const RHASH: &str = "-DMAP_TYPE=BPF_MAP_TYPE_RHASH";

fn main() -> ExitCode {
    bpf_build::report(build())
}

fn build() -> Result<()> {
    println!("cargo::rerun-if-changed={BPF}");
    println!("cargo::rerun-if-changed={GC}");
    println!("cargo::rerun-if-changed=build");
    let out = PathBuf::from(env::var("OUT_DIR").context("OUT_DIR is not set: cargo sets it")?);
    let bpf = Path::new(BPF);
    contract::write(&bpf.join("contract.h"), &out)?;
    strategies(&out)?;

    // Old kernels take no later one.
    let compiler = Compiler::new("-mcpu=v3")?;
    let mut datapaths = Vec::new();
    let mut resizable = Vec::new();
    for (name, header, more) in variants(&named(&bpf.join("refresh"), ".h")?) {
        let header = format!("-DREFRESH_HEADER=\"refresh/{header}.h\"");
        let mut arguments = vec![header.as_str()];
        arguments.extend(more);
        let object = out.join(format!("datapath-{name}.o"));
        compiler.object(&bpf.join("conntrack.bpf.c"), &object, &arguments)?;
        datapaths.push((name.clone(), object));
        arguments.push(RHASH);
        let object = out.join(format!("rhash-{name}.o"));
        compiler.object(&bpf.join("conntrack.bpf.c"), &object, &arguments)?;
        resizable.push((name, object));
    }
    let all = |folder: &str| -> Result<Vec<(String, PathBuf)>> {
        let mut objects = Vec::new();
        for name in named(&bpf.join(folder), ".bpf.c")? {
            let object = out.join(format!("{folder}-{name}.o"));
            compiler.object(&bpf.join(folder).join(format!("{name}.bpf.c")), &object, &[])?;
            objects.push((name, object));
        }
        Ok(objects)
    };
    let arena = out.join("arena.o");
    compiler.object(&bpf.join("arena.bpf.c"), &arena, &[])?;
    let tables = [
        table("DATAPATHS", &datapaths),
        table("RHASH_DATAPATHS", &resizable),
        table("COLLECTORS", &all("gc")?),
        table("BENCHES", &all("bench")?),
        table("TABLES", &[("arena".to_owned(), arena)]),
    ];
    fs::write(out.join("objects.rs"), tables.concat()).context("cannot write the table of BPF objects")
}

/// Each datapath: its name, its header, what it is compiled with besides.
fn variants(headers: &[String]) -> Vec<(String, String, &'static [&'static str])> {
    let alone = headers.iter().map(|header| (header.clone(), header.clone(), [].as_slice()));
    let beside = BESIDE
        .iter()
        .map(|(header, values, more)| (format!("{header}+{values}"), (*header).to_owned(), *more));
    alone.chain(beside).collect()
}

/// The modules of `src/gc`, and how each is opened.
fn strategies(out: &Path) -> Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set: cargo sets it")?;
    let modules = named(Path::new(GC), ".rs")?;
    let mut text = String::new();
    for module in &modules {
        let path = Path::new(&root).join(GC).join(format!("{module}.rs")).display().to_string();
        text.push_str(&format!("#[path = {path:?}]\nmod {module};\n"));
    }
    text.push_str("/// What user space does by itself, by name.\nconst ALL: &[(&str, Open)] = &[\n");
    for module in &modules {
        text.push_str(&format!("    ({:?}, {module}::open),\n", module.replace('_', "-")));
    }
    text.push_str("];\n");
    fs::write(out.join("strategies.rs"), text).context("cannot write the table of strategies")
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
