// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is known of an integer by the names of its type.

use keep::Order;

use super::{Layout, MAX_DEPTH};
use crate::btf::{Kind, Type};

impl Layout {
    /// Whether it is a character.
    #[must_use]
    pub fn is_character(&self, id: u32) -> bool {
        self.resolve(id).is_ok_and(|ty| match ty.kind {
            Kind::Int { size: 1, character, .. } => character || self.btf.type_name(ty) == "char",
            _ => false,
        })
    }

    /// Whether it is a truth value.
    #[must_use]
    pub fn is_truth(&self, id: u32) -> bool {
        self.resolve(id).is_ok_and(|ty| {
            matches!(ty.kind, Kind::Int { .. }) && ["_Bool", "bool"].contains(&self.btf.type_name(ty))
        })
    }

    /// The order of an integer's bytes, by the names that types have which have one: the kernel's `__be32` and `__le16`, and
    /// `be32_t`, `ovs_be16`, `u32be` of others.
    #[must_use]
    pub fn order(&self, mut id: u32) -> Order {
        for _ in 0..MAX_DEPTH {
            let Some(ty @ Type { kind: Kind::Alias(next), .. }) = self.btf.get(id) else { break };
            match order_of(self.btf.type_name(ty)) {
                Order::Native => id = *next,
                order => return order,
            }
        }
        Order::Native
    }
}

/// `be32` as the last word of a name, or `u32be` as all of it.
fn order_of(name: &str) -> Order {
    let name = name.trim_start_matches('_');
    let name = name.strip_suffix("_t").unwrap_or(name);
    let is_size = |text: &str| ["16", "32", "64"].contains(&text);
    let last = name.rsplit('_').next().unwrap_or_default();
    for (order, word) in [(Order::Big, "be"), (Order::Little, "le")] {
        let begins = last.strip_prefix(word).is_some_and(is_size);
        let number = name.strip_suffix(word).and_then(|rest| rest.strip_prefix(['u', 's', 'i']));
        if begins || number.is_some_and(|number| is_size(number.trim_end_matches('_'))) {
            return order;
        }
    }
    Order::Native
}
