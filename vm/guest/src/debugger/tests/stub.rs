// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gdb stub on a socket pair, in front of vCPUs that are lists of places: what QEMU's does, as far as it is used.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::{Read, Write},
    os::unix::net::UnixStream,
    thread::{self, JoinHandle},
};

use super::super::packet::{Incoming, Said, frame};

/// Where a vCPU is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub rip: u64,
    pub rsp: u64,
    pub rax: u64,
    pub rdx: u64,
}

/// What the guest is, and what became of it.
#[derive(Debug, Default)]
pub struct Guest {
    /// Each vCPU's places, the first being where it is.
    pub cpus: Vec<VecDeque<Place>>,
    /// Words that can be read.
    pub memory: BTreeMap<u64, u64>,
    /// Addresses written to, each with the places that the vCPUs were at.
    pub writes: Vec<(u64, Vec<u64>)>,
    /// The debugger took its leave.
    pub let_go: bool,
    /// Answers the greeting without `vCont`.
    pub old: bool,
    /// Where vCPUs stop.
    pub breakpoints: BTreeSet<u64>,
    /// The vCPU that is looked at, or how many were listed.
    pub looked_at: usize,
}

impl Guest {
    /// Serves the other end of what it gives, until that end is closed or lets go.
    pub fn serve(mut self) -> (UnixStream, JoinHandle<Self>) {
        let (client, mut stub) = UnixStream::pair().unwrap();
        let thread = thread::spawn(move || {
            // As QEMU may: the news that the guest has stopped, before any question.
            stub.write_all(&frame("T02thread:01;")).unwrap();
            let (mut incoming, mut running) = (Incoming::default(), false);
            let mut bytes = [0; 256];
            while !self.let_go {
                let n = stub.read(&mut bytes).unwrap_or(0);
                if n == 0 {
                    break;
                }
                if running {
                    assert_eq!(&bytes[..n], b"\x03", "sent to a guest that runs");
                    running = false;
                    stub.write_all(&frame("T02thread:01;")).unwrap();
                    continue;
                }
                incoming.push(&bytes[..n]);
                while let Some(said) = incoming.next() {
                    let Said::Packet(content) = said else { continue };
                    stub.write_all(b"+").unwrap();
                    match self.answer(&content) {
                        Some(answer) => stub.write_all(&frame(&answer)).unwrap(),
                        None => running = true,
                    }
                }
            }
            self
        });
        (client, thread)
    }

    fn answer(&mut self, content: &str) -> Option<String> {
        let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let address = |text: &str| number(text.split([',', ':']).next().unwrap());
        let ok = Some("OK".to_owned());
        if content.starts_with("qSupported") {
            return Some("PacketSize=1000;qXfer:features:read+".into());
        } else if content == "vCont?" {
            return Some(if self.old { "" } else { "vCont;c;C;s;S" }.into());
        } else if content == "qfThreadInfo" {
            return Some("m01".into());
        } else if content == "qsThreadInfo" {
            // One an answer, as QEMU does.
            self.looked_at += 1;
            return Some(if self.looked_at < self.cpus.len() {
                format!("m{:02x}", self.looked_at + 1)
            } else {
                self.looked_at = 0;
                "l".into()
            });
        } else if let Some(at) = content.strip_prefix("Z1,") {
            self.breakpoints.insert(address(at));
        } else if let Some(at) = content.strip_prefix("z1,") {
            assert!(self.breakpoints.remove(&address(at)), "no breakpoint there: {content}");
        } else if let Some(thread) = content.strip_prefix("Hg") {
            self.looked_at = index(thread);
        } else if content == "g" {
            let at = self.cpus[std::mem::take(&mut self.looked_at)][0];
            let mut registers = [0; 17];
            (registers[0], registers[3], registers[7], registers[16]) = (at.rax, at.rdx, at.rsp, at.rip);
            let all: String = registers.iter().map(|r| format!("{:016x}", r.swap_bytes())).collect();
            return Some(format!("{all}46000000"));
        } else if let Some(at) = content.strip_prefix('m') {
            self.looked_at = 0;
            return Some(match self.memory.get(&address(at)) {
                Some(word) => format!("{:016x}", word.swap_bytes()),
                None => "E14".into(),
            });
        } else if let Some(at) = content.strip_prefix('M') {
            self.looked_at = 0;
            assert!(content.ends_with(",4:01000000") || content.ends_with(",4:02000000"), "{content}");
            let places = self.cpus.iter().map(|cpu| cpu[0].rip).collect();
            self.writes.push((address(at), places));
        } else if let Some(actions) = content.strip_prefix("vCont;") {
            return self.go(actions);
        } else if content == "D" {
            self.let_go = true;
        } else {
            return Some(String::new());
        }
        ok
    }

    /// Moves the named vCPUs on, in turn, until one is at a breakpoint or none has a place left to go to.
    fn go(&mut self, actions: &str) -> Option<String> {
        let threads: Vec<usize> = actions.split(';').map(|a| index(&a[2..])).collect();
        if actions.starts_with('s') {
            self.cpus[threads[0]].pop_front();
            return Some(format!("T05thread:{:02x};", threads[0] + 1));
        }
        loop {
            for thread in &threads {
                if self.breakpoints.contains(&self.cpus[*thread][0].rip) {
                    return Some(format!("T05thread:{:02x};", thread + 1));
                }
            }
            let before: usize = self.cpus.iter().map(VecDeque::len).sum();
            for thread in &threads {
                if self.cpus[*thread].len() > 1 {
                    self.cpus[*thread].pop_front();
                }
            }
            if self.cpus.iter().map(VecDeque::len).sum::<usize>() == before {
                return None;
            }
        }
    }
}

fn index(thread: &str) -> usize {
    usize::from_str_radix(thread, 16).unwrap() - 1
}
