// SPDX-License-Identifier: MIT OR Apache-2.0
//! The examples, as a reader would start them.

use std::path::PathBuf;
use std::process::Command;

use crate::rig::turn;

/// Where cargo puts an example, beside the tests; a guest that has the tests alone has none.
fn example(name: &str) -> Option<PathBuf> {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent()?.parent()?.join("examples").join(name);
    let ip = Command::new("ip").arg("-V").output();
    if !path.exists() || ip.is_err() {
        eprintln!("skipped: {name} or `ip` is not here");
        return None;
    }
    Some(path)
}

#[test]
fn each_example_drops_no_packet_of_a_live_flow() {
    let Some(_turn) = turn() else { return };
    for (name, more) in
        [("conntrack", &[][..]), ("conntrack", &["--lru"]), ("cilium", &[]), ("cilium", &["--lru"])]
    {
        let Some(path) = example(name) else { return };
        let ran = Command::new(path).args(["--seconds", "4", "--json"]).args(more).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{name} {more:?}: {said}{}", String::from_utf8_lossy(&ran.stderr));
        let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap();
        assert!(last.is_object(), "{name}: {said}");
    }
}
