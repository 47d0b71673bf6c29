// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare-and-delete and compare-and-update of batches: each element is dealt with by itself and told of, and what cannot
//! be told of is not touched. Kernels without it refuse every form of it and do nothing.

mod attribute;
mod elements;
mod faults;
mod refusals;
mod table;

use crate::Kernel;
use crate::series::Series;
use crate::verdict::{Test, Verdict};

pub fn tests() -> Vec<Test> {
    [elements::tests, faults::tests, refusals::tests, attribute::tests]
        .into_iter()
        .flat_map(|part| part())
        .collect()
}

/// Whether this kernel has it.
fn is_here(kernel: Kernel) -> bool {
    kernel == Kernel::Series && Series::of_this_kernel() == Series::V3
}

/// Why a test of what batches do is left out, if it is.
fn missing() -> Option<Verdict> {
    (Series::of_this_kernel() == Series::Rfc).then(|| Verdict::Skip("this series has no batches".into()))
}
