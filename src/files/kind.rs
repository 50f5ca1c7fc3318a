//! What a file is called and what it is: names without a path, and an extension that agrees with the type, else clients show a link
//! instead of the picture.

/// A name and a media type that agree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kind {
    /// Without a path, at most 120 characters, with an extension of the type.
    pub name: String,
    /// Lower case, without parameters.
    pub content_type: String,
}

const NAME_CHARS_MAX: usize = 120;
const UNKNOWN: &str = "application/octet-stream";

/// The usual extension, where the table of all of them begins with another one.
const USUAL: [(&str, &str); 24] = [
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("audio/aac", "aac"),
    ("audio/amr", "amr"),
    ("audio/mp4", "m4a"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/wav", "wav"),
    ("image/gif", "gif"),
    ("image/heic", "heic"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tif"),
    ("image/webp", "webp"),
    ("message/rfc822", "eml"),
    ("text/calendar", "ics"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/vcard", "vcf"),
    ("video/3gpp", "3gp"),
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
];

/// Extensions that are as good as the usual one.
const ALSO: [(&str, &str); 8] = [
    ("image/jpeg", "jpeg"),
    ("image/tiff", "tiff"),
    ("text/html", "htm"),
    ("video/mp4", "m4v"),
    ("audio/ogg", "oga"),
    ("audio/ogg", "opus"),
    ("text/vcard", "vcard"),
    ("video/3gpp", "3gpp"),
];

/// What a file is, by its content where that tells, else by what was said of it, else by its name.
pub fn of(name: &str, said: Option<&str>, content: &[u8]) -> Kind {
    let name = base_name(name);
    let said = said.and_then(plain_type).filter(|said| said != UNKNOWN);
    let seen = infer::get(content).map(|kind| kind.mime_type());
    let content_type = match (seen, said) {
        (Some(seen), Some(said)) if may_be(seen, &said) => said,
        (Some(seen), _) => same_as(seen).to_owned(),
        // A picture that no picture begins like is none; neither is a film, nor a recording.
        (None, Some(said)) if !is_media(&said) || content.is_empty() => said,
        (None, _) => by_name(&name),
    };
    Kind {
        name: with_extension(&name, &content_type),
        content_type,
    }
}

/// What is said of a file that nobody has seen yet.
pub fn said(name: &str, content_type: Option<&str>) -> Kind {
    of(name, content_type, &[])
}

/// Whether a content that looks like `seen` may well be what was said: containers look alike.
fn may_be(seen: &str, said: &str) -> bool {
    let said_is = |kind: &str| said.starts_with(kind);
    match seen {
        _ if seen == said => true,
        // An office document, an e-book, an app.
        "application/zip" | "application/x-ole-storage" | "application/gzip" => {
            said_is("application/")
        }
        "text/xml" | "text/html" => said_is("text/") || said_is("application/"),
        "video/mp4" | "video/quicktime" | "video/3gpp" | "video/webm" | "audio/ogg"
        | "audio/m4a" => said_is("video/") || said_is("audio/"),
        _ => false,
    }
}

/// The registered name of a type that goes by others too.
fn same_as(seen: &str) -> &str {
    match seen {
        "audio/m4a" => "audio/mp4",
        "audio/x-wav" => "audio/wav",
        "audio/x-flac" => "audio/flac",
        "image/heif" => "image/heic",
        "image/vnd.microsoft.icon" => "image/x-icon",
        other => other,
    }
}

fn is_media(content_type: &str) -> bool {
    // Old phones' recordings and pictures that are text begin like nothing that is known.
    const UNSEEN: [&str; 3] = ["audio/amr", "image/svg+xml", "audio/amr-wb"];
    let kind = content_type.split('/').next().unwrap_or_default();
    matches!(kind, "image" | "audio" | "video") && !UNSEEN.contains(&content_type)
}

fn by_name(name: &str) -> String {
    let guessed = mime_guess::from_path(name).first_raw();
    guessed
        .and_then(plain_type)
        .filter(|guessed| !is_media(guessed))
        .unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The type alone, lower case; `None` for what is no type.
pub fn plain_type(said: &str) -> Option<String> {
    let plain = said.split(';').next()?.trim().to_ascii_lowercase();
    let (kind, subtype) = plain.split_once('/')?;
    let good = |word: &str| {
        !word.is_empty()
            && word.len() <= 80
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let known = match plain.as_str() {
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "audio/mp3" => "audio/mpeg",
        "text/x-vcard" => "text/vcard",
        plain => plain,
    };
    (good(kind) && good(subtype)).then(|| known.to_owned())
}

/// The name without a path and without what would mislead or break: control characters, changes of direction, leading dots.
pub fn base_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let misleading = |char: char| {
        char.is_control()
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
            || "<>:\"|?*".contains(char)
    };
    let clean: String = base.chars().filter(|char| !misleading(*char)).collect();
    let leads = |char: char| char == '.' || char.is_whitespace();
    let clean = clean.trim_start_matches(leads).trim_end();
    if clean.is_empty() {
        return "file".to_owned();
    }
    shortened(clean)
}

/// The extension stays.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let extension = extension(name).map_or(String::new(), |extension| format!(".{extension}"));
    let room = NAME_CHARS_MAX.saturating_sub(extension.chars().count());
    let start: String = name.chars().take(room).collect();
    format!("{}{extension}", start.trim_end())
}

fn extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    let good = !stem.is_empty()
        && (1..=10).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    good.then_some(extension)
}

fn with_extension(name: &str, content_type: &str) -> String {
    let found = extension(name).map(str::to_ascii_lowercase);
    if content_type == UNKNOWN {
        return name.to_owned();
    }
    let Some(wanted) = usual(content_type) else {
        return name.to_owned();
    };
    let fits = |found: &str| {
        found == wanted
            || ALSO.contains(&(content_type, found))
            || mime_guess::from_ext(found)
                .iter_raw()
                .any(|known| known == content_type)
    };
    match &found {
        Some(found) if fits(found) => name.to_owned(),
        // Another type's extension is wrong and goes; what only looks like one is a part of the name.
        Some(found) if !mime_guess::from_ext(found).is_empty() => {
            let stem = name.get(..name.len() - found.len() - 1).unwrap_or_default();
            shortened(&format!("{stem}.{wanted}"))
        }
        _ => shortened(&format!("{name}.{wanted}")),
    }
}

fn usual(content_type: &str) -> Option<&'static str> {
    let table = USUAL
        .iter()
        .find(|(known, _)| *known == content_type)
        .map(|(_, extension)| *extension);
    table.or_else(|| {
        mime_guess::get_mime_extensions_str(content_type)?
            .first()
            .copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";

    fn kind(name: &str, said: Option<&str>, content: &[u8]) -> (String, String) {
        let kind = of(name, said, content);
        (kind.name, kind.content_type)
    }

    #[test]
    fn the_content_decides_and_the_extension_follows() {
        for (name, said, content, want) in [
            ("x.png", Some("image/png"), PNG, ("x.png", "image/png")),
            ("x.png", Some("image/png"), JPEG, ("x.jpg", "image/jpeg")),
            ("x.jpeg", Some("image/jpg"), JPEG, ("x.jpeg", "image/jpeg")),
            ("x", None, PNG, ("x.png", "image/png")),
            ("x.v2", None, PNG, ("x.v2.png", "image/png")),
            ("", Some("text/html"), PNG, ("file.png", "image/png")),
            (
                "evil.exe",
                Some("image/png"),
                PNG,
                ("evil.png", "image/png"),
            ),
            (
                "x.docx",
                Some("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
                b"PK\x03\x04........",
                (
                    "x.docx",
                    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                ),
            ),
            (
                "x.txt",
                Some("text/plain; charset=utf-8"),
                b"hello",
                ("x.txt", "text/plain"),
            ),
            ("notes", None, b"hello", ("notes", UNKNOWN)),
            ("card.vcf", None, b"BEGIN:VCARD", ("card.vcf", "text/vcard")),
            // Said to be a picture, and none.
            (
                "x.png",
                Some("image/png"),
                b"\x01\x02nonsense",
                ("x.png", UNKNOWN),
            ),
            (
                "x.png",
                Some("image/png"),
                b"<html>",
                ("x.html", "text/html"),
            ),
            (
                "v.amr",
                Some("audio/AMR"),
                b"#!AMR\n<\x91\x17\x16\xbe\x66\x79",
                ("v.amr", "audio/amr"),
            ),
        ] {
            let (name_got, type_got) = kind(name, said, content);
            assert_eq!(
                (name_got.as_str(), type_got.as_str()),
                want,
                "{name} {said:?}"
            );
        }
    }

    #[test]
    fn what_is_only_said_is_believed_until_it_is_seen() {
        assert_eq!(said("x", Some("image/jpeg")).name, "x.jpg");
        assert_eq!(said("x.PNG", None).content_type, UNKNOWN);
    }

    #[test]
    fn names_have_no_path_and_do_not_mislead() {
        for (name, want) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\bob\\x.doc", "x.doc"),
            ("..", "file"),
            (".htaccess", "htaccess"),
            (". .htaccess", "htaccess"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("a\r\nb\0.txt", "ab.txt"),
            ("  ", "file"),
            ("Grüße an 👋.txt", "Grüße an 👋.txt"),
        ] {
            assert_eq!(base_name(name), want);
        }
        let long = base_name(&format!("{}.jpeg", "é".repeat(500)));
        assert_eq!(long.chars().count(), NAME_CHARS_MAX);
        assert!(long.ends_with("é.jpeg"));
        let cut_behind_a_blank = base_name(&format!(
            "{} {}",
            "é".repeat(NAME_CHARS_MAX - 1),
            "é".repeat(9)
        ));
        assert_eq!(cut_behind_a_blank, "é".repeat(NAME_CHARS_MAX - 1));
    }

    #[test]
    fn types_are_plain() {
        assert_eq!(
            plain_type("Text/HTML; charset=x").as_deref(),
            Some("text/html")
        );
        for text in ["", "text", "a/b/c", "text/", "te xt/x", "text/\r\nX: y"] {
            assert_eq!(plain_type(text), None, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_name_is_always_safe(name in "\\PC{0,300}", said in proptest::option::of("\\PC{0,40}"), content: Vec<u8>) {
            let kind = of(&name, said.as_deref(), &content);
            proptest::prop_assert!(!kind.name.is_empty() && kind.name.chars().count() <= NAME_CHARS_MAX);
            proptest::prop_assert!(!kind.name.contains(['/', '\\', '\0', '\n']) && !kind.name.starts_with('.'));
            proptest::prop_assert!(plain_type(&kind.content_type).is_some());
            // What it is does not change when it is looked at again.
            proptest::prop_assert_eq!(of(&kind.name, Some(&kind.content_type), &content), kind);
        }
    }
}
