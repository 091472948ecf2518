//! A schema as the source of a constant.
//!
//! Decides how a build script writes down what it compiled, so that a program has its tables without reading anything.

use std::fmt::{Debug, Write as _};

use crate::image::Image;
use crate::schema::Schema;

/// The expression of a schema; it names this crate `mocktenant_schema`.
pub fn expression(schema: &Schema) -> String {
    let Image {
        text,
        tables,
        by_name,
        by_set,
        columns,
        ordinals,
        details,
        choices,
        options,
        keys,
        states,
        relationships,
        pairs,
        defaults,
        notes,
    } = &schema.image;
    let mut out = "{\nuse ::mocktenant_schema::image::*;\nuse ::std::borrow::Cow::Borrowed;\n\
                   ::mocktenant_schema::Schema::of(Image {\n"
        .to_owned();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "text: Borrowed({text:?}),");
    list(&mut out, "tables", tables);
    list(&mut out, "by_name", by_name);
    list(&mut out, "by_set", by_set);
    list(&mut out, "columns", columns);
    list(&mut out, "ordinals", ordinals);
    list(&mut out, "details", details);
    list(&mut out, "choices", choices);
    list(&mut out, "options", options);
    list(&mut out, "keys", keys);
    list(&mut out, "states", states);
    list(&mut out, "relationships", relationships);
    list(&mut out, "pairs", pairs);
    list(&mut out, "defaults", &defaults.iter().map(Default).collect::<Vec<_>>());
    list(&mut out, "notes", notes);
    out.push_str("})\n}");
    out
}

/// The records write themselves as the expressions they are.
fn list<T: Debug>(out: &mut String, name: &str, all: &[T]) {
    let _ = writeln!(out, "{name}: Borrowed(&[");
    for one in all {
        let _ = writeln!(out, "{one:?},");
    }
    out.push_str("]),\n");
}

/// A default with the name of its type.
struct Default<'d>(&'d crate::image::DefaultRow);

impl Debug for Default<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "DefaultRow::{:?}", self.0)
    }
}
