//! Things thrown into buckets, to be looked at bucket by bucket.

/// Things of a chunk: what is thrown is never moved, and a bucket wastes one chunk at the most.
const CHUNK: usize = 256;

/// Things by bucket, in chunks.
#[derive(Debug)]
pub(crate) struct Buckets<T> {
    full: Vec<Vec<Vec<T>>>,
    open: Vec<Vec<T>>,
}

impl<T: Clone> Buckets<T> {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            full: vec![Vec::new(); count],
            open: (0..count).map(|_| Vec::with_capacity(CHUNK)).collect(),
        }
    }

    pub(crate) fn push(&mut self, bucket: usize, thing: T) {
        let Some(open) = self.open.get_mut(bucket) else { return };
        open.push(thing);
        if open.len() == CHUNK {
            let chunk = std::mem::replace(open, Vec::with_capacity(CHUNK));
            if let Some(full) = self.full.get_mut(bucket) {
                full.push(chunk);
            }
        }
    }

    pub(crate) fn copy_to(&self, bucket: usize, out: &mut Vec<T>) {
        let full = self.full.get(bucket).into_iter().flatten();
        full.chain(self.open.get(bucket))
            .for_each(|chunk| out.extend_from_slice(chunk));
    }
}
