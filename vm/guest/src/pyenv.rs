// SPDX-License-Identifier: MIT OR Apache-2.0
//! A Python environment with the pinned virtme-ng, in the cache under a key made from the pins.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use ground::{cache::Cache, context::Ctx, exec, hash::short_hash, lock};
use xshell::cmd;

/// A way to run virtme-ng.
#[derive(Clone, Debug)]
pub struct Vng {
    /// The program.
    pub program: PathBuf,
    /// Goes first in `PATH`: virtme-ng looks for its second half there.
    pub bin: PathBuf,
}

/// Settings of pip that say how to reach an index.
const NETWORK: [&str; 12] = [
    "cache-dir",
    "cert",
    "client-cert",
    "default-timeout",
    "extra-index-url",
    "find-links",
    "index-url",
    "no-index",
    "proxy",
    "retries",
    "timeout",
    "trusted-host",
];

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
    pip.envs(of_the_network(ctx, temp.path())?).env("PIP_CONFIG_FILE", "/dev/null");
    exec::stream(ctx, &pip, "pip", |_| ()).context("cannot install virtme-ng (no network?)")?;
    move_scripts(temp.path(), &dir)?;
    temp.place(&dir)?;
    Ok((in_folder(&dir), false))
}

/// What pip is configured to fetch with, as variables. What it is configured to install where would fill another folder than this
/// environment.
fn of_the_network(ctx: &Ctx, venv: &Path) -> Result<Vec<(String, String)>> {
    let (sh, python) = (&ctx.sh, venv.join("bin/python"));
    let listed = exec::read(ctx, cmd!(sh, "{python} -m pip --disable-pip-version-check config list"))
        .context("pip does not say how it is configured")?;
    // What is asked for by a variable goes before what a file says, and what a file says of `install` before the rest.
    let sections = ["install.", "global."].into_iter();
    let mut found: Vec<(String, String)> = Vec::new();
    for (key, value) in sections.flat_map(|section| settings(&listed, section)) {
        let name = format!("PIP_{}", key.to_uppercase().replace('-', "_"));
        if env::var_os(&name).is_none() && found.iter().all(|(known, _)| *known != name) {
            found.push((name, value));
        }
    }
    Ok(found)
}

/// Of lines like `global.cert='/etc/cert'`, as Python quotes, those of `section` that say how to reach an index.
fn settings(listed: &str, section: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (key, value) = line.strip_prefix(section)?.split_once('=')?;
        let value = value.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?;
        let value = value.replace("\\n", " ").replace("\\\\", "\\");
        NETWORK.contains(&key).then(|| (key.to_owned(), value))
    };
    listed.lines().filter_map(line).collect()
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

#[cfg(test)]
mod tests {
    use super::settings;

    #[test]
    fn of_pips_settings_those_of_the_network_alone_are_taken() {
        let listed = "global.cert='/etc/x.crt'\nglobal.target='/x/lib'\ninstall.user='true'\n\
                      global.find-links='/a\\n/b'\ninstall.index-url=\"https://o'x\"\n:env:.index-url='y'\n";
        let of = |section| settings(listed, section);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(of("global."), [pair("cert", "/etc/x.crt"), pair("find-links", "/a /b")]);
        assert_eq!(of("install."), [pair("index-url", "https://o'x")]);
    }
}
