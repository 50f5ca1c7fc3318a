//! Why a command came to nothing, in the form of an error: without a capital, without a full stop.

use crate::texts::{Lang, Refusal};

pub(super) fn refusal(text: &Refusal) -> String {
    use Refusal as R;
    match text {
        R::NoCards => "there is no contact in this; give vCards, as address books export them (a file that ends in .vcf)".into(),
        R::NoSuchGateway { name, known } => {
            format!(
                "there is no gateway {name:?}; there is {}",
                known.join(", ")
            )
        }
        R::WhichGateway { known } => format!(
            "there are several gateways; name one with --gateway: {}",
            known.join(", ")
        ),
        R::NotAPerson { text } => {
            format!("{text:?} is not the bare JID of a person, as alice@example.org")
        }
        R::NoSuchUser { user, gateway } => match gateway {
            Some(gateway) => format!("{user} is not a user of {gateway}"),
            None => format!("{user} is not a user"),
        },
        R::UserExists { user, gateway } => format!("{user} is a user of {gateway} already"),
        R::NotAdmitted { user, gateway } => format!(
            "{user} may not use {gateway}: add the JID or its domain to xmpp.allow, and to gateway.{gateway}.allow if there is one"
        ),
        R::BadAlias { address } => format!(
            "{address:?} cannot be an alias: letters a to z, digits, dots, dashes and underscores, no reserved name, not another domain"
        ),
        R::Taken { address, owner } => format!("{owner} has {address}"),
        R::BadAddress { gateway } => {
            format!("that is no address that {gateway} knows; write numbers as +12025550100")
        }
        R::HasToChoose {
            user,
            gateway,
            free,
        } => format!(
            "{gateway} has no number or address for {user} by itself{}",
            remedy(free)
        ),
        R::NotFree {
            address,
            gateway,
            free,
        } => format!("{address} is not free at {gateway}{}", among(free)),
        R::BadPeer { peer } => format!(
            "{peer:?} is no phone number and no mail address that a gateway of this configuration knows"
        ),
        R::NotBlocked { peer } => format!("{peer} is not blocked"),
        R::NotAllowed => "only administrators may do this".into(),
        R::NoSuchContact { peer } => format!("you have no conversation with {peer}"),
        R::StillWaits { peer } => {
            format!("messages to or from {peer} still wait; try again when they are through")
        }
        R::BadSetting { name } => {
            format!("there is no setting {name:?}, or it does not take this value")
        }
        R::NotYourLine { address } => format!("{address} is not a number or address of yours"),
        R::NoLinks => "this needs a link, and http.public_url is not configured".into(),
        R::NotRunning => "this needs a running transom, and none runs".into(),
        R::Said(text) => text.render(Lang::En),
        R::Changed => "it was changed by somebody else at the same moment; look again".into(),
        R::BadRequest(why) => format!("the request makes no sense: {why}"),
        R::Busy(why) => format!("the database cannot be used now: {why}"),
        other => of_thing(other),
    }
}

/// About a line or a message.
fn of_thing(text: &Refusal) -> String {
    use Refusal as R;
    match text {
        R::NoSuchLine { number } => {
            format!("{number} is not one of our numbers; see `transom line list`")
        }
        R::LineOfFile { number, owner } => {
            format!("the configuration file says whose {number} is ({owner}); change it there")
        }
        R::LineRetired { number } => {
            format!("{number} left the configuration file and is retired; put it back there first")
        }
        R::LineRests { number, until } => format!(
            "{number} was given back and rests until {until}: people who wrote to its last owner must not reach another"
        ),
        R::LineOfRegistration { number, owner } => {
            format!(
                "{number} came with the registration of {owner}; `transom user remove` ends both"
            )
        }
        R::LineIsFree { number } => format!("nobody has {number}"),
        R::NoSuchMessage { id } => format!("there is no message {id:?}"),
        R::NotWaiting { id, state } => format!("message {id} does not wait: it is {state}"),
        R::Held { id } => format!(
            "message {id} is held because the database was put back from a copy: it may have been sent before; `transom queue release {id}` sends it"
        ),
        R::NotHeld { id } => format!("message {id} is not held since a copy was put back"),
        R::BelongsToNobody { id } => format!(
            "text {id} belongs to nobody: say who gets it with `transom queue retry {id} --to JID`"
        ),
        R::BelongsToSomebody { id, user } => {
            format!("message {id} is {user}'s; --to is for texts that belong to nobody")
        }
        R::NotTaken { why } => format!("the message was not taken: {why}"),
        R::NoKeys => "users' logins are not kept here: set store.key_file".into(),
        R::KeyFile(problem) => format!("the key file cannot be used: {problem}"),
        R::OtherKeys { file } => format!(
            "the running transom reads its keys from {file}, which does not have the new one: put it there or restart transom, then repeat this"
        ),
        _ => String::new(),
    }
}

fn remedy(free: &[String]) -> String {
    if free.is_empty() {
        ": add a line to the pool, or choose an alias with --address".to_owned()
    } else {
        format!("; choose one with --address{}", among(free))
    }
}

fn among(free: &[String]) -> String {
    if free.is_empty() {
        String::new()
    } else {
        format!("; free are {}", free.join(", "))
    }
}
