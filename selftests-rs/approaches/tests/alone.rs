// SPDX-License-Identifier: MIT OR Apache-2.0
//! An approach is its own files and one line of the catalogue: nobody else keeps a list of approaches that would have to be kept
//! in step. A few may be named where they are the point, as in a claim of the report; the compiler knows those.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use approaches::{Gc, Refresh};

/// Whoever names more of one kind keeps a list.
const SOME: usize = 10;

/// The crates that work with approaches.
const READERS: [&str; 5] =
    ["selftests-rs/lab/src", "selftests-rs/lab/build.rs", "vm/evidence/src", "vm/report/src", "vm/src"];
/// The approaches' own files, sentences of people, and what is made up for tests.
const OWN: [&str; 4] = ["lab/src/bpf/", "lab/src/gc/", "claims/", "made_up.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|ending| ending == "rs") {
        found.push(path.to_owned());
    }
}

/// How many of `names` a text has, as a string or as a variant of `kind`.
fn named<'a>(text: &str, kind: &str, names: impl Iterator<Item = (&'a str, String)>) -> usize {
    names
        .filter(|(name, variant)| {
            let variant = format!("{kind}::{variant}");
            let whole = |at: usize| !text[at + variant.len()..].starts_with(|c: char| c.is_alphanumeric());
            text.contains(&format!("\"{name}\"")) || text.match_indices(&variant).any(|(at, _)| whole(at))
        })
        .count()
}

#[test]
fn nobody_else_keeps_a_list_of_approaches() {
    let mut files = Vec::new();
    READERS.iter().for_each(|reader| sources(&root().join(reader), &mut files));
    assert!(files.len() > 100, "only {} files were found", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let name = file.display().to_string();
        if OWN.iter().any(|own| name.contains(own)) || name.contains("tests") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let refresh = named(&text, "Refresh", Refresh::ALL.iter().map(|one| (one.name, format!("{one:?}"))));
        let gc = named(&text, "Gc", Gc::ALL.iter().map(|one| (one.name, format!("{one:?}"))));
        if refresh > SOME || gc > SOME {
            wrong.push(format!("{name} names {refresh} disciplines and {gc} strategies"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_approach_has_its_bpf_where_it_is_looked_for() {
    use approaches::{Protocol, Runs};
    let bpf = root().join("selftests-rs/lab/src/bpf");
    let headers = Refresh::ALL.iter().filter(|one| one.protocol != Protocol::Arena);
    let headers = headers.map(|one| bpf.join(format!("refresh/{one}.h")));
    let objects = Gc::ALL.iter().filter_map(|one| match one.runs {
        Runs::Program(object, _) | Runs::OnFlowCpu(object) => Some(bpf.join(format!("gc/{object}.bpf.c"))),
        _ => None,
    });
    let missing: Vec<_> = headers.chain(objects).filter(|file| !file.exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
