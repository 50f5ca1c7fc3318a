//! The namespaces that the gateway reads or writes, each with the document that defines it.
//!
//! The table is also what the parser interns against ([`known`]): a name or namespace of the table costs
//! no allocation.

macro_rules! namespaces {
    ($($(#[$doc:meta])* $name:ident = $uri:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $uri;)*

        /// Every namespace of this table.
        pub const ALL: &[&str] = &[$($uri),*];
    };
}

namespaces! {
    /// RFC 6120: stanzas between client and server; inside this program also those of a component stream.
    CLIENT = "jabber:client";
    /// XEP-0114: Jabber Component Protocol. Only on the wire: the parser turns it into [`CLIENT`].
    COMPONENT = "jabber:component:accept";
    /// RFC 6120: the stream itself.
    STREAM = "http://etherx.jabber.org/streams";
    /// RFC 6120: conditions of stream errors.
    STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";
    /// RFC 6120: conditions of stanza errors.
    STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas";
    /// RFC 6121: roster management.
    ROSTER = "jabber:iq:roster";
    /// Namespaces in XML: the reserved `xml` prefix.
    XML = "http://www.w3.org/XML/1998/namespace";
    /// XEP-0004: Data Forms.
    FORMS = "jabber:x:data";
    /// XEP-0012: Last Activity.
    LAST_ACTIVITY = "jabber:iq:last";
    /// XEP-0027: Current Jabber `OpenPGP` Usage.
    PGP_LEGACY = "jabber:x:encrypted";
    /// XEP-0030: Service Discovery, identities and features.
    DISCO_INFO = "http://jabber.org/protocol/disco#info";
    /// XEP-0030: Service Discovery, items.
    DISCO_ITEMS = "http://jabber.org/protocol/disco#items";
    /// XEP-0033: Extended Stanza Addressing.
    ADDRESSES = "http://jabber.org/protocol/address";
    /// XEP-0045: Multi-User Chat, what marks a private message or a join.
    MUC_USER = "http://jabber.org/protocol/muc#user";
    /// XEP-0050: Ad-Hoc Commands.
    COMMANDS = "http://jabber.org/protocol/commands";
    /// XEP-0054: vcard-temp.
    VCARD = "vcard-temp";
    /// XEP-0055: Jabber Search.
    SEARCH = "jabber:iq:search";
    /// XEP-0060: Publish-Subscribe; here only reading items of a contact's own nodes, as XEP-0163 has them.
    PUBSUB = "http://jabber.org/protocol/pubsub";
    /// XEP-0060 §15.1: that items can be read.
    PUBSUB_RETRIEVE = "http://jabber.org/protocol/pubsub#retrieve-items";
    /// XEP-0066: Out of Band Data.
    OOB = "jabber:x:oob";
    /// XEP-0077: In-Band Registration.
    REGISTER = "jabber:iq:register";
    /// XEP-0084: User Avatar, the picture; also the name of its node.
    AVATAR_DATA = "urn:xmpp:avatar:data";
    /// XEP-0084: User Avatar, what the picture is; also the name of its node.
    AVATAR_METADATA = "urn:xmpp:avatar:metadata";
    /// XEP-0085: Chat State Notifications.
    CHAT_STATES = "http://jabber.org/protocol/chatstates";
    /// XEP-0092: Software Version.
    VERSION = "jabber:iq:version";
    /// XEP-0100: Gateway Interaction, prompts.
    GATEWAY = "jabber:iq:gateway";
    /// XEP-0115: Entity Capabilities.
    CAPS = "http://jabber.org/protocol/caps";
    /// XEP-0144: Roster Item Exchange.
    ROSTER_EXCHANGE = "http://jabber.org/protocol/rosterx";
    /// XEP-0153: vCard-Based Avatars.
    VCARD_UPDATE = "vcard-temp:x:update";
    /// XEP-0157: Contact Addresses, the type of the form.
    SERVER_INFO = "http://jabber.org/network/serverinfo";
    /// XEP-0166: Jingle; only to be refused.
    JINGLE = "urn:xmpp:jingle:1";
    /// Notices of being mentioned, as Converse.js and its servers have them; only an empty one is written.
    MENTIONS = "urn:xmpp:mmn:0";
    /// XEP-0172: User Nickname.
    NICK = "http://jabber.org/protocol/nick";
    /// Ours: what the gateway writes to itself.
    OWN = "urn:transom:0";
    /// XEP-0439: Quick Response.
    QUICK_RESPONSE = "urn:xmpp:tmp:quick-response";
    /// XEP-0184: Message Delivery Receipts.
    RECEIPTS = "urn:xmpp:receipts";
    /// XEP-0191: Blocking Command.
    BLOCKING = "urn:xmpp:blocking";
    /// XEP-0191: Blocking Command, why a stanza came back.
    BLOCKING_ERRORS = "urn:xmpp:blocking:errors";
    /// XEP-0199: XMPP Ping.
    PING = "urn:xmpp:ping";
    /// XEP-0202: Entity Time.
    TIME = "urn:xmpp:time";
    /// XEP-0203: Delayed Delivery.
    DELAY = "urn:xmpp:delay";
    /// XEP-0280: Message Carbons.
    CARBONS = "urn:xmpp:carbons:2";
    /// XEP-0292: vCard4 over XMPP (RFC 6351).
    VCARD4 = "urn:ietf:params:xml:ns:vcard-4.0";
    /// XEP-0292: vCard4 over XMPP, the name of the node.
    VCARD4_NODE = "urn:xmpp:vcard4";
    /// XEP-0297: Stanza Forwarding.
    FORWARD = "urn:xmpp:forward:0";
    /// XEP-0308: Last Message Correction.
    CORRECT = "urn:xmpp:message-correct:0";
    /// XEP-0333: Chat Markers.
    CHAT_MARKERS = "urn:xmpp:chat-markers:0";
    /// XEP-0334: Message Processing Hints.
    HINTS = "urn:xmpp:hints";
    /// XEP-0353: Jingle Message Initiation.
    JINGLE_MESSAGE = "urn:xmpp:jingle-message:0";
    /// XEP-0356: Privileged Entity, version 1 (ejabberd before 24.10).
    PRIVILEGE_1 = "urn:xmpp:privilege:1";
    /// XEP-0356: Privileged Entity, version 2.
    PRIVILEGE_2 = "urn:xmpp:privilege:2";
    /// XEP-0359: Unique and Stable Stanza IDs.
    STANZA_ID = "urn:xmpp:sid:0";
    /// XEP-0103: URL Address Information; in XEP-0447 only.
    URL_DATA = "http://jabber.org/protocol/url-data";
    /// XEP-0300: Use of Cryptographic Hash Functions.
    HASHES = "urn:xmpp:hashes:2";
    /// XEP-0363: HTTP File Upload.
    UPLOAD = "urn:xmpp:http:upload:0";
    /// XEP-0373: `OpenPGP` for XMPP.
    OPENPGP = "urn:xmpp:openpgp:0";
    /// XEP-0380: Explicit Message Encryption.
    EME = "urn:xmpp:eme:0";
    /// XEP-0372: References; in XEP-0385 only.
    REFERENCE = "urn:xmpp:reference:0";
    /// XEP-0385: Stateless Inline Media Sharing.
    SIMS = "urn:xmpp:sims:1";
    /// XEP-0393: Message Styling, here only that there is none.
    STYLING = "urn:xmpp:styling:0";
    /// XEP-0384: OMEMO Encryption, the version in wide use.
    OMEMO_LEGACY = "eu.siacs.conversations.axolotl";
    /// XEP-0384: OMEMO Encryption, version 2.
    OMEMO = "urn:xmpp:omemo:2";
    /// XEP-0364: Current Off-the-Record Messaging Usage; a marker in XEP-0380 only.
    OTR = "urn:xmpp:otr:0";
    /// XEP-0424: Message Retraction, version 1.
    RETRACT = "urn:xmpp:message-retract:1";
    /// XEP-0424: Message Retraction, version 0.
    RETRACT_0 = "urn:xmpp:message-retract:0";
    /// XEP-0422: Message Fastening, which carried retractions of version 0.
    FASTEN = "urn:xmpp:fasten:0";
    /// XEP-0428: Fallback Indication.
    FALLBACK = "urn:xmpp:fallback:0";
    /// XEP-0446: File metadata element.
    FILE_METADATA = "urn:xmpp:file:metadata:0";
    /// XEP-0447: Stateless File Sharing.
    SFS = "urn:xmpp:sfs:0";
    /// XEP-0448: Encryption for Stateless File Sharing.
    SFS_ENCRYPTED = "urn:xmpp:esfs:0";
    /// XEP-0504: Data Policy, the type of the form.
    DATA_POLICY = "urn:xmpp:data-policy:0";
    /// XEP-0504: Data Policy, what types of forms about other networks begin with.
    DATA_POLICY_SCOPE = "urn:xmpp:data-policy";
    /// XEP-0444: Message Reactions.
    REACTIONS = "urn:xmpp:reactions:0";
    /// XEP-0461: Message Replies.
    REPLY = "urn:xmpp:reply:0";
}

/// Local names met in nearly every conversation; like [`ALL`] they are interned.
const NAMES: &[&str] = &[
    "action",
    "active",
    "address",
    "addresses",
    "body",
    "c",
    "category",
    "code",
    "composing",
    "data",
    "delay",
    "desc",
    "encrypted",
    "encryption",
    "error",
    "feature",
    "field",
    "fin",
    "forwarded",
    "from",
    "gone",
    "handshake",
    "hash",
    "header",
    "id",
    "identity",
    "inactive",
    "instructions",
    "iq",
    "item",
    "jid",
    "key",
    "label",
    "markable",
    "message",
    "name",
    "namespace",
    "nick",
    "no-copy",
    "no-permanent-store",
    "no-store",
    "node",
    "option",
    "origin-id",
    "password",
    "paused",
    "payload",
    "perm",
    "phone",
    "ping",
    "presence",
    "priority",
    "privilege",
    "prompt",
    "query",
    "received",
    "registered",
    "remove",
    "replace",
    "reply",
    "request",
    "required",
    "retract",
    "show",
    "stamp",
    "stanza-id",
    "status",
    "store",
    "stream",
    "subject",
    "subscription",
    "text",
    "thread",
    "title",
    "to",
    "type",
    "uri",
    "url",
    "username",
    "value",
    "var",
    "ver",
    "version",
    "x",
    "xml:lang",
    "apply-to",
    "by",
    "parent",
    "access",
    "identities",
    "features",
];

/// The static twin of a namespace or name that this program knows.
pub(crate) fn known(text: &str) -> Option<&'static str> {
    let mut slot = hash(text.as_bytes());
    loop {
        let entry = SLOTS[slot % SLOT_COUNT]?;
        if entry == text {
            return Some(entry);
        }
        slot += 1;
    }
}

/// More than twice as many as there are names, so that most are found at the first look.
const SLOT_COUNT: usize = 512;
static SLOTS: [Option<&str>; SLOT_COUNT] = slots();

/// A hash table with linear probing, filled at compile time.
const fn slots() -> [Option<&'static str>; SLOT_COUNT] {
    assert!(ALL.len() + NAMES.len() < SLOT_COUNT / 2);
    let mut slots = [None; SLOT_COUNT];
    let mut index = 0;
    while index < ALL.len() + NAMES.len() {
        let name = if index < ALL.len() {
            ALL[index]
        } else {
            NAMES[index - ALL.len()]
        };
        let mut slot = hash(name.as_bytes());
        while slots[slot % SLOT_COUNT].is_some() {
            slot += 1;
        }
        slots[slot % SLOT_COUNT] = Some(name);
        index += 1;
    }
    slots
}

/// Length and three bytes tell nearly all names apart.
const fn hash(text: &[u8]) -> usize {
    if text.is_empty() {
        return 0;
    }
    let (first, middle, last) = (text[0], text[text.len() / 2], text[text.len() - 1]);
    text.len() * 37 + first as usize * 5 + middle as usize * 101 + last as usize * 17
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_tables_is_found() {
        for text in ALL.iter().chain(NAMES) {
            assert_eq!(known(text), Some(*text));
        }
    }

    #[test]
    fn nothing_else_is_found() {
        for text in ["", "bodyy", "jabber:clienu", "urn:xmpp:receipts:2"] {
            assert_eq!(known(text), None, "for {text:?}");
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let mut all: Vec<_> = SLOTS.iter().flatten().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), ALL.len() + NAMES.len());
    }

    #[test]
    fn names_are_found_at_once() {
        let far = |name: &&str| {
            let at = SLOTS.iter().position(|slot| slot == &Some(*name)).unwrap();
            (at + SLOT_COUNT - hash(name.as_bytes()) % SLOT_COUNT) % SLOT_COUNT
        };
        let looks: usize = ALL.iter().chain(NAMES).map(far).sum();
        let names = ALL.len() + NAMES.len();
        assert!(2 * looks < names, "{looks} steps too many");
    }
}
