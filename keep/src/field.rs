// SPDX-License-Identifier: MIT OR Apache-2.0
//! The integer in a value that says how old an entry is.

use std::ops::Range;

/// The order of a field's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// This machine's.
    Native,
    /// The most significant byte first.
    Big,
    /// The least significant byte first.
    Little,
}

impl Order {
    /// Whether it is another than this machine's.
    #[must_use]
    pub fn is_swapped(self) -> bool {
        match self {
            Self::Native => false,
            Self::Big => cfg!(target_endian = "little"),
            Self::Little => cfg!(target_endian = "big"),
        }
    }
}

/// An integer in the values of a map. An entry whose field is below a round's threshold has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Bytes from the start of the value.
    pub offset: u32,
    /// 1, 2, 4 or 8 bytes.
    pub size: u32,
    /// Whether it may be negative.
    pub signed: bool,
    /// Of its bytes.
    pub order: Order,
}

impl Field {
    /// An unsigned integer in the order of this machine.
    #[must_use]
    pub fn unsigned(offset: u32, size: u32) -> Self {
        Self { offset, size, signed: false, order: Order::Native }
    }

    /// The bytes that it is.
    #[must_use]
    pub fn window(&self) -> Range<u32> {
        self.offset..self.offset.saturating_add(self.size)
    }

    /// Whether its bytes are in another order than this machine's.
    #[must_use]
    pub fn is_swapped(&self) -> bool {
        self.order.is_swapped()
    }

    /// Its number in a value; `None` where it does not fit the value, or no integer has that size.
    #[must_use]
    pub fn read(&self, value: &[u8]) -> Option<i128> {
        let window = self.window();
        let mut bytes = [0; 8];
        let place = bytes.get_mut(..self.size as usize)?;
        place.copy_from_slice(value.get(window.start as usize..window.end as usize)?);
        let big = match self.order {
            Order::Native => cfg!(target_endian = "big"),
            Order::Big => true,
            Order::Little => false,
        };
        if big {
            place.reverse();
        }
        let number = u64::from_le_bytes(bytes);
        let bits = 8 * self.size;
        let negative = self.signed && bits > 0 && number >> (bits - 1) & 1 == 1;
        Some(i128::from(number) - if negative { 1 << bits } else { 0 })
    }

    /// Whether it is an integer within values of that size.
    pub(crate) fn fits(&self, value_size: u32) -> bool {
        [1, 2, 4, 8].contains(&self.size)
            && self.offset.checked_add(self.size).is_some_and(|end| end <= value_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_size_sign_and_order() {
        let value = [0xff, 0xfe, 0, 0, 0, 0, 0, 1, 9];
        let field = |offset, size, signed, order| Field { offset, size, signed, order };
        for (field, number) in [
            (field(0, 1, false, Order::Native), 0xff),
            (field(0, 1, true, Order::Native), -1),
            (field(0, 2, false, Order::Big), 0xfffe),
            (field(0, 2, true, Order::Big), -2),
            (field(0, 2, false, Order::Little), 0xfeff),
            (field(0, 8, false, Order::Big), 0xfffe_0000_0000_0001),
            (field(0, 8, true, Order::Big), i128::from(0xfffe_0000_0000_0001_u64.cast_signed())),
            (field(4, 4, false, Order::Big), 1),
        ] {
            assert_eq!(field.read(&value), Some(number), "{field:?}");
        }
        assert_eq!(field(6, 4, false, Order::Big).read(&value), None);
    }

    #[test]
    fn a_field_lies_within_the_value() {
        assert!(Field::unsigned(4, 4).fits(8));
        for (offset, size) in [(5, 4), (8, 1), (0, 3), (0, 0), (u32::MAX, 1)] {
            assert!(!Field::unsigned(offset, size).fits(8), "{offset} {size}");
        }
    }
}
