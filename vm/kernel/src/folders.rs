// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where source, objects and notes of a work tree are.

use std::path::PathBuf;

/// The build folder, inside the source: kbuild then names all files relative to it, and the two can be copied to
/// another place without a single object being out of date. No kernel tree tracks a name that begins with a dot.
pub const BUILD: &str = ".build";
/// What a whole build leaves in it.
const IMAGE: &str = "arch/x86/boot/bzImage";

/// The folders of a work tree.
#[derive(Debug)]
pub struct Folders {
    dir: PathBuf,
}

impl Folders {
    /// Those in `dir`.
    pub fn of(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The source.
    pub fn src(&self) -> PathBuf {
        self.dir.join("src")
    }

    /// The objects.
    pub fn build(&self) -> PathBuf {
        self.src().join(BUILD)
    }

    /// The kernel, once it is built.
    pub fn image(&self) -> PathBuf {
        self.build().join(IMAGE)
    }

    /// A small file kept beside them.
    pub fn note(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}
