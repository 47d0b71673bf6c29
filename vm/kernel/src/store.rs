// SPDX-License-Identifier: MIT OR Apache-2.0
//! One bare git store in the cache holds every source tree as an object: the archive's, one's own, and each with a
//! series applied. Trees are compared by id, and a work tree moves from one to another by rewriting only the files
//! that differ, so that make rebuilds only what they touch.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use ground::{context::Ctx, exec, hash::sha256, lock};
use xshell::{Cmd, Shell, cmd};

/// Who makes the commits of the store, and when: the same source always gets the same id.
const WHO: [(&str, &str); 6] = [
    ("GIT_AUTHOR_NAME", "xtask"),
    ("GIT_AUTHOR_EMAIL", "xtask@localhost"),
    ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
    ("GIT_COMMITTER_NAME", "xtask"),
    ("GIT_COMMITTER_EMAIL", "xtask@localhost"),
    ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
];

/// Settings of the store. Written once into the section [core] of its own config: nobody's personal settings are read.
const CONFIG: [(&str, &str); 5] = [
    // Every blob goes straight into one pack; 96,000 loose files would take more room and more time.
    ("bigFileThreshold", "1"),
    ("compression", "1"),
    // All of it can be made again.
    ("fsync", "none"),
    // A copied work tree has other inodes and change times; size and time of the last write tell enough.
    ("checkStat", "minimal"),
    ("bare", "false"),
];

