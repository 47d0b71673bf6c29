// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each row of docs/MIX.md names tests that there are, and each test of a mix has a row.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail it by a panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tests that a row names in its last column.
fn named(row: &str) -> Vec<String> {
    let last = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    let words = last.split('`').skip(1).step_by(2);
    words
        .filter(|word| word.starts_with("keep ") || word.starts_with("promise "))
        .map(str::to_owned)
        .collect()
}

/// Rows of tables, their heads left out.
fn rows(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |at: usize| lines[at].starts_with("| ") && !lines[at].starts_with("| ---");
    let is_head = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("| ---"));
    (0..lines.len()).filter(|&at| is_row(at) && !is_head(at)).map(|at| lines[at]).collect()
}

/// The tests of a file of keep's, as a row names them.
fn of_keep(file: &Path) -> Vec<String> {
    let module = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let text = read(file);
    let tests = text.split("#[test]\n").skip(1);
    tests
        .filter_map(|test| test.split_once("fn ")?.1.split_once('('))
        .map(|(name, _)| format!("keep {module}::{name}"))
        .collect()
}

/// Files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(below).filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

/// All tests that a row may name.
fn there_are() -> BTreeSet<String> {
    let mut all: BTreeSet<String> =
        files(&root().join("keep/tests/native")).iter().flat_map(|file| of_keep(file)).collect();
    for file in files(&root().join("selftests-rs/src/promises")) {
        let text = read(&file);
        let literals = text.split('"').skip(1).step_by(2).filter(|literal| literal.split("::").count() == 2);
        all.extend(literals.map(|name| format!("promise {name}")));
    }
    all
}

#[test]
fn rows_name_tests_and_tests_of_a_mix_have_rows() {
    let text = read(&root().join("docs/MIX.md"));
    let rows = rows(&text);
    assert!(rows.len() > 10, "{rows:?}");
    let there_are = there_are();
    let mut tried = BTreeSet::new();
    for row in rows {
        let named = named(row);
        assert!(!named.is_empty(), "nobody has tried this: {row}");
        for test in &named {
            assert!(there_are.contains(test), "there is no test {test}");
        }
        tried.extend(named);
    }
    let of_a_mix = |test: &&String| test.contains(" mix::");
    let without: Vec<_> = there_are.iter().filter(of_a_mix).filter(|test| !tried.contains(*test)).collect();
    assert!(without.is_empty(), "no row of docs/MIX.md names {without:?}");
    assert!(there_are.iter().filter(of_a_mix).count() > 10, "{there_are:?}");
}

#[test]
fn a_row_is_read_by_its_last_column() {
    let text = "| a | tried by |\n| --- | --- |\n| `keep no` | `keep a::b`, `promise c::d` and `this` |\n";
    assert_eq!(rows(text), ["| `keep no` | `keep a::b`, `promise c::d` and `this` |"]);
    assert_eq!(named(rows(text)[0]), ["keep a::b", "promise c::d"]);
}
