//! The generated documents are what the code says.

use mocktenant_xtask::documents;

#[test]
fn the_generated_documents_are_fresh() {
    let stale = documents::stale().unwrap();
    assert!(stale.is_empty(), "stale: {stale:?}\nrun: cargo xtask generate");
}

#[test]
fn generating_twice_gives_the_same_text() {
    let texts = || documents::all().unwrap().into_iter().map(|document| document.text).collect::<Vec<_>>();
    assert_eq!(texts(), texts());
}
