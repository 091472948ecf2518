//! The error catalogue of the Web API, one row per refusal.
//!
//! Texts marked observed were captured from the product, documented ones are printed in Microsoft's documentation
//! ("Web service error codes", "Compose HTTP requests and handle errors"). An identifier that is an HTTP status stands for
//! an answer whose body the product's documentation does not give; its body stays empty.

use super::PayloadDefect;

const ERROR_CODES: &str = "Microsoft Learn, Dataverse: Web service error codes";
const ERROR_CODES_STATUS_INFERRED: &str =
    "Microsoft Learn, Dataverse: Web service error codes (text); HTTP status inferred from the error's class";
const CONDITIONAL: &str = "Microsoft Learn, Dataverse: Perform conditional operations using the Web API";
const STATUS_ONLY: &str = "HTTP status only; the product's body is not documented and stays empty";

mocktenant_verdict::catalogue! {
    /// What Dataverse refuses with. The class is the symbolic name of Microsoft's error table.
    pub enum DataverseError(&'static str) {
        /// No token, or one that is not accepted: 401 with the challenge, empty body.
        Unauthorized => {
            id: "401", status: 401, class: "RequestIsNotAuthenticated",
            text: "",
            fidelity: Inferred, source: "challenge: DataverseServiceClient, AuthorityResolver and its unit test; body not documented",
            cause: "the request carries no access token that this organisation accepts",
            change: "request a token for the organisation URL from the organisation's own tenant and send it as a bearer token",
        }
        /// No application user.
        UserNotMemberOfOrg => {
            id: "0x80072560", status: 403, class: "UserNotMemberOfOrg",
            text: "The user is not a member of the organization.",
            fidelity: Observed, source: "Microsoft Learn, finance and operations: Troubleshoot live synchronization issues (captured answer)",
            cause: "the organisation has no application user for the calling client id",
            change: "Power Platform admin center > Environments > Settings > Users + permissions > Application users: add an app user for this client id",
        }
        /// The application user is disabled. The placeholders stand unformatted in the captured answer.
        UserNotEnabled => {
            id: "0x80040225", status: 403, class: "unManagedidsusernotenabled",
            text: "The specified user(Id = {{0}}) is disabled. Consider enabling this user. Additional Details: {{1}}",
            fidelity: Observed, source: "captured 403 of the Web API, placeholders unformatted as on the wire",
            cause: "the application user exists but is deactivated",
            change: "Application users: activate the application user",
        }
        /// The application user has no security role.
        UserNotAssignedRoles { user: String } => {
            id: "0x80042f09", status: 403, class: "UserNotAssignedRoles",
            text: "The user (Id = {user}) has not been assigned any roles.",
            fidelity: Documented, source: ERROR_CODES_STATUS_INFERRED,
            cause: "the application user holds no security role",
            change: "Application users > Edit security roles: assign a security role to the application user",
        }
        /// A privilege is missing.
        PrivilegeDenied {
            user: String, role_count: usize, privilege_count: usize, privilege: String, privilege_id: String,
            type_code: u32, entity: &'static str,
        } => {
            id: "0x80040220", status: 403, class: "PrivilegeDenied",
            text: "Principal user (Id={user}, type=8, roleCount={role_count}, privilegeCount={privilege_count}, accessMode=0), is missing {privilege} privilege (Id={privilege_id}) on OTC={type_code} for entity '{entity}'. context.Caller={user}",
            fidelity: Observed, source: "Microsoft Learn, Dynamics 365 Customer Service troubleshooting (captured runtime text); ids and counts are the organisation's own",
            cause: "none of the application user's security roles holds the privilege for this table and operation",
            change: "Security roles: add the privilege to a role of the application user, or assign a role that has it",
        }
        /// No record of this id.
        ObjectDoesNotExist { entity: &'static str, id: String } => {
            id: "0x80040217", status: 404, class: "ObjectDoesNotExist",
            text: "Entity '{entity}' With Id = {id} Does Not Exist",
            fidelity: Observed, source: "Microsoft Learn, Dataverse: Quick start Web API with PowerShell (captured answer)",
            cause: "the table holds no row of this id",
            change: "use the id of a row that exists, or create the row first",
        }
        /// No record of these key values.
        RecordNotFoundByEntityKey { entity: &'static str } => {
            id: "0x80060891", status: 404, class: "RecordNotFoundByEntityKey",
            text: "A record with the specified key values does not exist in {entity} entity",
            fidelity: Documented, source: ERROR_CODES_STATUS_INFERRED,
            cause: "the table holds no row with these alternate key values",
            change: "use the key values of a row that exists, or create the row first",
        }
        /// A row with this id, or one that `If-None-Match: *` forbids to be there.
        DuplicateRecord => {
            id: "0x80040237", status: 412, class: "DuplicateRecord",
            text: "A record with matching key values already exists.",
            fidelity: Documented, source: CONDITIONAL,
            cause: "a row with this id or these key values is already there",
            change: "leave out If-None-Match: * to update the row, or create it under another id",
        }
        /// Another row has the alternate key.
        DuplicateRecordEntityKey { key: &'static str, columns: String } => {
            id: "0x80060892", status: 412, class: "DuplicateRecordEntityKey",
            text: "Entity Key {key} violated. A record with the same value for {columns} already exists. A duplicate record cannot be created. Select one or more unique values and try again.",
            fidelity: Observed, source: "wording as public client code captured it; key and column display names are inferred",
            cause: "another row of the table has the same alternate key values",
            change: "write other key values, or update the row that has them",
        }
        /// `If-Match` names another version.
        ConcurrencyVersionMismatch => {
            id: "0x80060882", status: 412, class: "ConcurrencyVersionMismatch",
            text: "The version of the existing record doesn't match the RowVersion property provided.",
            fidelity: Documented, source: CONDITIONAL,
            cause: "the row was changed since the version in If-Match was read",
            change: "read the row again and send its new @odata.etag, or If-Match: *",
        }
        /// No table or function of that name.
        ResourceNotFound { segment: String } => {
            id: "0x8006088a", status: 404, class: "CrmHttpError",
            text: "Resource not found for the segment '{segment}'.",
            fidelity: Observed, source: "captured answers in public issues; names are compared with case",
            cause: "the organisation has no entity set or function of this name (names have letter case)",
            change: "use the entity set name, for instance accounts rather than account",
        }
        /// A key or path that is no OData.
        QuerySyntax => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "Bad Request - Error in query syntax.",
            fidelity: Observed, source: "captured answers in public issues",
            cause: "the key or a query option does not follow the OData grammar",
            change: "write ids without quotes or braces, text in single quotes, and percent-encode the rest",
        }
        /// A column that the table does not have, in a query option.
        PropertyNotFound { property: String, entity: &'static str } => {
            id: "0x0", status: 400, class: "CrmHttpError",
            text: "Could not find a property named '{property}' on type 'Microsoft.Dynamics.CRM.{entity}'.",
            fidelity: Observed, source: "captured answers in public issues",
            cause: "a query option names a column that the table does not have",
            change: "use the column's logical name; a lookup is _<name>_value",
        }
        /// A comparison of values that do not compare.
        IncompatibleOperands { left: &'static str, right: &'static str, operator: &'static str } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "A binary operator with incompatible types was detected. Found operand types '{left}' and '{right}' for operator kind '{operator}'.",
            fidelity: Inferred, source: "Microsoft.OData.Core's message; its code here is inferred",
            cause: "$filter compares a column with a value of another type",
            change: "write text in single quotes, and numbers and ids without",
        }
        /// More conditions than a query may have.
        TooManyConditionsInQuery => {
            id: "0x8004430c", status: 400, class: "TooManyConditionsInQuery",
            text: "Number of conditions in query exceeded maximum limit.",
            fidelity: Documented, source: "Microsoft Learn, Dataverse: Filter rows using OData, condition limits; HTTP status inferred from the error's class",
            cause: "$filter has more than 500 comparisons",
            change: "ask in several requests, or with fewer comparisons",
        }
        /// A query that ran for too long.
        SqlTimeoutError => {
            id: "0x80044151", status: 500, class: "SqlTimeoutError",
            text: "SQL timeout expired.",
            fidelity: Inferred, source: "text and code: Microsoft Learn, Dataverse troubleshooting: Bulk operation errors (-2147204783); status, and that the Web API answers with it after the lab's ten seconds, are inferred",
            cause: "the query looked at more rows, with more comparisons, than the lab gives it time for",
            change: "ask for fewer comparisons, or by a key",
        }
        /// `$skip`.
        SkipNotSupported => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "Skip Clause is not supported in CRM",
            fidelity: Observed, source: "captured answers in public client code",
            cause: "Dataverse has no $skip",
            change: "follow @odata.nextLink instead",
        }
        /// A query option this organisation does not take.
        InvalidQueryOption => {
            id: "0x80040203", status: 400, class: "InvalidArgument",
            text: "Invalid argument.",
            fidelity: Inferred, source: "text from the error table; that it answers a query option or function not built here is ours",
            cause: "the query option, or a function in it, is not supported here",
            change: "use $select, $filter with comparisons only, $orderby, $top and $count",
        }
        /// A caller that acts as another user.
        ImpersonationNotBuilt => {
            id: "0x80040203", status: 400, class: "InvalidArgument",
            text: "Invalid argument.",
            fidelity: Inferred, source: "text from the error table; that it answers impersonation, which is not built here, is ours",
            cause: "the request names another user to act as, by MSCRMCallerID or CallerObjectId; impersonation is not supported here",
            change: "leave out MSCRMCallerID and CallerObjectId, and call as the application user itself",
        }
        /// A column that the table does not have, in a body.
        InvalidProperty { property: String, entity: &'static str } => {
            id: "0x80090801", status: 400, class: "InvalidPropertyInODataRequestBody",
            text: "Invalid property '{property}' was found in entity 'Microsoft.Dynamics.CRM.{entity}'.",
            fidelity: Documented, source: ERROR_CODES_STATUS_INFERRED,
            cause: "the body names a column that the table does not have",
            change: "use the column's logical name; set a lookup with <navigation property>@odata.bind",
        }
        /// A body that is no row of this table, where the inner exception was captured.
        Payload { set: &'static str, inner: PayloadDefect } => {
            id: "0x80048d19", status: 400, class: "ODataClientPayloadError",
            text: "Error identified in Payload provided by the user for Entity :'{set}', For more information on this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {inner}",
            fidelity: Observed, source: "captured answers in public issues; the stack trace that follows there is left out",
            cause: "the body is not a JSON object with values of the columns' types",
            change: "send one JSON object whose values have the columns' types",
        }
        /// The same where the inner exception was not captured.
        UncapturedPayload { set: &'static str, inner: PayloadDefect } => {
            id: "0x80048d19", status: 400, class: "ODataClientPayloadError",
            text: "Error identified in Payload provided by the user for Entity :'{set}', For more information on this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {inner}",
            fidelity: Inferred, source: "frame: captured answers in public issues; the inner exception is inferred. Creating related rows in one request (deep insert) is not built and answered so",
            cause: "the body is empty, no object, names a member twice, nests too deep, or binds or nests a row that cannot be read here",
            change: "send one JSON object; set a lookup with <navigation property>@odata.bind to \"/<entity set>(<id>)\"",
        }
        /// A lookup column written directly.
        EntityReferenceUpdate => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.",
            fidelity: Observed, source: "captured answers in public issues",
            cause: "the body sets a lookup by its read-only column _<name>_value",
            change: "set <navigation property>@odata.bind to \"/<entity set>(<id>)\"",
        }
        /// A text that is too long for its column.
        StringLengthTooLong { column: &'static str, entity: &'static str, limit: u32 } => {
            id: "0x80044331", status: 400, class: "StringLengthTooLong",
            text: "A validation error occurred.  The length of the '{column}' attribute of the '{entity}' entity exceeded the maximum allowed length of '{limit}'.",
            fidelity: Observed, source: "captured answers in public tests; the columns' lengths are those of a new organisation",
            cause: "the text is longer than its column",
            change: "write a shorter text",
        }
        /// A choice that the column does not offer, or a number outside its range.
        ValueOutOfRange { column: &'static str, entity: &'static str, value: String } => {
            id: "0x8004431a", status: 400, class: "PicklistValueOutOfRange",
            text: "A validation error occurred. The value '{value}' of '{column}' on record of type '{entity}' is outside the valid range.",
            fidelity: Inferred, source: "code and name from public client code; the wording is inferred",
            cause: "the column does not offer this value",
            change: "write a value that the column offers",
        }
        /// A body over the budget.
        RequestLengthTooLarge => {
            id: "0x8004418a", status: 413, class: "RequestLengthTooLarge",
            text: "Request message length is too large.",
            fidelity: Documented, source: ERROR_CODES,
            cause: "the body is larger than a request may be",
            change: "send smaller requests",
        }
        /// Our own defect.
        Unexpected => {
            id: "0x80040216", status: 500, class: "UnExpected",
            text: "An unexpected error occurred.",
            fidelity: Observed, source: "captured answers in public issues (-2147220970)",
            cause: "a defect of the lab itself",
            change: "report this exchange",
        }
        /// It was reset while it answered, or two wrote one row at once.
        ServiceUnavailable => {
            id: "503", status: 503, class: "ServiceUnavailable",
            text: "",
            fidelity: Inferred, source: STATUS_ONLY,
            cause: "the organisation was reset while the request was being answered, or another request was writing the same record at that moment; nothing of it was written",
            change: "try again",
        }
        /// A path or API version that is not there.
        NotFound => {
            id: "404", status: 404, class: "NotFound",
            text: "",
            fidelity: Inferred, source: STATUS_ONLY,
            cause: "the organisation serves nothing at this path; the Web API has the versions v9.0, v9.1 and v9.2",
            change: "call /api/data/v9.2/<entity set>",
        }
        /// A method that the resource does not take.
        MethodNotAllowed => {
            id: "405", status: 405, class: "NotSupported",
            text: "",
            fidelity: Inferred, source: STATUS_ONLY,
            cause: "the resource does not take this method",
            change: "POST to the entity set; GET, PATCH and DELETE with an id or key",
        }
        /// A body that is not JSON by its content type.
        UnsupportedMediaType => {
            id: "415", status: 415, class: "UnsupportedMediaType",
            text: "",
            fidelity: Inferred, source: STATUS_ONLY,
            cause: "the body's Content-Type is not application/json",
            change: "send Content-Type: application/json",
        }
        /// A body that did not come in time.
        RequestTimeout => {
            id: "408", status: 408, class: "RequestTimeout",
            text: "",
            fidelity: Inferred, source: STATUS_ONLY,
            cause: "the body did not come in time",
            change: "send the whole body",
        }
        /// A body that broke off.
        IncompleteBody => {
            id: "400", status: 400, class: "BadRequest",
            text: "",
            fidelity: Inferred, source: STATUS_ONLY,
            cause: "the connection ended before the body did, or its framing was broken",
            change: "send the whole body",
        }
    }
}

impl DataverseError {
    /// A body that is no row of the set, in the row that is as sure of the words as we are.
    pub(crate) fn payload(set: &'static str, inner: PayloadDefect) -> Self {
        if inner.is_captured() {
            Self::Payload { set, inner }
        } else {
            Self::UncapturedPayload { set, inner }
        }
    }
}
