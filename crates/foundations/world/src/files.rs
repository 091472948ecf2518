//! The config files of a world's environments, and how a declared value becomes a splice in one of them.
//!
//! Decides that the file is the truth: what the declaration shows of it is generated from its entries, in its order, and
//! an edit of the declaration changes exactly the keys that differ. Never reads or writes a file.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use mocktenant_artefacts::{AUDIENCE_URIS, Artefact, Kind, Value, WebConfig, WifConfig};
use mocktenant_verdict::Setting;

use crate::declaration::Environment;
use crate::origin::Origin;
use crate::problem::Problem;

/// What an environment without a `web.config` of its own begins with.
const EMPTY_WEB_CONFIG: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<configuration>\r\n  <appSettings>\r\n  \
                                </appSettings>\r\n</configuration>\r\n";

/// What an environment without a `wif.config` of its own begins with.
const EMPTY_WIF_CONFIG: &str = "<?xml version=\"1.0\"?>\r\n<system.identityModel>\r\n  <identityConfiguration>\r\n    \
    <securityTokenHandlers>\r\n      <securityTokenHandlerConfiguration>\r\n        <audienceUris>\r\n        \
    </audienceUris>\r\n      </securityTokenHandlerConfiguration>\r\n    </securityTokenHandlers>\r\n  \
    </identityConfiguration>\r\n</system.identityModel>\r\n";

/// Members of an environment that are files.
const WEB_CONFIG: &str = "web_config";
const WIF_CONFIG: &str = "wif_config";

/// The files of a world, by the environment they belong to.
#[derive(Clone, Debug, Default)]
pub struct Artefacts {
    files: HashMap<String, Arc<Artefact>>,
}

impl Artefacts {
    /// No file at all: every environment gets an empty one of each kind.
    pub fn none() -> Self {
        Self::default()
    }

    /// With the `web.config` of an environment.
    #[must_use]
    pub fn with_web_config(mut self, environment: &str, file: WebConfig) -> Self {
        self.put(environment, WEB_CONFIG, Arc::new(file.into()));
        self
    }

    /// With the `wif.config` of an environment.
    #[must_use]
    pub fn with_wif_config(mut self, environment: &str, file: WifConfig) -> Self {
        self.put(environment, WIF_CONFIG, Arc::new(file.into()));
        self
    }

    /// The file at `/environments/<id>/web_config` or `.../wif_config`.
    pub fn get(&self, pointer: &Setting) -> Option<&Arc<Artefact>> {
        self.files.get(pointer.as_str())
    }

    /// The pointers of all files.
    pub fn pointers(&self) -> impl Iterator<Item = Setting> {
        self.files.keys().map(|pointer| Setting::from_pointer(pointer.as_str()))
    }

    fn put(&mut self, environment: &str, member: &str, file: Arc<Artefact>) {
        self.files.insert(Setting::of(["environments", environment, member]).as_str().to_owned(), file);
    }

    pub(crate) fn forget(&mut self, environment: &str) {
        for member in [WEB_CONFIG, WIF_CONFIG] {
            self.files.remove(Setting::of(["environments", environment, member]).as_str());
        }
    }

    /// Brings an environment's files and its declared values together: the values are spliced into the files, and then
    /// generated from them again. With `adopt`, an empty declaration takes over what a file says.
    pub(crate) fn reconcile(
        &mut self,
        id: &str,
        declared: &mut Environment,
        adopt: bool,
        problems: &mut Vec<Problem>,
    ) -> Option<(Arc<Artefact>, Arc<Artefact>)> {
        let pointer = Setting::of(["environments", id]);
        let web_pointer = pointer.join(WEB_CONFIG);
        let web = self.base(&web_pointer, Kind::WebConfig, EMPTY_WEB_CONFIG, problems)?;
        let web = if adopt && declared.web_config.is_empty() {
            web
        } else {
            spliced_map(&web, &web_pointer, &declared.web_config, problems)
        };
        declared.web_config = map_of(&web);
        self.put(id, WEB_CONFIG, Arc::clone(&web));

        let wif_pointer = pointer.join(WIF_CONFIG);
        let wif = self.base(&wif_pointer, Kind::WifConfig, EMPTY_WIF_CONFIG, problems)?;
        let wif = if adopt && declared.wif_config.audience_uris.is_empty() {
            wif
        } else {
            spliced_list(&wif, &wif_pointer, &declared.wif_config.audience_uris, problems)
        };
        declared.wif_config.audience_uris = list_of(&wif);
        self.put(id, WIF_CONFIG, Arc::clone(&wif));
        Some((web, wif))
    }

