// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the examples stand on: a datapath loaded, two namespaces with a link, flows through it, and rounds shown.
//!
//! Nothing of it outlives the process, however that ends: the namespaces have no names, the programs no pins.

pub mod clock;
pub mod datapath;
pub mod flows;
pub mod net;
pub mod run;
pub mod show;
pub mod verdict;
