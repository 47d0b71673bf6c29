// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fields by their paths.

use super::*;
use crate::testing::{conntrack, place};

#[test]
fn fields_are_found_through_typedefs_arrays_and_unnamed_structs() {
    let layout = conntrack();
    assert_eq!(layout.whole().unwrap().size, 24);
    for (path, expected) in [
        ("packets", (0, 8)),
        ("lifetime", (8, 4)),
        ("state", (12, 1)),
        ("delta", (14, 2)),
        ("port", (16, 2)),
        ("nat", (18, 4)),
        ("nat.mark", (18, 2)),
        ("nat.tag[1]", (21, 1)),
        ("nat.tag", (20, 2)),
    ] {
        assert_eq!(place(layout.field(path)), expected, "{path}");
    }
}

#[test]
fn what_is_no_field_is_named() {
    for (path, why) in [
        ("lifetme", "no field `lifetme` in struct ct; it has packets, lifetime, state"),
        ("lifetime.x", "(__u32) has no fields: leave `.x` out"),
        ("nat.tag[2]", "beyond an array of 2"),
        ("lifetime[0]", "is no array"),
        ("nat.tag[x]", "is no field"),
        ("nat.tag[+1]", "is no field"),
        ("nat.tag[01]", "is no field"),
        ("nat..mark", "a field has a name"),
        ("nat.", "a field has a name"),
        ("", "a field has a name"),
    ] {
        let error = conntrack().field(path).unwrap_err();
        assert!(error.contains(why), "{path}: {error}");
    }
}

#[test]
fn the_order_of_an_integer_is_that_of_its_names() {
    for name in ["__be16", "__be64", "be32", "rte_be32_t", "ovs_be16", "u32be", "u64_be"] {
        assert_eq!(named(name), Order::Big, "{name}");
    }
    for name in ["__le32", "le16_t", "u16le"] {
        assert_eq!(named(name), Order::Little, "{name}");
    }
    for name in ["__u32", "be", "__be", "be8", "maybe32", "label16", "number32", "be32x", "tube_16", ""] {
        assert_eq!(named(name), Order::Native, "{name}");
    }
}

/// The order of a typedef of that name for `const port`, a typedef of an integer.
fn named(name: &str) -> Order {
    crate::testing::alias(name).order(4)
}

#[test]
fn types_are_named_as_in_c() {
    let layout = crate::testing::rows();
    assert_eq!(layout.type_name(layout.whole().unwrap().ty), "unsigned int[2][3]");
    assert_eq!(place(layout.field("[1][2]")), (20, 4));
}

#[test]
fn the_kernels_own_btf_resolves() {
    let Ok(blob) = std::fs::read("/sys/kernel/btf/vmlinux") else {
        return eprintln!("skipped: this kernel shows no BTF of its own");
    };
    let id = Btf::parse(&blob).unwrap().find_struct("sk_buff").unwrap();
    let layout = Layout::new(&blob, id).unwrap();
    let (len, data_len) = (layout.field("len").unwrap(), layout.field("data_len").unwrap());
    assert_eq!((len.size, data_len.offset - len.offset), (4, 4));
    assert_eq!(layout.field("cb").unwrap().size, 48);
    assert!(layout.leaves(&(0..layout.whole().unwrap().size)).len() > 50);
}

#[test]
fn broken_btf_is_an_error_and_no_panic() {
    let blob = crate::testing::conntrack_btf();
    for cut in 0..blob.len() {
        assert!(Btf::parse(&blob[..cut]).is_err(), "cut at {cut}");
    }
    for at in 0..blob.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut broken = blob.clone();
            broken[at] ^= flip;
            if let Ok(layout) = Layout::new(&broken, crate::testing::CONNTRACK_ID) {
                let _ = layout.field("nat.tag[1]");
                let _ = layout.leaves(&(0..24));
            }
        }
    }
}
