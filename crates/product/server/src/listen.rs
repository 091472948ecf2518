//! Ports: which entrances there are, and sockets that listen for them.
//!
//! Decides the port of every entrance (offsets 0, 3, 4, 5 and 6 from a base, free ports for what comes after them) and that
//! an entrance has the same port on every address; the lab's own calls have ports of their own. IPv6 is left out where the machine has none. Never accepts anything.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use mocktenant_lab::Entrance;
use mocktenant_world::World;
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::StartError;

/// The base the ports count from unless told otherwise.
pub const DEFAULT_BASE: u16 = 7440;

const IDENTITY: u16 = 3;
const ENVIRONMENTS: [u16; 2] = [4, 5];
const ORGANIZATIONS: [u16; 1] = [6];

/// How often a free port of one address family is tried on the other.
const TRIES: usize = 32;

/// Connections the system keeps for us until they are accepted.
const BACKLOG: i32 = 1024;

/// Which ports a lab listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Tools on the base, identity on base + 3, the first two environments on base + 4 and + 5, the first organisation on
    /// base + 6; further ones on free ports. 0 is the same as [`Ports::Free`].
    Base(u16),
    /// Any free ports.
    Free,
}

impl Default for Ports {
    fn default() -> Self {
        Self::Base(DEFAULT_BASE)
    }
}

impl From<u16> for Ports {
    fn from(base: u16) -> Self {
        if base == 0 { Self::Free } else { Self::Base(base) }
    }
}

/// The ports of https and http, on which clients that were told nothing look for a name.
const NAMED: [u16; 2] = [443, 80];

/// Whether a lab listens where clients look for Microsoft's own names, besides its own ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RealNames {
    /// It does not; the proxy leads there.
    #[default]
    No,
    /// On 443 and 80.
    Yes,
    /// On two free ports that stand for them: for tests.
    Free,
}

/// What a port leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The control API.
    Tools,
    /// Whatever product the name asked for is.
    Names,
    /// An entrance of the lab.
    Lab(Entrance),
}

impl Door {
    pub(crate) fn entrance(&self) -> Option<&Entrance> {
        match self {
            Self::Tools | Self::Names => None,
            Self::Lab(entrance) => Some(entrance),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Tools => String::from("tools"),
            Self::Names => String::from("real names"),
            Self::Lab(entrance) => entrance.to_string(),
        }
    }
}

/// A door that listens.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) door: Door,
    pub(crate) port: u16,
    pub(crate) sockets: Vec<TcpListener>,
}

/// The doors of a world with their offsets from the base; without one, any free port.
pub(crate) fn doors(world: &World) -> Vec<(Door, Option<u16>)> {
    let mut all = vec![(Door::Tools, Some(0)), (Door::Lab(Entrance::Identity), Some(IDENTITY))];
    let mut offsets = ENVIRONMENTS.into_iter();
    all.extend(
        world.environments().map(|environment| {
            (Door::Lab(Entrance::Environment(Arc::clone(&environment.id))), offsets.next())
        }),
    );
    let mut offsets = ORGANIZATIONS.into_iter();
    all.extend(world.organizations().map(|organization| {
        (Door::Lab(Entrance::Organization(Arc::clone(&organization.key))), offsets.next())
    }));
    all
}

/// The port a door would have; `None` where it takes any free one.
pub(crate) fn planned(ports: Ports, offset: Option<u16>) -> Result<Option<u16>, StartError> {
    match (ports, offset) {
        (Ports::Free | Ports::Base(0), _) | (_, None) => Ok(None),
        (Ports::Base(base), Some(offset)) => {
            let highest = u16::MAX - ORGANIZATIONS[0];
            if base > highest {
                return Err(StartError::PortBase { base, highest });
            }
            Ok(Some(base + offset))
        }
    }
}

/// The loopback addresses of both families.
pub(crate) fn loopback() -> Vec<IpAddr> {
    vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
}

/// Listens for every door on every address.
pub(crate) fn listen(
    world: &World,
    ports: Ports,
    addresses: &[IpAddr],
) -> Result<Vec<Listening>, StartError> {
    doors(world)
        .into_iter()
        .map(|(door, offset)| {
            let port = planned(ports, offset)?;
            listen_one(door, port, addresses)
        })
        .collect()
}

/// The ports on which a lab would be found by name, as far as that is known.
pub(crate) fn planned_for_names(real_names: RealNames) -> &'static [u16] {
    if real_names == RealNames::Yes { &NAMED } else { &[] }
}

/// Listens where clients look for a name that they were told nothing about.
pub(crate) fn listen_for_names(
    real_names: RealNames,
    addresses: &[IpAddr],
) -> Result<Vec<Listening>, StartError> {
    let ports: &[Option<u16>] = match real_names {
        RealNames::No => &[],
        RealNames::Yes => &NAMED.map(Some),
        RealNames::Free => &[None, None],
    };
    ports.iter().map(|port| listen_one(Door::Names, *port, addresses)).collect()
}

