// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command on whatever kernel this runs. With the series the exit codes of the contract; without it exit 4 for
//! every form, and the entry is there. Needs root; without, each test says `skipped:` and why.

// A test's helper fails as the test does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
#[path = "cmpdel/gc.rs"]
mod gc;
#[path = "cmpdel/people.rs"]
mod people;
#[path = "cmpdel/set.rs"]
mod set;
#[path = "cmpdel/stripes.rs"]
mod stripes;

use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt as _;

use cmpdel_uapi::bindings::{BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PERCPU_HASH};
use cmpdel_uapi::{Map, Support, probe_map_type};
use cmpdel_uapi_raw::{self as raw, Create};
use common::{Fixture, KEY, Run, SUPPORTED, VALUE, cmpdel, cmpdel_with_input, file};

/// What a run did: exit code, and whether the entry is still there.
#[track_caller]
fn assert_run(what: &str, fixture: &Fixture, run: &Run, code_with_series: i32) {
    let code = if *SUPPORTED { code_with_series } else { 4 };
    assert_eq!(run.code, code, "{what}: {run:?}");
    let kept = code != 0 || what.contains("--dry-run");
    assert_eq!(fixture.value().is_some(), kept, "{what}: {run:?}");
    if code == 4 {
        assert!(run.stderr.contains("this kernel has no compare-and-delete"), "{what}: {run:?}");
        assert!(run.stderr.contains("nothing was deleted"), "{what}: {run:?}");
    }
}

#[test]
fn each_form_deletes_what_is_equal_and_keeps_what_is_not() {
    let rows = [
        ("--expect u64be:0x2a00000001020304", 0),
        ("--expect 0x2a00000001020304", 0),
        ("--expect u32:42 --offset 0", 0),
        ("--expect 01 --offset 4", 0),
        ("--expect u16be:0x0102 --offset 4 --size 2", 0),
        ("--expect 04 --offset 7", 0),
        ("--expect u32:42 --offset 0 --dry-run", 0),
        ("--expect u64be:0x2a00000001020305", 1),
        ("--expect u32:43 --offset 0", 1),
        ("--expect 00 --offset 7", 1),
        ("--expect u32:43 --offset 0 --dry-run", 1),
    ];
    for (args, code) in rows {
        let Some(fixture) = Fixture::new("forms") else { return };
        let run = cmpdel(&format!("--id {} --key u32be:0x0a000001 {args}", fixture.id()));
        assert_run(args, &fixture, &run, code);
    }
}

#[test]
fn a_map_is_found_by_its_name() {
    let Some(fixture) = Fixture::new("by_name_once") else { return };
    let run = cmpdel("--name by_name_once --key 0x0a000001 --expect u32:42 --offset 0");
    assert_run("by name", &fixture, &run, 0);
}

#[test]
fn a_name_that_several_maps_have_is_refused_and_lists_them() {
    let (Some(a), Some(b)) = (Fixture::new("by_name_twice"), Fixture::new("by_name_twice")) else { return };
    let run = cmpdel("--name by_name_twice --key u32be:0x0a000001 --expect u32:42 --offset 0");
    assert_eq!(run.code, 2, "{run:?}");
    for fixture in [&a, &b] {
        assert!(run.stderr.contains(&format!("--id {}  hash", fixture.id())), "{run:?}");
        assert!(fixture.value().is_some());
    }
}

#[test]
fn a_map_is_found_by_its_pin() {
    let Some(fixture) = Fixture::new("by_pin") else { return };
    let Some(bpffs) = common::Bpffs::mount() else { return };
    let path = bpffs.path().join("map");
    raw::pin(fixture.fd.as_fd(), &path).unwrap();
    let run =
        cmpdel(&format!("--pinned {} --key u32be:0x0a000001 --expect u32:42 --offset 0", path.display()));
    assert_run("by pin", &fixture, &run, 0);
    let run = cmpdel(&format!("--pinned {}/no --key 00 --expect 00", bpffs.path().display()));
    assert_eq!((run.code, run.stderr.contains("no such file")), (6, true), "{run:?}");
}

#[test]
fn keys_and_values_are_read_from_files_and_standard_input() {
    for (args, input) in [
        (format!("--key @{} --expect @{}", file("key", &KEY), file("value", &VALUE)), &[][..]),
        (format!("--key - --expect @{}", file("value", &VALUE)), &KEY),
        ("--key u32be:0x0a000001 --expect -".into(), &VALUE),
    ] {
        let Some(fixture) = Fixture::new("files") else { return };
        let run = cmpdel_with_input(&format!("--id {} {args}", fixture.id()), input);
        assert_run(&args, &fixture, &run, 0);
    }
}

#[test]
fn an_absent_key_exits_3() {
    let Some(fixture) = Fixture::new("absent") else { return };
    for dry in ["", " --dry-run"] {
        let run =
            cmpdel(&format!("--id {} --key u32be:0x0a000002 --expect u32:42 --offset 0{dry}", fixture.id()));
        assert_run("an absent key", &fixture, &run, 3);
    }
}

