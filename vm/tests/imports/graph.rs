// SPDX-License-Identifier: MIT OR Apache-2.0
//! A graph of who imports whom: its circles, and its longest chain.

use std::collections::{BTreeMap, BTreeSet};

/// Names, and what each of them imports.
#[derive(Debug, Default)]
pub struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// `from` imports `to`. What imports itself imports nothing.
    pub fn add(&mut self, from: &str, to: &str) {
        if from != to {
            self.0.entry(from.to_owned()).or_default().insert(to.to_owned());
        }
    }

    fn imports(&self, name: &str) -> impl Iterator<Item = &String> {
        self.0.get(name).into_iter().flatten()
    }

    /// All circles that a walk comes upon, each from a name back to itself; none if there is none at all.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let (mut done, mut found) = (BTreeSet::new(), Vec::new());
        for name in self.0.keys() {
            self.walk(name, &mut Vec::new(), &mut done, &mut found);
        }
        found
    }

    fn walk(
        &self,
        name: &str,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
        found: &mut Vec<Vec<String>>,
    ) {
        if let Some(at) = way.iter().position(|before| before == name) {
            found.push(way[at..].iter().cloned().chain([name.to_owned()]).collect());
        } else if !done.contains(name) {
            way.push(name.to_owned());
            self.imports(name).for_each(|next| self.walk(next, way, done, found));
            way.pop();
            done.insert(name.to_owned());
        }
    }

    /// The longest chain of imports, the importing end first.
    ///
    /// # Panics
    /// When there is a circle: a chain has no end then.
    pub fn longest_chain(&self) -> Vec<String> {
        assert!(self.circles().is_empty(), "there is a circle");
        let mut known = BTreeMap::new();
        let chains = self.0.keys().map(|name| self.chain_from(name, &mut known)).collect::<Vec<_>>();
        chains.into_iter().max_by_key(Vec::len).unwrap_or_default()
    }

    fn chain_from(&self, name: &str, known: &mut BTreeMap<String, Vec<String>>) -> Vec<String> {
        if let Some(chain) = known.get(name) {
            return chain.clone();
        }
        let below = self.imports(name).map(|next| self.chain_from(next, known)).max_by_key(Vec::len);
        let chain: Vec<String> = [name.to_owned()].into_iter().chain(below.unwrap_or_default()).collect();
        known.insert(name.to_owned(), chain.clone());
        chain
    }
}
