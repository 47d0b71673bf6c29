// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program may compare and delete as well: `bpf_sys_bpf()` reaches the same command, with pointers of the kernel.

use std::mem::MaybeUninit;

use anyhow::{Context as _, Result, bail};
use cmpdel_uapi_raw::Errno;
use libbpf_rs::ProgramInput;
use libbpf_rs::skel::{OpenSkel as _, SkelBuilder as _};

use crate::Context;
use crate::errno::{EINVAL, ENOENT};
use crate::fixture::Expect::{Deleted, Differs, Kept};
use crate::fixture::{ENTRIES, Scratch, TARGET, kinds};
use crate::skeletons::sysbpf::SysbpfSkelBuilder;
use crate::verdict::{On, Tally, Test, Verdict};

const COMPARE: u64 = cmpdel_uapi::bindings::BPF_F_COMPARE as u64;

pub fn tests() -> Vec<Test> {
    vec![Test::new("programs::a_syscall_program_compares_and_deletes", On::Both, from_a_program)]
}

fn from_a_program(context: &Context) -> Result<Verdict> {
    let mut place = MaybeUninit::uninit();
    let skeleton =
        SysbpfSkelBuilder::default().open(&mut place)?.load().context("cannot load the program")?;
    let send = |request: Request<'_>| -> Result<Result<(), Errno>> {
        let mut bytes = request.bytes();
        let input = ProgramInput { context_in: Some(&mut bytes), ..ProgramInput::default() };
        let answer = skeleton.progs.delete.test_run(input).context("cannot run the program")?.return_value;
        Ok(match answer.cast_signed() {
            0 => Ok(()),
            errno @ -4095..0 => Err(Errno(-errno)),
            other => bail!("the program returned {other}"),
        })
    };
    let mut tally = Tally::default();
    for kind in kinds(context.kernel) {
        let (name, scratch) = (kind.name, Scratch::new(kind.shape(8))?);
        let good = Request {
            fd: scratch.raw_fd(),
            key: scratch.key(TARGET),
            flags: COMPARE,
            expected: scratch.value(TARGET),
        };
        let rows = [
            ("equal", good, Deleted.unless_base(context.kernel)),
            (
                "different",
                Request { expected: scratch.value(0), ..good },
                Differs.unless_base(context.kernel),
            ),
            (
                "absent",
                Request { key: scratch.key(ENTRIES), ..good },
                Kept(ENOENT).unless_base(context.kernel),
            ),
            ("fields without the flag", Request { flags: 0, ..good }, Kept(EINVAL)),
        ];
        for (case, request, expect) in rows {
            let problem = scratch.judge(send(request)?, expect)?;
            tally.case(format_args!("{name}, {case}"), problem);
        }
    }
    Ok(tally.verdict())
}

/// `struct request` of `sysbpf.bpf.c`.
#[derive(Clone, Copy)]
struct Request<'a> {
    fd: i32,
    key: &'a [u8],
    flags: u64,
    expected: &'a [u8],
}

impl Request<'_> {
    fn bytes(&self) -> Vec<u8> {
        [&self.fd.to_ne_bytes(), self.key, &self.flags.to_ne_bytes(), self.expected].concat()
    }
}
