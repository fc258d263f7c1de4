//! The machine as Xen offers it. All `unsafe` of the guest is here and in `pv`.

use core::arch::x86_64::_rdtsc;
use core::mem::offset_of;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use core::{ptr, slice};

use xendless_core::abi::errno::Errno;
use xendless_core::abi::event_channel::{EVTCHNOP_SEND, Send};
use xendless_core::abi::grant_table::{
    GNTTAB_RESERVED_CONSOLE, GNTTAB_RESERVED_XENSTORE, GNTTABOP_SETUP_TABLE, GrantEntryV1, SetupTable,
};
use xendless_core::abi::hypercall as number;
use xendless_core::abi::io::console::CONNECTION_OFFSET;
use xendless_core::abi::io::xs_wire::XenstoreDomainInterface;
use xendless_core::abi::sched::{SCHEDOP_POLL, SCHEDOP_SHUTDOWN, SchedPoll, SchedShutdown};
use xendless_core::abi::shared_info::{SharedInfo, VcpuInfo, VcpuTimeInfo};
use xendless_core::abi::start_info::{SIF_INITDOMAIN, StartInfo};
use xendless_core::abi::xen::{CONSOLEIO_WRITE, DOMID_SELF, UVMF_INVLPG};
use xendless_core::shared::{PAGE_SIZE, Page};
use xendless_guest::world::{Ring, World};
use zerocopy::{FromBytes, IntoBytes};

use crate::clock::Scale;
use crate::pv;

/// Bytes per page, as Xen counts addresses.
const PAGE: u64 = PAGE_SIZE as u64;

/// Present, writable, user (where PV kernels run), accessed, dirty.
const DATA: u64 = 0x67;

/// What builders map at the end of everything: so much free, and then up to the next boundary.
const PADDING: u64 = 512 << 10;
const BOUNDARY: u64 = 4 << 20;

/// Newer control domains say behind the console's ring, in a byte, whether it is served.
const CONSOLE_END: usize = CONNECTION_OFFSET + 1;

/// A page of words that Xen changes.
#[repr(C, align(4096))]
struct Words([AtomicU64; 512]);

/// Pages of the image until Xen's are mapped in their place.
static SHARED_INFO: Words = Words([const { AtomicU64::new(0) }; 512]);
static GRANTS: Words = Words([const { AtomicU64::new(0) }; 512]);

impl Words {
    /// The word at this many bytes.
    fn at(&self, offset: usize) -> Option<&AtomicU64> {
        self.0.get(offset / size_of::<u64>())
    }

    /// Puts machine frame `mfn`, which Xen shares with us, in this page's place.
    fn map(&'static self, mfn: u64) -> Result<(), Errno> {
        let address = (&raw const *self).expose_provenance() as u64;
        // SAFETY: only the page of `self` is replaced, by one of the same kind: words that anyone may change.
        unsafe { pv::hypercall(number::UPDATE_VA_MAPPING, [address, (mfn * PAGE) | DATA, UVMF_INVLPG, 0, 0]) }
            .map(drop)
    }
}

/// The machine.
pub(crate) struct Xen {
    start: &'static StartInfo,
    console: Option<&'static Page>,
    store: Option<&'static Page>,
    untouched: &'static [Page],
}

impl Xen {
    /// What `start` describes.
    pub(crate) fn new(start: &'static StartInfo) -> Result<Self, Errno> {
        SHARED_INFO.map(start.shared_info / PAGE)?;
        let initial = start.flags & SIF_INITDOMAIN != 0;
        let ring = |mfn| if initial { None } else { own_page(start, mfn) };
        Ok(Self {
            start,
            console: ring(start.console_mfn),
            store: ring(start.store_mfn),
            untouched: untouched(start),
        })
    }

    fn port(&self, ring: Ring) -> u32 {
        match ring {
            Ring::Console => self.start.console_evtchn,
            Ring::Store => self.start.store_evtchn,
        }
    }
}

