//! The error catalogue of the Web API, one row per refusal.
//!
//! Texts marked observed were captured from the product, documented ones are printed in Microsoft's documentation
//! ("Web service error codes", "Compose HTTP requests and handle errors"). An identifier that is an HTTP status stands for
//! an answer whose body the product's documentation does not give; its body stays empty.

use super::{BatchDefect, PayloadDefect};

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
            fidelity: Observed, source: "challenge captured, without quotes, a comma and a blank between its two parts; the body is empty",
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
        UserNotAssignedRoles { user: String, privilege: &'static str } => {
            id: "0x80042f09", status: 403, class: "UserNotAssignedRoles",
            text: "RetrievePrivilegeForUser: The user with id {user} has not been assigned any roles. They need a role with the {privilege} privilege.",
            fidelity: Observed, source: "captured answers in public issues; the privilege is the one that was asked for",
            cause: "the application user holds no security role",
            change: "Application users > Edit security roles: assign a security role to the application user",
        }
        /// A privilege is missing.
        PrivilegeDenied {
            user: Box<str>, role_count: u16, privilege_count: u16, object_id: Box<str>, known: u16,
            business_unit: Box<str>, privilege: &'static str, privilege_id: Box<str>, type_code: u32,
            entity: &'static &'static str, label: &'static &'static str,
        } => {
            id: "0x80040220", status: 403, class: "PrivilegeDenied",
            text: "Principal user (Id={user}, type=8, roleCount={role_count}, privilegeCount={privilege_count}, accessMode='4 Non-interactive', AADObjectId='{object_id}', MetadataCachePrivilegesCount={known}, businessUnitId={business_unit}), is missing {privilege} privilege (Id={privilege_id}) on OTC={type_code} for entity '{entity}' (LocalizedName='{label}'). context.Caller={user}. Consider adding missed privilege to one of the principal (user/team) roles.",
            fidelity: Observed, source: "captured answers of 2025; of the privileges' ids those of prvReadAccount and prvCreateAccount are captured, the others (they begin c0117050) and the counts are the lab's own",
            cause: "none of the application user's security roles holds the privilege for this table and operation",
            change: "Security roles: add the privilege to a role of the application user, or assign a role that has it",
        }
        /// The privilege is held, but does not reach this row.
        RecordDenied {
            user: Box<str>, role_count: u16, privilege_count: u16, object_id: Box<str>, known: u16,
            business_unit: Box<str>, privilege: &'static str, privilege_id: Box<str>, type_code: u32,
            entity: &'static &'static str, label: &'static &'static str,
        } => {
            id: "0x80040220", status: 403, class: "PrivilegeDenied",
            text: "Principal user (Id={user}, type=8, roleCount={role_count}, privilegeCount={privilege_count}, accessMode='4 Non-interactive', AADObjectId='{object_id}', MetadataCachePrivilegesCount={known}, businessUnitId={business_unit}), is missing {privilege} privilege (Id={privilege_id}) on OTC={type_code} for entity '{entity}' (LocalizedName='{label}'). context.Caller={user}. Consider adding missed privilege to one of the principal (user/team) roles.",
            fidelity: Inferred, source: "code and status captured; that the words are those of a missing privilege is inferred",
            cause: "the application user's security roles hold the privilege, but not as deep as this row is: it is another user's",
            change: "Security roles: give the privilege a greater depth, or assign the row to the application user",
        }
        /// The new owner of a row could not read it.
        OwnerLacksRead {
            user: Box<str>, role_count: u16, privilege_count: u16, object_id: Box<str>, known: u16,
            business_unit: Box<str>, privilege: &'static str, privilege_id: Box<str>, type_code: u32,
            entity: &'static &'static str, label: &'static &'static str,
        } => {
            id: "0x80040299", status: 403, class: "TargetPrincipalLacksReadPrivilege",
            text: "Read Privilege Check For Owner failed with exception: Principal user (Id={user}, type=8, roleCount={role_count}, privilegeCount={privilege_count}, accessMode='4 Non-interactive', AADObjectId='{object_id}', MetadataCachePrivilegesCount={known}, businessUnitId={business_unit}), is missing {privilege} privilege (Id={privilege_id}) on OTC={type_code} for entity '{entity}' (LocalizedName='{label}'). context.Caller={user}. Consider adding missed privilege to one of the principal (user/team) roles.",
            fidelity: Observed, source: "captured up to the colon; the exception after it is inferred",
            cause: "the user who is to own the row holds no privilege to read rows of its table",
            change: "Security roles: give the owner a role with the read privilege, or name another owner",
        }
        /// The caller acts as another user and may not.
        ActOnBehalfDenied {
            user: Box<str>, role_count: u16, privilege_count: u16, object_id: Box<str>, known: u16,
            business_unit: Box<str>, privilege: &'static str, privilege_id: Box<str>,
        } => {
            id: "0x80040220", status: 403, class: "PrivilegeDenied",
            text: "Principal user (Id={user}, type=8, roleCount={role_count}, privilegeCount={privilege_count}, accessMode='4 Non-interactive', AADObjectId='{object_id}', MetadataCachePrivilegesCount={known}, businessUnitId={business_unit}), is missing {privilege} privilege (Id={privilege_id}) on OTC=0 for entity '' (LocalizedName=''). context.Caller={user}. Consider adding missed privilege to one of the principal (user/team) roles.",
            fidelity: Inferred, source: "the words of a missing privilege, which this one has no table for",
            cause: "the request names another user to act as, and none of the caller's own security roles holds the privilege for that",
            change: "assign the role Delegate to the calling application user, or leave out MSCRMCallerID and CallerObjectId",
        }
        /// The header that names another user is empty.
        InvalidCallerId => {
            id: "0x80048d1a", status: 400, class: "InvalidCallerId",
            text: "CallerId provided for impersonation is invalid. Provided CallerId is either NULL or empty string",
            fidelity: Documented, source: ERROR_CODES_STATUS_INFERRED,
            cause: "MSCRMCallerID or CallerObjectId is there and names nobody",
            change: "send a user's id in MSCRMCallerID, or the object id of its service principal in CallerObjectId, or neither",
        }
        /// The header names no user of the organisation.
        CallerIdUnknown { id: String } => {
            id: "0x80041d1f", status: 403, class: "BusinessManagementInvalidUserId",
            text: "The user Id(s) [{id}] is invalid.",
            fidelity: Inferred, source: "text: Microsoft Learn, Dataverse: Web service error codes; that it answers a user to act as who is not there, and the status, are inferred",
            cause: "MSCRMCallerID or CallerObjectId names no user of the organisation",
            change: "MSCRMCallerID takes a systemuserid, CallerObjectId the object id of the user or service principal in Entra ID",
        }
        /// No record of this id.
        ObjectDoesNotExist { entity: &'static str, id: String } => {
            id: "0x80040217", status: 404, class: "ObjectDoesNotExist",
            text: "Entity '{entity}' With Id = {id} Does Not Exist",
            fidelity: Observed, source: "Microsoft Learn, Dataverse: Quick start Web API with PowerShell (captured answer)",
            cause: "the table holds no row of this id",
            change: "use the id of a row that exists, or create the row first",
        }
        /// No table of this name or id among the definitions.
        NoEntityMetadata { name: String, id: String } => {
            id: "0x80040217", status: 404, class: "ObjectDoesNotExist",
            text: "Could not find an entity with name {name} and id {id}.",
            fidelity: Inferred, source: "text: an exception captured in a public issue, without the number in parentheses that follows there; that EntityDefinitions answers with it, code and status are inferred",
            cause: "the organisation has no table of this logical name (singular, lower case) or metadata id",
            change: "name the table by its logical name, for instance EntityDefinitions(LogicalName='account')",
        }
        /// No column of this name or id among the definitions of its table.
        NoAttributeMetadata { name: String, entity: &'static str } => {
            id: "0x80040217", status: 404, class: "ObjectDoesNotExist",
            text: "Could not find an attribute with specified name: {name} for entity: {entity}.",
            fidelity: Inferred, source: "begins as public client code expects it; the rest, code and status are inferred",
            cause: "the table has no column of this logical name or metadata id, or it is of another type than the path's",
            change: "name the column by its logical name: a lookup is parentaccountid there, not _parentaccountid_value",
        }
        /// A function in a filter over definitions.
        MetadataFunction { name: &'static str } => {
            id: "0x8006088a", status: 501, class: "NotImplemented",
            text: "The \"{name}\" function isn't supported for Metadata Entities.",
            fidelity: Inferred, source: "code and status: captured answers; the text is inferred",
            cause: "definitions of tables and columns can be compared, and no function works on them",
            change: "compare with eq, or read all definitions and choose among them",
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
        DuplicateRecordEntityKey { key: &'static str, columns: String, entity: &'static str, attributes: String } => {
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
            id: "0x80060888", status: 404, class: "CrmHttpError",
            text: "Resource not found for the segment '{segment}'.",
            fidelity: Observed, source: "captured answers in public issues; names are compared with case",
            cause: "the organisation has no entity set of this name (names have letter case)",
            change: "use the entity set name, for instance accounts rather than account",
        }
        /// A function with the wrong verb, or one that is not there.
        NoHttpResource { uri: String } => {
            id: "404 without code", status: 404, class: "NotFound",
            text: "No HTTP resource was found that matches the request URI '{uri}'.",
            fidelity: Observed, source: "captured answers in public issues; the code on the wire is an empty text",
            cause: "the organisation has no function or action of this name (names have letter case), or it was called with the wrong verb",
            change: "call functions with GET and actions with POST, spelt as the Web API's reference has them",
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
            id: "0x80060888", status: 400, class: "CrmHttpError",
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
        /// A function of texts over something else.
        NoFunctionSignature { name: &'static str } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "No function signature for the function with name '{name}' matches the specified arguments. The function signatures considered are: {name}(Edm.String Nullable=true, Edm.String Nullable=true).",
            fidelity: Inferred, source: "Microsoft.OData.Core's message; its code here is inferred",
            cause: "$filter looks for a text in a column that holds none",
            change: "use contains, startswith and endswith on text columns; compare others",
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
        /// A query option that the lab has not.
        InvalidQueryOption => {
            id: "0x80040203", status: 400, class: "InvalidArgument",
            text: "Invalid argument.",
            fidelity: Inferred, source: "text from the error table; that it answers a query option, preference or header not built here is ours",
            cause: "the real product takes this query option, function, preference or header; this lab has it not, and does not pass over it",
            change: "use $select, $filter with comparisons only, $orderby, $top and $count",
        }
        /// A query option that nobody has.
        UnknownQueryOption { name: String } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "The query parameter '{name}' is not supported.",
            fidelity: Inferred, source: "Microsoft.AspNet.OData's message; its code here is inferred",
            cause: "the query has an option that begins with $ and that OData does not know",
            change: "spell the option as OData does; names have letter case",
        }
        /// Part of the Web API that the lab has not.
        NotImplemented => {
            id: "501", status: 501, class: "NotImplemented",
            text: "",
            fidelity: Inferred, source: STATUS_ONLY,
            cause: "the real product has this part of the Web API; this lab has it not",
            change: "use the entity sets of the service document, WhoAmI and RetrieveVersion",
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
        /// `@odata.bind` with an address that leads nowhere.
        UnparsedUrl { segment: String } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "URL was not parsed due to an ODataUnrecognizedPathException. Resource not found for the segment '{segment}' provided in the URL.",
            fidelity: Observed, source: "captured answers in public issues",
            cause: "the address in @odata.bind names no entity set: a table's name in place of the set's, a bare id, some text",
            change: "write \"/<entity set>(<id>)\", for instance /accounts(...) rather than /account(...)",
        }
        /// A status that its state does not have.
        InvalidStatus { status: i64, state: String, entity: &'static str, id: String } => {
            id: "0x80048408", status: 400, class: "InvalidStatusForState",
            text: "{status} is not a valid status code for state code {state} on {entity} with Id {id}.",
            fidelity: Observed, source: "captured answers in public issues",
            cause: "the statuscode belongs to another statecode than the one the row has or is given",
            change: "write statecode and a statuscode of it together, or statecode alone for its default",
        }
        /// A text that is too long for its column.
        StringLengthTooLong { column: &'static str, entity: &'static str, limit: u32 } => {
            id: "0x80044331", status: 400, class: "StringLengthTooLong",
            text: "A validation error occurred.  The length of the '{column}' attribute of the '{entity}' entity exceeded the maximum allowed length of '{limit}'.",
            fidelity: Observed, source: "captured answers in public tests; the columns' lengths are those of a new organisation",
            cause: "the text is longer than its column",
            change: "write a shorter text",
        }
        /// A choice that the column does not offer.
        NoSuchOption { column: &'static str, entity: &'static str, value: i64, accepted: String } => {
            id: "0x8004431a", status: 400, class: "PicklistValueOutOfRange",
            text: "A validation error occurred. The value {value} of '{column}' on record of type '{entity}' is outside the valid range. Accepted Values: {accepted}",
            fidelity: Observed, source: "captured answers in public issues; the options are those of a new organisation",
            cause: "the column does not offer this value",
            change: "write a value that the column offers",
        }
        /// A number outside its column's range.
        ValueOutOfRange { column: &'static str, entity: &'static str, value: i64 } => {
            id: "0x8004431a", status: 400, class: "PicklistValueOutOfRange",
            text: "A validation error occurred. The value {value} of '{column}' on record of type '{entity}' is outside the valid range.",
            fidelity: Inferred, source: "the words for a choice; that a number outside its range has them too is inferred",
            cause: "the number is outside the column's range",
            change: "write a number within the column's range",
        }
        /// A batch or change set with more requests than one may have.
        BatchTooLong { inner: BatchDefect } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "{inner}",
            fidelity: Observed, source: "the sentences as public issues show them; that 0x80060888 is their code is inferred",
            cause: "the batch has more than 1000 requests, those of its change sets counted",
            change: "send several batches",
        }
        /// A body that is no batch.
        BatchUnreadable { inner: BatchDefect } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "{inner}",
            fidelity: Inferred, source: "Microsoft.OData.Core's messages; their code and status here are inferred",
            cause: "the body of $batch does not have the form of OData's batches",
            change: "send multipart/mixed with parts of application/http, each with Content-Transfer-Encoding: binary and a request line such as GET /api/data/v9.2/accounts HTTP/1.1",
        }
        /// `$1` where no request has that id.
        ContentIdReference { id: String } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "Content-ID Reference: '{id}' does not exist in the batch context.",
            fidelity: Documented, source: "Microsoft Learn, Dataverse: Execute batch operations using the Web API (text and status); its code is inferred",
            cause: "a request names another by its Content-ID before it, or outside of its change set",
            change: "put the request that creates the row first, in the same change set, with that Content-ID",
        }
        /// The answer to a batch over the lab's budget.
        BatchAnswerTooLarge => {
            id: "0x8004418a", status: 413, class: "RequestLengthTooLarge",
            text: "Request message length is too large.",
            fidelity: Inferred, source: "the words for a request that is too large; that a batch whose answers are too large is told so is the lab's own limit",
            cause: "the answers to the batch have more than 16 MiB already",
            change: "ask for fewer rows or columns, or in several batches",
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
    /// A body that is no batch, in the row that is as sure of the words as we are.
    pub(crate) fn batch(inner: BatchDefect) -> Self {
        if inner.is_captured() { Self::BatchTooLong { inner } } else { Self::BatchUnreadable { inner } }
    }

    /// A body that is no row of the set, in the row that is as sure of the words as we are.
    pub(crate) fn payload(set: &'static str, inner: PayloadDefect) -> Self {
        if inner.is_captured() {
            Self::Payload { set, inner }
        } else {
            Self::UncapturedPayload { set, inner }
        }
    }
}
