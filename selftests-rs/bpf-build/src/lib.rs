// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles BPF C, warnings being errors, for build scripts.
//!
//! `KERNEL_HEADERS` names the `include` folder of a kernel's installed headers; without it the system's are used.
//! `CLANG` names the compiler; without it the first of [`CLANGS`] that answers.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow};
use bindgen::Builder;
use libbpf_cargo::SkeletonBuilder;

/// The folder of the headers for datapaths: of the crate that is being built, if it has one, as in its package; or the one in
/// this repository.
fn keep() -> String {
    let own = env::var_os("CARGO_MANIFEST_DIR").map(|dir| Path::new(&dir).join("include"));
    match own {
        Some(own) if own.join("keep").is_dir() => own.display().to_string(),
        _ => concat!(env!("CARGO_MANIFEST_DIR"), "/../../keep/include").to_owned(),
    }
}

/// The compilers that are tried, newest first.
pub const CLANGS: [&str; 5] = ["clang-22", "clang-21", "clang-20", "clang-19", "clang"];

/// clang, with what every program needs.
pub struct Compiler {
    clang: PathBuf,
    arguments: Vec<OsString>,
}

impl Compiler {
    /// Finds clang and the headers, and has cargo watch what that depends on.
    ///
    /// # Errors
    /// No clang, or a variable that cargo sets is not set.
    pub fn new(cpu: &str) -> Result<Self> {
        println!("cargo::rerun-if-env-changed=KERNEL_HEADERS");
        println!("cargo::rerun-if-env-changed=CLANG");
        let keep = keep();
        println!("cargo::rerun-if-changed={keep}");
        let mut arguments: Vec<OsString> = ["-Wall", "-Werror", cpu].map(Into::into).into();
        arguments.push(format!("-I{keep}").into());
        for folder in headers()? {
            arguments.push("-I".into());
            arguments.push(folder.into());
        }
        Ok(Self { clang: find_clang()?, arguments })
    }

    /// Compiles `source` to `object`.
    ///
    /// # Errors
    /// What clang says.
    pub fn object(&self, source: &Path, object: &Path, more: &[&str]) -> Result<()> {
        self.builder(source, more).obj(object).build().map(drop).with_context(|| self.failed(source))
    }

    /// Compiles `source` and writes its skeleton.
    ///
    /// # Errors
    /// What clang says.
    pub fn skeleton(&self, source: &Path, skeleton: &Path) -> Result<()> {
        self.builder(source, &[]).build_and_generate(skeleton).with_context(|| self.failed(source))
    }

    fn builder(&self, source: &Path, more: &[&str]) -> SkeletonBuilder {
        let mut arguments = self.arguments.clone();
        arguments.extend(more.iter().map(OsString::from));
        let mut builder = SkeletonBuilder::new();
        builder.source(source).clang(&self.clang).clang_args(arguments);
        builder
    }

    fn failed(&self, source: &Path) -> String {
        let clang = self.clang.display();
        let mend = match env::var_os("KERNEL_HEADERS") {
            Some(_) => "",
            None => {
                " and the system's headers, which may be too old: use `cargo xtask`, or set KERNEL_HEADERS to the include \
                 folder of a kernel with the series"
            }
        };
        format!("{} does not compile with {clang}{mend}", source.display())
    }
}

/// bindgen, told where a header of types finds what it includes.
///
/// # Errors
/// No libclang, or a variable that cargo sets is not set.
pub fn bindings(header: &Path) -> Result<Builder> {
    find_libclang()?;
    let mut builder = bindgen::builder()
        .header(header.display().to_string())
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .use_core()
        .clang_arg(format!("-I{}", keep()));
    for folder in headers()? {
        builder = builder.clang_arg(format!("-I{}", folder.display()));
    }
    Ok(builder)
}

/// Whether there is a libclang, of which bindgen makes the Rust side of a header. bindgen searches the same folders, and would
/// only panic.
///
/// # Errors
/// There is none.
fn find_libclang() -> Result<()> {
    println!("cargo::rerun-if-env-changed=LIBCLANG_PATH");
    if env::var_os("LIBCLANG_PATH").is_some() {
        return Ok(());
    }
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let below = folders.iter().flat_map(|folder| subfolders(folder));
    let deeper = below.clone().flat_map(|folder| subfolders(&folder));
    let found = folders.iter().cloned().chain(below).chain(deeper).any(|folder| has_libclang(&folder));
    found.then_some(()).ok_or_else(|| {
        anyhow!(
            "no libclang found to read the contract between BPF and Rust: install it (Debian: libclang1-19) or set \
             LIBCLANG_PATH to its folder"
        )
    })
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn has_libclang(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("libclang.so") || (name.starts_with("libclang-") && name.contains(".so"))
    })
}

/// What a build script's `main` returns. Not the error as it is: a backtrace would bury what the compiler said.
#[must_use]
pub fn report(built: Result<()>) -> ExitCode {
    match built {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn find_clang() -> Result<PathBuf> {
    if let Some(clang) = env::var_os("CLANG") {
        return Ok(clang.into());
    }
    let answers = |name: &&str| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    CLANGS.into_iter().find(answers).map(PathBuf::from).ok_or_else(|| {
        anyhow!(
            "no clang found to compile BPF programs (tried {}): install one or set CLANG",
            CLANGS.join(", ")
        )
    })
}

/// Where `linux/bpf.h` and `asm/types.h` are. Debian keeps the latter under the machine's triplet.
///
/// # Errors
/// A variable that cargo sets is not set.
pub fn headers() -> Result<Vec<PathBuf>> {
    if let Some(folder) = env::var_os("KERNEL_HEADERS") {
        return Ok(vec![folder.into()]);
    }
    let arch =
        env::var("CARGO_CFG_TARGET_ARCH").context("CARGO_CFG_TARGET_ARCH is not set: cargo sets it")?;
    let triplet = PathBuf::from(format!("/usr/include/{arch}-linux-gnu"));
    Ok(vec![PathBuf::from("/usr/include"), triplet].into_iter().filter(|folder| folder.is_dir()).collect())
}
