//! What mail programs write around a quotation, in the languages they write it in.

/// Name, address in brackets, date with year and time: nobody writes that by hand.
pub(super) fn is_full_attribution(line: &str) -> bool {
    let closed = line.ends_with(':') || ends_with_verb(line);
    closed
        && has_bracketed_address(line)
        && has_time(line)
        && (has_year(line) || contains_verb(line))
}

/// `Von: …`, `*Sent:* …`: a short word or three before a colon.
pub(super) fn label(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_matches(['*', ' ']);
    let words = name.split_whitespace().count();
    let is_label = (1..=3).contains(&words)
        && name.chars().count() <= 20
        && name
            .chars()
            .all(|c| c.is_alphabetic() || c == ' ' || c == '-')
        && name
            .chars()
            .next()
            .is_some_and(|c| c.is_uppercase() || !c.is_ascii());
    is_label.then(|| (name, value.trim_start_matches('*').trim()))
}

/// Somebody else's mail that is passed on is not known to the reader.
pub(super) fn is_forward(line: &str) -> bool {
    let lower = line.to_lowercase();
    let ruled = lower.starts_with("---") || lower.starts_with("begin forwarded");
    let words = [
        "forwarded",
        "weitergeleitet",
        "transféré",
        "transmis",
        "reenviado",
        "inoltrat",
        "encaminhad",
        "doorgestuurd",
        "przekazan",
        "videresendt",
        "vidarebefordra",
        "välitetty",
        "пересыла",
        "переслан",
        "továbbított",
        "přeposlan",
        "转发",
        "転送",
    ];
    ruled && words.iter().any(|word| lower.contains(word))
}

/// "Sent from my …" in the languages of mail programs, unless it is a sentence.
pub(super) fn is_device(line: &str) -> bool {
    let said = line.split('<').next().unwrap_or_default().trim();
    let is_sentence = said.contains([',', '!', '?']) || said.trim_end().ends_with('.');
    let starts = [
        "sent from my ",
        "sent from outlook",
        "sent from mail for ",
        "sent from yahoo mail",
        "sent from proton mail",
        "sent from typeapp",
        "sent via ",
        "get outlook for ",
        "sent with ",
        "gesendet mit ",
        "von meinem ",
        "gesendet von meine",
        "envoyé de mon ",
        "envoyé depuis mon ",
        "envoyé à partir d",
        "envoyé de ",
        "enviado desde mi ",
        "enviado do meu ",
        "enviado a partir d",
        "inviato da ",
        "inviato dal mio ",
        "verzonden vanaf mijn ",
        "verstuurd vanaf mijn ",
        "wysłane z ",
        "отправлено с ",
        "отправлено из ",
        "skickat från min ",
        "sendt fra min ",
        "lähetetty ",
        "odesláno z ",
        "发自我的",
        "iphoneから送信",
    ];
    let lower = said.to_lowercase();
    !is_sentence
        && said.chars().count() <= 60
        && starts.iter().any(|start| lower.starts_with(start))
}

/// "On", "Am", "Le", or a date at once.
pub(super) fn opens_attribution(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let lower = first.trim_end_matches([',', '.']).to_lowercase();
    let openers = [
        "on", "am", "le", "el", "il", "em", "op", "dnia", "w", "den", "pe", "in", "på", "dne",
        "ve", "at", "vào", "man", "tir", "tirs", "ons", "tor", "tors", "fre", "lør", "lör", "søn",
        "sön", "mån", "ma", "ti", "ke", "to", "la", "su", "пн", "вт", "ср", "чт", "пт", "сб", "вс",
        "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    ];
    openers.contains(&lower.as_str()) || first.chars().next().is_some_and(|c| c.is_ascii_digit())
}

/// "wrote" in the languages of mail programs.
const VERBS: &[&str] = &[
    "wrote",
    "writes",
    "schrieb",
    "écrit",
    "escribió",
    "escribio",
    "scritto",
    "escreveu",
    "schreef",
    "napisał",
    "skrev",
    "kirjoitti",
    "írta",
    "napsal",
    "написал",
    "пише",
    "писал",
    "yazdı",
    "写道",
    "写到",
    "書きました",
    "のメール",
    "a scris",
    "έγραψε",
    "כתב",
    "كتب",
    "viết",
    "tulis",
    "이(가) 작성",
    "님이 작성",
];

pub(super) fn contains_verb(line: &str) -> bool {
    let lower = line.to_lowercase();
    VERBS.iter().any(|verb| lower.contains(verb))
}

pub(super) fn ends_with_verb(line: &str) -> bool {
    let lower = line.to_lowercase();
    let end = lower.trim_end_matches([':', '：', ' ', '\u{a0}']);
    VERBS.iter().any(|verb| end.ends_with(verb))
}

/// `<bob@example.com>`, `(bob@example.com)` or `[mailto:bob@example.com]`.
pub(super) fn has_bracketed_address(line: &str) -> bool {
    line.split(['<', '(', '[']).skip(1).any(|rest| {
        let inner = rest
            .split(['>', ')', ']'])
            .next()
            .unwrap_or_default()
            .trim();
        let inner = inner.strip_prefix("mailto:").unwrap_or(inner);
        inner.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !inner.contains(' ')
        })
    })
}

/// `14:30`, `14.30`, `14h30`.
pub(super) fn has_time(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.windows(4).any(|four| {
        matches!(four, [h, sep, m, n] if h.is_ascii_digit() && b":.h".contains(sep)
            && (b'0'..=b'5').contains(m) && n.is_ascii_digit())
    })
}

/// A year of ours.
pub(super) fn has_year(line: &str) -> bool {
    line.split(|c: char| !c.is_ascii_digit())
        .any(|run| run.len() == 4 && (run.starts_with("19") || run.starts_with("20")))
}
