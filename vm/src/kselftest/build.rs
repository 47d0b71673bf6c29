// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the kernel's selftests of BPF, in a copy of those parts of the tree that they are built from.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::image;
use crate::{
    apply::Patched,
    build::{clean_environment, version_of},
    context::Ctx,
    events::Event,
    exec,
    hash::{hash, sha256},
    kernel::Kernel,
    lock, space,
    store::Store,
    tools::{Tool, file, program},
};

/// What they need beyond a kernel. The clang that our own programs are built with cannot compile their arena library.
pub const TOOLS: [Tool; 6] = [
    program("clang-22", "clang-22", "selftests"),
    program("llvm-strip-22", "llvm-22", "selftests"),
    program("ld.lld-22", "lld-22", "selftests"),
    program("openssl", "openssl", "selftests"),
    file(&["/usr/include/zstd.h"], "libzstd-dev", "selftests"),
    file(&["/usr/include/sys/capability.h"], "libcap-dev", "selftests"),
];

/// What is built.
const TARGETS: [&str; 3] = ["test_lru_map", "test_maps", "test_progs"];
/// What it is built from.
const SOURCES: [&str; 7] = ["Makefile", "arch/x86", "include", "kernel/bpf", "lib", "scripts", "tools"];
/// What is kept besides the programs: objects that they read, and bpftool, which they run.
const KEPT: [&str; 2] = [".bpf.o", "bpftool"];
/// Objects and programs, in MiB.
const BUILD_MIB: u64 = 4000;
/// Files that make says it makes, until it has told the real number.
const TOTAL: u64 = 3400;

/// The folder of the built selftests of `patched`, compiled against the types of `kernel`; says whether it was there.
/// `XTASK_SELFTESTS_DIR` names ready ones.
///
/// # Errors
/// No space; a target that does not build. Single BPF programs that do not compile are left out, as their makefile's
/// permissive mode does.
pub fn get(
    ctx: &Ctx,
    store: &Store,
    patched: &Patched,
    kernel: &Kernel,
    jobs: u32,
) -> Result<(PathBuf, bool)> {
    if let Some(dir) = env::var_os("XTASK_SELFTESTS_DIR") {
        return Ok((PathBuf::from(dir), true));
    }
    let clang = version_of(ctx, "clang-22");
    let image = fs::read(kernel.image()).context("cannot read the kernel image")?;
    let key = hash(&[patched.tree.as_bytes(), sha256(&image).as_bytes(), clang.as_bytes()]);
    let dir = ctx.cache.dir("selftests")?.join(&key);
    if dir.exists() {
        return Ok((dir, true));
    }
    let _lock = lock::take(ctx, "selftests", "building the kernel's selftests")?;
    if dir.exists() {
        return Ok((dir, true));
    }
    space::need(ctx.cache.root(), BUILD_MIB, "to build the kernel's selftests")?;
    let temp = ctx.cache.temp("selftests")?;
    let (source, out) = (temp.path().join("source"), temp.path().join("out"));
    store.extract(ctx, &patched.tree, &SOURCES, &source)?;
    let vmlinux = temp.path().join("vmlinux");
    image::unpack(ctx, &kernel.image(), &vmlinux)?;
    fs::create_dir_all(&out)?;
    make(ctx, &source, &out, &vmlinux, jobs)?;
    for target in TARGETS {
        ensure!(out.join(target).exists(), "make ended well but left no {target}");
    }
    fs::remove_dir_all(&source).context("cannot remove the source of the selftests")?;
    let done = ctx.cache.temp("selftests")?;
    keep(&out, done.path())?;
    done.place(&dir)?;
    Ok((dir, false))
}

fn make(ctx: &Ctx, source: &Path, out: &Path, vmlinux: &Path, jobs: u32) -> Result<()> {
    let mut make = Command::new("make");
    make.arg("-C").arg(source.join("tools/testing/selftests/bpf")).arg(format!("-j{jobs}"));
    for (name, value) in [("OUTPUT", out), ("VMLINUX_BTF", vmlinux)] {
        make.arg(format!("{name}={}", value.display()));
    }
    // Modules would need a kernel that can load them: the tests that want one skip.
    make.args(["BPF_STRICT_BUILD=0", "SKIP_DOCS=1", "SKIP_LLVM=1", "KDIR=/nonexistent"]);
    make.args(["CLANG=clang-22", "LLC=llc-22", "LLVM_STRIP=llvm-strip-22", "LLVM_CONFIG=llvm-config-22"]);
    make.args(TARGETS);
    clean_environment(&mut make);
    let mut done = 0;
    let made = ["CC", "CLNG-BPF", "GEN-SKEL", "TEST-OBJ", "EXT-OBJ", "BINARY", "GEN"];
    let mut left_out = Vec::new();
    exec::stream(ctx, &make, "selftests-build", |line| {
        let mut words = line.split_whitespace();
        let (Some(verb), Some(what)) = (words.next(), words.next_back()) else { return };
        if verb.starts_with("SKIP-") {
            left_out.push(what.to_owned());
        } else if made.contains(&verb) {
            done += 1;
            ctx.events.emit(&Event::Progress { done, total: TOTAL.max(done), what: what.into() });
        }
    })
    .context("the kernel's selftests do not build")?;
    ctx.events.note(format!("{} parts of the selftests do not build here and are left out", left_out.len()));
    Ok(())
}

/// Moves what the guest needs from `out` to `into`.
fn keep(out: &Path, into: &Path) -> Result<()> {
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_kept = TARGETS.contains(&name.as_str()) || KEPT.iter().any(|end| name.ends_with(end));
        if path.is_file() && is_kept {
            // A copy, since bpftool is a link into the folder that goes away.
            fs::copy(&path, into.join(&name)).with_context(|| format!("cannot keep {name}"))?;
        }
    }
    Ok(())
}
