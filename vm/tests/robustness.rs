// SPDX-License-Identifier: MIT OR Apache-2.0
//! Killed runs, two at once, full disks, no network.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

mod common;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{Lab, wait_until};

/// How a run is held at a phase, and the sign that it is there.
type Held = (&'static str, (&'static str, &'static str), fn(&Lab) -> bool);

const HELD: [Held; 3] = [
    ("a half-written object", ("XTASK_MINI_SLEEP", "600"), building),
    ("the boot", ("XTASK_FAKE_GUEST", "no-boot"), |lab| {
        lab.path("target/vm-test/console-v3+kfunc.log").exists()
    }),
    ("the tests", ("XTASK_FAKE_GUEST", "hang-first"), |lab| {
        lab.path("target/vm-test/run-v3+kfunc/up").exists()
    }),
];

#[test]
fn a_run_killed_at_any_phase_leaves_no_process_and_the_next_one_passes() {
    for (phase, hold, is_there) in HELD {
        let lab = Lab::new();
        let mut held = lab.vm_test(&[], &[hold]).spawn().unwrap();
        wait_until(phase, || is_there(&lab));
        kill(&mut held);
        wait_until(&format!("nothing is left of a run killed in {phase}"), || lab.processes().is_empty());
        lab.run(&[], &[]).expect(0, &[]);
        assert!(
            !lab.image("v3+kfunc").contains("half"),
            "an object written by half was trusted after {phase}"
        );
    }
}

#[test]
fn a_run_killed_while_it_fetches_leaves_nothing_that_is_trusted() {
    let lab = Lab::with_archive();
    let mut held = lab.command(DEBIAN, &[("XTASK_ARCHIVE_SLEEP", "600")]).spawn().unwrap();
    wait_until("the download", || fs::read_dir(lab.cache().join("source")).is_ok_and(|d| d.count() > 0));
    kill(&mut held);
    wait_until("nothing is left", || lab.processes().is_empty());
    let output = lab.command(DEBIAN, &[]).output().unwrap();
    lab.ran(&output).expect(0, &[]);
    let left: Vec<_> =
        fs::read_dir(lab.cache().join("source")).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".tmp")), "{left:?}");
}

#[test]
fn an_interrupted_run_ends_at_once_and_says_so() {
    let lab = Lab::new();
    let held = lab.vm_test(&[], &[("XTASK_FAKE_GUEST", "no-boot")]).spawn().unwrap();
    wait_until("the boot", || lab.path("target/vm-test/console-v3+kfunc.log").exists());
    let start = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &held.id().to_string()]).status().unwrap().success());
    let output = held.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(5));
    lab.ran(&output).expect(69, &["interrupted"]);
    wait_until("nothing is left", || lab.processes().is_empty());
}

#[test]
fn the_time_limit_ends_a_build_that_hangs() {
    let lab = Lab::new();
    lab.run(&["--timeout", "2"], &[("XTASK_MINI_SLEEP", "600")])
        .expect(69, &["the time limit of 2 s is over"]);
    wait_until("nothing is left", || lab.processes().is_empty());
    lab.run(&[], &[]).expect(0, &[]);
}

#[test]
fn a_second_run_waits_and_says_for_whom() {
    let lab = Lab::new();
    let first = lab.vm_test(&[], &[("XTASK_MINI_SLEEP", "2")]).spawn().unwrap();
    wait_until("the build", || building(&lab));
    let second = lab.run(&[], &[]);
    let waiting = format!("waiting: another run (pid {}) is using", first.id());
    assert!(second.out.contains(&waiting), "{}", second.out);
    second.expect(0, &[]);
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn two_checkouts_that_share_the_cache_build_a_kernel_once() {
    let lab = Lab::new();
    let first = lab.vm_test(&[], &[("XTASK_MINI_SLEEP", "2")]).spawn().unwrap();
    wait_until("the build", || building(&lab));
    let other = lab.path("other-target").display().to_string();
    let output = lab.vm_test(&[], &[("CARGO_TARGET_DIR", &other)]).output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains(&format!("another run (pid {}) is building this kernel", first.id())), "{out}");
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(!out.contains(" bzImage"), "the second run found the kernel of the first: {out}");
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn waiting_has_an_end() {
    let lab = Lab::new();
    let mut first = lab.vm_test(&[], &[("XTASK_MINI_SLEEP", "600")]).spawn().unwrap();
    wait_until("the build", || building(&lab));
    let output = lab.vm_test(&["--timeout", "1"], &[]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69));
    assert!(text.contains("waited for another run") && text.contains("the time limit of 1 s"), "{text}");
    kill(&mut first);
}

