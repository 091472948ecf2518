//! The columns of the entities of this cut: every one the product has, with its type, in the order of the product's 2026
//! `$metadata`.
//!
//! Data alone: what a type means is `super::kind`'s, what a column names elsewhere an entity's own. The order is the
//! release's and differs between releases, so nobody should rely on it.

use super::kind::{Column, columns};

/// Customers.
pub(super) static CUSTOMERS_V3: &[Column] = columns! {
    dataAreaId: Text, CustomerAccount: Text, AddressBrazilianCNPJOrCPF: Text, PartyType: Text,
    PrimaryContactFaxExtension: Text, IsFuelSurchargeApplied: NoYes, SalesTaxGroup: Text, AddressCountryRegionId:
    Text, ContactPersonId: Text, CustomerPaymentFineCode: Text, BirthCountyCode: Text, InvoiceAddress:
    InvoiceOrderAccount, PackingMaterialFeeLicenseNumber: Text, TransactionPresenceType: EFDocPresenceType_BR,
    PrimaryContactTwitter: Text, PrimaryContactEmailIsIM: NoYes, InvoiceAddressCity: Text, IsFinalUser: NoYes,
    PrimaryContactEmail: Text, DeliveryAddressCounty: Text, HasSuframaDiscountPISandCOFINS: NoYes,
    InvoiceAddressStreet: Text, CURPNumber: Text, PrimaryContactLinkedInDescription: Text,
    DeliveryAddressCountryRegionId: Text, ItemCustomerGroupId: Text, PersonProfessionalTitle: Text, SalesSegmentId:
    Text, IsServiceDeliveryAddressBased: NoYes, PrimaryContactTelexDescription: Text, InvoiceAddressDistrictName:
    Text, InvoiceAddressTimeZone: Timezone, SalesAccountNumber: Text, PrimaryContactFacebookDescription: Text,
    PrimaryContactPhoneIsMobile: NoYes, PrimaryContactFaxRecordId: Int64, TCSGroup: Text, DeliveryAddressLocationId:
    Text, InterCompanyAutoCreateOrders: NoYes, AddressZipCode: Text, GiroTypeProjInvoice: PaymentStub,
    LineOfBusinessId: Text, OrganizationPhoneticName: Text, CreditCardCVC: CreditCardCVC,
    DeliveryAddressCountryRegionISOCode: Text, DeliveryAddressValidFrom: DateTime, GiroTypeAccountStatement:
    PaymentStub, CalculateWithholdingTax: NoYes, ElectronicInvoiceEAN: Text, DeliveryFreightZone: Text,
    PrimaryContactFax: Text, TaxExemptNumber: Text, DeliveryAddressDescription: Text, DeliveryAddressLongitude: Real,
    BirthPlace: Text, AddressCity: Text, PersonInitials: Text, DefaultECommerceOperator: Text, CentralBankPurposeCode:
    Text, GiroTypeCollectionletter: PaymentStub, FullPrimaryAddress: Text, OrderEntryDeadline: Text, ForeignerId:
    Text, WarehouseIsASNGenerated: NoYes, AddressLongitude: Real, CustomerType: CustomerType_IN,
    PrimaryContactLinkedIn: Text, PrimaryContactURL: Text, IsFreightAccrued: NoYes, PartyState: Text, PartyNumber:
    Text, InvoiceAccount: Text, CentralBankPurposeNotes: Text, AddressBuildingComplement: Text,
    CollectionsContactPersonId: Text, PersonMaritalStatus: DirPersonMaritalStatus, AddressLocationId: Text,
    PaymentSchedule: Text, PrimaryContactTwitterPurpose: Text, GiroType: PaymentStub, InvoiceAddressDescription: Text,
    AddressDistrictName: Text, DeliveryTerms: Text, NumberSequenceGroup: Text, PersonChildrenNames: Text,
    PaymentMethod: Text, ForeignResident: NoYes, DeliveryMode: Text, PersonProfessionalSuffix: Text, OnHoldStatus:
    CustVendorBlocked, WarehouseId: Text, AccountStatement: CustAccountStatement, DestinationCode: Text,
    EInvoiceRegister: NoYes, IRS1099CIndicator: NoYes, FrenchSiret: Text, PaymentDay: Text, BrazilianNIT: Text,
    FederalIndicator: FederalNonFederalIndicatorCode, EmployeeResponsibleNumber: Text, PersonAnniversaryYear: Int32,
    DefaultInventoryStatusId: Text, PrimaryContactEmailDescription: Text, AddressTimeZone: Timezone,
    PrimaryContactPhone: Text, PrimaryContactPhoneRecordId: Int64, DeliveryAddressCity: Text, InvoiceAddressCounty:
    Text, PANReferenceNumber: Text, DeliveryAddressStreet: Text, SalesCurrencyCode: Text, Priority:
    MCRSOAllocPriority, IsSalesTaxIncludedInPrices: NoYes, BrazilianCNPJOrCPF: Text, PaymentFactoringAccount: Text,
    PANNumber: Text, PrimaryContactTwitterDescription: Text, PersonFirstName: Text, BrazilianCCM: Text, ReceiptEmail:
    Text, TDSGroup: Text, MultiLineDiscountCode: Text, PersonAnniversaryDay: Int32, DefaultDimensionDisplayValue:
    Text, SupplementaryItemGroupId: Text, IsWithholdingTaxCalculated: NoYes, PaymentSpecification: Text,
    AddressRecordId: Int64, AddressBooks: Text, PrimaryContactEmailPurpose: Text, FulfillmentPolicyName: Text,
    SalesDistrict: Text, ConsolidationDay: Int32, IsExpressBillOfLadingAccepted: NoYes, CreditCardAddressVerification:
    CreditCardAddressVerification, InvoiceAddressBuildingComplement: Text, AddressState: Text, AllowOnAccount: NoYes,
    IsExcludedFromCollectionFeeCalculation: NoYes, CustomerPaymentFinancialInterestCode: Text,
    IsTransactionPostedAsShipment: NoYes, IsExternallyMaintained: NoYes, CreditLimitIsMandatory: NoYes,
    PaymentTermsBaseDays: Int32, FiscalCode: Text, KnownAs: Text, PrimaryContactTelex: Text, PaymentBankAccount: Text,
    BrazilianIE: Text, PrimaryContactEmailRecordId: Int64, PreferentialCustomer: NoYes, ReceiptOption:
    RetailReceiptOptionBase, AddressBrazilianIE: Text, PersonAnniversaryMonth: MonthsOfYear,
    PrimaryContactPhoneExtension: Text, InvoiceAddressStreetNumber: Text, PrimaryContactPhonePurpose: Text,
    ExportSale: NoYes, OrganizationNumber: Text, InvoicePostingType: SalesInvoicePostingType_RU,
    CreditCardAddressVerificationIsAuthorizationVoidedOnFailure: NoYes, InvoiceAddressState: Text, ReceiptCalendar:
    Text, DeliveryAddressState: Text, StateInscription: Text, PersonLastNamePrefix: Text, SalesReturnTaxGroup: Text,
    PrimaryContactURLDescription: Text, CustomerWithholdingContributionType: CustWhtContributionType_BR,
    IsElectronicInvoice: NoYes, FederalAgencyLocationCode: Text, GiroTypeFreeTextInvoice: PaymentStub,
    DeliveryAddressValidTo: DateTime, PersonPhoneticMiddleName: Text, OrganizationABCCode: ABC, BrazilianCNAE: Text,
    WithholdingTaxGroupCode: Text, NAFCode: Text, AddressLatitude: Real, TotalDiscountCode: Text, PaymentCashDiscount:
    Text, AddressLocationRoles: Text, DeliveryAddressDistrictName: Text, CollectionLetterCode:
    CustCollectionLetterCode, EInvoiceAttachment: NoYes, MerchantID: Text, CreditRating: Text, PrimaryContactFacebook:
    Text, DeliveryAddressBuildingComplement: Text, DeliveryAddressStreetNumber: Text, InvoiceAddressLongitude: Real,
    LineDiscountCode: Text, PartyCountry: Text, InvoiceAddressLatitude: Real, IsInSuframaRegion: NoYes,
    IsIncomingFiscalDocumentGenerated: NoYes, SalesMemo: Text, ReliefGroupId: Text,
    IsExcludedFromInterestChargeCalculation: NoYes, StatisticsGroupId: Text, SalesOrderPoolId: Text, OrganizationName:
    Text, IsOrderNumberReferenceUsed: NoYes, CustClassificationId: Text, AddressValidTo: DateTime, FederalComments:
    Text, PersonGender: Gender, PaymentTerms: Text, PrimaryContactPhoneDescription: Text, AddressPostbox: Text,
    SalesSubsegmentId: Text, CustomerRebateGroupId: Text, WarehouseOutboundShipmentProcessingPolicyName: Text,
    AddressCounty: Text, PrimaryContactURLRecordId: Int64, IsICMSContributor: NoYes, InvoiceAddressValidTo: DateTime,
    DeliveryAddressTimeZone: Timezone, InvoiceAddressValidFrom: DateTime, CreditLimit: Real,
    CreditCardAddressVerificationLevel: CreditCardAddressVerificationLevel, WarehouseIsEntireShipmentFilled: NoYes,
    PackingDutyLicense: Text, NationalRegistryNumber: Text, SiteId: Text, InvoiceAddressCountryRegionISOCode: Text,
    IsAllowCreateIndirectOrderLines: NoYes, PrimaryContactURLPurpose: Text, ChargesGroupId: Text, PanStatus:
    PANStatus_IN, CommissionSalesGroupId: Text, NameAlias: Text, PrimaryContactFaxPurpose: Text, AddressStreetNumber:
    Text, PersonLastName: Text, PaymentIdType: Text, VendorAccount: Text, AddressCountryRegionISOCode: Text,
    ResidenceForeignCountryRegionId: Text, RFCNumber: Text, PersonHobbies: Text, ElectronicLocationId: Text,
    InvoiceAddressZipCode: Text, PrimaryContactLinkedInPurpose: Text, IsOneTimeCustomer: NoYes, ForeignCustomer:
    NoYes, CustomerTMAGroupId: Text, AddressValidFrom: DateTime, OrganizationNumberOfEmployees: Int32, CompanyType:
    CompanyType_MX, CustomerGroupId: Text, GiroTypeInterestNote: PaymentStub, DeliveryAddressZipCode: Text,
    DeliveryReason: Text, TaxRegistrationId: Text, PaymentUseCashDiscount: UseCashDisc, DiscountPriceGroupId: Text,
    AddressDescription: Text, SuframaNumber: Text, IdentificationNumber: Text, AuthorityOffice: Text,
    PersonPhoneticFirstName: Text, PrimaryContactTelexPurpose: Text, DeliveryAddressLatitude: Real,
    InvoiceAddressCountryRegionId: Text, PrimaryContactFacebookPurpose: Text, CompanyChain: Text, OverrideSalesTax:
    NoYes, BrazilianINSSCEI: Text, CommissionCustomerGroupId: Text, PrimaryContactFaxDescription: Text,
    NatureOfAssessee: NatureOfAssessee_IN, WriteoffReason: Text, PersonMiddleName: Text, InvoiceAddressLocationId:
    Text, PersonPhoneticLastName: Text, LanguageId: Text, IsPurchRequestUsed: NoYes, AddressStreet: Text,
    IsPublicSector_IT: NoYes, SATRegistrationName_MX: Text, TaxRegimeCode_MX: Text, CFDITemporaryExport_MX: NoYes,
    IsSimplifiedPrimaryAddress: NoYes, IsSimplifiedDeliveryAddress: NoYes, IsSimplifiedInvoiceAddress: NoYes,
    CredManEligibleCreditLimitCurrency: Text, CredManCustCreditMaxAlt: Real, CredManStatusReasonId: Text,
    CredManEligibleCreditMax: Real, CredManCustUnlimitedCredit: NoYes, CredManEligibleCreditLimitDate: Date,
    CredManWithAgency: NoYes, CredManCreditLimitDate: Date, CredManNextSchedReviewDate: Date, CredManLastReviewDate:
    Date, CredManCustomerSince: Date, CredManTitleHeld: NoYes, CredManExclude: NoYes, CredManBusinessStarted: Date,
    CredManNotes: Text, CredManCollectionGroupId: Text, CredManGroupId: Text, CredManAccountStatusId: Text,
    CredManCreditLimitExpiryDate: Date, QMSApprovedCustomerGroupId: Text,
    QMSWillPrintCustomerSpecificCertificateOfAnalysis: NoYes, QMSCertificateOfAnalysisCustomerGroupId: Text,
    QMSApprovedCustomerListCheckMethod: QMSCustomerCheckItem,
};

