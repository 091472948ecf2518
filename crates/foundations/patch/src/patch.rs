//! Edits: RFC 6902 on the view of the declaration.
//!
//! Decides what each operation does and to which declared values. Differs from the RFC in three places, all of them
//! stricter or by name: elements of a list of texts are addressed by their own value and never by index, `add` before an
//! element names that element, and an unknown member of an edit is an error instead of being ignored (section 4), so
//! that a misspelt `form` or `vlaue` is not silently something else. Never decides whether the result is a world. What an
//! edit would cost is asked of `budget` before it is made.

use std::borrow::Cow;

use mocktenant_verdict::{Edit, Operation, Setting, pointer_tokens as tokens};
use serde_json::Value;

use crate::budget::{self, Beyond, Meter, levels};
use crate::nearest::{clip, did_you_mean, one_of, plain};
use crate::problem::Problem;

/// Why one edit could not be made.
#[derive(Debug)]
pub enum Refusal {
    /// There is no such place, or it does not take this.
    Place(Problem),
    /// A `test` that does not hold.
    Test(Problem),
    /// It would go beyond a budget, which the problem names.
    Budget(Problem),
}

/// A patch that was not made: the first edit that could not be, and why.
#[derive(Debug)]
pub struct Refused {
    /// Which edit, from 0.
    pub edit: usize,
    /// Why.
    pub refusal: Refusal,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Place(problem)
    }
}

/// Whether a patch is within the budgets that can be asked without its document: worth asking before one is made.
pub fn check(patch: &[Edit]) -> Result<(), Refused> {
    let beyond = budget::beyond(patch);
    beyond.map_or(Ok(()), |(edit, problem)| Err(Refused { edit, refusal: Refusal::Budget(problem) }))
}

/// Makes the edits in order, and says which declared values they changed. After a refusal the view is as the edits before
/// it left it.
pub fn apply(view: &mut Value, patch: &[Edit]) -> Result<Vec<Setting>, Refused> {
    check(patch)?;
    let mut touched = Vec::with_capacity(patch.len());
    let mut meter = Meter::new();
    for (edit, operation) in patch.iter().enumerate() {
        affordable(view, operation, &mut meter)
            .map_err(|beyond| Refusal::Budget(beyond.problem(&operation.path)))
            .and_then(|()| make(view, operation, &mut touched))
            .map_err(|refusal| Refused { edit, refusal })?;
    }
    Ok(touched)
}

/// Asks for what an edit costs. A place that is not there costs nothing: the edit is refused anyway.
fn affordable(view: &Value, edit: &Edit, meter: &mut Meter) -> Result<(), Beyond> {
    let takes_away = |pointer: &Setting, meter: &mut Meter| walked(view, pointer, true, meter).map(|_| ());
    match (edit.op, &edit.from) {
        (Operation::Remove, _) => return takes_away(&edit.path, meter),
        (Operation::Move, Some(from)) => {
            if let Some(value) = walked(view, from, true, meter)? {
                meter.put_elsewhere(value, levels(&edit.path))?;
            }
        }
        (Operation::Copy, Some(from)) => {
            if let Some(value) = walked(view, from, false, meter)? {
                meter.put(value, levels(&edit.path))?;
            }
        }
        (Operation::Add | Operation::Replace, _) => {
            if let Some(value) = &edit.value {
                meter.put(value, levels(&edit.path))?;
            }
        }
        _ => {}
    }
    walked(view, &edit.path, false, meter).map(|_| ())
}

/// The value at a pointer, asking for what it costs to find it and, if it `leaves`, to close the gap.
fn walked<'v>(
    view: &'v Value,
    pointer: &Setting,
    leaves: bool,
    meter: &mut Meter,
) -> Result<Option<&'v Value>, Beyond> {
    let mut place = view;
    let mut segments = pointer.segments().peekable();
    while let Some(token) = segments.next() {
        let last = segments.peek().is_none();
        let next = match place {
            Value::Object(members) => {
                meter.look(if leaves && last { members.len() } else { 1 })?;
                members.get(&token)
            }
            Value::Array(elements) => {
                meter.look(elements.len())?;
                position(elements, &token).and_then(|index| elements.get(index))
            }
            _ => None,
        };
        let Some(next) = next else { return Ok(None) };
        place = next;
    }
    Ok(Some(place))
}

