//! What the product has and this lab has not: entity sets, links, places and query options, by their names.
//!
//! Decides what is told of a request for one of them, never the answer: that is the product's own for what it cannot do. The
//! names are a part of the product's (its whole `$metadata` lists thousands); what is in no table here is taken for a
//! mistake of whoever asks.

use super::{Entity, NAMESPACE};

/// What stands below `/data` here instead.
const SETS_HERE: &str = "CustomersV3 (read and written), CustomerGroups, LegalEntities, Currencies (read)";
/// What is said of every place beside `/data`.
const DATA_HERE: &str = "OData below /data";

/// Places outside `/data` by how they begin, in lower case.
const PLACES: &[(&str, &str)] = &[
    ("/api/services", "custom services (/api/services)"),
    ("/api/connector", "recurring integrations (/api/connector)"),
    ("/soap/services", "custom services over SOAP (/soap/services)"),
    ("/metadata", "the metadata service (/metadata)"),
];

/// Query options that OData has, with what stands for them here.
const OPTIONS: &[(&str, &str)] = &[
    ("$apply", "$filter, $count"),
    ("$compute", "$filter, $select"),
    ("$deltatoken", "@odata.nextLink with $skip"),
    ("$expand", "one entity set at a time"),
    ("$format", "$format=json, and Accept"),
    ("$index", "$orderby, $skip"),
    ("$levels", "one entity set at a time"),
    ("$schemaversion", "no $metadata"),
    ("$search", "$filter, with * in a text of eq"),
    ("$skiptoken", "@odata.nextLink with $skip"),
];

/// Words of `$filter` that the product takes and this lab does not.
const OPERATORS: &[&str] = &["add", "sub", "mul", "div", "mod"];