/// Customer groups.
pub(super) static CUSTOMER_GROUPS: &[Column] = columns! {
    dataAreaId: Text, CustomerGroupId: Text, ClearingPeriodPaymentTermName: Text, CustomerAccountNumberSequence: Text,
    DefaultDimensionDisplayValue: Text, AccountingCurrencyExchangeRateType: Text, IsSalesTaxIncludedInPrice: NoYes,
    Description: Text, WriteOffReason: Text, ReportingCurrencyExchangeRateType: Text, PaymentTermId: Text, TaxGroupId:
    Text, IsPublicSector_IT: NoYes,
};

/// Legal entities.
pub(super) static LEGAL_ENTITIES: &[Column] = columns! {
    LegalEntityId: Text, PrimaryContactFacebookIsPrivate: NoYes, PrimaryContactLinkedInDescription: Text,
    PrimaryContactPhonePurpose: Text, PrimaryContactFacebook: Text, AddressTimeZone: Timezone, CurpNumber: Text,
    NationalRegistryNumber: Text, CUC: Text, ExternalLegalRepresentativeName: Text, AddressDescription: Text, Rfc:
    Text, AddressLocationRoles: Text, PrimaryContactFaxExtension: Text, CertifiedTaxAccountantName: Text,
    PrimaryContactPhoneExtension: Text, ReportFolder: Text, LegalForm: Text, AddressLongitude: Real, CompanyName:
    Text, PersonInCharge: Text, NationalClassificationOfCompanyEconomicActivity: Text, PrimaryContactPhoneIsMobile:
    NoYes, AddressValidFrom: DateTime, PrimaryContactFaxPurpose: Text, PrimaryContactTelexDescription: Text,
    PrintCorrectiveInvoiceStartingDate: Date, PrimaryContactPhoneDescription: Text, LegalNature: LegalNature_IT,
    NameAlias: Text, TraderNumber: Text, AddressCountryRegionISOCode: Text, PrintINNKPPInAddress: NoYes,
    PrimaryContactTwitterPurpose: Text, PrimaryContactEmailDescription: Text, TimeZone: Timezone, BusinessItem: Text,
    PrimaryAddressLocationId: Text, PrimaryContactEmailPurpose: Text, PrimaryContactTwitter: Text,
    PrimaryContactTelex: Text, InitialCapitalInvestment: Real, PrimaryContactFacebookDescription: Text, PartyNumber:
    Text, PrimaryContactPhone: Text, AddressState: Text, UseForFinancialEliminationProcess: NoYes,
    CurpLegalRepresentative: Text, LegalRepresentativeName: Text, FICreditorID: Text, AddressCity: Text, AddressBooks:
    Text, AddressZipCode: Text, StateInscription: Text, PrimaryContactEmail: Text, Name: Text, PrimaryContactLinkedIn:
    Text, PrimaryContactFacebookPurpose: Text, CompanyCountry: Text, PrimaryContactURL: Text,
    PrimaryContactURLDescription: Text, AddressLatitude: Real, RegistrationNumber: Text, PrimaryContactTelexPurpose:
    Text, RfcLegalRepresentative: Text, PrimaryContactEmailIsIM: NoYes, PrintEnterpriseRegister: NoYes, CompanyType:
    CompanyType_MX, AddressStreet: Text, AccountingPersonnel: Text, PhoneticName: Text, CommerceRegistration: Text,
    FullPrimaryAddress: Text, PrimaryContactLinkedInIsPrivate: NoYes, PrimaryContactTwitterIsPrivate: NoYes,
    CompanyRepresentative: Text, NAICS: Text, PrimaryContactURLPurpose: Text, SoftwareIdentificationCode: Text,
    AddressCountryRegionId: Text, AddressDistrictName: Text, StartDateOfBusiness: Date, LanguageId: Text,
    UseForFinancialConsolidationProcess: NoYes, PrimaryContactFax: Text, PrintCorrectiveInvoice: NoYes,
    DNBRoutingNumber: Text, PrimaryContactFaxDescription: Text, PrimaryContactTwitterDescription: Text, FiscalCode:
    Text, AddressCounty: Text, AccountsOfficeReferenceNumber: Text, PrimaryContactLinkedInPurpose: Text,
    AddressValidTo: DateTime, LocalizationCountryRegionCode: SysLocalizationCountryRegionCode, VATOnCustomerBehalf:
    NoYes, VATNum: Text, ProfitMarginScheme: NoYes, VATRefund: NoYes, ImportVATNum: Text,
};

/// Currencies.
pub(super) static CURRENCIES: &[Column] = columns! {
    CurrencyCode: Text, RoundingMethodPurchaseOrders: RoundOffType, RoundingMethodPrices: RoundOffType, Name: Text,
    Symbol: Text, RoundingMethodSalesOrders: RoundOffType, ReferenceCurrencyForTriangulation: NoYes,
    RoundingRuleFixedAssetDepreciation: Real, CurrencyGender: GenderMaleFemale, RoundingRulePurchaseOrders: Real,
    GeneralRoundingRule: Real, RoundingMethodFixedAssetDepreciation: RoundOffType, RoundingRuleSalesOrders: Real,
    RoundingRulePrices: Real, DecimalsCount_MX: Int32,
};
