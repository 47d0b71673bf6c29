// SPDX-License-Identifier: MIT OR Apache-2.0
//! The integer in a value that says how old the entry is.

use std::str::FromStr;

use keep::{Field, Order};
use serde::Serialize;

use crate::btf::Kind;
use crate::layout::Layout;
use crate::outcome::Failure;

/// An integer as `--type` names it: `u32`, `i64`, `u16be`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntType {
    size: u32,
    signed: bool,
    network_order: bool,
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
        let (bits, network_order) = match rest.strip_suffix("be") {
            Some(bits) => (bits, true),
            None => (rest, false),
        };
        let size = match bits {
            "8" => 1,
            "16" => 2,
            "32" => 4,
            "64" => 8,
            _ => return Err(bad()),
        };
        Ok(Self { size, signed, network_order })
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
    network_order: bool,
}

impl IntField {
    /// The field at a path.
    ///
    /// # Errors
    /// Where there is none, or it is no integer.
    pub fn by_name(name: &str, layout: &Layout) -> Result<Self, Failure> {
        let usage = |why: String| Failure::usage(format!("--field {name}: {why}"));
        let place = layout.field(name).map_err(usage)?;
        let network_order = layout.is_alias(place.ty, |name| name.starts_with("__be"));
        if layout.is_alias(place.ty, |name| name.starts_with("__le")) && cfg!(target_endian = "big") {
            return Err(usage("it is little-endian, and this machine is not".into()));
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
        Ok(Self { name: Some(name.to_owned()), offset, size, signed, network_order })
    }

    /// The bytes at an offset.
    ///
    /// # Errors
    /// Where they reach past the value.
    pub fn at(offset: u32, int_type: IntType, value_size: u32) -> Result<Self, Failure> {
        let IntType { size, signed, network_order } = int_type;
        if size > value_size || offset > value_size - size {
            return Err(Failure::usage(format!(
                "an integer of {size} bytes at offset {offset} does not fit values of {value_size} bytes"
            )));
        }
        Ok(Self { name: None, offset, size, signed, network_order })
    }

    /// Whether a threshold says anything of it: one that is above all its numbers would have everything expire.
    ///
    /// # Errors
    /// It is.
    pub fn check(&self, threshold: i128) -> Result<(), Failure> {
        let bits = 8 * self.size - u32::from(self.signed);
        let highest = (1_i128 << bits) - 1;
        if threshold <= highest + 1 {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "everything would be too old: the threshold is {threshold}, and an integer of {} bytes holds {highest} at most; is \
             it in the unit and on the clock of the field?",
            self.size
        )))
    }

    /// What a collector looks at.
    #[must_use]
    pub fn place(&self) -> Field {
        let order = if self.network_order { Order::Big } else { Order::Native };
        Field { offset: self.offset, size: self.size, signed: self.signed, order }
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
            [("u8", 256, true), ("u8", 257, false), ("i8", 128, true), ("i8", 129, false), ("u32", -1, true)]
        {
            let field = IntField::at(0, int_type.parse().unwrap(), 8).unwrap();
            assert_eq!(field.check(threshold).is_ok(), fits, "{int_type} {threshold}");
        }
        for offset in [5, 8, u32::MAX] {
            assert!(IntField::at(offset, "u32".parse().unwrap(), 8).is_err(), "{offset}");
        }
        assert!(IntField::at(0, "u64".parse().unwrap(), 7).is_err());
    }
}