/// Entity sets.
const SETS: &[&str] = &[
    "AddressCountryRegions",
    "AddressStates",
    "AllProducts",
    "AllocationRuleDestinations",
    "AssetJournalHeaders",
    "AssetJournalLines",
    "AssetJournalV2",
    "AssetLeaseLedgerJournalHeaders",
    "AssetLeaseLedgerJournalLines",
    "AssetMaintenanceWorkOrderLineProductJournals",
    "AssetMaintenanceWorkOrderParentProjectsV2",
    "AssetMaintenanceWorkOrderTablesV2",
    "BankAccounts",
    "BarcodeSetups",
    "BenefitPlans",
    "BillOfMaterialsLinesV2",
    "BillOfMaterialsLinesV3",
    "BillOfMaterialsVersionsV2",
    "BillOfMaterialsVersionsV3",
    "BillOfMaterialsVersionsV4",
    "BudgetRegisterEntries",
    "BudgetRegisterEntryLines",
    "BundleSalesInvoiceBundleParentLines",
    "BundleSalesInvoiceLines",
    "BundleSalesOrderConfirmationBundleParentLines",
    "BundleSalesOrderConfirmationLines",
    "CDSFreeTextInvoiceHeaders",
    "CDSReleasedDistinctProducts",
    "CDSSalesOrderLines",
    "CLMIntegrationPurchaseAgreementLines",
    "CLMIntegrationPurchaseAgreements",
    "CashFlowForecastExternalSourceEntries",
    "CatchWeightItemHandlingPolicies",
    "CatchWeightItemHandlingPoliciesV2",
    "CatchWeightTags",
    "CompFixedPlanTables",
    "CompVarPlanTables",
    "CompVarPlanTablesV2",
    "Companies",
    "CompensationFixedIncreaseBudgets",
    "CompensationGrids",
    "ConfigurationLedgers",
    "CostCalculationGroups",
    "CostConfigurationPriceListCostingVersions",
    "CostGroups",
    "CurrencyRevaluationAccountsV2",
    "CustomerAttachments",
    "CustomerAttachmentsV2",
    "CustomerPaymentJournalFees",
    "CustomerPaymentJournalLines",
    "CustomerPriorityClassificationGroup",
    "CustomerProductDescriptions",
    "CustomerProductDescriptionsV2",
    "CustomerRebateAndDeductionsGroupAssignments",
    "Customers",
    "CustomersV2",
    "CycleCountingWarehouseWorkLines",
    "CycleCountingWarehouseWorkLinesV2",
    "CycleCountingWarehouseWorkLinesV3",
    "D365SalesQuotationHeaders",
    "DVReleasedProducts",
    "DataManagementDefinitionGroups",
    "DataManagementEntities",
    "DimensionCombinations",
    "DimensionSets",
    "DiscussionGoals",
    "DistinctProducts",
    "DualWriteProjectConfigurations",
    "EmploymentContractors",
    "EngineeringChangeOrderProductFormulaByProducts",
    "EngineeringChangeOrderProductReleases",
    "ExceptionCodes",
    "ExchangeRates",
    "ExchangeRatesCDSEntity",
    "ExpenseJournalLines",
    "FiscalClassificationCodes",
    "FiscalPeriods",
    "FixedAssetBooksV2",
    "FixedAssetValueModels",
    "FormulaLinesV2",
    "FormulaVersions",
    "FreeTextInvoiceHeaders",
    "FreightBillDetails",
    "GSTReliefCategories",
    "GeneralLedgerCustInvoiceJournalLines",
    "InboundShipmentOrderLines",
    "InventCountingReasonCodePolicies",
    "InventoryPolicies",
    "InventoryReservationHierarchies",
    "InventoryTagCountingJournalLines",
    "ItemArrivalJournalHeadersV2",
    "ItemArrivalJournalLinesV2",
    "ItemBatchAttributes",
    "ItemBatches",
    "ItemCoverageSettings",
    "ItemPriceToleranceGroups",
    "JournalTrans",
    "LedgerAccountAliases",
    "LedgerEliminationRules",
    "LedgerJournalCDSLines",
    "LedgerJournalHeaders",
    "LedgerJournalHeadersCDS",
    "LedgerJournalLines",
    "LedgerReportingCurrencyAdjustmentJournalHeaders",
    "LedgerReportingCurrencyAdjustmentJournalLines",
    "Ledgers",
    "LegalEntityContacts",
    "LineDiscountProductGroups",
    "MainAccountBiEntities",
    "MainAccountCompanies",
    "MainAccounts",
    "MasterPlanningProductCoverageGroups",
    "Measurements",
    "MultilineDiscountProductGroups",
    "OnlineChannelV2s",
    "OnlineChannels",
    "OpenPurchaseLineDiscountJournalLines",
    "OpenPurchaseMultiLineDiscountJournalLines",
    "OpenPurchasePriceJournalLines",
    "OpenPurchasePriceJournalLinesV2",
    "OpenPurchaseTotalDiscountJournalLines",
    "OpenSalesLineDiscountJournalLines",
    "OpenSalesMultiLineDiscountJournalLines",
    "OpenSalesPostageDiscountJournalLines",
    "OpenSalesPriceJournalLines",
    "OpenSalesPriceJournalLinesV2",
    "OpenSalesTotalDiscountJournalLines",
    "OrderCommittedLicensePlateReservations",
    "OutboundShipmentOrderLines",
    "PayIntV1CompVarPlanTables",
    "PaymentTerms",
    "PeriodChargeRuleCustomers",
    "PeriodChargeRuleLineCustomers",
    "PlannedOrders",
    "ProductAllocationLines",
    "ProductAllocationLinesV2",
    "ProductApprovedVendors",
    "ProductAttributeValuesV2",
    "ProductAttributeValuesV3",
    "ProductBarcodeAssociations",
    "ProductBarcodes",
    "ProductBarcodesV3",
    "ProductColors",
    "ProductDefaultOrderSettings",
    "ProductGroups",
    "ProductLifecycleStates",
    "ProductSizes",
    "ProductSpecificOrderSettingsV2",
    "ProductSpecificOrderSettingsV3",
    "ProductStyles",
    "ProductTranslations",
    "ProductVersions",
    "ProductionOrderHeaders",
    "ProductionPickingListJournalEntries",
    "ProductionPools",
    "ProductsV2",
    "ProjectCategoryEntities",
    "ProjectEmplForecasts",
    "ProjectExpenseForecasts",
    "ProjectFeeForecasts",
    "Prospects",
    "PurchaseAgreementConfirmationLines",
    "PurchaseAgreementLines",
    "PurchaseAgreements",
    "PurchaseOrderConfirmationHeaders",
    "PurchaseOrderConfirmationLines",
    "PurchaseOrderHeaderCharges",
    "PurchaseOrderHeadersV2",
    "PurchaseOrderLineChargesV2",
    "PurchaseOrderResponseHeaders",
    "PurchaseOrderResponseLines",
    "QualityOrderHeaders",
    "RAssetJournalHeaders",
    "RAssetJournalLines",
    "RebateAndDeductionAgreementHeaders",
    "RecSetupBases",
    "Registrations",
    "RegulatoryEstablishmentDetails",
    "ReleasedDistinctProducts",
    "ReleasedDistinctProductsV2",
    "ReleasedEngineeringProductVersions",
    "ReleasedProductDocumentAttachments",
    "ReleasedProductReadinessChecks",
    "ReleasedProductRebateAndDeductionsGroupAssignments",
    "ReleasedProductsV2",
    "ReportAsFinishedProductionJournalEntries",
    "RetailCallCenters",
    "RetailCatalogInternalOrganizationProductAttributeValues2",
    "RetailChannelProfileProperties",
    "RetailDeliveryModeProductLines",
    "RetailInternalOrganizationProductAttributeValues2",
    "RetailItemLabels",
    "RetailItemLabelsToPrint",
    "RetailPackageLines",
    "RetailStores",
    "SalesAgreementConfirmationLines",
    "SalesAgreementConfirmations",
    "SalesAgreementLines",
    "SalesAgreements",
    "SalesAutomaticSalesDocumentHeaderTaxCharges",
    "SalesOrderHeaderDocumentAttachmentsV2",
    "SalesOrderHeaders",
    "SalesOrderHeadersV2",
    "SalesOrderHeadersV3",
    "SalesOrderLineDocumentAttachmentsV2",
    "SalesOrderLines",
    "SalesOrderLinesV3",
    "Seasons",
    "SecurityGroups",
    "ServiceAccountingCodes",
    "ServiceAgreementLines",
    "ServiceOrderHeaders",
    "ShipmentPackingSlipJournalLines",
    "ShipmentReceiptJournalLines",
    "SupplementaryProductProductGroups",
    "SupplyForecastEntries",
    "SysAADClients",
    "SystemParameters",
    "SystemUsers",
    "TaxGroups",
    "TrackingDimensionGroups",
    "TradeAllowanceAgreementHeaders",
    "TradeAllowanceAgreementMerchandisingEventBillBackLines",
    "TradeAllowanceAgreementMerchandisingEventLumpSums",
    "TradeAllowanceAgreementMerchandisingEventProducts",
    "TradeAllowanceAgreementMerchandisingEventProductsV2",
    "TradeAllowanceAgreementProducts",
    "TradeAllowanceAgreementProductsV2",
    "TransferPrices",
    "TransportationAppointments",
    "UnitsOfMeasure",
    "VATNumTables",
    "VariableCompensationAwards",
    "VendInvoiceJournalLines",
    "VendInvoicePriceTolerances",
    "VendInvoiceRegisterLines",
    "VendPaymModeBankAccounts",
    "VendorBankAccounts",
    "VendorDocumentAttachments",
    "VendorGroups",
    "VendorInvoiceHeaderCharges",
    "VendorOverUnderDeliveryToleranceGroups",
    "VendorPaymentJournalFees",
    "VendorPaymentJournalLines",
    "VendorProductDescriptions",
    "VendorProductDescriptionsV2",
    "VendorRebateAndDeductionsGroupAssignments",
    "Vendors",
    "VendorsV2",
    "VendorsV3",
    "WarehouseWorkPolicyProducts",
    "Warehouses",
    "WriteOffFinancialReasonsSetups",
];

