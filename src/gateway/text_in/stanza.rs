//! The stanza that carries a message from outside.

use std::borrow::Cow;

use transom_adapter::{Address, Network, UnixMillis};

use super::pieces::{self, PIECE_BYTES_MAX, PIECES_MAX};
use crate::{
    gateway::{
        Gateway, group,
        ids::id_of,
        payload::{Payload, StoredGroup, StoredMail, StoredNotice, StoredWord},
    },
    store::{
        read::InRow,
        write::{FileRow, FileState},
    },
    texts::{Lang, Mail, Notice, Quoted, Text},
    xmpp::{
        jid::Jid,
        ns,
        stanza::{Element, Message},
        xep::{
            addresses::{self as xep0033, Address as Address33, Role, Who},
            delay, hints,
            privilege::Privileges,
            quick,
            reactions::{self, Reactions},
            sharing::{self, Shared},
        },
    },
};

/// XEP-0203 on anything older than a minute.
const DELAY_MS: i64 = 60_000;

const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// The stanzas of a stored message, the same each time they are made: the text in as many as it needs, then one for each file. Empty
/// for a row that nothing can be made of. What the user wrote elsewhere is the user's own where the server allows that.
pub fn stanzas(
    gateway: &Gateway,
    row: &InRow,
    files: &[FileRow],
    now: UnixMillis,
    allowed: Option<&Privileges>,
) -> Vec<Message> {
    let mut payload = Payload::from_json(row.payload.as_deref());
    let allowed = allowed.filter(|allowed| payload.own && allowed.shows_messages());
    // Then nothing has to be said about it.
    payload.own &= allowed.is_none();
    let (text_file, files) = text_file(&payload, files);
    let text = whole(gateway, &payload, row, &files);
    let Some(plain) = plain(gateway, row, &payload, now) else {
        return Vec::new();
    };
    if let Some(reaction) = &payload.reaction {
        let reactions = Reactions {
            of: reaction.of.clone(),
            emoji: reaction.emoji.clone(),
        };
        let id = row.stanza_id.as_str();
        let message = plain.with_child(reactions::element(&reactions));
        return vec![
            message
                .with_child(hints::store())
                .with_id(id)
                .with_origin_id(id),
        ];
    }
    let reply = payload.reply.as_ref().and_then(|reply| {
        let author = if reply.own {
            plain.to.clone()
        } else {
            plain.from.clone()
        };
        Some((author?, reply.id.clone()))
    });
    let writers = payload.writer.as_ref().map(|writer| &writer.files);
    let shared: Vec<Shared> = files
        .iter()
        .copied()
        .chain(text_file)
        .filter_map(shared)
        .chain(writers.into_iter().flatten().map(Shared::from))
        .collect();
    let mut stanzas = Vec::with_capacity(1 + shared.len());
    let offered = payload.mail.as_deref().map(offered).unwrap_or_default();
    if !text.is_empty() || shared.is_empty() {
        let bodies = bodies(&text, text_file, gateway.lang(None));
        stanzas.extend(bodies.into_iter().map(|body| plain.clone().with_body(body)));
    }
    if let Some(first) = stanzas.first_mut() {
        first.children.extend(offered);
    }
    if let (Some(subject), Some(first)) = (payload.subject, stanzas.first_mut()) {
        *first = first.clone().with_subject(subject);
    }
    if let (Some((author, id)), Some(first)) = (reply, stanzas.first_mut()) {
        *first = first.clone().with_reply_to(&author, id);
    }
    for file in &shared {
        let mut message = plain.clone().with_body(file.url.as_str());
        message.children.extend(sharing::elements(file));
        stanzas.push(message);
    }
    let numbered = (0..).zip(stanzas);
    numbered
        .map(|(number, message)| {
            let id = id_of(&row.stanza_id, number);
            let message = message.with_id(id.clone()).with_origin_id(id);
            match allowed {
                Some(allowed) => in_the_users_name(gateway, allowed, message),
                None => message,
            }
        })
        .collect()
}

/// The message from the user to the contact, which the user's server is asked to take as if the user had sent it (XEP-0356 §6).
pub fn in_the_users_name(gateway: &Gateway, allowed: &Privileges, message: Message) -> Message {
    let id = message.id.clone().unwrap_or_default();
    let inner = Message {
        from: message.to,
        to: message.from,
        ..message
    };
    allowed.on_behalf(&gateway.own_jid(), inner).with_id(id)
}

