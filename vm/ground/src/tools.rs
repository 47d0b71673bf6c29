// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a machine has of the tools that it must have, and what to do about what it has not. Which those are is the caller's
//! to say.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    context::Ctx,
    exec,
    tool::{Sign, Tool},
};

/// What the variable of `tool` names, if it is set.
fn named(tool: &Tool) -> Option<(&'static str, PathBuf)> {
    let variable = tool.variable?;
    Some((variable, env::var_os(variable)?.into()))
}

/// Why what the variable of `tool` names will not do.
pub fn misnamed(tool: &Tool) -> Option<String> {
    let (variable, named) = named(tool).filter(|_| !is_there(tool))?;
    Some(format!(
        "{variable} is {}, which is not there: unset it, or name another than {}",
        named.display(),
        tool.name()
    ))
}

/// Whether `tool` is there.
pub fn is_there(tool: &Tool) -> bool {
    if let Some((_, named)) = named(tool) {
        return named.is_dir() || exec::which(&named.to_string_lossy()).is_some();
    }
    match tool.sign {
        Sign::Program(name) => exec::which(name).is_some(),
        Sign::File(paths) => paths.iter().any(|path| Path::new(path).exists()),
        Sign::PythonModule(module) => python_has(module),
    }
}

fn python_has(module: &str) -> bool {
    ["python3", "/usr/bin/python3"].iter().any(|python| {
        let code = format!("import {module}");
        let mut import = Command::new(python);
        import.args(["-c", &code]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    })
}

/// How what is missing can be had here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// apt-get as root.
    Apt,
    /// apt-get through a sudo that asks no password.
    Sudo,
    /// apt-get is there, root is not.
    Ask,
    /// Another distribution.
    NoApt,
}

impl Means {
    /// What comes of what is missing for `command`, before the command line that installs it.
    pub fn how(self, command: &str) -> String {
        match self {
            Self::Apt => format!("{command} will run"),
            Self::Sudo => format!("{command} will run, through sudo"),
            Self::Ask => format!("{command} may not install; run"),
            Self::NoApt => "without apt, install the like of".to_owned(),
        }
    }
}

/// What this machine is, where it is not what all of this is for; a sentence.
///
/// # Errors
/// It is another architecture: kernels and guests are built for x86-64.
pub fn machine() -> Result<()> {
    let here = env::var("XTASK_MACHINE").unwrap_or_else(|_| env::consts::ARCH.into());
    if here != "x86_64" {
        bail!(
            "this machine is {here}, and kernels and guests are built for x86_64: use such a machine, or a virtual one"
        );
    }
    Ok(())
}

/// What is different on this distribution; nothing on Debian and what comes from it.
pub fn distribution() -> Option<String> {
    let file = env::var_os("XTASK_OS_RELEASE").map_or_else(|| "/etc/os-release".into(), PathBuf::from);
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let (id, like) = (field("ID"), field("ID_LIKE"));
    if id == "debian" || like.split(' ').any(|name| name == "debian") && exec::which("apt-get").is_some() {
        return (id != "debian").then(|| {
            format!(
                "this is {id}: packages have Debian's names here, and kernel sources are asked of Debian's archive \
                 (XTASK_MIRROR names a mirror, --kernel-src DIR takes a tree of your own)"
            )
        });
    }
    Some(format!(
        "this is {}: tools have other package names here; CLANG names a clang, LIBCLANG_PATH the folder of its library, \
         --kernel-src DIR a kernel tree",
        if id.is_empty() { "no known distribution" } else { &id }
    ))
}

/// Which of them.
pub fn means() -> Means {
    if exec::which("apt-get").is_none() {
        return Means::NoApt;
    }
    if rustix::process::geteuid().is_root() {
        return Means::Apt;
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if sudo.status().is_ok_and(|status| status.success()) { Means::Sudo } else { Means::Ask }
}

/// Those of `tools` that are missing.
pub fn missing(tools: &[Tool]) -> Vec<Tool> {
    if env::var_os("XTASK_ASSUME_TOOLS").is_some() {
        return Vec::new();
    }
    tools.iter().filter(|tool| !is_there(tool)).copied().collect()
}

/// The packages of `tools`, each once.
pub fn packages(tools: &[Tool]) -> Vec<&'static str> {
    let mut names: Vec<_> = tools.iter().map(|tool| tool.package).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The command that a person can type to get `packages`.
pub fn command_for(packages: &[&str]) -> String {
    format!("sudo apt-get update && sudo apt-get install --no-install-recommends {}", packages.join(" "))
}

/// Installs what is missing of `tools`; says whether nothing was.
///
/// # Errors
/// Another architecture; what is missing and the command that mends it, when this run may not or cannot install it.
pub fn ensure(ctx: &Ctx, tools: &[Tool], offline: bool) -> Result<((), bool)> {
    machine()?;
    let gone = missing(tools);
    if gone.is_empty() {
        return Ok(((), true));
    }
    if let Some(why) = gone.iter().find_map(misnamed) {
        bail!("{why}");
    }
    let names: Vec<_> = gone.iter().map(Tool::name).collect();
    let names = names.join(", ");
    let wanted = packages(&gone);
    if offline {
        bail!("missing here: {names}; --offline forbids to install them: `{}`", command_for(&wanted));
    }
    let sudo = match means() {
        Means::Apt => false,
        Means::Sudo => true,
        Means::Ask => bail!("missing here: {names}; run `{}`", command_for(&wanted)),
        Means::NoApt => bail!(
            "missing here: {names}; without apt they have to be installed by hand (Debian calls the packages: {})",
            wanted.join(" ")
        ),
    };
    ctx.events.note(format!("missing here: {names}"));
    let apt = |arguments: &[&str], log: &str| {
        let mut command = Command::new(if sudo { "sudo" } else { "apt-get" });
        if sudo {
            command.args(["-n", "apt-get"]);
        }
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        exec::uninterrupted(ctx, &mut command, log)
    };
    apt(&["-q", "update"], "apt-get-update")
        .context("cannot read the archive's package lists (no network?)")?;
    let mut install = vec!["-q", "-y", "--no-install-recommends", "install"];
    install.extend(&wanted);
    apt(&install, "apt-get-install")
        .with_context(|| format!("cannot install what is missing; try `{}`", command_for(&wanted)))?;
    let still = missing(tools);
    if !still.is_empty() {
        let names: Vec<_> = still.iter().map(Tool::name).collect();
        bail!("installed {}, yet still missing: {}", wanted.join(" "), names.join(", "));
    }
    Ok(((), false))
}
