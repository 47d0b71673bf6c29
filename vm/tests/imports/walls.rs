// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of the crates of `vm/` may depend on which: down alone.

use std::{fs, path::Path};

/// Each crate below `vm/`, and those of them that it may depend on.
const WALLS: [(&str, &[&str]); 5] = [
    ("ground", &[]),
    ("guest", &["ground"]),
    ("kernel", &["ground"]),
    ("evidence", &["ground", "guest"]),
    ("report", &["evidence"]),
];

#[test]
fn crates_depend_on_those_below_alone() {
    for (name, below) in WALLS {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        let names = text.lines().filter_map(|line| line.split(['.', ' ']).next());
        let others: Vec<&str> = names.filter(|other| WALLS.iter().any(|(known, _)| known == other)).collect();
        assert!(others.iter().all(|other| below.contains(other)), "{name} depends on {others:?}");
    }
}

/// What the rooms that know no project must not name. In pieces, so that a search for them does not end here.
#[test]
fn ground_and_guest_do_not_know_the_project() {
    let strangers =
        [["kernel", "-patches"], ["compare", "-delete"], ["compare-and", "-delete"], ["\"vm", "/"]];
    let mut found = Vec::new();
    for name in ["ground", "guest"] {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(name).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                let named = strangers.iter().map(|parts| parts.concat()).filter(|word| text.contains(word));
                found.extend(named.map(|word| format!("{}: {word}", path.display())));
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
}
