// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a field takes, and what it refuses.

use super::*;
use crate::image::Image;
use crate::testing::{ODD_ID, conntrack, odd, owner, truth, tuple};

fn field(layout: &Layout, path: &str, text: &str) -> Result<Vec<u8>, String> {
    word(layout, layout.field(path).unwrap(), &Literal::parse(text))
}

#[test]
fn numbers_are_put_into_the_order_of_their_type() {
    for (path, text, bytes) in [
        ("dport", "80", vec![0, 80]),
        ("expires", "1000", vec![0, 0, 3, 0xe8]),
        ("dport", "u16be:80", vec![0, 80]),
        ("dport", "0x0050", vec![0, 80]),
        ("seen", "1000", 1000_u64.to_ne_bytes().to_vec()),
        ("seen", "u64:1000", 1000_u64.to_ne_bytes().to_vec()),
        ("code", "42", vec![42]),
    ] {
        assert_eq!(field(&owner(), path, text), Ok(bytes), "{path} {text}");
    }
    let error = field(&owner(), "dport", "u16:80").unwrap_err();
    assert!(error.contains("in this machine's order, and the field (__be16) in network order"), "{error}");
    assert_eq!(owner().show(owner().field("dport").unwrap(), &[0, 80]), "80");
}

#[test]
fn enumerators_and_texts_are_what_a_field_takes() {
    assert_eq!(field(&conntrack(), "state", "CT_CLOSING"), Ok(vec![1]));
    assert_eq!(field(&conntrack(), "state", "1"), Ok(vec![1]));
    let text = |text: &str| field(&owner(), "comm", text);
    assert_eq!(text("bash"), Ok(b"bash\0\0\0\0".to_vec()));
    assert_eq!(text("text:42 00"), Ok(b"42 00\0\0\0".to_vec()));
    assert_eq!(text(" a "), Ok(b" a \0\0\0\0\0".to_vec()), "blanks are part of a text");
    assert_eq!(text("hex 00 01 02 03 04 05 06 07"), Ok(vec![0, 1, 2, 3, 4, 5, 6, 7]));
    for two in ["10 20", "u8:1", "0x2a2a", "42", "\"bash\"", "'bash'", "=bash", "~bash"] {
        assert!(text(two).unwrap_err().contains("can be a text and can be something else"), "{two}");
    }
    assert!(text("much too long").unwrap_err().contains("a text of 13 bytes, and the field has room for 8"));
}

#[test]
fn strings_are_not_read_as_numbers() {
    let string = |path, text| super::text(&owner(), owner().field(path).unwrap(), text);
    assert!(string("code", "42").unwrap_err().contains("hex, as bpftool prints"));
    assert_eq!(string("code", "0x2a"), Ok(vec![42]));
    assert!(string("seen", "1000").unwrap_err().contains("without quotes"));
    assert_eq!(string("comm", "42"), Ok(b"42\0\0\0\0\0\0".to_vec()), "as bpftool prints it");
    assert_eq!(string("comm", "text:10 20"), Ok(b"10 20\0\0\0".to_vec()));
    assert!(string("comm", "text:a").unwrap_err().contains("can be a text"));
    let bits = |text| super::text(&tuple(), tuple().field("client").unwrap(), text);
    assert!(bits("10").unwrap_err().contains("without quotes"));
    assert!(bits("0x2a").is_ok());
}

#[test]
fn a_row_of_bytes_is_no_text_unless_that_is_said() {
    let tag = |text| field(&conntrack(), "nat.tag", text);
    assert_eq!(tag("text:ab"), Ok(b"ab".to_vec()));
    for text in ["ab", "42", "-1", "xy"] {
        assert!(tag(text).is_err(), "{text}");
    }
    assert_eq!(tag("0x6162"), Ok(b"ab".to_vec()));
    let place = conntrack().field("nat.tag").unwrap();
    let string = |text| super::text(&conntrack(), place, text);
    assert_eq!(string("text:ab"), Ok(b"ab".to_vec()), "of such a row bpftool prints numbers, and no text");
    assert!(string("ab").is_err());
}

