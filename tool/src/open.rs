// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finding the map, and its BTF.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use cmpdel_uapi::{Error, Kind, Map, MapInfo, btf_by_id, map_by_id, map_pinned, next_map_id};

use crate::args::MapArgs;
use crate::layout::{Layout, Of};
use crate::outcome::{Failure, Outcome};

/// The kernel keeps a name in 16 bytes, the last of them zero.
const MAX_NAME: usize = 15;

const BY_ID_MEND: &str = "maps are found by id or name with CAP_SYS_ADMIN only: run as root, or use --pinned";

/// Opens the map.
///
/// # Errors
/// Where there is none, several, or it may not be opened.
pub fn open(args: &MapArgs) -> Result<OwnedFd, Failure> {
    match args {
        MapArgs { pinned: Some(path), .. } => open_pinned("map", path),
        MapArgs { id: Some(id), .. } => map_by_id(*id).map_err(|error| match error.kind() {
            Kind::Absent => Failure::other(format!("there is no map with id {id}")),
            _ => Failure::from_uapi(&format!("opening map {id}"), &error, BY_ID_MEND),
        }),
        MapArgs { name: Some(name), .. } => by_name(name),
        MapArgs { .. } => Err(Failure::usage("no map given: use --pinned, --id or --name")),
    }
}

/// Opens the map pinned at a path; `what` it is to the user.
///
/// # Errors
/// Where there is none, or it may not be opened.
pub fn open_pinned(what: &str, path: &Path) -> Result<OwnedFd, Failure> {
    let what = format!("opening the {what} pinned at {}", path.display());
    // The kernel says -EACCES of any file that is no pinned object, too.
    let mend = "either it is no pinned BPF object, or this user may not both read and write it";
    map_pinned(path).map_err(|error| match error.kind() {
        Kind::Absent => Failure::other(format!("{what}: there is no such file")),
        Kind::Misuse => Failure::other(format!("{what}: this is no pinned BPF object")),
        _ => Failure::from_uapi(&what, &error, mend),
    })
}

fn by_name(name: &str) -> Result<OwnedFd, Failure> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(Failure::usage(format!(
            "`{name}` has {} bytes, and the kernel keeps 1 to {MAX_NAME} of a map's name: give these, or use --id",
            name.len()
        )));
    }
    let failure = |error: &Error| Failure::from_uapi("going through the maps", error, BY_ID_MEND);
    let mut found: Vec<(OwnedFd, MapInfo)> = Vec::new();
    let (mut id, mut hidden) = (0, 0);
    while let Some(next) = next_map_id(id).map_err(|e| failure(&e))? {
        id = next;
        let fd = match map_by_id(id) {
            Ok(fd) => fd,
            // It went away meanwhile.
            Err(error) if error.kind() == Kind::Absent => continue,
            // Another map may be open to somebody else alone: that is no reason not to work on this one.
            Err(Error::Permission) => {
                hidden += 1;
                continue;
            }
            Err(error) => return Err(failure(&error)),
        };
        let info = Map::new(fd.as_fd()).map_err(|e| failure(&e))?.info().clone();
        if info.name == name {
            found.push((fd, info));
        }
    }
    match found.len() {
        0 if hidden > 0 => Err(Failure {
            outcome: Outcome::NotPermitted,
            message: format!(
                "no map that may be opened is named `{name}`, and {hidden} may not be opened: {BY_ID_MEND}"
            ),
        }),
        0 => Err(Failure::other(format!("there is no map named `{name}`"))),
        1 => found.pop().map(|(fd, _)| fd).ok_or_else(|| Failure::other("no map")),
        count => Err(Failure::usage(several(name, count, found.iter().map(|(_, info)| info)))),
    }
}

fn several<'a>(name: &str, count: usize, maps: impl Iterator<Item = &'a MapInfo>) -> String {
    let mut text = format!("{count} maps are named `{name}`; use --id with one of them:");
    for info in maps {
        let kind = cmpdel_uapi::map_type_name(info.map_type);
        text += &format!(
            "\n  --id {}  {kind}, keys of {} bytes, values of {}",
            info.id, info.key_size, info.value_size
        );
    }
    text
}

/// The layout of the map's keys or values, by its BTF.
///
/// # Errors
/// Where it has none, or it cannot be read.
pub fn layout(info: &MapInfo, of: Of) -> Result<Layout, Failure> {
    let (type_id, size, what) = match of {
        Of::Key => (info.btf_key_type_id, info.key_size, "keys"),
        Of::Value => (info.btf_value_type_id, info.value_size, "values"),
    };
    if info.btf_id == 0 || type_id == 0 {
        return Err(Failure::usage(format!(
            "map {} has no BTF for its {what}: give bytes, and --offset for a window",
            info.id
        )));
    }
    let blob = btf_by_id(info.btf_id).map_err(|error| {
        let mend = "BTF is read with CAP_SYS_ADMIN only: run as root, or give bytes and --offset";
        Failure::from_uapi("reading the map's BTF", &error, mend)
    })?;
    let layout = Layout::new(&blob, type_id).map_err(|error| Failure::other(error.to_string()))?;
    let whole = layout.whole().map_err(Failure::other)?;
    if u32::try_from(whole.size) != Ok(size) {
        return Err(Failure::other(format!(
            "the map's BTF has {what} of {} bytes, the map has {size}: give bytes, and --offset for a window",
            whole.size
        )));
    }
    Ok(layout)
}
