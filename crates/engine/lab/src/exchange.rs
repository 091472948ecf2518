//! One exchange in the making: what a handler sees and where it writes its trail.
//!
//! An [`Activity`] is anything that happens at a site (a request, a start): snapshot, time, randomness, checks, facts,
//! outgoing calls. An [`Exchange`] is an activity with a request. Neither decides anything.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use mocktenant_verdict::{Check, Setting, Switches};
use mocktenant_world::World;
use serde_json::Value;
use time::OffsetDateTime;

use crate::dispatch::Snapshot;
use crate::journal::{Fact, Kind, Record};
use crate::outbound::{Call, CallError, Reply};
use crate::random::Random;
use crate::request::{HostName, Request, decode_once};
use crate::{Lab, Site};

/// Calls deeper than this are refused.
pub const HOP_LIMIT: u8 = 8;

/// The header that links an outgoing call to its exchange; taken off before the request is journaled.
pub const CALL_HEADER: HeaderName = HeaderName::from_static("x-mocktenant-call");

/// Something happening at a site.
pub struct Activity {
    pub(crate) lab: Lab,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) surface: Option<usize>,
    pub(crate) id: Arc<str>,
    pub(crate) parent: Option<Arc<str>>,
    pub(crate) hops: u8,
    pub(crate) children: u32,
    pub(crate) site: Site,
    pub(crate) now: OffsetDateTime,
    pub(crate) checks: Vec<Check>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) error: Option<Cow<'static, str>>,
    pub(crate) activities: Vec<(&'static str, Box<str>)>,
}

impl Activity {
    /// The world this runs against, from beginning to end.
    pub fn world(&self) -> &Arc<World> {
        &self.snapshot.world
    }

    /// Where it happens.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// What the machine's clock showed when it began.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// The lab's randomness.
    pub fn random(&self) -> &Random {
        self.lab.random()
    }

    /// The exchange id, `x-...`.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Checks a test turned off.
    pub fn switches(&self) -> &Switches {
        self.lab.switches()
    }

    /// The lab.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// What the surface prepared for this snapshot.
    ///
    /// # Panics
    /// Never, if `T` is the surface's own `Prepared`: the snapshot holds one per surface, made by that surface.
    pub fn prepared<T: 'static>(&self) -> &T {
        let surface = self.surface.unwrap_or(usize::MAX);
        self.snapshot
            .prepared
            .get(surface)
            .and_then(|prepared| prepared.downcast_ref())
            .unwrap_or_else(|| unreachable!("a surface asks for its own Prepared"))
    }

    /// The lab's own public address of a site, for instance `https://localhost:7444`; `None` without sockets.
    pub fn public_address(&self, site: &Site) -> Option<&str> {
        self.snapshot.addresses.get(site).map(String::as_str)
    }

    /// Every address of the lab's own that reaches a site, the public one first.
    pub fn addresses<'a>(&'a self, site: &'a Site) -> impl Iterator<Item = &'a str> {
        self.snapshot.addresses.all(site)
    }

    /// Records checks. The error of the first failed one becomes the exchange's error.
    pub fn record_checks(&mut self, checks: Vec<Check>) {
        if self.error.is_none() {
            self.error = checks.iter().find(|check| check.failed()).and_then(|check| check.error.clone());
        }
        self.checks.extend(checks);
    }

    /// Records the product's identifier of a refusal that no check decided.
    pub fn record_error(&mut self, id: impl Into<Cow<'static, str>>) {
        self.error.get_or_insert(id.into());
    }

    /// Records a fact.
    pub fn fact(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.facts.push(Fact { name: name.into(), value: value.into(), setting: None, read_at_start: None });
    }

    /// Records a fact that came from a setting in the current world.
    pub fn fact_from(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>, setting: Setting) {
        self.facts.push(Fact {
            name: name.into(),
            value: value.into(),
            setting: Some(setting),
            read_at_start: None,
        });
    }

    /// Records a fact that came from a setting as it stood at the last start; `read` is its value then.
    pub fn fact_read_at_start(
        &mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
        setting: Setting,
        read: Value,
    ) {
        self.facts.push(Fact {
            name: name.into(),
            value: value.into(),
            setting: Some(setting),
            read_at_start: Some(read),
        });
    }

    /// Records an id people paste, for instance `("request-id", guid)`.
    pub fn activity(&mut self, name: &'static str, value: impl Into<Box<str>>) {
        self.activities.push((name, value.into()));
    }

    /// Makes one outgoing call over real HTTP(S). It becomes a child exchange, also where it reached nobody.
    pub async fn call(&mut self, mut call: Call) -> Result<Reply, CallError> {
        self.children += 1;
        let id: Arc<str> = format!("{}.{}", self.id, self.children).into();
        let (method, url) = (call.method.clone(), call.url.clone());
        let outcome = if self.hops >= HOP_LIMIT {
            Err(CallError::TooManyHops { limit: HOP_LIMIT })
        } else {
            if let Ok(value) = HeaderValue::from_str(&id) {
                call.headers.insert(CALL_HEADER, value);
            }
            self.lab.expect_call(&id, &self.id, self.hops + 1);
            let outcome = self.lab.outbound().call(call).await;
            if self.lab.take_expected(&id).is_none() && outcome.is_ok() {
                return outcome;
            }
            outcome
        };
        // Nobody of this lab answered it: the call itself is the record.
        let mut record = Record::blank(Arc::clone(&id), Kind::Call, self.now);
        record.parent = Some(Arc::clone(&self.id));
        record.site = Some(self.site.clone());
        record.method = method;
        let uri: Option<http::Uri> = url.parse().ok();
        record.host =
            uri.as_ref().and_then(|uri| uri.authority()).map_or_else(String::new, ToString::to_string).into();
        record.target = url.into();
        if let Err(error) = &outcome {
            record.error = Some(Cow::Borrowed("no-answer"));
            record.facts.push(Fact {
                name: Cow::Borrowed("call-error"),
                value: Cow::Owned(error.to_string()),
                setting: None,
                read_at_start: None,
            });
        }
        self.lab.journal().commit(record);
        outcome
    }
}

/// A request being answered.
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// Everything around it.
    pub activity: Activity,
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
                let name = if name.contains(':') { format!("[{name}]") } else { name.clone() };
                match port {
                    Some(port) if *port != 443 => format!("https://{name}:{port}"),
                    _ => format!("https://{name}"),
                }
            }
            None => String::from("https://localhost"),
        }
    }

    /// Base URL of another site as this caller can reach it: its world name under world names, else its public
    /// address (design: URLs a surface writes about another surface).
    pub fn base_url_of(&self, site: &Site, world_host: &str) -> String {
        match self.activity.public_address(site) {
            Some(address) if !self.world_name => address.to_owned(),
            _ => format!("https://{world_host}"),
        }
    }
}
