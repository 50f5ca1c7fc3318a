-- Oldest binary that can live with this schema: 0.1.0
-- A key of one number is called INTEGER, else SQLite keeps a second tree from it to the row; a key of several parts goes WITHOUT ROWID
-- for the same reason. But for these words the text is that of PostgreSQL.
-- Times are UTC milliseconds. Keys are made by the process (store/ids.rs): time-ordered, so that order by key is order by age.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE gateways (
    gateway_id INTEGER NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE
);

-- One registration: a user at a gateway.
CREATE TABLE users (
    user_id    INTEGER NOT NULL PRIMARY KEY,
    gateway_id BIGINT NOT NULL REFERENCES gateways,
    jid        TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('active', 'pending', 'disabled')),
    lang       TEXT,
    since_ms   BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL,
    -- The user's own choices: one JSON object of texts, by the names of gateway/settings.rs.
    settings   TEXT   NOT NULL DEFAULT '{}',
    UNIQUE (gateway_id, jid)
);

-- What a user's roster knows of the gateway (peer '') and of its contacts; name: the one that the user gave.
CREATE TABLE contacts (
    user_id    BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    peer       TEXT   NOT NULL,
    subscribed BIGINT NOT NULL CHECK (subscribed IN (0, 1)),
    asked      BIGINT NOT NULL CHECK (asked IN (0, 1)),
    name       TEXT,
    PRIMARY KEY (user_id, peer)
) WITHOUT ROWID;

-- Our addresses: phone numbers, mail addresses. Never recomputed.
CREATE TABLE lines (
    line_id    INTEGER NOT NULL PRIMARY KEY,
    gateway_id BIGINT NOT NULL REFERENCES gateways,
    address    TEXT   NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('owned', 'pool', 'shared')),
    state      TEXT   NOT NULL CHECK (state IN ('active', 'retired', 'resting')),
    source     TEXT   NOT NULL CHECK (source IN ('file', 'command', 'registration', 'account', 'alias')),
    routes     TEXT   NOT NULL,
    fallback   TEXT,
    changed_ms BIGINT NOT NULL,
    UNIQUE (gateway_id, address)
);
CREATE INDEX lines_resting ON lines (changed_ms) WHERE state = 'resting';
CREATE INDEX lines_open ON lines (gateway_id, kind) WHERE kind <> 'owned';

CREATE TABLE line_owners (
    line_id  BIGINT NOT NULL REFERENCES lines ON DELETE CASCADE,
    jid      TEXT   NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (line_id, jid)
) WITHOUT ROWID;
CREATE INDEX line_owners_jid ON line_owners (jid);

-- The identity: (gateway, user, our address, peer) to a contact, so that replies route back.
CREATE TABLE conversations (
    conversation_id INTEGER NOT NULL PRIMARY KEY,
    gateway_id      BIGINT NOT NULL REFERENCES gateways,
    user_id         BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    line_id         BIGINT NOT NULL REFERENCES lines,
    peer            TEXT   NOT NULL,
    peer_name       TEXT,
    created_ms      BIGINT NOT NULL,
    active_ms       BIGINT NOT NULL,
    plain_ms        BIGINT NOT NULL,
    shown_thread    BIGINT,
    -- How many people the first word in it goes to: what counts as people written to for the first time.
    members         BIGINT NOT NULL,
    -- In a group of mail addresses: who wrote last, and gets an answer to nobody in particular.
    answers_to      TEXT,
    UNIQUE (user_id, peer, line_id)
);
-- Without active_ms, which every message changes.
CREATE INDEX conversations_line ON conversations (line_id, peer);
CREATE INDEX conversations_new ON conversations (user_id, created_ms);

-- Who is in a group whose name does not say it ("g-…"), so that answers route back.
CREATE TABLE members (
    conversation_id BIGINT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    address         TEXT   NOT NULL,
    name            TEXT,
    PRIMARY KEY (conversation_id, address)
) WITHOUT ROWID;

