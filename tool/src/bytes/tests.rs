// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is read as bytes, as a number, as a word, and what is refused.

use super::*;

#[test]
fn bytes_are_read() {
    let rows: [(&str, &[u8]); 14] = [
        ("0a 00 00 01", &[10, 0, 0, 1]),
        ("0x0a 0x00", &[10, 0]),
        ("0x0a000001", &[10, 0, 0, 1]),
        ("  0A\tfF \n", &[10, 255]),
        ("u8:255", &[255]),
        ("u16:0x102", &0x102_u16.to_ne_bytes()),
        ("u32:42", &42_u32.to_ne_bytes()),
        ("u64:18446744073709551615", &[255; 8]),
        ("u16be:80", &[0, 80]),
        ("u32be:0x0a000001", &[10, 0, 0, 1]),
        ("u64be:1", &[0, 0, 0, 0, 0, 0, 0, 1]),
        ("u32be:0x0a000001 u16be:80 06 0x00", &[10, 0, 0, 1, 0, 80, 6, 0]),
        ("u8:0", &[0]),
        ("00", &[0]),
    ];
    for (text, bytes) in rows {
        assert_eq!(parse_bytes(text).as_deref(), Ok(bytes), "{text}");
    }
}

/// As C and `xxd -i` write them, and as bpftool takes them.
#[test]
fn lists_of_bytes_are_read() {
    for text in [
        "0x0a, 0x00, 0x00, 0x01",
        "{0x0a, 0x00, 0x00, 0x01}",
        "{ 0x0a,0x0,0x0,0x1 }",
        "0xa 0x0 0x0 0x1",
        "0x0a 0x0 0x00 0x1",
        "hex 0a000001",
        "hex 0a00 00 01",
    ] {
        let Ok(Given::Literal(literal)) = Given::parse(text) else { panic!("{text}") };
        assert_eq!(
            (literal.bytes.as_deref(), literal.one_reading()),
            (Ok(&[10, 0, 0, 1][..]), Ok(())),
            "{text}"
        );
    }
    for text in [
        "0xa",
        "0xa 0x0001",
        "0x0a,",
        "0x0a,,0x00",
        "{0x0a, 0x00",
        "0x0a, 10",
        "10, 0, 0, 1",
        "{0x0a}",
        "hex 0a0",
        "0xa 00",
        "0a, 00",
    ] {
        let read = Given::parse(text);
        let is_refused = !matches!(&read, Ok(Given::Literal(Literal { bytes: Ok(_), .. })));
        assert!(is_refused, "{text}: {read:?}");
    }
}

