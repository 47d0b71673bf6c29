// SPDX-License-Identifier: MIT OR Apache-2.0
//! The modules of the workspace's crates, each a file, and which of them an import leads to.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path as File, PathBuf},
};

use super::{
    graph::Graph,
    source::{Path, Source},
};

/// All modules by their paths, of which the first name is the crate's.
pub struct Modules {
    root: PathBuf,
    by_path: BTreeMap<Path, (PathBuf, Source)>,
}

impl Modules {
    /// Reads the crates of `members`, folders below `root`.
    pub fn read(root: &File, members: &[String]) -> Self {
        let mut modules = Self { root: root.into(), by_path: BTreeMap::new() };
        for member in members {
            let folder = root.join(member);
            let roots = ["src/lib.rs", "src/main.rs"].map(|file| folder.join(file));
            if let Some(file) = roots.iter().find(|file| file.exists()) {
                modules.add(vec![name_of(&folder)], file);
            }
        }
        modules
    }

    fn add(&mut self, path: Path, file: &File) {
        let source = Source::read(&fs::read_to_string(file).unwrap());
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let parent = file.parent().unwrap();
        let folder =
            if ["lib", "main", "mod"].contains(&stem) { parent.to_owned() } else { parent.join(stem) };
        for name in &source.modules {
            let places = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
            // What is not there is made by a build script.
            if let Some(file) = places.iter().find(|file| file.exists()) {
                self.add(joined(&path, std::slice::from_ref(name)), file);
            }
        }
        self.by_path.insert(path, (file.to_owned(), source));
    }

    /// Who imports whom, file by file, for the pairs that `wanted` takes: importing and imported file, and whether the second
    /// is a part of the first.
    pub fn imports(&self, wanted: impl Fn(&str, &str, bool) -> bool) -> Graph {
        let mut graph = Graph::default();
        for (path, (file, source)) in &self.by_path {
            let own = |name: &String| source.names.contains(name);
            // What is only handed on is no import, whatever it is called in here.
            let uses = source.uses.iter().filter(|one| !one.handed_on || own(&one.name));
            let paths = source.paths.iter().map(|(path, called)| (path, *called));
            for (named, called) in uses.map(|one| (&one.path, false)).chain(paths) {
                let Some(target) = self.target(path, named, called, 0) else { continue };
                let (from, to) = (self.short(file), self.short(&self.by_path[&target].0));
                if wanted(&from, &to, target.starts_with(path)) {
                    graph.add(&from, &to);
                }
            }
        }
        graph
    }

    fn short(&self, file: &File) -> String {
        file.strip_prefix(&self.root).unwrap().display().to_string()
    }

    /// The module that holds what `named` names in the module `from`, if it is one of these. What is `called` is none itself.
    fn target(&self, from: &Path, named: &[String], called: bool, hops: usize) -> Option<Path> {
        let (mut at, rest) = self.begin(from, named)?;
        for (i, name) in rest.iter().enumerate() {
            let below = joined(&at, std::slice::from_ref(name));
            let function = called && i + 1 == rest.len();
            if !function && self.by_path.contains_key(&below) {
                at = below;
                continue;
            }
            // Followed to where it is from, unless names go round in a circle of their own.
            let handed = self.by_path[&at].1.uses.iter().find(|one| one.name == *name);
            if let Some(handed) = handed.filter(|_| hops < 8)
                && let Some(origin) =
                    self.target(&at, &joined(&handed.path, &rest[i + 1..]), called, hops + 1)
            {
                return Some(origin);
            }
            break;
        }
        Some(at)
    }

    /// The module where a path begins, and the names behind it.
    fn begin<'a>(&self, from: &Path, named: &'a [String]) -> Option<(Path, &'a [String])> {
        let (first, rest) = named.split_first()?;
        let below = joined(from, std::slice::from_ref(first));
        match first.as_str() {
            "crate" => Some((vec![from[0].clone()], rest)),
            "self" => Some((from.clone(), rest)),
            "super" => {
                let mut up = 1;
                while rest.get(up - 1).is_some_and(|name| name == "super") {
                    up += 1;
                }
                Some((from[..from.len().checked_sub(up)?].to_vec(), &rest[up - 1..]))
            }
            _ if self.by_path.contains_key(&below) => Some((below, rest)),
            _ if self.by_path.contains_key(&vec![first.clone()]) => Some((vec![first.clone()], rest)),
            _ => None,
        }
    }
}

fn joined(path: &[String], more: &[String]) -> Path {
    path.iter().chain(more).cloned().collect()
}

/// The crate's name, as paths have it.
fn name_of(folder: &File) -> String {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
    name.trim_matches('"').replace('-', "_")
}