/// The store.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// Opens the store, making it on first use.
    ///
    /// # Errors
    /// When git cannot make it.
    pub fn open(ctx: &Ctx) -> Result<Self> {
        let dir = ctx.cache.root().join("linux.git");
        let store = Self { dir: dir.clone() };
        if !dir.join("HEAD").exists() {
            let _lock = lock::take(ctx, "store", "making the source store")?;
            if !dir.join("HEAD").exists() {
                let temp = ctx.cache.temp("")?;
                let path = temp.path();
                let sh = &ctx.sh;
                exec::read(ctx, cmd!(sh, "git init --quiet --bare --template= {path}"))?;
                let settings: String =
                    CONFIG.iter().map(|(key, value)| format!("\t{key} = {value}\n")).collect();
                fs::OpenOptions::new()
                    .append(true)
                    .open(path.join("config"))
                    .and_then(|mut config| config.write_all(format!("[core]\n{settings}").as_bytes()))
                    .context("cannot write the store's config")?;
                temp.place(&dir)?;
            }
        }
        Ok(store)
    }

    /// Where the objects are.
    pub fn objects(&self) -> PathBuf {
        self.dir.join("objects")
    }

    /// Variables under which git works on `work_tree` with `index`, and on nothing else.
    fn env(&self, work_tree: &Path, index: &Path) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("GIT_DIR", self.dir.clone()),
            ("GIT_WORK_TREE", work_tree.into()),
            ("GIT_INDEX_FILE", index.into()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            // git reads these of whoever calls even where it reads no configuration of his: files would be missing, or have
            // other line ends.
            ("GIT_ATTR_NOSYSTEM", "1".into()),
            ("GIT_CONFIG_COUNT", "2".into()),
            ("GIT_CONFIG_KEY_0", "core.excludesFile".into()),
            ("GIT_CONFIG_VALUE_0", "/dev/null".into()),
            ("GIT_CONFIG_KEY_1", "core.attributesFile".into()),
            ("GIT_CONFIG_VALUE_1", "/dev/null".into()),
        ]
    }

    /// `cmd` set to work on the store alone.
    pub fn git<'a>(&self, mut cmd: Cmd<'a>, work_tree: &Path, index: &Path) -> Cmd<'a> {
        for (key, value) in self.env(work_tree, index) {
            cmd = cmd.env(key, value);
        }
        for (key, value) in WHO {
            cmd = cmd.env(key, value);
        }
        cmd
    }

    /// The id of the tree that `dir` holds. Its own `.git` is neither read into it nor written to; `index` remembers
    /// what was seen, so that the next time only what changed is read.
    ///
    /// # Errors
    /// When git fails: no space, an unreadable file.
    pub fn import(&self, ctx: &Ctx, dir: &Path, index: &Path) -> Result<String> {
        remove_stale_lock(index)?;
        let sh = Shell::new()?;
        sh.change_dir(dir);
        // Debian's tree tells git to ignore all of it, which git does not say of what the index knows already.
        let ignored = self.git(cmd!(sh, "git check-ignore --quiet --no-index Makefile"), dir, index);
        let force = ignored.quiet().ignore_status().output()?.status.success();
        ensure!(
            !force || [".config", "include/config"].iter().all(|made| !dir.join(made).exists()),
            "{} was configured in place, and its .gitignore, which is Debian's, does not say what of it was made there: \
             give a copy after `make mrproper`",
            dir.display()
        );
        let mut add = Command::new("git");
        add.current_dir(dir).envs(self.env(dir, index)).args(["add", "--all"]);
        if force {
            add.arg("--force");
        }
        exec::stream(ctx, add.arg("."), "import", |_| ())?;
        if dir.join(".git").exists() && !force {
            // Tracked there although an ignore rule matches.
            let tracked = tracked(dir)?;
            let add = self.git(cmd!(sh, "git update-index -z --add --remove --stdin"), dir, index);
            exec::read(ctx, add.stdin(tracked))?;
        }
        exec::read(ctx, self.git(cmd!(sh, "git write-tree"), dir, index))
    }

    /// A commit of `tree` without parents, the same for the same `tree` and `message`.
    ///
    /// # Errors
    /// When git fails.
    pub fn commit(&self, ctx: &Ctx, tree: &str, message: &str) -> Result<String> {
        let sh = &ctx.sh;
        let none = Path::new("/nonexistent");
        exec::read(ctx, self.git(cmd!(sh, "git commit-tree -m {message} {tree}"), none, none))
    }

    /// What `git rev-parse` makes of `name`.
    ///
    /// # Errors
    /// When there is no such object.
    pub fn resolve(&self, ctx: &Ctx, name: &str) -> Result<String> {
        let sh = &ctx.sh;
        let none = Path::new("/nonexistent");
        exec::read(
            ctx,
            self.git(cmd!(sh, "git rev-parse --verify --quiet --end-of-options {name}"), none, none),
        )
    }

    /// A file of a commit.
    ///
    /// # Errors
    /// When the commit has no such file.
    pub fn file(&self, ctx: &Ctx, commit: &str, file: &str) -> Result<String> {
        let sh = &ctx.sh;
        let none = Path::new("/nonexistent");
        let name = format!("{commit}:{file}");
        exec::read(ctx, self.git(cmd!(sh, "git cat-file blob {name}"), none, none))
    }

    /// Writes the named files and folders of `tree` to `into`.
    ///
    /// # Errors
    /// When git or tar fails: no such file, no space.
    pub fn extract(&self, ctx: &Ctx, tree: &str, paths: &[&str], into: &Path) -> Result<()> {
        fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
        let file = into.with_extension("tar");
        let none = Path::new("/nonexistent");
        let mut archive = Command::new("git");
        archive.envs(self.env(none, none)).args(["archive", "--format=tar", "-o"]).arg(&file);
        exec::stream(ctx, archive.arg(tree).arg("--").args(paths), "archive", |_| ())?;
        let mut tar = Command::new("tar");
        exec::stream(ctx, tar.arg("-xf").arg(&file).arg("-C").arg(into), "tar", |_| ())?;
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))
    }

    /// An id of all that Kconfig reads in `tree`.
    ///
    /// # Errors
    /// When git fails.
    pub fn kconfig_id(&self, ctx: &Ctx, tree: &str) -> Result<String> {
        let sh = &ctx.sh;
        let none = Path::new("/nonexistent");
        let files = exec::read(ctx, self.git(cmd!(sh, "git ls-tree -r {tree}"), none, none))?;
        let read_by_kconfig = |line: &&str| {
            line.contains("Kconfig") || line.contains("/configs/") || line.contains("/kconfig/")
        };
        let lines: Vec<&str> = files.lines().filter(read_by_kconfig).collect();
        Ok(sha256(lines.join("\n").as_bytes()))
    }

    /// Makes `work_tree` hold exactly `tree`, touching only the files that differ.
    ///
    /// # Errors
    /// When git fails: no space, a folder that cannot be written.
    pub fn check_out(&self, ctx: &Ctx, tree: &str, work_tree: &Path, index: &Path) -> Result<()> {
        remove_stale_lock(index)?;
        fs::create_dir_all(work_tree).with_context(|| format!("cannot make {}", work_tree.display()))?;
        let mut read_tree = Command::new("git");
        read_tree.envs(self.env(work_tree, index)).current_dir(work_tree);
        // A copied work tree has other inodes and change times; size and time of the last write tell enough there.
        read_tree.args(["-c", "core.checkStat=minimal", "read-tree", "--reset", "-u", tree]);
        exec::stream(ctx, &read_tree, "check-out", |_| ())?;
        Ok(())
    }
}

/// What git tracks in `dir`, as it lists it. A tree of another owner is read like any other: what is in it is built and run
/// anyway.
fn tracked(dir: &Path) -> Result<Vec<u8>> {
    let mut list = Command::new("git");
    list.current_dir(dir).args(["-c", "safe.directory=*", "-c", "core.fsmonitor=false", "ls-files", "-z"]);
    let listed = list.output().context("cannot start git")?;
    let said = String::from_utf8_lossy(&listed.stderr);
    ensure!(
        listed.status.success(),
        "git does not say what it tracks in {}: {}; give a tree whose .git is whole, or a copy without it",
        dir.display(),
        said.trim()
    );
    Ok(listed.stdout)
}

/// A killed git leaves the lock of its index; the caller holds the lock that counts.
fn remove_stale_lock(index: &Path) -> Result<()> {
    let name = index.file_name().unwrap_or_default().to_string_lossy();
    let lock = index.with_file_name(format!("{name}.lock"));
    match fs::remove_file(&lock) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {}", lock.display()))
        }
        _ => Ok(()),
    }
}