/// Links of a customer.
pub(super) const CUSTOMERS_V3: &[&str] = &[
    "TransportationAppointments",
    "OpenSalesMultiLineDiscountJournalLine",
    "OpenSalesPriceJournalLine",
    "CustomerProductDescriptions",
    "SalesChargeCustomers",
    "OpenSalesPriceJournalLineV2",
    "OpenSalesTotalDiscountJournalLine",
    "OnlineChannelV2",
    "PeriodChargeRuleCustomers",
    "SalesAgreementConfirmationHeaders",
    "AssetBookV2CustomerAsset",
    "FreightBillDetails",
    "RebateAndDeductionsAgreementHeaders",
    "Warehouses",
    "QualityOrderHeaders",
    "SalesAgreementHeaders",
    "FreeTextInvoiceHeaderCustAccount",
    "FreeTextInvoiceHeaderInvoiceAccount",
    "CustomerAttachmentsV2Entity",
    "TradeAllowanceAgreementMerchandisingEventLumpSums",
    "OpenSalesLineDiscountJournalLine",
    "AssetMaintenanceWorkOrderParentProjectsV2",
    "CustomerAttachmentsEntity",
    "RetailCallCenter",
    "D365SalesQuotationHeader",
    "TradeAllowanceAgreementCustomers",
    "ValueModelCustomer",
    "ServiceOrderHeaders",
    "OnlineChannel",
    "WriteOffFinancialReasonsSetup",
    "CustomerPriorityClassificationGroupEntity",
    "DimensionSet",
    "CustomerProductDescriptionsV2",
    "CustomerRebateAndDeductionsGroupAssignments",
    "CDSFreeTextInvoiceHeaders",
    "OpenSalesPostageDiscountJournalLine",
    "RetailStore",
    "BillingCustomer_MaintenanceWorkOrderHeaders",
];

