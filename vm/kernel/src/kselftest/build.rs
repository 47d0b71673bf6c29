// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the kernel's selftests of BPF, in a copy of those parts of the tree that they are built from.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use ground::{
    context::Ctx,
    events::Event,
    exec,
    hash::{hash, sha256},
    lock::{self, Lock},
    space,
    tool::{Tool, file, program},
};

use super::image;
use crate::{finished::Kernel, patched::Patched, store::Store, toolchain::version_of};

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
/// What it is built from, or may be.
const SOURCES: [&str; 7] = ["Makefile", "arch/x86", "include", "kernel/bpf", "lib", "scripts", "tools"];
/// What of that decides the result, besides the types of the kernel: a change in the kernel's code alone builds nothing
/// anew.
pub(super) const DECIDING: [&str; 4] = ["tools", "scripts", "include/uapi", "kernel/bpf/disasm.c"];
/// Objects that the programs read are kept with them,
const OBJECTS: &str = ".bpf.o";
/// and so is bpftool, which they run, where they look for it.
pub(super) const BPFTOOL: &str = "tools/sbin/bpftool";
/// Objects and programs, in MiB.
const BUILD_MIB: u64 = 4000;
/// Files that make says it makes, until it has told the real number.
const TOTAL: u64 = 2600;

/// The folder of what `parts` decide, and the lock to fill it under if it is not there; then `mib` are free.
///
/// # Errors
/// No space.
pub(super) fn room(ctx: &Ctx, parts: &[String], mib: u64) -> Result<(PathBuf, Option<Lock>)> {
    let key = hash(&parts.iter().map(String::as_bytes).collect::<Vec<_>>());
    let dir = ctx.cache.dir("selftests")?.join(&key);
    if dir.exists() {
        return Ok((dir, None));
    }
    let lock = lock::take(ctx, "selftests", "building the kernel's selftests")?;
    if dir.exists() {
        return Ok((dir, None));
    }
    space::need(ctx.cache.root(), mib, "to build the kernel's selftests")?;
    Ok((dir, Some(lock)))
}

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
    let temp = ctx.cache.temp("selftests")?;
    let types = temp.path().join("vmlinux.btf");
    image::types(ctx, &kernel.image(), &types)?;
    let mut parts = vec![clang, sha256(&fs::read(&types)?)];
    for path in DECIDING {
        parts.push(store.resolve(ctx, &format!("{}:{path}", patched.commit))?);
    }
    let (dir, lock) = room(ctx, &parts, BUILD_MIB)?;
    let Some(_lock) = lock else { return Ok((dir, true)) };
    let (source, out) = (temp.path().join("source"), temp.path().join("out"));
    store.extract(ctx, &patched.tree, &SOURCES, &source)?;
    fs::create_dir_all(&out)?;
    make(ctx, &source, &out, &types, jobs)?;
    for target in TARGETS {
        ensure!(out.join(target).exists(), "make ended well but left no {target}");
    }
    fs::remove_dir_all(&source).context("cannot remove the source of the selftests")?;
    let done = ctx.cache.temp("selftests")?;
    keep(&out, done.path(), &TARGETS)?;
    done.place(&dir)?;
    Ok((dir, false))
}

fn make(ctx: &Ctx, source: &Path, out: &Path, types: &Path, jobs: u32) -> Result<()> {
    let mut make = Command::new("make");
    make.arg("-C").arg(source.join("tools/testing/selftests/bpf")).arg(format!("-j{jobs}"));
    for (name, value) in [("OUTPUT", out), ("VMLINUX_BTF", types)] {
        make.arg(format!("{name}={}", value.display()));
    }
    // Modules would need a kernel that can load them: the tests that want one skip.
    make.args(["BPF_STRICT_BUILD=0", "SKIP_DOCS=1", "SKIP_LLVM=1", "KDIR=/nonexistent"]);
    make.args(["CLANG=clang-22", "LLC=llc-22", "LLVM_STRIP=llvm-strip-22", "LLVM_CONFIG=llvm-config-22"]);
    make.args(TARGETS);
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

/// Moves what the guest needs from `out` to `into`: these programs, the objects that they read, bpftool.
pub(super) fn keep(out: &Path, into: &Path, programs: &[&str]) -> Result<()> {
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && (programs.contains(&name.as_str()) || name.ends_with(OBJECTS)) {
            fs::rename(&path, into.join(&name)).with_context(|| format!("cannot keep {name}"))?;
        }
    }
    let bpftool = into.join(BPFTOOL);
    fs::create_dir_all(bpftool.parent().unwrap_or(into))?;
    fs::rename(out.join(BPFTOOL), bpftool).context("make ended well but left no bpftool")
}
