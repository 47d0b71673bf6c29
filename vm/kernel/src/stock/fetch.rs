// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the archive to an unpacked kernel in the cache.

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context, Result, anyhow, bail};
use ground::{
    apt::{self, Apt},
    cache::{Temp, read_if_there, write_whole},
    context::Ctx,
    exec, lock, space,
};

use super::{
    Line, Stock, busybox,
    choose::{self, Found},
    layout::{self, PART, Record},
    named, needs,
};

/// Packages and what they unpack to, in MiB. The modules of 6.1 are not compressed.
const UNPACK_MIB: u64 = 1000;

/// The newest kernel of the line `name`, or the one that is in the cache unless `refresh` asks the archive again; says
/// whether nothing had to be fetched.
///
/// # Errors
/// No such line, no space, no network with an empty cache, a kernel that the lab cannot use.
pub fn get(ctx: &Ctx, name: &str, refresh: bool, offline: bool) -> Result<(Stock, bool)> {
    let line = named(name)?;
    let folder = ctx.cache.dir(PART)?;
    let busybox = busybox::place(&folder);
    let record_path = folder.join(format!("{name}.json"));
    let _lock = lock::take(ctx, &format!("{PART}-{name}"), "fetching this kernel")?;
    let known = read_if_there(&record_path)?
        .and_then(|text| serde_json::from_str::<Record>(&text).ok())
        .map(|Record { release, version }| Stock::place(&folder, &busybox, line, Found { release, version }))
        .filter(Stock::is_whole);
    if let Some(known) = &known
        && !refresh
    {
        return Ok((known.clone(), true));
    }
    if offline {
        bail!(
            "Debian's kernel {name} is not in the cache and --offline forbids to fetch it: run once without --offline"
        );
    }
    fetch(ctx, line, &folder, &record_path)
}

fn fetch(ctx: &Ctx, line: &Line, folder: &Path, record_path: &Path) -> Result<(Stock, bool)> {
    space::need(ctx.cache.root(), UNPACK_MIB, "to unpack Debian's kernel")?;
    let (apt, found) = newest(ctx, line)?;
    let record = Record { release: found.release.clone(), version: found.version.clone() };
    let stock = Stock::place(folder, &busybox::place(folder), line, found);
    let there = stock.is_whole();
    if !there {
        busybox::fetch(ctx, folder)?;
        unpack(ctx, &apt, line, &stock)?.place(&stock.dir)?;
    }
    write_whole(record_path, &serde_json::to_vec_pretty(&record)?)?;
    Ok((stock, there))
}

/// The newest kernel of the line, and the suite that has it.
fn newest(ctx: &Ctx, line: &Line) -> Result<(Apt, Found)> {
    let mut first_error = None;
    for group in line.suites {
        let mut best: Option<(Apt, Found)> = None;
        for suite in *group {
            match newest_in(ctx, line, suite) {
                Ok((apt, found)) => {
                    let newer = |(_, best): &(Apt, Found)| choose::is_newer(&found, best);
                    if best.as_ref().is_none_or(newer) {
                        best = Some((apt, found));
                    }
                }
                Err(e) => {
                    ctx.still_wanted()?;
                    ctx.events.note(format!("not from {suite}"));
                    first_error.get_or_insert(e);
                }
            }
        }
        if let Some(best) = best {
            return Ok(best);
        }
    }
    Err(first_error.unwrap_or_else(|| anyhow!("no suite to ask"))).with_context(|| {
        format!(
            "cannot get Debian's kernel {} from the archive (no network?); run again once there is one",
            line.name
        )
    })
}

fn newest_in(ctx: &Ctx, line: &Line, suite: &str) -> Result<(Apt, Found)> {
    let apt = Apt::open(ctx, suite)?;
    apt.update(ctx)?;
    let packages = apt.beginning_with(ctx, &format!("{}{}", choose::IMAGE, line.kernel))?;
    let found = choose::newest(&packages, line)
        .with_context(|| format!("the suite {suite} has no kernel {}", line.name))?;
    Ok((apt, found))
}

/// Downloads the packages of `stock`, unpacks them, and gives the folder to put in its place.
fn unpack(ctx: &Ctx, apt: &Apt, line: &Line, stock: &Stock) -> Result<Temp> {
    let (release, version) = (&stock.release, &stock.version);
    let image = format!("{}{release}", choose::IMAGE);
    ctx.events.note(format!("{image} {version}, from {}", apt.suite()));
    let temp = ctx.cache.temp(PART)?;
    let unpacked = temp.path().join("unpacked");
    for package in choose::packages(release, &apt.depends(ctx, &image, version)?) {
        let into = temp.path().join("deb");
        fs::create_dir_all(&into).context("cannot make room for a package")?;
        let deb = apt
            .download(ctx, &package, version, &into)
            .with_context(|| format!("cannot download {package} {version}; run again with a network"))?;
        apt::unpack(ctx, &deb, &unpacked)?;
        fs::remove_dir_all(&into).context("cannot remove a package")?;
    }
    let whole = ctx.cache.temp(PART)?;
    layout::settle(&unpacked, release, whole.path())?;
    let config = layout::config(whole.path(), release);
    let config = fs::read_to_string(&config).with_context(|| format!("cannot read {}", config.display()))?;
    needs::check(&config, line)?;
    depmod(ctx, whole.path(), release)?;
    Ok(whole)
}

/// Makes the index that a package's script makes when it is installed.
fn depmod(ctx: &Ctx, dir: &Path, release: &str) -> Result<()> {
    let mut depmod = Command::new("depmod");
    depmod.arg("-b").arg(dir).arg(release);
    // Of those who are not root, it is seldom in the PATH.
    let path = env::var_os("PATH").unwrap_or_default();
    let paths = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    depmod.env("PATH", env::join_paths(paths).context("PATH cannot be extended")?);
    exec::stream(ctx, &depmod, "depmod", |_| ())?;
    Ok(())
}
