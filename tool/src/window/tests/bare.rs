// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys and values of maps without BTF.

use super::*;

fn no_btf() -> Result<Layout, Failure> {
    Err(Failure::usage("no BTF"))
}

fn read(text: &str, size: u32, choice: Option<Choice<'_>>) -> Result<Vec<u8>, String> {
    let given = Given::parse(text)?;
    let read = match choice {
        None => key(&given, size, no_btf).map(|key| key.bytes),
        Some(choice) => window(&given, choice, size, no_btf).map(|window| window.expected),
    };
    read.map_err(|failure| failure.message)
}

/// `0x…` is bytes in the order written. To most people `0x0000000a` is 10: nothing holds a value that is to be written so against
/// what is there, and a key that is not found says how it was read.
#[test]
fn hex_as_long_as_an_integer_is_bytes_but_nothing_to_write() {
    if cfg!(target_endian = "big") {
        return;
    }
    let new_value = |text: &str, size, choice| {
        let zero = Given::parse(&vec!["00"; size as usize].join(" ")).unwrap();
        let expected = window(&zero, choice, size, no_btf).map_err(|failure| failure.message)?;
        new_value(&Given::parse(text).unwrap(), choice, &expected, size, no_btf)
            .map_err(|failure| failure.message)
    };
    for (text, size, mend) in [
        ("0x000a", 2, "u16:0x000a"),
        ("0x0000000a", 4, "u32:0x0000000a"),
        (" 0x0000000a ", 4, "u32:0x0000000a"),
        ("0x0a000001", 4, "u32:0x0a000001"),
        ("0x000000000000000a", 8, "u64:0x000000000000000a"),
        ("0x0a000001 0x0050 00 00", 8, "u32:0x0a000001"),
        ("u32be:1 0x0050 00 00", 8, "u16:0x0050"),
    ] {
        for choice in [whole(), offset(0)] {
            assert!(read(text, size, Some(choice)).is_ok(), "{text}");
            let error = new_value(text, size, choice).unwrap_err();
            assert!(
                error.contains("can be a number and can be bytes") && error.contains(mend),
                "{text}: {error}"
            );
        }
        assert!(read(text, size, None).is_ok(), "{text}");
        let note = order_of_key(&Given::parse(text).unwrap(), None).unwrap();
        assert!(note.contains(mend) && note.ends_with("taken for the bytes"), "{text}: {note}");
    }
    assert!(new_value("u32:1", 4, whole()).is_ok());
    for (text, size) in [
        ("0a 00 00 01", 4),
        ("hex 0x0000000a", 4),
        ("0x0a 0x00 0x00 0x01", 4),
        ("0x2a2a", 2),
        ("0x2a00002a", 4),
        ("u32:0x0000000a", 4),
        ("u32be:0x0a000001", 4),
        ("0x0a", 1),
        ("0x0200000a0001", 6),
        ("[\"0x0a\", \"0x00\", \"0x00\", \"0x01\"]", 4),
    ] {
        for choice in [whole(), offset(0)] {
            assert!(new_value(text, size, choice).is_ok(), "{text}");
        }
        assert_eq!(order_of_key(&Given::parse(text).unwrap(), None), None, "{text}");
    }
}

#[test]
fn a_file_of_text_is_told_as_one() {
    let file = |name: &str, bytes: &[u8]| {
        let path = std::env::temp_dir().join(format!("cmpdel_{name}.{}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let error = read(&format!("@{}", path.display()), 4, None).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        error
    };
    let text = file("text", b"{\"lifetime\": 42}\n");
    assert!(
        text.starts_with("--key: more than 4 bytes given, keys of this map have 4; they are text"),
        "{text}"
    );
    assert!(text.contains("write --key \"$(cat /"), "{text}");
    assert!(file("short", b"0a\n").contains("3 bytes given, keys of this map have 4; they are text"));
    assert!(file("raw", &[0; 7]).ends_with("more than 4 bytes given, keys of this map have 4"));
    assert!(file("raw", &[1, 2]).ends_with("2 bytes given, keys of this map have 4"));
}

#[test]
fn plain_numbers_are_told_the_type_that_fits() {
    for (text, size, mend) in [
        ("10", 4, "`10` is a number without a type: write u32:10, or u32be:10 in network order"),
        ("100", 4, "write u32:100, or u32be:100"),
        ("7", 8, "write u64:7, or u64be:7"),
        ("4294967296", 8, "write u64:4294967296"),
        ("4294967296", 4, "4294967296 does not fit 32 bits"),
        ("80", 2, "write u16:80, or u16be:80"),
        ("300", 1, "300 does not fit 8 bits"),
        ("10 0 0 1", 4, "write `u8:10 u8:0 u8:0 u8:1` if each is a byte"),
        ("4200", 24, "as u32:4200"),
        ("9999999999", 24, "as u64:9999999999"),
    ] {
        for choice in [None, Some(whole())] {
            let error = read(text, size, choice).unwrap_err();
            assert!(error.contains(mend), "{text}: {error}");
        }
        // What is advised is taken.
        let error = read(text, size, None).unwrap_err();
        if let Some((_, advised)) = error.split_once("write ").filter(|_| error.contains("without a type")) {
            let advised = advised.trim_start_matches('`').split([',', '`']).next().unwrap();
            assert!(read(advised, size, None).is_ok(), "{advised}");
        }
    }
}
