// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program may compare as well: `bpf_sys_bpf()` reaches the same commands, with pointers of the kernel; and, where the
//! kernel has them, the two kfuncs.

mod kfunc;

use std::mem::MaybeUninit;

use anyhow::{Context as _, Result, bail};
use cmpdel_uapi_raw::Errno;
use libbpf_rs::skel::{OpenSkel as _, SkelBuilder as _};
use libbpf_rs::{OpenObject, ProgramInput, ProgramMut};

use crate::Context;
use crate::errno::{EINVAL, ENOENT};
use crate::fixture::Expect::{Deleted, Differs, Kept};
use crate::fixture::{ENTRIES, Scratch, TARGET, has_updates, kinds};
use crate::skeletons::sysbpf::{SysbpfSkel, SysbpfSkelBuilder};
use crate::verdict::{On, Tally, Test, Verdict};

const COMPARE: u64 = cmpdel_uapi::bindings::BPF_F_COMPARE as u64;

pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("programs::a_syscall_program_compares_and_deletes", On::Both, deletes),
        Test::new("programs::a_syscall_program_compares_and_updates", On::Both, updates),
        Test::new("programs::a_window_that_differs_leaves_the_very_element", On::Series, identity),
    ];
    tests.extend(kfunc::tests());
    tests
}

/// Runs a syscall program with a context that it may change; its answer is 0 or an errno, negative.
fn run(program: &ProgramMut<'_>, context: &mut [u8]) -> Result<Result<(), Errno>> {
    let input = ProgramInput { context_in: Some(context), ..ProgramInput::default() };
    let answer = program.test_run(input).context("cannot run the program")?.return_value;
    Ok(match answer.cast_signed() {
        0 => Ok(()),
        errno @ -4095..0 => Err(Errno(-errno)),
        other => bail!("the program returned {other}"),
    })
}

fn load<'a>(scratch: &Scratch, place: &'a mut MaybeUninit<OpenObject>) -> Result<SysbpfSkel<'a>> {
    let mut open = SysbpfSkelBuilder::default().open(place)?;
    open.maps.scratch.reuse_fd(scratch.fd()).context("cannot share the map")?;
    open.load().context("cannot load the program")
}

/// `struct request` of `sysbpf.bpf.c`.
#[derive(Clone, Copy)]
struct Request<'a> {
    fd: i32,
    key: &'a [u8],
    flags: u64,
    expected: &'a [u8],
    value: &'a [u8],
    update: bool,
}

impl<'a> Request<'a> {
    fn equal(scratch: &'a Scratch, update: bool) -> Self {
        Self {
            fd: scratch.raw_fd(),
            key: scratch.key(TARGET),
            flags: COMPARE,
            expected: scratch.value(TARGET),
            value: scratch.replacement(),
            update,
        }
    }

    /// The answer, and whether the element is the very same as before.
    fn send(&self, skeleton: &SysbpfSkel<'_>) -> Result<(Result<(), Errno>, bool)> {
        let update = u64::from(self.update).to_ne_bytes();
        let fields = [&self.fd.to_ne_bytes(), self.key, &self.flags.to_ne_bytes(), self.expected, self.value];
        let mut bytes = [&fields.concat(), &update[..], &[0; 8]].concat();
        let answer = run(&skeleton.progs.compare, &mut bytes)?;
        Ok((answer, bytes[bytes.len() - 8] == 1))
    }
}

fn deletes(context: &Context) -> Result<Verdict> {
    from_a_program(context, false)
}

fn updates(context: &Context) -> Result<Verdict> {
    from_a_program(context, true)
}

fn from_a_program(context: &Context, update: bool) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(8))?);
        let mut place = MaybeUninit::uninit();
        let skeleton = load(&scratch, &mut place)?;
        let good = Request::equal(&scratch, update);
        let rows = [
            ("equal", good, Deleted),
            ("different", Request { expected: scratch.value(0), ..good }, Differs),
            ("absent", Request { key: scratch.key(ENTRIES), ..good }, Kept(ENOENT)),
            ("fields without the flag", Request { flags: 0, ..good }, Kept(EINVAL)),
        ];
        for (case, request, expect) in rows {
            let expect =
                if update { expect.of_an_update(context.kernel) } else { expect.unless_base(context.kernel) };
            let problem = scratch.judge(request.send(&skeleton)?.0, expect)?;
            tally.case(format_args!("{name}, {case}"), problem);
        }
    }
    Ok(tally.verdict())
}

/// Not only an equal value, but the same element. One that is replaced is another one.
fn identity(context: &Context) -> Result<Verdict> {
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(8))?);
        let mut place = MaybeUninit::uninit();
        let skeleton = load(&scratch, &mut place)?;
        for update in [false, true] {
            if update && !has_updates(context.kernel) {
                continue;
            }
            let equal = Request::equal(&scratch, update);
            let differs = Request { expected: scratch.value(0), ..equal };
            for (case, request, same) in [("different", differs, true), ("equal", equal, false)] {
                let (answer, is_same) = request.send(&skeleton)?;
                let expect = match (same, update) {
                    (true, _) => Differs,
                    (false, true) => Deleted.of_an_update(context.kernel),
                    (false, false) => Deleted,
                };
                let problem = scratch.judge(answer, expect)?;
                let other = (is_same != same).then(|| format!("the same element: {is_same}"));
                tally.case(format_args!("{name}, {case}, update: {update}"), problem.or(other));
            }
        }
    }
    Ok(tally.verdict())
}
