// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loading a BPF object with the maps it is to share, and the kernel's refusal where it refuses.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use anyhow::{Context as _, Error, Result, anyhow};
use libbpf_rs::{MapCore as _, ObjectBuilder, OpenMapMut};
use results::races::Refusal;

use crate::layout::SEED;

/// The objects that `build.rs` compiled.
mod objects {
    include!(concat!(env!("OUT_DIR"), "/objects.rs"));
}

pub use objects::{BENCHES, COLLECTORS, DATAPATHS, RHASH_DATAPATHS, TABLES};

/// Programs and maps by name. They live as long as this, without the object.
pub struct Loaded {
    programs: HashMap<String, OwnedFd>,
    maps: HashMap<String, OwnedFd>,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Denied {
    /// The kernel said no to what was asked: a result.
    Refused(Refusal),
    /// Anything else: no result.
    Broken(Error),
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl Denied {
    /// The same once more: an error does not copy itself.
    pub fn again(&self) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.clone()),
            Self::Broken(error) => Self::Broken(anyhow!("{error:#}")),
        }
    }

    /// As an error, where a refusal is one too.
    pub fn error(self) -> Error {
        match self {
            Self::Refused(refusal) => anyhow!("refused with {}: {}", refusal.errno, refusal.text),
            Self::Broken(error) => error,
        }
    }
}

