//! Rows of a product's error catalogue, and the macro that writes one.
//!
//! Decides the shape of a row: id, status, class, text with typed placeholders, fidelity, source, and our own cause and
//! change (which never reach the wire). The texts themselves live in each surface's `errors/`.

use serde::Serialize;

/// How sure we are that the real product says exactly this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// Captured from the real product; the source names the capture.
    Observed,
    /// Printed in the vendor's documentation.
    Documented,
    /// Concluded from other facts; not an exact text.
    Inferred,
}

/// One row of a catalogue, without the values of its placeholders.
#[derive(Clone, Copy, Debug)]
pub struct Row<C: 'static> {
    /// Variant name, for instance `TenantNotFound`.
    pub name: &'static str,
    /// The product's own identifier, for instance `AADSTS90002` or `0x80072560`.
    pub id: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What kind of error it is in the product's own words (an OAuth error, a symbolic name).
    pub class: C,
    /// The text with `{placeholders}` as written in the table.
    pub template: &'static str,
    /// How sure we are of the text.
    pub fidelity: Fidelity,
    /// Where the text comes from.
    pub source: &'static str,
    /// Our own explanation. Never on the wire.
    pub cause: &'static str,
    /// What a person would change, in the words of the product's own screens. Never on the wire.
    pub change: &'static str,
}

/// Writes a surface's error catalogue: an enum whose variants carry their placeholders.
///
/// `text()` renders the template with `format!`, so a placeholder without a field does not compile, and a field
/// without a placeholder is an unused variable.
///
/// ```
/// mocktenant_verdict::catalogue! {
///     /// Errors of an example.
///     pub enum Example(&'static str) {
///         /// Nobody by that name.
///         Missing { name: String } => {
///             id: "E1", status: 404, class: "not_found",
///             text: "There is no {name}.",
///             fidelity: Inferred, source: "this example",
///             cause: "the name is not declared", change: "declare it",
///         }
///     }
/// }
/// let missing = Example::Missing { name: "door".into() };
/// assert_eq!(missing.text(), "There is no door.");
/// assert_eq!(missing.row().id, "E1");
/// assert_eq!(Example::ROWS.len(), 1);
/// ```
#[macro_export]
macro_rules! catalogue {
    (
        $(#[$outer:meta])*
        $visibility:vis enum $name:ident($class_type:ty) {
            $(
                $(#[$inner:meta])*
                $variant:ident $({ $($field:ident : $field_type:ty),+ $(,)? })? => {
                    id: $id:expr, status: $status:expr, class: $class:expr,
                    text: $text:literal,
                    fidelity: $fidelity:ident, source: $source:expr,
                    cause: $cause:expr, change: $change:expr $(,)?
                }
            )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $(
                $(#[$inner])*
                $variant $({
                    $(#[doc = concat!("Placeholder `", stringify!($field), "` of the text.")] $field: $field_type),+
                })?,
            )+
        }

        impl $name {
            /// Every row, in the order of the table.
            $visibility const ROWS: &'static [$crate::Row<$class_type>] = &[
                $(
                    $crate::Row {
                        name: stringify!($variant),
                        id: $id,
                        status: $status,
                        class: $class,
                        template: $text,
                        fidelity: $crate::Fidelity::$fidelity,
                        source: $source,
                        cause: $cause,
                        change: $change,
                    },
                )+
            ];

            /// The row this error is an instance of.
            $visibility fn row(&self) -> &'static $crate::Row<$class_type> {
                let name = match self { $( Self::$variant { .. } => stringify!($variant), )+ };
                // The table holds one row per variant by construction of this macro, so the search always ends.
                Self::ROWS.iter().find(|row| row.name == name).unwrap_or(&Self::ROWS[0])
            }

            /// The text as the product prints it, placeholders filled.
            $visibility fn text(&self) -> String {
                match self {
                    $( Self::$variant $({ $($field),+ })? => format!($text), )+
                }
            }
        }
    };
}
