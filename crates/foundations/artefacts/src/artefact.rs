//! The common face of all config files: entries, and edits that are verified splices.
//!
//! Decides how a caller that knows only a file's kind reads and edits it, and that no edit is taken over before the
//! edited bytes were read again and say exactly what was asked. It never knows what any key means: each kind is one
//! module and one line in the table at the end of this file.

use std::ops::Range;

use mocktenant_xml::{Budget, Edit, Encoding, Position, Prefixes, Splice, Text, Tree, is_xml_character};

use crate::error::{EditError, Fault, ParseError};
use crate::wording;

/// The largest file that is read, in bytes (4 MiB; a real web.config has some 30 KiB).
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What a config file may hold; a real one has about 10 levels and a few hundred elements.
pub(crate) const BUDGET: Budget =
    Budget { bytes: MAX_BYTES, depth: 64, elements: 100_000, attributes: usize::MAX };

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One text, such as the value of an `appSettings` key.
    Text(String),
    /// Texts in order, such as `audienceUris`.
    List(Vec<String>),
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value as a program reads it: references resolved.
    pub value: T,
    /// Line of the value's first character, from 1.
    pub line: u32,
    /// Column of the value's first character, from 1, in characters.
    pub column: u32,
    /// The bytes of the file between the value's quotes. For a list: from its first item to its last.
    pub span: Range<usize>,
    /// Where the same key stands for the first time, when it stands more than once. The value here is the one that
    /// counts.
    pub first: Option<Position>,
}

/// One value of a file. A list gives one entry per item, all under the list's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key as written in the file, but for an `AXSF.Package.1.0.xml`: `Section.Parameter` in its canonical spelling.
    pub key: String,
    /// The value as a program reads it.
    pub value: String,
    /// Line of the value's first character, from 1.
    pub line: u32,
    /// Column of the value's first character, from 1, in characters.
    pub column: u32,
    /// The bytes of the file between the value's quotes.
    pub span: Range<usize>,
    /// Where the same key stands for the first time, when it stands more than once.
    pub first: Option<Position>,
}

/// What every kind of file can do. Inside this crate only; callers see [`Artefact`].
pub(crate) trait ConfigFile: Sized {
    /// This kind.
    const KIND: Kind;

    /// Reads a file.
    fn read(name: String, text: Text) -> Result<Self, ParseError>;
    /// The file's name.
    fn file_name(&self) -> &str;
    /// The file's text.
    fn text(&self) -> &Text;
    /// The tree of its text.
    fn scan(text: &Text) -> Result<Tree<'_>, Fault> {
        scan(text)
    }
    /// All values in order.
    fn entries(&self) -> Vec<Entry>;
    /// The value of a key.
    fn value(&self, key: &str) -> Option<Located<Value>>;
    /// Whether two keys are the same key.
    fn same_key(one: &str, other: &str) -> bool;
    /// The name that the file itself writes for a key.
    fn written(&self, key: &str) -> Option<String> {
        self.entries().into_iter().rev().map(|entry| entry.key).find(|written| Self::same_key(written, key))
    }
    /// The edits that give a key a value, or take it away (`None`).
    fn plan(&self, tree: &Tree<'_>, key: &str, value: Option<&Value>) -> Result<Vec<Edit>, EditError>;
}

/// Decodes and reads a file.
pub(crate) fn parse<F: ConfigFile>(name: &str, bytes: Vec<u8>) -> Result<F, ParseError> {
    let text = Text::decode(bytes, MAX_BYTES).map_err(|fault| wording::of(&fault, None).in_file(name))?;
    F::read(name.to_owned(), text)
}

/// Scans a file's text; its names count as written.
pub(crate) fn scan(text: &Text) -> Result<Tree<'_>, Fault> {
    Tree::scan(text, &BUDGET, Prefixes::AsWritten).map_err(|fault| wording::of(&fault, Some(text)))
}

/// Gives a key a value (or removes it), verified: the edited bytes are read again and must say what was asked and
/// nothing else new. On an error the file is unchanged.
pub(crate) fn edit<F: ConfigFile>(
    file: &mut F,
    key: &str,
    value: Option<&Value>,
) -> Result<Vec<Splice>, EditError> {
    let unverified = |reason: String| EditError::Unverified {
        file: file.file_name().to_owned(),
        key: key.to_owned(),
        reason,
    };
    refuse_characters(file, key, value)?;
    // An empty list and no list are the same statement.
    let wanted = value.filter(|value| !matches!(value, Value::List(items) if items.is_empty()));
    if file.value(key).map(|located| located.value).as_ref() == wanted {
        return Ok(Vec::new());
    }
    let tree = F::scan(file.text()).map_err(|fault| unverified(fault.message))?;
    let edits = file.plan(&tree, key, value)?;
    let (bytes, splices) = file.text().spliced(&edits);
    debug_assert!(
        only_spans_changed(file.text().bytes(), &bytes, &splices),
        "a splice leaves other bytes alone"
    );
    let edited: F = parse(file.file_name(), bytes).map_err(|error| unverified(error.to_string()))?;
    if edited.value(key).map(|located| located.value).as_ref() != wanted {
        return Err(unverified("the edited file gives another value back".to_owned()));
    }
    if !same_others(file, &edited, key) {
        return Err(unverified("the edit would change other settings".to_owned()));
    }
    *file = edited;
    Ok(splices)
}

