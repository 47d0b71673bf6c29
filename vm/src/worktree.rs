// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where kernels are built: one source and one build folder for each base and config. Base and series share them, so
//! that the second kernel rebuilds only what the series touches. What killed make is not trusted.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

use crate::{
    cache::Temp,
    context::Ctx,
    lock::{self, Lock},
    store::Store,
};

/// A work tree that this run alone uses.
#[derive(Debug)]
pub struct WorkTree {
    dir: PathBuf,
    _lock: Lock,
}

/// The folder of the work tree for a base and a config profile.
fn folder(ctx: &Ctx, slug: &str, profile: &str) -> Result<PathBuf> {
    Ok(ctx.cache.dir("work")?.join(format!("{slug}-{profile}")))
}

/// Takes over a tree that was unpacked and read into the store, with the index that knows it, so that it need not be
/// written a second time.
///
/// # Errors
/// When the folder cannot be renamed.
pub fn adopt(ctx: &Ctx, slug: &str, profile: &str, temp: Temp, tree: &Path) -> Result<()> {
    let dir = folder(ctx, slug, profile)?;
    if dir.exists() {
        return Ok(());
    }
    fs::rename(tree, temp.path().join("src")).context("cannot rename the unpacked source")?;
    temp.place(&dir)
}

impl WorkTree {
    /// Takes the work tree and makes its source `tree`.
    ///
    /// # Errors
    /// When git or the file system fails.
    pub fn open(ctx: &Ctx, store: &Store, slug: &str, profile: &str, tree: &str) -> Result<Self> {
        let lock = lock::take(ctx, &format!("work-{slug}-{profile}"), "building this kernel")?;
        let dir = folder(ctx, slug, profile)?;
        fs::create_dir_all(dir.join("build")).with_context(|| format!("cannot make {}", dir.display()))?;
        let work = Self { dir, _lock: lock };
        if let Ok(marker) = fs::metadata(work.marker()) {
            let removed = remove_newer(&work.build(), marker.modified()?)?;
            ctx.events
                .note(format!("a build was cut short here: {removed} files that it wrote are made again"));
        }
        fs::write(work.marker(), std::process::id().to_string()).context("cannot mark the build as begun")?;
        store.check_out(ctx, tree, &work.src(), &work.dir.join("index"))?;
        Ok(work)
    }

    /// The source.
    pub fn src(&self) -> PathBuf {
        self.dir.join("src")
    }

    /// The objects.
    pub fn build(&self) -> PathBuf {
        self.dir.join("build")
    }

    /// A small file kept beside them.
    pub fn note(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// There from before the first write until make has ended well.
    fn marker(&self) -> PathBuf {
        self.dir.join("dirty")
    }

    /// What was written is whole.
    ///
    /// # Errors
    /// When the marker cannot be removed.
    pub fn built(&self) -> Result<()> {
        fs::remove_file(self.marker()).context("cannot mark the build as ended")
    }
}

/// Removes the files below `dir` that are not older than `since`; gives how many.
fn remove_newer(dir: &Path, since: SystemTime) -> Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            removed += remove_newer(&entry.path(), since)?;
        } else if kind.is_file() && entry.metadata()?.modified()? >= since {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_what_the_killed_build_wrote_is_removed() {
        let dir = std::env::temp_dir().join(format!("newer-test-{}", std::process::id()));
        fs::create_dir_all(dir.join("kernel")).unwrap();
        let since = SystemTime::now() - Duration::from_secs(60);
        for (name, age) in [("kernel/old.o", 120), ("kernel/half.o", 30), ("new", 1)] {
            let file = fs::File::create(dir.join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        assert_eq!(remove_newer(&dir, since).unwrap(), 2);
        assert!(dir.join("kernel/old.o").exists() && !dir.join("kernel/half.o").exists());
        fs::remove_dir_all(dir).unwrap();
    }
}
