//! What real organisations have and this lab has not: the names, in one place.
//!
//! Decides whether a name that is not built here is one of theirs. Such a request is refused and the exchange says so
//! (`trail.not_built`); a name that nobody has keeps the product's own error, and says nothing. Never decides the refusal.
//! Knows the tables of an organisation with the usual first-party solutions (by logical name, `not_built/tables.txt`), and
//! the functions, actions, options, preferences and headers of the Web API's reference.

/// What there is of tables, for a person.
pub(crate) const SETS_HERE: &str = "the entity sets of the service document";
/// What there is of functions and actions.
pub(crate) const FUNCTIONS_HERE: &str = "WhoAmI and RetrieveVersion";
/// What there is of query options.
pub(crate) const OPTIONS_HERE: &str =
    "$select, $filter, $orderby, $top, $count, $expand, $apply, fetchXml, savedQuery, userQuery";
/// What there is of queries that are XML.
pub(crate) const QUERIES_HERE: &str = "fetchXml, savedQuery and userQuery on a collection, $count=true beside them, with the elements fetch, entity, attribute, order, filter, condition and link-entity";
/// What there is of preferences.
pub(crate) const PREFERENCES_HERE: &str =
    "return=representation, odata.include-annotations, odata.maxpagesize, odata.continue-on-error";
/// What there is of paths.
pub(crate) const PATHS_HERE: &str =
    "<entity set>, <entity set>(<id or key>), its columns and navigation properties, $count, $ref";

/// Logical names, one a line.
const TABLES: &str = include_str!("not_built/tables.txt");

/// Entity sets that are not the plural of their table's name.
const ODD_SETS: &[&str] = &["principalobjectattributeaccessset", "lists"];

/// Parts of the Web API that are no entity sets, with what they are for.
const PARTS: &[&str] =
    &["GlobalOptionSetDefinitions", "ManagedPropertyDefinitions", "RelationshipDefinitions"];

/// Query options, lower case; those without `$` are Dataverse's own. Queries that are XML are built where rows are listed.
const OPTIONS: &[&str] = &[
    "$compute",
    "$deltatoken",
    "$format",
    "$search",
    "annotations",
    "fetchxml",
    "partitionid",
    "savedquery",
    "unmaskeddata",
    "userquery",
    "x-ms-file-name",
];

/// Preferences that the product honours.
const PREFERENCES: &[&str] = &["odata.track-changes", "respond-async"];

/// Headers that change what a request means. Harmless here, so let pass: `MSCRM.SuppressDuplicateDetection` (there are no
/// rules to find duplicates by), `MSCRM.BypassCustomPluginExecution` and its kin (there are no plug-ins),
/// `MSCRM.SolutionUniqueName` and `MSCRM.MergeLabels` (rows of data are in no solution and have no labels),
/// `MSCRM.SessionToken` and `Consistency` (whatever was written is read).
const HEADERS: &[&str] = &["x-ms-transfer-mode", "x-ms-file-name", "x-http-method", "x-http-method-override"];

/// Functions of `$filter` that Microsoft's library knows and `odata` does not.
const FILTER_FUNCTIONS: &[&str] = &[
    "all",
    "any",
    "fractionalseconds",
    "geo.distance",
    "geo.intersects",
    "geo.length",
    "time",
    "totaloffsetminutes",
    "totalseconds",
];

