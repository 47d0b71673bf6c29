// SPDX-License-Identifier: MIT OR Apache-2.0
//! A Python environment with the pinned virtme-ng, in the cache under a key made from the pins.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use ground::{cache::Cache, context::Ctx, exec, hash::short_hash, lock};

/// A way to run virtme-ng.
#[derive(Clone, Debug)]
pub struct Vng {
    /// The program.
    pub program: PathBuf,
    /// Goes first in `PATH`: virtme-ng looks for its second half there.
    pub bin: PathBuf,
}

/// Pythons to try in `PATH`.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

fn place(cache: &Cache, pins: &Path) -> Result<PathBuf> {
    let text = fs::read(pins).with_context(|| format!("cannot read {}", pins.display()))?;
    Ok(cache.dir("python")?.join(short_hash(&[&text])))
}

fn in_folder(dir: &Path) -> Vng {
    Vng { program: dir.join("bin/vng"), bin: dir.join("bin") }
}

/// The environment for the file `pins`, as pip takes it, if it is there.
///
/// # Errors
/// When the pins cannot be read.
pub fn find(cache: &Cache, pins: &Path) -> Result<Option<Vng>> {
    if let Some(program) = env::var_os("XTASK_VNG").map(PathBuf::from) {
        let bin = program.parent().map(Path::to_path_buf).unwrap_or_default();
        return Ok(Some(Vng { program, bin }));
    }
    let vng = in_folder(&place(cache, pins)?);
    Ok(vng.program.exists().then_some(vng))
}

/// The environment, made if it is not there; says whether it was.
///
/// # Errors
/// No Python with venv, no network with an empty cache.
pub fn get(ctx: &Ctx, pins: &Path, offline: bool) -> Result<(Vng, bool)> {
    if let Some(vng) = find(&ctx.cache, pins)? {
        return Ok((vng, true));
    }
    if offline {
        bail!("virtme-ng is not in the cache and --offline forbids to fetch it: run once without --offline");
    }
    let _lock = lock::take(ctx, "python", "setting up virtme-ng")?;
    if let Some(vng) = find(&ctx.cache, pins)? {
        return Ok((vng, true));
    }
    let dir = place(&ctx.cache, pins)?;
    let temp = ctx.cache.temp("python")?;
    make_venv(ctx, temp.path())?;
    let mut pip = Command::new(temp.path().join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"])
        .arg(pins);
    exec::stream(ctx, &pip, "pip", |_| ()).context("cannot install virtme-ng (no network?)")?;
    move_scripts(temp.path(), &dir)?;
    temp.place(&dir)?;
    Ok((in_folder(&dir), false))
}

/// Debian's Python needs its package python3-venv, another one may lack the module: take the first that works.
fn make_venv(ctx: &Ctx, dir: &Path) -> Result<()> {
    let mut first_error = None;
    for python in PYTHONS {
        let mut venv = Command::new(python);
        venv.args(["-m", "venv", "--clear"]).arg(dir);
        match exec::stream(ctx, &venv, "venv", |_| ()) {
            Ok(_) => return Ok(()),
            Err(e) => {
                ctx.still_wanted()?;
                first_error.get_or_insert(e);
            }
        }
    }
    match first_error {
        Some(e) => Err(e.context("no Python here can make a virtual environment: install python3-venv")),
        None => bail!("no Python to try"),
    }
}

/// Scripts of an environment name its Python by path: from the temporary one to the final one.
fn move_scripts(from: &Path, to: &Path) -> Result<()> {
    let (old, new) = (from.display().to_string(), to.display().to_string());
    for entry in fs::read_dir(from.join("bin"))? {
        let path = entry?.path();
        if path.is_symlink() {
            continue;
        }
        if let Ok(text) = fs::read_to_string(&path)
            && text.contains(&old)
        {
            fs::write(&path, text.replace(&old, &new))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}
