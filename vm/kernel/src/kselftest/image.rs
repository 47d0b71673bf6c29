// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel inside a bzImage: it holds the types (BTF) that BPF programs are compiled against, so that no object of the
//! build has to be kept for them.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use ground::{context::Ctx, exec};
use xshell::cmd;

/// Fields of the setup header (Documentation/arch/x86/boot.rst).
const SETUP_SECTORS: usize = 0x1f1;
const MAGIC: usize = 0x202;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;
const SECTOR: usize = 512;

/// The compressed kernel in `image`.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| -> Option<usize> {
        let bytes = image.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    (image.get(MAGIC..MAGIC + 4)? == b"HdrS").then_some(())?;
    let sectors = usize::from(*image.get(SETUP_SECTORS)?);
    // Zero means four, for the sake of the oldest loaders.
    let setup = (if sectors == 0 { 4 } else { sectors } + 1) * SECTOR;
    let start = setup.checked_add(word(PAYLOAD_OFFSET)?)?;
    image.get(start..start.checked_add(word(PAYLOAD_LENGTH)?)?)
}

/// Writes the types of the kernel in the bzImage `from` to `to`, as the kernel itself shows them in sysfs.
///
/// # Errors
/// An image that is not compressed with gzip, a kernel without BTF.
pub fn types(ctx: &Ctx, from: &Path, to: &Path) -> Result<()> {
    let image = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let packed = payload(&image).with_context(|| format!("{} is no bzImage", from.display()))?;
    let sh = &ctx.sh;
    let output = cmd!(sh, "gzip --decompress --stdout").stdin(packed).quiet().ignore_status().output()?;
    ensure!(
        output.stdout.starts_with(b"\x7fELF"),
        "the kernel in {} is not packed with gzip (CONFIG_KERNEL_GZIP)",
        from.display()
    );
    let elf = to.with_extension("elf");
    fs::write(&elf, output.stdout).with_context(|| format!("cannot write {}", elf.display()))?;
    exec::read(ctx, cmd!(sh, "objcopy --dump-section .BTF={to} {elf}"))
        .context("the kernel holds no types (CONFIG_DEBUG_INFO_BTF)")?;
    fs::remove_file(&elf).with_context(|| format!("cannot remove {}", elf.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_where_the_header_says() {
        let mut image = vec![0; 4096];
        image[SETUP_SECTORS] = 1;
        image[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
        image[PAYLOAD_OFFSET] = 16;
        image[PAYLOAD_LENGTH] = 3;
        image[1024 + 16..1024 + 19].copy_from_slice(b"abc");
        assert_eq!(payload(&image).unwrap(), b"abc");
        image[PAYLOAD_LENGTH + 3] = 0xff;
        assert_eq!(payload(&image), None);
        assert_eq!(payload(b"no"), None);
    }
}