/// Makes one edit and notes in `touched` which declared values it changed.
fn make(view: &mut Value, edit: &Edit, touched: &mut Vec<Setting>) -> Result<(), Refusal> {
    match edit.op {
        Operation::Add => {
            touched.push(add(view, &edit.path, needed(edit.value.as_ref(), edit, "value")?.clone())?);
        }
        Operation::Remove => {
            remove(view, &edit.path)?;
            touched.push(edit.path.clone());
        }
        Operation::Replace => {
            touched.push(replace(view, &edit.path, needed(edit.value.as_ref(), edit, "value")?.clone())?);
        }
        Operation::Move => {
            let from = needed(edit.from.as_ref(), edit, "from")?;
            if edit.path.is_within(from) {
                if edit.path == *from {
                    find(view, from)?;
                    return Ok(());
                }
                return Err(Problem::new(
                    edit.path.clone(),
                    format!("{} cannot be moved into itself", plain(from.as_str())),
                )
                .into());
            }
            let value = remove(view, from)?;
            touched.push(from.clone());
            touched.push(add(view, &edit.path, value)?);
        }
        Operation::Copy => {
            let value = find(view, needed(edit.from.as_ref(), edit, "from")?)?.clone();
            touched.push(add(view, &edit.path, value)?);
        }
        Operation::Test => {
            let expected = needed(edit.value.as_ref(), edit, "value")?;
            let actual = find(view, &edit.path).map_err(Refusal::Test)?;
            if !same(actual, expected) {
                return Err(Refusal::Test(Problem::new(
                    edit.path.clone(),
                    format!("is {}, not {}", shown(actual), shown(expected)),
                )));
            }
        }
    }
    Ok(())
}

/// Edits made in code can lack what those that were read cannot.
fn needed<'e, T>(member: Option<&'e T>, edit: &Edit, name: &str) -> Result<&'e T, Problem> {
    member.ok_or_else(|| Problem::new(edit.path.clone(), format!("`{}` needs a `{name}`", edit.op.name())))
}

/// The value at a pointer; the error names the nearest place that exists.
fn find<'v>(view: &'v Value, pointer: &Setting) -> Result<&'v Value, Problem> {
    let mut place = view;
    let mut walked = Setting::fixed("");
    for token in tokens(pointer.as_str()).map_err(|message| Problem::new(pointer.clone(), message))? {
        place = match place {
            Value::Object(members) => members.get(&token),
            Value::Array(elements) => position(elements, &token).and_then(|index| elements.get(index)),
            _ => None,
        }
        .ok_or_else(|| missing(place, &walked, &token, pointer))?;
        walked = walked.join(&token);
    }
    Ok(place)
}

/// The value at a pointer, for whoever needs no reason.
pub fn value_at<'v>(view: &'v Value, pointer: &str) -> Option<&'v Value> {
    let mut place = view;
    for token in tokens(pointer).ok()? {
        place = match place {
            Value::Object(members) => members.get(&token),
            Value::Array(elements) => position(elements, &token).and_then(|index| elements.get(index)),
            _ => None,
        }?;
    }
    Some(place)
}

fn find_mut<'v>(view: &'v mut Value, tokens: &[String], pointer: &Setting) -> Result<&'v mut Value, Problem> {
    let mut place = view;
    let mut walked = Setting::fixed("");
    for token in tokens {
        // Asked first and borrowed after: the error needs the whole of `place`.
        let problem = || missing(&Value::Null, &walked, token, pointer);
        let there = match &*place {
            Value::Object(members) => members.contains_key(token),
            Value::Array(elements) => position(elements, token).is_some(),
            _ => false,
        };
        if !there {
            return Err(missing(place, &walked, token, pointer));
        }
        place = match place {
            Value::Object(members) => members.get_mut(token),
            Value::Array(elements) => position(elements, token).and_then(|index| elements.get_mut(index)),
            _ => None,
        }
        .ok_or_else(problem)?;
        walked = walked.join(token);
    }
    Ok(place)
}

fn parent_and_last(pointer: &Setting) -> Result<Option<(Vec<String>, String)>, Problem> {
    let mut tokens = tokens(pointer.as_str()).map_err(|message| Problem::new(pointer.clone(), message))?;
    Ok(tokens.pop().map(|last| (tokens, last)))
}

