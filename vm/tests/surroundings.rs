// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whoever calls it, from wherever, with whatever of his own set up: the same comes out, and nothing of his is touched.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

#[allow(dead_code, reason = "what other files test with")]
mod common;

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, chown},
    },
    process::Command,
};

use common::{Lab, PATCH};

/// A program before all others in `PATH`, as lines of a shell.
fn program(lab: &Lab, name: &str, lines: &str) {
    let name = format!("bin/{name}");
    lab.write(&name, &format!("#!/bin/sh\n{lines}\n"));
    fs::set_permissions(lab.path(&name), Permissions::from_mode(0o755)).unwrap();
}

/// git in the lab's kernel tree.
fn git(lab: &Lab, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(lab.kernel()).env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
    assert!(command.status().unwrap().success(), "{arguments:?}");
}

fn commit(lab: &Lab) {
    git(lab, &["init", "--quiet"]);
    git(lab, &["add", "."]);
    git(lab, &["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "x"]);
}

/// What git ignores and converts everywhere for whoever calls is his business, and no kernel's.
#[test]
fn a_kernel_tree_is_read_whole_whatever_git_ignores_for_its_owner() {
    let lab = Lab::new();
    lab.write("config/git/ignore", "b.c\n");
    lab.write("config/git/attributes", "* text=auto eol=crlf\n");
    let config = lab.path("config").display().to_string();
    lab.run(&[], &[("XDG_CONFIG_HOME", &config)]).expect(0, &[]);
    let image = lab.image("v3+kfunc");
    assert!(image.contains("int b;") && !image.contains('\r'), "{image:?}");
}

#[test]
fn a_kernel_tree_of_another_owner_is_read_like_any_other() {
    let lab = Lab::new();
    commit(&lab);
    if let Err(e) = chown(lab.kernel(), Some(65534), Some(65534)) {
        println!("skipped: cannot give a folder away here: {e}");
        return;
    }
    lab.run(&[], &[]).expect(0, &[]);
}

/// As a linked work tree is whose repository is elsewhere, or not mounted.
#[test]
fn a_kernel_tree_whose_repository_is_gone_is_told_with_the_mend() {
    let lab = Lab::new();
    lab.write("kernel/.git", "gitdir: /nonexistent/worktrees/x\n");
    lab.run(&[], &[]).expect(69, &["git does not say what it tracks", "/nonexistent", "a copy without it"]);
}

#[test]
fn a_kernel_tree_with_any_name_is_taken() {
    let lab = Lab::new();
    for name in [&b"a b"[..], b"a:b", b"a'b\"c", b"a\nb", b"a$b#c%d", b"a\xffb", b"-a"] {
        let tree = lab.path("trees").join(OsStr::from_bytes(name));
        fs::create_dir_all(tree.parent().unwrap()).unwrap();
        fs::rename(lab.kernel(), &tree).unwrap();
        let mut run = lab.command(&["vm-test", "--no-races", "--accel", "tcg", "--kernel-src"], &[]);
        let output = run.arg(&tree).output().unwrap();
        lab.ran(&output).expect(0, &[]);
        fs::rename(&tree, lab.kernel()).unwrap();
    }
}

/// make, shells and virtme-ng read a space or a colon as the end of a path, some thousand objects later.
#[test]
fn a_folder_that_builds_or_guests_do_not_take_is_told_before_anything_is_done() {
    for (variable, folder) in [("XDG_CACHE_HOME", "Jane's cache"), ("CARGO_TARGET_DIR", "my target")] {
        let lab = Lab::new();
        let folder = lab.path(folder).display().to_string();
        let vars = [(variable, folder.as_str())];
        let output = lab.vm_test(&[], &vars).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(69), "{said}");
        let mend = format!("set {variable} to another folder");
        assert!(said.contains(&mend) && !said.contains("==> source"), "{said}");
        let output = lab.command(&["doctor"], &vars).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(&mend), "{said}");
    }
}

#[test]
fn a_folder_for_temporary_files_that_is_none_is_told_before_anything_is_done() {
    let lab = Lab::new();
    for folder in ["/nonexistent/tmp", "tmp"] {
        let vars = [("TMPDIR", folder)];
        let ran = lab.run(&[], &vars);
        ran.expect(69, &["TMPDIR is", folder, "unset it"]);
        assert!(!ran.out.contains("==> source"), "{}", ran.out);
        let output = lab.command(&["doctor"], &vars).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("TMPDIR is"), "{said}");
    }
}

