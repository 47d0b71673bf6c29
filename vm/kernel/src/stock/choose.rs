// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of the archive's packages is the newest kernel of a line, and which packages it is made of.

use super::{Line, version};

/// What the packages of kernels begin with.
pub const IMAGE: &str = "linux-image-";
/// How their names end.
const ARCH: &str = "-amd64";
/// Where an image is an empty package, these of the same release hold what belongs to it: configuration and lists of
/// modules, the kernel, the modules.
const PARTS: [&str; 3] = ["linux-base-", "linux-binary-", "linux-modules-"];

/// A kernel of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `uname -r`.
    pub release: String,
    /// The packages' version.
    pub version: String,
}

/// The newest kernel of `line` among packages and their versions.
pub fn newest(candidates: &[(String, String)], line: &Line) -> Option<Found> {
    let of_line = candidates.iter().filter_map(|(package, version)| {
        Some(Found { release: release(package, line)?.to_owned(), version: version.clone() })
    });
    of_line.max_by(|a, b| version::order(&a.version, &b.version))
}

/// Whether `a` is newer than `b`.
pub fn is_newer(a: &Found, b: &Found) -> bool {
    version::order(&a.version, &b.version).is_gt()
}

/// What `uname -r` will say in the kernel of `package`, if it is one of `line`.
fn release<'a>(package: &'a str, line: &Line) -> Option<&'a str> {
    let release = package.strip_prefix(IMAGE)?;
    // Debug symbols and unsigned images end or begin otherwise.
    let version = release.strip_suffix(ARCH)?;
    let version = if line.rt { version.strip_suffix("-rt")? } else { version };
    let after = version.strip_prefix(line.kernel)?;
    if after.starts_with(|c: char| c.is_ascii_digit()) {
        return None; // 6.12 begins with 6.1
    }
    // 6.1.0-56 has the number of its ABI there; 7.3.4+deb13-cloud is another flavour.
    let flavoured =
        version.rsplit_once('-').is_some_and(|(_, end)| !end.starts_with(|c: char| c.is_ascii_digit()));
    (!flavoured).then_some(release)
}

/// The packages to unpack for the kernel `release`, whose image depends on `depends`.
pub fn packages(release: &str, depends: &[String]) -> Vec<String> {
    let part = |name: &&String| PARTS.iter().any(|part| name.strip_prefix(part) == Some(release));
    std::iter::once(format!("{IMAGE}{release}")).chain(depends.iter().filter(part).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::named;

    fn newest_of(line: &str, packages: &[(&str, &str)]) -> Option<String> {
        let packages: Vec<_> = packages.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect();
        newest(&packages, named(line).unwrap()).map(|found| format!("{} {}", found.release, found.version))
    }

    #[test]
    fn the_newest_of_the_line_and_flavour_is_taken() {
        let packages = [
            ("linux-image-6.1.0-47-amd64", "6.1.170-3"),
            ("linux-image-6.1.0-50-amd64", "6.1.176-1"),
            ("linux-image-6.1.0-50-rt-amd64", "6.1.176-2"),
            ("linux-image-6.1.0-50-cloud-amd64", "6.1.176-2"),
            ("linux-image-6.1.0-50-amd64-dbg", "6.1.176-2"),
            ("linux-image-6.1.0-50-amd64-unsigned", "6.1.176-2"),
            ("linux-image-6.12.99+deb13-amd64", "6.12.99-1"),
            ("linux-image-6.12.117+deb13-amd64", "6.12.117-1"),
            ("linux-image-7.3+deb14-rt-amd64", "7.3-1"),
            ("linux-image-7.3.4+deb13-rt-amd64", "7.3.4-1~bpo13+1"),
            ("linux-image-7.3.4+deb13-cloud-amd64", "7.3.4-2"),
            ("linux-image-7.3.3+deb13-amd64", "7.3.3-1~bpo13+1"),
        ];
        assert_eq!(newest_of("6.1", &packages).unwrap(), "6.1.0-50-amd64 6.1.176-1");
        assert_eq!(newest_of("6.12", &packages).unwrap(), "6.12.117+deb13-amd64 6.12.117-1");
        assert_eq!(newest_of("7.3", &packages).unwrap(), "7.3.3+deb13-amd64 7.3.3-1~bpo13+1");
        assert_eq!(newest_of("7.3-rt", &packages).unwrap(), "7.3.4+deb13-rt-amd64 7.3.4-1~bpo13+1");
        assert_eq!(newest_of("7.3-rt", &packages[..8]), None);
    }

    #[test]
    fn a_kernel_in_parts_is_unpacked_from_its_own_parts() {
        let depends = [
            "initramfs-tools",
            "linux-base-7.3.4+deb13-amd64",
            "linux-binary-7.3.4+deb13-amd64",
            "linux-modules-7.3.4+deb13-amd64",
            "linux-modules-amd64",
            "linux-base",
        ];
        let depends = depends.map(str::to_owned);
        let whole = "linux-image-7.3.4+deb13-amd64";
        assert_eq!(
            packages("7.3.4+deb13-amd64", &depends),
            [whole, &depends[1], &depends[2], &depends[3]].map(str::to_owned)
        );
        assert_eq!(packages("6.1.0-50-amd64", &depends), ["linux-image-6.1.0-50-amd64"]);
    }
}
