//! What `$select` and `$expand` list, as it is written: paths, and what stands in parentheses behind one.
//!
//! Decides how a list is cut into its items by the grammar of Microsoft's OData library, and what no item can be. Whether there are
//! such properties is [`crate::select`]'s.

use crate::Fault;
use crate::MAX_EXPAND;
use crate::lexer::{Kind, Lexer};
use crate::query::{Expand, QueryError, QueryOptions};

/// The items of `$select`: paths.
pub(crate) fn select(text: &str) -> Result<Vec<String>, Fault> {
    let mut items = Vec::new();
    for mut item in Terms::new(text, true)?.read()? {
        let Some(options) = item.options else {
            let path = if item.path.len() == 1 { item.path.pop() } else { None };
            items.push(path.unwrap_or_else(|| item.path.join("/")));
            continue;
        };
        let name = item.path.last().cloned().unwrap_or_default();
        return Err(match inside(options) {
            Some("") => Fault::MissingSelectOption(name),
            _ => Fault::NestedSelect(name),
        });
    }
    Ok(items)
}

/// The items of `$expand`, at most [`MAX_EXPAND`].
pub(crate) fn expand(text: &str) -> Result<Vec<Expand>, Fault> {
    let mut items = Vec::new();
    let mut star = false;
    for mut item in Terms::new(text, false)?.read()? {
        if items.len() >= MAX_EXPAND {
            return Err(Fault::ExpandCount { found: items.len() + 1, most: MAX_EXPAND });
        }
        let all = item.path.first().is_some_and(|first| first == "*");
        // By itself it is a name that nobody has: the library falls over it.
        let reference = item.path.len() > 1 && item.path.last().is_some_and(|last| last == "$ref");
        match item.options {
            Some(options) if inside(options) == Some("") => {
                return Err(Fault::MissingExpandOption(item.path.pop().unwrap_or_default()));
            }
            Some(options) if all && reference => return Err(Fault::StarReferenceOptions(options.to_owned())),
            Some(options) if all && !options.trim_start_matches(['(', ' ']).starts_with("$levels") => {
                return Err(Fault::StarOptions(options.to_owned()));
            }
            _ => {}
        }
        if all && star {
            return Err(Fault::StarTwice(text.to_owned()));
        }
        star |= all;
        if reference {
            item.path.pop();
        }
        let options = item.options.map(str::to_owned);
        items.push(Expand { navigation: item.path.join("/"), reference, options });
    }
    Ok(items)
}

/// The items with each property once. Microsoft's library makes one of two: the options of the later one count, and what either
/// selects and expands, that of the later one first. Each is read before, so that what is wrong with one that does not count is said.
pub(crate) fn each_once(items: &[Expand]) -> Result<Vec<Expand>, QueryError> {
    let fault = |fault| QueryError::Fault { option: "$expand".to_owned(), fault };
    let mut once: Vec<Expand> = Vec::with_capacity(items.len());
    for item in items {
        let Some(known) = once.iter_mut().find(|known| known.navigation == item.navigation) else {
            once.push(item.clone());
            continue;
        };
        if known.reference != item.reference {
            let what = format!("{0} beside {0}/$ref in $expand", item.navigation);
            return Err(fault(Fault::Unsupported(what)));
        }
        for text in [&known.options, &item.options].into_iter().flatten() {
            QueryOptions::nested(text)?;
        }
        known.options = joined(item.options.as_deref(), known.options.as_deref()).map_err(fault)?;
    }
    Ok(once)
}

/// The options of two items for one property, in parentheses.
fn joined(later: Option<&str>, earlier: Option<&str>) -> Result<Option<String>, Fault> {
    let read = |text: Option<&str>| -> Result<Vec<(String, String)>, Fault> {
        let pairs = text.map(options).transpose()?.unwrap_or_default();
        Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    };
    let (mut pairs, earlier) = (read(later)?, read(earlier)?);
    for (name, value) in earlier {
        if !matches!(name.as_str(), "$select" | "$expand") {
            continue;
        }
        // of two in one pair of parentheses the last counts
        match pairs.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, list)) => *list = format!("{},{value}", list.trim_end().trim_end_matches(',')),
            None => pairs.push((name, value)),
        }
    }
    let text: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(Some(text.join(";")).filter(|text| !text.is_empty()).map(|text| format!("({text})")))
}

/// What parentheses hold.
fn inside(options: &str) -> Option<&str> {
    options.strip_prefix('(')?.strip_suffix(')').map(str::trim)
}

