// SPDX-License-Identifier: MIT OR Apache-2.0
//! The types of the layouts under test, written down once more by hand.

use crate::layout::Layout;
use crate::testing::{FLOW_ID, ODD_ID, ODD_PARTS, conntrack, conntrack_btf, number, odd, owner, tuple};

/// The order of an integer's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Native,
    Big,
    Little,
}
use Order::{Big, Little, Native};

impl Order {
    /// Whether it is not this machine's.
    pub fn is_other(self) -> bool {
        self == if cfg!(target_endian = "little") { Big } else { Little }
    }
}

/// What a field is.
#[derive(Clone, Copy, Debug)]
pub enum Ty {
    Int {
        signed: bool,
        order: Order,
    },
    Char,
    /// A row of characters.
    Text,
    /// A row of bytes.
    Row,
    Enum {
        names: &'static [(&'static str, i128)],
        signed: bool,
    },
    /// From that bit of its first byte on.
    Bits {
        first: usize,
        count: usize,
        signed: bool,
    },
    /// A bit-field of network order.
    Lost,
    Pointer,
    Float,
    /// An integer of 128 bits.
    Wide,
    /// Elements of so many bytes.
    List {
        of: &'static Ty,
        each: usize,
    },
    Struct(&'static [Field]),
}
use Ty::{Bits, Char, Enum, Float, Int, List, Lost, Pointer, Row, Struct, Text, Wide};

/// A field of a struct; without a name it is a struct or union whose fields are found by their own.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    /// Its first byte, from that of the struct on.
    pub at: usize,
    pub size: usize,
    pub ty: Ty,
}

/// A layout and what it is.
pub struct Model {
    pub layout: Layout,
    pub whole: Field,
    /// Every field by its path, fields within fields too; `at` is from the start of the value.
    pub paths: Vec<(String, Field)>,
}

const fn field(name: &'static str, at: usize, size: usize, ty: Ty) -> Field {
    Field { name, at, size, ty }
}

const UNSIGNED: Ty = Int { signed: false, order: Native };
const SIGNED: Ty = Int { signed: true, order: Native };
const NETWORK: Ty = Int { signed: false, order: Big };
const STATE: Ty = Enum { names: &[("CT_OPEN", 0), ("CT_CLOSING", 1)], signed: false };
const TAG: Ty = Enum { names: &[("be", 1), ("ab", 0xab), ("cafe", 3)], signed: false };
const LEVEL: Ty = Enum { names: &[("LOW", -1), ("HIGH", 5)], signed: true };
const PORTS: Ty = List { of: &NETWORK, each: 2 };

const CT: &[Field] = &[
    field("packets", 0, 8, UNSIGNED),
    field("lifetime", 8, 4, UNSIGNED),
    field("state", 12, 1, STATE),
    field("delta", 14, 2, SIGNED),
    field("", 16, 2, Struct(&[field("port", 0, 2, UNSIGNED), field("id", 0, 2, UNSIGNED)])),
    field("nat", 18, 4, Struct(&[field("mark", 0, 2, UNSIGNED), field("tag", 2, 2, Row)])),
    field("seen", 22, 1, Bits { first: 0, count: 1, signed: false }),
];
const TUPLE: &[Field] = &[
    field(
        "",
        0,
        16,
        Struct(&[field("src", 0, 4, NETWORK), field("srcv6", 0, 16, List { of: &NETWORK, each: 4 })]),
    ),
    field("port", 16, 2, NETWORK),
    field("proto", 18, 1, UNSIGNED),
    field("netns", 19, 1, Bits { first: 0, count: 1, signed: false }),
    field("client", 19, 1, Bits { first: 1, count: 7, signed: false }),
    field("tail", 20, 1, UNSIGNED),
];
const OWNER: &[Field] = &[
    field("comm", 0, 8, Text),
    field("expires", 8, 4, NETWORK),
    field("dport", 12, 2, NETWORK),
    field("code", 14, 1, UNSIGNED),
    field("seen", 16, 8, UNSIGNED),
];
const FLOW: &[Field] =
    &[field("port", 0, 2, UNSIGNED), field("addr", 4, 4, UNSIGNED), field("proto", 8, 1, UNSIGNED)];
const ODD: &[Field] = &[
    field("ptr", 0, 8, Pointer),
    field("wide", 16, 16, Wide),
    field("half", 32, 2, Bits { first: 0, count: 16, signed: false }),
    field("low", 34, 1, Bits { first: 0, count: 4, signed: false }),
    field("sig", 34, 2, Bits { first: 4, count: 12, signed: true }),
    field("lost", 36, 2, Lost),
    field("letter", 38, 1, Char),
    field("tag", 39, 1, TAG),
    field("ratio", 40, 4, Float),
    field("level", 44, 4, LEVEL),
    field("name", 48, 16, Text),
    field("ports", 64, 4, PORTS),
    field("little", 68, 4, Int { signed: false, order: Little }),
    field("delta", 72, 8, SIGNED),
];

/// Those that are structs: `struct ct` and `struct odd`, `struct owner`, and the keys `struct tuple`, `struct flow`.
pub fn structs() -> Vec<Model> {
    let model = |layout, size, fields| Model::new(layout, field("", 0, size, Struct(fields)));
    vec![
        model(conntrack(), 24, CT),
        model(odd(ODD_ID), 80, ODD),
        model(owner(), 24, OWNER),
        model(tuple(), 24, TUPLE),
        model(Layout::new(&conntrack_btf(), FLOW_ID).unwrap(), 12, FLOW),
    ]
}

/// What those are that are one field.
pub const SINGLES: [Field; 8] = [
    field("", 0, 8, Pointer),
    field("", 0, 2, NETWORK),
    field("", 0, 1, Char),
    field("", 0, 1, TAG),
    field("", 0, 16, Text),
    field("", 0, 4, PORTS),
    field("", 0, 16, Wide),
    field("", 0, 8, UNSIGNED),
];

/// Their layouts.
pub fn singles() -> Vec<Model> {
    let layouts = ODD_PARTS.into_iter().map(odd).chain([number()]);
    layouts.zip(SINGLES).map(|(layout, whole)| Model::new(layout, whole)).collect()
}

impl Model {
    fn new(layout: Layout, whole: Field) -> Self {
        let mut paths = Vec::new();
        if let Struct(fields) = whole.ty {
            walk("", 0, fields, &mut paths);
        }
        Self { layout, whole, paths }
    }
}

fn walk(path: &str, at: usize, fields: &[Field], out: &mut Vec<(String, Field)>) {
    for inner in fields {
        let here = Field { at: at + inner.at, ..*inner };
        let path = match (path, inner.name) {
            ("", name) => name.to_owned(),
            (path, "") => path.to_owned(),
            (path, name) => format!("{path}.{name}"),
        };
        if !inner.name.is_empty() {
            out.push((path.clone(), here));
        }
        if let Struct(fields) = inner.ty {
            walk(&path, here.at, fields, out);
        }
        let element = match inner.ty {
            List { of, each } => Some((*of, each)),
            Row => Some((UNSIGNED, 1)),
            Text => Some((Char, 1)),
            _ => None,
        };
        if let Some((ty, size)) = element {
            let last = inner.size / size - 1;
            out.push((format!("{path}[{last}]"), Field { at: here.at + last * size, size, ty, ..*inner }));
        }
    }
}