/// Links of a customer group.
pub(super) const CUSTOMER_GROUPS: &[&str] = &["Prospects", "DimensionSet"];

/// Links of a legal entity.
pub(super) const LEGAL_ENTITIES: &[&str] = &[
    "EstablishmentDetails",
    "LedgerReportingCurrencyAdjustmentJournalLineCompany",
    "LedgerReportingCurrencyAdjustmentJournalLine",
    "LedgerJournalLineCDSCompany",
    "LedgerJournalLineCDSOffsetCompany",
    "LedgerJournalCDSLine",
    "OMLegalEntityLegalEntity",
    "LedgerJournalHeader",
    "LedgerJournalHeaderCDS",
    "LegalEntityContacts",
    "LedgerJournalLineCompany",
    "LedgerJournalLineOffsetCompany",
    "JournalTrans",
    "ProjectEmplForecast",
    "ProjectExpenseForecast",
    "AllocationRuleDestination",
    "RAssetJournalHeader",
    "LedgerJournalLineEntityCompany",
    "LedgerJournalLineEntityOffsetCompany",
    "LedgerJournalLine",
    "LedgerEliminationRule",
    "AssetJournalHeader",
    "RAssetJournalLine",
    "ExpenseJournalLine",
    "AssetJournalV2Entity",
    "MainAccountCompany",
    "AssetJournalLine",
    "LedgerAccountAlias",
    "ProjectFeeForecast",
    "LedgerReportingCurrencyAdjustmentJournalHeader",
    "TaxVATNumsForImportVATNum",
    "TaxVATNumsForVATNum",
];

/// Links of a currency.
pub(super) const CURRENCIES: &[&str] = &[
    "SupplyForecastEntries",
    "CustInvoiceJournalLineCurrency",
    "CurrencyRevaluationAccount",
    "LedgerReportingCurrencyAdjustmentJournalLineCurrency",
    "VendInvoiceJournalLineCurrency",
    "ProductAttributeValuesV3",
    "LedgerJournalLineCDSCurrency",
    "Prospects",
    "PayIntV1CompVarPlanTable",
    "PurchaseOrderLineCharges",
    "CashFLowExternalSourceEntryCurrencyCode",
    "LedgerJournalLineCurrency",
    "CustomerPaymentJournalLineCurrentyEntity",
    "BundleSalesOrderConfirmationBundleParentLines",
    "VendorPaymentJournalLine",
    "CompensationGrid",
    "PurchaseAgreementHeaders",
    "LedgerReportingCurrency",
    "LedgerAccountingCurrency",
    "SalesAgreementConfirmationHeaders",
    "RetailInternalOrganizationProductAttributeValue2",
    "CompVarPlanTableV2",
    "BundleSalesInvoiceLines",
    "VendInvoiceRegisterLineCurrency",
    "BudgetRegisterEntryLineCurrencyCode",
    "TransferPriceCurrency",
    "Measurement",
    "TradeAllowanceAgreementMerchandisingEventBillBackLines",
    "ExchangeRate",
    "ExchangeRateFromCurrencies",
    "CompensationFixedIncreaseBudgets",
    "LedgerJournalLineEntityCurrency",
    "PeriodChargeRuleLineCustomers",
    "SystemParameters",
    "BundleSalesInvoiceBundleParentLines",
    "ProductAttributeValues",
    "SalesAgreementHeaders",
    "FreeTextInvoiceHeaderCurrency",
    "PurchaseOrderHeaderCharges",
    "CompFixedPlanTables",
    "RAssetJournalLineCurrency",
    "CostConfigurationLedger",
    "ProjectExpenseJournalLineCurrency",
    "MainAccount",
    "VendorPaymentJournalFee",
    "InvoiceHeaderCharges",
    "VendorBankAccounts",
    "BudgetRegisterEntry",
    "TradeAllowanceAgreementHeaders",
    "CustomerPaymentJournalFee",
    "AssetJournalLineCurrency",
    "VariableCompensationAward",
    "BundleSalesOrderConfirmationLines",
    "RetailCatalogInternalOrganizationProductAttributeValue2",
    "ExchangeRateCDSEntity",
    "ExchangeRateCDSEntityFromCurrencies",
    "CDSFreeTextInvoiceHeaders",
    "CompVarPlanTable",
    "CLMIntegrationPurchaseAgreementHeaders",
    "BankAccount",
    "BenefitPlan",
];