#[test]
fn a_truth_value_is_taken_in_words() {
    let layout = truth();
    let truth = |text| word(&layout, layout.whole().unwrap(), &Literal::parse(text));
    assert_eq!((truth("true"), truth("false"), truth("1")), (Ok(vec![1]), Ok(vec![0]), Ok(vec![1])));
    assert!(truth("yes").is_err());
    for two in ["2", "-1", "255"] {
        assert!(truth(two).unwrap_err().contains("takes 0 and 1, false and true"), "{two}");
    }
    assert!(number(&layout, layout.whole().unwrap(), 2).is_err(), "in JSON, too");
    assert!(field(&conntrack(), "lifetime", "true").is_err(), "an integer is none");
}

#[test]
fn a_digit_for_a_character_is_a_number_or_that_character() {
    let letter = |text| field(&odd(ODD_ID), "letter", text);
    assert!(letter("5").unwrap_err().contains("can be a number and can be a character: write u8:5"));
    assert_eq!((letter("u8:5"), letter("text:5")), (Ok(vec![5]), Ok(vec![b'5'])));
    assert_eq!((letter("10"), letter("x")), (Ok(vec![10]), Ok(vec![b'x'])), "no two characters, no number");
}

#[test]
fn hex_that_bpftool_prints_of_numbers_is_no_bytes() {
    for (path, text, what) in [
        ("ptr", "0xffff888103a5c000", "pointers"),
        ("wide", "0x00000000000000000000000000000001", "integers of 128 bits"),
        ("wide", " 0x00000000000000000000000000000001", "integers of 128 bits"),
        ("half", "0x0050", "bit-fields"),
    ] {
        let error = field(&odd(ODD_ID), path, text).unwrap_err();
        assert!(
            error.contains("can be a number, as bpftool prints") && error.contains(what),
            "{path}: {error}"
        );
    }
    // Wherever it is given.
    let wide = Literal::parse("0x00000000000000000000000000000001");
    if cfg!(target_endian = "little") {
        let error = in_order(&odd(ODD_ID), 16, &wide).unwrap_err();
        assert!(error.contains("write it in bytes, `hex 0x0000"), "{error}");
    }
    assert!(in_order(&odd(ODD_ID), 48, &wide).is_ok(), "there is a text");
    let bytes = "0xff 0xff 0x88 0x81 0x03 0xa5 0xc0 0x00";
    assert_eq!(field(&odd(ODD_ID), "ptr", bytes), Ok(vec![0xff, 0xff, 0x88, 0x81, 3, 0xa5, 0xc0, 0]));
    assert_eq!(
        field(&odd(ODD_ID), "half", "0x50"),
        Ok(0x50_u16.to_ne_bytes().to_vec()),
        "one byte is no two"
    );
    let error = field(&odd(ODD_ID), "lost", "80").unwrap_err();
    assert!(error.contains("a bit-field of port_t has no order"), "{error}");
}

#[test]
fn hex_that_can_be_a_number_of_the_other_order_is_neither() {
    let layout = conntrack();
    for (path, text, number) in [
        ("lifetime", "0x0000002a", "u32:0x0000002a"),
        ("lifetime", " 0x00000f00", "u32:0x00000f00"),
        ("packets", "0x000000000000002a", "u64:0x000000000000002a"),
        ("delta", "0xfffd", "u16:0xfffd"),
    ] {
        let place = layout.field(path).unwrap();
        for read in [field(&layout, path, text), super::text(&layout, place, text)] {
            if cfg!(target_endian = "little") {
                let error = read.unwrap_err();
                assert!(error.contains("can be a number and can be bytes in this order"), "{path}: {error}");
                let both = format!("write {number} for the number, `hex {}` for the bytes", text.trim());
                assert!(error.ends_with(&both), "{path}: {error}");
            }
        }
        assert!(field(&layout, path, &format!("hex {text}")).is_ok(), "{path} {text}");
        assert!(field(&layout, path, number).is_ok(), "{path} {text}");
    }
    for (path, text) in [("lifetime", "0x2a00002a"), ("lifetime", "0x00 0x00 0x00 0x2a"), ("state", "0x01")] {
        assert!(field(&layout, path, text).is_ok(), "{path} {text}");
    }
    assert_eq!(field(&owner(), "expires", "0x000003e8"), Ok(vec![0, 0, 3, 0xe8]), "both are the same");
}