#[test]
fn too_little_space_is_told_before_it_is_used() {
    let lab = Lab::new();
    let Some(_disk) = Disk::mount(lab.path("cache"), 16) else { return };
    lab.run(&[], &[("XTASK_NO_SPACE_CHECK", "")]).expect(
        69,
        &["not enough space to build the kernel", "MiB free, 6000 MiB are needed", "cargo xtask clean"],
    );
}

#[test]
fn a_disk_that_fills_up_while_building_is_told_in_one_sentence() {
    let lab = Lab::new();
    let Some(_disk) = Disk::mount(lab.path("cache"), 16) else { return };
    let ran = lab.run(&[], &[("XTASK_MINI_MIB", "20")]);
    ran.expect(69, &["the disk is full", "MiB free", "cargo xtask clean"]);
    assert!(!ran.verdict().1.contains('\n'), "one sentence: {}", ran.verdict().1);
}

const DEBIAN: &[&str] = &["vm-test", "--accel", "tcg", "--series", "base"];

#[test]
fn with_a_warm_cache_the_network_is_not_asked() {
    let lab = Lab::with_archive();
    let run = |arguments: &[&str], vars: &[(&str, &str)]| {
        let arguments: Vec<&str> = DEBIAN.iter().chain(arguments).copied().collect();
        lab.ran(&lab.command(&arguments, vars).output().unwrap())
    };
    let down = ("XTASK_ARCHIVE_DOWN", "1");
    run(&[], &[down]).expect(69, &["cannot get linux-source-7.3 from the archive (no network?)"]);
    run(&["--offline"], &[]).expect(69, &["linux-source-7.3 is not in the cache", "--offline"]);
    let first = run(&[], &[]);
    first.expect(0, &[]);
    assert_eq!(first.report["kernel"]["base"], "Debian linux-source-7.3 7.3.0-1");
    let warm = run(&[], &[down]);
    warm.expect(0, &[]);
    assert!(!warm.out.contains("apt-get"), "{}", warm.out);
    run(&["--offline"], &[down]).expect(0, &[]);
    // Asked for news, it says that there are none to be had.
    run(&["--refresh"], &[down]).expect(69, &["no network?"]);
}

#[test]
fn missing_tools_are_named_with_the_command_that_mends_it() {
    let lab = Lab::new();
    // A PATH without any of them; the shell's own path is not needed before tools are checked.
    let ran = lab.run(&["--offline"], &[("XTASK_ASSUME_TOOLS", ""), ("PATH", "/nonexistent")]);
    ran.expect(69, &["missing here: ", "flex", "clang-19", "apt-get install"]);
}

/// Kills without a chance to clean up.
fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Make is at work and has begun an object that it will not end.
fn building(lab: &Lab) -> bool {
    let Ok(mut work) = fs::read_dir(lab.cache().join("work")) else { return false };
    let object = |dir: fs::DirEntry| fs::read_to_string(dir.path().join("src/.build/kernel/hashtab.o")).ok();
    work.any(|dir| dir.ok().and_then(object).is_some_and(|text| text == "half\n"))
}

/// A small file system of its own.
struct Disk(PathBuf);

