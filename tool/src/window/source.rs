// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes that need no BTF to be read, and which option they were given for.

use std::fs::File;
use std::io::{self, Read};

use super::pasted;
use crate::bytes::{Given, count};
use crate::outcome::Failure;

/// What a run of bytes is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Which entry it is.
    Key,
    /// To be compared.
    Expect,
    /// To be put in its place.
    Value,
}

impl Role {
    /// The option.
    pub fn option(self) -> &'static str {
        match self {
            Self::Key => "--key",
            Self::Expect => "--expect",
            Self::Value => "--value",
        }
    }

    /// Of an entry, the part that it is.
    pub fn part(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Expect | Self::Value => "value",
        }
    }

    /// What is wrong with the option.
    pub fn usage(self, why: &str) -> Failure {
        Failure::usage(format!("{}: {why}", self.option()))
    }
}

/// The bytes that need no BTF to be read, and no more than one above `size`; `None` for what is typed.
pub fn raw_bytes(role: Role, given: &Given, size: u32) -> Option<Result<Vec<u8>, Failure>> {
    let limit = u64::from(size) + 1;
    match given {
        Given::File(path) => {
            let what = format!("reading {}", path.display());
            Some(
                File::open(path)
                    .and_then(|file| read(file, limit))
                    .map_err(|e| Failure::other(format!("{what}: {e}"))),
            )
        }
        Given::Stdin => Some(
            read(io::stdin().lock(), limit)
                .map_err(|error| Failure::other(format!("reading standard input: {error}"))),
        ),
        Given::Json(json) => match pasted::other_part(json, role.part()) {
            Some(other) => {
                let part = role.part();
                Some(Err(
                    role.usage(&format!("the {other} of an entry is pasted, and its {part} is wanted here"))
                ))
            }
            None => pasted::bytes(json, role.part()).map(Ok),
        },
        Given::Literal(_) => None,
    }
}

fn read(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit).read_to_end(&mut bytes).map(|_| bytes)
}

/// How many bytes were given where `size` are wanted, of which no more than one above were read.
pub fn how_many(given: &Given, bytes: &[u8], size: usize) -> String {
    let is_read = matches!(given, Given::File(_) | Given::Stdin);
    if is_read && bytes.len() > size {
        format!("more than {} given", count(size, "byte"))
    } else {
        format!("{} given", count(bytes.len(), "byte"))
    }
}

/// What to do instead where the bytes that were read are text.
pub fn if_text(role: Role, given: &Given, bytes: &[u8]) -> String {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let cat = match given {
        _ if bytes.is_empty() || !bytes.iter().all(is_text) => return String::new(),
        Given::File(path) => format!("cat {}", path.display()),
        Given::Stdin => "cat".into(),
        Given::Json(_) | Given::Literal(_) => return String::new(),
    };
    format!(
        "; they are text, and are taken as they are: for what it says, write {} \"$({cat})\"",
        role.option()
    )
}
