// SPDX-License-Identifier: MIT OR Apache-2.0
//! A laboratory in a temporary folder: a repository, a kernel tree of three objects, a guest without a machine. The
//! real xtask runs in it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;

pub const PATCH: &str = "\
From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001
From: A Developer <dev@example.org>
Date: Thu, 1 Jan 2026 00:00:00 +0000
Subject: [PATCH 1/1] bpf: Count further

One more.

Signed-off-by: A Developer <dev@example.org>
---
 kernel/hashtab.c | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

--- a/kernel/hashtab.c
+++ b/kernel/hashtab.c
@@ -4,3 +4,3 @@
 int one;
 int two;
-int three;
+int four;
-- 
2.47
";

/// On top of it: the lab's kernel carries two series.
const KFUNC_PATCH: &str = "\
From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001
From: A Developer <dev@example.org>
Date: Thu, 1 Jan 2026 00:00:00 +0000
Subject: [PATCH 1/1] bpf: Let programs count

Signed-off-by: A Developer <dev@example.org>
---
--- /dev/null
+++ b/kernel/kfunc.c
@@ -0,0 +1 @@
+int kfunc;
-- 
2.47
";

pub struct Lab {
    dir: PathBuf,
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub report: Value,
}

impl Lab {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let lab = Self { dir: env::temp_dir().join(format!("xtask-lab-{}-{n}", std::process::id())) };
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        copy(&fixtures.join("mini-kernel"), &lab.kernel());
        copy(&fixtures.join("bin"), &lab.dir.join("bin"));
        lab.write("root/kernel-patches/v3/0001-x.patch", PATCH);
        lab.write("root/kernel-patches/kfunc/0001-k.patch", KFUNC_PATCH);
        lab.write("root/vm/config/lean.config", "CONFIG_SMP=y\nCONFIG_BPF=y\n");
        lab.write("root/vm/config/selftests.config", "CONFIG_BPF_SYSCALL=y\n");
        lab.write("root/vm/requirements.txt", "virtme-ng==0\n");
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn kernel(&self) -> PathBuf {
        self.path("kernel")
    }

    pub fn cache(&self) -> PathBuf {
        self.path("cache/bpf-compare-delete")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// xtask in this laboratory.
    pub fn command(&self, arguments: &[&str], vars: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let path = env::join_paths(
            [self.path("bin")].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
        );
        command
            .args(arguments)
            .env("PATH", path.unwrap())
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env("XTASK_ROOT", self.path("root"))
            .env("XTASK_VNG", self.path("bin/vng"))
            .env("XTASK_GUEST_BIN_DIR", self.path("bin"))
            .env("XTASK_ASSUME_TOOLS", "1")
            .env("XTASK_NO_SPACE_CHECK", "1")
            .env_remove("XTASK_FAKE_GUEST")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in vars {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        command
    }

    /// `vm-test` on the small kernel without the races, with more arguments and variables.
    pub fn vm_test(&self, more: &[&str], vars: &[(&str, &str)]) -> Command {
        let kernel = self.kernel().display().to_string();
        let mut arguments = vec!["vm-test", "--no-races", "--accel", "tcg", "--kernel-src", &kernel];
        arguments.extend(more);
        self.command(&arguments, vars)
    }

    pub fn ran(&self, output: &Output) -> Ran {
        let text = fs::read(self.path("target/vm-test/report.json")).unwrap_or_default();
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
            report: serde_json::from_slice(&text).unwrap_or_default(),
        }
    }

    pub fn run(&self, more: &[&str], vars: &[(&str, &str)]) -> Ran {
        let output = self.vm_test(more, vars).output().unwrap();
        self.ran(&output)
    }

    /// The kernel image in the work tree of a lineage, as text.
    pub fn image(&self, lineage: &str) -> String {
        let trees = fs::read_dir(self.cache().join("work")).unwrap().flatten().map(|e| e.path());
        let name =
            |path: &Path| path.file_name().unwrap().to_string_lossy().ends_with(&format!("-{lineage}"));
        let tree = trees.into_iter().find(|path| name(path)).unwrap();
        fs::read_to_string(tree.join("src/.build/arch/x86/boot/bzImage")).unwrap()
    }

    /// Processes that were started for this laboratory: its folder is in the environment that they got.
    pub fn processes(&self) -> Vec<String> {
        let mark = format!("XTASK_ROOT={}", self.path("root").display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            if String::from_utf8_lossy(&environment).split('\0').any(|variable| variable == mark) {
                let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                found.push(format!(
                    "{:?}: {}",
                    entry.file_name(),
                    String::from_utf8_lossy(&line).replace('\0', " ")
                ));
            }
        }
        found
    }
}

impl Ran {
    /// The verdict and the sentence that goes with it.
    pub fn verdict(&self) -> (&str, &str) {
        let text = |name: &str| self.report[name].as_str().unwrap_or_default();
        (text("verdict"), text("reason"))
    }

    /// Asserts on exit code, verdict and what the sentence holds.
    #[track_caller]
    pub fn expect(&self, code: i32, reason: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.out);
        let (verdict, sentence) = self.verdict();
        let wanted = match code {
            0 => "passed",
            1 => "failed",
            _ => "could_not_run",
        };
        assert_eq!(verdict, wanted, "{}", self.out);
        for part in reason {
            assert!(sentence.contains(part), "`{part}` is not in: {sentence}");
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Waits until `done`, for at most ten seconds.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
