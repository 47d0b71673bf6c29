// SPDX-License-Identifier: MIT OR Apache-2.0
//! checkpatch.pl, as the base has it.

use std::fs;

use anyhow::{Context, Result};
use ground::{
    cache::Temp,
    context::Ctx,
    exec::{self, CommandFailed},
};
use xshell::{Shell, cmd};

use crate::{
    base::Base,
    series::{Patch, file_name},
    store::Store,
};

/// What checkpatch.pl reads from the tree.
const FILES: [&str; 3] =
    ["scripts/checkpatch.pl", "scripts/spelling.txt", "scripts/const_structs.checkpatch"];
/// Types of its complaints that do not apply, and why.
const IGNORED: [(&str, &str); 1] =
    [("FILE_PATH_CHANGES", "MAINTAINERS has patterns for all of kernel/bpf and tools/testing/selftests/bpf")];

/// checkpatch.pl of the base, with what it reads.
pub struct Checkpatch {
    dir: Temp,
}

impl Checkpatch {
    /// Gets it.
    ///
    /// # Errors
    /// When the base has none.
    pub fn fetch(ctx: &Ctx, store: &Store, base: &Base) -> Result<Self> {
        let dir = ctx.cache.temp("series")?;
        for file in FILES {
            let text = store.file(ctx, &base.commit, file)?;
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(Self { dir })
    }

    /// What it says of the patches, ignored types apart.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn faults(&self, ctx: &Ctx, patches: &[Patch]) -> Result<Vec<String>> {
        let sh = Shell::new()?;
        sh.change_dir(self.dir.path());
        let ignored = IGNORED.map(|(kind, _reason)| kind).join(",");
        let mut faults = Vec::new();
        for patch in patches {
            let file = &patch.path;
            let check = cmd!(
                sh,
                "perl scripts/checkpatch.pl --strict --no-tree --root=. --terse --show-types --no-summary --ignore {ignored} {file}"
            );
            let said = match exec::read(ctx, check) {
                Ok(said) => said.lines().map(str::to_owned).collect(),
                Err(e) => e.downcast::<CommandFailed>()?.last,
            };
            let prefix = format!("{}:", file.display());
            let faulty = |line: &String| line.starts_with(&prefix);
            let (named, other): (Vec<_>, Vec<_>) = said.into_iter().partition(faulty);
            faults.extend(named.iter().map(|line| format!("{}:{}", file_name(file), &line[prefix.len()..])));
            // A checkpatch that cannot run must not look like a clean patch.
            faults.extend(
                other.into_iter().filter(|line| line.contains("checkpatch.pl") || line.contains("perl")),
            );
        }
        Ok(faults)
    }
}
