//! How much one patch may ask for.
//!
//! Decides the budgets of a patch and when an edit would go beyond one, before anything of that edit is done: how many
//! edits there are, how deep the document becomes, how much is added to it (copies included, and what is taken away again
//! gives nothing back), and how many values are looked at. Never decides what an edit does.

use mocktenant_verdict::{Edit, Setting};
use serde_json::Value;

use crate::problem::Problem;

/// Edits of one patch.
pub const MAX_EDITS: usize = 10_000;
/// Levels of a document, of a value in an edit and of a pointer: what every reader and writer of a world can walk.
pub const MAX_DEPTH: usize = 64;
/// Bytes one patch may add in memory. A body of the control API that is full of values comes near it; copies of copies
/// are beyond it soon.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Values one patch may look at: those copied, those of a list searched, those that move up when one is taken away.
pub const MAX_STEPS: usize = 10_000_000;

/// What is left of the budgets while a patch is made.
pub(crate) struct Meter {
    bytes: usize,
    steps: usize,
}

/// The budget a value is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    Depth,
    Bytes,
    Steps,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self { bytes: MAX_BYTES, steps: MAX_STEPS }
    }

    /// Takes what it costs to put `value` at a place `levels` deep.
    pub(crate) fn put(&mut self, value: &Value, levels: usize) -> Result<(), Beyond> {
        let left = std::mem::replace(&mut self.bytes, 0);
        let mut walk = Walk { bytes: left, steps: self.steps, weighs: true };
        walk.value(value, levels)?;
        (self.bytes, self.steps) = (walk.bytes, walk.steps);
        Ok(())
    }

    /// Takes what it costs to have moved `value` to a place `levels` deep: it occupies nothing more than before.
    pub(crate) fn put_elsewhere(&mut self, value: &Value, levels: usize) -> Result<(), Beyond> {
        let mut walk = Walk { bytes: 0, steps: self.steps, weighs: false };
        walk.value(value, levels)?;
        self.steps = walk.steps;
        Ok(())
    }

    /// Takes what it costs to look at so many values.
    pub(crate) fn look(&mut self, values: usize) -> Result<(), Beyond> {
        self.steps = self.steps.checked_sub(values).ok_or(Beyond::Steps)?;
        Ok(())
    }
}

/// One walk through a value. It ends where a budget ends, so it is never deeper than [`MAX_DEPTH`].
struct Walk {
    bytes: usize,
    steps: usize,
    weighs: bool,
}

impl Walk {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Beyond> {
        self.steps = self.steps.checked_sub(1).ok_or(Beyond::Steps)?;
        self.weigh(size_of::<Value>())?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::String(text) => self.weigh(text.len()),
            Value::Array(elements) => {
                let depth = deeper(depth)?;
                elements.iter().try_for_each(|element| self.value(element, depth))
            }
            Value::Object(members) => {
                let depth = deeper(depth)?;
                members.iter().try_for_each(|(name, member)| {
                    self.weigh(size_of::<(usize, String)>() + name.len())?;
                    self.value(member, depth)
                })
            }
        }
    }

    fn weigh(&mut self, bytes: usize) -> Result<(), Beyond> {
        if self.weighs {
            self.bytes = self.bytes.checked_sub(bytes).ok_or(Beyond::Bytes)?;
        }
        Ok(())
    }
}

fn deeper(depth: usize) -> Result<usize, Beyond> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(Beyond::Depth) }
}

/// Segments of a pointer.
pub(crate) fn levels(pointer: &Setting) -> usize {
    pointer.as_str().bytes().filter(|byte| *byte == b'/').count()
}

/// The first edit that is beyond a budget by itself, whatever document it is for.
pub(crate) fn beyond(patch: &[Edit]) -> Option<(usize, Problem)> {
    if let Some(first) = patch.get(MAX_EDITS) {
        let had = patch.len();
        let message = format!("the budget `edits` is {MAX_EDITS} for one patch, and this one has {had}");
        let hint = "make it in several patches".to_owned();
        return Some((MAX_EDITS, Problem::new(first.path.clone(), message).hint(hint)));
    }
    let mut meter = Meter::new();
    patch.iter().enumerate().find_map(|(index, edit)| {
        let pointers = std::iter::once(&edit.path).chain(&edit.from);
        let deepest = pointers.map(levels).max().unwrap_or(0);
        let refused = if deepest > MAX_DEPTH {
            Err(Beyond::Depth)
        } else {
            edit.value.as_ref().map_or(Ok(()), |value| meter.put(value, levels(&edit.path)))
        };
        refused.err().map(|beyond| (index, beyond.problem(&edit.path)))
    })
}

impl Beyond {
    /// As the owner of the patch is told.
    pub(crate) fn problem(self, pointer: &Setting) -> Problem {
        // A pointer beyond the budget is as long as it likes.
        let pointer = if levels(pointer) > MAX_DEPTH { Setting::fixed("") } else { pointer.clone() };
        let (message, hint) = match self {
            Self::Depth => (
                format!("the budget `depth` is {MAX_DEPTH} levels of a document, and this would have more"),
                "values and pointers of a declaration are a few levels deep",
            ),
            Self::Bytes => (
                format!(
                    "the budget `bytes` is {MAX_BYTES} that one patch adds, copies included, and this adds more"
                ),
                "make it in several patches, and copy parts rather than the whole",
            ),
            Self::Steps => (
                format!(
                    "the budget `steps` is {MAX_STEPS} values that one patch looks at, and this looks at more"
                ),
                "make it in several patches",
            ),
        };
        Problem::new(pointer, message).hint(hint.to_owned())
    }
}
