//! The cases: a name, the bytes, and what may come of them.
//!
//! In the bytes `|` is CRLF and `{path}` a path of the case's own. `{hidden}` is a request that must not exist, and
//! `{length}` its length: a second reader would find it where the first sees a body, or the other way round.

/// A name, the bytes behind the table's beginning, and what may come of them.
pub(super) type Row = (&'static str, &'static str, May);

/// What may come of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum May {
    /// One request to the service, and its answer.
    Pass,
    /// A refusal of one of these statuses, the end of the connection, and nothing at the service.
    Refuse(&'static [u16]),
    /// Either: RFC 9112 leaves the choice, or ours is stricter or laxer than it need be.
    Either,
    /// The end of the connection without a word, at the deadline.
    Cut,
}

use May::{Cut, Either, Pass, Refuse};

const BAD: May = Refuse(&[400]);
/// A coding that nobody knows may also be "not implemented" (RFC 9112 §6.1).
const BAD_CODING: May = Refuse(&[400, 501]);
/// What is too large may be told so.
const TOO_LARGE: May = Refuse(&[400, 413, 431]);
const LATE: May = Refuse(&[408]);

/// Each table, with what its rows begin with.
pub(super) const TABLES: &[(&str, &[Row])] = &[
    ("GET {path} HTTP/1.1|", HOSTS),
    ("POST {path} HTTP/1.1|Host: e2e|", LENGTHS),
    ("POST {path} HTTP/1.1|Host: e2e|", CODINGS),
    ("POST {path} HTTP/1.1|Host: e2e|Transfer-Encoding: chunked||", CHUNKS),
    ("GET {path} HTTP/1.1|Host: e2e|", FIELDS),
    ("", LINES),
    ("POST {path} HTTP/1.1|Host: e2e|", INCOMPLETE),
];

const HOSTS: &[Row] = &[
    ("none", "|{hidden}", BAD),
    ("two", "Host: e2e|Host: e2e||{hidden}", BAD),
    ("two different ones", "Host: e2e|Host: evil||{hidden}", BAD),
    ("two, one folded away", "Host: e2e|x-a: 1| Host: evil||{hidden}", BAD),
    ("two, one behind a bare line feed", "Host: e2e|x-a: 1\nHost: evil||{hidden}", BAD),
    ("an empty one", "Host: ||{hidden}", BAD),
    ("one with a user", "Host: a@e2e||{hidden}", BAD),
    ("one with a path", "Host: e2e/x||{hidden}", BAD),
    ("one with a space", "Host: e2e evil||{hidden}", BAD),
    ("a list", "Host: e2e, evil||{hidden}", BAD),
    ("a space before the colon", "Host : e2e||{hidden}", BAD),
];

const LENGTHS: &[Row] = &[
    ("length, chunks", "Content-Length: 4|Transfer-Encoding: chunked||0||{hidden}", Either),
    ("chunks, length", "Transfer-Encoding: chunked|Content-Length: 4||0||{hidden}", Either),
    ("length, chunks, length", "Content-Length: 4|Transfer-Encoding: chunked|Content-Length: 0||0||{hidden}", Either),
    ("chunks, no number", "Transfer-Encoding: chunked|Content-Length: x||0||{hidden}", Either),
    ("length, no chunks", "Content-Length: 5|Transfer-Encoding: chunked||0{hidden}", BAD),
    ("its own body", "Content-Length: {length}||{hidden}", Pass),
    ("the same twice", "Content-Length: {length}|Content-Length: {length}||{hidden}", Either),
    ("the same twice in a list", "Content-Length: {length}, {length}||{hidden}", Either),
    ("two", "Content-Length: 0|Content-Length: {length}||{hidden}", BAD),
    ("two, the other way round", "Content-Length: {length}|Content-Length: 0||{hidden}", BAD),
    ("a list of two", "Content-Length: 0, {length}||{hidden}", BAD),
    ("two numbers", "Content-Length: 0 {length}||{hidden}", BAD),
    ("none behind the colon", "Content-Length:||{hidden}", BAD),
    ("a sign", "Content-Length: +{length}||{hidden}", BAD),
    ("a negative one", "Content-Length: -1||{hidden}", BAD),
    ("hexadecimal", "Content-Length: 0x10||{hidden}", BAD),
    ("a fraction", "Content-Length: 0.0||{hidden}", BAD),
    ("beyond 64 bits", "Content-Length: 18446744073709551616||{hidden}", TOO_LARGE),
    ("beyond every limit", "Content-Length: 9223372036854775807||{hidden}", TOO_LARGE),
    ("a space before the colon", "Content-Length : {length}||{hidden}", BAD),
    ("a vertical tab", "Content-Length:\x0b{length}||{hidden}", BAD),
    ("underscore", "Content_Length: 0|Content-Length: {length}||{hidden}", Either),
    ("hop by hop", "Connection: Content-Length|Content-Length: {length}||{hidden}", Either),
];