/// Finds an object in a table of `build.rs`.
///
/// # Errors
/// When there is no such file in `src/bpf`.
pub fn object(table: &[(&str, &'static [u8])], name: &str) -> Result<&'static [u8]> {
    let found = table.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes);
    found.ok_or_else(|| anyhow!("there is no BPF object {name}: src/bpf has no file for it"))
}

/// Loads `object`, once `prepare` has seen to each of its maps (named as in the source).
///
/// # Errors
/// [`Denied::Refused`] where map or program are not to the kernel's liking.
pub fn load(
    object: &[u8],
    prepare: impl FnMut(&str, &mut OpenMapMut<'_>) -> Result<()>,
) -> Result<Loaded, Denied> {
    load_some(object, prepare, |_| true)
}

/// The same with those of its programs alone that are `wanted`.
///
/// # Errors
/// As of [`load`].
pub fn load_some(
    object: &[u8],
    mut prepare: impl FnMut(&str, &mut OpenMapMut<'_>) -> Result<()>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Loaded, Denied> {
    libbpf_log::clear();
    let mut builder = ObjectBuilder::default();
    let mut open = builder.open_memory(object).context("cannot open a BPF object")?;
    for mut map in open.maps_mut() {
        let name = map.name().to_string_lossy().into_owned();
        // Sections of variables are named after the object, cut off: `conntrac.rodata`.
        let name = name.rsplit_once('.').map_or(name.clone(), |(_, section)| format!(".{section}"));
        prepare(&name, &mut map).with_context(|| format!("cannot prepare map {name}"))?;
    }
    for mut program in open.progs_mut() {
        let load = wanted(&program.name().to_string_lossy());
        program.set_autoload(load);
    }
    let object = match open.load() {
        Ok(object) => object,
        Err(error) => return Err(why(&Error::new(error))),
    };
    // libbpf makes a map whose BTF the kernel refuses again without: what was asked for was refused all the same.
    if let Some(refusal) = map_refused(&libbpf_log::said()) {
        return Err(Denied::Refused(refusal));
    }
    let mut loaded = Loaded { programs: HashMap::new(), maps: HashMap::new() };
    for program in object.progs() {
        let name = program.name().to_string_lossy().into_owned();
        if !wanted(&name) {
            continue;
        }
        let fd = program.as_fd().try_clone_to_owned().context("cannot keep a program")?;
        loaded.programs.insert(name, fd);
    }
    for map in object.maps() {
        let name = map.name().to_string_lossy().into_owned();
        let fd = map.as_fd().try_clone_to_owned().context("cannot keep a map")?;
        loaded.maps.insert(name, fd);
    }
    // One that other programs have as well is set up already, with the same seed.
    if let Ok(stripes) = loaded.map("keep_stripes") {
        keep::table::set_up(stripes, SEED).context("cannot set up the stripes")?;
    }
    Ok(loaded)
}

impl Loaded {
    /// A program by its name.
    ///
    /// # Errors
    /// When there is none.
    pub fn program(&self, name: &str) -> Result<BorrowedFd<'_>> {
        self.programs.get(name).map(|fd| fd.as_fd()).with_context(|| format!("there is no program {name}"))
    }

    /// A map by its name.
    ///
    /// # Errors
    /// When there is none.
    pub fn map(&self, name: &str) -> Result<BorrowedFd<'_>> {
        self.maps.get(name).map(|fd| fd.as_fd()).with_context(|| format!("there is no map {name}"))
    }
}

fn why(error: &Error) -> Denied {
    let said = libbpf_log::said();
    map_refused(&said).or_else(|| program_refused(&said)).map_or_else(
        || Denied::Broken(anyhow!("a BPF object was not loaded: {error:#}{}", libbpf_log::tail())),
        Denied::Refused,
    )
}

/// `Error in bpf_create_map_xattr(ct4): -EOPNOTSUPP. Retrying without BTF.`
fn map_refused(said: &[String]) -> Option<Refusal> {
    said.iter().find_map(|line| {
        let rest = line.split_once("bpf_create_map_xattr(")?.1;
        let (map, rest) = rest.split_once("): -")?;
        let errno = rest.split_once(". Retrying")?.0;
        let text = format!("BPF_MAP_CREATE of {map} with its BTF");
        Some(Refusal { errno: errno.to_owned(), text })
    })
}

/// `prog 'NAME': BPF program load failed: -EINVAL`, and the verifier's last word before its statistics.
fn program_refused(said: &[String]) -> Option<Refusal> {
    let at = said.iter().position(|line| line.contains("BPF program load failed: -"))?;
    let errno = said[at].rsplit_once('-')?.1.trim().to_owned();
    let log: Vec<_> = said[at..].iter().skip_while(|line| !line.contains("BEGIN PROG LOAD LOG")).collect();
    let end = log.iter().position(|line| line.starts_with("processed ")).unwrap_or(log.len());
    let word = log[..end].iter().rev().find(|line| !line.trim().is_empty());
    let word = word.map_or("the verifier said nothing", |line| line.trim());
    Some(Refusal { errno, text: format!("BPF_PROG_LOAD: {word}") })
}

/// What a test loads; none where it may load nothing, which it says. Whatever else is wrong is a fault.
#[cfg(test)]
pub fn or_skipped<T>(loaded: Result<T, Denied>) -> Option<T> {
    match loaded {
        Ok(loaded) => Some(loaded),
        Err(Denied::Refused(refusal)) if refusal.errno == "EPERM" => {
            println!("skipped: this may load no datapath here: {}", refusal.text);
            None
        }
        Err(denied) => panic!("{:#}", denied.error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_verifiers_last_word_is_the_refusal() {
        let said = lines(
            "libbpf: prog 'single': BPF program load failed: -EINVAL\n\
             libbpf: prog 'single': -- BEGIN PROG LOAD LOG --\n\
             0: R1=ctx()\n\
             map 'entries' has no valid bpf_spin_lock\n\
             processed 17 insns (limit 1000000)\n\
             -- END PROG LOAD LOG --",
        );
        let refusal = program_refused(&said).unwrap();
        assert_eq!(refusal.errno, "EINVAL");
        assert_eq!(refusal.text, "BPF_PROG_LOAD: map 'entries' has no valid bpf_spin_lock");
    }

    #[test]
    fn a_map_made_again_without_btf_was_refused() {
        let said =
            lines("libbpf: Error in bpf_create_map_xattr(ct4): -EOPNOTSUPP. Retrying without BTF.\nmore");
        assert_eq!(map_refused(&said).unwrap().errno, "EOPNOTSUPP");
        assert_eq!(map_refused(&lines("libbpf: all is well")), None);
    }
}
