//! What the token endpoint has to keep, whatever is posted: an answer of its own in JSON, and never a defect of ours.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use mocktenant_entra::Entra;
use mocktenant_lab::{Entrance, Lab, Request};
use mocktenant_world::World;

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let world = World::contoso().expect("the default world compiles");
    Lab::builder(Arc::new(world)).surface(Entra::new()).journal_budget(64 * 1024).build()
});

/// Posts the bytes to both token endpoints, as either kind of form.
pub(crate) fn token_form(data: &[u8]) {
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        post(data, kind);
    }
}

fn post(data: &[u8], kind: &'static str) {
    for endpoint in ["/contoso.com/oauth2/token", "/contoso.com/oauth2/v2.0/token"] {
        let mut request =
            Request::new(Method::POST, "login.microsoftonline.com", endpoint, Entrance::Identity);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        request.body = Ok(bytes::Bytes::copy_from_slice(data));
        let Poll::Ready(answer) = pin!(LAB.answer(request)).poll(&mut Context::from_waker(Waker::noop()))
        else {
            unreachable!("Entra calls nobody");
        };
        assert!([200, 400, 401].contains(&answer.status.as_u16()), "{}", answer.status);
        let body: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let member = if answer.status == 200 { "access_token" } else { "error" };
        assert!(body[member].is_string(), "{body}");
    }
}
