// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packages of Debian's suites through apt, in a private state folder: apt checks the archive's signature, and the
//! machine's own apt set-up stays as it was. What to do instead of asking the archive is the caller's to say.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::{context::Ctx, exec, lock};

/// The archive's keys, as the package debian-archive-keyring installs them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Suites of Debian's security team end so. They are in an archive of their own.
const SECURITY: &str = "-security";

/// A private view of one suite.
pub struct Apt {
    suite: String,
    folder: PathBuf,
}

impl Apt {
    /// Prepares the state folder for `suite` from the mirror that the machine itself uses.
    ///
    /// # Errors
    /// When the machine has no apt, no Debian keyring, or no Debian mirror.
    pub fn open(ctx: &Ctx, suite: &str) -> Result<Self> {
        let mirror = archive(ctx, suite)?;
        // A folder for each suite: two runs may ask for different ones at a time.
        let folder = ctx.cache.dir("apt")?.join(suite);
        for part in ["lists/partial", "archives/partial", "sources"] {
            fs::create_dir_all(folder.join(part)).context("cannot make apt's state folder")?;
        }
        let sources =
            format!("Types: deb\nURIs: {mirror}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n");
        fs::write(folder.join("sources").join("debian.sources"), sources)?;
        Ok(Self { suite: suite.to_owned(), folder })
    }

    /// The suite.
    pub fn suite(&self) -> &str {
        &self.suite
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
        // apt does not wait for another apt: it fails.
        let _lock = lock::take(ctx, &format!("apt-{}", self.suite), "reading the archive's package lists")?;
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
        // Of one package the newest version comes first.
        let newest = self.madison(ctx, &[package])?.into_iter().next();
        let (_, version) =
            newest.with_context(|| format!("the suite {} has no package {package} any more", self.suite))?;
        Ok(version)
    }

