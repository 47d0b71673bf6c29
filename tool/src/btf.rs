// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw BTF, as the kernel gives it for a map: a table of types and their names.
//!
//! Own code, since the crates there are read files only or come under a licence that a static binary cannot follow.

use std::fmt;

/// Why BTF could not be read: it is cut short, of another byte order, or newer than this reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the map's BTF cannot be read: {}", self.0)
    }
}

/// One BTF object.
#[derive(Clone, Debug)]
pub struct Btf {
    /// By type id; 0 is void.
    types: Vec<Type>,
    strings: Vec<u8>,
}

/// A type: where its name is, and what it is.
#[derive(Clone, Debug)]
pub struct Type {
    name: u32,
    /// What it is.
    pub kind: Kind,
}

/// What matters of a type to lay out a value.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Nothing: void, functions, variables, forward declarations.
    Other,
    /// An integer, a character or a truth value.
    Int {
        /// Bytes.
        size: u32,
        /// Whether it has a sign.
        signed: bool,
        /// Whether it is a character by its encoding.
        character: bool,
        /// Fewer bits than `size` holds, a bit-field of the old encoding: the first of them, and how many.
        part: Option<(u32, u32)>,
    },
    /// A pointer; BPF has them in 8 bytes.
    Pointer,
    /// `count` elements in a row.
    Array {
        /// Type of an element.
        element: u32,
        /// How many.
        count: u32,
    },
    /// A struct or union.
    Struct {
        /// Bytes.
        size: u32,
        /// Whether members lie over each other.
        union: bool,
        /// In order of declaration.
        members: Vec<Member>,
    },
    /// An enumeration.
    Enum {
        /// Bytes.
        size: u32,
        /// Whether it has a sign.
        signed: bool,
        /// Offset of the name, and value.
        values: Vec<(u32, i128)>,
    },
    /// A typedef, `const`, `volatile`, `restrict` or tag.
    Alias(u32),
    /// A floating-point number of so many bytes.
    Float(u32),
}

/// A member of a struct or union.
#[derive(Clone, Debug)]
pub struct Member {
    name: u32,
    /// Its type.
    pub ty: u32,
    /// Bits from the start of the struct.
    pub bit_offset: u32,
    /// Bits, if it is a bit-field; 0 if not.
    pub bit_size: u32,
}

const MAGIC: u16 = 0xeb9f;
const CUT_SHORT: Malformed = Malformed("it is cut short");

impl Btf {
    /// Reads raw BTF in native byte order.
    ///
    /// # Errors
    /// Where it is no whole BTF, or has a kind of type unknown here.
    pub fn parse(blob: &[u8]) -> Result<Self, Malformed> {
        let mut header = Reader(blob);
        let start = header.u32()?;
        let [a, b, ..] = start.to_ne_bytes();
        match u16::from_ne_bytes([a, b]) {
            MAGIC => {}
            other if other.swap_bytes() == MAGIC => return Err(Malformed("it is of the other byte order")),
            _ => return Err(Malformed("it does not begin with BTF's magic number")),
        }
        let header_size = header.u32()? as usize;
        let [type_off, type_len, str_off, str_len] =
            [header.u32()?, header.u32()?, header.u32()?, header.u32()?].map(|n| n as usize);
        let section = |offset: usize, len: usize| {
            blob.get(header_size..).and_then(|b| b.get(offset..)).and_then(|b| b.get(..len)).ok_or(CUT_SHORT)
        };
        let strings = section(str_off, str_len)?.to_vec();
        let mut reader = Reader(section(type_off, type_len)?);
        let mut types = vec![Type { name: 0, kind: Kind::Other }];
        while !reader.0.is_empty() {
            types.push(reader.read_type()?);
        }
        Ok(Self { types, strings })
    }

