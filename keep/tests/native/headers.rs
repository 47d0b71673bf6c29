// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each header compiles by itself, and each datapath too, with every clang from 14 on that this machine has.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libbpf_cargo::SkeletonBuilder;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What headers about values are told first.
const VALUE: &str = "#include <keep/word.h>\nstruct value { union keep_word word; __u64 more; };\n#define KEEP_VALUE struct value\n#define KEEP_WORD word\n";
const OF_VALUES: [&str; 2] = ["half-life.h", "value.h"];

fn clangs() -> Vec<String> {
    let answers = |name: &String| {
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    (14..=22).map(|version| format!("clang-{version}")).filter(answers).collect()
}

fn compile(clang: &str, source: &Path, object: &Path) {
    let system = match std::env::var_os("KERNEL_HEADERS") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => {
            vec!["/usr/include".into(), format!("/usr/include/{}-linux-gnu", std::env::consts::ARCH).into()]
        }
    };
    let mut arguments: Vec<OsString> = ["-Wall", "-Wextra", "-Werror", "-mcpu=v3"].map(Into::into).into();
    // What the kernel's own build of BPF programs leaves out as well.
    arguments.extend(["-Wno-unused-parameter", "-Wno-sign-compare"].map(Into::into));
    arguments.extend(
        system.iter().filter(|folder| folder.is_dir()).map(|folder| format!("-I{}", folder.display()).into()),
    );
    arguments.push(format!("-I{}", keep::INCLUDE).into());
    let built = SkeletonBuilder::new().source(source).clang(clang).clang_args(arguments).obj(object).build();
    built.map(drop).unwrap_or_else(|error| panic!("{clang} {}: {error:#}", source.display()));
}

fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    assert!(!files.is_empty(), "{folder} has no {end}");
    files
}

#[test]
fn each_header_compiles_alone_with_every_clang() {
    let clangs = clangs();
    if clangs.is_empty() {
        eprintln!("skipped: no clang of 14 to 22 here");
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    for header in files("include/keep", ".h") {
        let name = header.file_name().unwrap().to_str().unwrap();
        let before = if OF_VALUES.contains(&name) { VALUE } else { "" };
        let source = folder.join(format!("{name}.bpf.c"));
        fs::write(&source, format!("{before}#include <keep/{name}>\n")).unwrap();
        clangs.iter().for_each(|clang| compile(clang, &source, &folder.join(format!("{name}.o"))));
    }
    println!("with {clangs:?}");
}

#[test]
fn each_datapath_compiles_with_every_clang() {
    let sources =
        [files("examples", ".bpf.c"), files("src/bpf", ".bpf.c"), files("tests/native/bpf", ".bpf.c")]
            .concat();
    for clang in clangs() {
        let object = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{clang}.o"));
        sources.iter().for_each(|source| compile(&clang, source, &object));
    }
}
