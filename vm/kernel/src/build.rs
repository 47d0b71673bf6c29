// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs make on a work tree, in an environment that does not depend on who runs it.

use std::{fs, path::Path, path::PathBuf, process::Command};

use anyhow::{Context, Error, Result, ensure};
use ground::{
    cache::{read_if_there, write_whole},
    context::Ctx,
    events::Event,
    exec::{self, CommandFailed},
};

use crate::folders::Folders;

/// Objects of a first build with the lean profile, until a build has told the real number.
const FIRST_TOTAL: u64 = 1278;

/// How often a build notes how far it has come.
const STEP: u64 = 20;

/// Make, set up for one work tree.
pub struct Make<'a> {
    folders: &'a Folders,
    jobs: u32,
    suffix: String,
    /// First line of `gcc --version`.
    pub compiler: String,
}

impl<'a> Make<'a> {
    /// In `folders`; `suffix` ends the kernel's release.
    pub fn new(folders: &'a Folders, jobs: u32, suffix: &str, toolchain: &(String, String)) -> Self {
        let compiler = toolchain.0.clone();
        Self { folders, jobs, suffix: suffix.into(), compiler }
    }

    fn command(&self, targets: &[&str]) -> Command {
        let mut make = Command::new("make");
        make.arg("-C").arg(self.folders.src()).arg(format!("O={}", self.folders.build().display()));
        make.arg(format!("-j{}", self.jobs)).arg(format!("LOCALVERSION=-{}", self.suffix)).args(targets);
        make.env("KBUILD_BUILD_TIMESTAMP", "Thu Jan  1 00:00:00 UTC 2026")
            .env("KBUILD_BUILD_USER", "xtask")
            .env("KBUILD_BUILD_HOST", "xtask")
            .env("KBUILD_BUILD_VERSION", "1");
        make
    }

    /// Makes `targets`.
    ///
    /// # Errors
    /// A full disk or the first compile error in one sentence; otherwise what make said last.
    pub fn run(&self, ctx: &Ctx, targets: &[&str], log: &str, on_line: impl FnMut(&str)) -> Result<PathBuf> {
        exec::stream(ctx, &self.command(targets), log, on_line).map_err(|e| self.explain(e))
    }

    /// Builds the kernel image and gives its path; progress is told by object. What a build that was cut off has done is kept, and
    /// the next one says so.
    ///
    /// # Errors
    /// As [`Make::run`].
    pub fn image(&self, ctx: &Ctx) -> Result<PathBuf> {
        let memory = self.folders.note("objects");
        let known = read_if_there(&memory)?.and_then(|text| text.trim().parse().ok());
        let total = known.unwrap_or(FIRST_TOTAL);
        let mut done = 0;
        let unfinished = self.folders.note("unfinished");
        if let Some(objects) = read_if_there(&unfinished)? {
            ctx.events.note(format!(
                "the last build here did not come to its end: {} objects of it are kept, where nothing has changed since",
                objects.trim()
            ));
        }
        self.run(ctx, &["bzImage"], "kernel-build", |line| {
            if let Some(object) = object_of(line) {
                done += 1;
                if done % STEP == 1 {
                    // For the next run's sentence alone: not worth an error.
                    let _ = write_whole(&unfinished, done.to_string().as_bytes());
                }
                ctx.events.emit(&Event::Progress { done, total: total.max(done), what: object.into() });
            }
        })?;
        if known.is_none_or(|known| known < done) {
            write_whole(&memory, done.to_string().as_bytes())?;
        }
        if unfinished.exists() {
            fs::remove_file(&unfinished).context("cannot note that the build came to its end")?;
        }
        let image = self.folders.image();
        ensure!(image.exists(), "make ended well but left no {}", image.display());
        Ok(image)
    }

    /// Installs the UAPI headers under `into`.
    ///
    /// # Errors
    /// As [`Make::run`].
    pub fn headers(&self, ctx: &Ctx, into: &Path) -> Result<()> {
        let path = format!("INSTALL_HDR_PATH={}", into.display());
        self.run(ctx, &["headers_install", &path], "headers", |_| ())?;
        Ok(())
    }

    /// The release that the built kernel has (`uname -r`).
    ///
    /// # Errors
    /// When the build left none.
    pub fn release(&self) -> Result<String> {
        let path = self.folders.build().join("include/config/kernel.release");
        let text =
            fs::read_to_string(&path).with_context(|| format!("the build left no {}", path.display()))?;
        Ok(text.trim().to_owned())
    }

    /// Puts what went wrong first.
    fn explain(&self, e: Error) -> Error {
        let Some(failed) = e.downcast_ref::<CommandFailed>() else { return e };
        if let Some(full) = failed.filled(&self.folders.build()) {
            return full;
        }
        let said = failed.log.as_ref().and_then(|log| fs::read_to_string(log).ok()).unwrap_or_default();
        match first_errors(&said) {
            errors if errors.is_empty() => e,
            errors => e.context(format!("the kernel does not compile: {}", errors.join("; "))),
        }
    }
}

/// The object of the kernel that a line of kbuild is about: none of its own tools, no list of offsets (`.s`), and no table of
/// symbols, which it makes while it links (`.tmp_vmlinux1.kallsyms.o`).
fn object_of(line: &str) -> Option<&str> {
    let (verb, object) = line.trim_start().split_once(' ')?;
    let object = object.trim();
    let other = ["/", "tools/", "scripts/", "."].iter().any(|start| object.starts_with(start));
    (matches!(verb, "CC" | "AS") && object.ends_with(".o") && !other).then_some(object)
}

/// The first lines of a build log that name a fault in the source.
fn first_errors(log: &str) -> Vec<String> {
    let fault = |line: &&str| line.contains(": error:") || line.contains("undefined reference to");
    log.lines().filter(fault).take(3).map(|line| line.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_counted_and_other_lines_are_not() {
        assert_eq!(object_of("  CC      kernel/bpf/hashtab.o"), Some("kernel/bpf/hashtab.o"));
        assert_eq!(object_of("  AR      kernel/built-in.a"), None);
        for other in
            ["CC      tools/objtool/check.o", "CC      kernel/bounds.s", "AS      .tmp_vmlinux1.kallsyms.o"]
        {
            assert_eq!(object_of(other), None, "{other}");
        }
        assert_eq!(object_of("make: done"), None);
    }

    #[test]
    fn the_first_errors_are_quoted_with_their_place() {
        let log = "  CC x.o\n../x.c:3:5: error: 'y' undeclared\nmake: *** [x.o] Error 1\n";
        assert_eq!(first_errors(log), ["../x.c:3:5: error: 'y' undeclared"]);
    }
}
