//! A lab to call, and the names of the default world's federation service.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mocktenant_adfs::Adfs;
use mocktenant_lab::{ClockChange, Command, Entrance, Lab, Random, Request};
use mocktenant_verdict::{Setting, Switches};
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::Value;
use std::sync::Arc;
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-08-21 10:00:00 UTC);
pub(crate) const HOST: &str = "adfs.contoso.com";
pub(crate) const LOCAL: &str = "localhost:7443";
pub(crate) const CLIENT: &str = "c0117050-0000-4000-8000-00000000a001";
pub(crate) const SECRET: &str = "contoso-app-secret-not-secret";
pub(crate) const NATIVE_CLIENT: &str = "c0117050-0000-4000-8000-00000000a101";
pub(crate) const PROFILES: [&str; 3] = ["2016", "2019", "2022"];

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A member of the federation service, whether or not it has it.
pub(crate) fn put(member: &str, value: impl Into<Value>) -> Edit {
    Edit::add(Setting::from_pointer(format!("/federation_services/contoso/{member}")), value.into())
}

/// An edit of the federation service.
pub(crate) fn service(member: &str, value: impl Into<Value>) -> Edit {
    Edit::replace(Setting::from_pointer(format!("/federation_services/contoso/{member}")), value.into())
}

/// A lab of the default world with these edits, with the clock at [`NOW`].
pub(crate) async fn lab_with(edits: Vec<Edit>, switches: Switches) -> Lab {
    let world = World::contoso().unwrap();
    let world = if edits.is_empty() { world } else { world.edited(&edits, EditedBy::Control).unwrap() };
    let lab =
        Lab::builder(Arc::new(world)).surface(Adfs).random(Random::seeded(1)).switches(switches).build();
    lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
    lab
}

/// A lab of the default world.
pub(crate) async fn lab() -> Lab {
    lab_with(Vec::new(), Switches::default()).await
}

/// A lab whose federation service runs on this Windows Server.
pub(crate) async fn lab_on(profile: &str) -> Lab {
    lab_with(vec![service("profile", profile)], Switches::default()).await
}

pub(crate) async fn send(lab: &Lab, request: Request) -> Reply {
    let response = lab.answer(request).await;
    Reply { status: response.status.as_u16(), headers: response.headers, body: response.body }
}

/// A request with these header fields.
pub(crate) fn request(method: Method, host: &str, target: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = Request::new(method, host, target, Entrance::Identity);
    for (name, value) in headers {
        request.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    request
}

pub(crate) async fn get(lab: &Lab, host: &str, target: &str) -> Reply {
    send(lab, request(Method::GET, host, target, &[])).await
}

/// A form post.
pub(crate) async fn post(lab: &Lab, host: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let mut request = request(Method::POST, host, target, &form);
    request.body = Ok(body.into());
    send(lab, request).await
}
