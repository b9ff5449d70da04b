//! gRPC's message frames: a flag, a length of four bytes, the message.

use axum::body::Bytes;
use prost_reflect::prost::Message;

/// What stands before a message: one byte that says whether it is compressed, four of its length.
pub(super) const PREFIX_BYTES: usize = 5;

/// `message` in its frame, not compressed; nothing if it is over 4 GiB, which no length can say.
pub(super) fn encode(message: &impl Message) -> Option<Bytes> {
    let length = message.encoded_len();
    let mut frame = Vec::with_capacity(PREFIX_BYTES + length);
    frame.push(0);
    frame.extend_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
    message.encode(&mut frame).ok()?;
    Some(frame.into())
}

/// The one message of a unary answer; nothing if there is none.
///
/// A compressed one is refused: nothing but `identity` was offered in `grpc-accept-encoding`.
pub(super) fn decode(frames: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    let Some((prefix, rest)) = frames.split_first_chunk::<PREFIX_BYTES>() else {
        return if frames.is_empty() {
            Ok(None)
        } else {
            Err("a frame is cut")
        };
    };
    let [flag, length @ ..] = *prefix;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| "a frame is too long")?;
    match flag {
        0 if rest.len() == length => Ok(Some(rest)),
        0 if rest.len() < length => Err("a frame is cut"),
        0 => Err("there is more than one message"),
        1 => Err("a message is compressed, which was not offered"),
        _ => Err("a frame has a flag that does not exist"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_frame_is_one_message() {
        assert_eq!(decode(b"\0\0\0\0\x02ab"), Ok(Some(&b"ab"[..])));
        assert_eq!(decode(b"\0\0\0\0\0"), Ok(Some(&b""[..])), "an empty message is one");
        assert_eq!(decode(b""), Ok(None));
        for malformed in [
            &b"\0"[..],
            b"\0\0\0\0",
            b"\0\0\0\0\x02a",
            b"\0\xff\xff\xff\xffa",
            b"\0\0\0\0\x01ab",
            b"\x01\0\0\0\x02ab",
            b"\x02\0\0\0\0",
        ] {
            assert!(decode(malformed).is_err(), "{malformed:?}");
        }
    }

    proptest! {
        #[test]
        fn a_frame_comes_back_as_it_went(text in ".*") {
            let frame = encode(&text).unwrap();
            prop_assert_eq!(decode(&frame).unwrap(), Some(&text.encode_to_vec()[..]));
        }

        #[test]
        fn no_bytes_upset_the_reader(bytes in any::<Vec<u8>>()) {
            let _ = decode(&bytes);
        }
    }
}
