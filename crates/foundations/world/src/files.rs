//! The config files of a world's environments, and how a declared value becomes a splice in one of them.
//!
//! Decides that the file is the truth: what the declaration shows of it is generated from its entries, in its order, and
//! an edit of the declaration changes exactly the keys that differ. Where an edit puts a text in the place of what a file says, that
//! text is the file from then on, as it stands. An environment has the files it was given or that its declaration names, and no
//! other. Never reads or writes a file on a disk.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use mocktenant_artefacts::{AUDIENCE_URIS, Artefact, AxsfPackage, Kind, Value, WebConfig, WifConfig};
use mocktenant_verdict::Setting;

use crate::declaration::{Environment, WifConfig as DeclaredWifConfig};
use crate::origin::Origin;
use crate::pointers::{self, ENVIRONMENTS, File};
use mocktenant_patch::Problem;
use mocktenant_patch::nearest::clip;

/// The usual text around a `web.config` that is declared by its keys alone.
const MINIMAL_WEB_CONFIG: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<configuration>\r\n  <appSettings>\r\n  \
                                  </appSettings>\r\n</configuration>\r\n";

/// The usual text around a `wif.config` that is declared by its audiences alone.
const MINIMAL_WIF_CONFIG: &str = "<?xml version=\"1.0\"?>\r\n<system.identityModel>\r\n  <identityConfiguration>\r\n    \
    <securityTokenHandlers>\r\n      <securityTokenHandlerConfiguration>\r\n        <audienceUris>\r\n        \
    </audienceUris>\r\n      </securityTokenHandlerConfiguration>\r\n    </securityTokenHandlers>\r\n  \
    </identityConfiguration>\r\n</system.identityModel>\r\n";

/// The usual text around an `AXSF.Package.1.0.xml` that is declared by its keys alone.
const MINIMAL_AXSF: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Settings>\r\n  <Section Name=\"Aad\">\r\n  </Section>\r\n\
                            </Settings>\r\n";

/// What stands before the bytes of a file that is no text in UTF-8.
const BASE64: &str = "base64:";

/// The files of one environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) web_config: Option<Arc<Artefact>>,
    pub(crate) wif_config: Option<Arc<Artefact>>,
    pub(crate) axsf: Option<Arc<Artefact>>,
}

impl Files {
    pub(crate) fn get(&self, file: File) -> Option<&Arc<Artefact>> {
        match file {
            File::WebConfig => self.web_config.as_ref(),
            File::WifConfig => self.wif_config.as_ref(),
            File::Axsf => self.axsf.as_ref(),
        }
    }

    fn slot(&mut self, file: File) -> &mut Option<Arc<Artefact>> {
        match file {
            File::WebConfig => &mut self.web_config,
            File::WifConfig => &mut self.wif_config,
            File::Axsf => &mut self.axsf,
        }
    }

    /// Brings an environment's files and its declared values together: the values are spliced into the files, and then
    /// generated from them again. A file that is `given` takes the place of the one that was there; a declaration that says
    /// nothing of it takes over what is in it. Without either, there is no such file (any more).
    pub(crate) fn reconciled(
        mut self,
        id: &str,
        declared: &mut Environment,
        mut given: Self,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let environment = pointers::environment(id);
        for file in [File::WebConfig, File::Axsf] {
            let keys = match file {
                File::Axsf => &mut declared.axsf,
                _ => &mut declared.web_config,
            };
            let new = given.slot(file).take();
            let settled = if keys.as_ref().is_none_or(IndexMap::is_empty) && new.is_some() {
                // The file speaks for itself.
                new
            } else {
                let before = new.or_else(|| self.slot(file).take());
                keys.as_ref().and_then(|keys| {
                    let pointer = environment.file(file);
                    let begun = begun(before, kind_of(file), &pointer, problems)?;
                    Some(with_keys(begun, keys, &pointer, problems))
                })
            };
            *keys = settled.as_deref().map(keys_of);
            *self.slot(file) = settled;
        }

        let audiences = declared.wif_config.as_ref().map(|written| &written.audience_uris);
        let new = given.wif_config.take();
        self.wif_config = if audiences.is_none_or(Vec::is_empty) && new.is_some() {
            new
        } else {
            let before = new.or_else(|| self.wif_config.take());
            audiences.and_then(|audiences| {
                let pointer = environment.file(File::WifConfig);
                let file = begun(before, Kind::WifConfig, &pointer, problems)?;
                Some(with_audiences(file, audiences, || environment.audience_uris(), problems))
            })
        };
        declared.wif_config =
            self.wif_config.as_deref().map(|file| DeclaredWifConfig { audience_uris: audiences_of(file) });
        self
    }

