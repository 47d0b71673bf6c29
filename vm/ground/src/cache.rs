// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cache folder. What is in it is named after what it was made from, made in a temporary folder beside its
//! place, and renamed: a killed run leaves rubbish that the next one removes, never half a result.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The folder that everything kept between runs lives in.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

/// Names of temporary entries begin with this and the process that makes them.
const TEMP_PREFIX: &str = ".tmp-";

impl Cache {
    /// `$XDG_CACHE_HOME/NAME`, or the same under `~/.cache`.
    ///
    /// # Errors
    /// When neither variable is an absolute path, or the folder cannot be made.
    pub fn open(name: &str) -> Result<Self> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
        let base = match (absolute("XDG_CACHE_HOME"), absolute("HOME")) {
            (Some(dir), _) => dir,
            (_, Some(home)) => home.join(".cache"),
            _ => bail!("no place for the cache: set HOME or XDG_CACHE_HOME to an absolute path"),
        };
        let root = base.join(name);
        fs::create_dir_all(&root).with_context(|| {
            format!("cannot make the cache folder {}: set XDG_CACHE_HOME to another folder", root.display())
        })?;
        Ok(Self { root })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder of the cache, made if need be.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn dir(&self, name: &str) -> Result<PathBuf> {
        let dir = self.root.join(name);
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(dir)
    }

    /// A new temporary folder beside where its content will go. What killed runs left there is removed first.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn temp(&self, parent: &str) -> Result<Temp> {
        let parent = self.dir(parent)?;
        remove_stale(&parent);
        for n in 0.. {
            let path = parent.join(format!("{TEMP_PREFIX}{}-{n}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Temp { path }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e).with_context(|| format!("cannot make {}", path.display())),
            }
        }
        bail!("no free name in {}", parent.display())
    }
}

/// Removes the temporary entries of processes that are gone.
fn remove_stale(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|n| n.strip_prefix(TEMP_PREFIX)) else { continue };
        let pid = owner.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(pid).exists() {
            // What cannot be removed is in nobody's way; `clean` shows it.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A temporary folder, removed unless it was put in its place.
#[derive(Debug)]
pub struct Temp {
    path: PathBuf,
}

impl Temp {
    /// Where it is now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, replacing what had it.
    ///
    /// # Errors
    /// When the rename fails.
    pub fn place(self, target: &Path) -> Result<()> {
        if target.exists() {
            fs::remove_dir_all(target).with_context(|| format!("cannot replace {}", target.display()))?;
        }
        fs::rename(&self.path, target)
            .with_context(|| format!("cannot rename {} to {}", self.path.display(), target.display()))
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if self.path.exists() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Writes a small file so that a reader sees the old or the new content, never a part.
///
/// # Errors
/// When the file cannot be written or renamed.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temp = path.with_file_name(format!("{TEMP_PREFIX}{}-{name}", std::process::id()));
    fs::write(&temp, content).and_then(|()| fs::rename(&temp, path)).map_err(|e| {
        let _ = fs::remove_file(&temp);
        anyhow::Error::new(e).context(format!("cannot write {}", path.display()))
    })
}

/// A file's text, or `None` if there is no such file.
///
/// # Errors
/// When it is there but cannot be read.
pub fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_a_living_one_makes_is_not() {
        let root = env::temp_dir().join(format!("cache-test-{}", std::process::id()));
        let cache = Cache { root: root.clone() };
        let parent = cache.dir("kernels").unwrap();
        // No process has the highest pid plus one.
        fs::create_dir(parent.join(".tmp-4194305-0")).unwrap();
        fs::create_dir(parent.join(".tmp-1-0")).unwrap();
        let temp = cache.temp("kernels").unwrap();
        assert!(!parent.join(".tmp-4194305-0").exists());
        assert!(parent.join(".tmp-1-0").exists());
        let placed = parent.join("key");
        temp.place(&placed).unwrap();
        assert!(placed.exists());
        fs::remove_dir_all(root).unwrap();
    }
}
