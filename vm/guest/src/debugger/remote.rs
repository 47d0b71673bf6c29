// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client of QEMU's gdb stub: as much of the protocol as it takes to stop vCPUs, look at them and let some of them go.
//!
//! While a vCPU runs, the stub takes any byte for a wish to stop (QEMU's `gdb_read_byte`): nothing is sent then but that
//! wish.

use std::{
    fmt,
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::packet::{Incoming, Said, frame, little_endian};

/// For the stub to answer a question. It takes no more than a few milliseconds on an idle machine.
const ANSWER: Duration = Duration::from_secs(10);
/// What is said of a stub that does not do as it is told: nothing more comes of that guest, and that is not the guest's fault.
pub const DEAF: &str = "QEMU's gdb stub did not stop the guest when asked to";
/// Between looks at the socket, so that a limit is kept to within this.
const SLICE: Duration = Duration::from_millis(5);

/// Digits of a 64-bit register in the stub's list of all: `rax` to `rip`, 8 bytes each, then `eflags`, 4 bytes.
const DIGITS: usize = 16;

/// A vCPU, by the stub's name for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread(String);

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is read of a vCPU's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// What a function returned, or the number of a system call at its first instruction.
    pub rax: u64,
    /// The third argument of a function at its first instruction.
    pub rdx: u64,
    /// The first argument of a function or of a system call at its first instruction.
    pub rdi: u64,
    /// The stack; at a function's first instruction it holds the return address.
    pub rsp: u64,
    /// The next instruction.
    pub rip: u64,
    /// The flags.
    pub eflags: u64,
}

impl Registers {
    /// `EFLAGS.IF` is clear.
    pub fn interrupts_off(&self) -> bool {
        self.eflags & 0x200 == 0
    }
}

/// A connection. The guest stands still from the first moment, and again whenever [`Remote::wait`] says so.
pub struct Remote {
    stream: UnixStream,
    incoming: Incoming,
    running: bool,
}

impl Remote {
    /// Greets the stub behind `stream`. To connect stops all vCPUs.
    ///
    /// # Errors
    /// When it does not answer like one.
    pub fn greet(stream: UnixStream) -> Result<Self> {
        stream.set_read_timeout(Some(SLICE)).context("cannot limit the wait for QEMU's gdb stub")?;
        stream.set_write_timeout(Some(ANSWER)).context("cannot limit the wait for QEMU's gdb stub")?;
        let mut remote = Self { stream, incoming: Incoming::default(), running: false };
        remote.send("qSupported:hwbreak+;vContSupported+")?;
        let deadline = Instant::now() + ANSWER;
        loop {
            // It may tell first that the guest has stopped.
            match remote.packet(deadline)? {
                Some(answer) if answer.contains("PacketSize") => break,
                Some(_) => {}
                None => bail!("QEMU's gdb stub does not answer: is another debugger connected?"),
            }
        }
        let answer = remote.ask("vCont?")?;
        ensure!(
            answer.contains(";c"),
            "this QEMU's gdb stub cannot let one vCPU go alone: it says {answer:?}"
        );
        Ok(remote)
    }

    /// All vCPUs.
    ///
    /// # Errors
    /// When the stub does not tell.
    pub fn threads(&mut self) -> Result<Vec<Thread>> {
        let mut threads = Vec::new();
        let mut answer = self.ask("qfThreadInfo")?;
        while let Some(names) = answer.strip_prefix('m') {
            threads.extend(names.split(',').map(|name| Thread(name.to_owned())));
            answer = self.ask("qsThreadInfo")?;
        }
        ensure!(
            answer == "l" && !threads.is_empty(),
            "QEMU's gdb stub does not say which vCPUs there are: {answer:?}"
        );
        Ok(threads)
    }

    /// Has every vCPU stop before it runs the instruction at `address`. A hardware breakpoint: the kernel's text stays as
    /// it is, and with KVM it takes one of the vCPU's four debug registers.
    ///
    /// # Errors
    /// When the stub refuses.
    pub fn set_breakpoint(&mut self, address: u64) -> Result<()> {
        self.order(&format!("Z1,{address:x},1"))
    }

    /// Takes it away again.
    ///
    /// # Errors
    /// When the stub refuses.
    pub fn clear_breakpoint(&mut self, address: u64) -> Result<()> {
        self.order(&format!("z1,{address:x},1"))
    }

    /// Registers of `thread`.
    ///
    /// # Errors
    /// When the stub does not tell.
    pub fn registers(&mut self, thread: &Thread) -> Result<Registers> {
        self.order(&format!("Hg{thread}"))?;
        let all = self.ask("g")?;
        let register = |index: usize, digits: usize| {
            let at = index * DIGITS;
            all.get(at..at + digits).and_then(little_endian).with_context(|| {
                format!("QEMU's gdb stub sent no register {index} of vCPU {thread}: {all:?}")
            })
        };
        Ok(Registers {
            rax: register(0, DIGITS)?,
            rdx: register(3, DIGITS)?,
            rdi: register(5, DIGITS)?,
            rsp: register(7, DIGITS)?,
            rip: register(16, DIGITS)?,
            eflags: register(17, 8)?,
        })
    }

