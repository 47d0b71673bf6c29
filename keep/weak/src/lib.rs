// SPDX-License-Identifier: MIT OR Apache-2.0
//! The protocols of `keep/include/keep` where CPUs reorder memory accesses. x86 hides what arm64 shows.
//!
//! Tests alone: `cargo test -p keep-weak`. loom runs each through every execution of the C11 model that it knows. A file is a
//! protocol, `bpf` has the accesses of a BPF program, `kernel` has the map. A test that has to panic is a control: it drops one
//! order, and loom has to find what then goes wrong. (One of them, in `copy`, is what the headers do not cover.)
//!
//! No model sees all. loom never lets a load see a store that comes later (load buffering), and a store never overtakes
//! another to the same place. An address dependency is an acquire here; C11 has nothing between that and no order at all.
//! What was found, and what is not modelled, is in `docs/METHODOLOGY.md`.

#[cfg(test)]
mod bpf;
#[cfg(test)]
mod collect;
#[cfg(test)]
mod copy;
#[cfg(test)]
mod kernel;
#[cfg(test)]
mod locked;
#[cfg(test)]
mod stripes;
#[cfg(test)]
mod word;
