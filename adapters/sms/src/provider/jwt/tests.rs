use aws_lc_rs::{
    encoding::AsDer,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::*;
use crate::provider::testing::{NOW, jwt};

const SECRET: &str = "qwertyuiopasdfghjklzxcvbnm123456";

fn check(token: &str) -> Result<Value, Refused> {
    verify(token, &SECRET.into(), NOW)
}

/// From the tests of Vonage's Python library.
#[test]
fn vonages_own_token_verifies() {
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJPbmxpbmUgSldUIEJ1aWxkZXIiLCJpYXQiOjE2OTc2MzQ2ODAsImV4cCI6MzMyNTQ1NDA4MjgsImF1ZCI6IiIsInN1YiI6IiJ9.88vJc3I2HhuqEDixHXVhc9R30tA6U_HQHZTC29y6CGM";
    assert_eq!(check(token).unwrap()["iss"], "Online JWT Builder");
    let wrong = verify(token, &"qwertyuiopasdfghjklzxcvbnm123457".into(), NOW);
    assert_eq!(wrong, Err(Refused::Forged));
}

/// Made with Python's hmac module.
#[test]
fn all_three_macs_verify() {
    for token in [
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJ4IiwibmJmIjoxNzkwMDAwMDAwLCJleHAiOjE3OTAwMDAwNjB9.UvQbET5l-l0BjiuAYR2dbwOZdFJtLc3hmZnc1Qg8kVQ",
        "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJ4IiwibmJmIjoxNzkwMDAwMDAwLCJleHAiOjE3OTAwMDAwNjB9.xgYyy6_JB8sFVTYjQs81bnNBRGzqNQniEPhevWevN6EY_ftBymFtR5IVjtflC7gb",
        "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJ4IiwibmJmIjoxNzkwMDAwMDAwLCJleHAiOjE3OTAwMDAwNjB9.Tyc6FccCnuIclmH5s1xMGyl5jWSGpm6AMKBVgC1rifOBdHiG8qVSTz4cWyfKEhY0ZAqb0vbIUnYHAfEDgnozlA",
    ] {
        assert_eq!(check(token).unwrap()["iss"], "x", "{token}");
        let (signed, mac) = token.rsplit_once('.').unwrap();
        assert_eq!(
            check(&format!("{signed}.{}", mac.replace('A', "B"))).is_ok(),
            !mac.contains('A')
        );
        assert_eq!(check(&format!("{signed}.")), Err(Refused::Forged));
    }
}

#[test]
fn a_token_cannot_choose_how_it_is_checked() {
    let claims = json!({ "iss": "x" });
    for algorithm in ["none", "None", "", "RS256", "ES256", "hs256", "HS384"] {
        let token = jwt(algorithm, &claims, SECRET);
        assert_eq!(check(&token), Err(Refused::Forged), "{algorithm}");
    }
    let unsigned = jwt("none", &claims, SECRET);
    let (signed, _) = unsigned.rsplit_once('.').unwrap();
    assert_eq!(check(&format!("{signed}.")), Err(Refused::Forged));
}

#[test]
fn times_are_heeded_with_a_minute_of_leeway() {
    let now = NOW.0 / 1000;
    for (claims, want) in [
        (json!({}), true),
        (json!({ "exp": now + 10 }), true),
        (json!({ "exp": now - 59 }), true),
        (json!({ "exp": now - 60 }), false),
        (json!({ "exp": 1.5 }), false),
        (json!({ "exp": "tomorrow" }), false),
        (json!({ "nbf": now + 60 }), true),
        (json!({ "nbf": now + 61 }), false),
        (json!({ "iat": now + 61 }), false),
        (json!({ "iat": [] }), false),
        (json!({ "iat": now, "nbf": now, "exp": now + 900 }), true),
    ] {
        let answer = check(&jwt("HS256", &claims, SECRET));
        let want = if want {
            Ok(claims.clone())
        } else {
            Err(Refused::Replayed)
        };
        assert_eq!(answer, want, "{claims}");
    }
}

#[test]
fn what_is_no_token_is_forged() {
    let good = jwt("HS256", &json!({}), SECRET);
    let (signed, mac) = good.rsplit_once('.').unwrap();
    for token in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        signed,
        &format!("{signed}.{mac}="),
        &format!("{signed}.{mac}.{mac}"),
        &format!("x{good}"),
        &jwt("HS256", &json!([]), SECRET),
        &jwt("HS256\",\"crit\":[\"b64\"],\"b64\":\"", &json!({}), SECRET),
    ] {
        assert_eq!(check(token), Err(Refused::Forged), "{token}");
    }
}

#[test]
fn what_we_sign_verifies_with_the_public_key() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(der.as_ref())
    );
    let token = SigningKey::from_pem(&pem)
        .unwrap()
        .sign(&json!({ "jti": "1" }))
        .unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    public.verify(signed.as_bytes(), &signature).unwrap();
    assert!(SigningKey::from_pem("no key").is_none());
    assert!(
        SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .is_none()
    );
}

/// The published cases of `MessageBird`'s webhook tokens, each token once: what it was made for, and whether it holds there. They were
/// all received at noon of the same day in Amsterdam.
#[test]
fn the_published_cases_of_another_provider_come_out_as_they_should() {
    const RECEIVED: UnixMillis = UnixMillis(1_625_479_200_000);
    const SECRET: &str = "36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb";
    const CASES: &str = include_str!("messagebird.json");
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    let hash = |of: &str| crate::provider::testing::sha256_hex(of.as_bytes());
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        let claims = verify(text("token"), &SECRET.into(), RECEIVED);
        let holds = claims.as_ref().is_ok_and(|claims| {
            let payload = text("payload");
            let wanted = (!payload.is_empty()).then(|| hash(payload));
            claims["url_hash"] == hash(text("url"))
                && claims["payload_hash"].as_str() == wanted.as_deref()
        });
        assert_eq!(holds, case["valid"], "{}: {claims:?}", text("name"));
    }
    assert_eq!(cases.len(), 16);
}
