//! Builds that fail give back every byte of the control domain's memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;

use xendless_core::abi::errno::Errno;
use xendless_core::builder::Request;
use xendless_core::builder::image::Kernel;
use xendless_core::builder::pv::PvBuild;
use xendless_core::builder::unpack::{Limits, Step, Unpack};
use xendless_core::hyper::{CreateDomain, CreateFlags, Fault, FaultInjector};
use xendless_core::images::{Digest, Images, Source};
use xendless_tests::kernel::{Elf, bzimage};
use xendless_tests::sim::{SimDomain, SimHypervisor};

/// Counts the bytes in use by each thread, so that the test harness does not matter.
struct Counting;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    IN_USE.set(IN_USE.get() + bytes);
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as our caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as our caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Whether `act` leaves as many bytes in use as it found.
fn leaks_nothing(what: &str, act: impl FnOnce()) {
    let before = IN_USE.get();
    act();
    assert_eq!(IN_USE.get() - before, 0, "bytes are left by {what}");
}

fn packed() -> Vec<u8> {
    let elf = Elf::pv().build();
    let mut payload = vec![0x02, 0x21, 0x4c, 0x18];
    let block = lz4_flex::block::compress(&elf);
    payload.extend((block.len() as u32).to_le_bytes());
    payload.extend(block);
    payload.extend((elf.len() as u32).to_le_bytes());
    bzimage(&payload)
}

/// From a file to a domain; whether that worked.
fn create(file: Vec<u8>, hv: &FaultInjector<SimDomain>) -> bool {
    let Ok(mut unpack) = Unpack::new(file, Limits::default()) else { return false };
    let plain = loop {
        match unpack.step() {
            Ok(Step::More(more)) => unpack = more,
            Ok(Step::Done(plain)) => break plain,
            Err(_) => return false,
        }
    };
    let Ok(kernel) = Kernel::parse(plain) else { return false };
    let create = CreateDomain {
        domid: None,
        handle: [7; 16],
        flags: CreateFlags::empty(),
        max_vcpus: 1,
        max_port: 1023,
        max_grant_frames: 4,
        max_maptrack_frames: 4,
        cpupool: 0,
        ssid: 0,
    };
    let request = Request { pages: 700, command_line: b"quiet".to_vec(), ramdisk: 0 };
    let Ok(mut build) = PvBuild::new(Rc::new(kernel), vec![7; 9000], request, create, SimHypervisor::INITIAL)
    else {
        return false;
    };
    loop {
        match build.step(hv) {
            Ok(None) => {}
            Ok(Some(_)) => return true,
            Err(_) => return false,
        }
    }
}

#[test]
fn images_that_come_and_go_give_all_memory_back() {
    let mut images = Images::new(1 << 20);
    let receive = |images: &mut Images, n: u8, size: usize, sent: usize| {
        let bytes = vec![n; size];
        let mut receiving = images.begin(Digest::of(&bytes), size).unwrap();
        let mut left = &bytes[..sent];
        while !left.is_empty() {
            left = &left[receiving.append(left).unwrap()..];
        }
        receiving.finish(images).is_ok()
    };
    let round = |images: &mut Images| {
        for n in 0..40 {
            assert!(receive(images, n, 60_000, 60_000));
            assert!(!receive(images, n, 60_000, 59_999));
            drop(images.begin(Digest::of(b"other"), 1 << 20));
            images.keep_unpacked(Source::Place { address: n.into(), len: 1 }, vec![n; 30_000]);
        }
        images.shrink(usize::MAX);
        assert_eq!(images.total(), 0);
    };
    round(&mut images);
    leaks_nothing("images that came and went", || round(&mut images));
}

#[test]
fn attack_d06_failed_builds_give_all_memory_back() {
    let file = packed();
    let with = |fault| FaultInjector::new(SimHypervisor::default().control(), fault);
    let counted = with(None);
    assert!(create(file.clone(), &counted), "without faults it works");

    for nth in 1..=counted.calls() {
        let fault = Fault { call: None, nth, errno: Errno::ENOMEM };
        leaks_nothing(&format!("a failure of call {nth}"), || {
            assert!(!create(file.clone(), &with(Some(fault))));
        });
    }
    for length in 0..file.len() {
        leaks_nothing(&format!("a kernel cut at {length}"), || {
            create(file[..length].to_vec(), &with(None));
        });
    }
    for at in (0..file.len()).step_by(7) {
        leaks_nothing(&format!("a kernel damaged at {at}"), || {
            let mut damaged = file.clone();
            damaged[at] ^= 0xff;
            create(damaged, &with(None));
        });
    }
}