    /// The 64-bit word at `address`, as `thread` sees memory.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn read_word(&mut self, thread: &Thread, address: u64) -> Result<u64> {
        self.order(&format!("Hg{thread}"))?;
        let bytes = self.ask(&format!("m{address:x},8"))?;
        little_endian(&bytes)
            .filter(|_| bytes.len() == DIGITS)
            .with_context(|| format!("cannot read the guest's memory at {address:#x}: {bytes}"))
    }

    /// Writes the 32-bit word at `address`, as `thread` sees memory, in kernel or user space.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn write_half_word(&mut self, thread: &Thread, address: u64, word: u32) -> Result<()> {
        self.order(&format!("Hg{thread}"))?;
        self.order(&format!("M{address:x},4:{:08x}", word.swap_bytes()))
    }

    /// Lets `threads` go; the others stay where they are.
    ///
    /// # Errors
    /// When the stub cannot be reached.
    pub fn resume(&mut self, threads: &[Thread]) -> Result<()> {
        self.set_going("c", threads)
    }

    /// Lets `thread` run one instruction, interrupts being left pending (QEMU's default for a step).
    ///
    /// # Errors
    /// When the vCPU does not come to a stop after it.
    pub fn step(&mut self, thread: &Thread) -> Result<()> {
        self.set_going("s", std::slice::from_ref(thread))?;
        let stopped = self.wait(Instant::now() + ANSWER)?;
        ensure!(stopped.is_some(), "vCPU {thread} did not end a single step");
        Ok(())
    }

    fn set_going(&mut self, how: &str, threads: &[Thread]) -> Result<()> {
        let actions: Vec<String> = threads.iter().map(|thread| format!("{how}:{thread}")).collect();
        self.send(&format!("vCont;{}", actions.join(";")))?;
        self.running = true;
        Ok(())
    }

    /// Waits for a vCPU to come to a breakpoint, then all stand still. `None`: none has until `deadline`, and they run.
    ///
    /// # Errors
    /// When the stub says something else, or the guest is gone.
    pub fn wait(&mut self, deadline: Instant) -> Result<Option<Thread>> {
        let Some(answer) = self.packet(deadline)? else { return Ok(None) };
        self.running = false;
        // T05thread:01;
        let (_, facts) = answer
            .strip_prefix('T')
            .and_then(|rest| rest.split_at_checked(2))
            .with_context(|| format!("QEMU's gdb stub says {answer:?} where a vCPU should have stopped"))?;
        let thread = facts
            .split(';')
            .find_map(|fact| fact.strip_prefix("thread:"))
            .with_context(|| format!("QEMU's gdb stub does not say which vCPU stopped: {answer:?}"))?;
        Ok(Some(Thread(thread.to_owned())))
    }

    /// Stops all vCPUs. One of them may have come to a breakpoint at that very moment: look where they are.
    ///
    /// # Errors
    /// When they do not stop.
    pub fn interrupt(&mut self) -> Result<()> {
        if self.running {
            self.stream.write_all(b"\x03").context("cannot ask QEMU's gdb stub to stop the guest")?;
            let stopped = self.wait(Instant::now() + ANSWER)?;
            ensure!(stopped.is_some(), "{DEAF}");
        }
        Ok(())
    }

    /// Removes all breakpoints, lets all vCPUs go and ends the connection.
    ///
    /// # Errors
    /// When the stub does not say that it did.
    pub fn let_go(mut self) -> Result<()> {
        self.interrupt()?;
        self.order("D")
    }

    /// Sends what is answered with OK.
    fn order(&mut self, content: &str) -> Result<()> {
        let answer = self.ask(content)?;
        ensure!(answer == "OK", "QEMU's gdb stub answered {answer:?} to {content}");
        Ok(())
    }

    fn ask(&mut self, content: &str) -> Result<String> {
        self.send(content)?;
        self.packet(Instant::now() + ANSWER)?
            .with_context(|| format!("QEMU's gdb stub did not answer {content} in {} s", ANSWER.as_secs()))
    }

    fn send(&mut self, content: &str) -> Result<()> {
        ensure!(!self.running, "the guest runs: to send {content} would stop it");
        self.stream.write_all(&frame(content)).context("cannot write to QEMU's gdb stub")
    }

    /// The next packet, acknowledged; `None` if it has not come by `deadline`.
    fn packet(&mut self, deadline: Instant) -> Result<Option<String>> {
        let mut bytes = [0; 4096];
        loop {
            while let Some(said) = self.incoming.next() {
                match said {
                    Said::Heard => {}
                    Said::Packet(content) => {
                        // What it said is here. If it cannot hear that, the next question fails.
                        let _ = self.stream.write_all(b"+");
                        return Ok(Some(content));
                    }
                    // A local socket loses nothing. To go on would mean not to know where the guest stands.
                    Said::Again | Said::Garbled => {
                        bail!("QEMU's gdb stub and this program talk at cross purposes")
                    }
                }
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            match self.stream.read(&mut bytes) {
                Ok(0) => bail!("QEMU's gdb stub closed the connection: the guest is gone"),
                Ok(n) => self.incoming.push(&bytes[..n]),
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(e) => return Err(e).context("cannot read from QEMU's gdb stub"),
            }
        }
    }
}
