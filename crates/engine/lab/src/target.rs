//! Where a URL points: host, port, scheme, and what is asked for there.
//!
//! Decides which texts are absolute http or https URLs, the same way for a call over sockets and one in process. Never
//! decides who answers at a name.

use http::Uri;
use http::uri::PathAndQuery;

use crate::outbound::CallError;
use crate::request::HostName;

/// Where a URL points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Lower case, no final dot, no brackets.
    pub host: String,
    /// As written, or the scheme's own.
    pub port: u16,
    /// Whether TLS is spoken.
    pub secure: bool,
    authority: String,
    path: PathAndQuery,
}

impl Target {
    /// Reads an absolute http or https URL.
    pub fn parse(url: &str) -> Result<Self, CallError> {
        let bad = |why: &str| CallError::BadUrl { url: url.to_owned(), why: why.to_owned() };
        let uri: Uri = url.parse().map_err(|why: http::uri::InvalidUri| bad(&why.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(bad("its scheme is neither http nor https")),
            None => return Err(bad("it has no scheme")),
        };
        let written = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("it names no host"))?;
        let host = HostName::parse(written).ok_or_else(|| bad("its host is no name"))?.name;
        let own = if secure { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(own);
        let authority = if port == own { written.to_owned() } else { format!("{written}:{port}") };
        let path = match uri.path_and_query() {
            Some(path) if path.as_str().starts_with('/') => path.clone(),
            // `https://host?query`: the path is empty, and a request line needs one.
            Some(path) => {
                format!("/{}", path.as_str()).parse().map_err(|_| bad("its query cannot be sent"))?
            }
            None => PathAndQuery::from_static("/"),
        };
        Ok(Self { host, port, secure, authority, path })
    }

    /// `Host` as a client writes it: the port only where it is not the scheme's own.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query as they are sent.
    pub fn path(&self) -> &PathAndQuery {
        &self.path
    }

    /// Whether the URL names nothing below scheme, host and port.
    pub fn is_origin(&self) -> bool {
        self.path == "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_and_anything_else_is_refused() {
        let target = Target::parse("HTTPS://Login.Windows.NET./a?b").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.secure), ("login.windows.net", 443, true));
        assert_eq!((target.path.as_str(), target.authority.as_str()), ("/a?b", "Login.Windows.NET."));
        let target = Target::parse("http://u:p@[::1]:7443").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("::1", 7443, "/"));
        assert_eq!(target.authority, "[::1]:7443");
        assert_eq!(Target::parse("https://a?b=c").unwrap().path.as_str(), "/?b=c");
        for bad in [
            "",
            "/a",
            "a",
            "localhost:7443",
            "ftp://a/",
            "https://",
            "https:///a",
            "https://a b/",
            "https://é/",
        ] {
            assert!(matches!(Target::parse(bad), Err(CallError::BadUrl { .. })), "{bad}");
        }
    }
}
