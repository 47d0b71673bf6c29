// SPDX-License-Identifier: MIT OR Apache-2.0
//! The architectures that kernels and selftests are built for beside this machine's, and what each is called by whom.

use ground::tool::{Tool, file, program};

/// An architecture that is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit Arm: another JIT, other code for atomics and for memory of user space.
    Arm64,
    /// IBM Z: the highest byte of a number comes first, and its JIT extends arguments.
    S390x,
}

/// What an architecture is called, and what it is built and run with.
#[derive(Debug)]
pub struct Target {
    /// As `--arch` names it.
    pub name: &'static str,
    /// As the kernel's makefiles name it.
    pub kernel: &'static str,
    /// As `uname -m` names it.
    pub machine: &'static str,
    /// As compilers name it.
    pub triplet: &'static str,
    /// As Debian names it.
    pub debian: &'static str,
    /// What make is asked for, and the file that it leaves.
    pub image: (&'static str, &'static str),
    /// The fragments under `vm/config/`.
    pub fragments: [&'static str; 2],
    /// QEMU and the machine that it is.
    pub qemu: &'static [&'static str],
    /// The console of that machine.
    pub console: &'static str,
    /// What starts programs, in the folder of the cross libraries.
    pub loader: &'static str,
    /// What has to be installed here.
    pub tools: [Tool; 4],
}

static ARM64: Target = Target {
    name: "arm64",
    kernel: "arm64",
    machine: "aarch64",
    triplet: "aarch64-linux-gnu",
    debian: "arm64",
    image: ("Image", "arch/arm64/boot/Image"),
    fragments: ["foreign.config", "arm64.config"],
    qemu: &["qemu-system-aarch64", "-machine", "virt,gic-version=3", "-cpu", "neoverse-n1"],
    console: "ttyAMA0",
    loader: "ld-linux-aarch64.so.1",
    tools: [
        OPENSSL,
        program("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu", PHASE),
        file(&["/usr/aarch64-linux-gnu/include/stdio.h"], "libc6-dev-arm64-cross", PHASE),
        program("qemu-system-aarch64", "qemu-system-arm", PHASE),
    ],
};

static S390X: Target = Target {
    name: "s390x",
    kernel: "s390",
    machine: "s390x",
    triplet: "s390x-linux-gnu",
    debian: "s390x",
    image: ("bzImage", "arch/s390/boot/bzImage"),
    fragments: ["foreign.config", "s390x.config"],
    qemu: &["qemu-system-s390x", "-machine", "s390-ccw-virtio", "-cpu", "max"],
    console: "ttysclp0",
    loader: "ld64.so.1",
    tools: [
        OPENSSL,
        program("s390x-linux-gnu-gcc", "gcc-s390x-linux-gnu", PHASE),
        file(&["/usr/s390x-linux-gnu/include/stdio.h"], "libc6-dev-s390x-cross", PHASE),
        program("qemu-system-s390x", "qemu-system-misc", PHASE),
    ],
};

const PHASE: &str = "selftests of another architecture";
/// `test_progs` has a certificate in it that is made while it is built.
const OPENSSL: Tool = program("openssl", "openssl", PHASE);

impl Arch {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Arm64, Self::S390x];

    /// All of it.
    pub fn target(self) -> &'static Target {
        match self {
            Self::Arm64 => &ARM64,
            Self::S390x => &S390X,
        }
    }
}

impl Target {
    /// A program of the cross compiler's.
    pub fn cross(&self, program: &str) -> String {
        format!("{}-{program}", self.triplet)
    }

    /// Where Debian's cross packages have a library.
    pub fn library(&self, name: &str) -> std::path::PathBuf {
        ["/usr", self.triplet, "lib", name].iter().collect()
    }
}
