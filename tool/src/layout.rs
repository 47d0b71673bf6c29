// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where in a value its fields lie, and how their bytes read, by BTF.

mod leaves;
mod names;

use std::collections::HashMap;
use std::ops::Range;

use keep::Order;

use crate::btf::{Btf, Kind, Malformed, Member, Type};
use crate::bytes::parse_count;
pub use leaves::There;

/// Typedefs, qualifiers and nesting deeper than this are a loop in a broken BTF.
const MAX_DEPTH: usize = 32;

/// Unions within unions can have more than anybody could go through.
const MAX_FIELDS: u64 = 100_000;
/// A sentence that names what there is names no more.
const MAX_NAMES: usize = 50;

/// Whose layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// That of the keys.
    Key,
    /// That of the values.
    Value,
}

/// The type of a value (or of a key), in its BTF.
#[derive(Clone, Debug)]
pub struct Layout {
    btf: Btf,
    root: u32,
}

/// A part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes from the start of the value.
    pub offset: usize,
    /// Bytes.
    pub size: usize,
    /// Its type.
    pub ty: u32,
    /// Of these bytes, the bits that it is, if it is a bit-field.
    pub bits: Option<Bits>,
}

/// The bits of a bit-field, in the order in which this machine counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// The first, from the start of the value.
    pub first: usize,
    /// How many.
    pub count: usize,
}

impl Bits {
    /// Each bit's byte in the value, its mask in that byte, and its weight in the number that all of them make.
    pub fn each(self) -> impl Iterator<Item = (usize, u8, usize)> {
        (0..self.count).map(move |i| {
            let at = self.first + i;
            // Bits are counted from the least significant on where bytes are.
            if cfg!(target_endian = "little") {
                (at / 8, 1 << (at % 8), i)
            } else {
                (at / 8, 0x80 >> (at % 8), self.count - 1 - i)
            }
        })
    }
}

impl Place {
    /// Its bytes' positions.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.offset..self.offset + self.size
    }

    /// Each of its bytes, and which bits of that are its own.
    #[must_use]
    pub fn masks(self) -> Vec<(usize, u8)> {
        let Some(bits) = self.bits else { return self.range().map(|at| (at, 0xff)).collect() };
        let mut masks: Vec<(usize, u8)> = self.range().map(|at| (at, 0)).collect();
        for (at, bit, _) in bits.each() {
            if let Some((_, mask)) = at.checked_sub(self.offset).and_then(|i| masks.get_mut(i)) {
                *mask |= bit;
            }
        }
        masks
    }
}

impl Layout {
    /// Reads BTF whose type `root` describes the value.
    ///
    /// # Errors
    /// Where the BTF cannot be read.
    pub fn new(blob: &[u8], root: u32) -> Result<Self, Malformed> {
        let layout = Self { btf: Btf::parse(blob)?, root };
        if layout.fields(root, 0, &mut HashMap::new()) > MAX_FIELDS {
            return Err(Malformed("it has more fields within fields than this reader goes through"));
        }
        Ok(layout)
    }

    /// How many fields a walk through a type comes by, an array's elements counted once.
    fn fields(&self, id: u32, depth: usize, known: &mut HashMap<u32, u64>) -> u64 {
        if depth > MAX_DEPTH {
            return 1;
        }
        if let Some(count) = known.get(&id) {
            return *count;
        }
        // Of a type that has itself as a field there is no end.
        known.insert(id, u64::MAX);
        let count = match self.resolve(id).map(|ty| &ty.kind) {
            Ok(Kind::Struct { members, .. }) => members
                .iter()
                .fold(1_u64, |sum, member| sum.saturating_add(self.fields(member.ty, depth + 1, known))),
            Ok(Kind::Array { element, .. }) => self.fields(*element, depth + 1, known).saturating_add(1),
            _ => 1,
        };
        known.insert(id, count);
        count
    }

    /// All of it.
    ///
    /// # Errors
    /// Where the type has no size.
    pub fn whole(&self) -> Result<Place, String> {
        self.place(0, self.root)
    }

    /// Whether it has fields.
    #[must_use]
    pub fn is_struct(&self) -> bool {
        self.resolve(self.root).is_ok_and(|ty| matches!(ty.kind, Kind::Struct { .. }))
    }

