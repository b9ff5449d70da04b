//! Tokens that nobody signed, or somebody else, or for something else.

use proptest::prelude::*;

use super::*;
use crate::gateway::credentials::algorithm::Algorithm;
use crate::gateway::credentials::key_set::KeySet;
use crate::gateway::credentials::signed::{MAX_TOKEN_BYTES, Signed};
use crate::gateway::problem::Code;

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn claims() -> String {
    json!({"iss": "https://id.example", "aud": "api", "sub": "root", "exp": 1_800_003_600}).to_string()
}

#[tokio::test]
async fn a_good_token_of_the_secret_is_good() {
    let caller = judged(&secret(), &with_header(&json!({"alg": "HS256"}))).await.unwrap();
    assert_eq!(
        caller.user.as_deref(),
        Some("u_7"),
        "or the refusals below prove nothing"
    );
}

#[tokio::test]
async fn the_public_key_is_no_secret() {
    let pem = include_str!("fixtures/rsa.pem");
    let of_pem = tokens(&format!("public_key = '''{pem}'''\nalgorithms = [\"RS256\"]"));
    for secret in [pem.to_owned(), pem.trim().to_owned(), KEYS_JSON.to_owned()] {
        for header in [json!({"alg": "HS256"}), json!({"alg": "HS256", "kid": "rsa-RS256"})] {
            let forged = signed(&header.to_string(), &claims(), secret.as_bytes());
            assert_eq!(refused(&all(), &forged).await, Reason::Algorithm);
            assert_eq!(refused(&of_pem, &forged).await, Reason::Algorithm);
        }
    }
}

#[tokio::test]
async fn a_token_signed_with_nothing_is_refused_in_every_spelling() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for token in [
            format!("{}.{}.", b64(&json!({"alg": alg}).to_string()), b64(&claims())),
            with_header(&json!({"alg": alg})),
        ] {
            assert_eq!(refused(&secret(), &token).await, Reason::Algorithm, "{alg}");
            assert_eq!(refused(&all(), &token).await, Reason::Algorithm, "{alg}");
        }
    }
}

