// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds few tests of `test_progs` for another architecture. All of them would take an hour; a copy of the tree without
//! the other tests, and without the BPF programs that only those load, takes a minute.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use ground::{context::Ctx, events::Event, exec, hash::sha256};

use super::{
    super::build::{self, BPFTOOL, DECIDING, room},
    debs::Root,
    kernel::Kernel,
    target::Target,
};
use crate::{patched::Patched, store::Store, toolchain::version_of};

/// What it is built from, besides the architecture's own headers.
const SOURCES: [&str; 6] = ["Makefile", "include", "kernel/bpf", "lib", "scripts", "tools"];
const SELFTESTS: &str = "tools/testing/selftests/bpf";
/// Our own programs are built with it, too: only a library that is left out here needs a newer one.
const CLANG: &str = "clang-19";
const STRIP: &str = "llvm-strip-19";
/// The one program.
pub const PROGRAM: &str = "test_progs";
/// Without these: what only other tests need.
const LEFT_OUT: [&str; 7] = [
    "LINKED_SKELS=",
    "LSKELS=",
    "LSKELS_SIGNED=",
    "LSKELS_EXTRA=",
    "TRUNNER_EXTRA_FILES=",
    "LIBARENA_SKEL=",
    "CLANG_HAS_ARENA_ASAN=",
];
const BUILD_MIB: u64 = 1000;
/// Files that make says it makes.
const TOTAL: u64 = 330;

/// What to build.
pub struct Wanted<'a> {
    /// For which architecture.
    pub target: &'a Target,
    /// Its packages.
    pub root: &'a Root,
    /// From where.
    pub patched: &'a Patched,
    /// Against whose types.
    pub kernel: &'a Kernel,
    /// Names of tests.
    pub tests: &'a [String],
    /// Jobs of make.
    pub jobs: u32,
}

/// The folder with the program, its BPF objects and bpftool; says whether it was there.
///
/// # Errors
/// No space, a test that does not build.
pub fn get(ctx: &Ctx, store: &Store, wanted: &Wanted<'_>) -> Result<(PathBuf, bool)> {
    let Wanted { target, patched, kernel, .. } = *wanted;
    let mut parts =
        vec![target.name.to_owned(), version_of(ctx, CLANG), version_of(ctx, &target.cross("gcc"))];
    parts.push(sha256(&fs::read(kernel.types()).context("cannot read the kernel's types")?));
    parts.extend(wanted.tests.iter().cloned());
    for path in DECIDING {
        parts.push(store.resolve(ctx, &format!("{}:{path}", patched.commit))?);
    }
    let (dir, lock) = room(ctx, &parts, BUILD_MIB)?;
    let Some(_lock) = lock else { return Ok((dir, true)) };
    let temp = ctx.cache.temp("selftests")?;
    let (source, out) = (temp.path().join("source"), temp.path().join("out"));
    let own = format!("arch/{}", target.kernel);
    // The headers of this machine's architecture are for the tools that run here.
    let sources = [SOURCES.as_slice(), &[&own, "arch/x86"]].concat();
    store.extract(ctx, &patched.tree, &sources, &source)?;
    fs::create_dir_all(&out)?;
    prune(&source.join(SELFTESTS), wanted.tests)?;
    make(ctx, wanted, &source, &out)?;
    fs::remove_dir_all(&source).context("cannot remove the source of the selftests")?;
    let done = ctx.cache.temp("selftests")?;
    keep(ctx, target, &out, done.path())?;
    done.place(&dir)?;
    Ok((dir, false))
}

/// Removes the tests that are not wanted, and the BPF programs that no wanted one loads.
fn prune(selftests: &Path, tests: &[String]) -> Result<()> {
    let mut programs = BTreeSet::new();
    for test in tests {
        let path = selftests.join("prog_tests").join(test).with_extension("c");
        let text =
            fs::read_to_string(&path).with_context(|| format!("the patched tree has no selftest {test}"))?;
        programs.extend(loaded(&text));
    }
    for (folder, kept) in
        [("prog_tests", &tests.iter().cloned().collect::<BTreeSet<_>>()), ("progs", &programs)]
    {
        for entry in fs::read_dir(selftests.join(folder))? {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|extension| extension == "c") && !kept.contains(&name) {
                fs::remove_file(&path).with_context(|| format!("cannot leave out {}", path.display()))?;
            }
        }
    }
    Ok(())
}

