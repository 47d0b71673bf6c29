// SPDX-License-Identifier: MIT OR Apache-2.0
//! Explores every interleaving of a refresh, a gc strategy and a third flow over a model of a BPF hash map.
