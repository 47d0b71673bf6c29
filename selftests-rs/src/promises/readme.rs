// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `docs/CMPDEL.md` shows of the command is what it says: the sessions are typed here, and compared to the letter.

use std::os::fd::AsFd as _;
use std::process::{self, Command, Stdio};
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use cmpdel_uapi_raw::update;
use libbpf_rs::MapCore as _;

use crate::objects::make_map;
use crate::skeletons::flows::FlowsSkelBuilder;
use crate::verdict::{On, Test, Verdict};
use crate::{Context, Kernel};

const MANUAL: &str = include_str!("../../../docs/CMPDEL.md");

pub fn tests() -> Vec<Test> {
    vec![Test::new("readme::the_sessions_with_cmpdel_are_real", On::Both, sessions)]
}

/// The comment before the session of a kernel.
fn mark(kernel: Kernel) -> &'static str {
    match kernel {
        Kernel::Series => "<!-- typed in the VM: with the series -->",
        Kernel::Base => "<!-- typed in the VM: without the series -->",
    }
}

/// The lines of the console block after `mark`.
fn session(mark: &str) -> Option<Vec<&'static str>> {
    let (_, after) = MANUAL.split_once(mark)?;
    let (block, _) = after.trim_start().strip_prefix("```console\n")?.split_once("```")?;
    Some(block.lines().collect())
}

/// Types the session in a shell that finds `cmpdel` on its path, over the map of `flows.bpf.c` with five entries.
fn sessions(context: &Context) -> Result<Verdict> {
    let mark = mark(context.kernel);
    let shown = session(mark).with_context(|| format!("docs/CMPDEL.md has no session after {mark}"))?;
    let commands: Vec<_> = shown.iter().filter_map(|line| line.strip_prefix("$ ")).collect();
    ensure!(!commands.is_empty(), "the session of docs/CMPDEL.md after {mark} has no command");

    let flows = make_map(FlowsSkelBuilder::default(), "flows")?;
    // struct flow: packets 7, some lifetime, flags 1, port 80
    for (key, lifetime) in [(5_u32, 42), (6, 10), (7, 20), (8, 30), (9, 90)] {
        let flow = [7, 0, 0, 0, 0, 0, 0, 0, lifetime, 0, 0, 0, 1, 0, 80, 0];
        update(flows.as_fd(), &key.to_ne_bytes(), &flow, 0).context("cannot put an entry")?;
    }

    // The id is whatever number is free; the document shows the first one.
    let id = flows.info()?.info.id;
    let typed = type_in(context, &commands)?.replace(&format!("map {id} (flows)"), "map 1 (flows)");
    let said: Vec<_> = typed.lines().collect();
    // All of it is told, to be pasted where it belongs.
    Ok(if said == shown {
        Verdict::Pass(format!("{} commands", commands.len()))
    } else {
        Verdict::Fail(format!("docs/CMPDEL.md shows something else than\n{typed}"))
    })
}

/// Everything a terminal would show. `$?` in a command is the exit code of the one before.
fn type_in(context: &Context, commands: &[&str]) -> Result<String> {
    let folder = env::temp_dir().join(format!("readme_{}", process::id()));
    fs::create_dir_all(&folder)?;
    fs::copy(&context.cmpdel, folder.join("cmpdel")).context("cannot copy cmpdel")?;
    let mut script = String::from("exec 2>&1; code=0\n");
    for command in commands {
        let quoted = command.replace('\'', r"'\''");
        script += &format!("printf '%s\\n' '$ {quoted}'\n(exit $code); {command}\ncode=$?\n");
    }
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap_or_default());
    let shell = Command::new("sh").args(["-c", &script]).env("PATH", path).stdin(Stdio::null()).output();
    let output = shell.context("cannot run sh")?;
    fs::remove_dir_all(&folder)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
