//! Addresses that send a caller from one entrance to another, between the world's names and this lab's own addresses.
//!
//! A browser that entered through localhost has to stay there with a configuration that nobody edited: it is sent on with
//! names of the world, which on its machine lead nowhere or to the real thing. So where a request came by a local name, a
//! target under a world name becomes the same under the public address of the entrance behind that name; and an address
//! that such a caller hands in is read back as the world has it. Decides nothing about relative targets, about names that
//! are not the world's, or about a name with a port that is not the scheme's own: those stay as they are written. Only what
//! is typed as a target is translated, never text within it (a `redirect_uri` in a query is the product's to judge).

use crate::dispatch::Snapshot;
use crate::request::HostName;

/// An absolute URL in three parts: scheme and host, and the rest from the first `/`, `?` or `#` on.
fn split(url: &str) -> Option<(bool, HostName, &str)> {
    let (scheme, after) = url.split_once("://")?;
    let secure = scheme.eq_ignore_ascii_case("https");
    if !secure && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    // User information has no place in an address of the lab, and `HostName` reads none.
    Some((secure, HostName::parse(&after[..end])?, &after[end..]))
}

fn on_own_port(secure: bool, host: &HostName) -> bool {
    host.port.is_none_or(|port| port == if secure { 443 } else { 80 })
}

impl Snapshot {
    /// Where a caller that came by a local name is sent instead; none where the target is to stay.
    pub(crate) fn public_target(&self, to: &str) -> Option<String> {
        let (secure, host, rest) = split(to)?;
        let (_, entrance) = self.hosts.get(&host.name).filter(|_| on_own_port(secure, &host))?;
        let address = self.addresses.get(entrance)?;
        Some(format!("{address}{rest}"))
    }

    /// The same the other way: an address under one of the lab's own as the world has it; none where it is none of them.
    pub(crate) fn world_target(&self, url: &str) -> Option<String> {
        let (secure, host, rest) = split(url)?;
        let port = |secure: bool, host: &HostName| host.port.unwrap_or(if secure { 443 } else { 80 });
        let wanted = (&host.name, port(secure, &host));
        let (entrance, _) = self.addresses.each().find(|(_, address)| {
            split(address).is_some_and(|(secure, own, _)| (&own.name, port(secure, &own)) == wanted)
        })?;
        let name = self.names.get(entrance)?;
        Some(format!("https://{name}{rest}"))
    }
}
