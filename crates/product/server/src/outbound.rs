//! Calls of one surface to another, as the lab asks for them: dialled by a table, never by DNS.
//!
//! Decides which listener of this lab a name and port mean, and that every other name and port is nobody: a production
//! configuration can be dropped in and nothing real is contacted. Proxy variables are never read. Mirrors the network
//! between the real products, whose TLS verifies names against trusted roots; here only the lab's own are trusted.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mocktenant_lab::outbound::{BoxFuture, Call, CallError, Dial, Outbound, Reply, Target};
use mocktenant_lab::{Entrance, Lab};
use rustls::ClientConfig;

use crate::listen::Listening;
use crate::names::Names;
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
}

impl DialTable {
    pub(crate) fn new(
        names: Arc<Names>,
        listening: &[Listening],
        public: HashMap<(String, u16), Entrance>,
    ) -> Self {
        let listeners = listening
            .iter()
            .map(|listening| Listener {
                entrance: listening.door.entrance().cloned(),
                port: listening.port,
                addresses: listening
                    .sockets
                    .iter()
                    .filter_map(|socket| socket.local_addr().ok())
                    .map(reachable)
                    .collect(),
            })
            .collect();
        Self { names, listeners, public }
    }

    /// The addresses behind a host (lower case, no brackets) and port.
    pub(crate) fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, CallError> {
        let found = self.find(|name| self.names.entrance_of(name), host, port)?;
        Ok(found.addresses().copied().collect())
    }

    /// The rules. `named` says which entrance a world name leads to.
    fn find(
        &self,
        named: impl FnOnce(&str) -> Option<Entrance>,
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
        let found = self.find(|name| lab.entrance_of(name), host, port)?;
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
        let same = |address: &&SocketAddr| self.only.is_none_or(|only| address.ip() == only);
        self.listener.addresses.iter().filter(same)
    }
}

/// A socket on every address is reached through loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The lab's way out, which leads back in.
#[derive(Debug)]
pub(crate) struct Loop {
    table: Arc<DialTable>,
    tls: Arc<ClientConfig>,
}

impl Loop {
    pub(crate) fn new(table: Arc<DialTable>, tls: Arc<ClientConfig>) -> Self {
        Self { table, tls }
    }
}

impl Outbound for Loop {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let target = Target::parse(&call.url)?;
            let addresses = self.table.resolve(&target.host, target.port)?;
            wire::call(call, &target, &addresses, &self.tls, CALL_TIMEOUT).await
        })
    }

    fn dial(&self) -> Option<Arc<dyn Dial>> {
        Some(Arc::<DialTable>::clone(&self.table))
    }
}
