//! Refusals of the OData endpoint: the envelope and what stands in it.
//!
//! Decides the texts of requests that are wrong in themselves. The envelopes and the Infolog pattern are captured; what is
//! not is marked inferred, no exact Microsoft wording.

use mocktenant_verdict::catalogue;
use serde_json::{Map, Value, json};

catalogue! {
    /// A request the OData endpoint refuses.
    pub(crate) enum ODataError(&'static str) {
        /// No such entity set, or nothing at that path.
        UnknownResource { uri: String } => {
            id: "404 resource", status: 404, class: "",
            text: "No HTTP resource was found that matches the request URI '{uri}'. No route data was found for this request.",
            fidelity: Observed, source: "captured for keys; that an unknown set is answered alike is inferred",
            cause: "there is no such public entity, or the path is none of this environment's; names have letter case",
            change: "Use the public collection name of a data entity, for instance /data/CustomersV3.",
        }
        /// The key in the path cannot be read or is not the entity's.
        KeyInvalid { uri: String } => {
            id: "404 key", status: 404, class: "",
            text: "No HTTP resource was found that matches the request URI '{uri}'. No route data was found for this request.",
            fidelity: Observed, source: "captures of incomplete keys, and of one value where the key has several columns",
            cause: "the key in the URL cannot be read, or lacks a part",
            change: "Name every key part, for instance CustomersV3(dataAreaId='usmf',CustomerAccount='DE-010').",
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
            id: "400 body", status: 400, class: "System.Reflection.TargetInvocationException",
            text: "Exception has been thrown by the target of an invocation.",
            fidelity: Inferred, source: "as for a body that cannot be read",
            cause: "the connection ended before the body did, or it came too slowly", change: "Send the whole body.",
        }
        /// The body is no JSON object, or has a column the entity has not, or a value that is not of its column's type.
        PayloadRefused => {
            id: "400 payload", status: 400, class: "System.Reflection.TargetInvocationException",
            text: "Exception has been thrown by the target of an invocation.",
            fidelity: Observed, source: "issue 61 of microsoft/Dynamics-AX-Integration; unknown, wrongly cased and wrongly typed members are captured, an unknown member of an enumeration is inferred",
            cause: "the body is no JSON object of the entity's columns: one is unknown (names have letter case), or its value is of another type",
            change: "Send one JSON object with the entity's columns, each in its own type.",
        }
        /// A key column may not change.
        KeyImmutable { column: String } => {
            id: "400 key-change", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "The key property '{column}' cannot be changed.",
            fidelity: Inferred, source: "OData 4.0 protocol 11.4.3",
            cause: "an update sends another value for a key column", change: "Leave key columns out of an update.",
        }
        /// A query option cannot be read.
        QueryInvalid { why: String } => {
            id: "400 query", status: 400, class: "Microsoft.OData.ODataException",
            text: "{why}",
            fidelity: Inferred, source: "the sentences of Microsoft's OData library, from its resources, behind the frame of a captured answer; which the product's version has is not known",
            cause: "a query option is repeated, not in OData's grammar, or compares what does not compare",
            change: "Use $filter $select $top $skip $orderby $expand $count and cross-company.",
        }
        /// A query option that is none.
        OptionUnknown { option: String } => {
            id: "400 query-option", status: 400, class: "Microsoft.OData.ODataException",
            text: "The query parameter '{option}' is not supported.",
            fidelity: Inferred, source: "the sentence of Microsoft's OData library for Web API; which options the product takes: Microsoft Learn, Open Data Protocol",
            cause: "the query option is none that is taken here",
            change: "Use $filter $select $top $skip $orderby $expand $count and cross-company.",
        }
        /// A query names a column that is none.
        PropertyUnknown { property: String, kind: String } => {
            id: "400 query-property", status: 400, class: "Microsoft.OData.ODataException",
            text: "Could not find a property named '{property}' on type '{kind}'.",
            fidelity: Observed, source: "operators' notes of 2026 and the sentence of Microsoft's OData library",
            cause: "$select, $filter or $orderby names a column the entity has not; names have letter case",
            change: "Use the column's name as the entity's $metadata spells it.",
        }
        /// A link to an entity that this lab has not.
        LinkRefused { link: String, option: String } => {
            id: "400 query-link", status: 400, class: "Microsoft.OData.ODataException",
            text: "The property '{link}' cannot be used in the {option} query option.",
            fidelity: Inferred, source: "the sentence of Microsoft's OData library for Web API where a property may not be expanded",
            cause: "the query follows a link to an entity that is not built",
            change: "Ask for what is built.",
        }
        /// A function in `$filter`.
        FunctionUnknown { function: String } => {
            id: "400 query-function", status: 400, class: "Microsoft.OData.ODataException",
            text: "An unknown function with name '{function}' was found. This may also be a function import or a key lookup on a navigation property, which is not allowed.",
            fidelity: Inferred, source: "the sentence of Microsoft's OData library for a function that is none",
            cause: "$filter calls a function",
            change: "Compare columns with values: eq and ne take * for any characters.",
        }
        /// A member of an enumeration that there is none of.
        ConstantUnknown { text: String } => {
            id: "400 query-constant", status: 400, class: "Microsoft.OData.ODataException",
            text: "The string '{text}' is not a valid enumeration type constant.",
            fidelity: Inferred, source: "the sentence of Microsoft's OData library for such a constant",
            cause: "$filter compares with a member or an enumeration that there is none of; names have letter case",
            change: "Use a member as $metadata has it, Microsoft.Dynamics.DataEntities.NoYes'Yes'.",
        }
        /// A body that is no batch.
        BatchInvalid => {
            id: "400 batch", status: 400, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it; the text in it is ours",
            cause: "the body is no batch as OData has it, or its Content-Type names no boundary",
            change: "Send multipart/mixed with a boundary, each part an application/http request.",
        }
        /// A query that ran for too long.
        QueryTimeout => {
            id: "500 query-timeout", status: 500, class: "",
            text: "An error has occurred.",
            fidelity: Inferred, source: "envelope as client fixtures have it, where 500 is seen too; that a query which takes too long ends so is inferred",
            cause: "the query looked at more records, with more comparisons, than the lab gives it time for",
            change: "Ask for fewer comparisons, or by a key.",
        }
        /// Mandatory columns are empty.
        FieldMandatory { entity: Box<str>, fields: String, table: Box<str> } => {
            id: "400 mandatory", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Write failed for table row of type '{entity}'. Infolog: {fields}; Warning: validateWrite failed on data source '{table} ({table})'.",
            fidelity: Inferred, source: "the frame, the sentence for one column and the last one are captured, of different entities; how they are joined is inferred",
            cause: "a mandatory column is empty", change: "Send the column.",
        }
        /// A column names a row that does not exist.
        RelationMissing { entity: Box<str>, value: String, field: Box<str>, table: Box<str>, column: Box<str> } => {
            id: "400 relation", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Write failed for table row of type '{entity}'. Infolog: Warning: The value '{value}' in field '{field}' is not found in the related table '{table}'.; Warning: validateField failed on field '{entity}.{column}'.",
            fidelity: Observed, source: "bodies of July 2026 for a customer's group; labels of other columns from the vendor's model",
            cause: "the column names a record that does not exist in this environment",
            change: "Create the related record, or send a value that exists.",
        }
        /// A column has a value that its table does not know.
        ValueRefused { entity: Box<str>, column: Box<str> } => {
            id: "400 value", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Write failed for table row of type '{entity}'. Infolog: Warning: validateField failed on field '{entity}.{column}'.",
            fidelity: Inferred, source: "the frame is captured; that this column's values are refused so is inferred",
            cause: "the column takes certain words only", change: "Send one of the words the column takes.",
        }
        /// A record with that key exists, or is being written.
        RecordExists { entity: Box<str>, label: Box<str>, table: Box<str>, caption: String } => {
            id: "400 duplicate", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Write failed for table row of type '{entity}'. Infolog: Info: Cannot create a record in {label} ({table}). {caption}.\nThe record already exists..",
            fidelity: Observed, source: "a $batch of 2019, with 500 there, for customer groups; 400 outside a batch, and labels and columns of other tables, are inferred",
            cause: "a record with that key exists", change: "Use another key, or PATCH the record.",
        }
        /// Other records refer to one that was to go.
        DependentsExist { entity: Box<str>, label: Box<str>, dependent: Box<str> } => {
            id: "400 dependents", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Write failed for table row of type '{entity}'. Infolog: Error: {label} cannot be deleted while dependent {dependent} exist..",
            fidelity: Inferred, source: "the sentence is in operators' notes; the frame is captured, of other refusals, and which kind of message it is is inferred",
            cause: "records of another entity refer to the one that was to go",
            change: "Delete those first.",
        }
        /// Another request is writing the same record.
        RecordBusy { entity: Box<str>, label: Box<str>, table: Box<str> } => {
            id: "400 update-conflict", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Write failed for table row of type '{entity}'. Cannot edit a record in {label} ({table}). An update conflict occurred due to another user process deleting the record or changing one or more fields in the record.",
            fidelity: Observed, source: "operators' notes; that a record being written is answered so is inferred",
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

/// The class of every refused write.
pub(crate) const WRITE: &str = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException";

/// Where a write is refused: the trace of a creation (a $batch of 2019, without the frame of the batch).
const WRITE_STACK: &str = "   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update.UpdateProcessor.CreateEntity_Save(ChangeOperationContext context, ChangeInfo changeInfo)\r\n   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update.UpdateManager.<>c__DisplayClass6_0.<CreateEntity>b__1(ChangeOperationContext context)\r\n   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update.ChangeInfo.ExecuteActionsInCompanyContext(IEnumerable`1 actionList, ChangeOperationContext operationContext)\r\n   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update.ChangeInfo.TrySave(ChangeOperationContext operationContext)\r\n   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update.UpdateManager.SaveChanges()";

/// Where a payload is refused, as far as issue 61 of microsoft/Dynamics-AX-Integration shows it.
const PAYLOAD_STACK: &str = "   at System.RuntimeMethodHandle.InvokeMethod(Object target, Object[] arguments, Signature sig, Boolean constructor)\r\n   at System.Reflection.RuntimeMethodInfo.UnsafeInvokeInternal(Object obj, Object[] parameters, Object[] arguments)\r\n   at System.Reflection.RuntimeMethodInfo.Invoke(Object obj, BindingFlags invokeAttr, Binder binder, Object[] parameters, CultureInfo culture)\r\n   at System.Reflection.MethodBase.Invoke(Object obj, Object[] parameters)\r\n   at Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataEntityDeserializer.ReadODataBodyAsType(...)";

/// What stands before a query's own fault.
const QUERY: &str = "The query specified in the URI is not valid. ";

/// The OData error envelope. Without an inner text there is no `innererror`.
pub(crate) fn envelope(inner: Option<(&str, &str)>) -> String {
    let mut error = Map::new();
    let (_, kind) = inner.unwrap_or_default();
    let message = match inner {
        Some((inner, "Microsoft.OData.ODataException")) => format!("{QUERY}{inner}"),
        _ => "An error has occurred.".to_owned(),
    };
    error.insert("code".into(), Value::String(String::new()));
    error.insert("message".into(), Value::String(message));
    if let Some((message, _)) = inner {
        // Where no trace is known it is left empty rather than made up.
        let stack = match kind {
            WRITE => WRITE_STACK,
            "System.Reflection.TargetInvocationException" => PAYLOAD_STACK,
            _ => "",
        };
        error.insert("innererror".into(), json!({ "message": message, "type": kind, "stacktrace": stack }));
    }
    json!({ "error": error }).to_string()
}

impl ODataError {
    /// One empty column, as it stands in [`ODataError::FieldMandatory`].
    pub(crate) fn field(label: &str) -> String {
        format!("Warning: Field '{label}' must be filled in.")
    }

    /// Whether it is the answer of a router that knows no such place, which has another envelope.
    pub(crate) fn is_unrouted(&self) -> bool {
        matches!(self, Self::UnknownResource { .. } | Self::KeyInvalid { .. })
    }

    /// The body on the wire.
    pub(crate) fn body(&self) -> String {
        if self.is_unrouted() {
            return json!({ "Message": self.text() }).to_string();
        }
        let class = self.row().class;
        if class.is_empty() { envelope(None) } else { envelope(Some((&self.text(), class))) }
    }
}
