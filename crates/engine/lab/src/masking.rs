//! Takes secrets and tokens out of what leaves memory.
//!
//! Decides what of a record may be seen: by structure (fields, headers, elements and the like that are secret by name) and
//! by value (whatever the world declares as secret, wherever it stands and however it is written). A JWT keeps its header
//! and claims, which are what a person needs to see, and loses its signature, without which it is worth nothing. In memory
//! a record keeps what was sent: it can be asked again. Nothing here is paid for by a request, only by whoever looks.

mod automaton;
mod finder;
mod layers;
mod markup;
mod names;
mod values;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use mocktenant_world::World;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::clock::lock;
use crate::record::BODY_BUDGET;

use finder::{DEPTH, Finder, Shape, hidden_part};
use names::{Header, Sensitivity};
use values::{Declared, Matcher};

pub(crate) use names::Names;
pub use names::SecretNames;

/// Schemes that may be shown. Any other first word of an `Authorization` field may be the secret itself.
const SCHEMES: &[&str] = &[
    "AWS4-HMAC-SHA256",
    "ApiKey",
    "Basic",
    "Bearer",
    "DPoP",
    "Digest",
    "HMAC",
    "NTLM",
    "Negotiate",
    "OAuth",
    "PoP",
    "SharedKey",
];
const MASK: &str = "***";

/// How many times longer one wrapping may make what it wraps: `%XX` three times, `\u00XX` six. Two count.
const LONGEST_ESCAPE: usize = 6;

/// What one lab hides. Cheap to ask for; what it takes to look for values is made when somebody looks.
#[derive(Debug, Default)]
pub(crate) struct Masking {
    names: Names,
    declared: Mutex<Declared>,
}

impl Masking {
    pub(crate) fn new(names: Names, world: &World) -> Self {
        let masking = Self { names, declared: Mutex::default() };
        masking.declare(world, 0);
        masking
    }

    /// Hides what this world declares as secret, from now on; called before anybody can see the world. What is no longer
    /// declared stays hidden, for it may be in records up to the `newest`. Gives the number of the last record that must go
    /// because it may hold a value there is no room to remember.
    pub(crate) fn declare(&self, world: &World, newest: u64) -> Option<u64> {
        let mut secrets: Vec<Arc<str>> = world.secrets().map(mocktenant_world::SecretText::shared).collect();
        let named = world.config_values().filter(|(key, _)| self.names.field(key).is_some());
        secrets.extend(named.map(|(_, value)| Arc::from(value)));
        lock(&self.declared).replace(secrets, newest)
    }

    /// The same for a lab that nobody else sees.
    pub(crate) fn fork(&self) -> Self {
        Self { names: self.names.clone(), declared: Mutex::new(lock(&self.declared).copy()) }
    }

    /// What hides it, as of now.
    pub(crate) fn mask(&self) -> Mask {
        Mask { names: self.names.clone(), values: Some(lock(&self.declared).matcher()) }
    }
}

/// Hides secrets. Without a lab (a record that was read back) by structure alone.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    names: Names,
    values: Option<Arc<Matcher>>,
}

