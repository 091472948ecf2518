//! What a case needs: the browser that trusts every lab of this run, a lab of its own, an application to come back to, and the
//! request that leads from it to AD FS.
//!
//! Decides that labs share a state directory, and so the roots that the browser was told of once. Judges nothing.

use std::path::PathBuf;
use std::sync::Arc;

use mocktenant_acceptance::chromium::devtools::Chromium;
use mocktenant_acceptance::{chromium, tools};
use mocktenant_testkit::mocktenant_world::pointers;
use mocktenant_testkit::{Adfs, Edit, Lab, Record, Reply, Setting};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::arrivals::{Application, Came};
use crate::window::{Like, Window};

const GROUP: &str = "Microsoft Dynamics 365 for Operations On-premises";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const USER: &str = "ada@contoso.com";
pub(crate) const PASSWORD: &str = "ada-password-not-secret";

/// How AD FS is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the lab's address.
    Localhost,
    /// By the name it has in the world, over the lab's proxy.
    Name,
}

/// What all cases share.
pub(crate) struct Stage {
    pub(crate) chromium: Chromium,
    /// Of the person in front of it.
    _home: TempDir,
    state: TempDir,
    /// Keeps the roots that the browser knows in use.
    _first: Lab,
}

/// What the browser is told beside a lab: it is not on this machine.
pub(crate) struct Tools {
    chromium: PathBuf,
    certutil: PathBuf,
}

impl Tools {
    pub(crate) fn find() -> Result<Self, String> {
        let certutil = tools::find("certutil").map_err(|why| format!("{why} (libnss3-tools)"))?;
        Ok(Self { chromium: tools::find("chromium")?, certutil })
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

impl Stage {
    pub(crate) fn set(tools: &Tools) -> Self {
        let state = tempfile::Builder::new().prefix("mocktenant-").tempdir().unwrap();
        let first = runtime().block_on(Lab::builder().state(state.path()).start());
        let settings = first.settings();
        let roots = [settings.ca_pem.as_path(), settings.ca_real_names_pem.as_deref().unwrap()];
        let home = tempfile::tempdir().unwrap();
        chromium::trust(&tools.certutil, home.path(), &roots);
        let chromium = Chromium::open(&[tools.chromium.as_os_str()], home.path());
        Self { chromium, _home: home, state, _first: first }
    }

    /// A lab whose AD FS is of that Windows Server, with the application's redirect URI.
    pub(crate) fn scene(&self, profile: &str) -> Scene<'_> {
        let runtime = runtime();
        let lab = runtime.block_on(Lab::builder().state(self.state.path()).start());
        let scene = Scene { stage: self, lab, application: Application::start(), runtime };
        let server = service().application_group(GROUP).server_application(&scene.adfs().client_id);
        let back = json!([scene.application.back()]);
        scene.edited([
            (service().profile(), json!(profile)),
            (scene.native().redirect_uris(), back.clone()),
            (server.redirect_uris(), back),
        ]);
        scene
    }
}

/// The federation service of the world.
pub(crate) fn service() -> pointers::FederationService {
    pointers::federation_service("contoso")
}

/// A lab, an application, and the browser.
pub(crate) struct Scene<'s> {
    pub(crate) stage: &'s Stage,
    pub(crate) lab: Lab,
    pub(crate) application: Application,
    runtime: Runtime,
}

impl Scene<'_> {
    pub(crate) fn edited(&self, edits: impl IntoIterator<Item = (Setting, Value)>) {
        let edits: Vec<Edit> = edits.into_iter().map(|(at, value)| Edit::add(at, value)).collect();
        self.runtime.block_on(self.lab.apply(edits));
    }

    /// An environment is started again.
    pub(crate) fn restarted(&self, environment: &str) {
        self.runtime.block_on(self.lab.restart(environment));
    }

    /// The caller does what the world says.
    pub(crate) fn drive(&self) -> Reply {
        self.runtime.block_on(self.lab.drive())
    }

    /// A window that goes that way.
    pub(crate) fn window(&self, way: Way, like: Like<'_>) -> Window<'_> {
        let proxy = (way == Way::Name).then(|| &*self.lab.settings().proxy_url);
        Window::open(&self.stage.chromium, Like { proxy: proxy.or(like.proxy), ..like })
    }

    /// Where AD FS is that way.
    pub(crate) fn base(&self, way: Way) -> String {
        match way {
            Way::Localhost => self.adfs().base_url.clone(),
            Way::Name => String::from("https://adfs.contoso.com/adfs"),
        }
    }

    /// The application's request, healthy but for what is changed; an empty value leaves a parameter out.
    pub(crate) fn request(&self, way: Way, changes: &[(&str, &str)]) -> String {
        let adfs = self.adfs();
        let back = self.application.back();
        let mut all = vec![
            ("client_id", &*adfs.native_client_id),
            ("redirect_uri", &*back),
            ("response_type", "code"),
            ("resource", &*adfs.resource),
            ("scope", "openid"),
            ("state", "1 2&3"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for change in changes {
            all.retain(|(name, _)| *name != change.0);
            all.push(*change);
        }
        all.retain(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        format!("{}/oauth2/authorize/?{query}", self.base(way))
    }

    /// What came back brings a code that is good for tokens; the answer.
    pub(crate) fn redeemed(&self, came: &Came) -> Value {
        assert_eq!(came.field("state"), "1 2&3", "{:?}", came.fields);
        let back = self.application.back();
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", &*self.adfs().native_client_id),
            ("redirect_uri", &*back),
            ("code_verifier", VERIFIER),
            ("code", came.field("code")),
        ];
        let reply = self.posted("token", &fields);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// The native application that people sign in to.
    pub(crate) fn native(&self) -> pointers::NativeApplication {
        service().application_group(GROUP).native_application(&self.adfs().native_client_id)
    }

    /// What AD FS's settings are.
    pub(crate) fn adfs(&self) -> &Adfs {
        self.lab.settings().adfs.as_ref().unwrap()
    }

    /// What a client of AD FS is answered at that endpoint, which no browser is asked for.
    pub(crate) fn posted(&self, endpoint: &str, fields: &[(&str, &str)]) -> Reply {
        let url = format!("{}/oauth2/{endpoint}", self.base(Way::Localhost));
        self.runtime.block_on(self.lab.client().post_form(&url, fields))
    }

    /// The requests that came to AD FS from the browser, oldest first.
    pub(crate) fn records(&self) -> Vec<Arc<Record>> {
        let mut all = self.lab.journal().requests_to("adfs");
        all.retain(|record| !matches!(&*record.endpoint, "token" | "devicecode"));
        all
    }

    /// All of them came that way.
    pub(crate) fn all_came(&self, way: Way) {
        for record in self.records() {
            let proxied = record.fact("via").is_some_and(|via| &*via.value == "proxy");
            assert_eq!(proxied, way == Way::Name, "{} {}", record.host, record.target);
        }
    }
}