    fn base(
        &self,
        pointer: &Setting,
        kind: Kind,
        empty: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<Artefact>> {
        if let Some(file) = self.get(pointer) {
            return Some(Arc::clone(file));
        }
        match Artefact::parse(kind, kind.usual_file_name(), empty.as_bytes().to_vec()) {
            Ok(file) => Some(Arc::new(file)),
            Err(error) => {
                problems.push(Problem::new(pointer.clone(), error.to_string()));
                None
            }
        }
    }

    /// The place of a setting in a file; for a key that is not there, the last entry of the list it belongs to.
    pub(crate) fn origin(&self, setting: &Setting) -> Option<Origin> {
        let segments: Vec<String> = setting.segments().take(5).collect();
        let [first, environment, member, rest @ ..] = segments.as_slice() else { return None };
        if first != "environments" {
            return None;
        }
        let file = self.get(&Setting::of([first.as_str(), environment, member]))?;
        let entries = file.entries();
        let named = match rest {
            [key] if member == WEB_CONFIG => entries.iter().find(|entry| entry.key == *key).or_else(|| {
                // The view has the file's spelling; a person asking may not.
                entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key))
            }),
            [_, audience] if member == WIF_CONFIG => entries.iter().find(|entry| entry.value == *audience),
            // A whole file, or the whole list in it.
            [] => entries.first(),
            [_] if member == WIF_CONFIG => entries.first(),
            _ => None,
        };
        let (line, column) = named.or(entries.last()).map_or((0, 0), |entry| (entry.line, entry.column));
        Some(Origin::File { file: file.name().to_owned(), line, column })
    }
}

fn map_of(file: &Artefact) -> IndexMap<String, String> {
    file.entries().into_iter().map(|entry| (entry.key, entry.value)).collect()
}

fn list_of(file: &Artefact) -> Vec<String> {
    match file.get(AUDIENCE_URIS).map(|located| located.value) {
        Some(Value::List(items)) => items,
        Some(Value::Text(_)) | None => Vec::new(),
    }
}

fn spliced_map(
    file: &Arc<Artefact>,
    pointer: &Setting,
    wanted: &IndexMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Arc<Artefact> {
    let current = map_of(file);
    if current == *wanted {
        return Arc::clone(file);
    }
    let mut edited = Artefact::clone(file);
    for key in current.keys().filter(|key| !wanted.contains_key(*key)) {
        if let Err(error) = edited.remove(key) {
            problems.push(Problem::new(pointer.join(key), error.to_string()));
        }
    }
    for (key, value) in wanted.iter().filter(|(key, value)| current.get(*key) != Some(value)) {
        if let Err(error) = edited.set(key, &Value::Text(value.clone())) {
            problems.push(Problem::new(pointer.join(key), error.to_string()));
        }
    }
    Arc::new(edited)
}

fn spliced_list(
    file: &Arc<Artefact>,
    pointer: &Setting,
    wanted: &[String],
    problems: &mut Vec<Problem>,
) -> Arc<Artefact> {
    if list_of(file) == wanted {
        return Arc::clone(file);
    }
    let mut edited = Artefact::clone(file);
    if let Err(error) = edited.set(AUDIENCE_URIS, &Value::List(wanted.to_vec())) {
        problems.push(Problem::new(pointer.join(AUDIENCE_URIS), error.to_string()));
    }
    Arc::new(edited)
}