fn add(view: &mut Value, pointer: &Setting, value: Value) -> Result<Setting, Problem> {
    let Some((parents, last)) = parent_and_last(pointer)? else {
        *view = value;
        return Ok(pointer.clone());
    };
    let parent = find_mut(view, &parents, pointer)?;
    match parent {
        Value::Object(members) => {
            members.insert(last, value);
            Ok(pointer.clone())
        }
        Value::Array(elements) => {
            let Some(text) = value.as_str().map(str::to_owned) else {
                return Err(Problem::new(pointer.clone(), "only a text can be added to this list"));
            };
            let list = Setting::of(parents.iter().map(String::as_str));
            let present = position(elements, &text).is_some();
            if last == "-" {
                elements.push(value);
            } else if last == text {
                if !present {
                    elements.push(value);
                }
            } else if let Some(before) = position(elements, &last) {
                elements.insert(before, value);
            } else {
                let mut problem = missing(parent, &list, &last, pointer);
                problem.hint = Some("`-` appends; the value of an element inserts before it".to_owned());
                return Err(problem);
            }
            Ok(list.join(&text))
        }
        other => Err(missing(other, &Setting::of(parents.iter().map(String::as_str)), &last, pointer)),
    }
}

fn remove(view: &mut Value, pointer: &Setting) -> Result<Value, Problem> {
    let Some((parents, last)) = parent_and_last(pointer)? else {
        return Err(Problem::new(pointer.clone(), "the whole declaration cannot be removed"));
    };
    let parent = find_mut(view, &parents, pointer)?;
    let removed = match parent {
        // `shift` keeps the order people wrote.
        Value::Object(members) => members.shift_remove(&last),
        Value::Array(elements) => position(elements, &last).map(|index| elements.remove(index)),
        _ => None,
    };
    removed.ok_or_else(|| missing(parent, &Setting::of(parents.iter().map(String::as_str)), &last, pointer))
}

fn replace(view: &mut Value, pointer: &Setting, value: Value) -> Result<Setting, Problem> {
    let Some((parents, last)) = parent_and_last(pointer)? else {
        *view = value;
        return Ok(pointer.clone());
    };
    let in_list = find_mut(view, &parents, pointer)?.is_array();
    let all: Vec<String> = parents.iter().cloned().chain([last]).collect();
    let place = find_mut(view, &all, pointer)?;
    let changed = match (in_list, value.as_str()) {
        (false, _) => pointer.clone(),
        (true, Some(text)) => Setting::of(parents.iter().map(String::as_str)).join(text),
        (true, None) => {
            return Err(Problem::new(pointer.clone(), "an element of this list must be a text"));
        }
    };
    *place = value;
    Ok(changed)
}

/// A value as it stands in a message. However large it is, its beginning is all that is written.
fn shown(value: &Value) -> String {
    /// As much of a text as [`clip`] looks at, and a little more so that it sees there is more.
    struct Beginning(Vec<u8>);
    impl std::io::Write for Beginning {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0.len() > 1024 {
                return Err(std::io::ErrorKind::OutOfMemory.into());
            }
            self.0.extend_from_slice(&bytes[..bytes.len().min(1024)]);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut beginning = Beginning(Vec::new());
    // Fails only where it is long enough.
    let _ = serde_json::to_writer(&mut beginning, value);
    clip(&String::from_utf8_lossy(&beginning.0))
}

/// Where an element with this value is.
fn position(elements: &[Value], token: &str) -> Option<usize> {
    elements.iter().position(|element| element.as_str() == Some(token))
}

fn missing(place: &Value, walked: &Setting, token: &str, pointer: &Setting) -> Problem {
    let at =
        if walked.as_str().is_empty() { Cow::Borrowed("the declaration") } else { plain(walked.as_str()) };
    match place {
        Value::Object(members) => {
            Problem::new(pointer.clone(), format!("{at} has no member `{}`", clip(token)))
                .hint(one_of(token, members.keys().map(String::as_str)))
        }
        Value::Array(elements) if elements.iter().any(|element| !element.is_string()) => {
            Problem::new(pointer.clone(), format!("elements of {at} have no name"))
                .hint(Some("replace the whole list".to_owned()))
        }
        Value::Array(elements) => {
            let texts = elements.iter().filter_map(Value::as_str);
            if token == "-" {
                Problem::new(pointer.clone(), "`-` is the place after the last element: it takes `add` only")
            } else if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
                Problem::new(
                    pointer.clone(),
                    format!("elements of {at} are addressed by their own value, not by index"),
                )
                .hint(one_of(token, texts))
            } else {
                Problem::new(pointer.clone(), format!("{at} has no element `{}`", clip(token)))
                    .hint(did_you_mean(token, texts.clone()).or_else(|| one_of(token, texts)))
            }
        }
        _ => Problem::new(
            pointer.clone(),
            format!("{at} holds a plain value, so there is no `{}` in it", clip(token)),
        ),
    }
}

/// Equality as RFC 6902 section 4.6 has it: numbers by value, objects without order.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
