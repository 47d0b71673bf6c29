// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every crate that is linked in allows what this repository allows.
#![allow(clippy::unwrap_used, reason = "helpers of a test fail it by a panic")]

use std::{path::Path, process::Command};

use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

/// Licences whose terms the repository's own (MIT or Apache-2.0) can be kept beside.
const ALLOWED: [&str; 7] = [
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    // Of single files, none of which is changed here; tests alone use them.
    "MPL-2.0",
    "Unicode-3.0",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// What is wrong with a crate's licence, if anything is.
fn objection(licence: Option<&str>) -> Option<String> {
    let Some(licence) = licence else { return Some("names no licence".into()) };
    match Expression::parse_mode(licence, ParseMode::LAX) {
        Err(e) => Some(format!("`{licence}` cannot be read: {}", e.reason)),
        Ok(expression) if expression.evaluate(allowed) => None,
        Ok(_) => Some(format!("`{licence}` is not among those allowed in vm/tests/licences.rs")),
    }
}

fn allowed(wanted: &LicenseReq) -> bool {
    wanted.license.id().is_some_and(|id| ALLOWED.contains(&id.name))
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let out = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Metadata = serde_json::from_slice(&out.stdout).unwrap();
    assert!(metadata.packages.len() > 50, "cargo names {} packages", metadata.packages.len());
    let objections: Vec<String> = metadata
        .packages
        .iter()
        .filter_map(|p| Some(format!("{} {}: {}", p.name, p.version, objection(p.license.as_deref())?)))
        .collect();
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[test]
fn a_licence_that_is_not_allowed_is_found() {
    assert_eq!(objection(Some("GPL-2.0-only OR MIT")), None);
    assert_eq!(objection(Some("MIT/Apache-2.0")), None);
    assert!(objection(Some("GPL-3.0-only")).unwrap().contains("not among"));
    assert!(objection(Some("MIT AND GPL-3.0-only")).unwrap().contains("not among"));
    assert!(objection(Some("SEE LICENSE")).unwrap().contains("cannot be read"));
    assert!(objection(None).unwrap().contains("no licence"));
}
