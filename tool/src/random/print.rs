// SPDX-License-Identifier: MIT OR Apache-2.0
//! The second printer: what bpftool prints of bytes (`btf_dumper.c`).

use serde_json::Value;

use super::model::{Field, Ty};

/// What bpftool prints of a field; of what it cannot print, nothing.
pub fn print(field: &Field, bytes: &[u8]) -> Option<Value> {
    let own = bytes.get(field.at..field.at + field.size)?;
    let number = |signed: bool| {
        let mut wide = [if signed && own.last().is_some_and(|top| *top > 0x7f) { 0xff } else { 0 }; 16];
        wide[..own.len()].copy_from_slice(own);
        i128::from_le_bytes(wide)
    };
    let value = |signed| serde_json::Number::from_i128(number(signed)).map(Value::Number);
    let hex = |number: u128| Value::String(format!("{number:#x}"));
    Some(match field.ty {
        Ty::Struct(fields) => Value::Object(
            fields
                .iter()
                .filter_map(|inner| {
                    Some((inner.name.to_owned(), print(&Field { at: field.at + inner.at, ..*inner }, bytes)?))
                })
                .collect(),
        ),
        Ty::Text
            if own.iter().take_while(|byte| **byte != 0).all(|byte| (0x20..0x7f).contains(byte))
                && own.contains(&0) =>
        {
            Value::String(own.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect())
        }
        Ty::Text => own.iter().map(|byte| Value::from(byte.cast_signed())).collect(),
        Ty::Row => own.iter().map(|byte| Value::from(*byte)).collect(),
        Ty::List { of, each } => (0..field.size / each)
            .map(|i| print(&Field { at: field.at + i * each, size: each, ty: *of, ..*field }, bytes))
            .collect::<Option<Value>>()?,
        Ty::Int { signed, .. } => value(signed)?,
        Ty::Char => value(true)?,
        Ty::Pointer => value(false)?,
        Ty::Enum { names, signed } => match names.iter().find(|(_, value)| *value == number(signed)) {
            Some((name, _)) => Value::from(*name),
            None => value(signed)?,
        },
        Ty::Bits { first, count, .. } => hex(number(false).cast_unsigned() >> first & ((1 << count) - 1)),
        Ty::Lost => hex(number(false).cast_unsigned()),
        Ty::Wide => hex(u128::from_le_bytes(own.try_into().ok()?)),
        Ty::Float => return None,
    })
}
