// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things are in the folder of an unpacked kernel. Debian's packages differ in it, the cache does not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Line, choose::Found};

/// The part of the cache.
pub const PART: &str = "stock";

/// Hardware that QEMU's machine has and no program here uses. Loading drivers for all of it costs more than the rest of an
/// emulated boot.
pub const UNUSED: &str = "modprobe.blacklist=ahci,sr_mod,sg,psmouse,pcspkr,i2c_i801,lpc_ich,iTCO_wdt,i6300esb,bochs,\
     aesni_intel,ghash_clmulni_intel,sha512_ssse3,sha256_ssse3,sha1_ssse3";

/// Nor has a guest any of its own.
const VIRTUALIZATION: &str = "modprobe.blacklist=kvm_amd,kvm_intel,kvm,ccp";

/// Words for the kernel's command line.
pub const APPEND: &[&str] = &[UNUSED, VIRTUALIZATION];

/// A kernel in the cache.
#[derive(Clone, Debug)]
pub struct Stock {
    /// The name of its line.
    pub line: &'static str,
    /// `uname -r`.
    pub release: String,
    /// The packages' version.
    pub version: String,
    pub(super) dir: PathBuf,
    pub(super) busybox: PathBuf,
}

/// What is remembered of a line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// As in [`Stock`].
    pub release: String,
    /// As in [`Stock`].
    pub version: String,
}

impl Stock {
    /// The kernel `found` below `folder`, there or not.
    pub(super) fn place(folder: &Path, busybox: &Path, line: &Line, found: Found) -> Self {
        let Found { release, version } = found;
        // Two versions of one release are two kernels: Debian keeps the release where modules fit both.
        let dir = folder.join(format!("{release}_{version}"));
        Self { line: line.name, release, version, dir, busybox: busybox.into() }
    }

    /// All of it is there.
    pub(super) fn is_whole(&self) -> bool {
        let index = self.modules().join("modules.dep");
        [self.kernel(), self.config(), index, self.busybox.clone()].iter().all(|path| path.exists())
    }

    /// For people: package and version.
    pub fn name(&self) -> String {
        format!("Debian linux-image-{} {}", self.release, self.version)
    }

    /// The kernel itself (`vmlinuz`).
    pub fn kernel(&self) -> PathBuf {
        kernel(&self.dir, &self.release)
    }

    /// How Debian configured it.
    pub fn config(&self) -> PathBuf {
        config(&self.dir, &self.release)
    }

    /// The folder of its modules.
    pub fn modules(&self) -> PathBuf {
        modules(&self.dir, &self.release)
    }

    /// A busybox without libraries, to boot it with.
    pub fn busybox(&self) -> &Path {
        &self.busybox
    }
}

// virtme-ng goes up from the image until it finds `lib/modules`, and reads the release from the image's name.

fn kernel(dir: &Path, release: &str) -> PathBuf {
    dir.join("boot").join(format!("vmlinuz-{release}"))
}

pub(super) fn config(dir: &Path, release: &str) -> PathBuf {
    dir.join("boot").join(format!("config-{release}"))
}

fn modules(dir: &Path, release: &str) -> PathBuf {
    dir.join("lib/modules").join(release)
}

/// Brings what `unpacked` holds of the kernel `release` to its places below `dir`.
///
/// # Errors
/// When the packages do not hold it all: Debian has changed its layout.
pub(super) fn settle(unpacked: &Path, release: &str, dir: &Path) -> Result<()> {
    let boot = |what: &str| format!("boot/{what}-{release}");
    let beside = |what: &str| format!("usr/lib/modules/{release}/{what}");
    // The folder comes last: newer packages have the other two in it.
    let moves = [
        ([boot("vmlinuz"), beside("vmlinuz")], kernel(dir, release)),
        ([boot("config"), beside("config")], config(dir, release)),
        ([format!("lib/modules/{release}"), format!("usr/lib/modules/{release}")], modules(dir, release)),
    ];
    for (places, target) in moves {
        let from = places.iter().map(|place| unpacked.join(place)).find(|path| path.exists()).with_context(
            || format!("Debian's packages of {release} have neither {}; name the new place in vm/kernel/src/stock/layout.rs", places.join(" nor ")),
        )?;
        let parent = target.parent().unwrap_or(dir);
        fs::create_dir_all(parent)
            .and_then(|()| fs::rename(&from, &target))
            .with_context(|| format!("cannot bring {} to {}", from.display(), target.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::named;

    fn written(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
    }

    #[test]
    fn every_layout_of_the_packages_comes_to_the_same_places() {
        let root = std::env::temp_dir().join(format!("stock-test-{}", std::process::id()));
        let layouts = [
            ["boot/vmlinuz-7-amd64", "boot/config-7-amd64", "lib/modules/7-amd64/modules.dep"],
            ["boot/vmlinuz-7-amd64", "boot/config-7-amd64", "usr/lib/modules/7-amd64/modules.dep"],
            [
                "usr/lib/modules/7-amd64/vmlinuz",
                "usr/lib/modules/7-amd64/config",
                "usr/lib/modules/7-amd64/modules.dep",
            ],
        ];
        let busybox = root.join("busybox");
        for (i, layout) in layouts.iter().enumerate() {
            let found = Found { release: "7-amd64".into(), version: i.to_string() };
            let stock = Stock::place(&root, &busybox, named("7.3").unwrap(), found);
            let unpacked = root.join("unpacked");
            written(&unpacked, layout);
            settle(&unpacked, &stock.release, &stock.dir).unwrap();
            assert!(!stock.is_whole());
            written(&root, &["busybox"]);
            assert!(stock.is_whole());
            assert_eq!(fs::read_to_string(stock.kernel()).unwrap(), layout[0]);
            assert_eq!(fs::read_to_string(stock.config()).unwrap(), layout[1]);
            assert_eq!(stock.kernel(), root.join(format!("7-amd64_{i}/boot/vmlinuz-7-amd64")));
            fs::remove_file(&busybox).unwrap();
            fs::remove_dir_all(&unpacked).unwrap();
        }
        let why = settle(&root, "8-amd64", &root.join("8")).unwrap_err().to_string();
        assert!(why.contains("neither boot/vmlinuz-8-amd64 nor usr/lib/modules/8-amd64/vmlinuz"), "{why}");
        fs::remove_dir_all(root).unwrap();
    }
}