#[tokio::test]
async fn a_token_without_its_signature_is_refused() {
    for (algorithm, token) in TOKENS {
        let [header, claims, _] = parts(token.trim());
        assert_eq!(
            refused(&all(), &format!("{header}.{claims}.")).await,
            Reason::BadSignature,
            "{algorithm}"
        );
        assert_eq!(
            refused(&all(), &format!("{header}.{claims}")).await,
            Reason::Malformed,
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn a_header_of_another_token_does_not_fit() {
    for (one, _) in TOKENS {
        for (other, _) in TOKENS.into_iter().filter(|(other, _)| *other != one) {
            let [header, ..] = parts(token(other));
            let [_, claims, signature] = parts(token(one));
            let mixed = format!("{header}.{claims}.{signature}");
            assert_eq!(refused(&all(), &mixed).await, Reason::BadSignature, "{one} as {other}");
        }
    }
}

#[tokio::test]
async fn a_key_is_used_with_its_own_algorithm_only() {
    let tokens = all();
    for (kid, alg) in [
        ("rsa-RS256", "PS256"),
        ("rsa-PS256", "RS256"),
        ("p256-ES256", "ES384"),
        ("p384-ES384", "ES256"),
    ] {
        let forged = signed(&json!({"alg": alg, "kid": kid}).to_string(), &claims(), b"x");
        assert_eq!(refused(&tokens, &forged).await, Reason::Algorithm, "{kid} with {alg}");
    }
}

#[tokio::test]
async fn an_algorithm_that_the_configuration_does_not_name_is_refused() {
    assert_eq!(
        refused(&published("[\"ES256\"]"), token("RS256")).await,
        Reason::Algorithm
    );
    assert_eq!(
        refused(&published("[\"ES256\"]"), &with_header(&json!({"alg": "HS512"}))).await,
        Reason::Algorithm
    );
}

#[test]
fn a_key_on_a_curve_that_its_name_denies_is_no_key() {
    let ec = |crv: &str, x: &str, alg: &str| {
        json!({"keys": [{"kty": "EC", "crv": crv, "alg": alg, "x": x, "y": x}]}).to_string()
    };
    let allowed = [Algorithm::Es256, Algorithm::Es384];
    let (short, long) = ("A".repeat(43), "A".repeat(64));
    assert!(
        KeySet::parse(ec("P-256", &short, "ES256").as_bytes(), &allowed).is_ok(),
        "the right one"
    );
    for wrong in [
        ec("P-256", &long, "ES256"),
        ec("P-384", &short, "ES384"),
        ec("P-256", &short, "ES384"),
        ec("P-521", &long, "ES512"),
    ] {
        assert!(KeySet::parse(wrong.as_bytes(), &allowed).is_err(), "{wrong}");
    }
}

#[test]
fn a_published_set_gives_only_public_keys_for_signatures() {
    let one = |more: Value| {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)});
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        KeySet::parse(
            json!({"keys": [key]}).to_string().as_bytes(),
            &[Algorithm::EdDsa, Algorithm::Hs256],
        )
    };
    assert!(
        one(json!({})).is_ok() && one(json!({"use": "sig"})).is_ok() && one(json!({"key_ops": ["verify"]})).is_ok()
    );
    for wrong in [
        json!({"use": "enc"}),
        json!({"key_ops": ["sign"]}),
        json!({"alg": "HS256"}),
        json!({"alg": "RS256"}),
        json!({"crv": "X25519"}),
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"x": "AAAA"}),
        json!({"x": "***"}),
    ] {
        assert!(one(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_key_of_a_new_kind_does_not_spoil_the_others() {
    let mut set: Value = serde_json::from_str(KEYS_JSON).unwrap();
    set["keys"]
        .as_array_mut()
        .unwrap()
        .extend([json!({"kty": "AKP", "alg": "ML-DSA-44"}), json!(7), json!({})]);
    assert_eq!(
        KeySet::parse(set.to_string().as_bytes(), &[Algorithm::EdDsa, Algorithm::Es256])
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_header_must_say_what_we_understand_and_nothing_else() {
    for (header, expected) in [
        (json!({"alg": "HS256", "typ": "at+JWT"}), None),
        (json!({"alg": "HS256", "typ": "application/jwt"}), None),
        (json!({"alg": "HS256", "kid": "whatever"}), None),
        (json!({"alg": "HS256", "typ": "logout+jwt"}), Some(Reason::WrongType)),
        (json!({"alg": "HS256", "typ": "JOSE"}), Some(Reason::WrongType)),
        (
            json!({"alg": "HS256", "crit": ["b64"], "b64": false}),
            Some(Reason::Critical),
        ),
        (json!({"alg": "HS256", "crit": []}), Some(Reason::Critical)),
        (json!({"alg": ["HS256"]}), Some(Reason::Malformed)),
        (json!({"typ": "JWT"}), Some(Reason::Malformed)),
        (json!([]), Some(Reason::Malformed)),
    ] {
        assert_eq!(
            judged(&secret(), &with_header(&header)).await.err(),
            expected,
            "{header}"
        );
    }
}

#[tokio::test]
async fn names_that_are_there_twice_are_refused_in_header_and_claims() {
    let good = json!({"exp": 1_800_003_600}).to_string();
    for (header, claims) in [
        (r#"{"alg":"HS256","alg":"HS256"}"#, good.as_str()),
        (r#"{"alg":"none","alg":"HS256"}"#, good.as_str()),
        (r#"{"alg":"HS256"}"#, r#"{"exp":1800003600,"sub":"a","sub":"b"}"#),
        (r#"{"alg":"HS256"}"#, r#"{"exp":1,"exp":1800003600}"#),
    ] {
        let refused = refused(&secret(), &signed(header, claims, SECRET.as_bytes())).await;
        assert!(
            matches!(refused, Reason::Malformed | Reason::Algorithm),
            "{header} {claims} {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_token_of_8_kib_is_the_largest() {
    let fill = |size: usize| {
        let claims = json!({"exp": 1_800_003_600, "fill": "x".repeat(size)}).to_string();
        signed(r#"{"alg":"HS256"}"#, &claims, SECRET.as_bytes())
    };
    let largest = (0..6_200)
        .rev()
        .map(fill)
        .find(|token| token.len() <= MAX_TOKEN_BYTES)
        .unwrap();
    assert!(largest.len() >= MAX_TOKEN_BYTES - 2);
    assert!(judged(&secret(), &largest).await.is_ok());
    assert_eq!(refused(&secret(), &format!("{largest}AAA")).await, Reason::TooLarge);
}

#[tokio::test]
async fn the_client_reads_the_same_of_every_forgery_and_the_truth_of_an_old_token() {
    let tokens = all();
    let mut details = Vec::new();
    for forged in [
        "",
        "a.b.c",
        &with_header(&json!({"alg": "none"})),
        &format!("{}A", token("ES256")),
        &with_header(&json!({"alg": "HS256"})),
    ] {
        let problem = tokens.verify(forged, NOW).await.unwrap_err();
        assert_eq!(problem.code(), Code::InvalidToken);
        details.push(problem.detail().to_owned());
    }
    details.dedup();
    assert_eq!(details, ["the token is not valid here"]);
    let old = tokens
        .verify(token("ES256"), NOW.plus_micros(1_000_000_000_000))
        .await
        .unwrap_err();
    assert_eq!(old.detail(), "the token has expired");
}

#[tokio::test]
async fn a_token_that_is_known_is_read_once_and_refused_from_its_end_on() {
    let (tokens, token) = (all(), token("ES256"));
    let first = tokens.judge(token, NOW).await.unwrap();
    let again = tokens.judge(token, NOW).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    let later = NOW.plus_micros(1_000_000_000_000);
    assert_eq!(tokens.judge(token, later).await, Err(Reason::Expired));
    let almost = &token[..token.len() - 1];
    assert!(
        tokens.judge(almost, NOW).await.is_err(),
        "what it begins with is another"
    );
}

#[tokio::test]
async fn each_refusal_is_counted_by_its_reason() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let tokens = metrics::with_local_recorder(&recorder, secret);
    let old = signed(r#"{"alg":"HS256"}"#, r#"{"exp":1}"#, SECRET.as_bytes());
    for token in [
        old.as_str(),
        &old,
        &with_header(&json!({"alg": "none"})),
        &with_header(&json!({"alg": "HS256"})),
    ] {
        let _ = tokens.verify(token, NOW).await;
    }
    let seen = recorder.handle().render();
    let count = |reason: &str, times: u32| {
        let line = format!("gateway_auth_failures_total{{reason=\"{reason}\"}} {times}\n");
        assert!(seen.contains(&line), "{line}{seen}");
    };
    count("expired", 2);
    count("algorithm", 1);
    count("bad_signature", 0);
}

/// The judgement without a runtime of its own: nothing here waits.
fn judge(tokens: &Tokens, token: &str) -> Result<Arc<Caller>, Reason> {
    futures_util::FutureExt::now_or_never(tokens.judge(token, NOW)).expect("given keys never wait")
}

/// Any character that could stand in a token, and some that could not.
fn replacement() -> impl Strategy<Value = char> {
    prop_oneof![9 => "[A-Za-z0-9_.-]".prop_map(|text| text.chars().next().unwrap()), 1 => prop::char::range('\u{1}', '\u{7f}')]
}

proptest! {
    #[test]
    fn a_good_token_with_one_byte_changed_is_refused(
        (which, at, other) in (0..TOKENS.len() + 1, any::<prop::sample::Index>(), replacement()),
    ) {
        let (tokens, good) = match TOKENS.get(which) {
            Some((_, token)) => (all(), token.trim().to_owned()),
            None => (secret(), with_header(&json!({"alg": "HS256", "typ": "JWT"}))),
        };
        prop_assert!(judge(&tokens, &good).is_ok());
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = other as u8;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(changed == good || judge(&tokens, &changed).is_err(), "{}", changed);
    }

    #[test]
    fn nothing_that_is_sent_panics(text in "\\PC*|[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]*") {
        prop_assert!(judge(&secret(), &text).is_err());
    }

    #[test]
    fn no_header_and_no_claims_panic_even_when_they_are_signed(header in "\\PC{0,40}", claims in "\\PC{0,80}") {
        let _ = judge(&secret(), &signed(&header, &claims, SECRET.as_bytes()));
        let _ = judge(&secret(), &signed(r#"{"alg":"HS256"}"#, &claims, SECRET.as_bytes()));
    }

    #[test]
    fn no_set_and_no_pem_panics(
        json in "\\PC{0,60}|\\{\"keys\":\\[\\{\"kty\":\"(EC|RSA|OKP)\",\"crv\":\"P-(256|384)\",\"[nx]\":\"[A-Za-z]{0,50}\",\"[ey]\":\"[A-Z]{0,9}\"\\}\\]\\}",
        der in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let _ = KeySet::parse(json.as_bytes(), &[Algorithm::Rs256, Algorithm::Es256]);
        let _ = crate::gateway::credentials::spki::read(&der);
    }

    #[test]
    fn a_public_key_cut_anywhere_is_none(cut in any::<prop::sample::Index>()) {
        use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
        for pem in [include_str!("fixtures/rsa.pem"), include_str!("fixtures/p256.pem"), include_str!("fixtures/ed25519.pem")] {
            let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).unwrap();
            let whole = crate::gateway::credentials::spki::read(&der);
            prop_assert!(whole.is_some());
            prop_assert_eq!(crate::gateway::credentials::spki::read(&der[..cut.index(der.len())]), None);
        }
    }
}

#[test]
fn a_token_is_read_without_its_signature_being_believed() {
    let [header, ..] = parts(token("ES256"));
    let forged = format!("{header}.{}.AAAA", b64(&claims()));
    assert!(
        Signed::read(&forged).is_ok_and(|token| token.claims().is_ok()),
        "reading is not believing"
    );
    assert_eq!(judge(&all(), &forged).unwrap_err(), Reason::BadSignature);
}
