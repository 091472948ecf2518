//! The enumerations of those columns: members and values, in the order of the product's `$metadata`.
//!
//! Data alone. Values are not sorted, some enumerations have no member of the value 0, and one value may have two names.

#![expect(non_upper_case_globals, reason = "they are called as the product calls them")]

use super::kind::{Enumeration, enumerations};

enumerations! {
    ABC { None = 0, A = 1, B = 2, C = 3 }
    CompanyType_MX { Blank = 0, LegalEntity = 1, LegalPerson = 2, ForeignCompany = 3 }
    CreditCardAddressVerification { None = 0, No = 1, Yes = 2 }
    CreditCardAddressVerificationLevel {
        Accept = 0, AccountHolderName = 1, BillingPostalCode = 3, BillingAddress = 2,
    }
    CreditCardCVC { None = 0, No = 1, Yes = 2 }
    CustAccountStatement { Always = 0, Quarter = 1, Biannually = 2, Yearly = 3, Never = 4 }
    CustCollectionLetterCode {
        None = 0, CollectionLetter1 = 1, CollectionLetter2 = 2, CollectionLetter3 = 3, CollectionLetter4 = 4,
        Collection = 5, All = 6, CollectionPerCust = 7,
    }
    CustVendorBlocked { No = 0, Invoice = 1, All = 2, Payment = 3, Requisition = 4, Never = 5, PurchOrder = 6 }
    CustWhtContributionType_BR {
        Other = 0, FederalAgencyAutarchyOrFoundation = 1, OtherFederalAdministrationEntity = 2, PrivateCompany = 3,
        Cooperative = 4, MachineOrVehicleManufacturer = 5,
    }
    CustomerType_IN { None = 0, GovtCompanyOrOtherAgencies = 1, ECommerceOperator = 2 }
    DirPersonMaritalStatus { None = 0, Single = 1, Married = 2, Divorced = 3, Widowhood = 4 }
    EFDocPresenceType_BR { DoesNotApply = 0, InPerson = 1, Internet = 2, Telesales = 3, InPersonOut = 5, Others = 9 }
    FederalNonFederalIndicatorCode { None = 0, Federal = 1, NonFederal = 2, NonFederalException = 3 }
    Gender { Unknown = 0, Male = 1, Female = 2, NonSpecific = 3 }
    GenderMaleFemale { Male = 0, Female = 1 }
    InvoiceOrderAccount { InvoiceAccount = 0, OrderAccount = 1 }
    LegalNature_IT {
        LN1 = 1, LN2 = 2, LN3 = 3, LN4 = 4, LN5 = 5, LN6 = 6, LN7 = 7, LN8 = 8, LN9 = 9, LN10 = 10, LN11 = 11, LN12 =
        12, LN13 = 13, LN14 = 14, LN15 = 15, LN16 = 16, LN17 = 17, LN18 = 18, LN19 = 19, LN20 = 20, LN21 = 21, LN22 =
        22, LN23 = 23, LN24 = 24, LN25 = 25, LN26 = 26, LN27 = 27, LN28 = 28, LN29 = 29, LN50 = 50, LN51 = 51, LN52 =
        52, LN53 = 53, LN54 = 54, LN55 = 55, LN56 = 56, LN57 = 57, LN58 = 58, LN30 = 30, LN31 = 31, LN32 = 32, LN33 =
        33, LN34 = 34, LN35 = 35, LN36 = 36, LN37 = 37, LN38 = 38, LN39 = 39, LN40 = 40, LN41 = 41, LN42 = 42, LN43 =
        43, LN44 = 44, LN59 = 59,
    }
    MCRSOAllocPriority {
        AllocationPriority1 = 9, AllocationPriority2 = 8, AllocationPriority3 = 7, AllocationPriority4 = 6,
        AllocationPriority5 = 5, AllocationPriority6 = 4, AllocationPriority7 = 3, AllocationPriority8 = 2,
        AllocationPriority9 = 1, AllocationPriority10 = 0,
    }
    MonthsOfYear {
        None = 0, January = 1, February = 2, March = 3, April = 4, May = 5, June = 6, July = 7, August = 8, September
        = 9, October = 10, November = 11, December = 12,
    }
    NatureOfAssessee_IN {
        Company = 0, HUF = 1, Firm = 2, Individual = 3, AOP = 4, BOI = 5, LocalAuthority = 6, Others = 7,
    }
    NoYes { No = 0, Yes = 1 }
    PANStatus_IN { NotAvailable = 0, Received = 1, Applied = 2, Invalid = 3 }
    PaymentStub {
        None = 0, FIK = 1, BBS = 2, ESR_blue_PTT = 3, ESR_red_bank = 4, FIK762 = 5, ESR_orange = 6, BelSMS101 = 7,
        BelSMS102 = 8, Finnish = 9, FIK751 = 10, FIK752 = 11, QRBill = 12,
    }
    QMSCustomerCheckItem { NoCheck = 0, WarningOnly = 1, NotAllowed = 2 }
    RetailReceiptOptionBase { RetailEx3 = 0, Email = 1, Both = 2 }
    RoundOffType { Ordinary = 0, RoundDown = 1, RoundUp = 2 }
    SalesInvoicePostingType_RU { Standard = 0, GoodsInRoute = 1 }
    SysLocalizationCountryRegionCode {
        Default = 0, None = 1, BE = 2, BR = 3, CA = 4, CZ = 5, DE = 6, EE = 7, ES = 8, FR = 9, GB = 10, HU = 11, IE =
        12, IN = 13, IT = 14, JP = 15, LT = 16, LV = 17, MX = 18, NL = 19, NO = 20, PL = 21, RU = 22, SA = 23, TH =
        24, US = 25, AU = 26, CN = 27, DK = 28, FI = 29, MY = 30, SG = 31, ZA = 32, SE = 33, CH = 34, IS = 35, AT =
        36,
    }
    Timezone {
        GMTMINUS1200INTERNATIONALDATELINEWEST = 24, GMTMINUS1100COORDINATEDUNIVERSALTIME = 99,
        GMTMINUS1100MIDWAYISLAND_SAMOA = 65, GMTMINUS1000HAWAII = 39, GMTMINUS0900ALASKA = 2, GMTMINUS0800PACIFICTIME
        = 58, GMTMINUS0800TIJUANA_BAJACALIFORNIA = 59, GMTMINUS0700ARIZONA = 75, GMTMINUS0700MOUNTAINTIME = 47,
        GMTMINUS0700CHIHUAHUA_LAPAZ_MAZATLAN = 48, GMTMINUS0600CENTRALAMERICA = 15, GMTMINUS0600CENTRALTIME = 21,
        GMTMINUS0600GUADALAJARA_MEXICOCITY = 22, GMTMINUS0600SASKATCHEWAN = 11,
        GMTMINUS0500BOGOTA_LIMA_QUITO_RIOBRANCO = 63, GMTMINUS0500EASTERNTIME = 29, GMTMINUS0500INDIANA = 74,
        GMTMINUS0500CHETUMAL = 255, GMTMINUS0400ASUNCION = 95, GMTMINUS0400ATLANTICTIME = 6, GMTMINUS0400LAPAZ = 64,
        GMTMINUS0400MANAUS = 17, GMTMINUS0300SANTIAGO = 57, GMTMINUS0430CARACAS = 85, GMTMINUS0330NEWFOUNDLAND = 54,
        GMTMINUS0300_SALVADOR = 87, GMTMINUS0300BRASILIA = 28, GMTMINUS0300BUENOSAIRES = 86,
        GMTMINUS0300BUENOSAIRES_GEORGETOWN = 62, GMTMINUS0300GREENLAND = 36, GMTMINUS0300MONTEVIDEO = 83,
        GMTMINUS0200MIDATLANTIC = 45, GMTMINUS0100AZORES = 10, GMTMINUS0100CAPEVERDIS = 12, GMT_CASABLANCA = 93,
        GMT_CASABLANCA_MONTROVIA_REYKJAVIK = 37, GMT_COORDINATEDUNIVERSALTIME = 89, GMT_DUBLIN_EDINBURGH_LISBON_LONDON
        = 35, GMT_PLUS0300KALININGRAD_MINSK = 90, GMTPLUS0100_AMSTERDAM_BERLIN_BERN_ROME = 79,
        GMTPLUS0100BELGRADE_BRATISLAVA_BUDAPEST = 18, GMTPLUS0100BRUSSELS_COPENHAGEN_MADRID = 60,
        GMTPLUS0100SARAJEVO_SKOPJE_WARSAW_ZAGREB = 19, GMTPLUS0100TRIPOLI = 101, GMTPLUS0100WESTCENTRALAFRICA = 78,
        GMTPLUS0200_DAMASCUS = 96, GMTPLUS0200AMMAN = 43, GMTPLUS0200ATHENS_BUCHAREST_ISTANBUL = 38, GMTPLUS0200BEIRUT
        = 46, GMTPLUS0200MINSK = 27, GMTPLUS0200CAIRO = 30, GMTPLUS0200HARARE_PRETORIA = 68,
        GMTPLUS0200HELSINKI_KYIV_RIGA_VILNIUS = 33, GMTPLUS0300ISTANBUL = 98, GMTPLUS0200JERUSALEM = 42,
        GMTPLUS0200WINDHOEK = 51, GMTPLUS0300BAGHDAD = 5, GMTPLUS0300KUWAIT_RIYADH = 3,
        GMTPLUS0300MOSCOW_STPETERSBURG_VOLGOGRAD = 61, GMTPLUS0300NAIROBI = 25, GMTPLUS0300TBILISI = 34,
        GMTPLUS0330TEHRAN = 41, GMTPLUS0400ABUDHABI_MUSCAT = 4, GMTPLUS0400BAKU = 9, GMTPLUS0400IZHEVSK_SAMARA = 104,
        GMTPLUS0400CAUCASUSSTANDARDTIME = 84, GMTPLUS0400PORTLOUIS = 92, GMTPLUS0400YEREVAN = 13, GMTPLUS0430KABUL =
        1, GMTPLUS0500EKATERINBURG = 31, GMTPLUS0500ISLAMABAD_KARACHI = 94, GMTPLUS0500ISLAMABAD_KARACHI_TASHKENT =
        255, GMTPLUS0530CHENNAI_KOLKATA_MUMBAI = 40, GMTPLUS0530SRIJAYAWARDENEPURA = 69, GMTPLUS0545KATHMANDU = 52,
        GMTPLUS0600ALMATY_NOVOSIBIRSK = 50, GMTPLUS0600ASTANA_DHAKA = 16, GMTPLUS0600DHAKA = 88, GMTPLUS0600MAGADAN =
        91, GMTPLUS0630_YANGON = 49, GMTPLUS0700_BANGKOK_HANOI_JAKARTA = 66, GMTPLUS0700KRASNOYARSK = 56,
        GMTPLUS0800_ULAANBAATAR = 97, GMTPLUS0800BEIJING_CHONGQING_HONGKONG = 23, GMTPLUS0800IRKUTSK_ULAANBATAAR = 55,
        GMTPLUS0800KUALALUMPUR_SINGAPORE = 67, GMTPLUS0800PERTH = 77, GMTPLUS0800TAIPEI = 70,
        GMTPLUS0900OSAKA_SAPPORO_TOKYO = 72, GMTPLUS0900SEOUL = 44, GMTPLUS0900YAKUTSK = 82, GMTPLUS0930ADELAIDE = 14,
        GMTPLUS0930DARWIN = 7, GMTPLUS1000BRISBANE = 26, GMTPLUS1000CANBERRA_MELBOURNE_SYDNEY = 8,
        GMTPLUS1000GUAM_PORTMORESBY = 81, GMTPLUS1000HOBART = 71, GMTPLUS1000VLADIVOSTOK = 76, GMTPLUS1100CHOKURDAKH =
        102, GMTPLUS1100MAGADAN_SOLOMONIS = 20, GMTPLUS1200ANADYR_PETRO_KAMCHATSKY = 103,
        GMTPLUS1200AUCKLAND_WELLINGTON = 53, GMTPLUS1200COORDINATEDUNIVERSALTIME = 100,
        GMTPLUS1200FIJI_KAMCHATKA_MARSHALLIS = 32, GMTPLUS1300NUKU_ALOFA = 73,
    }
    UseCashDisc { Normal = 0, Always = 1, Never = 2 }
}