#[test]
fn what_is_no_bytes_says_why() {
    let rows = [
        ("", "no bytes"),
        ("   ", "no bytes"),
        ("a", "two hex digits"),
        ("100", "as u32:100"),
        ("0a000001", "before a string of hex bytes stands `hex`"),
        ("hex", "`hex` says that bytes follow, and there are none"),
        ("4294967296", "as u64:4294967296"),
        ("0x", "must follow"),
        ("0xabc", "no whole bytes in 3 hex digits"),
        ("0x5", "no whole bytes in 1 hex digit"),
        ("0xzz", "`z` is no hex digit"),
        ("zz", "`z` is no hex digit"),
        ("0a,00", "no byte"),
        ("é", "no hex digit"),
        ("u8:256", "does not fit 8 bits"),
        ("u16:65536", "does not fit 16 bits"),
        ("u32be:0x100000000", "does not fit 32 bits"),
        ("u64:18446744073709551616", "does not fit 64 bits"),
        ("u64:999999999999999999999999999999999999999999999", "does not fit 64 bits"),
        ("u8:-1", "unsigned"),
        ("u8:+1", "unsigned"),
        ("u8:", "unsigned"),
        ("u8:0x", "unsigned"),
        ("u8:1.5", "unsigned"),
        ("u8:007", "octal to many"),
        ("u32be:010", "octal to many"),
        ("u8be:1", "no type"),
        ("i32:1", "no type"),
        ("U8:1", "no type"),
        (":1", "no type"),
    ];
    for (text, why) in rows {
        let error = parse_bytes(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn arguments_are_sorted_by_their_first_characters() {
    assert_eq!(Given::parse("-"), Ok(Given::Stdin));
    assert_eq!(Given::parse("@/tmp/x y"), Ok(Given::File("/tmp/x y".into())));
    let object = Json::Object(vec![("a".into(), Json::Number(1))]);
    assert_eq!(Given::parse("{\"a\": 1}"), Ok(Given::Json(object)));
    assert_eq!(Given::parse(" [1]"), Ok(Given::Json(Json::Array(vec![Json::Number(1)]))));
    assert!(Given::parse("@").unwrap_err().contains("file name"));
    assert!(Given::parse("{a}").unwrap_err().contains("not JSON"));
    assert!(Given::parse("").unwrap_err().contains("no bytes"));
    assert_eq!(Given::parse("\"bash \""), Ok(Given::Json(Json::String("bash ".into()))));
    assert!(Given::parse("  ").unwrap_err().contains("no bytes"));
}

#[test]
fn digits_are_a_byte_and_a_number() {
    let literal = |text: &str| {
        let literal = Literal::parse(text);
        (literal.bytes.ok(), literal.number)
    };
    assert_eq!(literal("42"), (Some(vec![0x42]), Some(42)));
    assert_eq!(literal(" 42\n"), (Some(vec![0x42]), Some(42)), "blanks around a number are no part of it");
    assert_eq!(literal("4200"), (None, Some(4200)));
    assert_eq!(literal("-5"), (None, Some(-5)));
    assert_eq!(literal("010"), (None, None), "octal to many");
    assert_eq!(literal("0x42"), (Some(vec![0x42]), None));
    assert_eq!(literal("42 00"), (Some(vec![0x42, 0]), None));
    assert_eq!(literal("hex 42 00"), (Some(vec![0x42, 0]), None));
    assert_eq!(literal("u8:1"), (Some(vec![1]), None));
    assert_eq!(literal("CT_OPEN"), (None, None));
    assert_eq!(literal("hex"), (None, None));
    assert_eq!(literal("hex u8:1"), (None, None));
}

#[test]
fn an_option_takes_plain_numbers() {
    assert_eq!((parse_count("0"), parse_count("4294967295")), (Ok(0_u32), Ok(u32::MAX)));
    for text in ["", "+5", "-5", "-0", "010", "00", "0x10", " 5", "5 ", "1e3", "4294967296"] {
        assert!(parse_count::<u32>(text).unwrap_err().contains("no plain number"), "{text}");
    }
}

#[test]
fn what_bpftool_prints_one_way_and_takes_another_is_refused() {
    for text in [
        "10 20 30 40",
        "42",
        "99",
        "10 20 30 0x40",
        "10 20 30 u8:5",
        "u16:80 10 10",
        // bpftool takes 00 to 07 for the same, and 16 for 10: they do not say how the others are read.
        "10 00 00 00",
        "00 10",
        "07 00 29 00",
        "80 00",
    ] {
        assert!(Literal::parse(text).one_reading().unwrap_err().contains("hex, as bpftool"), "{text}");
    }
    for text in [
        "00 01 09",
        "00 01 07",
        "09 10",
        "08 00 10",
        "0a 10",
        "hex 10 20",
        "0x10 0x20",
        "u8:10",
        "07",
        "10 2f",
    ] {
        assert_eq!(Literal::parse(text).one_reading(), Ok(()), "{text}");
    }
}

#[test]
fn how_a_literal_is_written_is_known() {
    let literal = Literal::parse;
    assert_eq!(literal("0x1").hex_number(), Some(1));
    assert_eq!(literal("0xffffffffffffffff").hex_number(), Some(u64::MAX.into()));
    for text in ["0x", "1", "0x10000000000000000", "0x+1"] {
        assert_eq!(literal(text).hex_number(), None, "{text}");
    }
    assert_eq!(literal("u16:80").native_integers(), [(0, 2, "u16:80")]);
    assert_eq!(
        literal("0a00 u16be:1 0x0b0c u16:1 00 u64:2").native_integers(),
        [(6, 2, "u16:1"), (9, 8, "u64:2")]
    );
    for text in ["u8:1", "u16be:80", "80", "x:1", "hex 00"] {
        assert_eq!(literal(text).native_integers(), [], "{text}");
    }
    assert!(literal("ab").is_one_word() && !literal("a b").is_one_word() && !literal("u8:1").is_one_word());
}

#[test]
fn numbers_go_there_and_back() {
    for (number, size, signed) in [
        (0, 1, false),
        (255, 1, false),
        (-128, 1, true),
        (127, 1, true),
        (-1, 4, true),
        (i128::from(u64::MAX), 8, false),
        (i128::from(i64::MIN), 8, true),
        (70_000, 3, false),
    ] {
        let bytes = encode(number, size, signed).unwrap();
        assert_eq!((bytes.len(), decode(&bytes, signed)), (size, Some(number)));
    }
    for (number, size, signed) in
        [(256, 1, false), (-1, 8, false), (128, 1, true), (-129, 1, true), (1, 0, false), (1, 9, false)]
    {
        assert_eq!(encode(number, size, signed), None, "{number} {size} {signed}");
    }
    assert_eq!(encode(0x0102, 2, false).unwrap(), 0x0102_u16.to_ne_bytes());
    assert_eq!((decode(&[], false), decode(&[0; 9], false)), (None, None));
}

#[test]
fn addresses_are_told_as_bytes() {
    for (text, bytes) in [
        ("10.0.0.1", "u32be:0x0a000001"),
        (" 192.168.1.254 ", "u32be:0xc0a801fe"),
        ("::1", "hex 00000000000000000000000000000001"),
        ("02:00:00:0A:00:01", "hex 0200000a0001"),
        ("02-00-00-0a-00-01", "hex 0200000a0001"),
    ] {
        let error = parse_bytes(text).unwrap_err();
        assert_eq!(error, format!("`{}` is an address: write its bytes, {bytes}", text.trim()));
    }
    for (text, why) in [
        (
            "10.0.0.0/8",
            "an address with the length of a prefix: of an LPM trie, write `u32:8 u32be:0x0a000000`",
        ),
        ("::1/64", "`u32:64 0x00000000000000000000000000000001`"),
        (
            "fe80::1%eth0",
            "with a zone, which is none of its bytes: write hex fe800000000000000000000000000001",
        ),
        ("02:00:0A", "is bytes with `:` between them: write hex 02000a"),
        ("0a-00-00-00-00-00-00-01", "is bytes with `-` between them: write hex 0a00000000000001"),
    ] {
        let error = parse_bytes(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
        // What is advised is taken.
        let advised = error.rsplit("write ").next().unwrap().trim_matches('`');
        assert!(parse_bytes(advised).is_ok(), "{advised}");
    }
    for text in ["10.0.0", "10.0.0.256", "02:00", "a b", "0a-00", "10.0.0.0/x"] {
        assert!(!parse_bytes(text).unwrap_err().contains("address"), "{text}");
    }
}
