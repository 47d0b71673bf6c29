// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel with a series, built for another architecture, and the types that BPF programs are compiled against.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use ground::{
    cache::{read_if_there, write_whole},
    context::Ctx,
    events::Event,
    exec,
    hash::{hash, sha256},
    space,
};
use serde::{Deserialize, Serialize};
use xshell::cmd;

use super::target::Target;
use crate::{
    base::Base,
    folders::Folders,
    fragment,
    patched::Patched,
    store::Store,
    toolchain::version_of,
    worktree::{self, Place, WorkTree},
};

/// What a first build writes, source and objects, and one that begins with those of another, in MiB.
const FIRST_BUILD_MIB: u64 = 4000;
const NEXT_BUILD_MIB: u64 = 2000;
/// Objects of a first build, until one has told the real number.
const TOTAL: u64 = 1200;
/// Files of a kernel in the cache.
const FILES: [&str; 4] = ["image", "config", "vmlinux.btf", "manifest.json"];

/// How it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// `uname -r`.
    pub release: String,
    /// SHA-256 of the final configuration.
    pub config_sha256: String,
    /// First line of what the compiler says of its version.
    pub compiler: String,
}

/// A kernel that can be booted.
#[derive(Clone, Debug)]
pub struct Kernel {
    dir: PathBuf,
    /// How it was made.
    pub manifest: Manifest,
}

impl Kernel {
    /// What QEMU boots.
    pub fn image(&self) -> PathBuf {
        self.dir.join("image")
    }

    /// Its types, in its own order of bytes.
    pub fn types(&self) -> PathBuf {
        self.dir.join("vmlinux.btf")
    }

    fn open(dir: &Path) -> Option<Self> {
        let manifest = serde_json::from_str(&fs::read_to_string(dir.join("manifest.json")).ok()?).ok()?;
        FILES.iter().all(|name| dir.join(name).exists()).then(|| Self { dir: dir.into(), manifest })
    }
}

/// What to build.
pub struct Wanted<'a> {
    /// For which architecture.
    pub target: &'a Target,
    /// From where.
    pub base: &'a Base,
    /// With what on it.
    pub patched: &'a Patched,
    /// The name of the series, which ends the release.
    pub series: &'a str,
    /// The work tree it is built in.
    pub lineage: &'a str,
    /// Jobs of make.
    pub jobs: u32,
}

/// The text of the fragments for `target`, those of all architectures first.
///
/// # Errors
/// When one cannot be read.
pub fn fragment(root: &Path, target: &Target) -> Result<String> {
    let read = |name: &&str| {
        let path = root.join("vm/config").join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    target.fragments.iter().map(read).collect()
}

/// The kernel from the cache, or built now; says whether it was there.
///
/// # Errors
/// No space, options that Kconfig dropped, compile errors.
pub fn get(ctx: &Ctx, store: &Store, wanted: &Wanted<'_>) -> Result<(Kernel, bool)> {
    let target = wanted.target;
    let fragment = fragment(&ctx.root, target)?;
    let (compiler, pahole) = (version_of(ctx, &target.cross("gcc")), version_of(ctx, "pahole"));
    let parts = [target.name, &wanted.patched.tree, wanted.series, &fragment, &compiler, &pahole];
    let dir = ctx.cache.dir("kernels")?.join(hash(&parts.map(str::as_bytes)));
    if let Some(kernel) = Kernel::open(&dir) {
        return Ok((kernel, true));
    }
    let place = Place { slug: &wanted.base.slug, profile: target.name, lineage: wanted.lineage };
    let mib = if worktree::has_objects(ctx, &place)? { NEXT_BUILD_MIB } else { FIRST_BUILD_MIB };
    space::need(ctx.cache.root(), mib, "to build the kernel")?;
    let check_out = |src: &Path, index: &Path| store.check_out(ctx, &wanted.patched.tree, src, index);
    let work = WorkTree::open(ctx, &place, check_out)?;
    if let Some(kernel) = Kernel::open(&dir) {
        // Another run built it while this one waited.
        work.built()?;
        return Ok((kernel, true));
    }
    let make = Make { ctx, folders: &work.folders, wanted };
    let key = hash(
        &[store.kconfig_id(ctx, &wanted.patched.tree)?, fragment.clone(), compiler.clone()]
            .map(String::into_bytes)
            .each_ref()
            .map(Vec::as_slice),
    );
    make.configure(&fragment, &key)?;
    make.build()?;
    let temp = ctx.cache.temp("kernels")?;
    make.keep(temp.path(), compiler)?;
    temp.place(&dir)?;
    work.built()?;
    let kernel = Kernel::open(&dir).context("the kernel just built cannot be read back")?;
    Ok((kernel, false))
}

struct Make<'a> {
    ctx: &'a Ctx,
    folders: &'a Folders,
    wanted: &'a Wanted<'a>,
}

