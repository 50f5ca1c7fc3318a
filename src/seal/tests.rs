//! What opens, and what does not.

use std::os::unix::fs::PermissionsExt as _;

use secrecy::ExposeSecret as _;

use super::*;

const ROW: Bound = Bound {
    account_id: 7,
    user_id: 9,
};

fn opened(keys: &Keys, sealed: &Sealed, bound: Bound) -> Result<Vec<u8>, Unopened> {
    let secret = keys.open(sealed, bound)?;
    Ok(secret.expose_secret().to_vec())
}

#[test]
fn what_was_sealed_opens_in_its_row_alone() {
    let keys = Keys::generate();
    let sealed = keys.seal(b"hunter2", ROW);
    assert!(!sealed.text.contains("hunter2"));
    assert_eq!(opened(&keys, &sealed, ROW).unwrap(), b"hunter2");
    let other_account = Bound {
        account_id: 8,
        ..ROW
    };
    let other_user = Bound { user_id: 10, ..ROW };
    let swapped = Bound {
        account_id: 9,
        user_id: 7,
    };
    for elsewhere in [other_account, other_user, swapped] {
        assert_eq!(opened(&keys, &sealed, elsewhere), Err(Unopened::Damaged));
    }
    let again = keys.seal(b"hunter2", ROW);
    assert_ne!(again.text, sealed.text, "a nonce of its own");
}

#[test]
fn another_key_does_not_open_it() {
    let sealed = Keys::generate().seal(b"hunter2", ROW);
    let other = Keys::generate();
    assert_eq!(opened(&other, &sealed, ROW), Err(Unopened::UnknownKey));
    // Under the right name it is still the wrong key.
    let renamed = Sealed {
        key: other.newest_id().to_owned(),
        ..sealed
    };
    assert_eq!(opened(&other, &renamed, ROW), Err(Unopened::Damaged));
}

#[test]
fn what_was_cut_or_changed_does_not_open() {
    let keys = Keys::generate();
    let sealed = keys.seal(b"hunter2", ROW);
    for end in 0..sealed.text.len() {
        let text = sealed.text.get(..end).unwrap().to_owned();
        let cut = Sealed {
            text,
            ..sealed.clone()
        };
        assert_eq!(opened(&keys, &cut, ROW), Err(Unopened::Damaged), "{end}");
    }
    let bytes = STANDARD_NO_PAD.decode(&sealed.text).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let text = STANDARD_NO_PAD.encode(changed);
        let changed = Sealed {
            text,
            ..sealed.clone()
        };
        assert_eq!(opened(&keys, &changed, ROW), Err(Unopened::Damaged), "{at}");
    }
    for text in ["", "ä", "=", "AAAA"] {
        let text = text.to_owned();
        let garbled = Sealed {
            text,
            ..sealed.clone()
        };
        assert_eq!(opened(&keys, &garbled, ROW), Err(Unopened::Damaged));
    }
}

#[test]
fn a_new_key_seals_and_the_old_one_opens_what_it_sealed() {
    let first = Keys::generate();
    let old = first.seal(b"old", ROW);
    let both = first.with_another();
    let new = both.seal(b"new", ROW);
    assert_ne!(old.key, new.key);
    assert_eq!(opened(&both, &old, ROW).unwrap(), b"old");
    assert_eq!(opened(&first, &new, ROW), Err(Unopened::UnknownKey));
    assert_eq!(both.only(std::slice::from_ref(&old.key)).count(), 2);
    let alone = both.only(&[]);
    assert_eq!(alone.count(), 1);
    assert_eq!(opened(&alone, &new, ROW).unwrap(), b"new");
    assert_eq!(opened(&alone, &old, ROW), Err(Unopened::UnknownKey));
}

#[test]
fn a_key_file_reads_back_and_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sub/transom.key");
    let keys = Keys::generate().with_another();
    write(&path, &keys).unwrap();
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let ring = KeyRing::read(path.clone()).unwrap();
    let sealed = ring.keys().seal(b"x", ROW);
    assert_eq!(opened(&keys, &sealed, ROW).unwrap(), b"x");
    // Somebody exchanges the file: it is taken when it is good, and the old keys stay when it is not.
    let exchanged = keys.with_another();
    write(&path, &exchanged).unwrap();
    ring.reload().unwrap();
    assert_eq!(ring.keys().newest_id(), exchanged.newest_id());
    std::fs::write(&path, "nonsense").unwrap();
    assert!(matches!(ring.reload(), Err(KeyFileError::Content { .. })));
    assert_eq!(ring.keys().newest_id(), exchanged.newest_id());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(ring.reload(), Err(KeyFileError::Open(_))));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(ring.reload(), Err(KeyFileError::Io { .. })));
}

#[test]
fn what_is_no_key_file_is_told_without_its_content() {
    let key = "ab".repeat(32);
    assert_eq!(Keys::parse("\n# x\n").unwrap_err(), NotAKeyFile::Empty);
    for line in [
        "k1".to_owned(),
        format!("k1 {}", "ab".repeat(31)),
        format!("k1 {}", "ag".repeat(32)),
        format!("k/1 {key}"),
        format!("{} {key}", "k".repeat(33)),
        key.clone(),
    ] {
        let error = Keys::parse(&format!("# one\n{line}\n")).unwrap_err();
        assert_eq!(error, NotAKeyFile::Line(2), "{line}");
        assert!(!error.to_string().contains("abab"));
    }
    let twice = format!("k1 {key}\nk1 {key}\n");
    assert_eq!(Keys::parse(&twice).unwrap_err(), NotAKeyFile::Twice(2));
    let keys = Keys::parse(&format!("k1\t{key}\r\n")).unwrap();
    assert_eq!(keys.newest_id(), "k1");
    assert!(!format!("{keys:?}").contains("abab"), "not in logs");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        Keys::parse(&text).ok();
    }

    #[test]
    fn any_secret_comes_back(secret: Vec<u8>, account_id: i64, user_id: i64) {
        let keys = Keys::generate();
        let bound = Bound { account_id, user_id };
        let sealed = keys.seal(&secret, bound);
        proptest::prop_assert_eq!(opened(&keys, &sealed, bound).unwrap(), secret);
    }
}
