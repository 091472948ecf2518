//! Calls of one surface to another, as the lab asks for them: dialled by a table, never by DNS.
//!
//! Decides which listener of this lab a name and port mean (for the lab's own calls a twin of it, so that strangers who fill the
//! one do not keep it from itself), and that every other name and port is nobody: a production
//! configuration can be dropped in and nothing real is contacted. A name whose machine is stopped refuses connections. Proxy variables are never read. Mirrors the network
//! between the real products, whose TLS verifies names against trusted roots; here only the lab's own are trusted.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mocktenant_lab::outbound::{BoxFuture, Call, CallError, Dial, Outbound, Reply, Target};
use mocktenant_lab::{Entrance, Lab};

use crate::listen::{Door, Listening, reachable};
use crate::names::Names;
use crate::trust::Trust;
use crate::wire;

/// How long a call may take.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Which address of this lab a name and port mean.
#[derive(Debug)]
pub(crate) struct DialTable {
    names: Arc<Names>,
    listeners: Vec<Listener>,
    /// Host and port of public URLs.
    public: HashMap<(String, u16), Entrance>,
}

#[derive(Debug)]
struct Listener {
    entrance: Option<Entrance>,
    port: u16,
    /// Where it can be reached from this machine.
    addresses: Vec<SocketAddr>,
    /// Where the lab itself reaches the same entrance, and nobody stands in line before it.
    own: Vec<SocketAddr>,
}

impl DialTable {
    pub(crate) fn new(
        names: Arc<Names>,
        listening: &[Listening],
        own: &[Listening],
        public: HashMap<(String, u16), Entrance>,
    ) -> Self {
        let own_of = |door: &Door| own.iter().find(|own| own.door == *door);
        let listeners = listening
            .iter()
            .map(|listening| Listener {
                entrance: listening.door.entrance().cloned(),
                port: listening.port,
                addresses: addresses(listening),
                own: addresses(own_of(&listening.door).unwrap_or(listening)),
            })
            .collect();
        Self { names, listeners, public }
    }

    /// The addresses behind a host (lower case, no brackets) and port.
    pub(crate) fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, CallError> {
        let found = self.find_now(host, port)?;
        Ok(found.addresses().copied().collect())
    }

    /// The same for a call of the lab itself.
    fn resolve_own(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, CallError> {
        let found = self.find_now(host, port)?;
        Ok(found.of(&found.listener.own).copied().collect())
    }

    fn find_now(&self, host: &str, port: u16) -> Result<Found<'_>, CallError> {
        let stopped = |name: &str| self.names.stopped_at(name).is_some();
        self.find(|name| self.names.entrance_of(name), stopped, host, port)
    }

    /// The rules. `named` says which entrance a world name leads to, `stopped` whether nobody listens behind it.
    fn find(
        &self,
        named: impl FnOnce(&str) -> Option<Entrance>,
        stopped: impl FnOnce(&str) -> bool,
        host: &str,
        port: u16,
    ) -> Result<Found<'_>, CallError> {
        let refused = || CallError::Refused { host: host.to_owned(), port };
        let by_port = || self.listeners.iter().find(|listener| listener.port == port);
        let whole = |listener| Found { listener, only: None };
        if let Some(entrance) = self.public.get(&(host.to_owned(), port)) {
            return self.of_entrance(entrance).map(whole).ok_or_else(refused);
        }
        let literal: Option<IpAddr> = host.parse().ok();
        if host == "localhost" || literal.is_some_and(|address| address.is_loopback()) {
            let found = by_port().map(|listener| Found { listener, only: literal });
            return found.filter(|found| found.addresses().next().is_some()).ok_or_else(refused);
        }
        let Some(entrance) = named(host) else {
            return Err(CallError::UnknownHost { host: host.to_owned(), port });
        };
        if stopped(host) {
            return Err(refused());
        }
        let listener = if matches!(port, 80 | 443) { self.of_entrance(&entrance) } else { by_port() };
        listener.map(whole).ok_or_else(refused)
    }

    /// An entrance declared after the start has no listener of its own; the host decides on any other just as well.
    fn of_entrance(&self, entrance: &Entrance) -> Option<&Listener> {
        let own = self.listeners.iter().find(|listener| listener.entrance.as_ref() == Some(entrance));
        let any = || self.listeners.iter().find(|listener| listener.entrance.is_some());
        own.or_else(any)
    }
}

impl Dial for DialTable {
    /// The same rules, without the sockets. The tools port is no entrance: nobody of the lab answers there.
    fn entrance(&self, lab: &Lab, host: &str, port: u16) -> Result<Entrance, CallError> {
        let stopped = |name: &str| lab.stopped_at(name).is_some();
        let found = self.find(|name| lab.entrance_of(name), stopped, host, port)?;
        let refused = || CallError::Refused { host: host.to_owned(), port };
        found.listener.entrance.clone().ok_or_else(refused)
    }
}

/// What a name and port lead to.
struct Found<'t> {
    listener: &'t Listener,
    /// The one address that was written.
    only: Option<IpAddr>,
}

impl Found<'_> {
    fn addresses(&self) -> impl Iterator<Item = &SocketAddr> {
        self.of(&self.listener.addresses)
    }

    fn of<'a>(&self, addresses: &'a [SocketAddr]) -> impl Iterator<Item = &'a SocketAddr> {
        let only = self.only;
        addresses.iter().filter(move |address| only.is_none_or(|only| address.ip() == only))
    }
}

fn addresses(listening: &Listening) -> Vec<SocketAddr> {
    listening.sockets.iter().filter_map(|socket| socket.local_addr().ok()).map(reachable).collect()
}

/// The lab's way out, which leads back in.
#[derive(Debug)]
pub(crate) struct Loop {
    table: Arc<DialTable>,
    trust: Arc<Trust>,
}

impl Loop {
    pub(crate) fn new(table: Arc<DialTable>, trust: Arc<Trust>) -> Self {
        Self { table, trust }
    }
}

impl Outbound for Loop {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let target = Target::parse(&call.url)?;
            let addresses = self.table.resolve_own(&target.host, target.port)?;
            let current = self.trust.current().await;
            let outcome = wire::call(call, &target, &addresses, &current.client, CALL_TIMEOUT).await;
            // Not the called product's certificate, then: whoever explains the failure names what is at fault.
            outcome.map_err(|error| match (error, self.trust.invalid()) {
                (CallError::Tls { host, .. }, Some(why)) => CallError::Tls { host, why },
                (error, _) => error,
            })
        })
    }

    fn dial(&self) -> Option<Arc<dyn Dial>> {
        Some(Arc::<DialTable>::clone(&self.table))
    }
}