impl Mask {
    /// A text of ours: values, signatures of tokens and private keys hidden.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.hidden(text, Shape::Words)
    }

    /// A text that somebody sent or was sent: the same, and what is secret in it by name.
    pub fn sent<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.hidden(text, Shape::Member)
    }

    /// Anything that is written as JSON, texts in it hidden. What is secret where a fixed word must stand is left out
    /// altogether.
    pub fn all<T: Serialize + DeserializeOwned + Default + Clone>(&self, of: &T) -> T {
        let Ok(before) = serde_json::to_value(of) else { return T::default() };
        let mut shown = before.clone();
        self.texts(&mut shown);
        if shown == before { of.clone() } else { T::deserialize(&shown).unwrap_or_default() }
    }

    /// Every text of a value.
    fn texts(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(shown) = self.text(text) {
                    *text = shown;
                }
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.texts(element)),
            Value::Object(members) => {
                // Words of ours, out of a fixed list.
                let fixed = ["name", "outcome", "role", "kind", "op"];
                for (name, member) in members.iter_mut() {
                    if !fixed.contains(&name.as_str()) {
                        self.texts(member);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Request target, or address, with what is secret in its path, query and fragment hidden.
    pub(crate) fn target(&self, target: &str) -> String {
        self.hidden(target, Shape::Address).into_owned()
    }

    /// Header lines as a JSON object, credentials and cookies hidden.
    pub(crate) fn header_lines(&self, lines: &str) -> Map<String, Value> {
        let mut object = Map::new();
        for line in lines.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            let value = match self.names.header(name) {
                Header::Authorization => repeated(value, |one| self.authorization(one)),
                Header::Sensitive(sensitivity) => repeated(value, |one| masked(sensitivity, one)),
                // A redirect carries codes and tokens in its address.
                Header::Open if ["location", "referer"].iter().any(|one| name.eq_ignore_ascii_case(one)) => {
                    self.target(value)
                }
                Header::Open => self.hidden(value, Shape::Sent).into_owned(),
            };
            let name = &*self.text(name);
            match object.get_mut(name) {
                Some(Value::String(earlier)) => {
                    earlier.push_str(", ");
                    earlier.push_str(&value);
                }
                _ => {
                    object.insert(name.to_owned(), Value::String(value));
                }
            }
        }
        object
    }

    fn authorization(&self, value: &str) -> String {
        let (scheme, credentials) = match value.trim().split_once(' ') {
            Some((scheme, credentials)) => (scheme, credentials.trim()),
            None => (value.trim(), ""),
        };
        if !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            MASK.to_owned()
        } else if credentials.is_empty() {
            scheme.to_owned()
        } else {
            let shown = masked(Sensitivity::Token, credentials);
            format!("{scheme} {}", self.text(&shown))
        }
    }

    /// A body as JSON where it is JSON, else as text; secrets hidden.
    pub(crate) fn body(&self, headers: &str, body: &[u8]) -> Value {
        let body = self.whole(body);
        if body.is_empty() {
            return Value::Null;
        }
        let kind = headers
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "))
            .unwrap_or_default()
            .to_ascii_lowercase();
        let text = String::from_utf8_lossy(body);
        // JSON sent with another content type, or none, is still JSON: mask by shape.
        let is_json = kind.contains("json") || text.trim_start().starts_with(['{', '[']);
        if is_json && let Ok(mut value) = serde_json::from_slice::<Value>(body) {
            self.json(&mut value);
            return value;
        }
        if is_description(&text, &kind) {
            return Value::String(text.into_owned());
        }
        let kind = self.hidden(&kind, Shape::Sent);
        let opaque = || Value::String(format!("{} bytes of {kind}", body.len()));
        let is_text = ["text", "xml", "html", "urlencoded"].iter().any(|word| kind.contains(word))
            || kind.is_empty()
            || is_json
            // A form sent with another content type is still a form.
            || text.contains('=');
        if kind.starts_with("multipart") || !is_text {
            opaque()
        } else if is_json && self.may_hold_secrets(&text) {
            // Cut or broken JSON has no members that could be masked one by one.
            Value::String(format!("{} bytes of {BROKEN_JSON}", body.len()))
        } else {
            Value::String(self.hidden(&text, Shape::Sent).into_owned())
        }
    }

    /// Of a body that was cut, what cannot hold the first half of a value: neither it nor anything it may be wrapped in.
    fn whole<'b>(&self, body: &'b [u8]) -> &'b [u8] {
        if body.len() < BODY_BUDGET {
            return body;
        }
        let longest = self.values.as_ref().map_or(0, |values| values.longest());
        let tail = longest.saturating_mul(LONGEST_ESCAPE * LONGEST_ESCAPE).saturating_add(LONGEST_ESCAPE);
        let end = body.len().saturating_sub(tail);
        // Never in the middle of a character: what stands for half of one would be longer than it.
        let end = (end.saturating_sub(3)..=end).rev().find(|at| body[*at] & 0xC0 != 0x80).unwrap_or(end);
        &body[..end]
    }

    /// Whether any word between quotation marks names something secret, or is escaped and so cannot be told.
    fn may_hold_secrets(&self, text: &str) -> bool {
        text.contains("\\u") || text.split('"').any(|word| self.names.field(word).is_some())
    }

    fn json(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, mut member) in std::mem::take(members) {
                    match self.names.field(&name) {
                        Some(sensitivity) => self.json_masked(sensitivity, &mut member),
                        None => self.json(&mut member),
                    }
                    members.insert(self.text(&name).into_owned(), member);
                }
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.json(element)),
            Value::String(text) => self.json_text(text),
            Value::Number(number) => {
                if let Cow::Owned(_) = self.text(&number.to_string()) {
                    *value = Value::String(MASK.to_owned());
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// A text of JSON, which may be JSON itself.
    fn json_text(&self, text: &mut String) {
        if text.trim_start().starts_with(['{', '['])
            && let Ok(before) = serde_json::from_slice::<Value>(text.as_bytes())
        {
            let mut inside = before.clone();
            self.json(&mut inside);
            if inside != before {
                *text = inside.to_string();
            }
        }
        if let Cow::Owned(shown) = self.hidden(text, Shape::Member) {
            *text = shown;
        }
    }

    /// Masks what stands under a secret's name, whatever its shape.
    fn json_masked(&self, sensitivity: Sensitivity, value: &mut Value) {
        match value {
            Value::Null => {}
            Value::String(text) => {
                let shown = masked(sensitivity, text);
                *text = self.text(&shown).into_owned();
            }
            Value::Array(elements) => {
                for element in elements {
                    self.json_masked(sensitivity, element);
                }
            }
            // `id_token` is also the name of an object that asks for claims.
            Value::Object(_) if sensitivity == Sensitivity::Token => self.json(value),
            other => *other = Value::String(MASK.to_owned()),
        }
    }

    fn hidden<'t>(&self, text: &'t str, shape: Shape) -> Cow<'t, str> {
        let mut found = Vec::new();
        let finder = Finder { names: &self.names, values: self.values.as_deref() };
        finder.find(text.as_bytes(), shape, DEPTH, &mut found);
        without(text, found)
    }
}

