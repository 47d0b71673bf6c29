// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the report is made of: files that other commands have written. One that is not there is no error: the page says
//! which command makes it. One that cannot be read is.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use evidence::races::Row;
use results::{Accel, KernelReport};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Where figures come from. Everything shown carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// The kernel with the series.
    pub kernel: Option<KernelReport>,
    /// The same without it.
    pub base_kernel: Option<KernelReport>,
    /// Others that were booted.
    pub other_kernels: Vec<KernelReport>,
    /// `uname -r` of the host, where no other kernel was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// How the guest was run.
    pub accel: Option<Accel>,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// CPUs of the host.
    pub host_cpus: usize,
    /// The configuration, by name.
    pub profile: String,
    /// When it began, in UTC.
    pub date: String,
    /// What reproduces it.
    pub command: String,
    /// How it ended: `passed`, `failed`, `could_not_run`.
    pub verdict: String,
    /// Why.
    pub reason: String,
}

/// A machine whose own kernel was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// `uname -r`.
    pub release: String,
    /// CPUs online.
    pub cpus: usize,
    /// What it runs under, if anything: `kvm`, `qemu`, …
    pub hypervisor: Option<String>,
    /// The model of its CPUs.
    pub model: String,
}

impl Machine {
    /// In one line.
    pub fn words(&self) -> String {
        let under = match self.hypervisor.as_deref() {
            None | Some("" | "none") => String::new(),
            Some(name) => format!(", under a hypervisor ({name})"),
        };
        let model = if self.model.is_empty() { String::new() } else { format!(" ({})", self.model) };
        format!("{}, {} CPUs{model}{under}", self.release, self.cpus)
    }
}

/// `matrix.json`; `here.json` and `stock-*.json` have the same form.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RacesFile {
    /// Where it comes from.
    #[serde(flatten)]
    pub environment: Environment,
    /// The machine, where no other kernel than its own was asked.
    #[serde(default)]
    pub machine: Option<Machine>,
    /// The cells.
    pub cells: Vec<Row>,
    /// A sentence for each refresh discipline.
    #[serde(default)]
    pub verdicts: Vec<String>,
}

/// One of the files.
#[derive(Clone, Debug)]
pub enum Input<T> {
    /// It is there.
    Read(T),
    /// It is not, and this command makes it.
    NotRun(&'static str),
}

impl<T> Input<T> {
    /// What is there.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::NotRun(_) => None,
        }
    }
}

/// Reads `path`, which `command` makes.
///
/// # Errors
/// When it is there and cannot be read, or is of another form.
pub fn read<T: DeserializeOwned>(path: &Path, command: &'static str) -> Result<Input<T>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Input::NotRun(command)),
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
    };
    let read = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is of another form than this report reads: make it again with `{command}`",
            path.display()
        )
    })?;
    Ok(Input::Read(read))
}

/// Reads what ran on a kernel as it is: its release is that of the machine.
///
/// # Errors
/// As [`read`].
pub fn read_natively(path: &Path, command: &'static str) -> Result<Input<RacesFile>> {
    let mut input = read::<RacesFile>(path, command)?;
    if let Input::Read(file) = &mut input
        && let (None, Some(machine)) = (&file.environment.release, &file.machine)
    {
        file.environment.release = Some(machine.release.clone());
    }
    Ok(input)
}

/// Reads what stock kernels have left in `folder`: each `stock-*.json`, in the order of their names.
///
/// # Errors
/// As [`read`].
pub fn read_stock(folder: &Path) -> Result<Vec<RacesFile>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("stock-") && name.ends_with(".json")
    });
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if let Input::Read(file) = read_natively(&path, "cargo xtask races")? {
            files.push(file);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_names_its_command_and_a_broken_one_is_an_error() {
        let folder = std::env::temp_dir().join(format!("report-input-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let read_it = |name: &str| read::<RacesFile>(&folder.join(name), "cargo xtask races");
        assert!(matches!(read_it("none.json").unwrap(), Input::NotRun("cargo xtask races")));
        fs::write(folder.join("broken.json"), "{\"cells\": 1}").unwrap();
        let error = format!("{:#}", read_it("broken.json").unwrap_err());
        assert!(error.contains("make it again with `cargo xtask races`"), "{error}");
        let stock = |text: &str| fs::write(folder.join("stock-6.1.json"), text).unwrap();
        stock("{\"machine\": {\"release\": \"6.1\", \"cpus\": 2}, \"cells\": []}");
        let files = read_stock(&folder).unwrap();
        assert_eq!(files[0].machine.as_ref().unwrap().words(), "6.1, 2 CPUs");
        stock("[");
        assert!(read_stock(&folder).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
