//! Refusals of the OData endpoint: the envelope and what stands in it.
//!
//! Decides the texts of requests that are wrong in themselves. The outer envelope is believed from client fixtures, the
//! Infolog pattern is observed in them; every other inner text here is inferred, no exact Microsoft wording.

use mocktenant_verdict::catalogue;
use serde_json::{Map, Value, json};

catalogue! {
    /// A request the OData endpoint refuses.
    pub(crate) enum ODataError(&'static str) {
        /// No such entity set, or nothing at that path.
        UnknownResource => {
            id: "404 resource", status: 404, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "there is no such public entity, or the path is none of this environment's",
            change: "Use the public collection name of a data entity, for instance /data/CustomersV3.",
        }
        /// No record with that key in the companies asked.
        UnknownRecord => {
            id: "404 record", status: 404, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "no record has that key; records of another than the user's default company need cross-company=true",
            change: "Correct the key, or add ?cross-company=true.",
        }
        /// The resource does not take the method.
        MethodNotAllowed => {
            id: "405 method", status: 405, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "the resource does not take this method", change: "Use one of the methods in Allow.",
        }
        /// The row changed since it was read.
        PreconditionFailed => {
            id: "412 etag", status: 412, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours; If-Match of RFC 9110 section 13.1.1",
            cause: "If-Match names another version of the record", change: "Read the record again and send its @odata.etag.",
        }
        /// The body is larger than accepted.
        TooLarge => {
            id: "413 body", status: 413, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "the body is larger than accepted", change: "Send less in one request.",
        }
        /// The body is no JSON by its content type.
        MediaType => {
            id: "415 media-type", status: 415, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "the Content-Type is not application/json", change: "Send Content-Type: application/json.",
        }
        /// The body did not come whole.
        BodyIncomplete => {
            id: "400 body", status: 400, class: "Microsoft.OData.ODataException",
            text: "The request body ended before it was complete.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "the connection ended before the body did, or it came too slowly", change: "Send the whole body.",
        }
        /// The body is no JSON object of plain values.
        BodyUnreadable { why: String } => {
            id: "400 payload", status: 400, class: "Microsoft.OData.ODataException",
            text: "The request body cannot be read: {why}.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "the body is not a JSON object of plain values", change: "Send one JSON object with the entity's columns.",
        }
        /// A column has a value of the wrong type.
        ColumnType { column: String, expected: String } => {
            id: "400 column-type", status: 400, class: "Microsoft.OData.ODataException",
            text: "The property '{column}' takes {expected}.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "a column has a value of the wrong type", change: "Send the column's own type.",
        }
        /// The key in the path cannot be read or is not the entity's.
        KeyInvalid { set: String, keys: String } => {
            id: "400 key", status: 400, class: "Microsoft.OData.ODataException",
            text: "The key of '{set}' needs a value for each of: {keys}.",
            fidelity: Inferred, source: "Microsoft Learn, finance and operations: Open Data Protocol (all key parts are required); the text is ours",
            cause: "the key in the URL cannot be read, or lacks a part",
            change: "Name every key part, for instance CustomersV3(dataAreaId='usmf',CustomerAccount='DE-010').",
        }
        /// A key column may not change.
        KeyImmutable { column: String } => {
            id: "400 key-change", status: 400, class: "Microsoft.OData.ODataException",
            text: "The key property '{column}' cannot be changed.",
            fidelity: Inferred, source: "OData 4.0 protocol 11.4.3",
            cause: "an update sends another value for a key column", change: "Leave key columns out of an update.",
        }
        /// A query option cannot be read.
        QueryInvalid { why: String } => {
            id: "400 query", status: 400, class: "Microsoft.OData.ODataException",
            text: "The query cannot be read: {why}.",
            fidelity: Inferred, source: "supported options: Microsoft Learn, finance and operations: Open Data Protocol; the text is ours",
            cause: "a query option is unknown, repeated or not in OData's grammar",
            change: "Use $filter $select $top $skip $orderby $count and cross-company.",
        }
        /// A query that ran for too long.
        QueryTimeout => {
            id: "500 query-timeout", status: 500, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it, where 500 is seen too; that a query which takes too long ends so is inferred",
            cause: "the query looked at more records, with more comparisons, than the lab gives it time for",
            change: "Ask for fewer comparisons, or by a key.",
        }
        /// A mandatory column is empty.
        FieldMandatory { entity: String, field: String } => {
            id: "400 mandatory", status: 400, class: "System.InvalidOperationException",
            text: "Write failed for table row of type '{entity}'. Infolog: Warning: Field '{field}' must be filled in.; Warning: validateWrite failed on data source '{entity}'.",
            fidelity: Inferred, source: "Infolog pattern of public client fixtures",
            cause: "a mandatory column is empty", change: "Send the column.",
        }
        /// A column names a row that does not exist.
        RelationMissing { entity: String, value: String, field: String, table: String } => {
            id: "400 relation", status: 400, class: "System.InvalidOperationException",
            text: "Write failed for table row of type '{entity}'. Infolog: Warning: The value '{value}' in field '{field}' is not found in the related table '{table}'.; Warning: validateWrite failed on data source '{entity}'.",
            fidelity: Inferred, source: "Infolog pattern of public client fixtures",
            cause: "the column names a record that does not exist in this environment",
            change: "Create the related record, or send a value that exists.",
        }
        /// A record with that key exists, or is being written.
        RecordExists { entity: String, key: String } => {
            id: "400 duplicate", status: 400, class: "System.InvalidOperationException",
            text: "Write failed for table row of type '{entity}'. Infolog: Error: Cannot create a record in {entity}. {key}. The record already exists.",
            fidelity: Inferred, source: "Infolog pattern of public client fixtures",
            cause: "a record with that key exists", change: "Use another key, or PATCH the record.",
        }
        /// Another request is writing the same record.
        RecordBusy { entity: String } => {
            id: "400 update-conflict", status: 400, class: "System.InvalidOperationException",
            text: "Write failed for table row of type '{entity}'. Infolog: Error: Another request is writing this record.",
            fidelity: Inferred, source: "Infolog pattern of public client fixtures",
            cause: "another request holds the record inside its transaction", change: "Try again.",
        }
        /// It was reset while it answered.
        Restarted => {
            id: "503 restarted", status: 503, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours; 503 of RFC 9110 section 15.6.4",
            cause: "the environment was reset while the request was being answered; nothing of it was written",
            change: "Try again.",
        }
        /// Our own defect.
        Internal => {
            id: "500 internal", status: 500, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it, where 500 is seen too",
            cause: "a defect of mocktenant", change: "Please report the exchange.",
        }
    }
}

/// The OData error envelope. Without an inner text there is no `innererror`.
pub(crate) fn envelope(inner: Option<(&str, &str)>) -> String {
    let mut error = Map::new();
    error.insert("code".into(), Value::String(String::new()));
    error.insert("message".into(), Value::String("An error has occurred.".into()));
    if let Some((message, kind)) = inner {
        // The stack trace of a real AOS names its own build; it is left empty rather than made up.
        error.insert("innererror".into(), json!({ "message": message, "type": kind, "stacktrace": "" }));
    }
    json!({ "error": error }).to_string()
}

impl ODataError {
    /// The body on the wire.
    pub(crate) fn body(&self) -> String {
        let class = self.row().class;
        if class.is_empty() { envelope(None) } else { envelope(Some((&self.text(), class))) }
    }
}