/// The options in the parentheses of an item of `$expand`, parentheses included: each name and its value.
pub(crate) fn options(text: &str) -> Result<Vec<(&str, &str)>, Fault> {
    let wrong = || Fault::TermNotValid(text.to_owned());
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?;
    let mut pairs = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=').ok_or_else(wrong)?;
        if !NESTED.contains(&name.trim()) {
            return Err(wrong());
        }
        let end = end_of(value);
        pairs.push((name.trim(), value.get(..end).unwrap_or_default()));
        rest = value.get(end..).and_then(|rest| rest.strip_prefix(';')).unwrap_or_default().trim();
    }
    Ok(pairs)
}

/// Options that an item of `$expand` may have.
const NESTED: [&str; 11] = [
    "$select", "$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$apply", "$levels", "$search",
    "$compute",
];

/// Where the value of an option ends: at the first `;` outside quotes and parentheses.
fn end_of(text: &str) -> usize {
    let (mut depth, mut quoted) = (0_usize, None);
    for (at, letter) in text.char_indices() {
        match quoted {
            Some(quote) if quote == letter => quoted = None,
            Some(_) => {}
            None if matches!(letter, '\'' | '"') => quoted = Some(letter),
            None if letter == '(' => depth += 1,
            None if letter == ')' => depth = depth.saturating_sub(1),
            None if letter == ';' && depth == 0 => return at,
            None => {}
        }
    }
    text.len()
}

/// One item.
struct Term<'t> {
    path: Vec<String>,
    /// With its parentheses.
    options: Option<&'t str>,
}

/// A list that is read.
struct Terms<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    select: bool,
}

impl<'t> Terms<'t> {
    fn new(text: &'t str, select: bool) -> Result<Self, Fault> {
        Ok(Self { text, lexer: Lexer::new(text)?, select })
    }

    fn next(&mut self) -> Result<(), Fault> {
        self.lexer.next()?;
        // only what stands within parentheses is parted by it
        if self.lexer.token.kind == Kind::Semicolon {
            return Err(Fault::Character(';', self.lexer.here()));
        }
        Ok(())
    }

    /// All items; a comma may end them.
    fn read(mut self) -> Result<Vec<Term<'t>>, Fault> {
        let mut items = Vec::new();
        if self.lexer.token.kind == Kind::Semicolon {
            return Err(Fault::Character(';', self.lexer.here()));
        }
        while self.lexer.token.kind != Kind::End {
            let path = self.path()?;
            let mut options = None;
            if self.lexer.token.kind == Kind::OpenParen {
                options = Some(self.lexer.enclosed()?);
                self.next()?;
            }
            items.push(Term { path, options });
            if self.lexer.token.kind != Kind::Comma {
                break;
            }
            self.next()?;
        }
        if self.lexer.token.kind != Kind::End {
            return Err(Fault::TermNotValid(self.text.to_owned()));
        }
        Ok(items)
    }

    fn path(&mut self) -> Result<Vec<String>, Fault> {
        let mut path = Vec::new();
        loop {
            let segment = self.segment(&path)?;
            path.push(segment);
            if self.lexer.token.kind != Kind::Slash {
                return Ok(path);
            }
            self.next()?;
            if path.len() > 1 && self.lexer.token.kind == Kind::End {
                return Ok(path);
            }
        }
    }

    fn segment(&mut self, before: &[String]) -> Result<String, Fault> {
        let word = self.lexer.token.text;
        let known = word == "$count" || !self.select && word == "$ref";
        if word.starts_with('$') && !known {
            return Err(Fault::SystemToken { token: word.to_owned(), clause: self.text.to_owned() });
        }
        let last = before.last().map(String::as_str).filter(|_| !self.select);
        match last {
            Some("*") if word != "$ref" => return Err(Fault::BehindStar),
            Some("$ref" | "$count") => return Err(Fault::BehindLast(last.unwrap_or_default().to_owned())),
            _ => {}
        }
        let start = self.lexer.token.start;
        let nameless = |lexer: &Lexer<'_>| Fault::IdentifierExpected(lexer.at(start).position);
        match self.lexer.token.kind {
            Kind::Star => {
                if self.select && self.lexer.peek_next()?.kind == Kind::Slash {
                    return Err(nameless(&self.lexer));
                }
                if !self.select && !before.is_empty() {
                    return Err(Fault::BeforeStar);
                }
                self.next()?;
                Ok("*".to_owned())
            }
            Kind::Identifier | Kind::Alias => {
                let mut name = word.to_owned();
                self.next()?;
                while self.lexer.token.kind == Kind::Dot {
                    self.next()?;
                    let star = self.select && self.lexer.token.kind == Kind::Star;
                    if self.lexer.token.kind != Kind::Identifier && !star {
                        return Err(Fault::Syntax(self.lexer.behind()));
                    }
                    name.push('.');
                    name.push_str(self.lexer.token.text);
                    self.next()?;
                }
                Ok(name)
            }
            _ => Err(nameless(&self.lexer)),
        }
    }
}
