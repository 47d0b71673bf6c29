// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a kernel to results, in steps that several commands share, each a phase.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use ground::{context::Ctx, exec::quoted};
use guest::{
    accel,
    beside::Beside,
    boot::{self, Boot},
    folder,
    listener::Listener,
    machine::{Ended, Image, Limits, Machine},
    pyenv::{self, Vng},
    test_run::Tests,
    verdict::{self, Judged},
};
use kernel::stock::{self, Stock};
use results::Accel;

use crate::{
    built::Built,
    cli::{KernelOpts, MachineOpts},
    programs,
    run_report::Place,
};

/// What to boot of a kernel of Debian's.
pub fn stock_image(kernel: &Stock) -> Image {
    Image { kernel: kernel.kernel(), busybox: Some(kernel.busybox().to_owned()), append: stock::APPEND }
}

/// For how many CPUs a kernel with this configuration has room.
fn room_for_cpus(config: &str) -> Option<u32> {
    config.lines().find_map(|line| line.strip_prefix("CONFIG_NR_CPUS=")?.parse().ok())
}

/// A machine to boot kernels on, and the programs to run there.
pub struct Bench<'a> {
    ctx: &'a Ctx,
    /// virtme-ng.
    pub vng: Vng,
    /// The virtual machine.
    pub machine: Machine,
    /// Folder of the guest's programs.
    pub programs: PathBuf,
}

/// The file with the pinned virtme-ng.
pub fn pins(root: &Path) -> PathBuf {
    root.join("vm/requirements.txt")
}

/// Sets up virtme-ng.
///
/// # Errors
/// No Python, no network.
pub fn vng(ctx: &Ctx, opts: &KernelOpts) -> Result<Vng> {
    ctx.phase("python", || pyenv::get(ctx, &pins(&ctx.root), opts.offline))
}

impl<'a> Bench<'a> {
    /// Builds the programs with the headers in `include` and finds out how `built` can be run.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn open(ctx: &'a Ctx, include: &Path, vng: Vng, opts: &MachineOpts, built: &Built) -> Result<Self> {
        let programs = ctx.phase("tests", || programs::build(ctx, include, &programs::PROGRAMS))?;
        let room = fs::read_to_string(built.kernel.image().with_file_name("config")).ok();
        let room = room.as_deref().and_then(room_for_cpus);
        if let (Some(asked), Some(room)) = (opts.cpus, room)
            && asked > room
        {
            ctx.events.note(format!(
                "this kernel has room for {room} CPUs (CONFIG_NR_CPUS), so that the guest uses no more of the {asked} asked \
                 for: Debian's kernels, of `races --stock`, take them all"
            ));
        }
        Self::with(ctx, vng, opts, &built.image(), programs)
    }

    /// The same, for guests that run something else than our programs.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn bare(ctx: &'a Ctx, vng: Vng, opts: &MachineOpts, built: &Built) -> Result<Self> {
        Self::with(ctx, vng, opts, &built.image(), PathBuf::new())
    }

    /// The same, for guests with a kernel of Debian's and ready `programs`.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn stock(
        ctx: &'a Ctx,
        vng: Vng,
        opts: &MachineOpts,
        kernel: &Stock,
        programs: PathBuf,
    ) -> Result<Self> {
        Self::with(ctx, vng, opts, &stock_image(kernel), programs)
    }

    fn with(ctx: &'a Ctx, vng: Vng, opts: &MachineOpts, image: &Image, programs: PathBuf) -> Result<Self> {
        let comes_up = |machine: &Machine, limit| boot::comes_up(ctx, image, machine, &vng, "accel", limit);
        let accel: Accel = ctx.phase("accel", || accel::choose(ctx, opts.accel.into(), &comes_up))?;
        let machine = Machine { accel, cpus: opts.vcpus(), memory: opts.memory.clone() };
        Ok(Self { ctx, vng, machine, programs })
    }

    /// What the steps on it are told to.
    pub fn ctx(&self) -> &'a Ctx {
        self.ctx
    }

    /// A folder for a guest with the programs in it.
    ///
    /// # Errors
    /// When a program is missing.
    pub fn run_folder(&self, name: &str) -> Result<PathBuf> {
        let run = folder::fresh_run_folder(&self.ctx.out, name)?;
        programs::copy(&self.programs, &run)?;
        Ok(run)
    }

    /// Where the console of `name` is kept.
    pub fn console(&self, name: &str) -> PathBuf {
        self.ctx.out.join(format!("console-{name}.log"))
    }

    /// Boots `image`, runs the tests of `command` in the guest's folder, and judges. `name` names the console log and the
    /// phase.
    ///
    /// # Errors
    /// When the guest never came to its tests.
    pub fn run(
        &self,
        image: &Image,
        name: &str,
        place: Place,
        command: &str,
        limits: Limits,
    ) -> Result<Judged> {
        let run = self.run_folder(name)?;
        let mut tests = Tests::new(place.kernel(), place.prefix());
        let guest = Guest { name, run: &run, command, limits, beside: Beside::default() };
        let (ended, console) = self.boot_image(image, guest, &mut tests)?;
        verdict::judge(&tests.ended(ended), &console, limits.boot.as_secs(), limits.silence.as_secs())
    }

    /// Boots `built` for a program whose events `listener` takes in; gives what was seen of the guest, and its console.
    ///
    /// # Errors
    /// Those of [`boot::boot`].
    pub fn boot<L: Listener>(
        &self,
        built: &Built,
        guest: Guest<'_>,
        listener: &mut L,
    ) -> Result<(Ended, String)> {
        self.boot_image(&built.image(), guest, listener)
    }

    /// The same, for a kernel that was not built here.
    ///
    /// # Errors
    /// Those of [`boot::boot`].
    pub fn boot_image<L: Listener>(
        &self,
        image: &Image,
        guest: Guest<'_>,
        listener: &mut L,
    ) -> Result<(Ended, String)> {
        let Guest { name, run, command, limits, beside } = guest;
        fs::write(run.join("guest.sh"), folder::script(run, command))
            .context("cannot write the guest's script")?;
        let console = self.console(name);
        let ended = self.ctx.phase(&format!("boot {name}"), || {
            let (machine, vng) = (&self.machine, &self.vng);
            let boot = Boot { image, machine, vng, run, console: &console, limits };
            Ok((boot::boot(self.ctx, &boot, beside, listener)?, false))
        })?;
        let log = fs::read(&console).with_context(|| format!("cannot read {}", console.display()))?;
        self.ctx.events.note(format!("the guest was up after {:.1} s", ended.boot_seconds));
        Ok((ended, String::from_utf8_lossy(&log).into_owned()))
    }
}