/// A text without these parts.
fn without(text: &str, mut parts: Vec<Range<usize>>) -> Cow<'_, str> {
    parts.retain(|part| part.start < part.end && part.end <= text.len());
    if parts.is_empty() {
        return Cow::Borrowed(text);
    }
    parts.sort_unstable_by_key(|part| part.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    let mut hiding = false;
    for part in parts {
        // A character is hidden whole.
        let start = (0..=part.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let stop = (part.end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        if !hiding || start > end {
            shown.push_str(&text[end.min(start)..start]);
            shown.push_str(MASK);
            hiding = true;
        }
        end = end.max(stop);
    }
    shown.push_str(&text[end..]);
    Cow::Owned(shown)
}

fn masked(sensitivity: Sensitivity, value: &str) -> String {
    let hidden = hidden_part(sensitivity, value.as_bytes(), 0..value.len());
    format!("{}{MASK}", &value[..hidden.start])
}

/// Every value of a repeated header field masked; what was masked already stays as it is.
fn repeated(value: &str, mask: impl Fn(&str) -> String) -> String {
    if value.split(", ").all(|one| mask(one) == one) { value.to_owned() } else { mask(value) }
}

/// A value read from a setting, private keys masked wherever they stand in it.
pub(crate) fn setting_value(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("PRIVATE KEY") => Value::String(MASK.to_owned()),
        Value::Array(elements) => Value::Array(elements.iter().map(setting_value).collect()),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, member)| (name.clone(), setting_value(member))).collect(),
        ),
        other => other.clone(),
    }
}

/// What a body of JSON is of whose members cannot be told apart.
const BROKEN_JSON: &str = "JSON that cannot be read to its end";

/// Whether a body is what stands for one that is not shown.
fn is_description(text: &str, kind: &str) -> bool {
    text.split_once(" bytes of ").is_some_and(|(count, of)| {
        !count.is_empty()
            && count.bytes().all(|byte| byte.is_ascii_digit())
            && (of == kind || of == BROKEN_JSON)
    })
}

#[cfg(test)]
mod tests;
