//! Waking Dart, through its native ports.
//!
//! A future that can go on is told to whoever polls it by a function pointer. A pointer into Dart (`NativeCallable`) dies
//! with its isolate, and calling it then ends the app: a hot restart is enough. A message to a port that is gone is only
//! not delivered. So [`trailmark_dart_wake`] is the pointer, and the message says which future it was.

use std::sync::{Mutex, PoisonError};

/// `Dart_PostCObject_DL` as `NativeApi.postCObject` gives it.
type PostCObject = unsafe extern "C" fn(port: i64, message: *mut Message) -> bool;

/// A `Dart_CObject` that holds an integer; its union is as large as its largest member, five words.
#[repr(C)]
pub(crate) struct Message {
    kind: i32,
    value: Value,
}

#[repr(C)]
pub(crate) union Value {
    int64: i64,
    _size: [usize; 5],
}

/// `Dart_CObject_kInt64`.
const INT64: i32 = 3;

/// The isolates that ever asked, by slot: 16 bytes for each start of the app within a process.
static ISOLATES: Mutex<Vec<(PostCObject, i64)>> = Mutex::new(Vec::new());

/// Where an isolate's calls say how they ended: for each start of the app within a process 32 bytes, never freed.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn trailmark_dart_status() -> *mut uniffi::RustCallStatus {
    Box::into_raw(Box::default())
}

/// An isolate's port, to which the futures of its slot are told from now on.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn trailmark_dart_register(post: PostCObject, port: i64) -> u32 {
    let mut isolates = ISOLATES.lock().unwrap_or_else(PoisonError::into_inner);
    isolates.push((post, port));
    u32::try_from(isolates.len() - 1).unwrap_or(u32::MAX)
}

/// A future can go on, or is ready (`code`). `data` is what was given when it was polled: slot × 2³² + number. The
/// message is number × 2⁸ + code.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn trailmark_dart_wake(data: u64, code: i8) {
    let slot = (data >> 32) as usize;
    let isolate = ISOLATES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(slot)
        .copied();
    if let Some((post, port)) = isolate {
        let int64 = ((data & 0xffff_ffff) << 8 | u64::from(code.cast_unsigned())).cast_signed();
        let mut message = Message {
            kind: INT64,
            value: Value { int64 },
        };
        // SAFETY: `post` came from `NativeApi.postCObject`, which may be called from any thread, with a port of any
        // isolate, living or not; the message lives until it returns, which is after it was copied.
        unsafe { post(port, &raw mut message) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static POSTED: Mutex<Vec<(i64, i32, i64)>> = Mutex::new(Vec::new());

    unsafe extern "C" fn post(port: i64, message: *mut Message) -> bool {
        // SAFETY: it lives until this returns, and holds an integer, as its kind says.
        let (kind, value) = unsafe { ((*message).kind, (*message).value.int64) };
        POSTED.lock().unwrap().push((port, kind, value));
        true
    }

    #[test]
    fn a_wake_is_a_message_to_the_port_of_its_slot() {
        let slots = [7, 8].map(|port| u64::from(trailmark_dart_register(post, port)));
        trailmark_dart_wake(slots[1] << 32 | 0xffff_ffff, 1);
        trailmark_dart_wake(slots[0] << 32 | 5, 0);
        trailmark_dart_wake(999 << 32, 0);
        assert_eq!(*POSTED.lock().unwrap(), [(8, INT64, 0xff_ffff_ff01), (7, INT64, 0x500)]);
    }

    #[test]
    fn a_message_has_dart_s_layout() {
        // `typedef struct _Dart_CObject { Dart_CObject_Type type; union { …; struct { five words } } value; }`
        assert_eq!(std::mem::offset_of!(Message, value), align_of::<i64>().max(4));
        assert_eq!(size_of::<Value>(), 5 * size_of::<usize>());
    }
}
