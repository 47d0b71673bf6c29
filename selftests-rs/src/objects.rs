// SPDX-License-Identifier: MIT OR Apache-2.0
//! Making one map of a BPF object that holds many: the others, which this kernel may refuse, are left out.

use std::mem::MaybeUninit;

use anyhow::{Context as _, Result, anyhow};
use libbpf_rs::skel::{OpenSkel, Skel, SkelBuilder};
use libbpf_rs::{MapCore as _, MapHandle, OpenObject};

/// Makes the map called `name`. It lives on in its handle, without the object.
pub fn make_map<B>(builder: B, name: &str) -> Result<MapHandle>
where
    B: for<'obj> SkelBuilder<'obj>,
{
    let mut place = MaybeUninit::<OpenObject>::uninit();
    let mut open = builder.open(&mut place).context("cannot open the BPF object")?;
    for mut map in open.open_object_mut().maps_mut() {
        let wanted = map.name() == name;
        map.set_autocreate(wanted).with_context(|| format!("cannot choose map {name}"))?;
    }
    let skeleton = open.load().with_context(|| format!("cannot make map {name}"))?;
    let map = skeleton.object().maps().find(|map| map.name() == name);
    let map = map.ok_or_else(|| anyhow!("the BPF object has no map {name}"))?;
    MapHandle::try_from(&map).with_context(|| format!("cannot keep map {name}"))
}
