//! A request being answered: the request, what it is answered from, and what is written down about it.
//!
//! Decides how parameters and addresses are read off a request, and nothing about its answer.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::request::{HostName, Request, decode_once};
use crate::{Content, Context, Entrance, Trail};

/// A request being answered.
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// What is read.
    pub context: Context,
    /// What is written.
    pub trail: Trail,
    pub(crate) host: Option<HostName>,
    pub(crate) world_name: bool,
    pub(crate) folded: String,
    pub(crate) endpoint: &'static str,
    pub(crate) parameters: Arc<[(&'static str, usize)]>,
}

impl Exchange {
    /// The folded path: what was matched.
    pub fn folded_path(&self) -> &str {
        &self.folded
    }

    /// The endpoint's name.
    pub fn endpoint(&self) -> &'static str {
        self.endpoint
    }

    /// The raw path segment a pattern parameter matched, the whole raw rest of the path for a catch-all (`{*name}`);
    /// empty if the pattern has no such parameter.
    pub fn raw_parameter(&self, name: &str) -> &str {
        let path = self.request.path();
        // A catch-all keeps its asterisk in the table.
        let of_name = |written: &str| written.strip_prefix('*').unwrap_or(written) == name;
        let found = self.parameters.iter().find(|(written, _)| of_name(written));
        let value = found.and_then(|(written, index)| {
            if written.starts_with('*') {
                path.splitn(index + 2, '/').nth(index + 1)
            } else {
                path.split('/').nth(index + 1)
            }
        });
        value.unwrap_or("")
    }

    /// A pattern parameter, decoded once; the raw text where it does not decode. A catch-all is decoded segment by
    /// segment, so that what separates is always a slash that was sent as one.
    pub fn parameter(&self, name: &str) -> String {
        let raw = self.raw_parameter(name);
        let mut value = String::with_capacity(raw.len());
        for (index, segment) in raw.split('/').enumerate() {
            if index > 0 {
                value.push('/');
            }
            value.push_str(&decode_once(segment).unwrap_or(Cow::Borrowed(segment)));
        }
        value
    }

    /// The request's host name in lower case, if it was one.
    pub fn host_name(&self) -> &str {
        self.host.as_ref().map_or("", |host| host.name.as_str())
    }

    /// Whether the request came by a name of the world rather than a local one.
    pub fn by_world_name(&self) -> bool {
        self.world_name
    }

    /// `https://` base of this very request's host, port included as sent.
    pub fn own_base_url(&self) -> String {
        match &self.host {
            Some(HostName { name, port }) => {
                let port = port.filter(|port| *port != 443);
                let mut url = String::with_capacity("https://[]:65535".len() + name.len());
                url.push_str("https://");
                if name.contains(':') {
                    url.extend(["[", name, "]"]);
                } else {
                    url.push_str(name);
                }
                if let Some(port) = port {
                    // Writing to a String cannot fail.
                    let _ = write!(url, ":{port}");
                }
                url
            }
            None => String::from("https://localhost"),
        }
    }

    /// Base URL of another entrance as this caller can reach it: its world name under world names, else its public
    /// address (design: URLs a surface writes about another surface).
    pub fn base_url_of(&self, entrance: &Entrance, world_host: &str) -> String {
        match self.context.public_address(entrance) {
            Some(address) if !self.world_name => address.to_owned(),
            _ => format!("https://{world_host}"),
        }
    }

    /// An address that the caller handed in, as the world has it: under its world name if it is one of the lab's own and
    /// the caller came by a local name, as written otherwise.
    pub fn world_address<'u>(&self, url: &'u str) -> Cow<'u, str> {
        let snapshot = &self.context.snapshot;
        let own = (!self.world_name).then(|| snapshot.world_target(url)).flatten();
        own.map_or(Cow::Borrowed(url), Cow::Owned)
    }

    /// Sends a caller that came by a local name on to the lab's own addresses, and lets it send forms there. The trail keeps both: where the product
    /// sends it and where it goes.
    pub(crate) fn forward(&mut self, content: &mut Content) {
        if self.world_name {
            return;
        }
        // Nobody is sent there yet: what the page's policy says is all there is to show.
        for to in content.actions_mut() {
            if let Some(sent) = self.context.snapshot.public_target(to) {
                *to = sent;
            }
        }
        let Some(to) = content.target_mut() else { return };
        if let Some(sent) = self.context.snapshot.public_target(to) {
            let mask = self.context.lab.mask();
            self.trail.fact("target", mask.target(to));
            self.trail.fact("target-sent", mask.target(&sent));
            *to = sent;
        }
    }
}