-- A mail thread of a conversation (semantics 27).
CREATE TABLE threads (
    thread_id       INTEGER NOT NULL PRIMARY KEY,
    conversation_id BIGINT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    subject         TEXT   NOT NULL,
    xmpp_thread     TEXT   NOT NULL,
    last_id         TEXT,
    reference_ids   TEXT   NOT NULL,
    active_ms       BIGINT NOT NULL
);
CREATE INDEX threads_current ON threads (conversation_id, active_ms);

CREATE TABLE messages (
    message_id      INTEGER NOT NULL PRIMARY KEY,
    conversation_id BIGINT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    thread_id       BIGINT,
    direction       TEXT   NOT NULL CHECK (direction IN ('out', 'in')),
    created_ms      BIGINT NOT NULL,
    body            TEXT,
    payload         TEXT,
    -- The user wants it kept nowhere (XEP-0334): its text goes as soon as nothing more is done with it.
    fleeting        BIGINT NOT NULL DEFAULT 0 CHECK (fleeting IN (0, 1))
);
CREATE INDEX messages_fleeting ON messages (created_ms) WHERE fleeting = 1 AND body IS NOT NULL;
CREATE INDEX messages_conversation ON messages (conversation_id, message_id);
CREATE INDEX messages_bodies ON messages (created_ms) WHERE body IS NOT NULL;

-- The stanzas of a message: how repeats, receipts and errors find it.
CREATE TABLE message_stanzas (
    message_id BIGINT NOT NULL REFERENCES messages ON DELETE CASCADE,
    user_id    BIGINT NOT NULL,
    stanza_id  TEXT   NOT NULL,
    repeat_key TEXT,
    full_jid   TEXT   NOT NULL,
    receipt    BIGINT NOT NULL CHECK (receipt IN (0, 1)),
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (message_id, stanza_id)
) WITHOUT ROWID;
CREATE INDEX message_stanzas_id ON message_stanzas (stanza_id);
CREATE INDEX message_stanzas_repeat ON message_stanzas (user_id, repeat_key) WHERE repeat_key IS NOT NULL;

-- A file that came with a message or goes with one. Its content is in `files.directory`, under its token.
-- state: waiting (to be fetched from source), stored, failed (given up, named in the text), expired.
-- place: among the files of its message; -1: the whole mail as it came, given out when the user asks.
-- url: where the user gets it, once that is settled. link: the message's text leads to it, instead of carrying it.
CREATE TABLE files (
    file_id      INTEGER NOT NULL PRIMARY KEY,
    message_id   BIGINT NOT NULL REFERENCES messages ON DELETE CASCADE,
    place        BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('waiting', 'stored', 'failed', 'expired')),
    token        TEXT   NOT NULL UNIQUE,
    name         TEXT   NOT NULL,
    content_type TEXT   NOT NULL,
    bytes        BIGINT NOT NULL,
    digest       TEXT,
    source       TEXT,
    account_id   BIGINT,
    url          TEXT,
    link         BIGINT NOT NULL CHECK (link IN (0, 1)),
    created_ms   BIGINT NOT NULL,
    expires_ms   BIGINT
);
CREATE INDEX files_message ON files (message_id, place);
CREATE INDEX files_expiry ON files (expires_ms) WHERE expires_ms IS NOT NULL;