impl World for Xen {
    fn page(&self, ring: Ring) -> Option<&Page> {
        match ring {
            Ring::Console => self.console,
            Ring::Store => self.store,
        }
    }

    fn notify(&self, ring: Ring) {
        let mut send = Send { port: self.port(ring) };
        // SAFETY: the structure holds a number. Nothing can be done about a channel that the other end closed.
        let _ = unsafe { command(number::EVENT_CHANNEL_OP, EVTCHNOP_SEND, &mut send) };
    }

    fn wait(&self, at_most: Option<u64>) {
        let ports = [Ring::Console, Ring::Store].map(|ring| self.port(ring));
        let mut poll = SchedPoll {
            ports: ports.as_ptr().expose_provenance() as u64,
            nr_ports: if self.console.is_some() { 2 } else { 0 },
            timeout: at_most.map_or(0, |nanoseconds| now().saturating_add(nanoseconds)),
            ..SchedPoll::ZERO
        };
        // SAFETY: Xen reads `ports`, which live long enough. If it refuses, waiting becomes looking again and again.
        let _ = unsafe { command(number::SCHED_OP, SCHEDOP_POLL, &mut poll) };
        ports.into_iter().for_each(take_event);
    }

    fn now(&self) -> u64 {
        now()
    }

    fn print(&self, text: &[u8]) {
        print(text);
    }

    fn untouched(&self) -> &[Page] {
        self.untouched
    }

    fn tails(&self) -> [Option<(&Page, usize)>; 3] {
        let info = ptr::from_ref(self.start).cast::<Page>();
        // SAFETY: the start info begins a page, which is all ours and which nothing writes after the builder.
        let info = unsafe { info.as_ref() };
        [
            info.map(|page| (page, size_of::<StartInfo>())),
            self.console.map(|page| (page, CONSOLE_END)),
            self.store.map(|page| (page, size_of::<XenstoreDomainInterface>())),
        ]
    }

    fn revoke(&self, ring: Ring) -> Option<u16> {
        let mut frame = 0_u64;
        let frame_list = (&raw mut frame).expose_provenance() as u64;
        let mut setup = SetupTable { dom: DOMID_SELF, nr_frames: 1, frame_list, ..SetupTable::ZERO };
        let arguments = [GNTTABOP_SETUP_TABLE.into(), address_of(&mut setup), 1, 0, 0];
        // SAFETY: Xen writes one frame number to `frame`, and the status.
        unsafe { pv::hypercall(number::GRANT_TABLE_OP, arguments) }.ok()?;
        GRANTS.map(frame).ok()?;
        let gref = match ring {
            Ring::Console => GNTTAB_RESERVED_CONSOLE,
            Ring::Store => GNTTAB_RESERVED_XENSTORE,
        };
        let entry = GRANTS.at(gref as usize * size_of::<GrantEntryV1>())?.swap(0, Ordering::SeqCst);
        let [low, high, ..] = entry.to_le_bytes();
        Some(u16::from_le_bytes([low, high]))
    }
}

/// Ends the domain.
pub(crate) fn shut_down(reason: u8) -> ! {
    loop {
        // SAFETY: the structure holds a number. Whoever comes back, from a suspension for example, ends again.
        let _ = unsafe {
            command(number::SCHED_OP, SCHEDOP_SHUTDOWN, &mut SchedShutdown { reason: reason.into() })
        };
    }
}

/// Prints on Xen's console; Xen lets the initial domain do that, and others only in debug builds.
pub(crate) fn print(text: &[u8]) {
    let arguments =
        [CONSOLEIO_WRITE.into(), text.len() as u64, text.as_ptr().expose_provenance() as u64, 0, 0];
    // SAFETY: Xen reads exactly the bytes of `text`. There is nowhere to report a failure.
    let _ = unsafe { pv::hypercall(number::CONSOLE_IO, arguments) };
}