    /// The `AXSF.Package.1.0.xml` of a node: the environment's, with what the node has otherwise spliced in.
    pub(crate) fn overlaid(
        &self,
        own: &IndexMap<String, String>,
        node: &pointers::Node,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<Artefact>> {
        let shared = self.axsf.as_ref();
        let (Some(shared), false) = (shared, own.is_empty()) else { return shared.cloned() };
        let mut edited = Artefact::clone(shared);
        for (key, value) in own {
            if let Err(error) = edited.set(key, &Value::Text(value.clone())) {
                problems.push(Problem::new(node.axsf(key), error.to_string()));
            }
        }
        Some(Arc::new(edited))
    }

    /// The place of a setting in one of the files; for a key that is not there, the last entry of the list it belongs
    /// to. `rest` is what follows the environment in the setting's pointer.
    pub(crate) fn origin(&self, rest: &[&str]) -> Option<Origin> {
        let [member, rest @ ..] = rest else { return None };
        let kind = File::of_member(member)?;
        let file = self.get(kind)?;
        let entries = file.entries();
        let named = match (kind, rest) {
            (File::WebConfig | File::Axsf, [key]) => {
                entries.iter().find(|entry| entry.key == *key).or_else(|| {
                    // The view has the file's spelling; a person asking may not.
                    entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key))
                })
            }
            (File::WifConfig, [_, audience]) => entries.iter().find(|entry| entry.value == *audience),
            // A whole file, or the whole list in it.
            (_, []) | (File::WifConfig, [_]) => entries.first(),
            _ => None,
        };
        let (line, column) = named.or(entries.last()).map_or((0, 0), |entry| (entry.line, entry.column));
        Some(Origin::File { file: file.name().to_owned(), line, column })
    }
}

/// The files of a world, by the environment they belong to.
#[derive(Clone, Debug, Default)]
pub struct Artefacts {
    environments: HashMap<String, Files>,
}

impl Artefacts {
    /// No file at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// With the `web.config` of an environment.
    #[must_use]
    pub fn with_web_config(mut self, environment: &str, file: WebConfig) -> Self {
        self.entry(environment).web_config = Some(Arc::new(file.into()));
        self
    }

    /// With the `wif.config` of an environment.
    #[must_use]
    pub fn with_wif_config(mut self, environment: &str, file: WifConfig) -> Self {
        self.entry(environment).wif_config = Some(Arc::new(file.into()));
        self
    }

    /// With the `AXSF.Package.1.0.xml` of an environment.
    #[must_use]
    pub fn with_axsf(mut self, environment: &str, file: AxsfPackage) -> Self {
        self.entry(environment).axsf = Some(Arc::new(file.into()));
        self
    }

    /// Takes the files out of an edited view: where a text stands in the place of what a file says, the text is that file, in UTF-8
    /// or, for every other encoding, `base64:` and its bytes. What it says takes the text's place.
    pub(crate) fn taken_from(view: &mut serde_json::Value, problems: &mut Vec<Problem>) -> Self {
        let mut taken = Self::none();
        let environments = view.get_mut(ENVIRONMENTS).and_then(serde_json::Value::as_object_mut);
        for (id, environment) in environments.into_iter().flatten() {
            for file in File::ALL {
                let Some(said) = environment.get_mut(file.member()) else { continue };
                let Some(text) = said.as_str() else { continue };
                let pointer = pointers::environment(id).file(file);
                match as_file(text, file) {
                    Ok(read) => {
                        *said = view_of(&read, file);
                        *taken.entry(id).slot(file) = Some(Arc::new(read));
                    }
                    Err((message, hint)) => {
                        // Nothing more is said of it.
                        *said = serde_json::Value::Null;
                        problems.push(Problem::new(pointer, message).hint(hint));
                    }
                }
            }
        }
        taken
    }

    /// Whether an environment has any file here.
    pub(crate) fn has(&self, environment: &str) -> bool {
        self.environments.contains_key(environment)
    }

    /// The pointers of all files.
    pub fn pointers(&self) -> impl Iterator<Item = Setting> {
        self.environments.iter().flat_map(|(id, files)| {
            File::ALL
                .into_iter()
                .filter(|file| files.get(*file).is_some())
                .map(|file| pointers::environment(id).file(file))
        })
    }

    pub(crate) fn insert(&mut self, environment: &str, files: Files) {
        self.environments.insert(environment.to_owned(), files);
    }