const CODINGS: &[Row] = &[
    ("in capitals", "Transfer-Encoding: CHUNKED||0||", Pass),
    ("a tab before it", "Transfer-Encoding:\tchunked||0||", Either),
    ("unknown", "Transfer-Encoding: xchunked||0||{hidden}", BAD_CODING),
    ("in quotes", "Transfer-Encoding: \"chunked\"||0||{hidden}", BAD_CODING),
    ("chunked, but not last", "Transfer-Encoding: chunked, identity||0||{hidden}", BAD_CODING),
    ("chunked, but not last, on two lines", "Transfer-Encoding: chunked|Transfer-Encoding: x||0||{hidden}", BAD_CODING),
    ("an unknown one below", "Transfer-Encoding: x, chunked||0||{hidden}", BAD_CODING),
    ("an unknown one below, on two lines", "Transfer-Encoding: x|Transfer-Encoding: chunked||0||{hidden}", BAD_CODING),
    ("chunked twice", "Transfer-Encoding: chunked, chunked||0||{hidden}", BAD_CODING),
    ("identity", "Transfer-Encoding: identity||{hidden}", BAD_CODING),
    ("identity with a length", "Transfer-Encoding: identity|Content-Length: {length}||{hidden}", BAD_CODING),
    ("none behind the colon", "Transfer-Encoding:||{hidden}", BAD_CODING),
    ("a space before the colon", "Transfer-Encoding : chunked||0||{hidden}", BAD),
    ("folded", "Transfer-Encoding:| chunked||0||{hidden}", BAD),
    ("folded into another", "x-a: 1| Transfer-Encoding: chunked|Content-Length: {length}||{hidden}", BAD),
    ("a vertical tab", "Transfer-Encoding:\x0bchunked||0||{hidden}", BAD_CODING),
    ("underscore", "Transfer_Encoding: chunked|Content-Length: {length}||{hidden}", Either),
    ("hop by hop", "Connection: Transfer-Encoding|Transfer-Encoding: chunked||0||", Either),
];

const CHUNKS: &[Row] = &[
    ("two", "5|hello|6| world|0||", Pass),
    ("one that is a request", "26|{hidden}|0||", Pass),
    ("an extension", "5;a=\"b\"|hello|0;c||", Pass),
    ("a line feed in an extension", "5;\n|hello|0||{hidden}", BAD),
    ("a carriage return in an extension", "5;\rx|hello|0||{hidden}", Either),
    ("a space behind the size", "5 |hello|0||", Either),
    ("a size with a prefix", "0x0||{hidden}", BAD),
    ("a size with a sign", "+0||{hidden}", BAD),
    ("a negative size", "-1||{hidden}", BAD),
    ("no size", "|hello|0||{hidden}", BAD),
    ("a size in quotes", "\"0\"||{hidden}", BAD),
    ("a size beyond 64 bits", "FFFFFFFFFFFFFFFFF||{hidden}", TOO_LARGE),
    ("a size that overflows to 0", "10000000000000000||{hidden}", TOO_LARGE),
    ("more than it says", "1|ab|0||{hidden}", BAD),
    ("less than it says", "3|ab|0||{hidden}", BAD),
    ("a bare line feed behind the size", "1\na|0||{hidden}", BAD),
    ("a bare line feed behind the data", "1|a\n0||{hidden}", BAD),
    ("a bare carriage return behind the size", "1\ra|0||{hidden}", BAD),
    ("a bare line feed at the end", "0|\n{hidden}", Either),
    ("a length at the end", "0|Content-Length: {length}||", Pass),
    ("who asks at the end", "0|x-user-id: 1||", Pass),
    ("no field at the end", "0|nonsense|{hidden}", BAD),
];