/// Query functions of the Web API's reference, without their prefix and with blanks between them.
const QUERY_FUNCTIONS: &str = "\
    Above AboveOrEqual ContainValues Contains DoesNotContainValues EqualBusinessId EqualRoleBusinessId \
    EqualUserId EqualUserLanguage EqualUserOrUserHierarchy EqualUserOrUserHierarchyAndTeams \
    EqualUserOrUserTeams EqualUserTeams InFiscalPeriod InFiscalPeriodAndYear InFiscalYear \
    InOrAfterFiscalPeriodAndYear InOrBeforeFiscalPeriodAndYear Last7Days LastFiscalPeriod LastFiscalYear \
    LastMonth LastWeek LastXFiscalPeriods LastXFiscalYears LastXMonths LastXWeeks LastXYears LastYear \
    Next7Days NextFiscalPeriod NextFiscalYear NextMonth NextWeek NextXDays NextXFiscalPeriods \
    NextXFiscalYears NextXHours NextXMonths NextXWeeks NextXYears NextYear NotEqualBusinessId \
    NotEqualUserId NotUnder OlderThanXDays OlderThanXHours OlderThanXMinutes OlderThanXMonths \
    OlderThanXWeeks OlderThanXYears On OnOrAfter OnOrBefore ThisFiscalPeriod ThisFiscalYear ThisMonth \
    ThisWeek ThisYear Tomorrow Under UnderOrEqual Yesterday";

/// Functions and actions, bound and unbound, without their prefix.
const OPERATIONS: &[&str] = &[
    "AddListMembersList",
    "AddMembersTeam",
    "AddPrincipalToQueue",
    "AddPrivilegesRole",
    "AddSolutionComponent",
    "AddToQueue",
    "AddUserToRecordTeam",
    "BulkDelete",
    "BulkDetectDuplicates",
    "CalculateRollupField",
    "CanBeReferenced",
    "CanBeReferencing",
    "CanManyToMany",
    "CheckIncomingRolePermission",
    "CloneAsPatch",
    "CloneAsSolution",
    "CloseIncident",
    "CloseOpportunity",
    "CommitAnnotationBlocksUpload",
    "CommitAttachmentBlocksUpload",
    "CommitFileBlocksUpload",
    "CreateCustomerRelationships",
    "CreateEntities",
    "CreateMultiple",
    "CreatePolymorphicLookupAttribute",
    "DeleteAndPromote",
    "DeleteFile",
    "DeleteMultiple",
    "DeleteOptionValue",
    "DownloadBlock",
    "ExecuteCosmosSqlQuery",
    "ExportSolution",
    "ExportSolutionAsync",
    "FormatAddress",
    "GetTimeZoneCodeByLocalizedName",
    "GetValidManyToMany",
    "GetValidReferencedEntities",
    "GetValidReferencingEntities",
    "GrantAccess",
    "ImportSolution",
    "ImportSolutionAsync",
    "InitializeAnnotationBlocksDownload",
    "InitializeAnnotationBlocksUpload",
    "InitializeAttachmentBlocksDownload",
    "InitializeAttachmentBlocksUpload",
    "InitializeFileBlocksDownload",
    "InitializeFileBlocksUpload",
    "InitializeFrom",
    "InsertOptionValue",
    "InsertStatusValue",
    "LoseOpportunity",
    "Merge",
    "ModifyAccess",
    "OrderOption",
    "PublishAllXml",
    "PublishXml",
    "QualifyLead",
    "QueryExpressionToFetchXml",
    "RemoveMembersTeam",
    "RemovePrivilegeRole",
    "RemoveSolutionComponent",
    "RetrieveAllEntities",
    "RetrieveAttributeChangeHistory",
    "RetrieveAvailableLanguages",
    "RetrieveAadUserRoles",
    "RetrieveCurrentOrganization",
    "RetrieveDuplicates",
    "RetrieveEntity",
    "RetrieveEntityChanges",
    "RetrieveFormXml",
    "RetrieveLocLabels",
    "RetrieveMetadataChanges",
    "RetrieveOrganizationInfo",
    "RetrievePrincipalAccess",
    "RetrievePrincipalAttributePrivileges",
    "RetrieveProvisionedLanguages",
    "RetrieveRecordChangeHistory",
    "RetrieveRolePrivilegesRole",
    "RetrieveSharedPrincipalsAndAccess",
    "RetrieveTimestamp",
    "RetrieveTotalRecordCount",
    "RetrieveUnpublished",
    "RetrieveUserPrivilegeByPrivilegeId",
    "RetrieveUserPrivilegeByPrivilegeName",
    "RetrieveUserPrivileges",
    "RetrieveUserSetOfPrivilegesByIds",
    "RetrieveUserSetOfPrivilegesByNames",
    "RevokeAccess",
    "Rollup",
    "SendEmail",
    "SetBusinessUnit",
    "StageSolution",
    "UpdateMultiple",
    "UpdateOptionValue",
    "UploadBlock",
    "UpsertMultiple",
    "WinOpportunity",
    "searchautocomplete",
    "searchquery",
    "searchstatistics",
    "searchstatus",
    "searchsuggest",
];