/// What a guest is booted for.
pub struct Guest<'a> {
    /// Names the console log and the phase.
    pub name: &'a str,
    /// Its folder, with the programs in it.
    pub run: &'a Path,
    /// Run in that folder.
    pub command: &'a str,
    /// When to stop waiting.
    pub limits: Limits,
    /// What runs beside it.
    pub beside: Beside<'a>,
}

/// Which tests are run, and how much of those that draw their cases.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawn<'a> {
    /// Those whose name contains this.
    pub filter: Option<&'a str>,
    /// How many malformed calls of each command.
    pub calls: Option<u64>,
    /// The first of them.
    pub seed: Option<u64>,
}

/// How long a malformed call takes at most, on average, on an emulated machine with a slow kernel.
const CALL: Duration = Duration::from_millis(10);

impl Drawn<'_> {
    /// As long as a test may say nothing: the calls of one are not told one by one.
    pub fn limits(&self, limits: Limits) -> Limits {
        let calls = u32::try_from(self.calls.unwrap_or_default()).unwrap_or(u32::MAX);
        Limits { silence: limits.silence + CALL * calls, ..limits }
    }
}

/// The test program's command line in the guest.
pub fn selftests_command(place: Place, limits: Limits, drawn: Drawn<'_>) -> String {
    let kernel = place.kernel();
    // What takes too long is told by the guest, before the host gives it up.
    let race_limit = limits.silence * 5 / 6;
    let mut command = format!(
        "./selftests --kernel {kernel} --events {} --cmpdel ./cmpdel --race-limit {}",
        guest::channel::EVENTS,
        race_limit.as_secs()
    );
    if let Some(filter) = drawn.filter {
        command.push_str(&format!(" --filter {}", quoted(filter)));
    }
    for (option, number) in [("calls", drawn.calls), ("seed", drawn.seed)] {
        if let Some(number) = number {
            command.push_str(&format!(" --{option} {number}"));
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_are_asked_for_are_told_and_waited_for() {
        let limits = Limits { boot: Duration::from_secs(1), silence: Duration::from_secs(6) };
        let drawn = Drawn { filter: Some("malformed"), calls: Some(1_000_000), seed: Some(7) };
        assert_eq!(drawn.limits(limits).silence, Duration::from_secs(10_006));
        let command = selftests_command(Place::Base, limits, drawn);
        assert!(
            command.ends_with(" --race-limit 5 --filter malformed --calls 1000000 --seed 7"),
            "{command}"
        );
        let command = selftests_command(Place::Base, limits, Drawn::default());
        assert!(command.ends_with(" --race-limit 5"), "{command}");
    }

    #[test]
    fn a_configuration_says_for_how_many_cpus_it_has_room() {
        let config = "CONFIG_NR_CPUS_DEFAULT=64\nCONFIG_NR_CPUS=2\n";
        assert_eq!((room_for_cpus(config), room_for_cpus("CONFIG_SMP=y\n")), (Some(2), None));
    }
}