/// Makes the call that `command` and `argument` describe; Xen may fill in fields.
///
/// # Safety
/// What addresses in `argument` lead to has to be the caller's to give.
unsafe fn command<T: IntoBytes + FromBytes>(
    number: u32,
    command: u32,
    argument: &mut T,
) -> Result<u64, Errno> {
    // SAFETY: Xen stays within the structure, which is ours to change; the rest is the caller's promise.
    unsafe { pv::hypercall(number, [command.into(), address_of(argument), 0, 0, 0]) }
}

fn address_of<T>(value: &mut T) -> u64 {
    ptr::from_mut(value).expose_provenance() as u64
}

/// Nanoseconds since Xen booted.
fn now() -> u64 {
    const AT: usize = offset_of!(SharedInfo, vcpu_info) + offset_of!(VcpuInfo, time);
    let word = |offset| SHARED_INFO.at(AT + offset).map_or(0, |word| word.load(Ordering::Acquire));
    let version = || low_half(word(offset_of!(VcpuTimeInfo, version)));
    loop {
        let before = version();
        let [_, _, _, _, shift, ..] = word(offset_of!(VcpuTimeInfo, tsc_to_system_mul)).to_le_bytes();
        let scale = Scale {
            tsc_timestamp: word(offset_of!(VcpuTimeInfo, tsc_timestamp)),
            system_time: word(offset_of!(VcpuTimeInfo, system_time)),
            tsc_to_system_mul: low_half(word(offset_of!(VcpuTimeInfo, tsc_to_system_mul))),
            tsc_shift: shift.cast_signed(),
        };
        // Xen makes the version odd while it changes the rest.
        if before.is_multiple_of(2) && before == version() {
            // SAFETY: every 64-bit processor has the instruction; Xen allows it or emulates it.
            return scale.nanoseconds(unsafe { _rdtsc() });
        }
    }
}

/// The structure's fields of four bytes, where they come first in a word.
#[expect(clippy::cast_possible_truncation, reason = "the other half is another field")]
const fn low_half(word: u64) -> u32 {
    word as u32
}

/// Clears what is pending on a channel.
fn take_event(port: u32) {
    let word = port as usize / 64 * size_of::<u64>();
    if let Some(pending) = SHARED_INFO.at(offset_of!(SharedInfo, evtchn_pending) + word) {
        pending.fetch_and(!(1 << (port % 64)), Ordering::SeqCst);
    }
}

/// The page of ours that is machine frame `mfn`.
fn own_page(start: &'static StartInfo, mfn: u64) -> Option<&'static Page> {
    let list = ptr::with_exposed_provenance::<u64>(size(start.mfn_list));
    // SAFETY: the builder mapped the list, one word for each of `nr_pages`, for good, and nothing changes it.
    let list = unsafe { slice::from_raw_parts(list, size(start.nr_pages)) };
    let pfn = list.iter().position(|frame| *frame == mfn)? as u64;
    // SAFETY: the builder made this page for the ring, and the other end is the only one to share it with.
    unsafe { pages(pfn..pfn + 1) }.first()
}

/// What lies behind the page tables and is mapped: the boot stack, which is not used, and free memory.
fn untouched(start: &StartInfo) -> &'static [Page] {
    let first = (start.pt_base - pv::virt_base()) / PAGE + start.nr_pt_frames;
    let mapped = ((first + 1) * PAGE + PADDING).next_multiple_of(BOUNDARY) / PAGE;
    // SAFETY: nothing of ours is there; builders map at least this much (`xen/xen.h`, the start of day).
    unsafe { pages(first..mapped.min(start.nr_pages)) }
}

/// Our own memory by frame number.
///
/// # Safety
/// The frames are mapped, and used for nothing that Rust knows of.
unsafe fn pages(pfns: Range<u64>) -> &'static [Page] {
    let address = pv::virt_base() + pfns.start * PAGE;
    let count = size(pfns.end.saturating_sub(pfns.start));
    // SAFETY: page-aligned, mapped for good and free, as the caller promises; `Page` has no invalid bytes.
    unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(size(address)), count) }
}

#[expect(clippy::cast_possible_truncation, reason = "a PV domain of this kind is a 64-bit one")]
const fn size(value: u64) -> usize {
    value as usize
}