    pub(crate) fn take(&mut self, environment: &str) -> Files {
        self.environments.remove(environment).unwrap_or_default()
    }

    fn entry(&mut self, environment: &str) -> &mut Files {
        self.environments.entry(environment.to_owned()).or_default()
    }
}

/// A refusal, with the reason where the edit was about a key of a file that an environment does not have.
pub(crate) fn explained(problem: Problem, view: &serde_json::Value) -> Problem {
    let segments: Vec<String> = problem.pointer.segments().take(4).collect();
    let [collection, id, member, _] = segments.as_slice() else { return problem };
    let environment = view.get(collection).and_then(|collection| collection.get(id));
    match (File::of_member(member), environment) {
        (Some(file), Some(environment))
            if collection == ENVIRONMENTS && environment.get(member).is_none() =>
        {
            let message = format!("environment `{}` has no {}", clip(id), file.usual_name());
            let hint = format!(
                "`add` at {} brings it into being: `{{}}`, or the whole of it",
                pointers::environment(id).file(file)
            );
            Problem::new(problem.pointer, message).hint(hint)
        }
        _ => problem,
    }
}

/// The file as it is, or the usual text of its kind.
fn begun(
    file: Option<Arc<Artefact>>,
    kind: Kind,
    pointer: &Setting,
    problems: &mut Vec<Problem>,
) -> Option<Arc<Artefact>> {
    let minimal = match kind {
        Kind::WifConfig => MINIMAL_WIF_CONFIG,
        Kind::AxsfPackage => MINIMAL_AXSF,
        _ => MINIMAL_WEB_CONFIG,
    };
    file.or_else(|| match Artefact::parse(kind, kind.usual_file_name(), minimal.as_bytes().to_vec()) {
        Ok(file) => Some(Arc::new(file)),
        Err(error) => {
            problems.push(Problem::new(pointer.clone(), error.to_string()));
            None
        }
    })
}

const fn kind_of(file: File) -> Kind {
    match file {
        File::WebConfig => Kind::WebConfig,
        File::WifConfig => Kind::WifConfig,
        File::Axsf => Kind::AxsfPackage,
    }
}

/// A file from its text, or what is wrong with it and what to do.
fn as_file(text: &str, file: File) -> Result<Artefact, (String, String)> {
    let bytes = match text.strip_prefix(BASE64) {
        Some(encoded) => STANDARD.decode(encoded.trim()).map_err(|error| {
            (format!("what follows `{BASE64}` is no base64: {error}"), "encode the file's bytes".to_owned())
        })?,
        None => text.as_bytes().to_vec(),
    };
    Artefact::parse(kind_of(file), file.usual_name(), bytes).map_err(|error| {
        (format!("{}:{}:{}: {}", error.file, error.line, error.column, error.message), error.hint)
    })
}

/// What a file says, as the declaration shows it.
fn view_of(file: &Artefact, kind: File) -> serde_json::Value {
    match kind {
        File::WifConfig => serde_json::json!({ "audienceUris": audiences_of(file) }),
        File::WebConfig | File::Axsf => {
            keys_of(file).into_iter().map(|(key, value)| (key, serde_json::Value::String(value))).collect()
        }
    }
}

fn keys_of(file: &Artefact) -> IndexMap<String, String> {
    file.entries().into_iter().map(|entry| (entry.key, entry.value)).collect()
}

fn audiences_of(file: &Artefact) -> Vec<String> {
    match file.get(AUDIENCE_URIS).map(|located| located.value) {
        Some(Value::List(items)) => items,
        Some(Value::Text(_)) | None => Vec::new(),
    }
}

fn with_keys(
    file: Arc<Artefact>,
    wanted: &IndexMap<String, String>,
    pointer: &Setting,
    problems: &mut Vec<Problem>,
) -> Arc<Artefact> {
    let current = keys_of(&file);
    if current == *wanted {
        return file;
    }
    let mut edited = Artefact::clone(&file);
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

fn with_audiences(
    file: Arc<Artefact>,
    wanted: &[String],
    pointer: impl FnOnce() -> Setting,
    problems: &mut Vec<Problem>,
) -> Arc<Artefact> {
    if audiences_of(&file) == wanted {
        return file;
    }
    let mut edited = Artefact::clone(&file);
    if let Err(error) = edited.set(AUDIENCE_URIS, &Value::List(wanted.to_vec())) {
        problems.push(Problem::new(pointer(), error.to_string()));
    }
    Arc::new(edited)
}
