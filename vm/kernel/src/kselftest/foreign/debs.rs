// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Debian has for another architecture and has no cross package of: libraries to link with, and a busybox. They
//! are unpacked in the cache; this machine's apt learns of no other architecture.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use ground::{
    apt::{self, Apt},
    context::Ctx,
    exec, lock,
};

use super::target::Target;

/// The part of the cache.
const PART: &str = "foreign";
/// The oldest suite that has them: its libraries ask for nothing that a newer C library of the cross compiler has not.
const SUITE: &str = "bookworm";
const PACKAGES: [&str; 3] = ["libelf-dev", "zlib1g-dev", "busybox-static"];

/// The unpacked packages.
#[derive(Clone, Debug)]
pub struct Root {
    dir: PathBuf,
}

impl Root {
    /// Without libraries of its own.
    pub fn busybox(&self) -> PathBuf {
        self.dir.join("bin/busybox")
    }

    /// The options with which a compiler finds headers and libraries here, after its own.
    pub fn flags(&self, target: &Target) -> String {
        let (dir, triplet) = (self.dir.display(), target.triplet);
        format!(
            "-idirafter {dir}/usr/include -idirafter {dir}/usr/include/{triplet} -L{dir}/usr/lib/{triplet}"
        )
    }

    fn is_whole(&self, target: &Target) -> bool {
        let lib = self.dir.join("usr/lib").join(target.triplet);
        [self.busybox(), lib.join("libelf.a"), lib.join("libz.a")].iter().all(|path| path.exists())
    }
}

/// The packages of `target`, fetched unless they are there; says whether they were.
///
/// # Errors
/// No network, no space, a package that the suite does not have.
pub fn get(ctx: &Ctx, target: &Target, offline: bool) -> Result<(Root, bool)> {
    let root = Root { dir: ctx.cache.dir(PART)?.join(target.debian) };
    let _lock = lock::take(ctx, &format!("{PART}-{}", target.debian), "fetching these packages")?;
    if root.is_whole(target) {
        return Ok((root, true));
    }
    let wanted = PACKAGES.join(", ");
    if offline {
        bail!(
            "{wanted} for {} are not in the cache and --offline forbids to fetch them: run once without --offline",
            target.name
        );
    }
    fetch(ctx, target, &root).with_context(|| {
        format!(
            "cannot get {wanted} for {} from the archive (no network?); run again once there is one",
            target.name
        )
    })?;
    Ok((root, false))
}

fn fetch(ctx: &Ctx, target: &Target, root: &Root) -> Result<()> {
    // Knows the mirror, and that there are keys to check it with.
    Apt::open(ctx, SUITE)?;
    let apt = ctx.cache.dir("apt")?;
    let (sources, state) = (apt.join(SUITE).join("sources"), apt.join(format!("{SUITE}-{}", target.debian)));
    for part in ["lists/partial", "archives/partial"] {
        fs::create_dir_all(state.join(part)).context("cannot make apt's state folder")?;
    }
    let temp = ctx.cache.temp(PART)?;
    let (downloaded, unpacked) = (temp.path().join("debs"), temp.path().join("unpacked"));
    fs::create_dir_all(&downloaded)?;
    let run = |arguments: &[&str], log: &str| {
        let mut command = command(&state, &sources, target);
        exec::stream(ctx, command.args(arguments).current_dir(&downloaded), log, |_| ())
    };
    run(&["-q", "update"], "apt-update")?;
    run(&[["-q", "download"].as_slice(), &PACKAGES].concat(), "apt-download")?;
    let mut seen = 0;
    for entry in fs::read_dir(&downloaded)? {
        apt::unpack(ctx, &entry?.path(), &unpacked)?;
        seen += 1;
    }
    ensure!(seen == PACKAGES.len(), "apt downloaded {seen} packages instead of {}", PACKAGES.len());
    let whole = Root { dir: unpacked };
    ensure!(whole.is_whole(target), "the packages of {SUITE} do not hold what they used to");
    if root.dir.exists() {
        fs::remove_dir_all(&root.dir).context("cannot remove what was there of them")?;
    }
    fs::rename(&whole.dir, &root.dir).context("cannot keep the packages")
}

/// apt-get for the architecture of `target` alone.
fn command(state: &Path, sources: &Path, target: &Target) -> Command {
    let mut command = Command::new("apt-get");
    let (state, sources, debian) = (state.display(), sources.display(), target.debian);
    for option in [
        format!("Dir::State::Lists={state}/lists"),
        format!("Dir::Cache={state}"),
        "Dir::Etc::SourceList=/dev/null".into(),
        format!("Dir::Etc::SourceParts={sources}"),
        format!("APT::Architecture={debian}"),
        format!("APT::Architectures={debian}"),
        "APT::Update::Error-Mode=any".into(),
        "Acquire::Languages=none".into(),
        "Acquire::Retries=3".into(),
    ] {
        command.arg("-o").arg(option);
    }
    if rustix::process::geteuid().is_root() {
        // The user _apt cannot write below root's home; without this apt warns of it.
        command.args(["-o", "APT::Sandbox::User=root"]);
    }
    command
}