/// What cannot be remembered of KVM for ever: a busy host, or another hypervisor that holds it.
#[test]
fn a_remembered_verdict_on_kvm_says_so_and_can_be_dropped() {
    let lab = Lab::new();
    program(&lab, "qemu-system-x86_64", "echo QEMU emulator version 0");
    let kernel = lab.kernel().display().to_string();
    let run = |more: &[&str], guest: &str| {
        let arguments = [&["vm-test", "--no-races", "--kernel-src", &kernel], more].concat();
        let vars = [("XTASK_KVM", "/dev/null"), ("XTASK_FAKE_GUEST", guest)];
        lab.ran(&lab.command(&arguments, &vars).output().unwrap())
    };
    let doctor = || {
        let output = lab.command(&["doctor"], &[("XTASK_KVM", "/dev/null")]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(doctor().contains("vm-test tries whether a guest runs"));
    let first = run(&[], "qemu-dies");
    assert!(first.out.contains("a guest started with it says nothing"), "{}", first.out);
    assert!(doctor().contains("--accel kvm tries again"), "{}", doctor());
    let second = run(&[], "");
    second.expect(0, &[]);
    assert!(second.out.contains("--accel kvm tries again"), "{}", second.out);
    assert_eq!(second.report["accel"], "tcg");
    assert_eq!(run(&["--accel", "kvm"], "").report["accel"], "kvm");
    assert!(doctor().contains("a guest runs with it"), "{}", doctor());
    run(&["--accel", "kvm"], "qemu-dies");
    assert!(lab.command(&["clean", "--all"], &[]).output().unwrap().status.success());
    assert!(doctor().contains("vm-test tries whether a guest runs"), "{}", doctor());
}

#[test]
fn doctor_tells_what_single_commands_need_besides() {
    let lab = Lab::new();
    // A PATH without any of them; some of the tools that all need are files, and may be there.
    let vars = [("XTASK_ASSUME_TOOLS", ""), ("PATH", "/nonexistent")];
    let output = lab.command(&["doctor"], &vars).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for (command, tool) in [
        ("kselftest --arch arm64", "aarch64-linux-gnu-gcc"),
        ("kselftest --arch s390x", "qemu-system-s390x"),
        ("kselftest", "clang-22"),
        ("patches --sparse", "sparse"),
    ] {
        let line = said.lines().find(|line| line.contains(&format!("`{command}`"))).unwrap_or_default();
        assert!(line.starts_with("absent") && line.contains(tool), "{command}: {said}");
    }
}

/// Of a home that is none a folder `.cache` was made wherever one happened to be.
#[test]
fn without_a_home_the_place_for_the_cache_is_asked_for_and_nothing_is_made() {
    let lab = Lab::new();
    for home in ["", "home"] {
        let mut run = lab.vm_test(&[], &[("XDG_CACHE_HOME", "")]);
        let output = run.env("HOME", home).current_dir(lab.kernel()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(69) && said.contains("set HOME or XDG_CACHE_HOME"), "{said}");
        assert!(!lab.path("kernel/.cache").exists() && !lab.path("kernel/home").exists());
    }
}

#[test]
fn a_checkout_that_cannot_be_written_to_is_told_with_the_mend() {
    let lab = Lab::new();
    // A file where the folder would be does for root, too.
    lab.write("root/target", "");
    let output = lab.vm_test(&[], &[("CARGO_TARGET_DIR", "")]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(69) && said.contains("set CARGO_TARGET_DIR to a folder"), "{said}");
    let other = lab.path("target").display().to_string();
    lab.run(&[], &[("CARGO_TARGET_DIR", ""), ("CARGO_BUILD_TARGET_DIR", &other)]).expect(0, &[]);
}

/// Its file would go before the command line, and the report tell of CPUs that the guest had not.
#[test]
fn virtme_ng_does_not_see_how_it_is_configured_for_whoever_calls() {
    let lab = Lab::new();
    lab.write("home/.config/virtme-ng/virtme-ng.conf", "{\"default_opts\": {\"cpus\": \"1\"}}");
    fs::rename(lab.path("bin/vng"), lab.path("bin/vng-itself")).unwrap();
    program(&lab, "vng", "cat \"$HOME/.config/virtme-ng/virtme-ng.conf\" >&2\nexec vng-itself \"$@\"");
    let home = lab.path("home").display().to_string();
    lab.run(&[], &[("HOME", &home)]).expect(0, &[]);
    let console = fs::read_to_string(lab.path("target/vm-test/console-v3+kfunc.log")).unwrap();
    assert!(console.contains("{\"default_opts\": {}}") && !console.contains("cpus"), "{console}");
}

/// What was made in a tree is not its source; make would refuse it, or take objects of another configuration for its own.
#[test]
fn a_kernel_tree_that_was_configured_in_place_is_taken_without_what_was_made_there() {
    let lab = Lab::new();
    lab.write("kernel/.gitignore", ".*\n*.o\n");
    lab.write("kernel/.config", "CONFIG_SMP=y\n");
    lab.write("kernel/kernel/a.o", "int other;\n");
    lab.run(&[], &[]).expect(0, &[]);
    assert!(!lab.image("v3+kfunc").contains("int other;"));
    commit(&lab);
    lab.run(&[], &[]).expect(0, &[]);
    // Debian's tree has git ignore all of it: then nothing tells the one from the other.
    let lab = Lab::new();
    lab.write("kernel/.gitignore", "/*\n");
    lab.run(&[], &[]).expect(0, &[]);
    lab.write("kernel/kernel/new.c", "int new;\n");
    lab.run(&[], &[]).expect(0, &[]);
    assert!(lab.image("v3+kfunc").contains("int new;"));
    lab.write("kernel/.config", "CONFIG_SMP=y\n");
    lab.run(&[], &[]).expect(69, &["was configured in place", "a copy after `make mrproper`"]);
}

fn doctor(lab: &Lab, vars: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = lab.command(&["doctor"], vars).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn on_another_distribution_what_can_be_named_is_said() {
    let lab = Lab::new();
    for (id, said) in [
        ("ID=ubuntu\nID_LIKE=debian\n", "XTASK_MIRROR names a mirror"),
        ("ID=fedora\n", "CLANG names a clang, LIBCLANG_PATH the folder of its library, --kernel-src DIR"),
    ] {
        lab.write("os-release", id);
        program(&lab, "apt-get", "");
        let release = lab.path("os-release").display().to_string();
        let (code, out) = doctor(&lab, &[("XTASK_OS_RELEASE", &release)]);
        assert!(code == Some(0) && out.contains(said), "{out}");
        // Without Debian's keys the mirror is not what is missing.
        if out.contains("debian-archive-keyring") {
            println!("skipped: no keys of Debian's archive here");
            continue;
        }
        assert!(out.contains("no mirror of Debian") && out.contains("XTASK_MIRROR=URL"), "{out}");
        let mirror = ("XTASK_MIRROR", "http://mirror.invalid/debian/");
        let (_, out) = doctor(&lab, &[("XTASK_OS_RELEASE", &release), mirror]);
        assert!(out.contains("archive: http://mirror.invalid/debian\n"), "{out}");
    }
}

#[test]
fn a_clang_that_is_named_stands_in_for_that_of_the_package() {
    let lab = Lab::new();
    program(&lab, "my-clang", "");
    let bin = lab.path("bin").display().to_string();
    let vars = [("XTASK_ASSUME_TOOLS", ""), ("PATH", bin.as_str()), ("LIBCLANG_PATH", bin.as_str())];
    let line = |out: &str, tool: &str| {
        let mut lines = out.lines().filter(|line| line.contains("  for ") && line.contains(tool));
        lines.next().unwrap_or_default().to_owned()
    };
    let (_, out) = doctor(&lab, &[&vars[..], &[("CLANG", "my-clang")]].concat());
    assert!(line(&out, "clang-19 ").starts_with("there"), "{out}");
    assert!(line(&out, "libclang1-19 ").starts_with("there"), "{out}");
    let other = [&vars[..], &[("CLANG", "no-clang")]].concat();
    let (code, out) = doctor(&lab, &other);
    assert!(line(&out, "clang-19 ").starts_with("MISSING") && code == Some(1), "{out}");
    assert!(out.contains("CLANG is no-clang, which is not there: unset it"), "{out}");
    lab.run(&[], &other).expect(69, &["CLANG is no-clang"]);
}

/// cargo is started in the repository, and would take a relative path from there.
#[test]
fn cargo_is_told_of_the_target_folder_from_where_this_was_called() {
    let lab = Lab::new();
    program(&lab, "my-cargo", "echo \"target=$CARGO_TARGET_DIR\"\nexit 1");
    for variable in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"] {
        let vars =
            [("XTASK_GUEST_BIN_DIR", ""), ("CARGO", "my-cargo"), ("CARGO_TARGET_DIR", ""), (variable, "t")];
        let mut run = lab.vm_test(&[], &vars);
        let output = run.current_dir(lab.path("bin")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(69), "{said}");
        assert!(said.contains(&format!("target={}\n", lab.path("bin/t").display())), "{said}");
    }
}

/// A git that speaks German would be read as one that names no file.
#[test]
fn a_patch_that_does_not_apply_is_told_in_the_same_words_in_every_locale() {
    let lab = Lab::new();
    let path = std::env::var("PATH").unwrap();
    let git = path.split(':').map(|dir| format!("{dir}/git")).find(|git| fs::exists(git).unwrap()).unwrap();
    let german = "[ \"$LC_ALL$LANGUAGE\" = C.UTF-8 ] || exec echo Fehler";
    program(&lab, "git", &format!("{german}\nexec {git} \"$@\""));
    lab.write("root/kernel-patches/v3/0001-x.patch", &PATCH.replace("int two", "int zwei"));
    let german = [("LC_ALL", "de_DE.UTF-8"), ("LANG", "de_DE.UTF-8"), ("LANGUAGE", "de")];
    lab.run(&[], &german).expect(69, &["0001-x.patch does not apply", "at kernel/hashtab.c:4; "]);
}
