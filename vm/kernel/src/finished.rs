// SPDX-License-Identifier: MIT OR Apache-2.0
//! A finished kernel in the cache.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ground::cache::Cache;
use serde::{Deserialize, Serialize};

/// What is kept of a build.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// `uname -r`.
    pub release: String,
    /// SHA-256 of the final configuration.
    pub config_sha256: String,
    /// First line of `gcc --version`.
    pub compiler: String,
    /// Name of the installed headers' folder in the cache.
    pub headers: String,
}

/// A kernel that can be booted.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its folder in the cache.
    pub dir: PathBuf,
    /// The folder `include/` of its installed UAPI headers.
    pub include: PathBuf,
    /// How it was made.
    pub manifest: Manifest,
}

impl Kernel {
    /// What QEMU boots.
    pub fn image(&self) -> PathBuf {
        self.dir.join("bzImage")
    }

    /// A finished kernel, unless something of it is missing.
    pub fn open(cache: &Cache, dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(dir.join("manifest.json")).ok()?;
        let manifest: Manifest = serde_json::from_str(&text).ok()?;
        let include = cache.root().join("headers").join(&manifest.headers).join("include");
        (dir.join("bzImage").exists() && include.join("linux/bpf.h").exists()).then(|| Self {
            dir: dir.into(),
            include,
            manifest,
        })
    }
}
