// SPDX-License-Identifier: MIT OR Apache-2.0
//! The steps that several commands share, each a phase: from nothing to a kernel, from a kernel to results.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use results::Status;

use crate::{
    accel::{self, Accel},
    apply::{self, Patched},
    bindings,
    boot::{self, Beside, Boot, Limits, Machine},
    cli::{KernelOpts, MachineOpts},
    config::Profile,
    context::Ctx,
    exec::quoted,
    guest,
    kernel::{self, Kernel, Wanted},
    kselftest,
    pyenv::{self, Vng},
    report::{KernelReport, Place},
    series::Series,
    source::{self, Base, Origin},
    store::Store,
    test_run::Tests,
    tools,
    verdict::{self, Judged},
    watch::{Ended, Listener},
};

/// What kernels are made from, once the machine is ready.
pub struct Workshop<'a> {
    /// Passed on.
    pub ctx: &'a Ctx,
    opts: &'a KernelOpts,
    /// The source store.
    pub store: Store,
    /// The base in it.
    pub base: Base,
    /// The configuration.
    pub profile: Profile,
}

/// A built kernel, and what it was made from.
#[derive(Clone, Debug)]
pub struct Built {
    /// The kernel.
    pub kernel: Kernel,
    /// The base with its series.
    pub patched: Patched,
    /// The name of the series.
    pub series: String,
}

impl<'a> Workshop<'a> {
    /// Installs what is missing and gets the base.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn open(ctx: &'a Ctx, opts: &'a KernelOpts) -> Result<Self> {
        ctx.phase("tools", || tools::ensure(ctx, &tools::TOOLS, opts.offline))?;
        let profile = Profile::read(&ctx.root, &opts.profile)?;
        let origin = match &opts.kernel_src {
            Some(dir) => Origin::Folder(dir.clone()),
            None => Origin::Debian { line: opts.base.clone(), refresh: opts.refresh },
        };
        let (store, base) = ctx.phase("source", || {
            let store = Store::open(ctx)?;
            let (base, cached) = source::get(ctx, &store, &origin, profile.name, opts.offline)?;
            Ok(((store, base), cached))
        })?;
        ctx.events.note(format!("base: {}", base.name));
        Ok(Self { ctx, opts, store, base, profile })
    }

    /// The base with `series` applied, in its variant for this base if there is one.
    ///
    /// # Errors
    /// [`apply::DoesNotApply`].
    pub fn apply(&self, series: &Series) -> Result<Patched> {
        self.ctx.phase(&format!("series {}", series.name), || {
            apply::apply(self.ctx, &self.store, &self.base, series)
        })
    }

    /// The kernel with `series`, built if need be. `name` ends its release.
    ///
    /// # Errors
    /// Those of patching, configuring and building.
    pub fn build(&self, series: &Series) -> Result<Built> {
        let patched = self.apply(series)?;
        let wanted = self.wanted(series, &patched);
        let kernel = self
            .ctx
            .phase(&format!("kernel {}", series.name), || kernel::get(self.ctx, &self.store, &wanted))?;
        Ok(Built { kernel, patched, series: series.name.clone() })
    }

    /// Compiles single objects with `series` anew, with more words for make; gives the log.
    ///
    /// # Errors
    /// Those of patching and compiling.
    pub fn compile(&self, series: &Series, objects: &[String], more: &[&str]) -> Result<PathBuf> {
        let patched = self.apply(series)?;
        self.ctx.phase(&format!("objects {}", series.name), || {
            let wanted = self.wanted(series, &patched);
            Ok((kernel::compile(self.ctx, &self.store, &wanted, objects, more)?, false))
        })
    }

    /// The base of another line, for a look at it.
    ///
    /// # Errors
    /// No network, no space.
    pub fn other_base(&self, line: &str) -> Result<Base> {
        let origin = Origin::Debian { line: line.into(), refresh: self.opts.refresh };
        self.ctx.phase(&format!("source {line}"), || {
            source::get(self.ctx, &self.store, &origin, self.profile.name, self.opts.offline)
        })
    }

    /// The folder `include/` of the UAPI headers with `series`, without building a kernel for it.
    ///
    /// # Errors
    /// Those of patching and of `make headers_install`.
    pub fn headers(&self, series: &Series) -> Result<PathBuf> {
        let patched = self.apply(series)?;
        self.ctx.phase(&format!("headers {}", series.name), || {
            kernel::headers_alone(self.ctx, &self.store, &self.wanted(series, &patched))
        })
    }

    /// The kernel's own selftests with `series`, built against the types of its kernel.
    ///
    /// # Errors
    /// Tools that cannot be installed, targets that do not build.
    pub fn selftests(&self, built: &Built) -> Result<PathBuf> {
        let ctx = self.ctx;
        ctx.phase("tools of the selftests", || tools::ensure(ctx, &kselftest::TOOLS, self.opts.offline))?;
        ctx.phase("selftests", || {
            kselftest::get(ctx, &self.store, &built.patched, &built.kernel, self.jobs())
        })
    }

    fn jobs(&self) -> u32 {
        self.opts.jobs.unwrap_or_else(host_cpus)
    }

    fn wanted<'w>(&'w self, series: &'w Series, patched: &'w Patched) -> Wanted<'w> {
        let jobs = self.jobs();
        let (series, lineage) = (series.name.as_str(), series.lineage.as_str());
        Wanted { base: &self.base, patched, series, lineage, profile: &self.profile, jobs }
    }

    /// What the report says of a kernel.
    pub fn report_of(&self, built: &Built) -> KernelReport {
        KernelReport {
            version: built.kernel.manifest.release.clone(),
            base: self.base.name.clone(),
            series: built.series.clone(),
            patches: built.patched.patches.clone(),
            config_sha256: built.kernel.manifest.config_sha256.clone(),
            compiler: built.kernel.manifest.compiler.clone(),
        }
    }

    /// Whether the committed bindings are those of the kernel's headers.
    ///
    /// # Errors
    /// When they cannot be generated.
    pub fn bindings(&self, built: &Built) -> Result<results::TestResult> {
        let mut result = self.ctx.phase("bindings", || {
            if !self.base.pinned {
                let detail =
                    "the base is not the packaged source that the bindings were made from".to_owned();
                let skip =
                    results::TestResult { name: bindings::TEST.into(), status: Status::Skip, ms: 0, detail };
                return Ok((skip, true));
            }
            let generated = bindings::generate(self.ctx, &built.kernel.include)?;
            let path = bindings::committed(&self.ctx.root);
            let committed =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok((bindings::compare(&committed, &generated), false))
        })?;
        let seconds = self.ctx.phases.borrow().last().map_or(0.0, |phase| phase.seconds);
        result.ms = Duration::from_secs_f64(seconds).as_millis().try_into().unwrap_or(u64::MAX);
        self.ctx.events.emit(&crate::events::Event::TestFinished(result.clone()));
        Ok(result)
    }
}