/// Whether the user wrote it, elsewhere.
pub fn is_own(row: &InRow) -> bool {
    Payload::from_json(row.payload.as_deref()).own
}

/// What goes with the text of a mail: buttons, and the question whether it was displayed (XEP-0333).
fn offered(mail: &StoredMail) -> Vec<Element> {
    let buttons = mail.words().iter().map(|word| quick::button(word, *word));
    let asks = mail.asks_displayed.is_some() || mail.read_id.is_some();
    let markable = asks.then(|| Element::new("markable", ns::CHAT_MARKERS));
    buttons.chain(markable).collect()
}

/// The file that holds a text too long for the chat, where the user gets it, and the files that came with the message. Where the
/// user cannot have that file, the whole text is in the chat.
fn text_file<'a>(
    payload: &Payload,
    files: &'a [FileRow],
) -> (Option<&'a FileRow>, Vec<&'a FileRow>) {
    let is_text = |file: &&FileRow| Some(file.place) == payload.text_file;
    let (text, others): (Vec<&FileRow>, Vec<&FileRow>) = files.iter().partition(is_text);
    let text = text.into_iter().find(|file| shared(file).is_some());
    (text, others)
}

/// The text as the bodies of stanzas: all of it, or its beginning and where it goes on.
fn bodies(text: &str, text_file: Option<&FileRow>, lang: Lang) -> Vec<String> {
    let pieces = pieces::pieces(text, PIECE_BYTES_MAX);
    let shown = match text_file {
        Some(_) => PIECES_MAX,
        None => pieces.len(),
    };
    let mut bodies: Vec<String> = pieces.into_iter().take(shown).map(str::to_owned).collect();
    if let (Some(file), Some(last)) = (text_file, bodies.last_mut()) {
        let name = file.name.clone();
        let goes_on = Text::from(Notice::GoesOn { name }).render(lang);
        last.truncate(last.trim_end().len());
        last.extend(["\n", &goes_on]);
    }
    bodies
}

/// A file that the user gets.
fn shared(file: &FileRow) -> Option<Shared> {
    if file.state != FileState::Stored {
        return None;
    }
    Some(Shared {
        url: file.url.clone()?,
        name: Some(file.name.clone()),
        media_type: Some(file.content_type.clone()),
        bytes: u64::try_from(file.bytes).ok(),
        sha256: file
            .digest
            .as_ref()
            .and_then(|digest| hex::decode(digest).ok()),
    })
}

/// What all stanzas of a message have in common.
fn plain(gateway: &Gateway, row: &InRow, payload: &Payload, now: UnixMillis) -> Option<Message> {
    let line = Address::new(row.line.clone());
    let contact = gateway.jid_of(
        &Address::new(row.peer.clone()),
        payload.pinned.then_some(&line),
    )?;
    let user = Jid::new(&row.jid).ok()?;
    let user_jid = user.clone();
    let mut message = Message::chat(contact, user);
    if let Some(thread) = &payload.xmpp_thread {
        message = message.with_thread(thread.as_str());
    }
    if let Some(group) = payload.group.as_deref() {
        message = message.with_child(addresses(gateway, group, &user_jid));
    }
    if let Some(name) = &payload.name {
        // XEP-0172 §4.3: a name with a message from somebody who may not be in the roster.
        message = message.with_child(Element::text_only("nick", ns::NICK, name.as_str()));
    }
    let sent_ms = payload
        .sent_ms
        .filter(|sent| *sent <= row.created_ms)
        .unwrap_or(row.created_ms);
    if now.0 - sent_ms > DELAY_MS {
        message = message.with_child(delay::delay(
            gateway.config.domain.as_str(),
            UnixMillis(sent_ms).timestamp(),
        ));
    }
    Some(message)
}

/// XEP-0033: who else has it. Each has got it already, so that no server passes it on.
fn addresses(gateway: &Gateway, group: &StoredGroup, user: &Jid) -> Element {
    let mut list = vec![Address33::to(Who::Jid(user.clone()))];
    for member in &group.members {
        let is_author = group.author.as_deref() == Some(member.address.as_str());
        let role = match (is_author, member.copy) {
            (true, _) => Role::OriginalFrom,
            (false, true) => Role::Cc,
            (false, false) => Role::To,
        };
        list.push(Address33 {
            role,
            who: group::who(gateway, &member.address),
            desc: member.name.clone(),
            delivered: true,
        });
    }
    xep0033::addresses(&list)
}