const FIELDS: &[Row] = &[
    ("folded", "x-a: 1| 2||{hidden}", BAD),
    ("folded with a tab", "x-a: 1|\t2||{hidden}", BAD),
    ("folded at once", " x-a: 1||{hidden}", BAD),
    ("a carriage return in a value", "x-a: 1\rx-user-id: 1||{hidden}", BAD),
    ("a line feed in a value", "x-a: 1\nx-user-id: 1||", Either),
    ("NUL in a value", "x-a: 1\0||{hidden}", BAD),
    ("NUL in a name", "x\0a: 1||{hidden}", BAD),
    ("a space in a name", "x a: 1||{hidden}", BAD),
    ("a name that is none", ": 1||{hidden}", BAD),
    ("a name beyond ASCII", "x-ä: 1||{hidden}", BAD),
    ("no colon", "nonsense||{hidden}", BAD),
    ("who asks, in capitals", "X-USER-ID: 1||", Pass),
    ("who asks, underscored", "x_user_id: 1||", Either),
    ("hop by hop", "Connection: Host, x-user-id|x-user-id: 1||", Either),
    ("a body for a GET", "Content-Length: {length}||{hidden}", Pass),
    ("100 KB", "x-long: {long}||", Refuse(&[431])),
    ("1,000", "{many}|", Refuse(&[431])),
];

const LINES: &[Row] = &[
    ("an empty line before", "|GET {path} HTTP/1.1|Host: e2e||", Pass),
    ("bare line feeds", "GET {path} HTTP/1.1\nHost: e2e\n\n", Either),
    ("bare carriage returns", "GET {path} HTTP/1.1\rHost: e2e\r\r{hidden}", BAD),
    ("a target that contradicts Host", "GET http://evil{path} HTTP/1.1|Host: e2e||{hidden}", BAD),
    ("a target that agrees with Host", "GET http://e2e{path} HTTP/1.1|Host: e2e||", Pass),
    ("a space in the target", "GET {path} x HTTP/1.1|Host: e2e||{hidden}", BAD),
    ("a second request in the target", "GET {path}%20HTTP/1.1%0d%0aHost:%20e2e HTTP/1.1|Host: e2e||{hidden}", BAD),
    ("two spaces", "GET  {path} HTTP/1.1|Host: e2e||{hidden}", BAD),
    ("a tab for the space", "GET\t{path} HTTP/1.1|Host: e2e||{hidden}", BAD),
    ("NUL in the target", "GET {path}\0 HTTP/1.1|Host: e2e||{hidden}", BAD),
    ("no slash", "GET x{path} HTTP/1.1|Host: e2e||{hidden}", BAD),
    ("no version", "GET {path}|Host: e2e||{hidden}", BAD),
    ("HTTP/1.9", "GET {path} HTTP/1.9|Host: e2e||{hidden}", Refuse(&[400, 505])),
    ("HTTP/2.0", "GET {path} HTTP/2.0|Host: e2e||{hidden}", Refuse(&[400, 505])),
    ("chunks in HTTP/1.0", "POST {path} HTTP/1.0|Host: e2e|Transfer-Encoding: chunked||0||{hidden}", BAD),
    ("a method that is no word", "G(T {path} HTTP/1.1|Host: e2e||{hidden}", BAD),
    ("CONNECT", "CONNECT e2e:80 HTTP/1.1|Host: e2e:80||{hidden}", Refuse(&[501])),
];

const INCOMPLETE: &[Row] = &[
    ("a head", "x-a: ", Cut),
    ("a body", "Content-Length: 100||half", LATE),
    ("no body", "Content-Length: 100||", LATE),
    ("chunks", "Transfer-Encoding: chunked||4|half|", LATE),
    ("a chunk", "Transfer-Encoding: chunked||64|half", LATE),
    ("a chunk beyond every limit", "Transfer-Encoding: chunked||7FFFFFFFFFFFFFFF|{hidden}", LATE),
    ("a size", "Transfer-Encoding: chunked||6", LATE),
    ("the end of chunks", "Transfer-Encoding: chunked||0|", LATE),
];
