//! Stanza errors (RFC 6120 §8.3).

use std::{fmt, str::FromStr};

use super::{Element, Name};
use crate::xmpp::{jid::Jid, ns};

/// What went wrong with a stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StanzaError {
    /// What the sender can do about it.
    pub kind: ErrorType,
    /// Which error it is.
    pub condition: Condition,
    /// A sentence for people, and its language.
    pub text: Option<(String, String)>,
    /// Who found the error.
    pub by: Option<Jid>,
    /// More about it, in an application's own namespace.
    pub application: Option<Element>,
}

impl StanzaError {
    /// An error of the condition's usual type.
    pub fn new(condition: Condition) -> Self {
        Self {
            kind: condition.usual_type(),
            condition,
            text: None,
            by: None,
            application: None,
        }
    }

    /// Sets what the sender can do about it.
    #[must_use]
    pub fn with_type(mut self, kind: ErrorType) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a sentence for people.
    #[must_use]
    pub fn with_text(mut self, language: impl Into<String>, text: impl Into<String>) -> Self {
        self.text = Some((language.into(), text.into()));
        self
    }

    /// Says who found the error.
    #[must_use]
    pub fn with_by(mut self, by: impl Into<Jid>) -> Self {
        self.by = Some(by.into());
        self
    }

    /// Adds a condition of an application's own.
    #[must_use]
    pub fn with_application(mut self, element: Element) -> Self {
        self.application = Some(element);
        self
    }

    /// The `<error/>` child of a stanza.
    pub fn to_element(&self) -> Element {
        let by = self.by.as_ref().map(Jid::as_str);
        let mut error = Element::new("error", ns::CLIENT)
            .with_attr("type", self.kind.as_str())
            .with_optional_attr("by", by)
            .with_child(self.condition.to_element());
        if let Some((language, text)) = &self.text {
            error.push_child(
                Element::text_only("text", ns::STANZA_ERRORS, text.as_str()).with_optional_attr(
                    "xml:lang",
                    (!language.is_empty()).then_some(language.as_str()),
                ),
            );
        }
        error.with_children(self.application.clone())
    }

    /// Reads an `<error/>`. What is missing or unknown becomes `undefined-condition` and `cancel`: an error
    /// that cannot be read is an error still.
    pub fn from_element(error: &Element) -> Self {
        let condition = error
            .children()
            .find_map(Condition::from_element)
            .unwrap_or(Condition::UndefinedCondition);
        let kind = error.attr("type").and_then(|kind| kind.parse().ok());
        let text = error.child("text", ns::STANZA_ERRORS).map(|text| {
            let language = text.attr("xml:lang").unwrap_or_default();
            (language.to_owned(), text.text().into_owned())
        });
        Self {
            kind: kind.unwrap_or_else(|| condition.usual_type()),
            condition,
            text,
            by: error.attr("by").and_then(|by| Jid::new(by).ok()),
            application: error
                .children()
                .find(|child| child.namespace() != ns::STANZA_ERRORS)
                .cloned(),
        }
    }
}

impl fmt::Display for StanzaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.condition.name(), self.kind.as_str())?;
        match &self.text {
            Some((_, text)) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StanzaError {}

/// What the sender of a stanza can do about an error (RFC 6120 §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// Retry after showing who one is.
    Auth,
    /// Do not retry.
    Cancel,
    /// Go on: it was only a warning.
    Continue,
    /// Retry after changing what was sent.
    Modify,
    /// Retry later.
    Wait,
}

impl ErrorType {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }
}

impl FromStr for ErrorType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "auth" => Self::Auth,
            "cancel" => Self::Cancel,
            "continue" => Self::Continue,
            "modify" => Self::Modify,
            "wait" => Self::Wait,
            _ => return Err(()),
        })
    }
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $usual:ident;)*) => {
        /// Which error it is (RFC 6120 §8.3.3).
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Condition {
            $($(#[$doc])* $variant,)*
            /// The recipient can no longer be reached at this address; perhaps at that URI.
            Gone(Option<String>),
            /// The requests for this recipient go to that URI for a while.
            Redirect(Option<String>),
        }

        impl Condition {
            /// As it stands on the wire.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Gone(_) => "gone",
                    Self::Redirect(_) => "redirect",
                }
            }

            /// The type that RFC 6120 associates with the condition.
            pub fn usual_type(&self) -> ErrorType {
                match self {
                    $(Self::$variant => ErrorType::$usual,)*
                    Self::Gone(_) => ErrorType::Cancel,
                    Self::Redirect(_) => ErrorType::Modify,
                }
            }

            fn named(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self::$variant,)*
                    "gone" => Self::Gone(None),
                    "redirect" => Self::Redirect(None),
                    _ => return None,
                })
            }
        }
    };
}