#[test]
fn what_does_not_fit_exits_2_on_every_kernel() {
    let Some(fixture) = Fixture::new("usage") else { return };
    let value = "u64be:0x2a00000001020304";
    for (args, why) in [
        (format!("--key 0x0a0000 --expect {value}"), "3 bytes given, keys of this map have 4"),
        ("--key u32be:0x0a000001 --expect 00".into(), "1 byte given, values of this map have 8"),
        ("--key u32be:0x0a000001 --expect 0001 --offset 0".into(), "as u32:1,"),
        ("--key u32be:0x0a000001 --expect u32:0 --offset 5".into(), "does not fit values of 8 bytes"),
        (
            "--key u32be:0x0a000001 --expect u32:0 --offset 4294967295".into(),
            "does not fit values of 8 bytes",
        ),
        ("--key u32be:0x0a000001 --expect u32:0 --offset 0 --size 8".into(), "4 bytes given, --size says 8"),
        ("--key - --expect -".into(), "cannot both be read"),
        ("--key u32be:0x0a000001 --expect {\"lifetime\":42}".into(), "has no BTF"),
        ("--key u32be:0x0a000001 --expect 42 --field lifetime".into(), "has no BTF"),
        ("--key u32be:0x0a000001 --expect".into(), "value is required"),
        ("--key 0a 00 00 01 --expect 00".into(), "--key: these are 4 words to the shell"),
        ("--key 00 --expect 00 --offset -1".into(), "no plain number that fits"),
    ] {
        let run = cmpdel(&format!("--id {} {args}", fixture.id()));
        assert_eq!(run.code, 2, "{args}: {run:?}");
        assert!(run.stderr.contains(why), "{args}: {run:?}");
    }
    assert!(fixture.value().is_some());
}

#[test]
fn a_map_that_is_not_there_exits_6() {
    if Fixture::new("nomap").is_none() {
        return;
    }
    for (args, code, why) in [
        ("--id 4294967294", 6, "no map with id"),
        ("--name no_such_map", 6, "no map named"),
        ("--name a_name_of_16byte", 2, "1 to 15"),
        ("--pinned /nonexistent", 6, "no such file"),
        // The kernel says -EACCES.
        ("--pinned /dev/null", 5, "no pinned BPF object"),
    ] {
        let run = cmpdel(&format!("{args} --key 00 --expect 00"));
        assert_eq!((run.code, run.stderr.contains(why)), (code, true), "{args}: {run:?}");
    }
}

#[test]
fn without_the_right_to_it_exits_5() {
    let Some(fixture) = Fixture::new("unprivileged") else { return };
    let Some(run) = common::cmpdel_as_nobody(&format!("--id {} --key u32:1 --expect u64:1", fixture.id()))
    else {
        return;
    };
    assert_eq!((run.code, run.stderr.contains("CAP_SYS_ADMIN")), (5, true), "{run:?}");
}

#[test]
fn who_may_open_a_pin_and_make_no_map_has_the_map_itself_asked() {
    let Some(bpffs) = common::Bpffs::mount() else { return };
    let rows = [
        ("--expect u32:43 --offset 0", 1),
        ("--expect u32:42 --offset 0 --dry-run", 0),
        ("--expect u32:42 --offset 0", 0),
    ];
    for (i, (args, code)) in rows.into_iter().enumerate() {
        let Some(fixture) = Fixture::new("pin_of_nobody") else { return };
        let path = bpffs.path().join(format!("map{i}"));
        raw::pin(fixture.fd.as_fd(), &path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let args = format!("--pinned {} --key u32be:0x0a000001 {args}", path.display());
        let Some(run) = common::cmpdel_as_nobody(&args) else { return };
        assert_run(&args, &fixture, &run, code);
    }
}

#[test]
fn json_is_one_object_whatever_happens() {
    let Some(fixture) = Fixture::new("json") else { return };
    let run =
        cmpdel(&format!("--id {} --key u32be:0x0a000001 --expect u32:43 --offset 0 --json", fixture.id()));
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let (code, outcome) = if *SUPPORTED { (1, "kept") } else { (4, "unsupported") };
    assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{run:?}");
    assert_eq!(object["outcome"], outcome);
    assert_eq!(object["exit_code"], code);
    assert_eq!(object["key"], "0a 00 00 01");
    assert_eq!(object["window"]["offset"], 0);
    assert_eq!(object["map"]["type"], "hash");
    if *SUPPORTED {
        assert_eq!(object["difference"]["actual"], "2a 00 00 00");
        assert_eq!(object["difference"]["bytes"], serde_json::json!([0]));
    } else {
        assert!(object["error"].as_str().unwrap().contains("this kernel"));
    }
    let run = cmpdel(&format!("--id {} --key 00 --expect 00 --json", fixture.id()));
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &object["outcome"]), (2, &"usage".into()), "{run:?}");
    // What cannot be read at all is told in the same way, and not repeated whole.
    let long = format!("{{\n{}", "\"a\": 1,\n".repeat(30));
    let id = fixture.id().to_string();
    for args in [["--key", &*long, "--expect", "00"], ["--key", "00", "--expect", &*long]] {
        let args: Vec<&str> = ["--id", &id, "--json"].into_iter().chain(args).collect();
        let run = common::cmpdel_words(&args);
        let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let error = object["error"].as_str().unwrap();
        assert_eq!((run.code, &object["outcome"]), (2, &"usage".into()), "{run:?}");
        assert!(error.contains(": not JSON: ") && error.len() < 200, "{error}");
    }
    let args =
        ["gc", "--id", &id, "--offset", "0", "--type", "u8", "--older-than", "1", "--json", "--where", "x=1"];
    let run = common::cmpdel_words(&args);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &object["outcome"]), (2, &"usage".into()), "{run:?}");
    assert!(fixture.value().is_some());
}