/// Further doors for the lab's own calls, on free ports of the same addresses: nobody else stands in line there. The tools
/// port gets none, as nobody of the lab answers there.
pub(crate) fn listen_for_own(listening: &[Listening]) -> Result<Vec<Listening>, StartError> {
    let entrances = listening.iter().filter(|listening| listening.door.entrance().is_some());
    entrances
        .map(|listening| {
            let local = listening.sockets.iter().filter_map(|socket| socket.local_addr().ok());
            let addresses: Vec<IpAddr> = local.map(|address| reachable(address).ip()).collect();
            listen_one(listening.door.clone(), None, &addresses)
        })
        .collect()
}

/// A socket on every address is reached through loopback.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn listen_one(door: Door, port: Option<u16>, addresses: &[IpAddr]) -> Result<Listening, StartError> {
    let failed = |address: IpAddr, port: u16, source: io::Error| {
        let entrance = door.name();
        if door == Door::Names {
            StartError::RealNames { port, address, source }
        } else if source.kind() == io::ErrorKind::AddrInUse {
            StartError::Busy { port, entrance, address, source }
        } else {
            StartError::Listen { port, entrance, address, source }
        }
    };
    let mut tries = 0;
    loop {
        tries += 1;
        match same_port(port, addresses) {
            Ok((port, sockets)) => return Ok(Listening { door, port, sockets }),
            // A port free in one family and taken in the other: another one.
            Err((_, _, error))
                if port.is_none() && tries < TRIES && error.kind() == io::ErrorKind::AddrInUse => {}
            Err((address, port, error)) => return Err(failed(address, port, error)),
        }
    }
}

type Failed = (IpAddr, u16, io::Error);

fn same_port(wanted: Option<u16>, addresses: &[IpAddr]) -> Result<(u16, Vec<TcpListener>), Failed> {
    let mut port = wanted.unwrap_or(0);
    let mut sockets = Vec::with_capacity(addresses.len());
    let mut missing = None;
    for &address in addresses {
        match open(SocketAddr::new(address, port)) {
            Ok(socket) => {
                port = socket.local_addr().map_err(|error| (address, port, error))?.port();
                sockets.push(socket);
            }
            Err(error) if address.is_ipv6() && no_such_family(&error) => {
                tracing::debug!(%address, %error, "this machine has no such address");
                missing = Some((address, port, error));
            }
            Err(error) => return Err((address, port, error)),
        }
    }
    match missing {
        Some(failed) if sockets.is_empty() => Err(failed),
        _ => Ok((port, sockets)),
    }
}

fn no_such_family(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no kind of its own: 97 on Linux, 47 on macOS, 10047 on Windows.
    error.kind() == io::ErrorKind::AddrNotAvailable || matches!(error.raw_os_error(), Some(97 | 47 | 10047))
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Elsewhere it only lets a port in TIME_WAIT be used again; on Windows it would let two programs share one.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use mocktenant_world::{Edit, EditedBy, pointers};

    use super::*;

    #[test]
    fn free_ports_are_the_same_in_both_families() {
        let listening = listen_one(Door::Tools, None, &loopback()).unwrap();
        for socket in &listening.sockets {
            assert_eq!(socket.local_addr().unwrap().port(), listening.port);
        }
    }

    #[test]
    fn a_taken_port_is_named_with_the_flag_that_changes_it() {
        let taken = listen_one(Door::Tools, None, &loopback()).unwrap();
        let identity = Door::Lab(Entrance::Identity);
        let error = listen_one(identity, Some(taken.port), &loopback()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("port {}", taken.port)) && text.contains("--port"), "{text}");
        assert!(text.contains("identity"), "{text}");
        assert_eq!(error.exit_code(), 3);
    }

    #[test]
    fn ports_count_from_the_base() {
        let world = World::contoso().unwrap();
        let onebox = world.get(&pointers::environment("onebox")).unwrap();
        let mut third = onebox.clone();
        third["host"] = "third.contoso.com".into();
        let edit = Edit::add(pointers::environment("third").setting(), third);
        let world = world.edited(&[edit], EditedBy::Control).unwrap();
        let ports: Vec<_> = doors(&world)
            .into_iter()
            .map(|(door, offset)| (door.name(), planned(Ports::default(), offset).unwrap()))
            .collect();
        let expected = [
            ("tools", 7440),
            ("identity", 7443),
            ("environment/onebox", 7444),
            ("environment/onprem", 7445),
            ("organization/contoso", 7446),
        ];
        let (free, fixed): (Vec<_>, Vec<_>) = ports.into_iter().partition(|(_, port)| port.is_none());
        assert_eq!(fixed, expected.map(|(name, port)| (name.to_owned(), Some(port))));
        assert_eq!(free, [("environment/third".to_owned(), None)]);
        assert_eq!(planned(Ports::Base(0), Some(3)).unwrap(), None);
        assert!(matches!(planned(Ports::Base(65530), Some(0)), Err(StartError::PortBase { .. })));
    }
}