/// What was asked for and is not built, and what is.
pub(crate) type NotBuilt = (String, &'static str);

/// What a path leads to in the product and not here.
pub(crate) fn place(path: &str) -> Option<NotBuilt> {
    let folded = path.to_ascii_lowercase();
    if let Some((_, what)) = PLACES.iter().find(|(begin, _)| folded.starts_with(begin)) {
        return Some(((*what).to_owned(), DATA_HERE));
    }
    if folded == "/" {
        return Some(("the client and its sign-in".to_owned(), DATA_HERE));
    }
    let mut segments = path.trim_start_matches('/').split('/');
    if !segments.next()?.eq_ignore_ascii_case("data") {
        return None;
    }
    let first = segments.next().unwrap_or_default();
    let (name, second) = (first.split(['(', '%']).next().unwrap_or_default(), segments.next());
    let operation =
        second.and_then(|name| name.strip_prefix(NAMESPACE)).is_some_and(|name| name.starts_with('.'));
    match name {
        "" => return Some(("the service document".to_owned(), SETS_HERE)),
        "$metadata" => return Some(("$metadata".to_owned(), SETS_HERE)),
        "$batch" => return Some(("$batch".to_owned(), "one request at a time")),
        _ => {}
    }
    let entity = Entity::find(name);
    if entity.is_none() && SETS.binary_search(&name).is_err() {
        return None;
    }
    match (second, entity) {
        (Some(_), _) if operation => Some((format!("actions of {name}"), SETS_HERE)),
        (None, None) => Some((format!("the entity set {name}"), SETS_HERE)),
        (Some(_), None) => Some((format!("what is below the entity set {name}"), SETS_HERE)),
        (Some(part), Some(entity)) => {
            let links = entity.links.contains(&part);
            let columns = entity.column(part).is_some();
            let known = links || columns || matches!(part, "$ref" | "$value");
            known.then(|| (format!("{name}/{part}"), "records and sets of them, /$count"))
        }
        (None, Some(_)) => None,
    }
}

/// What stands for a query option that OData has and this lab has not.
pub(crate) fn option(name: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|(known, _)| *known == name).map(|(_, built)| *built)
}

/// Whether a word of `$filter` is an operator of the product's.
pub(crate) fn operator(word: &str) -> bool {
    OPERATORS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_sets_are_in_order_and_none_of_them_is_built() {
        assert!(SETS.is_sorted());
        assert!(SETS.iter().all(|set| Entity::find(set).is_none()));
    }

    #[test]
    fn what_the_product_has_is_told_from_what_nobody_has() {
        let what = |path| place(path).map(|(what, _)| what);
        for (path, said) in [
            ("/data", "the service document"),
            ("/data/$metadata", "$metadata"),
            ("/data/VendorsV2", "the entity set VendorsV2"),
            ("/data/VendorsV2(dataAreaId='usmf',VendorAccountNumber='1')", "the entity set VendorsV2"),
            (
                "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetAzureWriteUrl",
                "actions of DataManagementDefinitionGroups",
            ),
            (
                "/data/Currencies('USD')/VendInvoiceJournalLineCurrency",
                "Currencies/VendInvoiceJournalLineCurrency",
            ),
            ("/data/Currencies('USD')/Name", "Currencies/Name"),
            ("/api/services/UserSessionService", "custom services (/api/services)"),
            ("/SOAP/services/x", "custom services over SOAP (/soap/services)"),
            ("/metadata/PublicEntities", "the metadata service (/metadata)"),
            ("/", "the client and its sign-in"),
        ] {
            assert_eq!(what(path).as_deref(), Some(said), "{path}");
        }
        for nobody in
            ["/data/Vendorsv2", "/data/customersv3", "/data/CustomersV3/Nope", "/data/CustomersV3", "/x"]
        {
            assert_eq!(what(nobody), None, "{nobody}");
        }
    }
}
