// SPDX-License-Identifier: MIT OR Apache-2.0
//! The integer in a value that says how old the entry is.

use std::str::FromStr;

use keep::{Field, Order};
use serde::Serialize;

use crate::btf::Kind;
use crate::bytes::count;
use crate::layout::{Layout, Place};
use crate::outcome::Failure;

/// An integer as `--type` names it: `u32`, `i64`, `u16be`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntType {
    size: u32,
    signed: bool,
    order: Order,
}

impl FromStr for IntType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!("`{text}` is no type: u8, u16, u32, u64, or i…; with `be` behind it for network order")
        };
        let (signed, rest) = match text.split_at_checked(1) {
            Some(("u", rest)) => (false, rest),
            Some(("i", rest)) => (true, rest),
            _ => return Err(bad()),
        };
        let (bits, order) = match rest.strip_suffix("be") {
            Some(bits) => (bits, Order::Big),
            None => (rest, Order::Native),
        };
        let size = match bits {
            "8" => 1,
            "16" => 2,
            "32" => 4,
            "64" => 8,
            _ => return Err(bad()),
        };
        Ok(Self { size, signed, order })
    }
}

/// That integer in a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IntField {
    /// Its path in the BTF, if it was found so.
    #[serde(rename = "field")]
    pub name: Option<String>,
    /// Bytes from the start of the value.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    #[serde(skip)]
    signed: bool,
    #[serde(skip)]
    order: Order,
}

impl IntField {
    /// The field at a path.
    ///
    /// # Errors
    /// Where there is none, or it is no integer.
    pub fn by_name(name: &str, layout: &Layout) -> Result<Self, Failure> {
        let usage = |why: String| Failure::usage(format!("--field {name}: {why}"));
        let place = layout.field(name).map_err(usage)?;
        let order = layout.order(place.ty);
        if let Some(bits) = place.bits {
            return Err(usage(format!("it is {}, and no integer of whole bytes", count(bits.count, "bit"))));
        }
        let Kind::Int { signed, .. } = layout.resolve(place.ty).map_err(usage)?.kind else {
            let what = layout.type_name(place.ty);
            return Err(usage(format!(
                "{what} is no integer: name one of its fields, or use --offset and --type"
            )));
        };
        let int_type = u32::try_from(place.size).ok().filter(|size| [1, 2, 4, 8].contains(size));
        let (Some(size), Ok(offset)) = (int_type, u32::try_from(place.offset)) else {
            return Err(usage(format!("an integer of {} bytes cannot be read here", place.size)));
        };
        Ok(Self { name: Some(name.to_owned()), offset, size, signed, order })
    }

    /// The bytes at an offset.
    ///
    /// # Errors
    /// Where they reach past the value.
    pub fn at(offset: u32, int_type: IntType, value_size: u32) -> Result<Self, Failure> {
        let IntType { size, signed, order } = int_type;
        if size > value_size || offset > value_size - size {
            return Err(Failure::usage(format!(
                "an integer of {size} bytes at offset {offset} does not fit values of {value_size} bytes"
            )));
        }
        Ok(Self { name: None, offset, size, signed, order })
    }

