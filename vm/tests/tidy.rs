// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every file of the repository has to keep to.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Files that carry a licence line, by their ending. Documents say theirs in a comment.
const LICENSED: [&str; 11] = ["rs", "toml", "sh", "c", "h", "config", "md", "options", "txt", "run", "yml"];
/// Made or written by others.
const FOREIGN: [&str; 3] = ["LICENSES/", "Cargo.lock", "kernel-patches/"];
/// Made by `cargo xtask report`: no source, so without a licence line.
const REPORT: &str = "docs/report/";
/// Hosts that a file may name: standards, discussions, and names that are reserved for examples.
const HOSTS: [&str; 10] = [
    "lore.kernel.org",
    "docs.kernel.org",
    "git.kernel.org",
    "www.kernel.org",
    "mirror.example",
    "mirror.invalid",
    "spdx.org",
    "github.com",
    "testanything.org",
    // The namespace of SVG.
    "www.w3.org",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

/// Every file that is tracked or would be, with its text.
fn files() -> Vec<(String, String)> {
    let list = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(list.status.success(), "git cannot list the files: {}", String::from_utf8_lossy(&list.stderr));
    let list = String::from_utf8(list.stdout).unwrap();
    let own =
        list.split('\0').filter(|f| !f.is_empty() && !FOREIGN.iter().any(|foreign| f.starts_with(foreign)));
    let files: Vec<_> =
        own.filter_map(|f| Some((f.to_owned(), fs::read_to_string(root().join(f)).ok()?))).collect();
    assert!(files.len() > 20, "only {} files were found", files.len());
    files
}

#[test]
fn every_source_file_begins_with_its_licence() {
    let mut wrong = Vec::new();
    for (name, text) in files() {
        let ending = name.rsplit(['.', '/']).next().unwrap_or_default();
        let script = text.starts_with("#!");
        if (!LICENSED.contains(&ending) && !script) || name.starts_with(REPORT) {
            continue;
        }
        let is_c = ["c", "h"].contains(&ending);
        let licence = match &name {
            // Datapaths under any licence include them.
            name if is_c && name.starts_with("keep/") => "GPL-2.0-only OR BSD-2-Clause",
            // BPF programs and the headers beside them.
            name if name.contains("/src/bpf/") => "GPL-2.0-only",
            _ => "MIT OR Apache-2.0",
        };
        let line = text.lines().nth(usize::from(script)).unwrap_or_default();
        let said = line.split_once("SPDX-License-Identifier: ").map_or("", |(_, said)| said);
        if said.trim_end_matches("*/").trim_end_matches("-->").trim() != licence {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "no SPDX line, or the wrong licence, in: {wrong:?}");
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    // In pieces, so that this file is not one of them.
    let places = ["home", "root", "work", "Users"].map(|dir| format!("/{dir}/"));
    let mut wrong = Vec::new();
    for (name, text) in files() {
        for (i, line) in text.lines().enumerate() {
            let before = |at: usize| line[..at].chars().next_back();
            let absolute = |place: &String| {
                line.match_indices(place.as_str()).any(|(at, _)| {
                    before(at).is_none_or(|c| !c.is_alphanumeric() && !"._-}/~$*>".contains(c))
                })
            };
            if places.iter().any(absolute) {
                wrong.push(format!("{name}:{}: {line}", i + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "absolute paths:\n{}", wrong.join("\n"));
}

#[test]
fn no_file_names_a_host_that_is_not_meant_to_be() {
    let mut wrong = Vec::new();
    for (name, text) in files() {
        for (i, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("://") {
                let rest = &line[at + 3..];
                let end =
                    rest.find(|c: char| !c.is_alphanumeric() && !".-".contains(c)).unwrap_or(rest.len());
                let host = &rest[..end];
                if host.contains('.') && !HOSTS.contains(&host) {
                    wrong.push(format!("{name}:{}: {host}", i + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "hosts:\n{}", wrong.join("\n"));
}
