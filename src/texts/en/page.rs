//! The operator's page, and the pages behind one-time links.

use crate::texts::Page;

pub(super) fn page(text: &Page) -> String {
    use Page as P;
    match text {
        P::Operator => "transom",
        P::Overview => "Overview",
        P::Trace => "Find a message",
        P::Queue => "Queue",
        P::Users => "Users",
        P::Lines => "Numbers",
        P::Blocks => "Blocks",
        P::HowToSignIn => {
            "To sign in, run \"transom admin-link\" on the server and open the link that it prints, or write \"page\" to the gateway as one of its administrators."
        }
        P::Token => "Token (http.admin_token)",
        P::SignIn => "Sign in",
        P::SignOut => "Sign out",
        P::LinkSignsIn => "This link signs you in to the operator's page. It works once.",
        P::Open => "Open the page",
        P::LinkDownloads => "This link gives you a file with everything that is kept about you. It works once.",
        P::Download => "Download",
        P::LinkIsOver => "This link does not work any more: it works once and for ten minutes. Ask for a new one.",
        P::WrongToken => "That is not the token.",
        P::TooManyTries => "Too many tries. Wait a minute.",
        P::FormIsOld => "This form is too old. Load the page again and repeat it.",
        P::Nothing => "There is nothing here.",
        P::Retry => "Try now",
        P::GiveUp => "Give up",
        P::Release => "Send",
        P::Approve => "Let in",
        P::Decline => "Decline",
        P::Unblock => "Unblock",
        P::Block => "Block",
        P::Find => "Find",
        P::FindWhat => "Stanza id, provider's id, Message-ID, or an id of the queue",
        P::BlockWhat => "Phone number or mail address",
        P::Up => "connected",
        P::Down => "not connected",
        P::WaitingOut => "waiting outwards",
        P::WaitingIn => "waiting inwards",
        P::Oldest => "oldest",
        P::Unowned => "without an owner",
        P::Pending => "waiting to be let in",
        P::Today => "messages today",
    }
    .into()
}
