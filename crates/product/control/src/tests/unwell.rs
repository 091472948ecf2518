//! A lab whose own certificates are not well.

use time::macros::datetime;

use super::*;

/// A certificate authority as it is told to be.
pub(super) struct Roots {
    pub(super) valid: bool,
    pub(super) trouble: Option<&'static str>,
}

impl authority::Authority for Roots {
    fn local_pem(&self) -> String {
        String::from("local root")
    }
    fn real_names_pem(&self) -> String {
        String::from("real-names root")
    }
    fn health(&self) -> mocktenant_lab::BoxFuture<'_, authority::Health> {
        let (not_before, not_after) = (datetime!(2026-01-01 00:00 UTC), datetime!(2026-01-31 00:00 UTC));
        let roots = vec![authority::Root { name: "real-names", not_before, not_after }];
        let health = authority::Health { roots, valid: self.valid, trouble: self.trouble.map(Into::into) };
        Box::pin(std::future::ready(health))
    }
}

#[tokio::test]
async fn health_and_explanations_name_a_certificate_authority_that_is_unwell() {
    let trouble = Some("the real-names root ended");
    for (valid, expected, ca) in [(false, 503, "not valid"), (true, 200, "not saved")] {
        let state = ControlState { ca: Arc::new(Roots { valid, trouble }), ..state() };
        let (status, body, _) = read(&state, get("/health")).await;
        assert_eq!((status, &body["status"]), (expected, &json!("unwell")));
        assert_eq!((&body["ca"]["status"], &body["ca"]["why"]), (&json!(ca), &json!(trouble)));
        assert_eq!(body["ca"]["real_names"]["not_after"], "2026-01-31T00:00:00Z");
    }
    let (_, body, _) = read(&state(), get("/health")).await;
    assert_eq!((&body["ca"]["status"], body["ca"].get("why")), (&json!("ok"), None));
    let state = ControlState { ca: Arc::new(Roots { valid: false, trouble }), ..state() };
    knock(&state.lab).await;
    let (_, explanation, _) = read(&state, get("/v1/explain")).await;
    assert_eq!(explanation["ca"]["why"], json!(trouble));
    let response = send(&state, get("/v1/explain?format=text")).await;
    let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.starts_with("the lab itself is unwell: the real-names root ended\n"), "{text}");
    assert!(text.contains("door-open"), "{text}");
}

#[tokio::test]
async fn each_root_is_given_out_under_its_own_name() {
    let state = state();
    for (path, expected) in [("/ca.pem", "local root"), ("/ca-real-names.pem", "real-names root")] {
        let response = send(&state, get(path)).await;
        let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(text, expected);
    }
}