/// The text with what has to stand around it: the subject of another thread, what is to be said, the names of files.
fn whole(gateway: &Gateway, payload: &Payload, row: &InRow, files: &[&FileRow]) -> String {
    let lang = gateway.lang(None);
    let mut whole = String::new();
    let about = payload.mail.as_deref();
    for warning in about
        .map(|about| about.warnings(&row.peer))
        .unwrap_or_default()
    {
        whole.extend([&*Text::from(warning).render(lang), "\n"]);
    }
    if let Some(subject) = payload.subject.as_deref().filter(|_| payload.shows_subject) {
        whole.extend(["*", subject, "*\n\n"]);
    }
    let notice = payload.notice.map(|notice| match notice {
        StoredNotice::Encrypted => Notice::MailEncrypted,
        StoredNotice::TooLarge(bytes) => Notice::MailTooLarge { bytes },
        StoredNotice::Unreadable(bytes) => Notice::MailUnreadable { bytes },
        StoredNotice::Signed => Notice::MailSigned,
    });
    let named = payload
        .files
        .iter()
        .map(|(name, bytes)| Notice::Attachment {
            name: name.clone(),
            bytes: *bytes,
        });
    if payload.own {
        let text = Quoted::whole(row.body.as_str());
        whole.push_str(&Text::from(Notice::SentElsewhere { text }).render(lang));
    } else {
        if let Some(group) = payload.group.as_deref() {
            let introduction = group.introduction();
            whole.extend(introduction.map(|text| Text::from(text).render(lang) + "\n\n"));
            whole.extend([group.author_name().unwrap_or_default(), ": "]);
        }
        whole.push_str(&words(payload, row, lang));
    }
    let word = payload.word.map(|word| match word {
        StoredWord::Stop => Notice::Stopped,
        StoredWord::Start => Notice::Started,
    });
    let card = about.and_then(StoredMail::card).map(Text::from);
    let hints = about.map(StoredMail::hints).into_iter().flatten();
    let missing = files.iter().copied().filter_map(missing);
    let notices = notice
        .into_iter()
        .chain(word)
        .chain(named)
        .chain(missing)
        .map(Text::from);
    let hints = hints.map(Text::from);
    let mut behind: Vec<Text> = card.into_iter().chain(notices).chain(hints).collect();
    let has_nothing = row.body.trim().is_empty() && behind.is_empty() && files.is_empty();
    if has_nothing && gateway.network() == Network::Email {
        behind.push(Text::from(Mail::Empty));
    }
    for notice in behind {
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        whole.push_str(&notice.render(lang));
    }
    whole
}

/// What somebody wrote, with who it was where that is another of the line's owners (semantics 17).
fn words<'a>(payload: &Payload, row: &'a InRow, lang: Lang) -> Cow<'a, str> {
    if let Some(writer) = payload.writer.as_deref() {
        let took_back = writer.took_back.as_deref().map(|excerpt| {
            let excerpt = Quoted::whole(excerpt);
            Text::from(Notice::TookBack { excerpt }).render(lang)
        });
        let text = took_back.map_or_else(|| row.body.clone(), Into::into);
        let text = Text::from(Notice::ByOwner {
            name: writer.name.clone(),
            text: Quoted::whole(text),
        });
        return text.render(lang).trim_end().to_owned().into();
    }
    if row.body.trim_start().starts_with('⚠') {
        // Semantics 22: never taken for a line of ours.
        return format!("{ZERO_WIDTH_SPACE}{}", row.body).into();
    }
    row.body.as_str().into()
}

/// What is said of a file that the user does not get.
fn missing(file: &FileRow) -> Option<Notice> {
    let (name, bytes) = (file.name.clone(), u64::try_from(file.bytes).unwrap_or(0));
    match file.state {
        FileState::Stored if file.url.is_some() => None,
        FileState::Stored => Some(Notice::Attachment { name, bytes }),
        FileState::Waiting | FileState::Failed | FileState::Expired => {
            Some(Notice::FileLost { name })
        }
    }
}
