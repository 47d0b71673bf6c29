// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compare-and-delete of batches: each element is dealt with by itself and told of, and what cannot be told of is not
//! deleted. Kernels without it refuse every form of it and delete nothing.

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
    kernel == Kernel::Series && Series::of_this_kernel() == Series::Second
}

/// Why a test of what batches do is left out, if it is.
fn missing() -> Option<Verdict> {
    (Series::of_this_kernel() == Series::First)
        .then(|| Verdict::Skip("this version of the series has no batches".into()))
}
