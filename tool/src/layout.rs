// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where in a value its fields lie, and how their bytes read, by BTF.

use std::ops::Range;

use crate::btf::{Btf, Kind, Malformed, Type};
use crate::bytes::{decode, hex};

/// Typedefs, qualifiers and nesting deeper than this are a loop in a broken BTF.
const MAX_DEPTH: usize = 32;

/// The type of a value (or of a key), in its BTF.
#[derive(Debug)]
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
}

impl Place {
    /// Its bytes' positions.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.offset..self.offset + self.size
    }
}

/// A field that has no fields of its own, for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Dotted path.
    pub path: String,
    /// Where it lies.
    pub place: Place,
    /// The name of its type, for people.
    pub type_name: String,
}

impl Layout {
    /// Reads BTF whose type `root` describes the value.
    ///
    /// # Errors
    /// Where the BTF cannot be read.
    pub fn new(blob: &[u8], root: u32) -> Result<Self, Malformed> {
        Ok(Self { btf: Btf::parse(blob)?, root })
    }

    /// All of it.
    ///
    /// # Errors
    /// Where the type has no size.
    pub fn whole(&self) -> Result<Place, String> {
        self.place(0, self.root)
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
    /// Where there is none of that name, or it is a bit-field.
    pub fn member(&self, place: Place, name: &str) -> Result<Place, String> {
        let Kind::Struct { .. } = self.resolve(place.ty)?.kind else {
            return Err(format!(
                "`{name}`: what it is looked for in ({}) has no fields",
                self.type_name(place.ty)
            ));
        };
        if name.is_empty() {
            return Err("a field has a name".into());
        }
        self.find_member(place, name, 0)?.ok_or_else(|| {
            let mut names = Vec::new();
            self.member_names(place.ty, 0, &mut names);
            format!("no field `{name}` in {}; it has {}", self.type_name(place.ty), names.join(", "))
        })
    }

    fn find_member(&self, place: Place, name: &str, depth: usize) -> Result<Option<Place>, String> {
        let Kind::Struct { members, .. } = &self.resolve(place.ty)?.kind else { return Ok(None) };
        for member in members {
            let own = self.btf.member_name(member);
            if own == name {
                let kind = &self.resolve(member.ty)?.kind;
                if member.bit_size != 0 || matches!(kind, Kind::Int { partial: true, .. }) {
                    return Err(format!(
                        "`{name}` is a bit-field, and a window is whole bytes: use --offset"
                    ));
                }
                return self.place(place.offset + member.bit_offset as usize / 8, member.ty).map(Some);
            }
            if own.is_empty() && member.bit_size == 0 && depth < MAX_DEPTH {
                let inner = self.place(place.offset + member.bit_offset as usize / 8, member.ty);
                if let Some(found) = inner.and_then(|inner| self.find_member(inner, name, depth + 1))? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
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
                let size = self.size(element, 0)?;
                Ok(Place { offset: place.offset + index * size, size, ty: element })
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

    /// Whether a typedef by such a name is on the way to what the type is.
    #[must_use]
    pub fn is_alias(&self, mut id: u32, wanted: impl Fn(&str) -> bool) -> bool {
        for _ in 0..MAX_DEPTH {
            match self.btf.get(id) {
                Some(ty @ Type { kind: Kind::Alias(next), .. }) => {
                    if wanted(self.btf.type_name(ty)) {
                        return true;
                    }
                    id = *next;
                }
                _ => return false,
            }
        }
        false
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
                format!("{}[{count}]", self.nested_name(*element, depth + 1))
            }
            (Kind::Alias(next), "") => self.nested_name(*next, depth + 1),
            (_, "") => "void".into(),
            (_, name) => name.to_owned(),
        }
    }

    fn place(&self, offset: usize, ty: u32) -> Result<Place, String> {
        Ok(Place { offset, size: self.size(ty, 0)?, ty })
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

    /// Every field without fields of its own that shares a byte with `range`.
    #[must_use]
    pub fn leaves(&self, range: &Range<usize>) -> Vec<Leaf> {
        let mut out = Vec::new();
        if let Ok(whole) = self.whole() {
            self.collect(whole, String::new(), range, 0, &mut out);
        }
        out
    }

    fn collect(&self, place: Place, path: String, range: &Range<usize>, depth: usize, out: &mut Vec<Leaf>) {
        let apart = place.range().end <= range.start || place.offset >= range.end;
        let Ok(ty) = self.resolve(place.ty) else { return };
        if apart || place.size == 0 || depth > MAX_DEPTH {
            return;
        }
        match &ty.kind {
            Kind::Struct { members, .. } => {
                for member in members {
                    let path = join(&path, self.btf.member_name(member));
                    let offset = place.offset + member.bit_offset as usize / 8;
                    if member.bit_size != 0 {
                        let size = (member.bit_offset % 8 + member.bit_size).div_ceil(8) as usize;
                        let inner = Place { offset, size, ty: 0 };
                        if inner.offset < range.end && inner.range().end > range.start {
                            out.push(Leaf { path, place: inner, type_name: "bit-field".into() });
                        }
                    } else if let Ok(inner) = self.place(offset, member.ty) {
                        self.collect(inner, path, range, depth + 1, out);
                    }
                }
            }
            Kind::Array { element, .. } if self.size(*element, 0).is_ok_and(|size| size > 1) => {
                let size = self.size(*element, 0).unwrap_or(1);
                let first = range.start.saturating_sub(place.offset) / size;
                let last = (range.end.min(place.range().end) - place.offset).div_ceil(size);
                for index in first..last {
                    let inner = Place { offset: place.offset + index * size, size, ty: *element };
                    self.collect(inner, format!("{path}[{index}]"), range, depth + 1, out);
                }
            }
            _ => out.push(Leaf { path, place, type_name: self.type_name(place.ty) }),
        }
    }

    /// How the bytes of a field read: a number, an enumerator, else hex.
    #[must_use]
    pub fn show(&self, ty: u32, bytes: &[u8]) -> String {
        let kind = self.resolve(ty).map(|ty| &ty.kind);
        match kind {
            Ok(Kind::Int { size, signed, .. }) if *size as usize == bytes.len() => {
                decode(bytes, *signed).map_or_else(|| hex(bytes), |n| n.to_string())
            }
            Ok(Kind::Enum { size, signed, values }) if *size as usize == bytes.len() => {
                match decode(bytes, *signed) {
                    Some(n) => {
                        self.enumerator(values, n).map_or_else(|| n.to_string(), |s| format!("{s} ({n})"))
                    }
                    None => hex(bytes),
                }
            }
            _ => hex(bytes),
        }
    }
}

fn join(path: &str, name: &str) -> String {
    match (path, name) {
        (path, "") => path.into(),
        ("", name) => name.into(),
        (path, name) => format!("{path}.{name}"),
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
    let indices = inner.split("][").map(|n| n.parse().map_err(|_| bad())).collect::<Result<_, _>>()?;
    Ok((name, indices))
}

#[cfg(test)]
mod tests {
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
            ("lifetime.x", "has no fields"),
            ("nat.tag[2]", "beyond an array of 2"),
            ("lifetime[0]", "is no array"),
            ("nat.tag[x]", "is no field"),
            ("nat..mark", "a field has a name"),
            ("nat.", "a field has a name"),
            ("", "a field has a name"),
            ("seen", "is a bit-field"),
        ] {
            let error = conntrack().field(path).unwrap_err();
            assert!(error.contains(why), "{path}: {error}");
        }
    }

    #[test]
    fn leaves_are_those_in_the_range() {
        let paths = |range| conntrack().leaves(&range).into_iter().map(|leaf| leaf.path).collect::<Vec<_>>();
        assert_eq!(paths(0..24).join(" "), "packets lifetime state delta port id nat.mark nat.tag seen");
        assert_eq!(paths(11..13), ["lifetime", "state"]);
        assert_eq!(paths(13..14), [""; 0], "padding is no field");
    }

    #[test]
    fn bytes_read_as_their_type_says() {
        let layout = conntrack();
        let show = |path, bytes: &[u8]| layout.show(layout.field(path).unwrap().ty, bytes);
        assert_eq!(show("lifetime", &42_u32.to_ne_bytes()), "42");
        assert_eq!(show("delta", &(-3_i16).to_ne_bytes()), "-3");
        assert_eq!(show("state", &[1]), "CT_CLOSING (1)");
        assert_eq!(show("state", &[9]), "9");
        assert_eq!(show("nat.tag", &[1, 2]), "01 02");
        assert_eq!(show("lifetime", &[1, 2]), "01 02", "a field that the window cuts");
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
}
