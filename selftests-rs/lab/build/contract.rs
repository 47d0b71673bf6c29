// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust side of `src/bpf/contract.h`, which bindgen makes of it: once as plain types, and once, for what is shared with a
//! running program, as the same structs of atomics.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result};
use bindgen::callbacks::{EnumVariantValue, ParseCallbacks};

/// What programs and user space look at at the same time.
const SHARED: &str = "control|gate|lane|packet|records|record|call|fired|connections|connection";

/// Each C type of the header, and what stands for it where it is shared.
const ATOMICS: [(&str, &str); 5] = [
    ("__u16", "AtomicU16"),
    ("__s16", "AtomicI16"),
    ("__u32", "AtomicU32"),
    ("__s32", "AtomicI32"),
    ("__u64", "AtomicU64"),
];

/// Writes `contract.rs` and `shared.rs` to `out`.
///
/// # Errors
/// No libclang, or what it says of the header.
pub fn write(header: &Path, out: &Path) -> Result<()> {
    let steps = Steps::default();
    let plain = bpf_build::bindings(header)?
        .allowlist_file(".*(contract|keep/word)\\.h")
        .parse_callbacks(Box::new(steps.clone()));
    let plain = plain.generate().context("bindgen cannot read src/bpf/contract.h")?;
    let mut text = plain.to_string();
    text.push_str(&steps.table());
    fs::write(out.join("contract.rs"), text).context("cannot write the contract")?;

    let mut shared =
        bpf_build::bindings(header)?.allowlist_type(SHARED).derive_copy(false).derive_debug(false);
    for (c, rust) in ATOMICS {
        shared = shared.blocklist_type(c).raw_line(format!("use ::core::sync::atomic::{rust} as {c};"));
    }
    let shared = shared.generate().context("bindgen cannot read src/bpf/contract.h")?;
    fs::write(out.join("shared.rs"), shared.to_string()).context("cannot write the shared contract")
}

/// The names of `enum step`, as they come by.
#[derive(Clone, Debug, Default)]
struct Steps(Rc<RefCell<Vec<String>>>);

impl Steps {
    /// In order; the first stands for no step.
    fn table(&self) -> String {
        let mut table =
            String::from("/// The names of `enum step`, in its order.\npub const STEPS: &[&str] = &[\"\"");
        for name in self.0.borrow().iter().skip(1) {
            // Writing to a string does not fail.
            let _never = write!(table, ", {:?}", name.to_lowercase());
        }
        table + "];\n"
    }
}

impl ParseCallbacks for Steps {
    fn enum_variant_name(&self, of: Option<&str>, name: &str, _: EnumVariantValue) -> Option<String> {
        if of == Some("enum step") || of == Some("step") {
            self.0.borrow_mut().push(name.to_owned());
        }
        None
    }
}
