//! Request bodies decoded on their way to an upstream, never further than the limit: a bomb costs what the limit allows,
//! whatever its ratio.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::body::Body;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderMap, Request, header};
use hyper::body::{Body as _, Frame};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use super::client_body::{ClientBodyError, broken};
use super::problem::{Code, Problem};

/// Bytes decoded at a time: 8 KiB.
const FRAME: usize = 8 * 1024;

/// The largest zstd window accepted: 2^23 bytes, what RFC 8878 §3.1.1.1.2 asks every decoder to support.
const ZSTD_WINDOW_LOG: u32 = 23;

/// `request` with its body decoded as it is read, and with headers that say so. What goes wrong while it is read is a
/// [`ClientBodyError`]: `TooLarge` beyond `max_bytes` decoded ones, `Broken` for what does not decode.
///
/// # Errors
/// [`Code::UnsupportedEncoding`] for any coding but gzip, br and zstd, or more than one.
pub fn decompress(mut request: Request<Body>, max_bytes: u64) -> Result<Request<Body>, Problem> {
    let Some(coding) = coding(request.headers())? else {
        return Ok(request);
    };
    request.headers_mut().remove(header::CONTENT_ENCODING);
    if request.body().is_end_stream() {
        return Ok(request);
    }
    request.headers_mut().remove(header::CONTENT_LENGTH);
    let bounded = |body| {
        Body::new(Bounded {
            body: decoded(coding, body),
            left: max_bytes,
            max_bytes,
        })
    };
    Ok(request.map(bounded))
}

/// The one coding of the body; nothing if it has none.
fn coding(headers: &HeaderMap) -> Result<Option<&'static str>, Problem> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    let (value, more) = (values.next(), values.next());
    let Some(value) = value else { return Ok(None) };
    let name = value.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    match name.as_str() {
        _ if more.is_some() => Err(unsupported("more than one")),
        "" | "identity" => Ok(None),
        "gzip" | "x-gzip" => Ok(Some("gzip")),
        "br" => Ok(Some("br")),
        "zstd" => Ok(Some("zstd")),
        other => Err(unsupported(other)),
    }
}

fn unsupported(name: &str) -> Problem {
    let detail = format!("the Content-Encoding `{name}` is not spoken here: send gzip, br, zstd or none");
    Problem::new(Code::UnsupportedEncoding, detail)
}

/// Every member of a gzip file and every frame of a zstd one is decoded: tower-http's decoder would end after the first
/// member, and what follows would be lost in silence.
fn decoded(coding: &str, body: Body) -> Body {
    let wire = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    match coding {
        "gzip" => {
            let mut decoder = GzipDecoder::new(wire);
            decoder.multiple_members(true);
            frames(decoder)
        }
        "br" => frames(BrotliDecoder::new(wire)),
        _ => {
            let mut decoder = ZstdDecoder::with_params(wire, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]);
            decoder.multiple_members(true);
            frames(decoder)
        }
    }
}

fn frames(decoder: impl AsyncRead + Send + 'static) -> Body {
    Body::from_stream(ReaderStream::with_capacity(decoder, FRAME))
}

/// A decoded body that ends with an error where it would pass its limit. The decoder gives out a [`FRAME`] at a time, so that is all a bomb makes beyond it.
struct Bounded {
    body: Body,
    left: u64,
    max_bytes: u64,
}

impl hyper::body::Body for Bounded {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        let this = self.get_mut();
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) => this.take(frame),
            Some(Err(error)) => Err(broken(error)),
            None => return Poll::Ready(None),
        };
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

