//! Who calls: Plivo signs by V2, and where an account has it by V3 too, which covers everything.

use http::Method;
use secrecy::SecretString;
use transom_adapter::{Refused, WebRequest};

use crate::provider::{
    fields::Fields,
    signature::{header, hmac_sha256_base64, required},
};

/// Checks V3 where it is there, else V2. A subaccount's calls are signed a second time with the token of its main account, in the
/// header `-Ma-`; either will do.
///
/// # Errors
///
/// [`Refused`].
pub(super) fn verify(request: &WebRequest<'_>, token: &SecretString) -> Result<(), Refused> {
    let has = |name| header(request.headers, name).is_some();
    if has("x-plivo-signature-v3") || has("x-plivo-signature-ma-v3") {
        let nonce = required(request, "x-plivo-signature-v3-nonce")?;
        let names = ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"];
        let signed = signed(request).ok_or(Refused::Malformed)?;
        return any_of(names, request, token, [&*signed, b".", nonce.as_bytes()]);
    }
    let nonce = required(request, "x-plivo-signature-v2-nonce")?;
    let names = ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"];
    let (url, _) = halves(request.public_url);
    any_of(names, request, token, [url.as_bytes(), nonce.as_bytes()])
}

/// Whether one of the signatures is right; a header may list several.
fn any_of<const N: usize>(
    names: [&str; 2],
    request: &WebRequest<'_>,
    token: &SecretString,
    message: [&[u8]; N],
) -> Result<(), Refused> {
    let macs = names.map(|name| header(request.headers, name));
    let macs = macs.into_iter().flatten();
    let mut macs = macs.flat_map(|macs| macs.split(',')).take(8).peekable();
    macs.peek().ok_or(Refused::Unsigned)?;
    if macs.any(|mac| hmac_sha256_base64(token, message, mac).is_ok()) {
        Ok(())
    } else {
        Err(Refused::Forged)
    }
}

/// What V3 signs, without the nonce: the URL, its query sorted, and behind a dot the fields of a form sorted; `None` when there are
/// too many.
fn signed(request: &WebRequest<'_>) -> Option<Vec<u8>> {
    let (url, query) = halves(request.public_url);
    let query = Fields::parse(query.as_bytes())?;
    let form = if request.method == Method::POST {
        Fields::parse(request.body)?
    } else {
        Fields::default()
    };
    let (query, form) = (query.sorted(), form.sorted());
    let mut signed = url.as_bytes().to_vec();
    if !query.is_empty() || !form.is_empty() {
        signed.push(b'?');
    }
    for (place, (name, value)) in query.iter().enumerate() {
        let parts: [&[u8]; 4] = [if place == 0 { b"" } else { b"&" }, name, b"=", value];
        signed.extend(parts.concat());
    }
    if !query.is_empty() && !form.is_empty() {
        signed.push(b'.');
    }
    signed.extend(
        form.iter()
            .flat_map(|(name, value)| [*name, *value].concat()),
    );
    Some(signed)
}

fn halves(url: &str) -> (&str, &str) {
    url.split_once('?').unwrap_or((url, ""))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const URL: &str = "https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml";
    const NONCE: &str = "31627761595286130198";

    /// The fields of the vectors in Plivo's Go library.
    const FIELDS: &[(&str, &str)] = &[
        ("Direction", "outbound"),
        ("From", "19792014278"),
        ("ALegUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
        ("CallStatus", "in-progress"),
        ("BillRate", "0.002"),
        ("ParentAuthID", "MANWVLYTK4ZWU1YTY4QA"),
        (
            "To",
            "sip:PlivoSignature382029104058171078704104@phone-qa.voice.plivodev.com",
        ),
        ("ALegRequestUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
        ("CallUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
        ("RequestUUID", "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"),
        (
            "SIP-H-To",
            "<sip:PlivoSignature382029104058171078704104@52.9.11.55;transport=udp>;tag=1",
        ),
        ("SessionStart", "2020-04-08 11:34:33.238707"),
        ("Event", "StartApp"),
    ];

    fn check(
        method: &Method,
        url: &str,
        form: &str,
        headers: &[(&str, &str)],
    ) -> Result<(), Refused> {
        let headers = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        let headers: HeaderMap = headers.collect();
        let request = WebRequest {
            method,
            public_url: url,
            query: halves(url).1,
            token: None,
            headers: &headers,
            body: form.as_bytes(),
            peer: None,
        };
        verify(&request, &"Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4".into())
    }

    #[test]
    fn plivos_own_third_signatures_verify() {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(FIELDS)
            .finish();
        for (method, query, mac) in [
            (
                Method::POST,
                "/?a=b&c=d",
                "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c=",
            ),
            (
                Method::GET,
                "/?a=b&c=d&",
                "UBq8jAtd32wR8EK9VgxbBn4n5rpI/l1H9iN4WfSEHFQ=",
            ),
            (
                Method::POST,
                "",
                "iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0=",
            ),
            (
                Method::GET,
                "?",
                "i/MQsaQSAd6fiKhOh2qeeeLHZ9faldADSb3/7+Akfbc=",
            ),
        ] {
            let (url, body) = match method {
                Method::GET => (format!("{URL}{query}{form}"), ""),
                _ => (format!("{URL}{query}"), &*form),
            };
            let mut headers = [
                ("x-plivo-signature-v3", mac),
                ("x-plivo-signature-v3-nonce", NONCE),
            ];
            assert_eq!(
                check(&method, &url, body, &headers),
                Ok(()),
                "{method} {query}"
            );
            let changed = format!("{body}&Text=forged");
            let forged = match method {
                Method::GET => check(&method, &format!("{url}&Text=forged"), "", &headers),
                _ => check(&method, &url, &changed, &headers),
            };
            assert_eq!(forged, Err(Refused::Forged), "{method} {query}");
            headers[1].1 = "31627761595286130199";
            assert_eq!(check(&method, &url, body, &headers), Err(Refused::Forged));
        }
    }

    #[test]
    fn a_third_signature_that_is_wrong_is_not_made_good_by_a_second() {
        let mut headers = vec![
            (
                "x-plivo-signature-v2",
                "z1Zf/zOTsvk5AuvMaknxlIj7gXyTwkJx0xLmJQZGfec=",
            ),
            ("x-plivo-signature-v2-nonce", NONCE),
        ];
        let second = check(&Method::POST, URL, "", &headers);
        headers.push(("x-plivo-signature-v3", "AAAA"));
        assert_eq!(
            check(&Method::POST, URL, "", &headers),
            Err(Refused::Unsigned)
        );
        headers.push(("x-plivo-signature-v3-nonce", NONCE));
        assert_eq!(second, Ok(()));
        assert_eq!(
            check(&Method::POST, URL, "", &headers),
            Err(Refused::Forged)
        );
    }
}