    /// Whether a threshold says anything of it: one that is above all its numbers would have everything expire.
    ///
    /// # Errors
    /// It is.
    pub fn check(&self, threshold: i128) -> Result<(), Failure> {
        let bits = 8 * self.size - u32::from(self.signed);
        let highest = (1_i128 << bits) - 1;
        if threshold <= highest {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "everything would be too old: the threshold is {threshold}, and an integer of {} holds {highest} at most; is \
             it in the unit and on the clock of the field?",
            count(self.size as usize, "byte")
        )))
    }

    /// What is wrong with these bytes by the map's BTF: they are no field, part of one, or one of another kind.
    #[must_use]
    pub fn doubt(&self, layout: &Layout) -> Option<String> {
        let range = self.offset as usize..(self.offset + self.size) as usize;
        let leaves = layout.leaves(&range);
        let list: Vec<_> = leaves
            .iter()
            .map(|leaf| format!("`{}` ({} at {})", leaf.path, leaf.type_name, leaf.place.offset))
            .collect();
        let is_row =
            |place: Place| layout.resolve(place.ty).is_ok_and(|ty| matches!(ty.kind, Kind::Array { .. }));
        let inside = |place: Place| place.range().start <= range.start && place.range().end >= range.end;
        let fits = leaves.iter().find(|leaf| {
            let is_all = leaf.place.range() == range && self.is_of(layout, leaf.place);
            leaf.place.bits.is_none() && (is_all || is_row(leaf.place) && inside(leaf.place))
        });
        let what = format!("{} at {}", count(self.size as usize, "byte"), self.offset);
        match fits {
            None if list.is_empty() => Some(format!("{what} are padding by the map's BTF")),
            None => Some(format!(
                "{what} are no {} by the map's BTF, they share bytes with {}",
                if self.signed { "signed integer" } else { "unsigned integer" },
                list.join(" and ")
            )),
            Some(leaf) => {
                let order = layout.order(leaf.place.ty);
                let same = order == Order::Native || order.is_swapped() == self.order.is_swapped();
                (!same).then(|| {
                    let name = &leaf.type_name;
                    format!("`{}` is a {name} by the map's BTF, of the other byte order: use --field, or `be` in --type", leaf.path)
                })
            }
        }
    }

    /// Whether what lies there is an integer of the same sign.
    fn is_of(&self, layout: &Layout, place: Place) -> bool {
        layout.resolve(place.ty).is_ok_and(|ty| match ty.kind {
            Kind::Int { signed, .. } | Kind::Enum { signed, .. } => signed == self.signed,
            _ => false,
        })
    }

    /// Whether a store to it can be seen in part.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        !self.offset.is_multiple_of(self.size)
    }

    /// What a collector looks at.
    #[must_use]
    pub fn place(&self) -> Field {
        Field { offset: self.offset, size: self.size, signed: self.signed, order: self.order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::conntrack;

    #[test]
    fn types_are_read_as_named() {
        for (name, size, signed, order) in [
            ("u8", 1, false, Order::Native),
            ("i8", 1, true, Order::Native),
            ("u16be", 2, false, Order::Big),
            ("i32be", 4, true, Order::Big),
            ("u64", 8, false, Order::Native),
        ] {
            let field = IntField::at(1, name.parse().unwrap(), 9).unwrap().place();
            assert_eq!(field, Field { offset: 1, size, signed, order }, "{name}");
        }
        for name in ["", "u", "u24", "u32le", "be", "x32", "u32bebe", "é8"] {
            assert!(name.parse::<IntType>().is_err(), "{name}");
        }
    }

    #[test]
    fn fields_must_be_integers_within_the_value() {
        let field = IntField::by_name("lifetime", &conntrack()).unwrap();
        assert_eq!(field.place(), Field::unsigned(8, 4));
        assert!(IntField::by_name("delta", &conntrack()).unwrap().signed);
        for (name, why) in [("nat", "is no integer"), ("state", "is no integer"), ("nope", "no field `nope`")]
        {
            let failure = IntField::by_name(name, &conntrack()).unwrap_err();
            assert!(failure.message.contains(why), "{name}: {}", failure.message);
        }
        for (int_type, threshold, fits) in
            [("u8", 255, true), ("u8", 256, false), ("i8", 127, true), ("i8", 128, false), ("u32", -1, true)]
        {
            let field = IntField::at(0, int_type.parse().unwrap(), 8).unwrap();
            assert_eq!(field.check(threshold).is_ok(), fits, "{int_type} {threshold}");
        }
        for offset in [5, 8, u32::MAX] {
            assert!(IntField::at(offset, "u32".parse().unwrap(), 8).is_err(), "{offset}");
        }
        assert!(IntField::at(0, "u64".parse().unwrap(), 7).is_err());
    }

    #[test]
    fn bytes_that_are_no_field_are_doubted() {
        let doubt = |offset, int_type: &str| {
            IntField::at(offset, int_type.parse().unwrap(), 24)
                .unwrap()
                .doubt(&conntrack())
                .unwrap_or_default()
        };
        for (offset, int_type) in
            [(8, "u32"), (8, "u32be"), (0, "u64"), (14, "i16"), (16, "u16be"), (20, "u16"), (21, "u8")]
        {
            assert_eq!(doubt(offset, int_type), "", "{offset} {int_type}");
        }
        for (offset, int_type, why) in [
            (4, "u64", "they share bytes with `packets` (unsigned long long at 0) and `lifetime`"),
            (8, "u16", "they share bytes with `lifetime`"),
            (8, "u64", "`state`"),
            (13, "u8", "are padding"),
            (22, "u8", "`seen`"),
            (8, "i32", "no signed integer"),
            (14, "u16", "no unsigned integer"),
        ] {
            assert!(
                doubt(offset, int_type).contains(why),
                "{offset} {int_type}: {}",
                doubt(offset, int_type)
            );
        }
        assert!(IntField::by_name("seen", &conntrack()).unwrap_err().message.contains("it is 1 bit,"));
    }
}
