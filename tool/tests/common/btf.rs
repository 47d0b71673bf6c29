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
    let mut btf = Btf::default();
    btf.int("unsigned long long", 8, 0); // 1
    btf.int("unsigned int", 4, 0); // 2
    btf.int("short", 2, SIGNED); // 3
    btf.int("unsigned short", 2, 0); // 4
    btf.int("unsigned char", 1, 0); // 5
    btf.other("__u32", 8, 2); // 6
    btf.other("", 10, 6); // 7: const __u32
    let (open, closing) = (btf.name("CT_OPEN"), btf.name("CT_CLOSING"));
    btf.add("ct_state", 6, 2, 1, &[open, 0, closing, 1]); // 8
    btf.array(5, 2); // 9
    btf.members("", UNION, 2, &[("port", 4, 0, 0), ("id", 4, 0, 0)]); // 10
    btf.members("", STRUCT, 4, &[("mark", 4, 0, 0), ("tag", 9, 16, 0)]); // 11
    btf.other("bpf_prog", 7, 0); // 12: a forward declaration
    btf.members(
        "ct",
        STRUCT,
        24,
        &[
            ("packets", 1, 0, 0),
            ("lifetime", 7, 64, 0),
            ("state", 8, 96, 0),
            ("delta", 3, 112, 0),
            ("", 10, 128, 0),
            ("nat", 11, 144, 0),
            ("seen", 5, 176, 1),
        ],
    ); // 13
    btf.members("flow", STRUCT, 12, &[("port", 4, 0, 0), ("addr", 2, 32, 0), ("proto", 5, 64, 0)]); // 14
    btf.blob()
}

/// The id of `struct tuple` in [`tuple_btf`]: a key of 24 bytes.
pub const TUPLE_ID: u32 = 10;
/// The id of `struct owner`: a value of 24 bytes.
pub const OWNER_ID: u32 = 13;

/// Raw BTF of
///
/// ```c
/// typedef unsigned short __be16;
/// typedef unsigned int __be32;
/// struct tuple {
///     union { __be32 src; __be32 srcv6[4]; };
///     __be16 port;
///     unsigned char proto;
///     unsigned char netns : 1, client : 7;
///     unsigned char tail;
///     /* three bytes of padding */
/// };
/// struct owner {
///     char comm[8];
///     __be32 expires;
///     __be16 dport;
///     unsigned char code;
///     /* a byte of padding */
///     unsigned long long seen;
/// };
/// ```
pub fn tuple_btf() -> Vec<u8> {
    let mut btf = Btf::default();
    btf.int("unsigned long long", 8, 0); // 1
    btf.int("unsigned int", 4, 0); // 2
    btf.int("unsigned short", 2, 0); // 3
    btf.int("unsigned char", 1, 0); // 4
    btf.int("char", 1, SIGNED); // 5
    btf.other("__be32", 8, 2); // 6
    btf.other("__be16", 8, 3); // 7
    btf.array(6, 4); // 8
    btf.members("", UNION, 16, &[("src", 6, 0, 0), ("srcv6", 8, 0, 0)]); // 9
    btf.members(
        "tuple",
        STRUCT,
        24,
        &[
            ("", 9, 0, 0),
            ("port", 7, 128, 0),
            ("proto", 4, 144, 0),
            ("netns", 4, 152, 1),
            ("client", 4, 153, 7),
            ("tail", 4, 160, 0),
        ],
    ); // 10
    btf.array(5, 8); // 11
    btf.other("__u64", 8, 1); // 12
    btf.members(
        "owner",
        STRUCT,
        24,
        &[
            ("comm", 11, 0, 0),
            ("expires", 6, 64, 0),
            ("dport", 7, 96, 0),
            ("code", 4, 112, 0),
            ("seen", 12, 128, 0),
        ],
    ); // 13
    btf.blob()
}

/// Encoding of an integer with a sign.
pub const SIGNED: u32 = 1;
/// Kind.
pub const STRUCT: u32 = 4;
/// Kind.
pub const UNION: u32 = 5;

/// Types and names, as they are put together; each type has the next id, from 1 on.
pub struct Btf {
    types: Vec<u32>,
    strings: Vec<u8>,
}

impl Default for Btf {
    fn default() -> Self {
        Self { types: Vec::new(), strings: vec![0] }
    }
}

impl Btf {
    /// Where a name is.
    pub fn name(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let offset = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        offset
    }

    /// Any type.
    pub fn add(&mut self, name: &str, kind: u32, count: u32, size_or_type: u32, more: &[u32]) {
        let name = self.name(name);
        self.types.extend([name, kind << 24 | count, size_or_type]);
        self.types.extend(more);
    }

    /// An integer.
    pub fn int(&mut self, name: &str, bytes: u32, encoding: u32) {
        self.add(name, 1, 0, bytes, &[(encoding << 24) | (bytes * 8)]);
    }

    /// An array of so many elements.
    pub fn array(&mut self, element: u32, count: u32) {
        self.add("", 3, 0, 0, &[element, 2, count]);
    }

    /// A typedef, a qualifier, a declaration.
    pub fn other(&mut self, name: &str, kind: u32, ty: u32) {
        self.add(name, kind, 0, ty, &[]);
    }

    /// A struct or union: each member's name, type, first bit, and bits if it is a bit-field.
    pub fn members(&mut self, name: &str, kind: u32, bytes: u32, members: &[(&str, u32, u32, u32)]) {
        let fields = members.iter().any(|(.., bits)| *bits != 0);
        let mut more = Vec::new();
        for &(name, ty, first, bits) in members {
            more.extend([self.name(name), ty, bits << 24 | first]);
        }
        let count = u32::try_from(members.len()).unwrap() | u32::from(fields) << 31;
        let name = self.name(name);
        self.types.extend([name, kind << 24 | count, bytes]);
        self.types.extend(more);
    }

    /// As the kernel has it.
    pub fn blob(self) -> Vec<u8> {
        let len = u32::try_from(self.types.len() * 4).unwrap();
        let header =
            [u32::from_ne_bytes(start()), 24, 0, len, len, u32::try_from(self.strings.len()).unwrap()];
        let mut blob: Vec<u8> = header.into_iter().chain(self.types).flat_map(u32::to_ne_bytes).collect();
        blob.extend(self.strings);
        blob
    }
}

/// Magic, version, flags.
fn start() -> [u8; 4] {
    let [a, b] = 0xeb9f_u16.to_ne_bytes();
    [a, b, 1, 0]
}