/// Properties of a table's definition, its relationships and keys included.
const ENTITY_PROPERTIES: &[&str] = &[
    "AllowExternalDataSourceConnection",
    "Attributes",
    "AutoArchivingEnabled",
    "CanBeInCustomEntityAssociation",
    "CanChangeHierarchicalRelationship",
    "CanChangeTrackingBeEnabled",
    "CanCreateCharts",
    "CanCreateForms",
    "CanCreateViews",
    "CanEnableSyncToExternalSearchIndex",
    "CanModifyAdditionalSettings",
    "CreatedOn",
    "DaysSinceRecordLastModified",
    "EnforceStateTransitions",
    "EntityColor",
    "EntityHelpUrl",
    "EntityHelpUrlEnabled",
    "HasActivities",
    "HasEmailAddresses",
    "HasFeedback",
    "HasNotes",
    "IconLargeName",
    "IconMediumName",
    "IconSmallName",
    "IconVectorName",
    "IntroducedVersion",
    "IsAIRUpdated",
    "IsArchivalEnabled",
    "IsAuditEnabled",
    "IsBusinessProcessEnabled",
    "IsConnectionsEnabled",
    "IsDocumentManagementEnabled",
    "IsDocumentRecommendationsEnabled",
    "IsDuplicateDetectionEnabled",
    "IsEnabledForExternalChannels",
    "IsEnabledForTrace",
    "IsInteractionCentricEnabled",
    "IsKnowledgeManagementEnabled",
    "IsMSTeamsIntegrationEnabled",
    "IsMailMergeEnabled",
    "IsMappable",
    "IsOfflineInMobileClient",
    "IsOneNoteIntegrationEnabled",
    "IsQuickCreateEnabled",
    "IsReadOnlyInMobileClient",
    "IsReadingPaneEnabled",
    "IsRetentionEnabled",
    "IsRetrieveAuditEnabled",
    "IsRetrieveMultipleAuditEnabled",
    "IsSLAEnabled",
    "IsSolutionAware",
    "IsValidForQueue",
    "IsVisibleInMobile",
    "IsVisibleInMobileClient",
    "Keys",
    "ManyToManyRelationships",
    "ManyToOneRelationships",
    "MobileOfflineFilters",
    "ModifiedOn",
    "OneToManyRelationships",
    "OwnerId",
    "OwnerIdType",
    "OwningBusinessUnit",
    "Privileges",
    "ReportViewName",
    "SettingOf",
    "Settings",
    "SyncToExternalSearchIndex",
    "UsesBusinessDataLabelTable",
];

/// Properties of a column's definition.
const ATTRIBUTE_PROPERTIES: &[&str] = &[
    "AutoNumberFormat",
    "CalculationOf",
    "CanChangeDateTimeBehavior",
    "CanModifyAdditionalSettings",
    "ChildPicklistLogicalNames",
    "ColumnNumber",
    "CreatedOn",
    "DeprecatedVersion",
    "FormulaDefinition",
    "GlobalOptionSet",
    "InheritsFrom",
    "IntroducedVersion",
    "IsAuditEnabled",
    "IsDataSourceSecret",
    "IsEntityReferenceStored",
    "IsGlobalFilterEnabled",
    "IsSortableEnabled",
    "ModifiedOn",
    "OptionSet",
    "ParentPicklistLogicalName",
    "Settings",
    "SourceTypeMask",
    "YomiOf",
];

