//! Signatures that others made.

use jsonwebtoken::jwk::Jwk;

use super::*;
use crate::gateway::caller::Proof;
use crate::gateway::credentials::algorithm::Algorithm;
use crate::gateway::credentials::config::JwtConfig;
use crate::gateway::credentials::key::{Key, public_keys};
use crate::gateway::credentials::key_set::KeySet;
use crate::gateway::credentials::signed::Signed;

/// The claims of RFC 7515 appendix A.1 to A.3.
const RFC_CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// Header, signature and key of RFC 7515 A.1 (HS256), A.2 (RS256) and A.3 (ES256).
const RFC_7515: [(&str, &str, &str); 3] = [
    (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
    ),
    (
        "eyJhbGciOiJSUzI1NiJ9",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#,
    ),
    (
        "eyJhbGciOiJFUzI1NiJ9",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    ),
];

/// A key of the RFCs; that of HMAC is one that nobody publishes, so [`Key::of_jwk`] would not take it.
fn key(jwk: &str) -> Key {
    let jwk: Jwk = serde_json::from_str(jwk).unwrap();
    Key::of_jwk(&jwk).unwrap_or_else(|_| {
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        Key::of_secret(decoding.try_get_as_bytes().unwrap())
    })
}

#[test]
fn the_tokens_of_rfc_7515_are_good_until_they_expire() {
    let config: JwtConfig = toml::from_str("algorithms = []\nissuer = \"joe\"\nleeway = \"0s\"").unwrap();
    for (header, signature, jwk) in RFC_7515 {
        let text = format!("{header}.{RFC_CLAIMS}.{signature}");
        let token = Signed::read(&text).unwrap();
        assert_eq!(KeySet::new(vec![key(jwk)]).check(&token), Ok(()), "{jwk}");
        let claims = token.claims().unwrap();
        assert_eq!(claims.check(&config, Timestamp::from_millis(1_300_819_379_999)), Ok(()));
        assert_eq!(
            claims.check(&config, Timestamp::from_millis(1_300_819_380_000)),
            Err(Reason::Expired)
        );
        assert_eq!(claims.at("http://example.com/is_root"), Some(&Value::Bool(true)));
    }
}

#[test]
fn the_signature_of_rfc_8037_is_good_although_it_signs_no_claims() {
    let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let token = Signed::read(text).unwrap();
    assert_eq!(KeySet::new(vec![key(jwk)]).check(&token), Ok(()));
    assert_eq!(token.claims().unwrap_err(), Reason::Malformed);
}

#[tokio::test]
async fn a_token_of_each_algorithm_made_by_openssl_tells_its_caller() {
    for (algorithm, token) in TOKENS {
        let caller = judged(&all(), token.trim()).await.unwrap();
        assert_eq!(
            (caller.proof, caller.user.as_deref()),
            (Proof::Token, Some("u_7")),
            "{algorithm}"
        );
        assert_eq!(caller.email.as_deref(), Some("ada@example.org"));
        assert_eq!(caller.roles, ["admin", "user"]);
        assert_eq!(caller.scopes, ["orders:read", "orders:write"]);
        assert_eq!(caller.claims["iat"], 1_800_000_000);
    }
}

#[tokio::test]
async fn keys_of_openssl_in_pem_check_the_same_tokens() {
    for (name, algorithm) in [
        ("rsa", "RS256"),
        ("rsa", "PS256"),
        ("p256", "ES256"),
        ("p384", "ES384"),
        ("ed25519", "EdDSA"),
    ] {
        let pem = std::fs::read_to_string(fixtures().join(format!("{name}.pem"))).unwrap();
        let tokens = tokens(&format!("public_key = '''{pem}'''\nalgorithms = [\"{algorithm}\"]"));
        assert!(judged(&tokens, token(algorithm)).await.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn several_keys_in_one_pem_are_all_tried() {
    let pem = [include_str!("fixtures/p256.pem"), include_str!("fixtures/ed25519.pem")].concat();
    let tokens = tokens(&format!(
        "public_key = '''{pem}'''\nalgorithms = [\"ES256\", \"EdDSA\"]"
    ));
    for algorithm in ["ES256", "EdDSA"] {
        assert!(judged(&tokens, token(algorithm)).await.is_ok(), "{algorithm}");
    }
}

#[test]
fn an_rsa_key_of_1024_bits_is_no_key() {
    let why = public_keys(include_str!("fixtures/rsa-short.pem"), &[Algorithm::Rs256]).unwrap_err();
    assert!(why.contains("2048"), "{why}");
}

#[test]
fn a_pem_key_for_another_algorithm_is_said_to_be() {
    let why = public_keys(include_str!("fixtures/p256.pem"), &[Algorithm::Rs256]).unwrap_err();
    assert!(why.contains("none of the algorithms"), "{why}");
}

#[tokio::test]
async fn a_token_expires_by_the_clock_that_it_is_given() {
    let tokens = all();
    let at = |seconds: i64| tokens.judge(token("EdDSA"), Timestamp::from_millis(seconds * 1000));
    assert!(at(1_800_003_629).await.is_ok(), "30 s of leeway");
    assert_eq!(at(1_800_003_630).await.unwrap_err(), Reason::Expired);
    assert!(at(1_799_999_970).await.is_ok());
    assert_eq!(
        at(1_799_999_969).await.unwrap_err(),
        Reason::NotYetValid,
        "made in the future"
    );
}