    /// All packages of the suite whose names begin with `prefix`, each with each of its versions.
    ///
    /// # Errors
    /// When apt cannot read its own lists.
    pub fn beginning_with(&self, ctx: &Ctx, prefix: &str) -> Result<Vec<(String, String)>> {
        let mut pkgnames = self.command("apt-cache");
        pkgnames.args(["pkgnames", prefix]);
        let mut names = Vec::new();
        exec::stream(ctx, &pkgnames, "apt-pkgnames", |line| names.push(line.trim().to_owned()))?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        // Some are names alone, and some only installed here: madison leaves those out.
        self.madison(ctx, &names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Names and versions of those of `packages` that the suite has.
    fn madison(&self, ctx: &Ctx, packages: &[&str]) -> Result<Vec<(String, String)>> {
        let mut madison = self.command("apt-cache");
        madison.arg("madison").args(packages);
        let mut found = Vec::new();
        exec::stream(ctx, &madison, "apt-madison", |line| found.extend(madison_line(line)))?;
        Ok(found)
    }

    /// The names of the packages that `package` in `version` depends on, alternatives too.
    ///
    /// # Errors
    /// When the suite has no such package.
    pub fn depends(&self, ctx: &Ctx, package: &str, version: &str) -> Result<Vec<String>> {
        let mut show = self.command("apt-cache");
        show.arg("show").arg(format!("{package}={version}"));
        let mut names = Vec::new();
        exec::stream(ctx, &show, "apt-show", |line| names.extend(depends_line(line)))?;
        Ok(names)
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

/// Package and version of a line of `apt-cache madison`:
/// `linux-source-7.3 | 7.3.4-1 | mirror suite/main amd64 Packages`.
fn madison_line(line: &str) -> Option<(String, String)> {
    let mut parts = line.split('|').map(|part| part.trim().to_owned());
    Some((parts.next()?, parts.next()?))
}

/// The names in a line `Depends: a | b, c (= 1)`; none in another line.
fn depends_line(line: &str) -> Vec<String> {
    let names = line.strip_prefix("Depends:").unwrap_or_default().split([',', '|']);
    names.filter_map(|name| name.split_whitespace().next()).map(str::to_owned).collect()
}

/// The mirror that will be asked for `suite`; the network is not.
///
/// # Errors
/// When the machine has no apt, no Debian keyring, or no Debian mirror.
pub fn archive(ctx: &Ctx, suite: &str) -> Result<String> {
    if exec::which("apt-get").is_none() {
        bail!("no apt-get here to ask Debian's archive with");
    }
    if !Path::new(KEYRING).exists() {
        bail!(
            "{KEYRING} is missing, so the archive's signature cannot be checked; install debian-archive-keyring"
        );
    }
    mirror(ctx, suite)
}

/// The one that is named, or the first mirror of the machine's own set-up that serves `suite`'s archive.
fn mirror(ctx: &Ctx, suite: &str) -> Result<String> {
    if let Ok(named) = env::var("XTASK_MIRROR") {
        // Where there is the one, there is the other beside it.
        let security = if suite.ends_with(SECURITY) { SECURITY } else { "" };
        return Ok(format!("{}{security}", named.trim_end_matches('/')));
    }
    let sh = &ctx.sh;
    let format = "$(ORIGIN)|$(LABEL)|$(SITE)";
    let targets = exec::read(ctx, cmd!(sh, "apt-get indextargets --format {format}"))?;
    mirror_in(&targets, suite).with_context(|| {
        format!(
            "apt here knows no mirror of Debian with the suite {suite}: name one, as in \
             XTASK_MIRROR=URL, or, on Debian itself, run `apt-get update` once"
        )
    })
}

/// From lines of origin, label and site. Debian's security archive has another label; before the first
/// `apt-get update` origin and label are not known, and the path has to do.
fn mirror_in(targets: &str, suite: &str) -> Option<String> {
    let (wanted, path) = if suite.ends_with(SECURITY) {
        ("Debian-Security", "/debian-security")
    } else {
        ("Debian", "/debian")
    };
    let lines = || {
        targets
            .lines()
            .filter_map(|line| line.split_once("|").and_then(|(o, r)| Some((o, r.split_once('|')?))))
    };
    let named = lines().find(|(origin, (label, _))| *origin == "Debian" && *label == wanted);
    let guessed = || lines().find(|(origin, (_, site))| origin.is_empty() && site.ends_with(path));
    named.or_else(guessed).map(|(_, (_, site))| site.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_of_a_suite_is_found_among_others() {
        let targets = "Node|Node|https://mirror.example/node\n\
                       Debian|Debian-Security|http://mirror.example/sec\n\
                       Debian|Debian|http://mirror.example/debian\n";
        assert_eq!(mirror_in(targets, "sid").unwrap(), "http://mirror.example/debian");
        assert_eq!(mirror_in(targets, "trixie-security").unwrap(), "http://mirror.example/sec");
        assert_eq!(
            mirror_in("||http://mirror.example/debian\n", "sid").unwrap(),
            "http://mirror.example/debian"
        );
        assert_eq!(mirror_in("||http://mirror.example/debian\n", "trixie-security"), None);
        assert_eq!(mirror_in("Other|Other|http://mirror.example/debian", "sid"), None);
    }

    #[test]
    fn names_and_versions_are_read_from_what_apt_cache_says() {
        let line = "linux-image-6.1.0-50-amd64 |  6.1.176-1 | http://mirror.example/debian bookworm/main amd64 Packages";
        assert_eq!(madison_line(line).unwrap(), ("linux-image-6.1.0-50-amd64".into(), "6.1.176-1".into()));
        assert_eq!(madison_line("N: Unable to locate package x"), None);
        let line =
            "Depends: dracut | initramfs-tools (>= 0.120+deb8u2), linux-binary-7.3.4+deb13-amd64 (= 7.3.4-1)";
        assert_eq!(depends_line(line), ["dracut", "initramfs-tools", "linux-binary-7.3.4+deb13-amd64"]);
        assert!(depends_line("Pre-Depends: dpkg").is_empty());
    }
}
