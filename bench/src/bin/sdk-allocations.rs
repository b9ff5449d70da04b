//! Counts what a call to the client allocates, and prints a table. A binary of its own, so that counting disturbs no other
//! measurement.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use trailmark_bench::sdk::sample;
use trailmark_bench::{Outcome, report};
use trailmark_core::{Client, Properties};

thread_local! {
    /// Calls to the allocator, and bytes asked for, by this thread.
    static COUNTED: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

struct Counting;

fn count(bytes: usize) {
    // A thread that ends may still allocate; nobody counts that.
    let _ = COUNTED.try_with(|counted| {
        let (calls, before) = counted.get();
        counted.set((calls + 1, before + bytes as u64));
    });
}

#[expect(unsafe_code, reason = "an allocator is unsafe; this one only counts and hands on")]
// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Enough that a new segment's or a new chunk's allocations show as a fraction: two and a half windows of the queue.
const CALLS: usize = 5_000;

fn main() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let at = |name: &str| dir.path().join(name);
    let hooked = sample::offline(Some(&at("hooked"))).before_send(Some).build()?;
    let registered = sample::offline(Some(&at("registered"))).build()?;
    registered.register(sample::properties(0).with("plan", "pro"));
    let rows = [
        row("the five properties alone, which the app makes", |n| {
            drop(sample::properties(n));
        }),
        calls("directory", &sample::offline(Some(&at("plain"))).build()?)?,
        calls("memory", &sample::offline(None).build()?)?,
        calls("directory, 6 super-properties, 5 of them the call's", &registered)?,
        calls("directory, a hook", &hooked)?,
        calls_without(
            "directory, without properties",
            &sample::offline(Some(&at("none"))).build()?,
        )?,
    ];
    let head = ["`track` with 5 properties", "allocations", "bytes"];
    report::table(&format!("Allocations of a call, mean of {CALLS}"), &head, &rows);
    Ok(())
}

fn calls(what: &str, client: &Client) -> Outcome<Vec<String>> {
    sample::go_offline(client)?;
    Ok(row(what, |n| sample::track(client, n)))
}

fn calls_without(what: &str, client: &Client) -> Outcome<Vec<String>> {
    sample::go_offline(client)?;
    Ok(row(what, |_| client.track("checkout_completed", Properties::new())))
}

fn row(what: &str, call: impl Fn(usize)) -> Vec<String> {
    // The first calls grow what is kept.
    (0..100).for_each(&call);
    let (calls, bytes) = COUNTED.get();
    (0..CALLS).for_each(&call);
    let (calls_after, bytes_after) = COUNTED.get();
    let mean = |before: u64, after: u64| (after - before) as f64 / CALLS as f64;
    vec![
        what.to_owned(),
        format!("{:.2}", mean(calls, calls_after)),
        format!("{:.0}", mean(bytes, bytes_after)),
    ]
}
