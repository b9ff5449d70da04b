//! Passwords: hashed with argon2id, which takes time and memory on purpose, and therefore two at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::gateway::problem::{Code, Problem};
use crate::store::StoreError;

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane
/// (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>).
const PARAMS: Params = match Params::new(19 * 1024, 2, 1, None) {
    Ok(params) => params,
    Err(_) => Params::DEFAULT,
};

/// Hashed at once: two, 38 MiB.
const AT_ONCE: usize = 2;

/// Logins that wait for their turn: 64. At 20–40 ms each, two at a time, the last waits about a second.
const WAITING: usize = 64;

/// Fewest characters of a password: 15 (NIST SP 800-63B-4 §3.1.1.2, where it is the only factor).
pub const CHARS_MIN: usize = 15;

/// Most bytes of a password: 1,024. More would only be work.
pub const BYTES_MAX: usize = 1024;

/// Bytes of a salt: 16 (RFC 9106 §3.1).
const SALT_BYTES: usize = 16;

/// A hash that no password has, with the parameters of all others: what is verified where there is no user, so that a
/// stranger's address takes as long as a user's.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password cannot be one; `None` if it can.
#[must_use]
pub fn unfit(password: &str) -> Option<String> {
    if password.chars().count() < CHARS_MIN {
        Some(format!("a password has at least {CHARS_MIN} characters"))
    } else if password.len() > BYTES_MAX {
        Some(format!("a password has at most {BYTES_MAX} bytes"))
    } else {
        None
    }
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMS)
}

/// The hash of a password, in PHC form. Takes 20–40 ms and 19 MiB: not for a thread that others wait for.
///
/// # Errors
/// [`StoreError::NoEntropy`].
pub fn hash(password: &str) -> Result<String, StoreError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(StoreError::NoEntropy)?;
    let hash = hasher().hash_password_with_salt(password.as_bytes(), &salt);
    // Fails only for salts and passwords of other lengths than these.
    Ok(hash.map(|hash: PasswordHash| hash.to_string()).unwrap_or_default())
}

/// Whether a password has this hash, compared in constant time. Takes as long as [`hash`], with the hash's own parameters.
#[must_use]
pub fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Turns at verifying.
#[derive(Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    line: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            line: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
        }
    }
}

/// A place in the line of those who want a password verified or hashed.
#[derive(Debug)]
pub struct Place {
    _held: OwnedSemaphorePermit,
}

fn stopped() -> Problem {
    Problem::new(Code::Internal, "the server is stopping")
}

impl Passwords {
    /// A place in the line.
    ///
    /// # Errors
    /// [`Code::Overloaded`] if too many wait already.
    pub fn place(&self) -> Result<Place, Problem> {
        let place = Arc::clone(&self.line).try_acquire_owned();
        let full = |_| Problem::new(Code::Overloaded, "too many logins at once").retry_after(1);
        place.map(|held| Place { _held: held }).map_err(full)
    }

    /// The [`hash`] of a new password. Runs to its end, and keeps its turn until then, even if nobody waits for it any more.
    ///
    /// # Errors
    /// [`Code::Internal`] if the runtime is stopping, or the platform gives no random bits.
    pub async fn hash(&self, place: Place, password: &str) -> Result<String, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| stopped())?;
        let password = password.to_owned();
        let hashing = tokio::task::spawn_blocking(move || {
            let hashed = hash(&password);
            drop((turn, place));
            hashed
        });
        let hashed = hashing.await.map_err(|_| stopped())?;
        hashed.map_err(|_| Problem::new(Code::Internal, "the platform gives no random bits"))
    }

    /// Whether `password` has this hash; without one it takes as long, and is wrong. Runs to its end, and keeps its turn
    /// until then, even if nobody waits for the answer any more.
    ///
    /// # Errors
    /// [`Code::Internal`] if the runtime is stopping.
    pub async fn verify(&self, place: Place, password: &str, hash: Option<&str>) -> Result<bool, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| stopped())?;
        let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
        let verifying = tokio::task::spawn_blocking(move || {
            let right = verify(&password, hash.as_deref().unwrap_or(NOBODY)) && hash.is_some();
            drop((turn, place));
            right
        });
        verifying.await.map_err(|_| stopped())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery staple";

    #[test]
    fn a_hash_verifies_its_password_and_no_other_and_is_salted() {
        let (one, other) = (hash(PASSWORD).unwrap(), hash(PASSWORD).unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(verify(PASSWORD, &one) && verify(PASSWORD, &other));
        assert!(!verify("correct horse battery stapl", &one) && !verify("", &one));
        assert!(!verify(PASSWORD, "") && !verify(PASSWORD, "$argon2id$v=19$m=19456,t=2,p=1$AAAA"));
    }

    #[test]
    fn nobodys_hash_costs_what_every_hash_costs() {
        let of = |hash: &str| {
            let hash = PasswordHash::new(hash).unwrap();
            let lengths = (hash.salt.unwrap().len(), hash.hash.unwrap().len());
            (hash.algorithm, hash.version, hash.params.to_string(), lengths)
        };
        assert_eq!(of(NOBODY), of(&hash(PASSWORD).unwrap()));
        assert_eq!((PARAMS.m_cost(), PARAMS.t_cost(), PARAMS.p_cost()), (19 * 1024, 2, 1));
    }

    #[tokio::test]
    async fn without_a_user_every_password_is_wrong() {
        let passwords = Passwords::default();
        for (hash, right) in [(Some(hash(PASSWORD).unwrap()), true), (None, false)] {
            let place = passwords.place().unwrap();
            assert_eq!(passwords.verify(place, PASSWORD, hash.as_deref()).await.unwrap(), right);
        }
    }

    #[tokio::test]
    async fn a_flood_is_refused_beyond_the_line_and_the_line_moves_on() {
        let passwords = Passwords::default();
        let places: Vec<_> = (0..AT_ONCE + WAITING).map(|_| passwords.place().unwrap()).collect();
        assert_eq!(passwords.place().unwrap_err().code(), Code::Overloaded);
        drop(places);
        assert!(passwords.place().is_ok());
    }

    #[tokio::test]
    async fn two_are_hashed_at_once_and_who_leaves_keeps_the_turn_until_the_work_is_done() {
        let passwords = Passwords::default();
        let mut first = Box::pin(passwords.verify(passwords.place().unwrap(), PASSWORD, None));
        let mut second = Box::pin(passwords.verify(passwords.place().unwrap(), PASSWORD, None));
        assert!(futures_util::poll!(&mut first).is_pending() && futures_util::poll!(&mut second).is_pending());
        assert_eq!(passwords.turns.available_permits(), 0);
        drop((first, second));
        // Both work on; a third has to wait for one of them.
        let turn = passwords.turns.acquire().await.unwrap();
        drop(turn);
    }

    #[test]
    fn a_short_password_is_unfit() {
        assert!(unfit("fourteen chars").is_some() && unfit("fifteen chars!!").is_none());
        assert!(unfit(&"x".repeat(1025)).is_some());
    }
}