impl Disk {
    /// Only root may mount; without it the test is skipped and says so.
    fn mount(at: PathBuf, mib: u32) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let size = format!("size={mib}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output().unwrap();
        if !mounted.status.success() {
            println!(
                "skipped: cannot mount a small disk here: {}",
                String::from_utf8_lossy(&mounted.stderr).trim()
            );
            return None;
        }
        Some(Self(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

impl Lab {
    /// A laboratory whose apt serves the small kernel as Debian's package.
    fn with_archive() -> Self {
        let lab = Self::new();
        let script = "#!/bin/sh\n# SPDX-License-Identifier: MIT OR Apache-2.0\n";
        let apt_get = format!(
            "{script}case \"$*\" in *indextargets*) echo 'Debian|Debian|http://mirror.invalid/debian'; exit 0;; esac\n\
             [ -z \"$XTASK_ARCHIVE_DOWN\" ] || {{ echo 'E: Could not resolve the mirror' >&2; exit 100; }}\n\
             case \"$*\" in *download*) sleep ${{XTASK_ARCHIVE_SLEEP:-0}}; : > linux-source-7.3_7.3.0-1_all.deb;; esac\n"
        );
        let apt_cache = format!("{script}echo 'linux-source-7.3 | 7.3.0-1 | mirror'\n");
        let dpkg = format!(
            "{script}mkdir -p $3/usr/src && cp -r {kernel} $3/linux-source-7.3 && \
             tar -C $3 -cJf $3/usr/src/linux-source-7.3.tar.xz linux-source-7.3\n",
            kernel = lab.kernel().display()
        );
        for (name, text) in [("apt-get", apt_get), ("apt-cache", apt_cache), ("dpkg-deb", dpkg)] {
            lab.write(&format!("bin/{name}"), &text);
            fs::set_permissions(lab.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
        }
        lab
    }
}

/// As git sets them for a hook in a linked work tree, and as people have them for something else.
#[test]
fn what_steers_children_elsewhere_does_not_reach_them() {
    let lab = Lab::new();
    let (root, theirs) = (lab.path("root"), lab.path("theirs"));
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&theirs).env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
        assert!(command.status().unwrap().success(), "{arguments:?}");
    };
    fs::create_dir_all(&theirs).unwrap();
    lab.write("theirs/file", "theirs\n");
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "x"]);
    let state = || ["config", "HEAD", "index"].map(|name| fs::read(theirs.join(".git").join(name)).unwrap());
    let before = state();
    let folder = theirs.join(".git").display().to_string();
    let index = format!("{folder}/index");
    let vars = [
        ("GIT_DIR", folder.as_str()),
        ("GIT_WORK_TREE", theirs.to_str().unwrap()),
        ("GIT_INDEX_FILE", index.as_str()),
        ("GIT_CONFIG_COUNT", "nonsense"),
        ("MAKEFLAGS", "--no-such-flag"),
        ("ARCH", "vax"),
        ("CROSS_COMPILE", "vax-"),
        ("KBUILD_OUTPUT", "/nonexistent"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("LANGUAGE", "de"),
        ("TAR_OPTIONS", "--no-such-option"),
        ("CARGO_BUILD_TARGET", "vax-unknown-none"),
        ("BASH_ENV", "/nonexistent"),
        ("CDPATH", "/"),
    ];
    lab.run(&[], &vars).expect(0, &[]);
    assert_eq!(state(), before, "the repository of whoever calls was changed");
    // The same for a patch that has changed, and that does not apply.
    let patch = fs::read_to_string(root.join("kernel-patches/v3/0001-x.patch")).unwrap();
    lab.write("root/kernel-patches/v3/0001-x.patch", &patch.replace("-int three", "-int seven"));
    lab.run(&[], &vars).expect(69, &["hashtab.c"]);
    assert_eq!(state(), before, "the repository of whoever calls was changed");
}

#[test]
fn another_architecture_is_told_before_anything_is_fetched() {
    let lab = Lab::new();
    let vars = [("XTASK_MACHINE", "aarch64")];
    lab.run(&[], &vars).expect(69, &["this machine is aarch64", "built for x86_64"]);
    let output = lab.command(&["doctor"], &vars).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("this machine is aarch64"), "{said}");
}

/// As with `| head -1`: half of a cache was removed, and a panic said so.
#[test]
fn a_reader_that_goes_away_changes_nothing_about_what_is_done() {
    let lab = Lab::new();
    for part in ["cache/bpf-compare-delete/apt/x", "cache/bpf-compare-delete/stock/x"] {
        lab.write(part, "");
    }
    let cache = lab.path("cache").display().to_string();
    let run = |arguments: &[&str], out: Stdio| {
        let mut command = lab.command(arguments, &[("XDG_CACHE_HOME", &cache)]);
        let output = command.stdout(out).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let gone = || Stdio::from(std::io::pipe().unwrap().1);
    for (arguments, code) in [(&["doctor", "--json"][..], 0), (&["clean"], 0), (&["clean", "--all"], 0)] {
        let (status, said) = run(arguments, gone());
        assert!(status == Some(code) && !said.contains("panicked"), "{arguments:?}: {status:?} {said}");
    }
    assert!(!lab.path("cache/bpf-compare-delete/apt").exists());
    assert!(!lab.path("cache/bpf-compare-delete/stock").exists());
    // What is not kept is no success.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let (status, said) = run(&["doctor", "--json"], full.into());
    assert!(status == Some(69) && said.contains("cannot write to standard output"), "{status:?} {said}");
}
