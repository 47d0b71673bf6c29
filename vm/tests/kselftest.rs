// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kselftest` on made-up selftests: what they print on each kernel decides, and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail it by a panic")]

#[allow(dead_code, reason = "what vm-test alone is tested with")]
mod common;

use std::{fs, os::unix::fs::PermissionsExt};

use common::Lab;
use serde_json::Value;

/// Brings a test of its own.
const WITH_A_TEST: &str = "\
From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001
From: A Developer <dev@example.org>
Date: Thu, 1 Jan 2026 00:00:00 +0000
Subject: [PATCH 2/2] selftests/bpf: Test it

Signed-off-by: A Developer <dev@example.org>
---
 tools/testing/selftests/bpf/prog_tests/mine.c | 1 +

diff --git a/tools/testing/selftests/bpf/prog_tests/mine.c b/tools/testing/selftests/bpf/prog_tests/mine.c
new file mode 100644
index 0000000..1111111
--- /dev/null
+++ b/tools/testing/selftests/bpf/prog_tests/mine.c
@@ -0,0 +1 @@
+int mine;
-- 
2.47
";

/// Passes, unless `XTASK_FAKE_FAILS` names this test and kernel. Which kernel it is can be told from where the output goes.
const TEST_PROGS: &str = r#"#!/bin/sh
for word in "$@"; do case "$word" in --allow=*) test=${word#--allow=} ;; esac; done
case "$(readlink /proc/$$/fd/1)" in *kselftest-base*) kernel=base ;; *) kernel=v3+kfunc ;; esac
case " $XTASK_FAKE_FAILS " in
*" $kernel:$test "*) printf '#1/1 %s/sub:FAIL\n#1 %s:FAIL\n' $test $test; exit 1 ;;
esac
printf '#1/1 %s/sub:OK\n#1 %s:OK\n' $test $test
"#;

/// Exit code, all output, and the record of a quick run in which these tests fail.
fn run(lab: &Lab, fails: &str) -> (Option<i32>, String, Value) {
    let (kernel, built) = (lab.kernel().display().to_string(), lab.path("built").display().to_string());
    let arguments = ["kselftest", "--quick", "--accel", "tcg", "--kernel-src", &kernel];
    let vars = [("XTASK_FAKE_FAILS", fails), ("XTASK_SELFTESTS_DIR", &built)];
    let output = lab.command(&arguments, &vars).output().unwrap();
    let text = fs::read(lab.path("target/kselftest/kselftest.json")).unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
        serde_json::from_slice(&text).unwrap(),
    )
}

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("root/kernel-patches/v3/0002-y.patch", WITH_A_TEST);
    let lru = "#!/bin/sh\necho 'test_lru_sanity0 (map_type:9 map_flags:0x0): Pass'\n";
    let scripts = [
        ("built/test_progs", TEST_PROGS),
        ("built/test_lru_map", lru),
        // The guest is this machine here: its network and its mounts are none of our business.
        ("bin/ip", "#!/bin/sh\n"),
        ("bin/mount", "#!/bin/sh\n"),
    ];
    for (name, text) in scripts {
        lab.write(name, text);
        fs::set_permissions(lab.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    lab
}

#[test]
fn the_series_is_to_blame_for_what_it_breaks_and_for_nothing_else() {
    let lab = lab();
    let cases = [
        // The tests of the series fail without it, as they should; another fails on both kernels.
        ("base:mine base:rhash v3+kfunc:rhash", 0, "nothing that passed on the base fails with the series"),
        ("base:mine v3+kfunc:rhash", 1, "test_progs:rhash/sub: WORSE"),
        ("base:mine v3+kfunc:mine", 1, "test_progs:mine/sub: OF THE SERIES, BROKEN"),
        ("", 1, "mine, a test of the series, passes without the series as well"),
    ];
    for (fails, code, said) in cases {
        let (ended, out, record) = run(&lab, fails);
        assert_eq!(ended, Some(code), "{fails}: {out}");
        assert!(out.contains(said), "{said}: {out}");
        let rows = record["rows"].as_array().unwrap();
        let lru =
            rows.iter().find(|row| row["test"] == "test_lru_map:test_lru_sanity0/map_type:9/map_flags:0x0");
        assert_eq!(lru.unwrap()["difference"], "none");
        assert!(rows.iter().all(|row| row["test"] != "test_maps"), "a quick run has no test_maps");
    }
}