impl Make<'_> {
    fn run(&self, words: &[&str], log: &str, on_line: impl FnMut(&str)) -> Result<()> {
        let target = self.wanted.target;
        let mut make = Command::new("make");
        make.arg("-C").arg(self.folders.src()).arg(format!("O={}", self.folders.build().display()));
        make.arg(format!("-j{}", self.wanted.jobs));
        make.arg(format!("ARCH={}", target.kernel)).arg(format!("CROSS_COMPILE={}", target.cross("")));
        make.arg(format!("LOCALVERSION=-{}", self.wanted.series)).args(words);
        make.env("KBUILD_BUILD_TIMESTAMP", "Thu Jan  1 00:00:00 UTC 2026")
            .env("KBUILD_BUILD_USER", "xtask")
            .env("KBUILD_BUILD_HOST", "xtask")
            .env("KBUILD_BUILD_VERSION", "1");
        exec::stream(self.ctx, &make, log, on_line)?;
        Ok(())
    }

    /// Writes `.config` unless the one that is there was made from the same.
    fn configure(&self, fragment: &str, key: &str) -> Result<()> {
        let config = self.folders.build().join(".config");
        let memory = self.folders.note("config-key");
        if !config.exists() || read_if_there(&memory)?.as_deref() != Some(key) {
            self.run(&["tinyconfig"], "tinyconfig", |_| ())?;
            let tiny = fs::read_to_string(&config).context("`make tinyconfig` left no .config")?;
            // Of two lines about one option the later one counts.
            fs::write(&config, tiny + fragment).context("cannot write .config")?;
            self.run(&["olddefconfig"], "olddefconfig", |_| ())?;
            write_whole(&memory, key.as_bytes())?;
        }
        fragment::check(&fs::read_to_string(&config)?, fragment)?;
        Ok(())
    }

    fn build(&self) -> Result<()> {
        let memory = self.folders.note("objects");
        let known = read_if_there(&memory)?.and_then(|text| text.trim().parse::<u64>().ok());
        let (total, mut done) = (known.unwrap_or(TOTAL), 0);
        let target = self.wanted.target;
        self.run(&[target.image.0, "vmlinux"], "kernel-build", |line| {
            if let Some(("CC" | "AS", object)) = line.trim_start().split_once(' ') {
                done += 1;
                let what = object.trim().into();
                self.ctx.events.emit(&Event::Progress { done, total: total.max(done), what });
            }
        })
        .with_context(|| format!("the kernel does not build for {}", target.name))?;
        if known.is_none_or(|known| known < done) {
            write_whole(&memory, done.to_string().as_bytes())?;
        }
        Ok(())
    }

    /// Copies what is needed of the build to `into`.
    fn keep(&self, into: &Path, compiler: String) -> Result<()> {
        let (build, target) = (self.folders.build(), self.wanted.target);
        let image = build.join(target.image.1);
        fs::copy(&image, into.join("image")).with_context(|| format!("make left no {}", image.display()))?;
        let config = fs::read(build.join(".config"))?;
        fs::write(into.join("config"), &config)?;
        let (sh, objcopy) = (&self.ctx.sh, target.cross("objcopy"));
        let (vmlinux, types) = (build.join("vmlinux"), into.join("vmlinux.btf"));
        exec::read(self.ctx, cmd!(sh, "{objcopy} -O binary --only-section=.BTF {vmlinux} {types}"))?;
        let holds = fs::metadata(&types).is_ok_and(|meta| meta.len() > 0);
        ensure!(holds, "the kernel holds no types (CONFIG_DEBUG_INFO_BTF)");
        let release = fs::read_to_string(build.join("include/config/kernel.release"))
            .context("the build left no name of its release")?;
        let manifest = Manifest { release: release.trim().into(), config_sha256: sha256(&config), compiler };
        fs::write(into.join("manifest.json"), serde_json::to_vec_pretty(&manifest)?)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kselftest::foreign::target::Arch;

    #[test]
    fn no_fragment_says_two_things_of_one_option() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        for arch in Arch::ALL {
            let text = fragment(root, arch.target()).unwrap();
            let name = |line: &str| {
                line.trim_start_matches("# ").split(['=', ' ']).next().unwrap_or_default().to_owned()
            };
            let mut names: Vec<String> =
                text.lines().filter(|line| line.contains("CONFIG_")).map(name).collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{arch:?}");
            assert!(text.contains("CONFIG_DEBUG_INFO_BTF=y"), "{arch:?}");
        }
    }
}