/// CPUs of the host.
pub fn host_cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1))
}

/// Virtual CPUs unless told: races need two, and emulation gains nothing from more than four.
pub fn vcpus(opts: &MachineOpts) -> u32 {
    opts.cpus.unwrap_or_else(|| host_cpus().clamp(2, 4))
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

/// Sets up virtme-ng.
///
/// # Errors
/// No Python, no network.
pub fn vng(ctx: &Ctx, opts: &KernelOpts) -> Result<Vng> {
    ctx.phase("python", || pyenv::get(ctx, opts.offline))
}

impl<'a> Bench<'a> {
    /// Builds the programs and finds out how `built` can be run.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn open(ctx: &'a Ctx, vng: Vng, opts: &MachineOpts, built: &Built) -> Result<Self> {
        let programs = ctx.phase("tests", || guest::build(ctx, &built.kernel.include, &guest::PROGRAMS))?;
        Self::with(ctx, vng, opts, built, programs)
    }

    /// The same, for guests that run something else than our programs.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn bare(ctx: &'a Ctx, vng: Vng, opts: &MachineOpts, built: &Built) -> Result<Self> {
        Self::with(ctx, vng, opts, built, PathBuf::new())
    }

    fn with(ctx: &'a Ctx, vng: Vng, opts: &MachineOpts, built: &Built, programs: PathBuf) -> Result<Self> {
        let image = built.kernel.image();
        let accel: Accel = ctx.phase("accel", || accel::choose(ctx, opts.accel, &image, &vng))?;
        let machine = Machine { accel, cpus: vcpus(opts), memory: opts.memory.clone() };
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
        let run = boot::fresh_run_folder(&self.ctx.out, name)?;
        guest::copy(&self.programs, &run)?;
        Ok(run)
    }

    /// Where the console of `name` is kept.
    pub fn console(&self, name: &str) -> PathBuf {
        self.ctx.out.join(format!("console-{name}.log"))
    }

    /// Boots `built`, runs the tests of `command` in the guest's folder, and judges. `name` names the console log and the
    /// phase.
    ///
    /// # Errors
    /// When the guest never came to its tests.
    pub fn run(
        &self,
        built: &Built,
        name: &str,
        place: Place,
        command: &str,
        limits: Limits,
    ) -> Result<Judged> {
        let run = self.run_folder(name)?;
        let mut tests = Tests::new(place);
        let guest = Guest { name, run: &run, command, limits, beside: Beside::default() };
        let (ended, console) = self.boot(built, guest, &mut tests)?;
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
        let Guest { name, run, command, limits, beside } = guest;
        fs::write(run.join("guest.sh"), boot::script(run, command))
            .context("cannot write the guest's script")?;
        let (console, image) = (self.console(name), built.kernel.image());
        let ended = self.ctx.phase(&format!("boot {name}"), || {
            let (machine, vng) = (&self.machine, &self.vng);
            let boot = Boot { image: &image, machine, vng, run, console: &console, limits };
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

/// The test program's command line in the guest.
pub fn selftests_command(place: Place, filter: Option<&str>) -> String {
    let kernel = if place == Place::Base { "base" } else { "series" };
    let mut command =
        format!("./selftests --kernel {kernel} --events {} --cmpdel ./cmpdel", crate::channel::EVENTS);
    if let Some(filter) = filter {
        command.push_str(&format!(" --filter {}", quoted(filter)));
    }
    command
}
