//! What the reader of pages has to keep, whatever it is handed: no panic, a form is sent as a form, and no line is empty.

use mocktenant_lab::caller::page::Page;

/// Reads a page, and fills its forms in.
pub(crate) fn page(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let page = Page::read(&text);
    assert!(page.lines.iter().all(|line| !line.is_empty()), "{text:?}");
    for form in &page.forms {
        let sent = form.filled(|_| Some("a&b=c"));
        assert!(sent.is_ascii() && !sent.contains([' ', '<', '+']), "{sent:?}");
        assert!(sent.split('&').all(|pair| sent.is_empty() || pair.contains('=')), "{sent:?}");
    }
}
