// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the cache holds.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use ground::cache::Cache;
use serde::Serialize;

/// The parts of the cache, and how each can be had again.
const PARTS: [(&str, &str); 13] = [
    ("linux.git", "kernel sources as git objects; read again from the package or the folder"),
    ("work", "source and objects of kernel builds; a first build takes minutes"),
    ("kernels", "finished kernels; relinked from work/"),
    ("selftests", "the kernel's own selftests; built again in minutes"),
    ("headers", "UAPI headers of finished kernels"),
    ("source", "which kernel source was fetched"),
    ("series", "which commit a series became"),
    ("bindings", "what bindgen made of headers"),
    ("python", "virtme-ng; downloaded again"),
    ("apt", "package lists of the suites that are asked for kernels, their source and sparse"),
    ("stock", "Debian's own kernels with their modules, and the busybox to boot them; downloaded again"),
    ("foreign", "packages of other architectures, for selftests there; downloaded again"),
    ("sparse", "a sparse that new kernels accept; downloaded again"),
];

/// One part.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// Its name in the cache folder.
    pub name: &'static str,
    /// Its size.
    pub mib: u64,
    /// What it is.
    pub what: &'static str,
}

/// The parts that are there, with their sizes.
///
/// # Errors
/// When the cache cannot be read.
pub fn parts(cache: &Cache) -> Result<Vec<Part>> {
    let there = PARTS.iter().filter(|(name, _)| cache.root().join(name).exists());
    there.map(|(name, what)| Ok(Part { name, mib: size(&cache.root().join(name))? >> 20, what })).collect()
}

/// Bytes on disk below `path`.
fn size(path: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        // Another run may remove what was just listed.
        let Ok(entry) = entry else { continue };
        let Ok(meta) = entry.metadata() else { continue };
        bytes += if meta.is_dir() { size(&entry.path()).unwrap_or_default() } else { meta.blocks() * 512 };
    }
    Ok(bytes)
}
