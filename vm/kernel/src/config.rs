// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's configuration: tinyconfig and a fragment, and nothing that Kconfig quietly left out of it.

use std::{fs, io::ErrorKind};

use anyhow::{Context, Result, ensure};
use ground::{
    cache::{read_if_there, write_whole},
    hash::hash,
};

use crate::{
    folders::Folders,
    fragment::{check, merge},
    profile::Profile,
};

/// How one target is made in the build folder.
#[derive(Clone, Copy)]
pub struct MakeOne<'a> {
    /// First line of what the compiler says of its version.
    pub compiler: &'a str,
    /// Makes it.
    pub run: &'a dyn Fn(&str) -> Result<()>,
}

/// Writes `.config` in the build folder if it is not there for this source, fragment and compiler; says whether it was.
/// `source` names all that Kconfig reads.
///
/// # Errors
/// [`crate::fragment::Missing`]; make's failures.
pub fn configure(folders: &Folders, source: &str, profile: &Profile, make: MakeOne<'_>) -> Result<bool> {
    let config = folders.build().join(".config");
    let memory = folders.note("config-key");
    let key = hash(&[source.as_bytes(), profile.fragment.as_bytes(), make.compiler.as_bytes()]);
    if config.exists() && read_if_there(&memory)?.as_deref() == Some(&key) {
        check(&fs::read_to_string(&config)?, &profile.fragment)?;
        return Ok(true);
    }
    // How many objects there are with another configuration says nothing of this one.
    if let Err(e) = fs::remove_file(folders.note("objects"))
        && e.kind() != ErrorKind::NotFound
    {
        return Err(e).context("cannot forget how many objects there were");
    }
    (make.run)("tinyconfig")?;
    let tiny = fs::read_to_string(&config).context("`make tinyconfig` left no .config")?;
    fs::write(&config, merge(&tiny, &profile.fragment)).context("cannot write .config")?;
    (make.run)("olddefconfig")?;
    let text = fs::read_to_string(&config).context("`make olddefconfig` left no .config")?;
    ensure!(!text.trim().is_empty(), "`make olddefconfig` left an empty .config");
    check(&text, &profile.fragment)?;
    write_whole(&memory, key.as_bytes())?;
    Ok(false)
}
