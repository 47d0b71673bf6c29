// SPDX-License-Identifier: MIT OR Apache-2.0
//! What differs between the expected bytes and those that are there.

use serde::Serialize;

use crate::bytes::hex;
use crate::layout::Layout;

/// Bytes to a row, as bpftool has them.
const ROW: usize = 16;

/// A difference, found by a look-up after the fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The bytes of the window now.
    #[serde(serialize_with = "as_hex")]
    pub actual: Vec<u8>,
    /// Positions of differing bytes, from the start of the value.
    pub bytes: Vec<usize>,
    /// Differing fields, where the map has BTF.
    pub fields: Vec<FieldDifference>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldDifference {
    /// Dotted path.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Bytes from the start of the value.
    pub offset: usize,
    /// Bytes.
    pub size: usize,
    /// What was expected, as its type reads.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

fn as_hex<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(bytes))
}

impl Difference {
    /// Compares the window at `offset`. `actual` is as long as `expected`.
    #[must_use]
    pub fn new(offset: usize, expected: &[u8], actual: &[u8], layout: Option<&Layout>) -> Self {
        let bytes: Vec<usize> = expected
            .iter()
            .zip(actual)
            .enumerate()
            .filter_map(|(i, (e, a))| (e != a).then_some(offset + i))
            .collect();
        let window = offset..offset + expected.len().min(actual.len());
        let mut fields = Vec::new();
        for leaf in layout.map(|layout| layout.leaves(&window)).unwrap_or_default() {
            let range = leaf.place.range();
            if !bytes.iter().any(|byte| range.contains(byte)) {
                continue;
            }
            // Of a field that the window cuts, only the part inside.
            let part = range.start.max(window.start) - offset..range.end.min(window.end) - offset;
            let show = |bytes: &[u8]| {
                let bytes = bytes.get(part.clone()).unwrap_or_default();
                layout.map(|layout| layout.show(leaf.place, bytes)).unwrap_or_default()
            };
            fields.push(FieldDifference {
                expected: show(expected),
                actual: show(actual),
                name: leaf.path,
                type_name: leaf.type_name,
                offset: leaf.place.offset,
                size: leaf.place.size,
            });
        }
        Self { actual: actual.to_vec(), bytes, fields }
    }

    /// Rows of expected and actual bytes, those that differ marked below, then the fields.
    #[must_use]
    pub fn render(&self, offset: usize, expected: &[u8], colour: bool) -> String {
        let (red, plain) = if colour { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
        let mut text = String::new();
        for (i, (want, have)) in expected.chunks(ROW).zip(self.actual.chunks(ROW)).enumerate() {
            if want == have {
                continue;
            }
            let start = offset + i * ROW;
            let differs = |j: usize| want.get(j) != have.get(j);
            let paint = |bytes: &[u8]| {
                let cell = |(j, b): (usize, &u8)| match differs(j) {
                    true => format!("{red}{b:02x}{plain}"),
                    false => format!("{b:02x}"),
                };
                bytes.iter().enumerate().map(cell).collect::<Vec<_>>().join(" ")
            };
            let marks: Vec<_> = (0..want.len()).map(|j| if differs(j) { "^^" } else { "  " }).collect();
            text += &format!("  {start:>5}  expected  {}\n", paint(want));
            text += &format!("         actual    {}\n", paint(have));
            text += &format!("                   {}\n", marks.join(" ").trim_end());
        }
        for FieldDifference { name, type_name, offset, expected, actual, .. } in &self.fields {
            let name = if name.is_empty() { "the value" } else { name };
            text += &format!("  {name} ({type_name} at {offset}): expected {expected}, actual {actual}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::conntrack;

    #[test]
    fn differing_bytes_are_marked_below() {
        let difference = Difference::new(32, &[0x2a, 0, 0, 0], &[0x2b, 0, 0, 1], None);
        assert_eq!(difference.bytes, [32, 35]);
        let expected = "     32  expected  2a 00 00 00\n         actual    2b 00 00 01\n                   ^^       ^^\n";
        assert_eq!(difference.render(32, &[0x2a, 0, 0, 0], false), expected);
    }

    #[test]
    fn equal_rows_are_left_out() {
        let (expected, mut actual) = (vec![0; 40], vec![0; 40]);
        actual[17] = 7;
        let text = Difference::new(0, &expected, &actual, None).render(0, &expected, false);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.starts_with("     16  expected  00 00"), "{text}");
        assert!(text.contains("\n         actual    00 07 00"), "{text}");
    }

    #[test]
    fn colours_go_around_differing_bytes_alone() {
        let text = Difference::new(0, &[1, 2], &[1, 3], None).render(0, &[1, 2], true);
        assert!(text.contains("expected  01 \x1b[31m02\x1b[0m\n"), "{text}");
        assert!(!Difference::new(0, &[1], &[2], None).render(0, &[1], false).contains('\x1b'));
    }

    #[test]
    fn fields_are_named_and_read() {
        let layout = conntrack();
        let (mut expected, mut actual) = (vec![0; 24], vec![0; 24]);
        expected[8..12].copy_from_slice(&42_u32.to_ne_bytes());
        actual[8..12].copy_from_slice(&43_u32.to_ne_bytes());
        actual[12] = 1;
        let difference = Difference::new(0, &expected, &actual, Some(&layout));
        let text = difference.render(0, &expected, false);
        assert!(text.contains("  lifetime (__u32 at 8): expected 42, actual 43\n"), "{text}");
        assert!(
            text.contains("  state (enum ct_state at 12): expected CT_OPEN (0), actual CT_CLOSING (1)\n"),
            "{text}"
        );
        assert_eq!(difference.fields.len(), 2);
    }

    #[test]
    fn a_value_that_is_one_number_has_a_name_too() {
        let difference = Difference::new(0, &[1; 8], &[2; 8], Some(&crate::testing::number()));
        let text = difference.render(0, &[1; 8], false);
        assert!(text.contains("\n  the value (__u64 at 0): expected 72340172838076673, actual"), "{text}");
    }

    #[test]
    fn of_a_field_that_the_window_cuts_the_part_inside_is_shown() {
        let difference = Difference::new(9, &[1, 2], &[1, 3], Some(&conntrack()));
        assert_eq!(difference.fields.len(), 1);
        assert_eq!((&*difference.fields[0].expected, &*difference.fields[0].actual), ("01 02", "01 03"));
    }
}
