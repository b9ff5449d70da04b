//! A token as it came: its header is read, its signature and its claims are not believed yet.

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Header, decode_header};

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::key::Key;
use super::reason::Reason;

/// A token is sent with each request, and headers are 64 KiB at most; 8 KiB hold some 200 roles, and are what most servers
/// take for one header.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What `typ` may be (RFC 7519 §5.1, RFC 9068 §2.1), in any case. An ID token or a logout token says something else, or
/// has another audience.
const TYPES: [&str; 4] = ["JWT", "at+jwt", "application/at+jwt", "application/jwt"];

/// A token whose header makes sense.
pub struct Signed<'a> {
    token: &'a str,
    /// What is signed: header, dot, claims.
    message: &'a str,
    signature: &'a str,
    header: Header,
    algorithm: Algorithm,
}

impl<'a> Signed<'a> {
    /// Reads the header of `token`.
    ///
    /// # Errors
    /// [`Reason::TooLarge`], [`Reason::Malformed`], [`Reason::Algorithm`], [`Reason::WrongType`], [`Reason::Critical`].
    pub fn read(token: &'a str) -> Result<Self, Reason> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Reason::TooLarge);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let header = decode_header(token).map_err(|error| of_header(&error))?;
        let algorithm = Algorithm::of(header.alg).ok_or(Reason::Algorithm)?;
        check(&header)?;
        Ok(Self {
            token,
            message,
            signature,
            header,
            algorithm,
        })
    }

    /// The algorithm that it says it is signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of the key that it says it is signed with.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Whether `key` signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &Key) -> bool {
        let message = self.message.as_bytes();
        jsonwebtoken::crypto::verify(self.signature, message, &key.decoding, self.header.alg).unwrap_or(false)
    }

    /// Its claims; to be believed after the signature was.
    ///
    /// # Errors
    /// [`Reason::Malformed`], also for a claim that is there twice.
    pub fn claims(&self) -> Result<Claims, Reason> {
        insecure_decode_claims(self.token).map_err(|_| Reason::Malformed)
    }
}

fn check(header: &Header) -> Result<(), Reason> {
    let typ = header.typ.as_deref();
    if typ.is_some_and(|typ| !TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ))) {
        return Err(Reason::WrongType);
    }
    if header.crit.is_some() {
        return Err(Reason::Critical);
    }
    Ok(())
}

/// The library reads the header at once; that `alg` is `none`, or one that it does not know, is in the words of serde.
fn of_header(error: &Error) -> Reason {
    match error.kind() {
        ErrorKind::Json(error) if error.to_string().starts_with("unknown variant") => Reason::Algorithm,
        _ => Reason::Malformed,
    }
}
