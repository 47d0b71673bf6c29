// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whoever calls it, from wherever, with whatever of his own set up: the same comes out, and nothing of his is touched.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

#[allow(dead_code, reason = "what other files test with")]
mod common;

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::chown},
    process::Command,
};

use common::Lab;

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
