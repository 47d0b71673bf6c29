// SPDX-License-Identifier: MIT OR Apache-2.0
//! The base: Debian's packaged kernel source, or a tree of one's own, both as one commit in the store.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use ground::{
    apt::{self, Apt},
    cache::{read_if_there, write_whole},
    context::Ctx,
    exec,
    hash::short_hash,
    lock, space,
};
use serde::{Deserialize, Serialize};

use crate::{
    base::{Base, DEFAULT, LINES, lines},
    store::Store,
    worktree,
};

/// Unpacked tree, package and store together, in MiB.
const UNPACK_MIB: u64 = 2600;

/// Where the base comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Debian's package; `refresh` asks the archive for a newer one.
    Debian {
        /// Of [`lines`].
        line: String,
        /// Ask even if one is recorded.
        refresh: bool,
    },
    /// A tree of one's own.
    Folder(PathBuf),
}

/// What is remembered of the package.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    package: String,
    version: String,
    commit: String,
}

/// Gets the base; says whether it was in the cache. What had to be unpacked for it is kept to be built with `profile`.
///
/// # Errors
/// No space, no network with an empty cache, no such package, no kernel tree in the folder.
pub fn get(ctx: &Ctx, store: &Store, origin: &Origin, profile: &str, offline: bool) -> Result<(Base, bool)> {
    match origin {
        Origin::Debian { line, refresh } => debian(ctx, store, line, *refresh, profile, offline),
        Origin::Folder(dir) => folder(ctx, store, dir).map(|base| (base, false)),
    }
}

fn debian(
    ctx: &Ctx,
    store: &Store,
    line: &str,
    refresh: bool,
    profile: &str,
    offline: bool,
) -> Result<(Base, bool)> {
    let (_, suites) = LINES
        .into_iter()
        .find(|(known, _)| *known == line)
        .with_context(|| format!("there is no base `{line}`; there are: {}", lines().join(", ")))?;
    let package = format!("linux-source-{line}");
    let record_path = ctx.cache.dir("source")?.join(format!("{package}.json"));
    let _lock = lock::take(ctx, &package, "fetching the kernel source")?;
    let known = read_if_there(&record_path)?
        .and_then(|text| serde_json::from_str::<Record>(&text).ok())
        // A store that was cleaned away takes the record with it.
        .filter(|record| store.resolve(ctx, &format!("{}^{{commit}}", record.commit)).is_ok());
    let base = |record: &Record| Base {
        commit: record.commit.clone(),
        line: line.to_owned(),
        name: format!("Debian {} {}", record.package, record.version),
        slug: format!("debian-{line}"),
        pinned: line == DEFAULT,
    };
    if let Some(record) = &known
        && !refresh
    {
        return Ok((base(record), true));
    }
    if offline {
        bail!("{package} is not in the cache and --offline forbids to fetch it: run once without --offline");
    }
    space::need(ctx.cache.root(), UNPACK_MIB, "to unpack the kernel source")?;
    let (apt, version) = newest(ctx, &package, suites)?;
    if let Some(record) = &known
        && record.version == version
    {
        return Ok((base(record), true));
    }
    let temp = ctx.cache.temp("source")?;
    let deb = apt.download(ctx, &package, &version, temp.path())?;
    let tree = unpack(ctx, &deb, temp.path(), &package)?;
    let tree_id = store.import(ctx, &tree, &temp.path().join("index"))?;
    let commit = store.commit(ctx, &tree_id, &format!("{package} {version}"))?;
    let record = Record { package, version, commit };
    let base = base(&record);
    worktree::adopt(ctx, &base.slug, profile, temp, &tree)?;
    write_whole(&record_path, &serde_json::to_vec_pretty(&record)?)?;
    Ok((base, false))
}

/// The first suite that has the package, and the version there.
fn newest(ctx: &Ctx, package: &str, suites: [&str; 3]) -> Result<(Apt, String)> {
    let mut first_error = None;
    for suite in suites {
        let found = Apt::open(ctx, suite).and_then(|apt| {
            apt.update(ctx)?;
            let version = apt.newest(ctx, package)?;
            Ok((apt, version))
        });
        match found {
            Ok(found) => return Ok(found),
            Err(e) => {
                ctx.still_wanted()?;
                ctx.events.note(format!("not from {suite}"));
                first_error.get_or_insert(e);
            }
        }
    }
    Err(first_error.unwrap_or_else(|| anyhow::anyhow!("no suite to ask")))
        .with_context(|| {
            format!(
                "cannot get {package} from the archive (no network?); give a tree of your own with --kernel-src DIR"
            )
        })
}

/// Unpacks the package and the archive in it, and gives the tree.
fn unpack(ctx: &Ctx, deb: &Path, into: &Path, package: &str) -> Result<PathBuf> {
    apt::unpack(ctx, deb, &into.join("deb"))?;
    let archive = into.join("deb/usr/src").join(format!("{package}.tar.xz"));
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(&archive).arg("-C").arg(into);
    exec::stream(ctx, &tar, "tar", |_| ())?;
    fs::remove_dir_all(into.join("deb"))?;
    fs::remove_file(deb)?;
    let tree = into.join(package);
    ensure!(tree.join("Kbuild").exists() || tree.join("Makefile").exists(), "{package} holds no kernel tree");
    Ok(tree)
}

fn folder(ctx: &Ctx, store: &Store, dir: &Path) -> Result<Base> {
    let dir = dir.canonicalize().with_context(|| format!("cannot read --kernel-src {}", dir.display()))?;
    ensure!(
        dir.join("Makefile").exists() && dir.join("kernel").is_dir(),
        "--kernel-src {} is no kernel tree: it has no Makefile or no folder kernel/",
        dir.display()
    );
    let slug = format!("dir-{}", short_hash(&[dir.to_string_lossy().as_bytes()]));
    let _lock = lock::take(ctx, &slug, "reading this kernel tree")?;
    let tree = store.import(ctx, &dir, &ctx.cache.dir("source")?.join(format!("{slug}.index")))?;
    let commit = store.commit(ctx, &tree, "--kernel-src")?;
    Ok(Base {
        line: line_of(&store.file(ctx, &commit, "Makefile")?),
        name: format!("{} (tree {})", dir.display(), &tree[..12.min(tree.len())]),
        commit,
        slug,
        pinned: false,
    })
}

/// Version and patch level, from a kernel's Makefile; empty if it tells none.
fn line_of(makefile: &str) -> String {
    let value = |name: &str| {
        makefile.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().strip_prefix('=')?.trim()))
    };
    match (value("VERSION"), value("PATCHLEVEL")) {
        (Some(version), Some(level)) => format!("{version}.{level}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn a_makefile_tells_the_line_of_its_kernel() {
        assert_eq!(line_of("# x\nVERSION = 7\nPATCHLEVEL = 2\nSUBLEVEL = 13\n"), "7.2");
        assert_eq!(line_of("all:\n"), "");
    }
}
