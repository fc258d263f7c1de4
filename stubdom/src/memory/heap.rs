//! The heap: all memory that nothing else uses, and not a byte more.
//!
//! Two-level segregated fit, because its worst case is constant: how long an allocation takes must not depend on
//! what guests made us allocate before.

use core::alloc::{GlobalAlloc, Layout};
use core::ops::Range;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use rlsf::{GRANULARITY, Tlsf};
use spin::Mutex;
use xendless_core::lines::HeapUsage;

use super::ram::size;

/// Size classes reach up to 1 GiB, which is more than all our own memory.
type Blocks = Tlsf<'static, u32, u32, 25, 32>;

struct Heap {
    /// Never contended: there is one virtual CPU, and nothing interrupts Rust code.
    blocks: Mutex<Blocks>,
    used: AtomicUsize,
    peak: AtomicUsize,
    limit: AtomicUsize,
}

#[global_allocator]
static HEAP: Heap = Heap {
    blocks: Mutex::new(Blocks::new()),
    used: AtomicUsize::new(0),
    peak: AtomicUsize::new(0),
    limit: AtomicUsize::new(0),
};

/// Gives the heap the memory at `range`.
///
/// # Safety
/// It is mapped for good, readable and writable, and nothing else uses it.
pub(crate) unsafe fn add(range: Range<u64>) {
    let bytes = size(range.end.saturating_sub(range.start));
    let start = ptr::with_exposed_provenance_mut::<u8>(size(range.start));
    let Some(block) = NonNull::new(ptr::slice_from_raw_parts_mut(start, bytes)) else { return };
    // SAFETY: the caller's promise, and the heap lives as long as the program.
    let taken = unsafe { HEAP.blocks.lock().insert_free_block_ptr(block) };
    HEAP.limit.fetch_add(taken.map_or(0, Into::into), Ordering::Relaxed);
}

/// What is in use, and the limit.
pub(crate) fn usage() -> HeapUsage {
    let kib = |bytes: &AtomicUsize| bytes.load(Ordering::Relaxed) as u64 / 1024;
    HeapUsage { used_kib: kib(&HEAP.used), limit_kib: kib(&HEAP.limit) }
}

/// Bytes in use.
pub(crate) fn used() -> usize {
    HEAP.used.load(Ordering::Relaxed)
}

/// Bytes that an allocation takes from the heap, header included, padding for a large alignment not.
const fn footprint(layout: Layout) -> usize {
    (layout.size() + GRANULARITY / 2).next_multiple_of(GRANULARITY)
}

// SAFETY: `Tlsf` hands out disjoint blocks of the memory it was given, as large and as aligned as asked; the
// lock makes its users take turns.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(block) = self.blocks.lock().allocate(layout) else { return ptr::null_mut() };
        let used = self.used.fetch_add(footprint(layout), Ordering::Relaxed) + footprint(layout);
        self.peak.fetch_max(used, Ordering::Relaxed);
        block.as_ptr()
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(block) = NonNull::new(pointer) else { return };
        // SAFETY: the block came from `allocate` with this alignment, by the contract of `GlobalAlloc`.
        unsafe { self.blocks.lock().deallocate(block, layout.align()) };
        self.used.fetch_sub(footprint(layout), Ordering::Relaxed);
    }
}