    /// The type with this id.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&Type> {
        self.types.get(id as usize)
    }

    /// The name of a type, empty where it has none.
    #[must_use]
    pub fn type_name(&self, ty: &Type) -> &str {
        self.string(ty.name)
    }

    /// The name of a member, empty where it has none.
    #[must_use]
    pub fn member_name(&self, member: &Member) -> &str {
        self.string(member.name)
    }

    /// A name by its offset; empty where there is none.
    #[must_use]
    pub fn string(&self, offset: u32) -> &str {
        let tail = self.strings.get(offset as usize..).unwrap_or_default();
        let end = tail.iter().position(|&b| b == 0).unwrap_or(0);
        std::str::from_utf8(&tail[..end]).unwrap_or_default()
    }

    /// The first struct with this name.
    #[cfg(test)]
    pub fn find_struct(&self, name: &str) -> Option<u32> {
        let found = self
            .types
            .iter()
            .position(|ty| matches!(ty.kind, Kind::Struct { .. }) && self.string(ty.name) == name);
        found.and_then(|i| u32::try_from(i).ok())
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn u32(&mut self) -> Result<u32, Malformed> {
        let (word, rest) = self.0.split_first_chunk().ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(u32::from_ne_bytes(*word))
    }

    fn skip(&mut self, words: usize) -> Result<(), Malformed> {
        self.0 = self.0.get(words * 4..).ok_or(CUT_SHORT)?;
        Ok(())
    }

    /// `struct btf_type` and what follows it, kind by kind (`include/uapi/linux/btf.h`).
    fn read_type(&mut self) -> Result<Type, Malformed> {
        let (name, info, size_or_type) = (self.u32()?, self.u32()?, self.u32()?);
        let (count, flag) = ((info & 0xffff) as usize, info >> 31 == 1);
        let size = size_or_type;
        let kind = match (info >> 24) & 0x1f {
            1 => {
                let encoding = self.u32()?;
                let (bits, bit_offset) = (encoding & 0xff, (encoding >> 16) & 0xff);
                let partial = bit_offset != 0 || u64::from(bits) != u64::from(size) * 8;
                Kind::Int {
                    size,
                    signed: encoding & (1 << 24) != 0,
                    character: encoding & (1 << 25) != 0,
                    part: partial.then_some((bit_offset, bits)),
                }
            }
            2 => Kind::Pointer,
            3 => {
                let (element, _index, count) = (self.u32()?, self.u32()?, self.u32()?);
                Kind::Array { element, count }
            }
            kind @ (4 | 5) => {
                Kind::Struct { size, union: kind == 5, members: self.read_members(count, flag)? }
            }
            6 => {
                let mut values = Vec::new();
                for _ in 0..count {
                    let (name, value) = (self.u32()?, self.u32()?);
                    values.push((name, if flag { value.cast_signed().into() } else { value.into() }));
                }
                Kind::Enum { size, signed: flag, values }
            }
            7 | 12 => Kind::Other,
            8..=11 | 18 => Kind::Alias(size_or_type),
            13 => {
                self.skip(count * 2)?;
                Kind::Other
            }
            14 | 17 => {
                self.skip(1)?;
                Kind::Other
            }
            15 => {
                self.skip(count * 3)?;
                Kind::Other
            }
            16 => Kind::Float(size),
            19 => {
                let mut values = Vec::new();
                for _ in 0..count {
                    let (name, low, high) = (self.u32()?, self.u32()?, self.u32()?);
                    let value = u64::from(high) << 32 | u64::from(low);
                    values.push((name, if flag { value.cast_signed().into() } else { value.into() }));
                }
                Kind::Enum { size, signed: flag, values }
            }
            _ => return Err(Malformed("it has a kind of type that this reader does not know")),
        };
        Ok(Type { name, kind })
    }

    fn read_members(&mut self, count: usize, bit_sizes: bool) -> Result<Vec<Member>, Malformed> {
        let mut members = Vec::new();
        for _ in 0..count {
            let (name, ty, offset) = (self.u32()?, self.u32()?, self.u32()?);
            let (bit_offset, bit_size) =
                if bit_sizes { (offset & 0x00ff_ffff, offset >> 24) } else { (offset, 0) };
            members.push(Member { name, ty, bit_offset, bit_size });
        }
        Ok(members)
    }
}