/// A property of a table's definition.
pub(crate) fn entity_property(name: &str) -> bool {
    ENTITY_PROPERTIES.contains(&name)
}

/// A property of a column's definition.
pub(crate) fn attribute_property(name: &str) -> bool {
    ATTRIBUTE_PROPERTIES.contains(&name)
}

/// A table of the real product by its logical name.
pub(crate) fn table(logical: &str) -> bool {
    TABLES.lines().any(|name| name == logical)
}

/// What there is of definitions.
pub(crate) const DEFINITIONS_HERE: &str = "reading EntityDefinitions, their Attributes, casts of them and OptionSet, with $select, $filter without functions, and $expand of these";

/// The prefix of the Web API's own names.
pub(crate) const PREFIX: &str = "Microsoft.Dynamics.CRM.";

/// A table of the real product by its entity set.
pub(crate) fn entity_set(set: &str) -> Option<&'static str> {
    if let Some(odd) = ODD_SETS.iter().find(|odd| **odd == set) {
        return Some(odd);
    }
    TABLES.lines().find(|logical| is_set_of(set, logical))
}

/// Whether a set is called as a table's set is.
fn is_set_of(set: &str, logical: &str) -> bool {
    set == crate::tables::set_of(logical)
}

/// A part of the Web API that is no entity set.
pub(crate) fn part(name: &str) -> bool {
    PARTS.contains(&name)
}

/// A query option.
pub(crate) fn option(name: &str) -> bool {
    OPTIONS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A preference, by its name in lower case.
pub(crate) fn preference(name: &str) -> bool {
    let bare = |name: &str| name.strip_prefix("odata.").unwrap_or(name).to_owned();
    PREFERENCES.iter().any(|known| bare(known) == bare(name))
}

/// A header of the request that would change its meaning.
pub(crate) fn header(headers: &http::HeaderMap) -> Option<&'static str> {
    HEADERS.iter().copied().find(|name| headers.contains_key(*name))
}

/// A function of `$filter`.
pub(crate) fn filter_function(name: &str) -> bool {
    let known = |short: &str| QUERY_FUNCTIONS.split(' ').any(|known| known == short);
    name.strip_prefix(PREFIX).map_or_else(|| FILTER_FUNCTIONS.contains(&name), known)
}

/// A function or action, with or without its prefix.
pub(crate) fn operation(name: &str) -> bool {
    OPERATIONS.contains(&name.strip_prefix(PREFIX).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables;

    #[test]
    fn a_set_is_called_as_the_product_calls_it() {
        for (set, logical) in [
            ("leads", "lead"),
            ("opportunities", "opportunity"),
            ("msdyn_parties", "msdyn_party"),
            ("surveys", "survey"),
            ("faxes", "fax"),
        ] {
            assert!(is_set_of(set, logical), "{set}");
        }
        for (set, logical) in
            [("lead", "lead"), ("opportunitys", "opportunity"), ("Leads", "lead"), ("faxs", "fax")]
        {
            assert!(!is_set_of(set, logical), "{set}");
        }
        assert!(entity_set("principalobjectattributeaccessset").is_some() && entity_set("leadz").is_none());
    }

    #[test]
    fn nothing_is_said_not_to_be_built_that_is() {
        for table in tables::built_in().tables() {
            assert!(entity_set(table.set()).is_none(), "{}", table.set());
        }
        for name in ["WhoAmI", "RetrieveVersion"] {
            assert!(!operation(name), "{name}");
        }
    }

    #[test]
    fn every_list_is_without_repetition() {
        let mut tables: Vec<&str> = TABLES.lines().collect();
        let count = tables.len();
        tables.dedup();
        assert_eq!(tables.len(), count);
        assert!(tables.is_sorted());
    }
}