#[test]
fn what_a_field_does_not_take_is_told_with_what_it_takes() {
    let ct = |path, text| field(&conntrack(), path, text).unwrap_err();
    let odd_layout = odd(ODD_ID);
    let odd = |path, text| field(&odd_layout, path, text).unwrap_err();
    let owner = |path, text| field(&owner(), path, text).unwrap_err();
    for (error, why) in [
        (ct("state", "CT_GONE"), "`CT_GONE` is no enumerator of enum ct_state: it has CT_OPEN, CT_CLOSING"),
        (ct("state", "CT_OPEN (0)"), "it has CT_OPEN, CT_CLOSING"),
        (ct("lifetime", "42u"), "`42u` is no plain number: write it in decimal, or in hex as u32:0x2a"),
        (ct("lifetime", "4.2e1"), "`4.2e1` is no plain number"),
        (ct("delta", "x"), "or in hex as u16:0x2a"),
        (ct("lifetime", "042"), "`042`: a zero before a number means octal to many: leave it out"),
        (ct("lifetime", "0x2a"), "1 byte given (2a), the field has 4; a number in hex is written u32:0x2a"),
        (ct("lifetime", "0x2a0"), "no whole bytes in 3 hex digits; a number in hex is written u32:0x2a0"),
        (owner("dport", "0x5"), "no whole bytes in 1 hex digit"),
        (owner("dport", "0x50"), "a number in hex is written u16be:0x50"),
        (owner("dport", "http"), "or in hex as u16be:0x2a"),
        (odd("name", "1234"), "can be something else: write `text:1234` for the text"),
        (odd("name", "hex"), "`hex` says that bytes follow, and there are none"),
        (odd("name", "hex 1234"), "2 bytes given (12 34), the field has 16"),
        (odd("wide", "0x2a"), "1 byte given (2a), the field has 16"),
        (odd("ptr", "0x"), "hex digits must follow"),
        (odd("wide", "1"), "unsigned __int128 takes no number here, only its 16 bytes"),
        (odd("ratio", "0.1"), "`0.1` is no float to the last digit"),
        (odd("ratio", "1.50x"), "float takes a number such as 1.5, or its 4 bytes"),
        (odd("ratio", "2"), "float takes a number such as 1.5, or its 4 bytes"),
        (owner("expires", "10.0.0.1"), "`10.0.0.1` is an address: write its bytes, u32be:0x0a000001"),
        (odd("name", "10.0.0.1/longer than that"), "a text of 25 bytes, and the field has room for 16"),
    ] {
        assert!(error.contains(why), "{error} / {why}");
    }
    assert!(!odd("wide", "0x2a").contains("u128"), "there is no such type");
    assert_eq!(field(&odd_layout, "ptr", "18446612686455848960").map(|bytes| bytes.len()), Ok(8));
}

#[test]
fn bits_with_a_sign_are_taken_as_bpftool_prints_them() {
    let layout = odd(ODD_ID);
    let place = layout.field("sig").unwrap();
    let bits = |text| super::text(&layout, place, text);
    assert_eq!(bits("0xfff"), number(&layout, place, -1));
    assert_eq!(bits("0x800"), number(&layout, place, -2048));
    assert_eq!(bits("0x7ff"), number(&layout, place, 2047));
    assert!(bits("0x1000").unwrap_err().contains("does not fit int (12 bits)"));
    assert!(word(&layout, place, &Literal::parse("4095")).is_err(), "in decimal it is a number");
}

#[test]
fn a_text_that_is_another_form_gone_wrong_has_to_be_said() {
    let name = |text: &str| field(&odd(ODD_ID), "name", text);
    for text in [" text:a", " 'a'", " -5", " -", " @f", "u8:256", "u64:010", "0xabc", "a 0x", "007", "+5"] {
        assert!(name(text).unwrap_err().contains("can be a text"), "{text}");
        assert!(name(&format!("text:{text}")).is_ok(), "{text}");
    }
    let string = |text| super::text(&odd(ODD_ID), odd(ODD_ID).field("name").unwrap(), text);
    assert!(string("text:10 20").unwrap_err().contains("can be a text"), "a text may begin like that");
    assert!(string("text:10 20 30 40 50").is_ok(), "the field has no room for all of it");
}

