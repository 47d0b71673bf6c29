// SPDX-License-Identifier: MIT OR Apache-2.0
//! From nothing to a kernel, in steps that several commands share, each a phase.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use ground::{context::Ctx, place, tools};
use kernel::{
    apply,
    base::Base,
    bindings, kselftest,
    making::{self, Wanted},
    patched::Patched,
    profile::Profile,
    series::{DEFAULT, Series},
    source::{self, Origin},
    store::Store,
};
use results::{KernelReport, Status};

use crate::{built::Built, cli::KernelOpts, cpus::host_cpus, toolbox::TOOLS};

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

/// Whether kernels can be built in the cache.
///
/// # Errors
/// Why not, and the mend.
pub fn builds_take(ctx: &Ctx) -> Result<()> {
    place::for_builds(ctx.cache.root())?;
    place::temporary()
}

/// Whether guests can be given their folders.
///
/// # Errors
/// Why not, and the mend.
pub fn guests_take(ctx: &Ctx) -> Result<()> {
    place::for_guests(&ctx.out)
}

impl<'a> Workshop<'a> {
    /// Installs what is missing and gets the base.
    ///
    /// # Errors
    /// Folders that builds do not take; those of the steps.
    pub fn open(ctx: &'a Ctx, opts: &'a KernelOpts) -> Result<Self> {
        Self::with(ctx, opts, Profile::read(&ctx.root, &opts.profile)?)
    }

    /// As [`Self::open_for_guests`], for kernels that run their own selftests.
    ///
    /// # Errors
    /// The same.
    pub fn for_selftests(ctx: &'a Ctx, opts: &'a KernelOpts) -> Result<Self> {
        guests_take(ctx)?;
        Self::with(ctx, opts, Profile::read(&ctx.root, &opts.profile)?.with_selftests(&ctx.root)?)
    }

    fn with(ctx: &'a Ctx, opts: &'a KernelOpts, profile: Profile) -> Result<Self> {
        builds_take(ctx)?;
        ctx.phase("tools", || tools::ensure(ctx, &TOOLS, opts.offline))?;
        let origin = match &opts.kernel_src {
            Some(dir) => Origin::Folder(dir.clone()),
            None => Origin::Debian { line: opts.base.clone(), refresh: opts.refresh },
        };
        let (store, base) = ctx.phase("source", || {
            let store = Store::open(ctx)?;
            let (base, cached) = source::get(ctx, &store, &origin, &profile.name, opts.offline)?;
            Ok(((store, base), cached))
        })?;
        ctx.events.note(format!("base: {}", base.name));
        Ok(Self { ctx, opts, store, base, profile })
    }

    /// The same for who boots what is built.
    ///
    /// # Errors
    /// A folder that guests do not take, before anything is fetched; those of [`Self::open`].
    pub fn open_for_guests(ctx: &'a Ctx, opts: &'a KernelOpts) -> Result<Self> {
        guests_take(ctx)?;
        Self::open(ctx, opts)
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
            .phase(&format!("kernel {}", series.name), || making::get(self.ctx, &self.store, &wanted))?;
        Ok(Built { kernel, patched, series: series.name.clone(), append: self.profile.append })
    }

    /// The same, with what a report says of it.
    ///
    /// # Errors
    /// As of [`Self::build`].
    pub fn build_and_tell(&self, series: &Series) -> Result<(Built, KernelReport)> {
        let built = self.build(series)?;
        let told = self.report_of(&built);
        Ok((built, told))
    }

    /// Compiles single objects with `series` anew, with more words for make; gives the log.
    ///
    /// # Errors
    /// Those of patching and compiling.
    pub fn compile(&self, series: &Series, objects: &[String], more: &[&str]) -> Result<PathBuf> {
        let patched = self.apply(series)?;
        self.ctx.phase(&format!("objects {}", series.name), || {
            let wanted = self.wanted(series, &patched);
            Ok((making::compile(self.ctx, &self.store, &wanted, objects, more)?, false))
        })
    }

    /// The base of another line, for a look at it.
    ///
    /// # Errors
    /// No network, no space.
    pub fn other_base(&self, line: &str) -> Result<Base> {
        let origin = Origin::Debian { line: line.into(), refresh: self.opts.refresh };
        self.ctx.phase(&format!("source {line}"), || {
            source::get(self.ctx, &self.store, &origin, &self.profile.name, self.opts.offline)
        })
    }

    /// The folder `include/` of the UAPI headers with `series`, without building a kernel for it.
    ///
    /// # Errors
    /// Those of patching and of `make headers_install`.
    pub fn headers(&self, series: &Series) -> Result<PathBuf> {
        let patched = self.apply(series)?;
        self.ctx.phase(&format!("headers {}", series.name), || {
            making::headers_alone(self.ctx, &self.store, &self.wanted(series, &patched))
        })
    }

    /// The folder `include/` of the UAPI headers that the guest's programs are built with: those of its kernel if they have
    /// the operation, else those of the default series, since a kernel without it is asked for it all the same.
    ///
    /// # Errors
    /// Those of [`Self::headers`]; headers that cannot be read.
    pub fn program_headers(&self, built: &Built) -> Result<PathBuf> {
        let own = &built.kernel.include;
        let bpf = own.join("linux/bpf.h");
        let text = fs::read_to_string(&bpf).with_context(|| format!("cannot read {}", bpf.display()))?;
        if text.contains("compare_size") {
            return Ok(own.clone());
        }
        self.headers(&Series::read(&self.ctx.root, DEFAULT)?)
    }

    /// The kernel's own selftests with `series`, built against the types of its kernel.
    ///
    /// # Errors
    /// Tools that cannot be installed, targets that do not build.
    pub fn selftests(&self, built: &Built) -> Result<PathBuf> {
        let ctx = self.ctx;
        ctx.phase("tools of the selftests", || {
            tools::ensure(ctx, &kselftest::build::TOOLS, self.opts.offline)
        })?;
        ctx.phase("selftests", || {
            kselftest::build::get(ctx, &self.store, &built.patched, &built.kernel, self.jobs())
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
            let other = if built.series != DEFAULT {
                Some(format!("the bindings are of the headers of {DEFAULT}, {} has others", built.series))
            } else if self.base.pinned {
                None
            } else {
                Some("the base is not the packaged source that the bindings were made from".to_owned())
            };
            if let Some(detail) = other {
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
        self.ctx.events.emit(&ground::events::Event::TestFinished(result.clone()));
        Ok(result)
    }
}
