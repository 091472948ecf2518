//! What a certificate directory may hold and what is made of it.

use mocktenant_keys::{shipped, write_pfx};
use tempfile::TempDir;

use super::*;

const MY: StoreName = StoreName::LocalMachineMy;

/// A directory with one store and these files in it.
fn store(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let my = directory.path().join("LocalMachine/My");
    fs::create_dir_all(&my).unwrap();
    for (name, bytes) in files {
        fs::write(my.join(name), bytes).unwrap();
    }
    directory
}

fn read(directory: &TempDir) -> Result<CertificateStores, StoreError> {
    CertificateStores::read(directory.path())
}

fn client() -> &'static Identity {
    shipped::sample_client()
}

fn der() -> &'static [u8] {
    client().certificate().der()
}

fn only(stores: &CertificateStores) -> &StoredCertificate {
    let [stored] = stores.list(MY) else { panic!("one certificate, not {stores:?}") };
    stored
}

#[test]
fn a_public_certificate_has_no_key_in_any_spelling() {
    let pem = client().certificate().pem();
    for (name, bytes) in
        [("a.cer", der()), ("a.DER", der()), ("a.crt", pem.as_bytes()), ("a.pem", pem.as_bytes())]
    {
        let stores = read(&store(&[(name, bytes), ("read.me", b"not a certificate")])).unwrap();
        let stored = only(&stores);
        assert_eq!(stored.thumbprint, client().certificate().thumbprint());
        assert_eq!(stored.file, Path::new("LocalMachine/My").join(name));
        assert!(stored.readable && stored.identity.is_none() && !stored.has_private_key());
        assert!(stores.list(StoreName::CurrentUserRoot).is_empty());
    }
}

#[test]
fn a_key_is_found_in_a_pfx_a_bundle_or_a_file_beside() {
    let pfx = write_pfx(client(), "").unwrap();
    let (bundle, key) = (client().certificate_pem_bundle(), client().key_pem());
    for files in [
        &[("a.pfx", pfx.as_slice())][..],
        &[("a.cer", der()), ("a.pfx", &pfx)],
        &[("a.pem", bundle.as_bytes())],
        &[("a.cer", der()), ("other-name.key", key.as_bytes())],
        &[("a.cer", der()), ("key.pem", key.as_bytes())],
    ] {
        let stores = read(&store(files)).unwrap();
        let stored = stores.find(MY, client().certificate().thumbprint()).unwrap();
        assert!(stored.identity.is_some() && stored.has_private_key());
        assert_eq!(stores.iter().count(), 1);
    }
}

#[test]
fn a_pem_file_may_hold_several_certificates() {
    let two = client().certificate().pem() + &shipped::second_client().certificate().pem();
    assert_eq!(read(&store(&[("two.pem", two.as_bytes())])).unwrap().list(MY).len(), 2);
}

#[test]
fn a_key_that_may_not_be_read_is_there_but_not_readable() {
    let key = client().key_pem();
    let directory = store(&[("a.cer", der()), ("a.key", key.as_bytes())]);
    let forbid = |path: &Path| match path.extension() {
        Some(extension) if extension == "key" => Err(io::ErrorKind::PermissionDenied.into()),
        _ => read_file(path),
    };
    let stores = read_with(directory.path(), &forbid).unwrap();
    let stored = only(&stores);
    assert!(!stored.readable && stored.identity.is_none() && stored.has_private_key());

    let alone = store(&[("a.key", key.as_bytes())]);
    assert!(matches!(read_with(alone.path(), &forbid), Err(StoreError::Forbidden { .. })));
}

#[test]
fn files_that_do_not_hold_what_they_should_are_named() {
    let secret = write_pfx(client(), "secret").unwrap();
    let key = client().key_pem();
    let cut = &key[..key.len() / 2];
    for (name, bytes) in [
        ("a.cer", &b"garbage"[..]),
        ("a.cer", b""),
        ("a.cer", &der()[..100]),
        ("a.pfx", b"garbage"),
        ("a.pfx", &secret),
        ("a.key", cut.as_bytes()),
        ("a.pem", b"-----BEGIN X-----\n-----END X-----\n"),
        ("a.key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    ] {
        let error = read(&store(&[(name, bytes)])).unwrap_err();
        assert!(matches!(&error, StoreError::Unusable { file, .. } if file.ends_with(name)), "{error}");
    }
    let other = shipped::second_client().key_pem();
    let error = read(&store(&[("a.cer", der()), ("a.key", other.as_bytes())])).unwrap_err();
    assert!(matches!(error, StoreError::StrayKey { .. }));
}

#[test]
fn too_many_and_too_large_files_are_refused() {
    let large = vec![b'x'; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
    assert!(matches!(read(&store(&[("a.cer", &large)])), Err(StoreError::TooLarge { .. })));
    let directory = store(&[]);
    for number in 0..MAX_FILES {
        fs::write(directory.path().join(format!("LocalMachine/My/{number}")), "").unwrap();
    }
    assert!(read(&directory).is_ok());
    fs::create_dir_all(directory.path().join("CurrentUser/Root/x")).unwrap();
    assert!(matches!(read(&directory), Err(StoreError::TooMany)));
}

#[test]
fn a_directory_without_stores_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(read(&directory), Err(StoreError::NoStore { .. })));
    assert!(matches!(
        CertificateStores::read(&directory.path().join("absent")),
        Err(StoreError::NoStore { .. })
    ));
    fs::write(directory.path().join("LocalMachine"), "").unwrap();
    assert!(matches!(read(&directory), Err(StoreError::NotDirectory { .. })));
}

#[cfg(unix)]
#[test]
fn what_is_not_a_regular_file_is_refused_without_being_opened() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    let refused = |directory: &TempDir| {
        let never = |path: &Path| -> io::Result<Vec<u8>> { panic!("{} was opened", path.display()) };
        match read_with(directory.path(), &never) {
            Err(StoreError::NotRegular { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.cer"), der()).unwrap();

    let linked = store(&[]);
    symlink(outside.path().join("a.cer"), linked.path().join("LocalMachine/My/a.cer")).unwrap();
    assert_eq!(refused(&linked), "a symbolic link");
    let dangling = store(&[]);
    symlink("/nowhere", dangling.path().join("LocalMachine/My/read.me")).unwrap();
    assert_eq!(refused(&dangling), "a symbolic link");
    let device = store(&[]);
    symlink("/dev/zero", device.path().join("LocalMachine/My/a.pem")).unwrap();
    assert_eq!(refused(&device), "a symbolic link");
    let whole = store(&[]);
    symlink(outside.path(), whole.path().join("LocalMachine/Root")).unwrap();
    assert_eq!(refused(&whole), "a symbolic link");

    let socket = store(&[]);
    let _listener = UnixListener::bind(socket.path().join("LocalMachine/My/a.cer")).unwrap();
    assert_eq!(refused(&socket), "a socket");

    // The standard library cannot make a FIFO, so the system's tool does; it is part of POSIX.
    let fifo = store(&[]);
    let path = fifo.path().join("LocalMachine/My/a.pfx");
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    assert_eq!(refused(&fifo), "a FIFO");
}
