// SPDX-License-Identifier: MIT OR Apache-2.0
//! Draws a call: a proper one that compares, with none, one or several of its fields spoilt. What is drawn depends on the seed
//! and on the maps alone, never on what an earlier call did.

use cmpdel_uapi_raw::{Form, Order, Place};
use fastrand::Rng;

use super::draft::{Draft, proper};
use super::memory::Memory;
use super::spoil;
use super::world::{Home, World};

/// A call, and what lies in memory for it.
pub struct Call {
    pub form: Form,
    /// In this order: what comes later lies on top.
    pub puts: Vec<(Place, Vec<u8>)>,
    /// For texts.
    pub spoilt: Vec<&'static str>,
}

pub fn draw(order: Order, rng: &mut Rng, world: &World, memory: &Memory) -> Call {
    let homes: Vec<&Home> = world.homes.iter().filter(|home| !home.frozen).collect();
    let home = homes[rng.usize(..homes.len())];
    let mut draft = proper(order, rng, home, memory);
    let spoils = [0, 0, 0, 1, 1, 1, 1, 2, 2, 3][rng.usize(..10)];
    for _ in 0..spoils {
        let what = spoil::spoil(&mut draft, rng, world, memory);
        draft.spoilt.push(what);
    }
    lay_out(draft)
}

/// Puts keys, values and windows where the fields say.
fn lay_out(draft: Draft) -> Call {
    let Draft { form, elements, spoilt, .. } = draft;
    let mut puts = Vec::new();
    let keys: Vec<u8> = elements.iter().flat_map(|element| element.key.iter().copied()).collect();
    puts.push((form.keys, keys));
    if matches!(form.order, Order::Update | Order::UpdateBatch) {
        let values = elements.iter().flat_map(|element| element.new.iter().copied()).collect();
        puts.push((form.values, values));
    }
    for (number, element) in (0..).zip(&elements) {
        let Place::At(at) = form.compare else { break };
        let start = element.seen.len().min(form.offset as usize);
        let end = element.seen.len().min(start + form.size as usize);
        // What lies behind the arena is nobody's.
        let place = form.stride.checked_mul(number).and_then(|behind| at.checked_add(behind));
        let Some(place) = place else { break };
        puts.push((Place::At(place), element.seen[start..end].to_vec()));
    }
    Call { form, puts, spoilt }
}