impl Bounded {
    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, ClientBodyError> {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let left = self.left.checked_sub(length);
        self.left = left.ok_or(ClientBodyError::TooLarge(self.max_bytes))?;
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use axum::response::Response;
    use futures_util::{FutureExt, StreamExt, stream};
    use http::HeaderValue;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;
    use crate::gateway::client_body::{Patience, limit};
    use crate::gateway::compress::compress;

    /// `plain` in `coding`, by the coders of the answers.
    fn encode(coding: &str, plain: &[u8]) -> Vec<u8> {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, coding.parse().unwrap())]);
        let mut response = Response::new(Body::from_stream(stream::iter([Ok::<_, Infallible>(plain.to_vec())])));
        let kind = HeaderValue::from_static("text/plain");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        let encoded = compress(&headers, response).into_body().collect().now_or_never();
        encoded.unwrap().unwrap().to_bytes().to_vec()
    }

    fn request(coding: &str, body: impl Into<Body>) -> Request<Body> {
        let request = Request::post("/").header(header::CONTENT_ENCODING, coding);
        request.header(header::CONTENT_LENGTH, "7").body(body.into()).unwrap()
    }

    /// What is read of it, or the client's fault.
    fn read(request: Request<Body>, max_bytes: u64) -> Result<Vec<u8>, Code> {
        let request = decompress(request, max_bytes).map_err(|problem| problem.code())?;
        match request.into_body().collect().now_or_never().unwrap() {
            Ok(collected) => Ok(collected.to_bytes().to_vec()),
            Err(error) => Err(ClientBodyError::find(&error)
                .expect("the client's fault")
                .problem()
                .code()),
        }
    }

    proptest! {
        #[test]
        fn what_was_coded_is_decoded_within_the_limit_and_refused_beyond_it(
            plain in prop::collection::vec(any::<u8>(), 1..3000), repeat in 1usize..20,
            coding in prop::sample::select(vec!["gzip", "br", "zstd"]), pieces in 1usize..50,
        ) {
            let plain = plain.repeat(repeat);
            let wire = encode(coding, &plain);
            let body = || Body::from_stream(stream::iter(
                wire.chunks(pieces).map(|piece| Ok::<_, Infallible>(piece.to_vec())).collect::<Vec<_>>()));
            prop_assert_eq!(&read(request(coding, body()), plain.len() as u64).unwrap(), &plain);
            prop_assert_eq!(read(request(coding, body()), plain.len() as u64 - 1), Err(Code::BodyTooLarge));
        }

        #[test]
        fn a_cut_body_is_the_clients_fault(
            plain in prop::collection::vec(any::<u8>(), 1..3000), cut in any::<usize>(),
            coding in prop::sample::select(vec!["gzip", "br", "zstd"]),
        ) {
            let wire = encode(coding, &plain);
            let cut = 1 + cut % (wire.len() - 1);
            if cut < wire.len() {
                prop_assert_eq!(read(request(coding, wire[..cut].to_vec()), 1 << 20), Err(Code::InvalidBody));
            }
        }
    }

    #[test]
    fn the_headers_say_what_is_sent_on() {
        let sent_on = decompress(request("GZIP", encode("gzip", b"hello")), 100).unwrap();
        assert!(!sent_on.headers().contains_key(header::CONTENT_ENCODING));
        assert!(!sent_on.headers().contains_key(header::CONTENT_LENGTH));
        let plain = decompress(request("identity", "hello"), 1).unwrap();
        assert_eq!(plain.headers()[header::CONTENT_LENGTH], "7");
    }

    #[test]
    fn nothing_is_coded_as_nothing() {
        assert_eq!(read(request("gzip", Body::empty()), 100), Ok(Vec::new()));
    }

    #[test]
    fn unknown_and_nested_codings_are_refused_before_a_byte_is_read() {
        for coding in ["compress", "deflate", "gzip, gzip"] {
            assert_eq!(
                read(request(coding, "x"), 100),
                Err(Code::UnsupportedEncoding),
                "{coding}"
            );
        }
        let mut twice = request("gzip", "x");
        twice
            .headers_mut()
            .append(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(read(twice, 100), Err(Code::UnsupportedEncoding));
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit_whatever_its_ratio() {
        for coding in ["gzip", "br", "zstd"] {
            let bomb = encode(coding, &vec![0; 32 << 20]);
            assert!(bomb.len() < 64 << 10, "{coding}: {}", bomb.len());
            let body = decompress(request(coding, bomb), 1 << 20).unwrap().into_body();
            let mut frames = body.into_data_stream();
            let mut decoded = 0;
            while let Some(Ok(frame)) = frames.next().now_or_never().unwrap() {
                decoded += frame.len();
            }
            assert!(decoded <= 1 << 20, "{coding}: {decoded}");
        }
    }

    #[test]
    fn a_body_of_several_members_is_decoded_to_its_end() {
        for coding in ["gzip", "zstd"] {
            let members = [encode(coding, b"one and "), encode(coding, b"another")].concat();
            assert_eq!(
                read(request(coding, members), 100),
                Ok(b"one and another".to_vec()),
                "{coding}"
            );
            let and_more = [encode(coding, b"hello"), b"and more".to_vec()].concat();
            assert_eq!(read(request(coding, and_more), 100), Err(Code::InvalidBody), "{coding}");
        }
    }

    #[test]
    fn a_zstd_window_beyond_what_all_must_support_is_refused() {
        // RFC 8878 §3.1.1: magic, a descriptor without a content size, a window of 2^24 bytes, an empty last block.
        let wide = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (24 - 10) << 3, 0x01, 0x00, 0x00];
        assert_eq!(read(request("zstd", wide.to_vec()), 100), Err(Code::InvalidBody));
        let narrow = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (23 - 10) << 3, 0x01, 0x00, 0x00];
        assert_eq!(read(request("zstd", narrow.to_vec()), 100), Ok(Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stalls_inside_the_coding_is_told_so() {
        let half = encode("gzip", &[7; 5000])[..12].to_vec();
        let body = Body::from_stream(stream::iter([Ok::<_, Infallible>(half)]).chain(stream::pending()));
        let body = limit(body, Patience::Total(Duration::from_secs(3)), 1 << 20).unwrap();
        let decoded = decompress(request("gzip", body), 1 << 20).unwrap().into_body();
        let error = decoded.collect().await.map(|_| ()).unwrap_err();
        assert!(matches!(ClientBodyError::find(&error), Some(ClientBodyError::Timeout)));
    }
}
