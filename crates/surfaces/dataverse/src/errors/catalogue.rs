//! The error catalogue of the Web API, one row per refusal.
//!
//! Texts marked observed were captured from the product, documented ones are printed in Microsoft's documentation
//! ("Web service error codes", "Compose HTTP requests and handle errors"). An identifier that is an HTTP status stands for
//! an answer whose body the product's documentation does not give; its body stays empty.

use super::{BatchDefect, FetchDefect, PayloadDefect};

const ERROR_CODES: &str = "Microsoft Learn, Dataverse: Web service error codes";
const ERROR_CODES_STATUS_INFERRED: &str =
    "Microsoft Learn, Dataverse: Web service error codes (text); HTTP status inferred from the error's class";
const CONDITIONAL: &str = "Microsoft Learn, Dataverse: Perform conditional operations using the Web API";
const FETCH_CLIENTS: &str =
    "public client code that reads queries as the service does; that it is the service's own is inferred";
const FETCH_PUBLIC: &str =
    "the sentence as public code shows it; that it answers this, and the status, are inferred";
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
        UserNotAssignedRoles { user: String, privilege: Box<str> } => {
            id: "0x80042f09", status: 403, class: "UserNotAssignedRoles",
            text: "RetrievePrivilegeForUser: The user with id {user} has not been assigned any roles. They need a role with the {privilege} privilege.",
            fidelity: Observed, source: "captured answers in public issues; the privilege is the one that was asked for",
            cause: "the application user holds no security role",
            change: "Application users > Edit security roles: assign a security role to the application user",
        }
        /// A privilege is missing.
        PrivilegeDenied {
            user: Box<str>, role_count: u16, privilege_count: u16, object_id: Box<str>, known: u16,
            business_unit: Box<str>, privilege: Box<str>, privilege_id: Box<str>, type_code: u32,
            entity: Box<str>, label: Box<str>,
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
            business_unit: Box<str>, privilege: Box<str>, privilege_id: Box<str>, type_code: u32,
            entity: Box<str>, label: Box<str>,
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
            business_unit: Box<str>, privilege: Box<str>, privilege_id: Box<str>, type_code: u32,
            entity: Box<str>, label: Box<str>,
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
            business_unit: Box<str>, privilege: Box<str>, privilege_id: Box<str>,
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
        ObjectDoesNotExist { entity: Box<str>, id: String } => {
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
        NoAttributeMetadata { name: String, entity: Box<str> } => {
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
        RecordNotFoundByEntityKey { entity: Box<str> } => {
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
        DuplicateRecordEntityKey { key: Box<str>, columns: String, entity: Box<str>, attributes: String } => {
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
        PropertyNotFound { property: String, entity: Box<str> } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "Could not find a property named '{property}' on type 'Microsoft.Dynamics.CRM.{entity}'.",
            fidelity: Observed, source: "captured answers in public issues",
            cause: "a query option names a column that the table does not have",
            change: "use the column's logical name; a lookup is _<name>_value",
        }
        /// A query option that cannot be read, in the words of the library that reads it.
        QueryOption { sentence: String } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "{sentence}",
            fidelity: Inferred, source: "the sentences are Microsoft.OData.Core's (8.4), several of them captured; that each has this code is inferred from those",
            cause: "a query option does not follow the OData grammar, or names or compares what does not fit",
            change: "the sentence says what is wrong where; text stands in single quotes, numbers and ids stand without",
        }
        /// More conditions than a query may have.
        TooManyConditionsInQuery => {
            id: "0x8004430c", status: 400, class: "TooManyConditionsInQuery",
            text: "Number of conditions in query exceeded maximum limit.",
            fidelity: Documented, source: "Microsoft Learn, Dataverse: Filter rows using OData, condition limits; HTTP status inferred from the error's class",
            cause: "$filter has more than 500 comparisons",
            change: "ask in several requests, or with fewer comparisons",
        }
        /// More rows than are aggregated.
        AggregateQueryRecordLimit => {
            id: "0x8004e023", status: 400, class: "AggregateQueryRecordLimitExceeded",
            text: "The maximum record limit is exceeded. Reduce the number of records.",
            fidelity: Documented, source: "Microsoft Learn, Dataverse: Web service error codes; Aggregate data, limitations; HTTP status inferred from the error's class, and so is that joins and expansions are answered with it",
            cause: "$apply or an aggregate FetchXML query looks at more than 50,000 rows, or a join or an expansion multiplies to more than one answer has",
            change: "aggregate fewer rows: filter first; join or expand less at a time",
        }
        /// An empty query.
        FetchEmpty => {
            id: "0x80040203", status: 400, class: "InvalidArgument",
            text: "Expected non-empty string.",
            fidelity: Inferred, source: FETCH_CLIENTS,
            cause: "the query option fetchXml is empty, or the saved query has no FetchXML",
            change: "write the query, percent-encoded: fetchXml=%3Cfetch%3E...",
        }
        /// A query that is no XML.
        FetchInvalidXml => {
            id: "0x80040201", status: 400, class: "InvalidXml",
            text: "Invalid XML.",
            fidelity: Inferred, source: FETCH_CLIENTS,
            cause: "the query is no well-formed XML, has a document type, or is larger or deeper than one that is read (64 KiB, 24 levels)",
            change: "send one element <fetch>; escape & and < in values, and percent-encode the whole",
        }
        /// A query without table.
        FetchNoEntity => {
            id: "0x80041102", status: 400, class: "QueryBuilderNoEntity",
            text: "Entity Name was not specified in FetchXml String.",
            fidelity: Inferred, source: FETCH_CLIENTS,
            cause: "the query is not <fetch> with one <entity name=..> in it",
            change: "write <fetch><entity name='account'>...</entity></fetch>",
        }
        /// A table that is not there.
        FetchUnknownEntity { name: String } => {
            id: "0x80041102", status: 400, class: "QueryBuilderNoEntity",
            text: "The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache.",
            fidelity: Observed, source: "captured answers in public tests and issues; what follows there about the cache is left out",
            cause: "the query names a table that the organisation does not have",
            change: "use the logical name: singular, lower case",
        }
        /// A column that is not there.
        FetchUnknownAttribute { entity: Box<str>, attribute: String } => {
            id: "0x80041103", status: 400, class: "QueryBuilderNoAttribute",
            text: "'{entity}' entity doesn't contain attribute with Name = '{attribute}' and NameMapping = 'Logical' (look up attribute by name is case-sensitive).",
            fidelity: Observed, source: "a captured answer of 2026 to ?fetchXml=; the place in the cache that follows there is left out",
            cause: "the query names a column that the table does not have",
            change: "use the logical name: lower case, a lookup as primarycontactid and not _primarycontactid_value",
        }
        /// The query is of another table than the path.
        FetchOtherEntity { entity: String, set: Box<str> } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "The entity '{entity}' of the query does not match the entity set '{set}'.",
            fidelity: Inferred, source: "that both have to be of one table: Microsoft Learn, Dataverse: Page results using FetchXml; code and text are inferred",
            cause: "the entity element names another table than the entity set of the path",
            change: "ask the entity set of the table that the entity element names",
        }
        /// An element where none of its name may be.
        FetchChildNode { valid: &'static str, node: String, xml: String } => {
            id: "0x8004111c", status: 400, class: "QueryBuilderInvalidFetchChild",
            text: "Invalid Child Node, valid nodes are {valid}. NodeName = {node} NodeXml = {xml}",
            fidelity: Inferred, source: "public client code that checks queries as the service does has it for children of entity; for others it is inferred",
            cause: "the query has an element where none of this name may be",
            change: "use the elements of the FetchXML reference, spelt as there",
        }
        /// An attribute of an aggregate without a name.
        FetchNoAlias { xml: String } => {
            id: "0x8004110b", status: 400, class: "QueryBuilderNoAlias",
            text: "An alias must be specified for every attribute in an aggregate query. NodeXml: {xml}",
            fidelity: Inferred, source: FETCH_PUBLIC,
            cause: "the query aggregates, and an attribute in it has no alias",
            change: "give every attribute an alias",
        }
        /// An attribute that is neither aggregated nor grouped by.
        FetchAttributeWithAggregate { xml: String } => {
            id: "0x80041107", status: 400, class: "QueryBuilderAttribute_With_Aggregate",
            text: "An attribute can not be requested when an aggregate operation has been specified and its neither groupby nor aggregate.  NodeXml : {xml}",
            fidelity: Inferred, source: FETCH_PUBLIC,
            cause: "the query aggregates, and an attribute in it is neither aggregated nor grouped by",
            change: "give every attribute aggregate='..' or groupby='true'",
        }
        /// A name that is none.
        FetchInvalidAlias { alias: String } => {
            id: "0x80041109", status: 400, class: "QueryBuilderInvalid_Alias",
            text: "Invalid character specified for alias: {alias}. Only characters within the ranges [A-Z], [a-z] or [0-9] or _ are allowed.  The first character may only be in the ranges [A-Z], [a-z] or _.",
            fidelity: Inferred, source: FETCH_PUBLIC,
            cause: "an alias has other characters than letters, digits and underscores",
            change: "name it with these",
        }
        /// A name that two things have.
        DuplicateAlias { alias: String } => {
            id: "0x80041130", status: 400, class: "QueryBuilderDuplicateAlias",
            text: "{alias} is not a unique alias. It clashes with an autogenerated alias or user provided alias",
            fidelity: Documented, source: "Microsoft Learn, Dataverse: Select columns using QueryExpression (text and code); status, and that FetchXML and $apply answer with it, are inferred",
            cause: "the query calls two values of its rows, or two of its tables, by one name; the key of the table comes with its rows",
            change: "give each an alias of its own",
        }
        /// A table that no link-entity joins.
        FetchUnknownAlias { alias: String } => {
            id: "0x8004110a", status: 400, class: "QueryBuilderAlias_Does_Not_Exist",
            text: "Link entity with name or alias {alias} is not found",
            fidelity: Inferred, source: "text: Microsoft Learn, troubleshooting of personal view filters; code and status are inferred",
            cause: "an entityname or an order's alias names nothing that the query has",
            change: "write the alias that the link-entity or the attribute has",
        }
        /// `top` with what pages.
        FetchTopWithPaging { attribute: &'static str } => {
            id: "0x80040203", status: 400, class: "InvalidArgument",
            text: "The top attribute can't be specified with paging attribute {attribute}",
            fidelity: Observed, source: "captured answers in public issues, of page and returntotalrecordcount",
            cause: "the query has top, and a count, a page, or $count=true beside it",
            change: "leave top out and write count='..' for the size of a page",
        }
        /// What does not fit together.
        FetchArgument { inner: FetchDefect } => {
            id: "0x80040203", status: 400, class: "InvalidArgument",
            text: "{inner}",
            fidelity: Inferred, source: "the sentences are those public test doubles of the product's SDK have; that each answers this, and its code, are inferred",
            cause: "a value of the query is not what its column, its operator or its element takes",
            change: "the sentence says what is wrong with which attribute",
        }
        /// More joins than a query may have.
        TooManyLinkEntitiesInQuery => {
            id: "0x8004430d", status: 400, class: "TooManyLinkEntitiesInQuery",
            text: "Number of link entities in query exceeded maximum limit.",
            fidelity: Documented, source: "Microsoft Learn, Dataverse: Join tables using FetchXml, limitations; HTTP status inferred from the error's class",
            cause: "the query has more than 15 link-entity elements",
            change: "ask in several requests",
        }
        /// A query option beside a query that is XML.
        OptionBesideQuery { name: String } => {
            id: "0x80060888", status: 400, class: "CrmHttpError",
            text: "The query parameter {name} is not supported",
            fidelity: Inferred, source: "the words of a captured answer for a parameter that is not taken; that an option beside fetchXml, savedQuery or userQuery is answered so is inferred",
            cause: "the request has fetchXml, savedQuery or userQuery, and beside it an option that would ask something else",
            change: "say in the FetchXML what the option says; only $count=true may stand beside it",
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
        Payload { set: Box<str>, inner: PayloadDefect } => {
            id: "0x80048d19", status: 400, class: "ODataClientPayloadError",
            text: "Error identified in Payload provided by the user for Entity :'{set}', For more information on this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {inner}",
            fidelity: Observed, source: "captured answers in public issues; the stack trace that follows there is left out",
            cause: "the body is not a JSON object with values of the columns' types",
            change: "send one JSON object whose values have the columns' types",
        }
        /// The same where the inner exception was not captured.
        UncapturedPayload { set: Box<str>, inner: PayloadDefect } => {
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
        /// A row that other rows keep.
        CannotDeleteDueToAssociation => {
            id: "0x80040227", status: 405, class: "CannotDeleteDueToAssociation",
            text: "The object you tried to delete is associated with another object and cannot be deleted.",
            fidelity: Documented, source: "Microsoft Learn, Dataverse: Web service error codes; the status is that of Compose HTTP requests and handle errors",
            cause: "rows of another table lead to this one, and their relationship restricts its deletion",
            change: "delete those rows first, or change what their lookup leads to",
        }
        /// An account would stand above itself.
        AccountLoopBeingCreated => {
            id: "0x80040507", status: 400, class: "AccountLoopBeingCreated",
            text: "Creating this parental association would create a loop in Accounts hierarchy.",
            fidelity: Documented, source: ERROR_CODES_STATUS_INFERRED,
            cause: "the account that parentaccountid names is the account itself, or one below it",
            change: "choose another parent, or take the link out that closes the circle first",
        }
        /// A contact would stand above itself.
        ContactLoopBeingCreated => {
            id: "0x8004050a", status: 400, class: "ContactLoopBeingCreated",
            text: "Creating this parental association would create a loop in Contacts hierarchy.",
            fidelity: Documented, source: ERROR_CODES_STATUS_INFERRED,
            cause: "the contact that parentcustomerid names is the contact itself, or one below it",
            change: "choose another parent, or take the link out that closes the circle first",
        }
        /// A status that its state does not have.
        InvalidStatus { status: i64, state: String, entity: Box<str>, id: String } => {
            id: "0x80048408", status: 400, class: "InvalidStatusForState",
            text: "{status} is not a valid status code for state code {state} on {entity} with Id {id}.",
            fidelity: Observed, source: "captured answers in public issues",
            cause: "the statuscode belongs to another statecode than the one the row has or is given",
            change: "write statecode and a statuscode of it together, or statecode alone for its default",
        }
        /// A text that is too long for its column.
        StringLengthTooLong { column: Box<str>, entity: Box<str>, limit: u32 } => {
            id: "0x80044331", status: 400, class: "StringLengthTooLong",
            text: "A validation error occurred.  The length of the '{column}' attribute of the '{entity}' entity exceeded the maximum allowed length of '{limit}'.",
            fidelity: Observed, source: "captured answers in public tests; the columns' lengths are those of a new organisation",
            cause: "the text is longer than its column",
            change: "write a shorter text",
        }
        /// A choice that the column does not offer.
        NoSuchOption { column: Box<str>, entity: Box<str>, value: i64, accepted: String } => {
            id: "0x8004431a", status: 400, class: "PicklistValueOutOfRange",
            text: "A validation error occurred. The value {value} of '{column}' on record of type '{entity}' is outside the valid range. Accepted Values: {accepted}",
            fidelity: Observed, source: "captured answers in public issues; the options are those of a new organisation",
            cause: "the column does not offer this value",
            change: "write a value that the column offers",
        }
        /// A number outside its column's range, or null where a column always has a value.
        ValueOutOfRange { column: Box<str>, entity: Box<str>, value: String } => {
            id: "0x8004431a", status: 400, class: "PicklistValueOutOfRange",
            text: "A validation error occurred. The value {value} of '{column}' on record of type '{entity}' is outside the valid range.",
            fidelity: Inferred, source: "the words for a choice; that a number outside its range, and null where rows always have a value, have them too is inferred",
            cause: "the number is outside the column's range, or null stands where the column is never empty: a state, a status, an owner",
            change: "write a number within the column's range; leave a column that is never empty out, or give it another value",
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
