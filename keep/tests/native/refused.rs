// SPDX-License-Identifier: MIT OR Apache-2.0
//! What cannot work is refused before anything runs, each by an error of its own.

use std::os::fd::AsFd as _;

use cmpdel_uapi_raw as raw;
use keep::{Error, Field, Means, Plan, table};

use crate::bare::{ARRAY, HASH, map, stripes};
use crate::rig::{Rig, STRIPED, hash, turn};

const FIELD: Field = Field { offset: 0, size: 4, signed: false, order: keep::Order::Native };

#[test]
fn tables_that_are_none() {
    let Some(_turn) = turn() else { return };
    let entries = map(HASH, 4, 16, 8);
    for (what, table) in [
        ("not set up", map(ARRAY, 4, 64, 8)),
        ("no array", map(HASH, 4, 64, 8)),
        ("values too small", map(ARRAY, 4, 32, 8)),
        ("the entries themselves", entries.try_clone().unwrap()),
    ] {
        let plan = Plan::new(entries.as_fd(), FIELD).stripes(table.as_fd()).only(Means::Stripes);
        let error = plan.open().map(drop).unwrap_err();
        assert!(matches!(error, Error::NotStripes(_)), "{what}: {error}");
    }
    let none = Plan::new(entries.as_fd(), FIELD).only(Means::Stripes).open().map(drop).unwrap_err();
    assert!(matches!(none, Error::NotStripes(_)), "none at all: {none}");
    assert!(matches!(table::set_up(entries.as_fd(), 1), Err(Error::NotStripes(_))));
}

#[test]
fn maps_and_fields_that_do_not_fit() {
    let Some(_turn) = turn() else { return };
    let table = stripes();
    let open = |map: &std::os::fd::OwnedFd, field| {
        Plan::new(map.as_fd(), field)
            .stripes(table.as_fd())
            .only(Means::Stripes)
            .open()
            .map(drop)
            .unwrap_err()
    };
    let error = open(&map(ARRAY, 4, 16, 8), FIELD);
    assert!(matches!(error, Error::MapType("array")), "{error}");
    let error = open(&map(HASH, 65, 16, 8), FIELD);
    assert!(matches!(error, Error::KeySize(65)), "{error}");
    for (offset, size) in [(13, 4), (16, 1), (0, 3), (0, 16), (u32::MAX, 4)] {
        let error = open(&map(HASH, 4, 16, 8), Field::unsigned(offset, size));
        assert!(matches!(error, Error::Field { value_size: 16, .. }), "{offset} {size}: {error}");
    }
}

#[test]
fn a_table_keeps_its_seed() {
    let Some(rig) = Rig::new(STRIPED, hash(8)) else { return };
    let seed = rig.settings.seed;
    assert!(matches!(table::set_up(rig.stripes(), seed ^ 1), Err(Error::OtherSeed)));
    table::set_up(rig.stripes(), seed).unwrap();
    assert_eq!(
        table::open(rig.stripes()).unwrap(),
        table::Table { count: crate::rig::STRIPES, seed, hash: table::HASH }
    );
}

/// A program writes to a map whatever the fd that it was given.
#[test]
fn an_fd_that_may_not_write_and_a_frozen_map() {
    const RDONLY: u32 = 1 << 3;
    let Some(_turn) = turn() else { return };
    let (entries, table) = (map(HASH, 4, 16, 8), stripes());
    let id = cmpdel_uapi::Map::new(entries.as_fd()).unwrap().info().id;
    let open = |fd: &std::os::fd::OwnedFd| {
        let plan = Plan::new(fd.as_fd(), FIELD).stripes(table.as_fd()).only(Means::Stripes);
        plan.open().map(drop)
    };
    assert!(open(&entries).is_ok());
    let reader = raw::fd_by_id(id, RDONLY).unwrap();
    assert!(matches!(open(&reader), Err(Error::Map(cmpdel_uapi::Error::Permission))));
    raw::freeze(entries.as_fd()).unwrap();
    assert!(matches!(open(&entries), Err(Error::Map(cmpdel_uapi::Error::Permission))));
}

/// Who chooses among more stripes, or fewer, chooses others.
#[test]
fn a_table_of_another_number_of_stripes() {
    let Some(_turn) = turn() else { return };
    let (entries, table) = (map(HASH, 4, 16, 8), stripes());
    let elements = raw::Elements::new(table.as_fd()).unwrap();
    let mut stripe = [0; 64];
    elements.look_up(&[0; 4], &mut stripe, 0).unwrap();
    stripe[20] += 1;
    (0_u32..37).for_each(|number| elements.update(&number.to_ne_bytes(), &stripe, 0).unwrap());
    let plan = Plan::new(entries.as_fd(), FIELD).stripes(table.as_fd()).only(Means::Stripes);
    let error = plan.open().map(drop).unwrap_err();
    assert!(matches!(error, Error::NotStripes(_)), "{error}");
}

/// A collector under stripes that a program does not take would keep it from nothing.
#[test]
fn a_map_whose_programs_take_other_stripes() {
    let Some(rig) = Rig::new(STRIPED, hash(8)) else { return };
    let others = stripes();
    let plan = Plan::new(rig.ct(), FIELD).stripes(others.as_fd()).only(Means::Stripes);
    let error = plan.open().map(drop).unwrap_err();
    let Error::Unstriped { id, ref name } = error else { panic!("{error}") };
    assert_eq!(name, "conntrack");
    // Who says that it only reads is believed.
    assert!(plan.readers(&[id]).open().is_ok());
    assert!(rig.collector().round_counted(0).is_ok(), "its own stripes are taken");
}

/// A datapath that hashes with another seed than its table takes no stripe of it, so it opens no flow.
#[test]
fn a_datapath_of_another_seed_takes_no_stripe() {
    let Some(rig) = Rig::new(STRIPED, hash(8)) else { return };
    assert!(rig.passes(&crate::frames::syn(1)));
    rig.reseed(rig.settings.seed ^ 1);
    assert!(!rig.passes(&crate::frames::syn(2)));
    assert_eq!((rig.counts().opened, rig.counts().busy), (1, 1));
}