#[test]
fn fields_are_named_where_the_map_has_btf() {
    let rows = [
        ("--expect 42 --field lifetime", 0, ""),
        ("--expect {\"lifetime\":42}", 0, ""),
        ("--expect {\"lifetime\":42,\"state\":\"CT_CLOSING\"}", 0, ""),
        ("--expect u16be:80 --field port", 0, ""),
        ("--expect 41 --field lifetime", 1, "lifetime (__u32 at 8): expected 41, actual 42"),
        ("--expect 41 --field lifetime --dry-run", 1, "lifetime (__u32 at 8): expected 41, actual 42"),
        ("--expect {\"state\":\"CT_OPEN\"}", 1, "expected CT_OPEN (0), actual CT_CLOSING (1)"),
    ];
    for (args, code, shown) in rows {
        let Some(fixture) = Fixture::with_btf("fields") else { return };
        let run = cmpdel(&format!("--id {} --key u32:7 {args}", fixture.id()));
        assert_run(args, &fixture, &run, code);
        assert!(!*SUPPORTED || run.stdout.contains(shown), "{args}: {run:?}");
    }
    let Some(fixture) = Fixture::with_btf("fields") else { return };
    let run = cmpdel(&format!("--id {} --key u32:7 --expect 42 --field lifetme", fixture.id()));
    assert_eq!((run.code, run.stderr.contains("it has packets, lifetime, state")), (2, true), "{run:?}");
    assert!(fixture.value().is_some());
}

#[test]
fn a_map_without_the_operation_exits_4() {
    let Some(_) = Fixture::new("other_types") else { return };
    let create = Create {
        map_type: BPF_MAP_TYPE_PERCPU_HASH,
        key_size: 4,
        value_size: 8,
        max_entries: 4,
        ..Create::default()
    };
    let per_cpu = raw::map_create(&create).unwrap();
    let id = Map::new(per_cpu.as_fd()).unwrap().info().id;
    for (command, rest) in
        [("", ""), ("", " --dry-run"), ("set ", " --value u32:43"), ("set ", " --value u32:43 --dry-run")]
    {
        let run =
            cmpdel(&format!("{command}--id {id} --key u32be:0x0a000001 --expect u32:42 --offset 0{rest}"));
        let which = if *SUPPORTED { "this map (type percpu_hash)" } else { "this kernel" };
        assert_eq!((run.code, run.stderr.contains(which)), (4, true), "{run:?}");
        // What is wrong with its key is not asked.
        let run = cmpdel(&format!("{command}--id {id} --key 00 --expect u32:42 --offset 0{rest}"));
        assert_eq!((run.code, run.stderr.contains(which)), (4, true), "{run:?}");
    }
}

#[test]
fn an_lru_map_is_dealt_with_where_the_kernel_has_it_for_that_type() {
    let Some(fixture) = Fixture::of_type(BPF_MAP_TYPE_LRU_HASH, "lru") else { return };
    let has = probe_map_type(BPF_MAP_TYPE_LRU_HASH).unwrap() == Support::Supported;
    for dry in [" --dry-run", ""] {
        let run =
            cmpdel(&format!("--id {} --key u32be:0x0a000001 --expect u32:42 --offset 0{dry}", fixture.id()));
        assert_eq!(run.code, if has { 0 } else { 4 }, "{run:?}");
        let which = if *SUPPORTED { "this map (type lru_hash)" } else { "this kernel" };
        assert!(has || run.stderr.contains(which), "{run:?}");
        assert_eq!(fixture.value().is_none(), has && dry.is_empty());
    }
}

#[test]
fn probe_exits_by_what_the_kernel_has() {
    if Fixture::new("probe").is_none() {
        return;
    }
    let code = if *SUPPORTED { 0 } else { 4 };
    assert_eq!(cmpdel("probe").code, code);
    let run = cmpdel("probe --json");
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &object["supported"]), (code, &(*SUPPORTED).into()));
}

#[test]
fn completions_and_manual_name_every_option() {
    for args in ["completions bash", "completions zsh", "completions fish", "man"] {
        let run = cmpdel(args);
        assert_eq!(run.code, 0, "{args}");
        let text = run.stdout.replace('\\', "");
        for option in ["pinned", "id", "name", "key", "expect", "offset", "size", "field", "dry-run", "json"]
        {
            assert!(text.contains(option), "{args}: {option}");
        }
    }
}
