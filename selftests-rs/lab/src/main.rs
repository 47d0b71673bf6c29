// SPDX-License-Identifier: MIT OR Apache-2.0
//! The race lab: one XDP conntrack workload, every refresh discipline, every gc strategy, one oracle.

mod collector;
mod datapath;
mod gate;
mod gc;
mod layout;
mod load;
mod program;
mod refresh;
mod shared;

fn main() {
    println!("{} {}", gc::ALL.len(), refresh::ALL.len());
}
