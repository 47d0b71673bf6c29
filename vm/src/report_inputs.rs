// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads what the report is made of: files that other commands have written. One that is not there is no error: the page
//! says which command makes it. One that cannot be read is.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use report::{Input, RacesFile};
use serde::de::DeserializeOwned;

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
