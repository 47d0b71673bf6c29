// SPDX-License-Identifier: MIT OR Apache-2.0
//! KVM on a machine that has none: Debian's kernel as an outer guest, emulated, in which this project runs with `--accel kvm`.

use std::{env, path::Path, time::Duration};

use anyhow::{Context, Result};
use clap::ValueEnum;
use ground::{
    context::Ctx,
    exec::quoted,
    outcome::{Count, Done},
};
use guest::{
    beside::Beside,
    channel::EVENTS,
    machine::{Image, Limits},
    test_run::Tests,
    verdict,
};
use kernel::{
    series::{DEFAULT, NONE, Series},
    stock,
};

use crate::{
    cli::{AccelChoice, Drill, MachineOpts, Nested},
    programs,
    run_report::Place,
    steps::{self, Bench, Guest},
    workshop::Workshop,
};

/// Names the folder, the console and the phase.
const NAME: &str = "drill-kvm";

/// Whose kernel the outer guest has: the newest, with all its modules.
const LINE: &str = "7.3";

/// What QEMU's emulator can do in both worlds. With `-cpu max`, of QEMU 7.2, the inner kernel finds a state of its registers that it
/// does not understand, and then refuses itself what the first process may do.
const CPU: &str = "qemu64,+npt,+nrip-save";

/// The host's whole tree, for the outer guest to mount as it likes.
const TREE: &str = "local,path=/,mount_tag=whole,security_model=none,readonly=on,multidevs=remap,id=whole";

/// What the inner run needs of the environment to find what was built out here.
const HANDED_ON: [&str; 8] = [
    "PATH",
    "HOME",
    "XDG_CACHE_HOME",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET",
    "RUSTUP_HOME",
    "RUSTFLAGS",
];

/// One CPU: QEMU 7.2 crashed with two while this kernel patched its text. The commands together are given hours: an emulated CPU
/// that runs a virtual machine is slow.
const LIMITS: Limits = Limits { boot: Duration::from_secs(300), silence: Duration::from_secs(4 * 3600) };

/// Boots the outer guest and judges what its commands said.
///
/// # Errors
/// Those of the steps, and an outer guest that never came to its first command.
pub fn run(ctx: &Ctx, opts: &Drill) -> Result<Done> {
    let shop = Workshop::open_for_guests(ctx, &opts.kernel)?;
    let vng = steps::vng(ctx, &opts.kernel)?;
    // All that can be built out here is: in there it would take days.
    let built = shop.build(&Series::read(&ctx.root, DEFAULT)?)?;
    if opts.kvm.contains(&Nested::Bench) {
        shop.build(&Series::read(&ctx.root, NONE)?)?;
    }
    let include = shop.program_headers(&built)?;
    ctx.phase("tests", || programs::build(ctx, &include, &programs::PROGRAMS))?;
    let kernel = ctx.phase(&format!("Debian's kernel {LINE}"), || {
        stock::get(ctx, LINE, opts.kernel.refresh, opts.kernel.offline)
    })?;
    let machine = MachineOpts { accel: AccelChoice::Tcg, cpus: Some(1), memory: "10G".into() };
    let bench = Bench::stock(ctx, vng, &machine, &kernel, Path::new("").into())?;
    let image = Image { append: &[stock::UNUSED], ..steps::stock_image(&kernel) };
    let run = guest::folder::fresh_run_folder(&ctx.out, NAME)?;
    let command = script(ctx, &run, &opts.kvm)?;
    let qemu = ["-cpu", CPU, "-virtfs", TREE].map(str::to_owned).into();
    let beside = Beside { qemu, task: None };
    let mut tests = Tests::new(Place::Series.kernel(), Place::Series.prefix());
    let guest = Guest { name: NAME, run: &run, command: &command, limits: LIMITS, beside };
    let (ended, console) = bench.boot_image(&image, guest, &mut tests)?;
    let (boot, silence) = (LIMITS.boot.as_secs(), LIMITS.silence.as_secs());
    let judged = verdict::judge(&tests.ended(ended), &console, boot, silence)?;
    let mut count = Count::default();
    for test in &judged.tests {
        count.add(test.status);
        ctx.events.note(format!("{}: {}", test.name, test.detail));
    }
    ctx.events.note(format!("{}: what each said is in {}", judged.outcome.words(), run.display()));
    if !judged.reason.is_empty() {
        ctx.events.note(judged.reason);
    }
    Ok(Done { outcome: judged.outcome, count: Some(count) })
}

/// What the outer guest runs: the words that its script takes, and the script.
fn script(ctx: &Ctx, run: &Path, commands: &[Nested]) -> Result<String> {
    let xtask = env::current_exe().context("cannot find out where this program lies")?;
    let paths = [("repo", &*ctx.root), ("target", &*ctx.target), ("run", run), ("xtask", &*xtask)];
    let mut lines: Vec<String> = paths
        .into_iter()
        .map(|(name, path)| format!("{name}={}", quoted(&path.display().to_string())))
        .collect();
    lines.push(format!("events={EVENTS}"));
    let named = commands.iter().filter_map(Nested::to_possible_value);
    let named: Vec<_> = named.map(|value| value.get_name().to_owned()).collect();
    lines.push(format!("commands={}", quoted(&named.join(" "))));
    for name in HANDED_ON {
        if let Ok(value) = env::var(name) {
            lines.push(format!("export {name}={}", quoted(&value)));
        }
    }
    lines.push(include_str!("outer.sh").into());
    // In a shell of its own: it ends with `exit`.
    Ok(format!("(\n{}\n)", lines.join("\n")))
}
