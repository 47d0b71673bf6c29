// SPDX-License-Identifier: MIT OR Apache-2.0
//! The BPF objects of `src/bpf`, as `build.rs` generated their skeletons.

macro_rules! skeletons {
    ($($name:ident)*) => {$(
        #[allow(warnings, clippy::all, clippy::pedantic, clippy::undocumented_unsafe_blocks, unsafe_code)]
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".skel.rs"));
        }
    )*};
}

skeletons!(counters flows kfunc managed map_types owners pointers race store sysbpf timed);
