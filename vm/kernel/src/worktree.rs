// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where kernels are built: one source and one build folder for each base, config and lineage (a series, the base
//! itself, the mutants), so that going back and forth between them rebuilds nothing. A new lineage begins as a copy of
//! another one, and rebuilds only what its patches touch. What killed make is not trusted.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, Result};
use ground::{
    cache::Temp,
    context::Ctx,
    exec,
    lock::{self, Lock},
};

use crate::folders::{BUILD, Folders};

/// The lineage of a source that was unpacked and not built yet.
const UNPACKED: &str = "unpacked";
/// What else belongs to a work tree: git's index of the source, and notes of the configuration and the build.
const NOTES: [&str; 3] = ["index", "config-key", "objects"];

/// Names a work tree.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Of the base.
    pub slug: &'a str,
    /// Of the configuration.
    pub profile: &'a str,
    /// What is built there.
    pub lineage: &'a str,
}

impl Place<'_> {
    fn folder(&self, ctx: &Ctx) -> Result<PathBuf> {
        Ok(ctx.cache.dir("work")?.join(self.name()))
    }

    fn name(&self) -> String {
        format!("{}-{}-{}", self.slug, self.profile, self.lineage)
    }

    fn lock(&self, ctx: &Ctx) -> Result<Lock> {
        lock::take(ctx, &format!("work-{}", self.name()), "building this kernel")
    }

    /// Other lineages of the same base and config, the one likest to this first.
    fn siblings(&self, ctx: &Ctx) -> Result<Vec<String>> {
        let family = format!("{}-{}-", self.slug, self.profile);
        let names =
            fs::read_dir(ctx.cache.dir("work")?)?.flatten().filter_map(|e| e.file_name().into_string().ok());
        let mut lineages: Vec<String> = names
            .filter_map(|name| name.strip_prefix(&family).map(str::to_owned))
            .filter(|lineage| lineage != self.lineage && lineage != UNPACKED)
            .collect();
        let age = |lineage: &String| {
            let folders = Folders::of(Place { lineage, ..*self }.folder(ctx).ok()?);
            fs::metadata(folders.image()).ok()?.modified().ok()?.elapsed().ok()
        };
        // A variant of a series differs least from that series. Of the others, what was built last was most likely built
        // with the fragment of today: after a change there, older objects are worth nothing.
        lineages.sort_by_cached_key(|lineage| {
            let (age, other) = (age(lineage), !self.lineage.starts_with(lineage.as_str()));
            (other, age.is_none(), age, lineage.clone())
        });
        Ok(lineages)
    }
}

/// A work tree that this run alone uses.
#[derive(Debug)]
pub struct WorkTree {
    /// Where it is.
    pub folders: Folders,
    _lock: Lock,
}

/// Takes over a tree that was unpacked and read into the store, with the index that knows it, so that it need not be
/// written a second time.
///
/// # Errors
/// When the folder cannot be renamed.
pub fn adopt(ctx: &Ctx, slug: &str, profile: &str, temp: Temp, tree: &Path) -> Result<()> {
    let dir = Place { slug, profile, lineage: UNPACKED }.folder(ctx)?;
    fs::rename(tree, temp.path().join("src")).context("cannot rename the unpacked source")?;
    temp.place(&dir)
}

/// Whether a build here can start from objects that are there already, its own or a sibling's.
///
/// # Errors
/// When the cache cannot be read.
pub fn has_objects(ctx: &Ctx, place: &Place<'_>) -> Result<bool> {
    Ok(place.folder(ctx)?.join("objects").exists() || !place.siblings(ctx)?.is_empty())
}

/// Gives a lineage that has no folder yet one to start from, if there is any. Nothing found is no fault: then the
/// source is written from the store, and all of it is built.
fn begin(ctx: &Ctx, place: &Place<'_>, dir: &Path) -> Result<()> {
    let unpacked = Place { lineage: UNPACKED, ..*place };
    {
        let _lock = unpacked.lock(ctx)?;
        let from = unpacked.folder(ctx)?;
        if from.exists() {
            return fs::rename(&from, dir).context("cannot rename the unpacked source");
        }
    }
    for lineage in place.siblings(ctx)? {
        let sibling = Place { lineage: &lineage, ..*place };
        let _lock = sibling.lock(ctx)?;
        let from = sibling.folder(ctx)?;
        if from.join("dirty").exists() || !from.join("objects").exists() {
            continue;
        }
        ctx.events.note(format!("starting from the objects of {lineage}"));
        let temp = ctx.cache.temp("work")?;
        copy(ctx, &from, temp.path())?;
        return temp.place(dir);
    }
    Ok(())
}

/// Copies a work tree. The source is linked, not copied: git replaces a file that it changes, and make writes none.
fn copy(ctx: &Ctx, from: &Path, to: &Path) -> Result<()> {
    let source = to.join("src");
    fs::create_dir(&source)?;
    let mut link = Command::new("cp");
    link.arg("-al");
    for entry in fs::read_dir(from.join("src"))? {
        let entry = entry?;
        if entry.file_name() != BUILD {
            link.arg(entry.path());
        }
    }
    exec::stream(ctx, link.arg(&source), "copy-source", |_| ())?;
    let mut objects = Command::new("cp");
    objects.args(["-a", "--reflink=auto"]).arg(from.join("src").join(BUILD)).arg(&source);
    exec::stream(ctx, &objects, "copy-objects", |_| ())?;
    for note in NOTES {
        if from.join(note).exists() {
            fs::copy(from.join(note), to.join(note)).with_context(|| format!("cannot copy {note}"))?;
        }
    }
    Ok(())
}

impl WorkTree {
    /// Takes the work tree and has `check_out` make its source, in a folder, with an index that knows what is there.
    ///
    /// # Errors
    /// When that or the file system fails.
    pub fn open(
        ctx: &Ctx,
        place: &Place<'_>,
        check_out: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<Self> {
        let lock = place.lock(ctx)?;
        let dir = place.folder(ctx)?;
        if !dir.exists() {
            begin(ctx, place, &dir)?;
        }
        let work = Self { folders: Folders::of(dir), _lock: lock };
        let (src, build) = (work.folders.src(), work.folders.build());
        fs::create_dir_all(&build).with_context(|| format!("cannot make {}", build.display()))?;
        if let Ok(marker) = fs::metadata(work.marker()) {
            let removed = remove_newer(&build, marker.modified()?)?;
            ctx.events
                .note(format!("a build was cut short here: {removed} files that it wrote are made again"));
        }
        fs::write(work.marker(), std::process::id().to_string()).context("cannot mark the build as begun")?;
        check_out(&src, &work.folders.note("index"))?;
        Ok(work)
    }

    /// There from before the first write until make has ended well.
    fn marker(&self) -> PathBuf {
        self.folders.note("dirty")
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
