// SPDX-License-Identifier: MIT OR Apache-2.0
//! A tool that a machine must have.

/// How to see that a tool is there.
#[derive(Clone, Copy, Debug)]
pub enum Sign {
    /// A program in `PATH`.
    Program(&'static str),
    /// Any of these files.
    File(&'static [&'static str]),
    /// Python can import it.
    PythonModule(&'static str),
}

/// Something that a phase needs.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// How to see it.
    pub sign: Sign,
    /// The Debian package that has it.
    pub package: &'static str,
    /// The phase that needs it, as the report names phases.
    pub phase: &'static str,
    /// The variable that names another one, or its folder.
    pub variable: Option<&'static str>,
}

/// A program in `PATH`.
pub const fn program(name: &'static str, package: &'static str, phase: &'static str) -> Tool {
    Tool { sign: Sign::Program(name), package, phase, variable: None }
}

/// Something of which any of `paths` is a sign.
pub const fn file(paths: &'static [&'static str], package: &'static str, phase: &'static str) -> Tool {
    Tool { sign: Sign::File(paths), package, phase, variable: None }
}

/// A module that Python can import.
pub const fn module(name: &'static str, package: &'static str, phase: &'static str) -> Tool {
    Tool { sign: Sign::PythonModule(name), package, phase, variable: None }
}

impl Tool {
    /// The same, unless `variable` names another.
    pub const fn unless_named(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }

    /// What it is called in a list.
    pub fn name(&self) -> &'static str {
        match self.sign {
            Sign::Program(name) | Sign::PythonModule(name) => name,
            Sign::File(paths) => paths[0],
        }
    }
}
