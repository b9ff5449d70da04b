//! The pure parts of the client, without clock, thread, disk and network: `cargo bench -p trailmark-bench --bench engine`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use trailmark_bench::sdk::sample;
use trailmark_core::{Config, Engine, Entropy, Storage, StorageError, Timestamp};

/// Numbers that are as good as any.
struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

/// Files in memory. Clones share them.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Memory {
    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Storage for Memory {
    fn list(&mut self) -> Result<Vec<String>, StorageError> {
        Ok(self.with(|files| files.keys().cloned().collect()))
    }

    fn read(&mut self, file: &str) -> Result<Vec<u8>, StorageError> {
        self.with(|files| files.get(file).cloned())
            .ok_or_else(|| StorageError("no such file".to_owned()))
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.with(|files| match files.get_mut(file) {
            Some(content) => content.extend_from_slice(bytes),
            None => drop(files.insert(file.to_owned(), bytes.to_vec())),
        });
        Ok(())
    }

    fn remove(&mut self, file: &str) -> Result<(), StorageError> {
        self.with(|files| files.remove(file));
        Ok(())
    }
}

const START: Timestamp = Timestamp::from_millis(1_763_600_000_000);

/// The bound of the queue in these benches: 100,000 events of any length.
const QUEUED: u64 = 100_000;

fn config() -> Config {
    let mut config = Config::new("tm_pk_bench").unwrap_or_else(|error| panic!("{error}"));
    config.max_queue_bytes = usize::MAX;
    config
}

fn engine_on(memory: &Memory) -> Engine {
    Engine::open(config(), Counting(1), memory.clone(), START).unwrap_or_else(|error| panic!("{error}"))
}

fn fill(engine: &mut Engine, events: u64) {
    for n in 0..events {
        let _ = engine.track("checkout_completed", &sample::properties(n as usize), START);
    }
}

fn track(c: &mut Criterion) {
    let properties = sample::properties(7);
    let mut group = c.benchmark_group("track");
    group.throughput(Throughput::Elements(1_000));
    // A thousand in an engine of their own: the queue never fills, and the window is never left.
    group.bench_function("1,000 to a storage in memory", |b| {
        b.iter_batched_ref(
            || engine_on(&Memory::default()),
            |engine| {
                for _ in 0..1_000 {
                    let _ = black_box(engine.track("checkout_completed", black_box(&properties), START));
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn recover(c: &mut Criterion) {
    let memory = Memory::default();
    fill(&mut engine_on(&memory), QUEUED);
    let mut group = c.benchmark_group("recover");
    group.throughput(Throughput::Elements(QUEUED)).sample_size(10);
    group.bench_function("100,000 queued", |b| b.iter(|| black_box(engine_on(&memory)).queued()));
    group.finish();
}

fn cut(c: &mut Criterion) {
    let mut group = c.benchmark_group("cut");
    group.throughput(Throughput::Elements(500));
    group.bench_function("a request of 500", |b| {
        b.iter_batched_ref(
            || {
                let mut engine = engine_on(&Memory::default());
                fill(&mut engine, 500);
                engine
            },
            |engine| black_box(engine.poll(START)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = engine;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = track, recover, cut
}
criterion_main!(engine);
