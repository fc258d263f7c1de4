//! Kernel files: packed ones, and the ELF files in them.

use std::rc::Rc;

use xendless_core::builder::image::Kernel;
use xendless_core::builder::pv::PvBuild;
use xendless_core::builder::pvh::PvhBuild;
use xendless_core::builder::unpack::{Limits, Step, Unpack};
use xendless_core::builder::{BuildError, Built, Request};
use xendless_core::hyper::{CreateDomain, CreateFlags};

use crate::kernel::bzimage;
use crate::sim::SimHypervisor;

const LIMITS: Limits = Limits { kernel: 1 << 20, dictionary: 1 << 20 };

/// Unpacks to the end, in steps each of which gets further. Nobody gets more than what was claimed.
fn unpack(file: &[u8]) {
    let Ok(mut unpack) = Unpack::new(file, LIMITS) else { return };
    // A step of the slowest format makes 4 KiB; the rest are steps that only read.
    for _ in 0..4 * (LIMITS.kernel + file.len()) / 1024 + 100 {
        match unpack.step() {
            Ok(Step::More(more)) => unpack = more,
            Ok(Step::Done(plain)) => {
                assert!(plain.as_ref().len() <= LIMITS.kernel.max(file.len()));
                return;
            }
            Err(_) => return,
        }
    }
    panic!("unpacking never ends");
}

/// Any file as a kernel: bzImage, gzip, ELF.
pub fn files(file: &[u8]) {
    unpack(file);
}

/// A payload of one format: three bytes say how long it claims to be, the magic number is put in front of the rest.
fn payload(magic: &[u8], input: &[u8]) {
    let Some(([s0, s1, s2], stream)) = input.split_first_chunk() else { return };
    let size = [*s0, *s1, *s2 & 0x0f, 0];
    unpack(&bzimage(&[magic, stream, &size].concat()));
}

/// gzip.
pub fn gzip(input: &[u8]) {
    payload(&[0x1f, 0x8b], input);
}

/// xz.
pub fn xz(input: &[u8]) {
    payload(b"\xfd7zXZ\0", input);
}

/// The `.lzma` format.
pub fn lzma(input: &[u8]) {
    payload(&[0x5d, 0, 0], input);
}

/// zstd.
pub fn zstd(input: &[u8]) {
    payload(&[0x28, 0xb5, 0x2f, 0xfd], input);
}

/// The lz4 legacy frame.
pub fn lz4(input: &[u8]) {
    payload(&[0x02, 0x21, 0x4c, 0x18], input);
}

/// bzip2.
pub fn bzip2(input: &[u8]) {
    payload(b"BZh1", input);
}

/// An ELF file: what is understood is built, as PV and as PVH, and what cannot be built leaves nothing.
pub fn elf(file: &[u8]) {
    let Ok(kernel) = Kernel::parse(file) else { return };
    for segment in kernel.segments() {
        assert!(kernel.contents(segment).len() as u64 <= segment.size);
    }
    let (kernel, sim) = (Rc::new(kernel), SimHypervisor::default());
    let (hv, ramdisk) = (sim.control(), &[7; 100][..]);
    let request = Request { pages: 1024, command_line: b"quiet".to_vec(), ramdisk: 0 };
    let me = SimHypervisor::INITIAL;
    if let Ok(mut build) =
        PvBuild::new(Rc::clone(&kernel), ramdisk, request.clone(), create(CreateFlags::empty()), me)
    {
        finish(&sim, || build.step(&hv));
    }
    let flags = CreateFlags::HVM | CreateFlags::HAP | CreateFlags::LOCAL_APIC;
    if let Ok(mut build) = PvhBuild::new(kernel, ramdisk, request, create(flags), me) {
        finish(&sim, || build.step(&hv));
    }
}

fn create(flags: CreateFlags) -> CreateDomain {
    CreateDomain {
        domid: None,
        handle: [7; 16],
        flags,
        max_vcpus: 1,
        max_port: 1023,
        max_grant_frames: 4,
        max_maptrack_frames: 4,
        cpupool: 0,
        ssid: 0,
    }
}

fn finish(sim: &SimHypervisor, mut step: impl FnMut() -> Result<Option<Built>, BuildError>) {
    for _ in 0..10_000 {
        match step() {
            Ok(None) => {}
            Ok(Some(_)) => return,
            Err(error) => {
                assert_eq!(error.left, None);
                assert_eq!(sim.snapshot().mappings.values().sum::<usize>(), 0);
                return;
            }
        }
    }
    panic!("the build never ends");
}
