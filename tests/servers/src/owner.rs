//! Who a server runs as: Prosody, Postgres and Dovecot refuse root or want a user of their own.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// An unprivileged system user.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Owner {
    /// The named user when we are root; nobody special otherwise: then the server runs as we do.
    pub(crate) fn service(name: &str) -> Option<Self> {
        is_root().then(|| Self::named(name))
    }

    /// The user of this process.
    pub(crate) fn ourselves() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        lookup(|fields| fields[2] == uid.to_string())
            .unwrap_or_else(|| panic!("user {uid} is not in /etc/passwd"))
    }

    fn named(name: &str) -> Self {
        lookup(|fields| fields[0] == name).unwrap_or_else(|| {
            panic!("user {name} is not in /etc/passwd; is its server installed?")
        })
    }

    /// Gives a file or folder to the user.
    pub(crate) fn take(&self, path: &Path) {
        chown(path, Some(self.uid), Some(self.gid)).expect("chown as root");
    }
}

/// Sets a path's permission bits.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, permissions).expect("chmod of our own file");
}

fn lookup(wanted: impl Fn(&[&str]) -> bool) -> Option<Owner> {
    let passwd = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let line = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let found = line
        .into_iter()
        .find(|fields| fields.len() > 3 && wanted(fields))?;
    Some(Owner {
        name: found[0].to_owned(),
        uid: found[2].parse().expect("a number"),
        gid: found[3].parse().expect("a number"),
    })
}
