// SPDX-License-Identifier: MIT OR Apache-2.0
//! What single commands need besides what the machine must have.

use ground::tool::Tool;
use kernel::{
    kselftest::{self, foreign::target::Arch},
    sparse,
};

use crate::toolbox::BROWSER;

/// Tools that are looked up when they are asked for.
type Tools = fn() -> &'static [Tool];

/// The commands, and what each of them installs itself.
pub const BESIDES: [(&str, Tools); 5] = [
    ("kselftest", || &kselftest::build::TOOLS),
    ("kselftest --arch arm64", || &Arch::Arm64.target().tools),
    ("kselftest --arch s390x", || &Arch::S390x.target().tools),
    ("patches --sparse", || &sparse::TOOLS),
    ("report --check", || &[BROWSER]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_architecture_needs_is_among_what_commands_need_besides() {
        for arch in Arch::ALL {
            let command = format!("kselftest --arch {}", arch.target().name);
            let (_, tools) = BESIDES.iter().find(|(name, _)| *name == command).unwrap();
            let names: Vec<_> = tools().iter().map(Tool::name).collect();
            assert!(names.iter().any(|name| name.starts_with("qemu-system-")), "{names:?}");
        }
        for (command, _) in BESIDES {
            assert!(crate::cli::Cli::typed(&command.split(' ').collect::<Vec<_>>()).is_ok(), "{command}");
        }
    }
}
