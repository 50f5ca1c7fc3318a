//! The languages and how one is chosen.

/// A language that every sentence exists in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The language of an `xml:lang`, or else `otherwise`: the gateway's own.
    pub fn negotiate(xml_lang: Option<&str>, otherwise: Self) -> Self {
        xml_lang.and_then(Self::from_tag).unwrap_or(otherwise)
    }

    /// The language of a tag such as `de-AT` (RFC 5646 §2.2.1: the first subtag is the language).
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.trim();
        Self::ALL
            .into_iter()
            .find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The tag for `xml:lang`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_case_do_not_matter() {
        for (tag, want) in [
            ("de-AT", Lang::De),
            ("DE", Lang::De),
            ("de_CH.UTF-8", Lang::De),
            ("en-GB", Lang::En),
            ("fr", Lang::En),
            ("", Lang::En),
            ("deu", Lang::En),
        ] {
            assert_eq!(Lang::negotiate(Some(tag), Lang::En), want, "{tag}");
        }
        assert_eq!(Lang::negotiate(None, Lang::De), Lang::De);
        assert_eq!(Lang::negotiate(Some("fr"), Lang::De), Lang::De);
    }
}
