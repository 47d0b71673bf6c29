// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes finished kernels in the cache, each under a key made from everything that decides what it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ground::{
    cache::{read_if_there, write_whole},
    context::Ctx,
    hash::{hash, sha256, short_hash},
    space,
};

use crate::{
    base::Base,
    build::Make,
    config::{self, MakeOne},
    finished::{Kernel, Manifest},
    patched::Patched,
    profile::Profile,
    store::Store,
    toolchain,
    worktree::{self, WorkTree},
};

/// What a first build writes, and one that begins with a copy of the objects of another, in MiB.
const FIRST_BUILD_MIB: u64 = 6000;
const NEXT_BUILD_MIB: u64 = 3000;

/// What to build.
pub struct Wanted<'a> {
    /// From where.
    pub base: &'a Base,
    /// With what on it.
    pub patched: &'a Patched,
    /// The name of the series, which ends the release.
    pub series: &'a str,
    /// The work tree it is built in.
    pub lineage: &'a str,
    /// Configured how.
    pub profile: &'a Profile,
    /// Jobs of make.
    pub jobs: u32,
}

impl Wanted<'_> {
    fn place(&self) -> worktree::Place<'_> {
        worktree::Place { slug: &self.base.slug, profile: &self.profile.name, lineage: self.lineage }
    }

    /// With its source as the series has it.
    fn work_tree(&self, ctx: &Ctx, store: &Store) -> Result<WorkTree> {
        let check_out = |src: &Path, index: &Path| store.check_out(ctx, &self.patched.tree, src, index);
        WorkTree::open(ctx, &self.place(), check_out)
    }

    fn key(&self, toolchain: &(String, String)) -> String {
        let parts = [&self.patched.tree, self.series, &self.profile.fragment, &toolchain.0, &toolchain.1];
        hash(&parts.map(str::as_bytes))
    }
}

/// The kernel from the cache, or built now; says whether it was there.
///
/// # Errors
/// No space, options that Kconfig dropped, compile errors.
pub fn get(ctx: &Ctx, store: &Store, wanted: &Wanted<'_>) -> Result<(Kernel, bool)> {
    let toolchain = toolchain::toolchain(ctx);
    let dir = ctx.cache.dir("kernels")?.join(wanted.key(&toolchain));
    if let Some(kernel) = Kernel::open(&ctx.cache, &dir) {
        return Ok((kernel, true));
    }
    let place = wanted.place();
    let mib = if worktree::has_objects(ctx, &place)? { NEXT_BUILD_MIB } else { FIRST_BUILD_MIB };
    space::need(ctx.cache.root(), mib, "to build the kernel")?;
    let work = wanted.work_tree(ctx, store)?;
    if let Some(kernel) = Kernel::open(&ctx.cache, &dir) {
        // Another run built it while this one waited.
        work.built()?;
        return Ok((kernel, true));
    }
    let make = Make::new(&work.folders, wanted.jobs, wanted.series, &toolchain);
    configure(ctx, store, &work, &make, wanted)?;
    let image = make.image(ctx)?;
    let headers = headers(ctx, &make)?;
    let config = fs::read(work.folders.build().join(".config"))?;
    let temp = ctx.cache.temp("kernels")?;
    fs::copy(&image, temp.path().join("bzImage")).context("cannot keep the kernel")?;
    fs::write(temp.path().join("config"), &config)?;
    let manifest = Manifest {
        release: make.release()?,
        config_sha256: sha256(&config),
        compiler: make.compiler.clone(),
        headers,
    };
    fs::write(temp.path().join("manifest.json"), serde_json::to_vec_pretty(&manifest)?)?;
    temp.place(&dir)?;
    work.built()?;
    let kernel = Kernel::open(&ctx.cache, &dir).context("the kernel just built cannot be read back")?;
    Ok((kernel, false))
}

/// The headers of a kernel that need not be built for them; says whether they were there.
///
/// # Errors
/// No space; make's failures.
pub fn headers_alone(ctx: &Ctx, store: &Store, wanted: &Wanted<'_>) -> Result<(PathBuf, bool)> {
    let include = |name: &str| ctx.cache.root().join("headers").join(name).join("include");
    let toolchain = toolchain::toolchain(ctx);
    if let Some(kernel) = Kernel::open(&ctx.cache, &ctx.cache.dir("kernels")?.join(wanted.key(&toolchain))) {
        return Ok((kernel.include, true));
    }
    let memory = ctx.cache.dir("headers")?.join(format!("of-{}", wanted.patched.tree));
    if let Some(name) = read_if_there(&memory)?
        && include(&name).exists()
    {
        return Ok((include(&name), true));
    }
    let work = wanted.work_tree(ctx, store)?;
    let name = headers(ctx, &Make::new(&work.folders, wanted.jobs, wanted.series, &toolchain))?;
    work.built()?;
    write_whole(&memory, name.as_bytes())?;
    Ok((include(&name), false))
}

/// Compiles single `objects` anew, with more words for make; gives the log.
///
/// # Errors
/// Those of configuring; compile errors.
pub fn compile(
    ctx: &Ctx,
    store: &Store,
    wanted: &Wanted<'_>,
    objects: &[String],
    more: &[&str],
) -> Result<PathBuf> {
    let toolchain = toolchain::toolchain(ctx);
    let work = wanted.work_tree(ctx, store)?;
    let make = Make::new(&work.folders, wanted.jobs, wanted.series, &toolchain);
    configure(ctx, store, &work, &make, wanted)?;
    for object in objects {
        // What is up to date would not be compiled, and say nothing.
        let path = work.folders.build().join(object);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    let targets: Vec<&str> = more.iter().copied().chain(objects.iter().map(String::as_str)).collect();
    let log = make.run(ctx, &targets, &format!("objects-{}", wanted.series), |_| ())?;
    work.built()?;
    Ok(log)
}

fn configure(
    ctx: &Ctx,
    store: &Store,
    work: &WorkTree,
    make: &Make<'_>,
    wanted: &Wanted<'_>,
) -> Result<bool> {
    let run = |target: &str| make.run(ctx, &[target], target, |_| ()).map(drop);
    let one = MakeOne { compiler: &make.compiler, run: &run };
    let source = store.kconfig_id(ctx, &wanted.patched.tree)?;
    config::configure(&work.folders, &source, wanted.profile, one)
}

/// Installs the headers in a folder named after their content: what is compiled against them stays fresh while only
/// the kernel's own source changes.
fn headers(ctx: &Ctx, make: &Make<'_>) -> Result<String> {
    let temp = ctx.cache.temp("headers")?;
    make.headers(ctx, temp.path())?;
    let mut files = Vec::new();
    collect(temp.path(), &mut files)?;
    files.sort();
    let mut parts = Vec::new();
    for file in &files {
        let name = file.strip_prefix(temp.path()).unwrap_or(file).to_string_lossy().into_owned();
        parts.push(name.into_bytes());
        parts.push(fs::read(file)?);
    }
    let name = short_hash(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let place = ctx.cache.dir("headers")?.join(&name);
    if !place.exists() {
        temp.place(&place)?;
    }
    Ok(name)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
