// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields of a value that have no fields of their own: which there are, which of them are missing, how their bytes read.

use std::ops::Range;

use super::{Bits, Layout, MAX_DEPTH, MAX_NAMES, Place};
use crate::btf::Kind;
use crate::bytes::{decode, hex};

/// How much of a field was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    /// None of it.
    None,
    /// Some of it.
    Part,
    /// All of it.
    All,
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
                    if let Ok(inner) = self.inner(place, member) {
                        self.collect(inner, path, range, depth + 1, out);
                    }
                }
            }
            Kind::Array { element, .. } if self.size(*element, 0).is_ok_and(|size| size > 1) => {
                let size = self.size(*element, 0).unwrap_or(1);
                let first = range.start.saturating_sub(place.offset) / size;
                let last = (range.end.min(place.range().end) - place.offset).div_ceil(size);
                for index in first..last {
                    if let Ok(inner) = self.place(place.offset + index * size, *element) {
                        self.collect(inner, format!("{path}[{index}]"), range, depth + 1, out);
                    }
                }
            }
            _ => {
                let type_name = match place.bits {
                    Some(Bits { count, .. }) => format!("{}:{count}", self.type_name(place.ty)),
                    None => self.type_name(place.ty),
                };
                out.push(Leaf { path, place, type_name });
            }
        }
    }

    /// The first field of what lies at `place` of which not all is there, by its path; of a union one member is enough. Padding
    /// is no field.
    #[must_use]
    pub fn missing(&self, place: Place, path: &str, has: &impl Fn(Place) -> There) -> Option<String> {
        self.missing_within(place, path, has, 0)
    }

    fn missing_within(
        &self,
        place: Place,
        path: &str,
        has: &impl Fn(Place) -> There,
        depth: usize,
    ) -> Option<String> {
        if place.size == 0 || depth > MAX_DEPTH || has(place) == There::All {
            return None;
        }
        let missing = || Some(if path.is_empty() { "all of it".into() } else { path.to_owned() });
        let Ok(ty) = self.resolve(place.ty) else { return missing() };
        match &ty.kind {
            Kind::Struct { union, members, .. } => {
                let mut each = members.iter().filter_map(|member| {
                    let inner = self.inner(place, member).ok()?;
                    let inner_path = join(path, self.btf.member_name(member));
                    (inner.size > 0).then_some((inner, inner_path))
                });
                let missing =
                    |(inner, path): &(Place, String)| self.missing_within(*inner, path, has, depth + 1);
                if !*union {
                    return each.find_map(|member| missing(&member));
                }
                let each: Vec<_> = each.collect();
                if each.iter().any(|member| missing(member).is_none()) {
                    return None;
                }
                // Of a member that is there in part, the rest; else the first.
                let begun = each.iter().find(|(inner, _)| has(*inner) == There::Part);
                begun.and_then(missing).or_else(|| each.first().map(|(_, path)| path.clone()))
            }
            Kind::Array { element, count } => (0..*count as usize).find_map(|index| {
                let size = self.size(*element, 0).ok()?;
                let inner = self.place(place.offset + index * size, *element).ok()?;
                self.missing_within(inner, &format!("{path}[{index}]"), has, depth + 1)
            }),
            _ => missing(),
        }
    }

    /// The names of enumerators, for a sentence.
    #[must_use]
    pub fn enumerators(&self, values: &[(u32, i128)]) -> String {
        let names = values.iter().take(MAX_NAMES).map(|(name, _)| self.btf.string(*name));
        let more = (values.len() > MAX_NAMES).then_some("and more");
        names.chain(more).collect::<Vec<_>>().join(", ")
    }

    /// How the bytes of a field read: a number, an enumerator, else hex.
    #[must_use]
    pub fn show(&self, place: Place, bytes: &[u8]) -> String {
        let number = |size: u32, signed| match place.bits {
            Some(bits) if bytes.len() == place.size => Some(bits_of(bits, place.offset, signed, bytes)),
            None if size as usize == bytes.len() => {
                let swapped = self.order(place.ty).is_swapped();
                let bytes = if swapped { bytes.iter().rev().copied().collect() } else { bytes.to_vec() };
                decode(&bytes, signed)
            }
            _ => None,
        };
        let shown = match self.resolve(place.ty).map(|ty| &ty.kind) {
            Ok(Kind::Int { size, signed, .. }) => number(*size, *signed).map(|number| number.to_string()),
            Ok(Kind::Enum { size, signed, values }) => number(*size, *signed).map(|number| {
                self.enumerator(values, number)
                    .map_or_else(|| number.to_string(), |name| format!("{name} ({number})"))
            }),
            _ => None,
        };
        shown.unwrap_or_else(|| hex(bytes))
    }
}

/// The number that bits make, of which `bytes` lie from `offset` on.
fn bits_of(bits: Bits, offset: usize, signed: bool, bytes: &[u8]) -> i128 {
    let set = bits.each().filter(|(at, mask, _)| {
        at.checked_sub(offset).and_then(|at| bytes.get(at)).is_some_and(|byte| byte & mask != 0)
    });
    let number = set.fold(0_i128, |number, (_, _, weight)| number | 1 << weight.min(126));
    let top = bits.count.clamp(1, 64) - 1;
    if signed && number >> top & 1 == 1 { number - (2 << top) } else { number }
}

fn join(path: &str, name: &str) -> String {
    match (path, name) {
        (path, "") => path.into(),
        ("", name) => name.into(),
        (path, name) => format!("{path}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::conntrack;

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
        let show = |path, bytes: &[u8]| layout.show(layout.field(path).unwrap(), bytes);
        assert_eq!(show("lifetime", &42_u32.to_ne_bytes()), "42");
        assert_eq!(show("delta", &(-3_i16).to_ne_bytes()), "-3");
        assert_eq!(show("state", &[1]), "CT_CLOSING (1)");
        assert_eq!(show("state", &[9]), "9");
        assert_eq!(show("nat.tag", &[1, 2]), "01 02");
        assert_eq!(show("lifetime", &[1, 2]), "01 02", "a field that the window cuts");
        assert_eq!(show("seen", &[0b101]), "1", "a bit of a byte");
    }
}
