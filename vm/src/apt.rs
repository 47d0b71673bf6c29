// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages of Debian's suites through apt, in a private state folder: apt checks the archive's signature, and the
//! machine's own apt set-up stays as it was.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::{context::Ctx, exec};

/// The archive's keys, as the package debian-archive-keyring installs them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A private view of one suite.
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Prepares the state folder for `suite` from the mirror that the machine itself uses.
    ///
    /// # Errors
    /// When the machine has no apt, no Debian keyring, or no Debian mirror.
    pub fn open(ctx: &Ctx, suite: &str) -> Result<Self> {
        if exec::which("apt-get").is_none() {
            bail!(
                "no apt-get here to fetch the kernel source with; give a tree of your own with --kernel-src DIR"
            );
        }
        if !Path::new(KEYRING).exists() {
            bail!(
                "{KEYRING} is missing, so the archive's signature cannot be checked; install \
                 debian-archive-keyring, or give a tree of your own with --kernel-src DIR"
            );
        }
        // A folder for each suite: two runs may ask for different ones at a time.
        let folder = ctx.cache.dir("apt")?.join(suite);
        for part in ["lists/partial", "archives/partial", "sources"] {
            fs::create_dir_all(folder.join(part)).context("cannot make apt's state folder")?;
        }
        let sources = format!(
            "Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n",
            mirror(ctx)?
        );
        fs::write(folder.join("sources").join("debian.sources"), sources)?;
        Ok(Self { folder })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let folder = self.folder.display();
        for option in [
            format!("Dir::State::Lists={folder}/lists"),
            format!("Dir::Cache={folder}"),
            "Dir::Etc::SourceList=/dev/null".into(),
            format!("Dir::Etc::SourceParts={folder}/sources"),
            "Acquire::Languages=none".into(),
            "Acquire::Retries=3".into(),
        ] {
            command.arg("-o").arg(option);
        }
        if rustix::process::geteuid().is_root() {
            // The user _apt cannot write below root's home; without this apt warns of it.
            command.args(["-o", "APT::Sandbox::User=root"]);
        }
        command.current_dir(&self.folder);
        command
    }

    /// Reads the suite's list of packages again.
    ///
    /// # Errors
    /// When the mirror cannot be reached or its signature is wrong.
    pub fn update(&self, ctx: &Ctx) -> Result<()> {
        // Lists of the suite are signed: apt itself fails on a wrong signature, given this option also on a missing file.
        let mut update = self.command("apt-get");
        update.args(["-o", "APT::Update::Error-Mode=any", "update"]);
        exec::stream(ctx, &update, "apt-update", |_| ())?;
        Ok(())
    }

    /// The newest version of `package` in the suite.
    ///
    /// # Errors
    /// When the suite has no such package.
    pub fn newest(&self, ctx: &Ctx, package: &str) -> Result<String> {
        let mut madison = self.command("apt-cache");
        madison.args(["madison", package]);
        let mut newest = None;
        exec::stream(ctx, &madison, "apt-madison", |line| {
            // linux-source-7.3 | 7.3.4-1 | mirror suite/main amd64 Packages; the newest comes first
            if newest.is_none() {
                newest = line.split('|').nth(1).map(|version| version.trim().to_owned());
            }
        })?;
        newest.with_context(|| {
            format!("the archive has no package {package} any more; give a tree with --kernel-src DIR")
        })
    }

    /// Downloads `package` in `version` into `into` and gives the file's path.
    ///
    /// # Errors
    /// When the download fails or the file's hash is not the signed one.
    pub fn download(&self, ctx: &Ctx, package: &str, version: &str, into: &Path) -> Result<PathBuf> {
        let mut download = self.command("apt-get");
        download.current_dir(into).args(["-q", "download", &format!("{package}={version}")]);
        exec::stream(ctx, &download, "apt-download", |_| ())?;
        let file = fs::read_dir(into)?
            .flatten()
            .map(|e| e.path())
            .find(|p| p.extension().is_some_and(|e| e == "deb"));
        file.with_context(|| format!("apt-get download {package} left no file"))
    }
}

/// Unpacks a package's files below `into`.
///
/// # Errors
/// dpkg-deb's.
pub fn unpack(ctx: &Ctx, deb: &Path, into: &Path) -> Result<()> {
    let mut dpkg = Command::new("dpkg-deb");
    dpkg.arg("-x").arg(deb).arg(into);
    exec::stream(ctx, &dpkg, "dpkg-deb", |_| ())?;
    Ok(())
}

/// The first mirror of the machine's own set-up that serves Debian.
fn mirror(ctx: &Ctx) -> Result<String> {
    let sh = &ctx.sh;
    let format = "$(ORIGIN)|$(LABEL)|$(SITE)";
    let targets = exec::read(ctx, cmd!(sh, "apt-get indextargets --format {format}"))?;
    mirror_in(&targets).context(
        "apt here knows no Debian mirror: run `apt-get update` once, or give a kernel tree of your own with \
         --kernel-src DIR",
    )
}

/// From lines of origin, label and site. Debian's security archive has another label; before the first
/// `apt-get update` origin and label are not known, and the path has to do.
fn mirror_in(targets: &str) -> Option<String> {
    let lines = || {
        targets
            .lines()
            .filter_map(|line| line.split_once("|").and_then(|(o, r)| Some((o, r.split_once('|')?))))
    };
    let named = lines().find(|(origin, (label, _))| *origin == "Debian" && *label == "Debian");
    let guessed = || lines().find(|(origin, (_, site))| origin.is_empty() && site.ends_with("/debian"));
    named.or_else(guessed).map(|(_, (_, site))| site.to_owned())
}

#[cfg(test)]
mod tests {
    use super::mirror_in;

    #[test]
    fn the_main_archive_is_found_among_others() {
        let targets = "Node|Node|https://mirror.example/node\n\
                       Debian|Debian-Security|http://mirror.example/sec\n\
                       Debian|Debian|http://mirror.example/debian\n";
        assert_eq!(mirror_in(targets).unwrap(), "http://mirror.example/debian");
        assert_eq!(mirror_in("||http://mirror.example/debian\n").unwrap(), "http://mirror.example/debian");
        assert_eq!(mirror_in("Other|Other|http://mirror.example/debian"), None);
    }
}
