// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask doctor`: what is there, what is missing, and how it will be installed. Changes nothing.

use anyhow::Result;
use ground::{
    apt,
    context::Ctx,
    outcome::{Done, Outcome},
    space,
    tool::Tool,
    tools::{self, Means},
};
use guest::{accel, pyenv};
use kernel::base;
use serde::Serialize;

use crate::{
    besides::BESIDES,
    cli::Doctor,
    inventory::{self, Part},
    say::say,
    steps::pins,
    toolbox::TOOLS,
    workshop,
};

/// A tool and whether it is there.
#[derive(Debug, Serialize)]
struct Seen {
    name: &'static str,
    there: bool,
    package: &'static str,
    phase: &'static str,
}

/// What one command needs besides.
#[derive(Debug, Serialize)]
struct Besides {
    for_command: &'static str,
    missing: Vec<&'static str>,
    command: Option<String>,
}

/// All that doctor knows.
#[derive(Debug, Serialize)]
struct Diagnosis {
    tools: Vec<Seen>,
    besides: Vec<Besides>,
    install: Means,
    command: Option<String>,
    virtme_ng: bool,
    faults: Vec<String>,
    distribution: Option<String>,
    archive: String,
    kvm: String,
    free_mib: u64,
    cache: String,
    parts: Vec<Part>,
}

/// Looks and tells. Fails (1) on a machine of another architecture, where a folder is none that builds and guests take, and when
/// something is missing that vm-test cannot install by itself. What single commands need besides is told and decides nothing.
///
/// # Errors
/// When the cache cannot be read.
pub fn run(ctx: &Ctx, opts: &Doctor) -> Result<Done> {
    let seen = |tool: &Tool| Seen {
        name: tool.name(),
        there: tools::is_there(tool),
        package: tool.package,
        phase: tool.phase,
    };
    let missing = tools::missing(&TOOLS);
    let diagnosis = Diagnosis {
        tools: TOOLS.iter().map(seen).collect(),
        besides: BESIDES.iter().map(|(command, tools)| besides(command, tools())).collect(),
        install: tools::means(),
        command: (!missing.is_empty()).then(|| tools::command_for(&tools::packages(&missing))),
        faults: [tools::machine(), workshop::builds_take(ctx), workshop::guests_take(ctx)]
            .into_iter()
            .filter_map(|taken| taken.err().map(|error| format!("{error:#}")))
            .chain(missing.iter().filter_map(tools::misnamed))
            .collect(),
        distribution: tools::distribution(),
        archive: apt::archive(ctx, base::LINES[0].1[0]).unwrap_or_else(|error| format!("{error:#}")),
        virtme_ng: pyenv::find(&ctx.cache, &pins(&ctx.root))?.is_some(),
        kvm: kvm(ctx)?,
        free_mib: space::free_mib(ctx.cache.root())?,
        cache: ctx.cache.root().display().to_string(),
        parts: inventory::parts(&ctx.cache)?,
    };
    if opts.json {
        say!("{}", serde_json::to_string_pretty(&diagnosis)?)?;
    } else {
        print(&diagnosis)?;
    }
    let installable = missing.is_empty() || matches!(diagnosis.install, Means::Apt | Means::Sudo);
    Ok(Outcome::from_ok(diagnosis.faults.is_empty() && installable).into())
}

fn besides(for_command: &'static str, tools: &[Tool]) -> Besides {
    let missing = tools::missing(tools);
    Besides {
        for_command,
        missing: missing.iter().map(Tool::name).collect(),
        command: (!missing.is_empty()).then(|| tools::command_for(&tools::packages(&missing))),
    }
}

/// What is known of KVM without a guest.
fn kvm(ctx: &Ctx) -> Result<String> {
    Ok(match (accel::device(), accel::remembered(ctx)?) {
        (Err(why), _) => why,
        (Ok(()), None) => "the device can be opened; vm-test tries whether a guest runs".into(),
        (Ok(()), Some(true)) => "a guest runs with it".into(),
        (Ok(()), Some(false)) => format!("the device can be opened, but {}", accel::EARLIER),
    })
}

fn print(diagnosis: &Diagnosis) -> Result<()> {
    for tool in &diagnosis.tools {
        let state = if tool.there { "there" } else { "MISSING" };
        say!("{state:<8} {:<48} {:<16} for {}", tool.name, tool.package, tool.phase)?;
    }
    let state = if diagnosis.virtme_ng { "there" } else { "to come" };
    say!("{state:<8} {:<48} {:<16} for boot", "virtme-ng", "by pip, cached")?;
    if let Some(command) = &diagnosis.command {
        say!("{}: {command}", diagnosis.install.how("vm-test"))?;
    }
    for Besides { for_command, missing, command } in &diagnosis.besides {
        match command {
            None => say!("{:<8} what `{for_command}` needs besides", "there")?,
            Some(command) => say!(
                "{:<8} what `{for_command}` needs besides: {}; {}: {command}",
                "absent",
                missing.join(", "),
                diagnosis.install.how(for_command)
            )?,
        }
    }
    for said in diagnosis.faults.iter().chain(&diagnosis.distribution) {
        say!("{said}")?;
    }
    say!("Debian's archive: {}", diagnosis.archive)?;
    say!("KVM: {}", diagnosis.kvm)?;
    say!("{} MiB free at {}", diagnosis.free_mib, diagnosis.cache)?;
    for part in &diagnosis.parts {
        say!("{:>8} MiB {:<10} {}", part.mib, part.name, part.what)?;
    }
    Ok(())
}