fn refuse_characters<F: ConfigFile>(file: &F, key: &str, value: Option<&Value>) -> Result<(), EditError> {
    let texts = match value {
        None => &[],
        Some(Value::Text(text)) => std::slice::from_ref(text),
        Some(Value::List(items)) => items.as_slice(),
    };
    let bad = texts.iter().flat_map(|text| text.chars()).chain(key.chars()).find(|c| !is_xml_character(*c));
    bad.map_or(Ok(()), |c| {
        Err(EditError::ForbiddenCharacter {
            file: file.file_name().to_owned(),
            key: key.escape_default().to_string(),
            code: u32::from(c),
        })
    })
}

/// Whether all entries but those of one key are the same in both.
fn same_others<F: ConfigFile>(before: &F, after: &F, key: &str) -> bool {
    let others = |file: &F| {
        let mut entries = file.entries();
        entries.retain(|entry| !F::same_key(&entry.key, key));
        entries.into_iter().map(|entry| (entry.key, entry.value)).collect::<Vec<_>>()
    };
    others(before) == others(after)
}

/// Whether `after` is `before` with exactly these splices.
fn only_spans_changed(before: &[u8], after: &[u8], splices: &[Splice]) -> bool {
    let (mut old, mut new) = (0, 0);
    for splice in splices {
        let kept = splice.at.start - old;
        if before[old..splice.at.start] != after[new..new + kept] {
            return false;
        }
        old = splice.at.end;
        new += kept + splice.with.len();
    }
    before[old..] == after[new..]
}

/// The table of kinds: makes [`Kind`] and [`Artefact`] from one line each.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($type:ty) = $file:literal;)+) => {
        /// What kind of file an artefact is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind,)+
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The name such a file has on the machine it belongs to.
            pub fn usual_file_name(self) -> &'static str {
                match self { $(Self::$kind => $file,)+ }
            }
        }

        /// A config file as found, whatever its kind.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub enum Artefact {
            $($(#[$doc])* $kind($type),)+
        }

        $(impl From<$type> for Artefact {
            fn from(file: $type) -> Self { Self::$kind(file) }
        })+

        impl Artefact {
            /// Reads a file of a known kind. `name` is what messages call it.
            pub fn parse(kind: Kind, name: &str, bytes: Vec<u8>) -> Result<Self, ParseError> {
                match kind { $(Kind::$kind => parse::<$type>(name, bytes).map(Self::$kind),)+ }
            }

            /// The kind of the file.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => <$type as ConfigFile>::KIND,)+ }
            }

            /// The name messages use.
            pub fn name(&self) -> &str {
                match self { $(Self::$kind(file) => file.file_name(),)+ }
            }

            /// The whole file.
            pub fn bytes(&self) -> &[u8] {
                match self { $(Self::$kind(file) => file.text().bytes(),)+ }
            }

            /// How the file turns characters into bytes.
            pub fn encoding(&self) -> Encoding {
                match self { $(Self::$kind(file) => file.text().encoding(),)+ }
            }

            /// Every value in the order of the file. A list gives one entry per item.
            pub fn entries(&self) -> Vec<Entry> {
                match self { $(Self::$kind(file) => ConfigFile::entries(file),)+ }
            }

            /// The value of a key, with its place.
            pub fn get(&self, key: &str) -> Option<Located<Value>> {
                match self { $(Self::$kind(file) => file.value(key),)+ }
            }

            /// What the file itself calls a key: its spelling, which may be another than the one asked for, and where an
            /// entry has a canonical key another than that. For messages that quote the file.
            pub fn written(&self, key: &str) -> Option<String> {
                match self { $(Self::$kind(file) => ConfigFile::written(file, key),)+ }
            }

            /// Gives a key a value and returns the changed places; none when it has that value already.
            pub fn set(&mut self, key: &str, value: &Value) -> Result<Vec<Splice>, EditError> {
                match self { $(Self::$kind(file) => edit(file, key, Some(value)),)+ }
            }

            /// Removes a key wherever it stands and returns the changed places; none when it is absent.
            pub fn remove(&mut self, key: &str) -> Result<Vec<Splice>, EditError> {
                match self { $(Self::$kind(file) => edit(file, key, None),)+ }
            }
        }
    };
}

// One line per kind of file.
kinds! {
    /// `web.config`: the `appSettings` of an AOS.
    WebConfig(crate::web_config::WebConfig) = "web.config";
    /// `wif.config`: the audiences an AOS accepts on interactive tokens.
    WifConfig(crate::wif_config::WifConfig) = "wif.config";
    /// `wif.services.config`: where an AOS sends a person to sign in.
    WifServicesConfig(crate::wif_services_config::WifServicesConfig) = "wif.services.config";
    /// `AXSF.Package.1.0.xml`: the parameters an on-premises AOS starts with under Service Fabric.
    AxsfPackage(crate::axsf_package::AxsfPackage) = "AXSF.Package.1.0.xml";
}