conditions! {
    /// The stanza does not follow the schema or cannot be understood.
    BadRequest = "bad-request", Modify;
    /// Something with that name exists already.
    Conflict = "conflict", Cancel;
    /// Nobody here implements this.
    FeatureNotImplemented = "feature-not-implemented", Cancel;
    /// The sender lacks the permission.
    Forbidden = "forbidden", Auth;
    /// Something broke on this side.
    InternalServerError = "internal-server-error", Wait;
    /// There is no such address or thing.
    ItemNotFound = "item-not-found", Cancel;
    /// The sender gave an address that is none.
    JidMalformed = "jid-malformed", Modify;
    /// The stanza is understood, but does not meet a criterion.
    NotAcceptable = "not-acceptable", Modify;
    /// Nobody may do this.
    NotAllowed = "not-allowed", Cancel;
    /// The sender must first show who it is.
    NotAuthorized = "not-authorized", Auth;
    /// A local policy forbids it.
    PolicyViolation = "policy-violation", Modify;
    /// The recipient cannot be reached for a while.
    RecipientUnavailable = "recipient-unavailable", Wait;
    /// The sender must first register.
    RegistrationRequired = "registration-required", Auth;
    /// A server on the way does not exist or cannot be resolved.
    RemoteServerNotFound = "remote-server-not-found", Cancel;
    /// A server on the way did not answer in time.
    RemoteServerTimeout = "remote-server-timeout", Wait;
    /// There are no resources to serve the request now.
    ResourceConstraint = "resource-constraint", Wait;
    /// Nobody here offers this service.
    ServiceUnavailable = "service-unavailable", Cancel;
    /// The sender must first subscribe.
    SubscriptionRequired = "subscription-required", Auth;
    /// None of the others; the application's element says more.
    UndefinedCondition = "undefined-condition", Cancel;
    /// The request comes out of order.
    UnexpectedRequest = "unexpected-request", Wait;
}

impl Condition {
    fn to_element(&self) -> Element {
        let element = Element::new(Name::from(self.name()), ns::STANZA_ERRORS);
        match self {
            Self::Gone(Some(uri)) | Self::Redirect(Some(uri)) => element.with_text(uri.as_str()),
            _ => element,
        }
    }

    fn from_element(element: &Element) -> Option<Self> {
        if element.namespace() != ns::STANZA_ERRORS {
            return None;
        }
        let uri = || Some(element.text().trim().to_owned()).filter(|uri| !uri.is_empty());
        Some(match Self::named(element.name())? {
            Self::Gone(_) => Self::Gone(uri()),
            Self::Redirect(_) => Self::Redirect(uri()),
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round_trip(error: &StanzaError) {
        assert_eq!(&StanzaError::from_element(&error.to_element()), error);
    }

    #[test]
    fn all_parts_survive() {
        round_trip(&StanzaError::new(Condition::NotAllowed));
        round_trip(&StanzaError::new(Condition::Redirect(None)));
        round_trip(
            &StanzaError::new(Condition::Gone(Some(
                "xmpp:+12025550147@sms.example.org".into(),
            )))
            .with_type(ErrorType::Wait)
            .with_text("de", "So wird das nichts")
            .with_by(Jid::new("sms.example.org").unwrap())
            .with_application(Element::new("too-many", "urn:example:x")),
        );
    }

    #[test]
    fn it_looks_as_in_the_standard() {
        let error = StanzaError::new(Condition::ItemNotFound).with_text("en", "no such number");
        assert_eq!(
            error.to_element().to_xml(),
            "<error xmlns='jabber:client' type='cancel'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no such number</text></error>"
        );
        assert_eq!(error.to_string(), "item-not-found (cancel): no such number");
    }

    #[track_caller]
    fn read(xml: &str) -> StanzaError {
        StanzaError::from_element(&xml.parse().unwrap())
    }

    #[test]
    fn what_is_missing_or_unknown_has_a_meaning() {
        assert_eq!(
            read("<error/>"),
            StanzaError::new(Condition::UndefinedCondition)
        );
        let strange = read(
            "<error type='never' by='@'><oops xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <not-connected xmlns='xmpp:prosody.im/protocol/component'/></error>",
        );
        assert_eq!(strange.condition, Condition::UndefinedCondition);
        assert_eq!(strange.kind, ErrorType::Cancel);
        assert_eq!(strange.by, None);
        assert!(
            strange
                .application
                .unwrap()
                .is("not-connected", "xmpp:prosody.im/protocol/component")
        );
    }

    #[test]
    fn a_condition_of_another_namespace_is_none() {
        let error = read("<error type='wait'><conflict xmlns='urn:example:x'/></error>");
        assert_eq!(
            (error.condition, error.kind),
            (Condition::UndefinedCondition, ErrorType::Wait)
        );
    }
}
