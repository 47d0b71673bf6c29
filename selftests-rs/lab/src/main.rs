// SPDX-License-Identifier: MIT OR Apache-2.0
//! The race lab: one XDP conntrack workload, every refresh discipline, every gc strategy, one oracle.

mod gc;
mod refresh;

fn main() {
    println!("{} {}", gc::ALL.len(), refresh::ALL.len());
}