-- A content on the disk whose row went with its user; it is removed next.
CREATE TABLE gone_files (
    token TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

-- A chat in one direction; what is scheduled. due_ms is null when nothing waits.
-- lane_id: the conversation's id outwards, its negative inwards; a deferred mail that must not hold the next gets a lane of its own, under
-- the id of its delivery.
CREATE TABLE lanes (
    lane_id         INTEGER NOT NULL PRIMARY KEY,
    conversation_id BIGINT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    due_ms          BIGINT,
    failures        BIGINT NOT NULL
);
CREATE INDEX lanes_conversation ON lanes (conversation_id);
CREATE INDEX lanes_due ON lanes (due_ms) WHERE due_ms IS NOT NULL;

-- A message on its way to one recipient. Narrow, and without text.
CREATE TABLE deliveries (
    delivery_id INTEGER NOT NULL PRIMARY KEY,
    message_id  BIGINT NOT NULL REFERENCES messages ON DELETE CASCADE,
    -- Goes with its message, not with its lane: no index from lanes to all that ever was in them.
    lane_id     BIGINT NOT NULL,
    -- Which member of a group it is for; null: whoever the conversation is with, all of a group at once.
    recipient   TEXT,
    state       TEXT   NOT NULL CHECK (state IN ('held', 'queued', 'sending', 'unknown', 'accepted', 'sent', 'delayed',
                                                 'expired', 'failed', 'delivered', 'read', 'cancelled')),
    units       BIGINT NOT NULL,
    units_done  BIGINT NOT NULL,
    segments    BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    -- Attempts of which nobody knows what came.
    unknowns    BIGINT NOT NULL DEFAULT 0,
    routes      TEXT   NOT NULL,
    account_id  BIGINT,
    reason      TEXT,
    code        TEXT,
    due_ms      BIGINT,
    tell        TEXT CHECK (tell IN ('receipt', 'read', 'error', 'doubt', 'silence', 'delay', 'night')),
    told        TEXT,
    created_ms  BIGINT NOT NULL,
    started_ms  BIGINT,
    done_ms     BIGINT,
    -- Who makes the attempt that is under way: a row of processes, or one that is gone.
    process_id  BIGINT
);
CREATE INDEX deliveries_message ON deliveries (message_id);
CREATE INDEX deliveries_lane ON deliveries (lane_id, delivery_id) WHERE state IN ('held', 'queued', 'sending');
CREATE INDEX deliveries_due ON deliveries (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX deliveries_tell ON deliveries (delivery_id) WHERE tell IS NOT NULL;
CREATE INDEX deliveries_failed ON deliveries (delivery_id) WHERE state = 'failed';
CREATE INDEX deliveries_sending ON deliveries (delivery_id) WHERE state = 'sending';

CREATE TABLE accounts (
    account_id INTEGER NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE
);

-- An account that a user brought: a mailbox of their own, whose address is a line of its own (lines.source 'account').
-- place: the servers, JSON. sealed: the login, sealed with the key of that id, which is not in this database.
-- state: active, or refused: the servers do not take the login; told: its owner knows that.
CREATE TABLE own_accounts (
    account_id INTEGER NOT NULL PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    gateway_id BIGINT NOT NULL REFERENCES gateways,
    user_id    BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    line_id    BIGINT NOT NULL UNIQUE REFERENCES lines ON DELETE CASCADE,
    place      TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    sealed     TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('active', 'refused')),
    problem    TEXT,
    told       BIGINT NOT NULL CHECK (told IN (0, 1)),
    since_ms   BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
);
CREATE INDEX own_accounts_gateway ON own_accounts (gateway_id);
CREATE INDEX own_accounts_user ON own_accounts (user_id);

-- Ids that outside networks use for our deliveries. scope_id: the account, or the gateway where ids are unique world-wide (mail).
CREATE TABLE external_ids (
    scope_id    BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    value       TEXT   NOT NULL,
    part        BIGINT NOT NULL,
    delivery_id BIGINT NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    progress    TEXT   NOT NULL,
    PRIMARY KEY (scope_id, kind, value)
) WITHOUT ROWID;
CREATE INDEX external_ids_delivery ON external_ids (delivery_id);

-- Reports that came before the id they are about.
CREATE TABLE parked_reports (
    scope_id BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    value    TEXT   NOT NULL,
    progress TEXT   NOT NULL,
    reason   TEXT,
    code     TEXT,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (scope_id, kind, value, progress)
) WITHOUT ROWID;
CREATE INDEX parked_reports_age ON parked_reports (at_ms);

-- What was taken in already, so that a repeat is known.
CREATE TABLE seen (
    scope_id BIGINT NOT NULL,
    digest   TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (scope_id, digest)
) WITHOUT ROWID;
CREATE INDEX seen_age ON seen (at_ms);

-- Texts to a line of ours that belong to nobody (semantics 18).
CREATE TABLE unowned (
    unowned_id INTEGER NOT NULL PRIMARY KEY,
    line_id    BIGINT NOT NULL REFERENCES lines ON DELETE CASCADE,
    peer       TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    at_ms      BIGINT NOT NULL
);

CREATE INDEX unowned_age ON unowned (at_ms);

-- Parts of longer texts that wait for the others.
CREATE TABLE parts (
    part_id    INTEGER NOT NULL PRIMARY KEY,
    gateway_id BIGINT NOT NULL REFERENCES gateways,
    scope_id   BIGINT NOT NULL,
    line       TEXT   NOT NULL,
    peer       TEXT   NOT NULL,
    peer_name  TEXT,
    reference  BIGINT NOT NULL,
    total      BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    sent_ms    BIGINT,
    at_ms      BIGINT NOT NULL
);
CREATE INDEX parts_of_text ON parts (gateway_id, line, peer, reference, total, part_id);
CREATE INDEX parts_age ON parts (gateway_id, at_ms);

-- How far an outside source was read.
CREATE TABLE cursors (
    account_id BIGINT NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    PRIMARY KEY (account_id, name)
) WITHOUT ROWID;

-- What a user (0: the whole gateway) has used on a UTC day.
CREATE TABLE usage_days (
    gateway_id BIGINT NOT NULL REFERENCES gateways,
    user_id    BIGINT NOT NULL,
    day        BIGINT NOT NULL,
    messages   BIGINT NOT NULL,
    segments   BIGINT NOT NULL,
    PRIMARY KEY (gateway_id, user_id, day)
) WITHOUT ROWID;
CREATE INDEX usage_days_age ON usage_days (day);

-- What admins were told of and is not over (semantics 24).
CREATE TABLE troubles (
    name     TEXT   NOT NULL PRIMARY KEY,
    concern  TEXT   NOT NULL,
    since_ms BIGINT NOT NULL,
    said_ms  BIGINT NOT NULL
);

CREATE TABLE optouts (
    line_id  BIGINT NOT NULL REFERENCES lines ON DELETE CASCADE,
    peer     TEXT   NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (line_id, peer)
) WITHOUT ROWID;

-- Peers that nobody (user 0) or one user may not reach, or be reached by.
CREATE TABLE blocks (
    gateway_id BIGINT NOT NULL REFERENCES gateways,
    user_id    BIGINT NOT NULL,
    peer       TEXT   NOT NULL,
    since_ms   BIGINT NOT NULL,
    PRIMARY KEY (gateway_id, user_id, peer)
) WITHOUT ROWID;

-- People whose mail waits for a user's word (semantics 30), and those whose mail never has to.
-- why: spam, disowned, asked (the user's own setting); empty where it never has to.
CREATE TABLE strangers (
    user_id  BIGINT NOT NULL REFERENCES users ON DELETE CASCADE,
    peer     TEXT   NOT NULL,
    state    TEXT   NOT NULL CHECK (state IN ('waiting', 'allowed')),
    why      TEXT   NOT NULL,
    subject  TEXT,
    since_ms BIGINT NOT NULL,
    said_ms  BIGINT,
    PRIMARY KEY (user_id, peer)
) WITHOUT ROWID;
CREATE INDEX strangers_waiting ON strangers (since_ms) WHERE state = 'waiting';
CREATE INDEX strangers_unsaid ON strangers (user_id) WHERE state = 'waiting' AND said_ms IS NULL;

-- The processes that run on this database. number: what their keys are made with. until_ms: by the database's clock; a process
-- that has not said by then that it lives is taken for dead, and comes back under another process_id. backend, since_micros: a
-- connection that ends with the process, by pg_stat_activity; 0: none.
CREATE TABLE processes (
    process_id   INTEGER NOT NULL PRIMARY KEY,
    number       BIGINT NOT NULL,
    leaving      BIGINT NOT NULL CHECK (leaving IN (0, 1)),
    until_ms     BIGINT NOT NULL,
    backend      BIGINT NOT NULL,
    since_micros BIGINT NOT NULL
);

-- Which process has a gateway's link, and those of its accounts that only one may have.
-- offered: it gives it up to whoever takes it. up: its link stands.
CREATE TABLE holders (
    gateway_id INTEGER NOT NULL PRIMARY KEY REFERENCES gateways ON DELETE CASCADE,
    process_id BIGINT REFERENCES processes ON DELETE SET NULL,
    offered    BIGINT NOT NULL CHECK (offered IN (0, 1)),
    up         BIGINT NOT NULL CHECK (up IN (0, 1))
);
