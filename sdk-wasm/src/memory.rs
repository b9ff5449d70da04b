//! The allocator. The standard library's would be 5 KB of the 40 that a page loads; this one is a tenth of it.
//!
//! A block is a power of two of bytes. One that is given back waits in the list of its size for the next of that size:
//! it is neither split nor joined. So a page of memory is never returned, which WebAssembly could not do anyway, and the
//! engine, whose long-lived texts are events of like sizes, takes at most twice what it uses at its peak.
#![allow(
    unsafe_code,
    reason = "an allocator hands out raw memory; nothing else in this crate is unsafe"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::memory_grow;
use std::cell::UnsafeCell;
use std::ptr::null_mut;

#[global_allocator]
static BLOCKS: Blocks = Blocks(UnsafeCell::new(State {
    free: [null_mut(); SIZES],
    next: 0,
    end: 0,
}));

/// Sizes up to 2³¹ bytes.
const SIZES: usize = 32;
/// The smallest block: 16 bytes, the largest alignment of any type here.
const SMALLEST: usize = 16;
const PAGE: usize = 64 * 1024;

struct Blocks(UnsafeCell<State>);

struct State {
    /// By size, the first of the blocks that were given back; each holds the address of the next one.
    free: [*mut Given; SIZES],
    /// What was never handed out lies from here to `end`.
    next: usize,
    end: usize,
}

struct Given {
    next: *mut Given,
}

// SAFETY: WebAssembly without shared memory has one thread.
unsafe impl Sync for Blocks {}

impl State {
    /// A block that was never handed out; null if there is no memory left.
    fn fresh(&mut self, bytes: usize) -> *mut u8 {
        if self.end - self.next < bytes {
            let pages = bytes.div_ceil(PAGE);
            let before = memory_grow(0, pages);
            if before == usize::MAX {
                return null_mut();
            }
            // What is left of the last pages is smaller than this block, and is given up.
            self.next = before * PAGE;
            self.end = self.next + pages * PAGE;
        }
        self.next += bytes;
        (self.next - bytes) as *mut u8
    }
}

fn size(layout: &Layout) -> u32 {
    layout.size().max(SMALLEST).next_power_of_two().trailing_zeros()
}

// SAFETY: a block is at least as long as its layout asks, starts at a multiple of 16 (fresh ones follow each other from the
// start of a page, all of them multiples of 16 long), and is in the hands of one owner: it is taken off its list before it
// is handed out.
unsafe impl GlobalAlloc for Blocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = size(&layout);
        // SAFETY: one thread, and nothing in here allocates, so nobody else holds the state.
        let state = unsafe { &mut *self.0.get() };
        match state.free.get_mut(size as usize) {
            Some(first) if !first.is_null() => {
                let block = *first;
                // SAFETY: a block on a list is free, and holds a `Given`.
                *first = unsafe { (*block).next };
                block.cast()
            }
            _ => state.fresh(1 << size),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let block: *mut Given = block.cast();
        // SAFETY: as above.
        let state = unsafe { &mut *self.0.get() };
        if let Some(first) = state.free.get_mut(size(&layout) as usize) {
            // SAFETY: the block is the caller's, who gives it up; it has room for a `Given`, and its alignment.
            unsafe { (*block).next = *first };
            *first = block;
        }
    }
}