#[test]
fn bits_are_put_where_they_lie() {
    let layout = tuple();
    let place = |path| layout.field(path).unwrap();
    let (netns, client) = (place("netns"), place("client"));
    assert_eq!((netns.offset, netns.size, client.offset), (19, 1, 19));
    let mut image = Image::new(24);
    image.put(netns, "netns", &number(&layout, netns, 1).unwrap()).unwrap();
    image.put(client, "client", &word(&layout, client, &Literal::parse("0x2a")).unwrap()).unwrap();
    let byte = image.whole().0[19];
    if cfg!(target_endian = "little") {
        assert_eq!(byte, 0x2a << 1 | 1);
    }
    assert_eq!((layout.show(netns, &[byte]), layout.show(client, &[byte])), ("1".into(), "42".into()));
    assert!(number(&layout, client, 128).unwrap_err().contains("(7 bits)"));
    assert!(number(&layout, netns, -1).is_err());
}

/// The bits of 1.5 in hex are a number to most people, and bytes in this order to the others.
#[test]
fn a_float_is_a_number_to_the_last_digit_or_bytes() {
    let layout = odd(ODD_ID);
    let ratio = |text| field(&layout, "ratio", text);
    let bits = |number: f32| Ok(number.to_ne_bytes().to_vec());
    if cfg!(target_endian = "little") {
        let error = ratio("0x3fc00000").unwrap_err();
        assert!(error.contains("write u32:0x3fc00000") && error.contains("hex 0x3fc00000"), "{error}");
        let string = text(&layout, layout.field("ratio").unwrap(), "0x3fc00000");
        assert!(string.is_err(), "in JSON, too");
    }
    assert_eq!(ratio("u32:0x3fc00000"), bits(1.5));
    assert_eq!(ratio("0x00000000"), bits(0.0), "both are the same");
    for (text, number) in [
        ("1.5", 1.5),
        ("1.50", 1.5),
        ("-0.25", -0.25),
        ("0.0", 0.0),
        ("-0.0", -0.0),
        ("16777216.0", 16_777_216.0),
    ] {
        assert_eq!(ratio(text), bits(number), "{text}");
    }
    for text in ["0.1", "16777217.0", "01.5", ".5", "1.", "1e3", "inf", "NaN", "+1.5", "1.5 ", "5"] {
        assert!(ratio(text).is_err(), "{text}");
    }
}

/// `hex 1234` was proposed for a field of 8 bytes, and then refused.
#[test]
fn bytes_that_are_not_as_many_are_not_proposed() {
    for text in ["1234", "'bash'", "42", "u8:1"] {
        let error = field(&owner(), "comm", text).unwrap_err();
        assert!(
            !error.contains(&format!("hex {text}")) && error.contains("all 8 of them"),
            "{text}: {error}"
        );
    }
}

#[test]
fn blanks_around_a_number_or_an_enumerator_are_no_part_of_it() {
    assert_eq!(field(&conntrack(), "lifetime", " 42\n"), field(&conntrack(), "lifetime", "42"));
    assert_eq!(field(&conntrack(), "state", "CT_CLOSING\n"), Ok(vec![1]));
    assert_eq!(field(&tuple(), "client", " 42 ").map(|bytes| bytes.len()), Ok(1));
    assert!(field(&odd(ODD_ID), "letter", " 5").is_err(), "or that character");
    assert!(field(&odd(ODD_ID), "name", " 5").is_err(), "or a text with a blank");
}

#[test]
fn what_is_long_is_cut_in_a_sentence() {
    let long = "1234567890 ".repeat(30);
    for text in [long.clone(), format!("{long}\n{long}")] {
        for path in ["lifetime", "state", "comm", "code"] {
            let layout = if ["comm", "code"].contains(&path) { owner() } else { conntrack() };
            let error = field(&layout, path, &text).unwrap_err();
            assert!(error.len() < 300 && !error.contains('\n'), "{path}: {error}");
        }
    }
}
