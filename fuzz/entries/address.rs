//! What the comparison of addresses has to keep, whatever is registered and sent: no panic, no reading beyond the text, and
//! what is accepted of the web leads to the scheme and the host that are registered, as another reader has it.

use http::Uri;
use mocktenant_idp::address::{LONGEST, Policy, registered};

const EXACT: Policy<'_> = Policy {
    schemes: None,
    exact_text: true,
    host_case_counts: false,
    final_slash_counts: true,
    below: false,
    free_ports: &["localhost"],
    fragment: false,
};
const LOOSE: Policy<'_> =
    Policy { exact_text: false, final_slash_counts: false, below: true, fragment: true, ..EXACT };

/// Takes the last line for what is sent, and those before it for what is registered.
pub(crate) fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (known, sent) = text.rsplit_once('\n').unwrap_or((&text, &text));
    let known: Vec<&str> = known.split('\n').take(16).collect();
    for policy in [EXACT, LOOSE] {
        match registered(&policy, &known, sent) {
            Ok(found) => {
                assert!(known.contains(&found) && sent.len() <= LONGEST && sent.is_ascii(), "{sent:?}");
                let scheme = found.split(':').next().unwrap_or_default().to_ascii_lowercase();
                if ["http", "https"].contains(&&*scheme) {
                    assert_eq!(origin(sent), origin(found), "{sent:?} for {found:?}");
                }
            }
            Err(refused) => assert!(!refused.to_string().is_empty()),
        }
    }
}

/// Scheme and host.
fn origin(text: &str) -> Option<(String, String)> {
    let uri: Uri = text.split('#').next()?.parse().expect("another reader takes it for an address");
    let host = uri.host()?.to_ascii_lowercase();
    // One address has many spellings.
    let address =
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok());
    Some((uri.scheme_str()?.to_ascii_lowercase(), address.map_or(host, |address| address.to_string())))
}
