//! Whose process on this machine a connection comes from.
//!
//! Decides by the kernel's table of TCP connections (`proc(5)`, Linux): the user of the other end, as the lab's own user,
//! root or a stranger. A connection whose other end is gone has nobody who could be asked for; it counts as a stranger's.
//! Where there is no such table nothing is decided. Never opens a connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    /// The user the lab runs as, or root.
    Own,
    /// Another user of this machine.
    Stranger,
    /// This machine does not say.
    Unknown,
}

/// Who called from this address of this machine on the tools port.
#[cfg(target_os = "linux")]
pub(crate) async fn of(client: SocketAddr, port: u16) -> Neighbour {
    if port == 0 {
        // Nobody listens there: the router is asked without a socket.
        return Neighbour::Unknown;
    }
    let looked = tokio::task::spawn_blocking(move || {
        use std::os::unix::fs::MetadataExt as _;
        let Ok(me) = std::fs::metadata("/proc/self") else { return Neighbour::Unknown };
        // A machine without IPv6 has one table.
        let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
            .map(|table| std::fs::read_to_string(table).unwrap_or_default());
        judge(tables.iter().flat_map(|table| table.lines()), client, port, me.uid())
    });
    looked.await.unwrap_or(Neighbour::Stranger)
}

/// Who called from this address of this machine on the tools port.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn of(_client: SocketAddr, _port: u16) -> Neighbour {
    Neighbour::Unknown
}

/// One line of the table.
struct Line {
    local: SocketAddr,
    remote: SocketAddr,
    listens: bool,
    user: u32,
    /// 0 for a connection that no process holds any more.
    inode: u64,
}

#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no such table"))]
fn judge<'t>(table: impl Iterator<Item = &'t str>, client: SocketAddr, port: u16, me: u32) -> Neighbour {
    let is = |one: SocketAddr, other: SocketAddr| {
        one.port() == other.port() && one.ip().to_canonical() == other.ip().to_canonical()
    };
    let (mut sees_us, mut found) = (false, None);
    for line in table.filter_map(read) {
        sees_us |= line.listens && line.local.port() == port;
        if is(line.local, client) && line.remote.port() == port {
            let own = line.inode != 0 && (line.user == me || line.user == 0);
            found = Some(own && found.unwrap_or(true));
        }
    }
    match found {
        Some(true) => Neighbour::Own,
        Some(false) => Neighbour::Stranger,
        // A table that shows us shows our callers too: this one has already gone.
        None if sees_us => Neighbour::Stranger,
        None => Neighbour::Unknown,
    }
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`
fn read(line: &str) -> Option<Line> {
    let mut words = line.split_whitespace().skip(1);
    let (local, remote) = (address(words.next()?)?, address(words.next()?)?);
    let listens = words.next()? == "0A";
    let mut words = words.skip(3);
    let user = words.next()?.parse().ok()?;
    let inode = words.nth(1)?.parse().ok()?;
    Some(Line { local, remote, listens, user, inode })
}

/// An address as the kernel writes it: groups of 32 bits in the machine's own order.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let group = |at: usize| u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(group(0)?).into(),
        32 => {
            let mut bytes = [0; 16];
            for at in 0..4 {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&group(at)?);
            }
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(address: SocketAddr) -> String {
        let bytes = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let groups = bytes.chunks(4).map(|group| {
            let group: [u8; 4] = group.try_into().unwrap();
            format!("{:08X}", u32::from_ne_bytes(group))
        });
        format!("{}:{:04X}", groups.collect::<String>(), address.port())
    }

    fn line(local: &str, remote: &str, state: &str, user: u32, inode: u64) -> String {
        let (local, remote) = (written(local.parse().unwrap()), written(remote.parse().unwrap()));
        format!(
            "   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {user:5}        0 {inode} 1 0 20 0 0 10 -1"
        )
    }

    #[test]
    fn a_caller_is_the_labs_own_user_root_or_a_stranger() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        let us = || line("127.0.0.1:7440", "0.0.0.0:0", "0A", 1000, 7);
        for (lines, client, expected) in [
            (
                vec![us(), line("127.0.0.1:5000", "127.0.0.1:7440", "01", 1000, 8)],
                "127.0.0.1:5000",
                Neighbour::Own,
            ),
            (
                vec![us(), line("127.0.0.1:5000", "127.0.0.1:7440", "01", 0, 8)],
                "127.0.0.1:5000",
                Neighbour::Own,
            ),
            (
                vec![us(), line("127.0.0.1:5000", "127.0.0.1:7440", "01", 1001, 8)],
                "127.0.0.1:5000",
                Neighbour::Stranger,
            ),
            // Gone before it could be asked for: the kernel names root for what nobody holds.
            (
                vec![us(), line("127.0.0.1:5000", "127.0.0.1:7440", "05", 0, 0)],
                "127.0.0.1:5000",
                Neighbour::Stranger,
            ),
            (vec![us()], "127.0.0.1:5000", Neighbour::Stranger),
            // Another connection of the same address, to somebody else.
            (
                vec![us(), line("127.0.0.1:5000", "127.0.0.1:7441", "01", 1000, 8)],
                "127.0.0.1:5000",
                Neighbour::Stranger,
            ),
            (
                vec![
                    us(),
                    line("127.0.0.1:5000", "127.0.0.1:7440", "01", 1000, 8),
                    line("127.0.0.1:5000", "127.0.0.2:7440", "01", 1001, 9),
                ],
                "127.0.0.1:5000",
                Neighbour::Stranger,
            ),
            // Somebody else who calls us is not this caller.
            (
                vec![us(), line("127.0.0.1:6000", "127.0.0.1:7440", "01", 1000, 8)],
                "127.0.0.1:5000",
                Neighbour::Stranger,
            ),
            // Our own end of the connection is no caller.
            (
                vec![us(), line("127.0.0.1:7440", "127.0.0.1:5000", "01", 1000, 8)],
                "127.0.0.1:5000",
                Neighbour::Stranger,
            ),
            (vec![us(), line("[::1]:5000", "[::1]:7440", "01", 1000, 8)], "[::1]:5000", Neighbour::Own),
            (vec![us(), line("[::1]:5000", "[::1]:7440", "01", 1001, 8)], "[::1]:5000", Neighbour::Stranger),
            (
                vec![us(), line("[::ffff:127.0.0.1]:5000", "[::ffff:127.0.0.1]:7440", "01", 1000, 8)],
                "127.0.0.1:5000",
                Neighbour::Own,
            ),
            // A table that does not even show us shows nothing.
            (vec![], "127.0.0.1:5000", Neighbour::Unknown),
            (vec![line("127.0.0.1:7441", "0.0.0.0:0", "0A", 1000, 7)], "127.0.0.1:5000", Neighbour::Unknown),
            (vec![us(), String::from("   1: nonsense")], "127.0.0.1:5000", Neighbour::Stranger),
        ] {
            let table = std::iter::once(head).chain(lines.iter().map(String::as_str));
            assert_eq!(judge(table, client.parse().unwrap(), 7440, 1000), expected, "{lines:#?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_connection_of_this_process_is_its_users_own_and_nobody_is_asked_about_no_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let address = client.local_addr().unwrap();
        assert_eq!(of(address, port).await, Neighbour::Own);
        assert_eq!(of(address, 0).await, Neighbour::Unknown);
    }
}
