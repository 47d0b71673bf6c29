// SPDX-License-Identifier: MIT OR Apache-2.0
//! BTF built by hand, for unit tests and for maps made by integration tests.

/// The id of `struct ct` in [`conntrack_btf`].
pub const CONNTRACK_ID: u32 = 13;

/// Raw BTF of
///
/// ```c
/// typedef unsigned int __u32;
/// enum ct_state { CT_OPEN, CT_CLOSING } __attribute__((packed));
/// struct ct {
///     unsigned long long packets;
///     const __u32 lifetime;
///     enum ct_state state;
///     /* a byte of padding */
///     short delta;
///     union { unsigned short port; unsigned short id; } /* unnamed */;
///     struct { unsigned short mark; unsigned char tag[2]; } nat;
///     /* two bytes of padding, of which */ unsigned char seen : 1;
/// };
/// struct flow { unsigned short port; unsigned int addr; unsigned char proto; };
/// ```
pub fn conntrack_btf() -> Vec<u8> {
    let mut strings = vec![0_u8];
    let mut name = |text: &str| {
        let offset = u32::try_from(strings.len()).unwrap();
        strings.extend(text.as_bytes());
        strings.push(0);
        offset
    };
    let kind = |kind: u32, count: u32| kind << 24 | count;
    let mut int = |text: &str, bytes: u32, encoding: u32| {
        vec![name(text), kind(1, 0), bytes, (encoding << 24) | (bytes * 8)]
    };
    let mut types = Vec::new();
    types.extend(int("unsigned long long", 8, 0)); // 1
    types.extend(int("unsigned int", 4, 0)); // 2
    types.extend(int("short", 2, 1)); // 3
    types.extend(int("unsigned short", 2, 0)); // 4
    types.extend(int("unsigned char", 1, 0)); // 5
    types.extend([name("__u32"), kind(8, 0), 2]); // 6
    types.extend([0, kind(10, 0), 6]); // 7: const __u32
    types.extend([name("ct_state"), kind(6, 2), 1, name("CT_OPEN"), 0, name("CT_CLOSING"), 1]); // 8
    types.extend([0, kind(3, 0), 0, 5, 2, 2]); // 9: unsigned char[2]
    types.extend([0, kind(5, 2), 2, name("port"), 4, 0, name("id"), 4, 0]); // 10
    types.extend([0, kind(4, 2), 4, name("mark"), 4, 0, name("tag"), 9, 16]); // 11
    types.extend([name("bpf_prog"), kind(7, 0), 0]); // 12: a forward declaration
    types.extend([name("ct"), kind(4, 7) | 1 << 31, 24]); // 13
    types.extend([name("packets"), 1, 0, name("lifetime"), 7, 64, name("state"), 8, 96]);
    types.extend([name("delta"), 3, 112, 0, 10, 128, name("nat"), 11, 144]);
    types.extend([name("seen"), 5, 1 << 24 | 176]);
    types.extend([
        name("flow"),
        kind(4, 3),
        12,
        name("port"),
        4,
        0,
        name("addr"),
        2,
        32,
        name("proto"),
        5,
        64,
    ]); // 14

    let len = u32::try_from(types.len() * 4).unwrap();
    let header = [u32::from_ne_bytes(start()), 24, 0, len, len, u32::try_from(strings.len()).unwrap()];
    let mut blob: Vec<u8> = header.into_iter().chain(types).flat_map(u32::to_ne_bytes).collect();
    blob.extend(strings);
    blob
}

/// Magic, version, flags.
fn start() -> [u8; 4] {
    let [a, b] = 0xeb9f_u16.to_ne_bytes();
    [a, b, 1, 0]
}
