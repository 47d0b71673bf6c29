// SPDX-License-Identifier: MIT OR Apache-2.0
//! The catalogue of approaches: each refresh discipline, gc strategy and type of map by its name, with what people read of
//! it, the steps that the model explores, whose it is, which objections it answers and what it needs. Pure data: nothing here
//! touches a kernel. The lab finds the kernel code of an approach by its name, and nobody else lists approaches.
//!
//! A new approach is its file in `refresh/` or `gc/`, one line of the catalogue in `refresh.rs` or `gc.rs`, and its BPF C under
//! `lab/src/bpf/`.

mod catalogue;
pub mod cells;
pub mod explore;
pub mod family;
pub mod gc;
pub mod maps;
pub mod refresh;

pub use self::{
    cells::{Place, all},
    family::{Family, Objection},
    gc::{Column, Form, Gc, Runs, Strategy},
    maps::MapKind,
    refresh::{Discipline, Refresh},
};

/// What an entry, or the table around it, holds for a protocol beside the plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Nothing.
    Plain,
    /// A `bpf_spin_lock` in the value, and a mark that is only looked at under it.
    Lock,
    /// A mark in the word that holds the lifetime, set by compare-and-swap.
    Mark,
    /// A lock word of the programs' own, shared by the keys that hash to it.
    Stripe,
    /// A `bpf_timer` in the value.
    Timer,
    /// Two maps, the current one and the one before.
    Generations,
    /// A table in an arena.
    Arena,
}

/// The oldest kernel that an approach runs on, as major and minor.
pub type Since = (u32, u32);
