// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON of a record: a row a line, so that a person can search it and a difference names rows.

use std::io::{Result, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// What is below this depth stands on one line: the record, its lists, their rows.
const BROKEN: usize = 2;

/// `record` as JSON in which each field, and each row of a list, has a line of its own.
///
/// # Errors
/// When it cannot be serialised, as a map whose keys are no strings.
pub fn lines<T: Serialize>(record: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    record.serialize(&mut Serializer::with_formatter(&mut text, Rows::default()))?;
    text.push(b'\n');
    Ok(text)
}

#[derive(Default)]
struct Rows {
    depth: usize,
    filled: bool,
}

impl Rows {
    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn next<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        self.line(out)
    }

    fn line<W: ?Sized + Write>(&self, out: &mut W) -> Result<()> {
        if self.depth > BROKEN {
            return Ok(());
        }
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b" "))
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> Result<()> {
        let broken = self.depth <= BROKEN;
        self.depth -= 1;
        if broken && self.filled {
            self.line(out)?;
        }
        self.filled = true;
        out.write_all(bracket)
    }
}

impl Formatter for Rows {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.next(out, first)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        self.filled = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Record {
        name: &'static str,
        none: [u8; 0],
        rows: Vec<Row>,
    }

    #[derive(Serialize)]
    struct Row {
        id: u8,
        words: [&'static str; 2],
    }

    #[test]
    fn each_row_has_a_line() {
        let rows = vec![Row { id: 1, words: ["a", "b, c"] }, Row { id: 2, words: ["\n", "}"] }];
        let text = String::from_utf8(lines(&Record { name: "x", none: [], rows }).unwrap()).unwrap();
        let expected = r#"{
 "name":"x",
 "none":[],
 "rows":[
  {"id":1,"words":["a","b, c"]},
  {"id":2,"words":["\n","}"]}
 ]
}
"#;
        assert_eq!(text, expected);
    }
}
