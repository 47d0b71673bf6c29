// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who imports whom, file by file: no circle in any crate of the workspace, and no long chain in `vm/`. A file imports what
//! it names by `use` or by a path; that a module is declared or handed on is no import, and tests are left out.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

mod graph;
mod modules;
mod source;
mod walls;

use std::{fs, path::Path};

use self::{graph::Graph, modules::Modules, source::Source};

/// How many files the longest chain may have: from a command down through the crates, and inside one of them.
const LONGEST: usize = 8;
const LONGEST_INSIDE: usize = 7;

fn modules() -> Modules {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
    let members: Vec<String> =
        members.split('"').skip(1).step_by(2).map(str::to_owned).filter(|name| !name.is_empty()).collect();
    assert!(members.len() > 10, "{members:?}");
    Modules::read(root, &members)
}

fn in_vm(file: &str) -> bool {
    file.starts_with("vm/")
}

/// Elsewhere than in `vm/`, what a module takes from its own parts is no import: many a part there uses what stands in the
/// module itself.
#[test]
fn no_file_imports_itself_by_way_of_others() {
    let circles = modules().imports(|file, _, part| in_vm(file) || !part).circles();
    let told: Vec<String> = circles.iter().map(|circle| circle.join("\n    -> ")).collect();
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), told.join("\n"));
}

#[test]
fn no_chain_of_imports_is_long() {
    let modules = modules();
    let within = |chain: &[String], longest: usize| {
        assert!(chain.len() > 3, "the imports are not read: {chain:?}");
        assert!(chain.len() <= longest, "{} files:\n{}", chain.len(), chain.join("\n    -> "));
    };
    within(&modules.imports(|from, to, _| in_vm(from) && in_vm(to)).longest_chain(), LONGEST);
    let same = |from: &str, to: &str| from.split("/src/").next() == to.split("/src/").next();
    let inside = modules.imports(|from, to, _| in_vm(from) && same(from, to));
    within(&inside.longest_chain(), LONGEST_INSIDE);
}

fn made_up(edges: &[(&str, &str)]) -> Graph {
    let mut graph = Graph::default();
    edges.iter().for_each(|(from, to)| graph.add(from, to));
    graph
}

#[test]
fn a_circle_is_found_wherever_it_begins() {
    let tree = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")];
    assert!(made_up(&tree).circles().is_empty());
    let round = [&tree[..], &[("d", "b")]].concat();
    assert_eq!(made_up(&round).circles(), [["b", "d", "b"]]);
    assert!(made_up(&[("a", "a")]).circles().is_empty());
}

#[test]
fn the_longest_chain_is_the_longest_of_all() {
    let chain = made_up(&[("a", "d"), ("a", "b"), ("b", "c"), ("c", "d"), ("x", "c")]).longest_chain();
    assert_eq!(chain, ["a", "b", "c", "d"]);
    assert!(made_up(&[]).longest_chain().is_empty());
}

#[test]
fn imports_are_read_from_the_text() {
    let source = Source::read(
        "mod below; use crate::{a::{self, B}, c::D as E}; pub use self::below::F;\n\
         /// super::no\nfn f() -> u8 { below::g(\"crate::no\") + super::h::I }\n\
         #[cfg(test)]\nmod tests { use crate::no; }\n",
    );
    let uses: Vec<(String, &str, bool)> =
        source.uses.iter().map(|one| (one.path.join("::"), one.name.as_str(), one.handed_on)).collect();
    let expected = [
        ("crate::a", "a", false),
        ("crate::a::B", "B", false),
        ("crate::c::D", "E", false),
        ("self::below::F", "F", true),
    ];
    assert_eq!(uses, expected.map(|(path, name, handed_on)| (path.to_owned(), name, handed_on)));
    let paths: Vec<(String, bool)> =
        source.paths.iter().map(|(path, called)| (path.join("::"), *called)).collect();
    assert_eq!(paths, [("below::g".to_owned(), true), ("super::h::I".to_owned(), false)]);
    assert_eq!(source.modules, ["below"]);
}
