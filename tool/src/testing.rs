// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layouts to test against.

#[path = "../tests/common/btf.rs"]
mod btf;

pub use btf::{CONNTRACK_ID, conntrack_btf};

use crate::layout::{Layout, Place};

/// The id of `struct flow`, a key with padding: the type after `struct ct`.
pub const FLOW_ID: u32 = CONNTRACK_ID + 1;

/// The layout of `struct ct`.
pub fn conntrack() -> Layout {
    Layout::new(&conntrack_btf(), CONNTRACK_ID).unwrap()
}

/// The layout of `struct tuple`: a union, bit-fields, network order.
pub fn tuple() -> Layout {
    Layout::new(&btf::tuple_btf(), btf::TUPLE_ID).unwrap()
}

/// The layout of `struct owner`: a text, network order, an integer at the end.
pub fn owner() -> Layout {
    Layout::new(&btf::tuple_btf(), btf::OWNER_ID).unwrap()
}

/// The layout of `__u64` alone.
pub fn number() -> Layout {
    Layout::new(&btf::tuple_btf(), btf::OWNER_ID - 1).unwrap()
}

/// The layout of `bool` alone.
pub fn truth() -> Layout {
    let mut btf = btf::Btf::default();
    btf.int("_Bool", 1, 4);
    btf.other("bool", 8, 1);
    Layout::new(&btf.blob(), 2).unwrap()
}

/// A typedef of that name, which is the fourth type, for `const port`, which is a typedef of `unsigned int`.
pub fn alias(name: &str) -> Layout {
    let mut btf = btf::Btf::default();
    btf.int("unsigned int", 4, 0);
    btf.other("port", 8, 1);
    btf.other("", 10, 2);
    btf.other(name, 8, 3);
    Layout::new(&btf.blob(), 4).unwrap()
}

/// The layout of `unsigned int[2][3]`.
pub fn rows() -> Layout {
    let mut btf = btf::Btf::default();
    btf.int("unsigned int", 4, 0);
    btf.other("index", 8, 1);
    btf.array(1, 3);
    btf.array(3, 2);
    Layout::new(&btf.blob(), 4).unwrap()
}

/// The id of `struct odd` in the BTF of [`odd`], and of what may be a whole key.
pub const ODD_ID: u32 = 17;
/// `void *`, `__be16`, `char`, `enum tag`, `char[16]`, `__be16[2]`, `unsigned __int128`.
pub const ODD_PARTS: [u32; 7] = [2, 6, 8, 11, 13, 14, 3];

/// The layout of what is seldom in a map, of
///
/// ```c
/// enum tag { be = 1, ab = 0xab, cafe = 3 } __attribute__((packed));
/// enum level { LOW = -1, HIGH = 5 };
/// struct odd {
///     void *ptr;
///     unsigned __int128 wide;
///     unsigned int half : 16, low : 4;
///     int sig : 12;
///     __be16 lost : 16;
///     char letter;
///     enum tag tag;
///     float ratio;
///     enum level level;
///     char name[16];
///     __be16 ports[2];
///     __le32 little;
///     long long delta;
/// };
/// ```
///
/// or of one of its types.
pub fn odd(id: u32) -> Layout {
    let mut btf = btf::Btf::default();
    btf.int("unsigned int", 4, 0); // 1
    btf.other("", 2, 0); // 2: void *
    btf.int("unsigned __int128", 16, 0); // 3
    btf.int("int", 4, btf::SIGNED); // 4
    btf.int("unsigned short", 2, 0); // 5
    btf.other("__be16", 8, 5); // 6
    btf.other("__le32", 8, 1); // 7
    btf.int("char", 1, btf::SIGNED); // 8
    btf.int("long long", 8, btf::SIGNED); // 9
    btf.add("float", 16, 0, 4, &[]); // 10
    let names = ["be", "ab", "cafe"].map(|name| btf.name(name));
    btf.add("tag", 6, 3, 1, &[names[0], 1, names[1], 0xab, names[2], 3]); // 11
    let names = ["LOW", "HIGH"].map(|name| btf.name(name));
    btf.add("level", 6, 2 | 1 << 31, 4, &[names[0], u32::MAX, names[1], 5]); // 12
    btf.array(8, 16); // 13
    btf.array(6, 2); // 14
    btf.other("port_t", 8, 6); // 15: __be16 by another name
    btf.other("", 10, 15); // 16: const port_t
    btf.members(
        "odd",
        btf::STRUCT,
        80,
        &[
            ("ptr", 2, 0, 0),
            ("wide", 3, 128, 0),
            ("half", 1, 256, 16),
            ("low", 1, 272, 4),
            ("sig", 4, 276, 12),
            ("lost", 16, 288, 16),
            ("letter", 8, 304, 0),
            ("tag", 11, 312, 0),
            ("ratio", 10, 320, 0),
            ("level", 12, 352, 0),
            ("name", 13, 384, 0),
            ("ports", 14, 512, 0),
            ("little", 7, 544, 0),
            ("delta", 9, 576, 0),
        ],
    ); // 17
    Layout::new(&btf.blob(), id).unwrap()
}

/// The layout of `struct in6 { union { unsigned char u6_addr8[16]; __be16 a16[8]; __be32 a32[4]; } in6_u; }`.
pub fn address() -> Layout {
    let mut btf = btf::Btf::default();
    btf.int("unsigned char", 1, 0); // 1
    btf.int("unsigned short", 2, 0); // 2
    btf.int("unsigned int", 4, 0); // 3
    btf.other("__be16", 8, 2); // 4
    btf.other("__be32", 8, 3); // 5
    btf.array(1, 16); // 6
    btf.array(4, 8); // 7
    btf.array(5, 4); // 8
    btf.members("", btf::UNION, 16, &[("u6_addr8", 6, 0, 0), ("a16", 7, 0, 0), ("a32", 8, 0, 0)]); // 9
    btf.members("in6", btf::STRUCT, 16, &[("in6_u", 9, 0, 0)]); // 10
    Layout::new(&btf.blob(), 10).unwrap()
}

/// The layout of `struct { unsigned int key, value, formatted; }`.
pub fn named_like_an_entry() -> Layout {
    let mut btf = btf::Btf::default();
    btf.int("unsigned int", 4, 0); // 1
    btf.members("", btf::STRUCT, 12, &[("key", 1, 0, 0), ("value", 1, 32, 0), ("formatted", 1, 64, 0)]); // 2
    Layout::new(&btf.blob(), 2).unwrap()
}

/// Offset and size.
pub fn place(place: Result<Place, String>) -> (usize, usize) {
    let place = place.unwrap();
    (place.offset, place.size)
}
