//! The keys of a key file: a line each, an id and 256 bits in hexadecimal. The last one seals, each opens what it sealed.

use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

/// Keys with their ids; at least one.
#[derive(Clone)]
pub struct Keys {
    older: Vec<(String, SecretSlice<u8>)>,
    newest: (String, SecretSlice<u8>),
}

/// What is in no key file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAKeyFile {
    /// There is no key in it.
    #[error("it holds no key")]
    Empty,
    /// A line is neither a comment nor a key; counted from 1.
    #[error("line {0} is not an id and 64 hexadecimal digits")]
    Line(usize),
    /// Two keys have the same id; the line of the second.
    #[error("line {0} has the id of an earlier key")]
    Twice(usize),
}

const KEY_BYTES: usize = 32;
/// So many keys are a rotation that never ended.
pub(super) const KEYS_MAX: usize = 16;

const HEADER: &str = "# The keys that transom seals users' logins with. The last one seals, the others open what they sealed.\n\
    # Whoever has this file and the database has the logins: keep them apart, also in backups. Without it they are lost.\n";

impl Keys {
    /// One new key.
    pub fn generate() -> Self {
        Self {
            older: Vec::new(),
            newest: fresh(),
        }
    }

    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// [`NotAKeyFile`]; it never repeats what is in the file.
    pub fn parse(text: &str) -> Result<Self, NotAKeyFile> {
        let mut keys: Vec<(String, SecretSlice<u8>)> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line
                .split_once(char::is_whitespace)
                .filter(|(id, _)| is_id(id) && keys.len() < KEYS_MAX)
                .and_then(|(id, key)| Some((id, hex::decode(key.trim()).ok()?)))
                .filter(|(_, key)| key.len() == KEY_BYTES);
            let (id, key) = key.ok_or(NotAKeyFile::Line(at + 1))?;
            if keys.iter().any(|(known, _)| known == id) {
                return Err(NotAKeyFile::Twice(at + 1));
            }
            keys.push((id.to_owned(), key.into()));
        }
        let newest = keys.pop().ok_or(NotAKeyFile::Empty)?;
        Ok(Self {
            older: keys,
            newest,
        })
    }

    /// The file's text.
    pub fn to_text(&self) -> SecretString {
        let lines = self.older.iter().chain([&self.newest]);
        let line = |(id, key): &(String, SecretSlice<u8>)| {
            format!("{id} {}\n", hex::encode(key.expose_secret()))
        };
        format!("{HEADER}{}", lines.map(line).collect::<String>()).into()
    }

    /// With one more, which seals from now on.
    #[must_use]
    pub fn with_another(&self) -> Self {
        let mut older = self.older.clone();
        older.push(self.newest.clone());
        Self {
            older,
            newest: fresh(),
        }
    }

    /// Without those that seal nothing any more.
    #[must_use]
    pub fn only(&self, needed: &[String]) -> Self {
        let mut kept = self.clone();
        kept.older.retain(|(id, _)| needed.contains(id));
        kept
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.older.len() + 1
    }

    /// The id of the one that seals.
    pub fn newest_id(&self) -> &str {
        &self.newest.0
    }

    pub(super) fn newest(&self) -> (&str, &SecretSlice<u8>) {
        (&self.newest.0, &self.newest.1)
    }

    pub(super) fn find(&self, id: &str) -> Option<&SecretSlice<u8>> {
        let mut all = self.older.iter().chain([&self.newest]);
        all.find(|(known, _)| known == id).map(|(_, key)| key)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.older.iter().chain([&self.newest]).map(|(id, _)| id);
        f.debug_list().entries(ids).finish()
    }
}

fn fresh() -> (String, SecretSlice<u8>) {
    let id = hex::encode(rand::random::<[u8; 4]>());
    let key = rand::random::<[u8; KEY_BYTES]>().to_vec();
    (id, key.into())
}

fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=32).contains(&id.len()) && id.bytes().all(plain)
}
