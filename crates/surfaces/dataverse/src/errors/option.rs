//! What Dataverse itself says of a query option that its OData library can read.
//!
//! Decides only wording. Where the library cannot read one the sentence is the library's, in `odata`.

use super::DataverseError;

/// What is wrong with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionDefect {
    /// A paging cookie that is none, or one of another query.
    Cookie,
    /// An order by what `$apply` worked out (Microsoft Learn: Aggregate data using OData).
    MeasureOrdered,
    /// References of many rows (Microsoft Learn: Join tables using OData).
    ReferencesOfMany,
    /// An order or a number of rows where an expansion takes none (the same page).
    ExpansionCut,
}

impl From<OptionDefect> for DataverseError {
    fn from(defect: OptionDefect) -> Self {
        let sentence = match defect {
            OptionDefect::Cookie => "Malformed XML in the Paging Cookie",
            OptionDefect::MeasureOrdered => "The query node SingleValueOpenPropertyAccess is not supported",
            OptionDefect::ReferencesOfMany => {
                "Expand with $ref is only supported on lookup type navigation property."
            }
            OptionDefect::ExpansionCut => {
                "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship \
                 or nested one-to-many relationship."
            }
        };
        Self::QueryOption { sentence: sentence.to_owned() }
    }
}
