// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the machine must have: one table.

use ground::tool::{Tool, file, module, program};

/// All of it, in the order of the phases.
pub const TOOLS: [Tool; 24] = [
    program("git", "git", "source"),
    program("xz", "xz-utils", "source"),
    program("make", "make", "kernel"),
    program("gcc", "gcc", "kernel"),
    program("flex", "flex", "kernel"),
    program("bison", "bison", "kernel"),
    program("bc", "bc", "kernel"),
    program("perl", "perl", "kernel"),
    file(&["/usr/include/gelf.h"], "libelf-dev", "kernel"),
    file(&["/usr/include/openssl/opensslv.h"], "libssl-dev", "kernel"),
    program("pahole", "pahole", "kernel"),
    program("rsync", "rsync", "kernel"),
    program("kmod", "kmod", "kernel"),
    program("cpio", "cpio", "kernel"),
    program("clang-19", "clang-19", "tests").unless_named("CLANG"),
    program("llvm-strip-19", "llvm-19", "tests"),
    file(
        &["/usr/lib/llvm-19/lib/libclang-19.so.1", "/usr/lib/llvm-19/lib/libclang.so.1"],
        "libclang1-19",
        "bindings",
    )
    .unless_named("LIBCLANG_PATH"),
    file(&["/usr/include/zlib.h"], "zlib1g-dev", "tests"),
    program("pkg-config", "pkg-config", "tests"),
    program("python3", "python3", "python"),
    module("venv", "python3-venv", "python"),
    module("ensurepip", "python3-venv", "python"),
    program("qemu-system-x86_64", "qemu-system-x86", "boot"),
    file(
        &["/usr/lib/systemd/systemd-udevd", "/lib/systemd/systemd-udevd", "/usr/bin/udevadm"],
        "udev",
        "boot",
    ),
];

/// Looks at the report's page. Only `report --check` asks for it.
pub const BROWSER: Tool = program("chromium", "chromium", "report");

#[cfg(test)]
mod tests {
    use super::*;
    use ground::tools::{command_for, packages};

    #[test]
    fn each_package_is_asked_for_once() {
        let twice: Vec<Tool> = TOOLS.into_iter().filter(|t| t.package == "python3-venv").collect();
        assert_eq!(twice.len(), 2);
        assert_eq!(packages(&twice), ["python3-venv"]);
        assert!(command_for(&["flex"]).ends_with("--no-install-recommends flex"));
    }
}