/// The BPF programs that the source of a test names: skeletons that it includes, objects that it opens.
fn loaded(test: &str) -> BTreeSet<String> {
    let named = |word: &str| {
        let word = word.strip_prefix("./").unwrap_or(word);
        let name =
            [".skel.h", ".lskel.h", ".subskel.h", ".bpf.o"].iter().find_map(|end| word.strip_suffix(end));
        name.map(str::to_owned)
    };
    test.split('"').filter_map(named).collect()
}

fn make(ctx: &Ctx, wanted: &Wanted<'_>, source: &Path, out: &Path) -> Result<()> {
    let target = wanted.target;
    let mut make = Command::new("make");
    make.arg("-C").arg(source.join(SELFTESTS)).arg(format!("-j{}", wanted.jobs));
    make.arg(format!("OUTPUT={}", out.display()));
    make.arg(format!("VMLINUX_BTF={}", wanted.kernel.types().display()));
    make.arg(format!("ARCH={}", target.kernel)).arg(format!("CROSS_COMPILE={}", target.cross("")));
    make.arg(format!("CC={} {}", target.cross("gcc"), wanted.root.flags(target)));
    // What the two bpftools can do without: then they need no libraries of the other architecture.
    make.args(["SKIP_DOCS=1", "SKIP_LLVM=1", "SKIP_LIBBFD=1", "SKIP_CRYPTO=1", "KDIR=/nonexistent"]);
    make.arg(format!("CLANG={CLANG}")).arg(format!("LLVM_STRIP={STRIP}"));
    make.args(LEFT_OUT).arg(PROGRAM);
    let mut done = 0;
    let made = ["CC", "CLNG-BPF", "GEN-SKEL", "TEST-OBJ", "EXT-OBJ", "BINARY", "GEN", "LINK"];
    exec::stream(ctx, &make, "selftests-build", |line| {
        let mut words = line.split_whitespace();
        let (Some(verb), Some(what)) = (words.next(), words.next_back()) else { return };
        if made.contains(&verb) {
            done += 1;
            ctx.events.emit(&Event::Progress { done, total: TOTAL.max(done), what: what.into() });
        }
    })
    .with_context(|| format!("the kernel's selftests do not build for {}", target.name))?;
    Ok(())
}

/// Moves what the guest needs from `out` to `into`, without what only a debugger reads.
fn keep(ctx: &Ctx, target: &Target, out: &Path, into: &Path) -> Result<()> {
    let program = out.join(PROGRAM);
    ensure!(program.exists(), "make ended well but left no {PROGRAM}");
    let bpftool = out.join(BPFTOOL);
    ensure!(bpftool.exists(), "make ended well but left no bpftool for {}", target.name);
    let mut strip = Command::new(target.cross("strip"));
    exec::stream(ctx, strip.arg("--strip-debug").args([&program, &bpftool]), "strip", |_| ())?;
    build::keep(out, into, &[PROGRAM])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_names_the_programs_that_it_loads() {
        let text = "#include <test_progs.h>\n#include \"a.skel.h\"\n#include \"b_c.lskel.h\"\n#include \"x.h\"\n\
                    obj = bpf_object__open_file(\"./d.bpf.o\", NULL);\n";
        assert_eq!(loaded(text), ["a", "b_c", "d"].map(str::to_owned).into());
    }

    #[test]
    fn what_no_wanted_test_needs_is_left_out() {
        let dir = std::env::temp_dir().join(format!("foreign-tests-{}", std::process::id()));
        for (file, text) in [
            ("prog_tests/mine.c", "#include \"mine.skel.h\"\n"),
            ("prog_tests/theirs.c", "#include \"theirs.skel.h\"\n"),
            ("prog_tests/common.h", ""),
            ("progs/mine.c", ""),
            ("progs/theirs.c", ""),
            ("progs/common.h", ""),
        ] {
            fs::create_dir_all(dir.join(file).parent().unwrap()).unwrap();
            fs::write(dir.join(file), text).unwrap();
        }
        prune(&dir, &["mine".into()]).unwrap();
        let there = |file: &str| dir.join(file).exists();
        assert!(there("prog_tests/mine.c") && there("progs/mine.c"));
        assert!(there("prog_tests/common.h") && there("progs/common.h"));
        assert!(!there("prog_tests/theirs.c") && !there("progs/theirs.c"));
        assert!(prune(&dir, &["absent".into()]).unwrap_err().to_string().contains("no selftest absent"));
        fs::remove_dir_all(dir).unwrap();
    }
}
