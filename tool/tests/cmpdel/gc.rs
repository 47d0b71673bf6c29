// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cmpdel gc` on whatever kernel this runs: without the series it ends with exit 4 and every entry is there. Needs root;
//! without, each test says `skipped:` and why.

use crate::common::{Fixture, SUPPORTED, cmpdel};

#[test]
fn what_is_too_old_is_deleted_and_nothing_without_the_series() {
    // The lifetime of the one entry is 42, at 8; its port, at 16, is 80 in network order.
    let rows = [
        ("--field lifetime --older-than 43", true),
        ("--field lifetime --older-than 42", false),
        ("--field lifetime --older-than 43 --dry-run", false),
        ("--field lifetime --older-than 57 --now 100", true),
        ("--field lifetime --older-than 58 --now 100", false),
        ("--offset 8 --type u32 --older-than 43 --batch 1", true),
        ("--offset 16 --type u16be --older-than 81 --json", true),
        ("--offset 16 --type u16be --older-than 80", false),
        ("--field lifetime --older-than -1", false),
    ];
    for (args, deleted) in rows {
        let Some(fixture) = Fixture::with_btf("gc_rows") else { return };
        let run = cmpdel(&format!("gc --id {} {args}", fixture.id()));
        let deleted = deleted && *SUPPORTED;
        assert_eq!(run.code, if *SUPPORTED { 0 } else { 4 }, "{args}: {run:?}");
        assert_eq!(fixture.value().is_none(), deleted, "{args}: {run:?}");
        if !*SUPPORTED {
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(said.contains("nothing was deleted"), "{args}: {run:?}");
        }
    }
}

#[test]
fn what_does_not_fit_the_map_is_usage_on_every_kernel() {
    for args in [
        "--field nope --older-than 1",
        "--field nat --older-than 1",
        "--offset 21 --type u32 --older-than 1",
        "--offset 4294967295 --type u8 --older-than 1",
        "--older-than 1",
        "--field lifetime",
    ] {
        let Some(fixture) = Fixture::with_btf("gc_usage") else { return };
        let run = cmpdel(&format!("gc --id {} {args}", fixture.id()));
        assert_eq!(run.code, 2, "{args}: {run:?}");
        assert!(fixture.value().is_some(), "{args}: {run:?}");
    }
    assert_eq!(cmpdel("gc --name no_such_map --field f --older-than 1").code, 6);
}

#[test]
fn a_field_that_is_not_aligned_is_taken_and_that_is_said() {
    for (offset, is_torn) in [(20, true), (24, false)] {
        let Some(fixture) = Fixture::of_size("gc_packed", &[7; 32]) else { return };
        let run =
            cmpdel(&format!("gc --id {} --offset {offset} --type u64 --older-than 1 --json", fixture.id()));
        let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let notes = object["notes"].to_string();
        assert_eq!(run.code, if *SUPPORTED { 0 } else { 4 }, "{run:?}");
        assert_eq!(notes.contains("not aligned (8 bytes at 20)"), is_torn, "{notes}");
        assert!(fixture.value().is_some());
    }
}

#[test]
fn help_man_page_and_completions_know_it() {
    for args in ["gc --help", "man", "completions bash", "completions fish"] {
        let run = cmpdel(args);
        assert_eq!(run.code, 0, "{args}");
        assert!(run.stdout.replace('\\', "").contains("older-than"), "{args}: {}", run.stdout);
    }
}
