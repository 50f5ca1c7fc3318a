//! What a refused login means. RFC 5530

/// At this weight a login is refused for good: at once where the server says why, else at the third time.
pub(super) const REFUSED: u32 = 3;

/// Response codes that name a login that does not get better by itself …
const FINAL: [&str; 4] = [
    "[AUTHENTICATIONFAILED]",
    "[AUTHORIZATIONFAILED]",
    "[EXPIRED]",
    "[CONTACTADMIN]",
];
/// … and a server that cannot log anybody in now.
const PASSING: [&str; 4] = ["[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]"];

/// How sure it is that this login will not be taken.
pub(super) fn weight(answer: &str) -> u32 {
    let answer = answer.to_ascii_uppercase();
    let holds = |codes: &[&str]| codes.iter().any(|code| answer.contains(code));
    match () {
        () if holds(&FINAL) => REFUSED,
        () if holds(&PASSING) => 0,
        () => 1,
    }
}

/// What the server wrote, out of what the library makes of it.
pub(super) fn said(answer: &str) -> &str {
    let quoted = answer.split_once("info: Some(\"");
    let text = quoted.and_then(|(_, rest)| rest.rsplit_once("\")"));
    text.map_or(answer, |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_s_reason_decides() {
        assert_eq!(
            weight("[AUTHENTICATIONFAILED] Authentication failed."),
            REFUSED
        );
        assert_eq!(weight("[unavailable] Temporary authentication failure."), 0);
        assert_eq!(weight("Invalid credentials"), 1);
    }

    #[test]
    fn the_server_s_words_are_found() {
        let answer = "code: None, info: Some(\"[AUTHENTICATIONFAILED] Authentication failed.\")";
        assert_eq!(
            said(answer),
            "[AUTHENTICATIONFAILED] Authentication failed."
        );
        assert_eq!(said("plain"), "plain");
    }
}