    /// The field at a dotted path, `a.b[2].c`; members of unnamed structs and unions are found by their own name.
    ///
    /// # Errors
    /// A sentence that names the part that is not there, and what is.
    pub fn field(&self, path: &str) -> Result<Place, String> {
        let mut place = self.whole()?;
        for (i, part) in path.split('.').enumerate() {
            let (name, indices) = split_indices(part)?;
            // `[2]` alone is an element of a value that is an array.
            if i > 0 || !name.is_empty() || indices.is_empty() {
                place = self.member(place, name)?;
            }
            for index in indices {
                place = self.element(place, index)?;
            }
        }
        Ok(place)
    }

    /// A member of the struct or union at `place`.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn member(&self, place: Place, name: &str) -> Result<Place, String> {
        let kind = &self.resolve(place.ty)?.kind;
        let Kind::Struct { .. } = kind else {
            let hint = match kind {
                _ if place.ty != self.root => format!(": leave `.{name}` out"),
                Kind::Int { size: size @ (1 | 2 | 4 | 8), signed, .. } if place.bits.is_none() => {
                    let (sign, bits) = (if *signed { 'i' } else { 'u' }, size * 8);
                    let order = if self.order(place.ty) == Order::Big { "be" } else { "" };
                    format!(
                        ": it is an integer itself: leave --field out, or say gc --offset {} --type {sign}{bits}{order}",
                        place.offset
                    )
                }
                _ => String::new(),
            };
            return Err(format!(
                "`{name}`: what it is looked for in ({}) has no fields{hint}",
                self.type_name(place.ty)
            ));
        };
        if name.is_empty() {
            return Err("a field has a name".into());
        }
        self.find_member(place, name, 0)?.ok_or_else(|| {
            let mut names = Vec::new();
            self.member_names(place.ty, 0, &mut names);
            if names.len() > MAX_NAMES {
                names.truncate(MAX_NAMES);
                names.push("and more".into());
            }
            format!("no field `{name}` in {}; it has {}", self.type_name(place.ty), names.join(", "))
        })
    }

    fn find_member(&self, place: Place, name: &str, depth: usize) -> Result<Option<Place>, String> {
        let Kind::Struct { members, .. } = &self.resolve(place.ty)?.kind else { return Ok(None) };
        for member in members {
            let own = self.btf.member_name(member);
            if own == name {
                return self.inner(place, member).map(Some);
            }
            if own.is_empty() && member.bit_size == 0 && depth < MAX_DEPTH {
                let inner = self.inner(place, member);
                if let Some(found) = inner.and_then(|inner| self.find_member(inner, name, depth + 1))? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The struct or union without a name that is the `nth` of them in `place`, counted from 0.
    ///
    /// # Errors
    /// Where there are not so many.
    pub fn unnamed_member(&self, place: Place, nth: usize) -> Result<Place, String> {
        let kind = &self.resolve(place.ty)?.kind;
        let members = if let Kind::Struct { members, .. } = kind { members.as_slice() } else { &[] };
        let mut unnamed = members
            .iter()
            .filter(|member| self.btf.member_name(member).is_empty() && member.bit_size == 0)
            .filter_map(|member| self.inner(place, member).ok())
            .filter(|inner| self.resolve(inner.ty).is_ok_and(|ty| matches!(ty.kind, Kind::Struct { .. })));
        unnamed.nth(nth).ok_or_else(|| {
            format!("{} has no {} struct or union without a name", self.type_name(place.ty), nth + 1)
        })
    }

    /// Where a member of the struct or union at `place` lies.
    fn inner(&self, place: Place, member: &Member) -> Result<Place, String> {
        let start = place.offset * 8 + member.bit_offset as usize;
        let bits = match (member.bit_size, &self.resolve(member.ty)?.kind) {
            (0, Kind::Int { part: Some((at, count)), .. }) => (start + *at as usize, *count as usize),
            (0, _) => return self.place(start / 8, member.ty),
            (count, _) => (start, count as usize),
        };
        let bits = Bits { first: bits.0, count: bits.1 };
        let (offset, size) = (bits.first / 8, (bits.first % 8 + bits.count).div_ceil(8));
        Ok(Place { offset, size, ty: member.ty, bits: Some(bits) })
    }

    fn member_names(&self, ty: u32, depth: usize, out: &mut Vec<String>) {
        let Ok(Type { kind: Kind::Struct { members, .. }, .. }) = self.resolve(ty) else { return };
        for member in members {
            match self.btf.member_name(member) {
                "" if depth < MAX_DEPTH => self.member_names(member.ty, depth + 1, out),
                "" => {}
                name => out.push(name.to_owned()),
            }
        }
    }

    /// An element of the array at `place`.
    ///
    /// # Errors
    /// Where it is no array, or the index lies beyond its end.
    pub fn element(&self, place: Place, index: usize) -> Result<Place, String> {
        match self.resolve(place.ty)?.kind {
            Kind::Array { element, count } if index < count as usize => {
                self.place(place.offset + index * self.size(element, 0)?, element)
            }
            Kind::Array { count, .. } => Err(format!("[{index}] is beyond an array of {count}")),
            _ => Err(format!("[{index}]: {} is no array", self.type_name(place.ty))),
        }
    }

    /// The type behind typedefs and qualifiers.
    ///
    /// # Errors
    /// Where the BTF is broken.
    pub fn resolve(&self, mut id: u32) -> Result<&Type, String> {
        for _ in 0..MAX_DEPTH {
            match self.btf.get(id) {
                Some(Type { kind: Kind::Alias(next), .. }) => id = *next,
                Some(ty) => return Ok(ty),
                None => return Err(format!("the map's BTF has no type {id}")),
            }
        }
        Err("the map's BTF has a typedef without end".into())
    }

    /// The name of an enumerator by value.
    fn enumerator(&self, values: &[(u32, i128)], value: i128) -> Option<&str> {
        values.iter().find(|(_, v)| *v == value).map(|(name, _)| self.btf.string(*name))
    }

    /// The value of an enumerator by name.
    #[must_use]
    pub fn enumerator_value(&self, values: &[(u32, i128)], name: &str) -> Option<i128> {
        values.iter().find(|(n, _)| self.btf.string(*n) == name).map(|(_, value)| *value)
    }

    /// The type's name for people.
    #[must_use]
    pub fn type_name(&self, id: u32) -> String {
        self.nested_name(id, 0)
    }

    fn nested_name(&self, id: u32, depth: usize) -> String {
        let Some(ty) = self.btf.get(id).filter(|_| depth < MAX_DEPTH) else {
            return "an unknown type".into();
        };
        match (&ty.kind, self.btf.type_name(ty)) {
            (Kind::Struct { .. }, "") => "an unnamed struct or union".into(),
            (Kind::Struct { .. }, name) => format!("struct {name}"),
            (Kind::Enum { .. }, name) => format!("enum {name}").trim_end().into(),
            (Kind::Pointer, _) => "pointer".into(),
            (Kind::Array { element, count }, _) => {
                // As in C, the outermost is the first.
                let element = self.nested_name(*element, depth + 1);
                let (name, inner) = element.split_at(element.find('[').unwrap_or(element.len()));
                format!("{name}[{count}]{inner}")
            }
            (Kind::Alias(next), "") => self.nested_name(*next, depth + 1),
            (_, "") => "void".into(),
            (_, name) => name.to_owned(),
        }
    }

    fn place(&self, offset: usize, ty: u32) -> Result<Place, String> {
        Ok(Place { offset, size: self.size(ty, 0)?, ty, bits: None })
    }

    fn size(&self, id: u32, depth: usize) -> Result<usize, String> {
        let no_size = || format!("{} has no size in the map's BTF", self.type_name(id));
        match self.resolve(id)?.kind {
            Kind::Int { size, .. }
            | Kind::Struct { size, .. }
            | Kind::Enum { size, .. }
            | Kind::Float(size) => Ok(size as usize),
            Kind::Pointer => Ok(8),
            Kind::Array { element, count } if depth < MAX_DEPTH => {
                self.size(element, depth + 1)?.checked_mul(count as usize).ok_or_else(no_size)
            }
            Kind::Array { .. } | Kind::Other | Kind::Alias(_) => Err(no_size()),
        }
    }
}

/// `a[1][2]` into `a` and 1, 2.
fn split_indices(part: &str) -> Result<(&str, Vec<usize>), String> {
    let bad = || format!("`{part}` is no field: write name or name[2]");
    let (name, rest) = part.split_at(part.find('[').unwrap_or(part.len()));
    if rest.is_empty() {
        return Ok((name, Vec::new()));
    }
    let inner = rest.strip_prefix('[').and_then(|r| r.strip_suffix(']')).ok_or_else(bad)?;
    let indices = inner.split("][").map(|n| parse_count(n).map_err(|_| bad())).collect::<Result<_, _>>()?;
    Ok((name, indices))
}

#[cfg(test)]
mod tests;
