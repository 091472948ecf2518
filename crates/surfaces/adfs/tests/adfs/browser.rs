//! A browser that keeps cookies, without scripts and without sockets.

use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use mocktenant_lab::{Lab, Request};

use crate::front_door::*;

/// A browser: what it was given is sent again.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) cookies: Vec<(String, String)>,
}

impl Browser {
    pub(crate) async fn send(&mut self, lab: &Lab, mut request: Request) -> Reply {
        if !self.cookies.is_empty() {
            let all: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers.insert(COOKIE, HeaderValue::from_str(&all.join("; ")).unwrap());
        }
        let reply = send(lab, request).await;
        for cookie in reply.headers.get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        reply
    }

    pub(crate) async fn get(&mut self, lab: &Lab, target: &str) -> Reply {
        self.send(lab, getting(HOST, target)).await
    }

    /// Fills in a form.
    pub(crate) async fn fill(&mut self, lab: &Lab, target: &str, fields: &[(&str, &str)]) -> Reply {
        let headers = [("origin", "https://adfs.contoso.com"), ("sec-fetch-site", "same-origin")];
        self.send(lab, form_request(HOST, target, fields, &headers)).await
    }

    /// Signs in, and follows the redirect to the request.
    pub(crate) async fn sign_in(&mut self, lab: &Lab, target: &str) -> Reply {
        let reply = self.fill(lab, target, &typed(USER, PASSWORD)).await;
        assert_eq!(reply.status, 302, "{}", reply.text());
        match reply.header("location").strip_prefix("https://adfs.contoso.com") {
            Some(again) => self.get(lab, again).await,
            None => reply,
        }
    }
}

pub(crate) fn typed<'t>(user: &'t str, password: &'t str) -> Vec<(&'t str, &'t str)> {
    vec![("UserName", user), ("Password", password), ("AuthMethod", "FormsAuthentication")]
}
