//! What choice columns offer, with their labels in English.
//!
//! Decides the options of a new organisation; customers add their own, this lab cannot. Labels are what formatted values
//! show.

use super::Choices;

/// `customertypecode`.
pub(super) const CUSTOMER_TYPES: Choices = &[
    (1, "Competitor"),
    (2, "Consultant"),
    (3, "Customer"),
    (4, "Investor"),
    (5, "Partner"),
    (6, "Influencer"),
    (7, "Press"),
    (8, "Prospect"),
    (9, "Reseller"),
    (10, "Supplier"),
    (11, "Vendor"),
    (12, "Other"),
];

/// The kind of a first address.
pub(super) const ADDRESS_TYPES: Choices = &[(1, "Bill To"), (2, "Ship To"), (3, "Primary"), (4, "Other")];

/// How a first address is delivered to.
pub(super) const SHIPPING_METHODS: Choices = &[
    (1, "Airborne"),
    (2, "DHL"),
    (3, "FedEx"),
    (4, "UPS"),
    (5, "Postal Mail"),
    (6, "Full Load"),
    (7, "Will Call"),
];

/// What a first address pays of the freight.
pub(super) const FREIGHT_TERMS: Choices = &[(1, "FOB"), (2, "No Charge")];

/// Columns that a new organisation gives one option.
pub(super) const DEFAULT_VALUE: Choices = &[(1, "Default Value")];

/// `accountcategorycode`.
pub(super) const ACCOUNT_CATEGORIES: Choices = &[(1, "Preferred Customer"), (2, "Standard")];

/// `ownershipcode`.
pub(super) const OWNERSHIPS: Choices = &[(1, "Public"), (2, "Private"), (3, "Subsidiary"), (4, "Other")];

/// `preferredcontactmethodcode`.
pub(super) const CONTACT_METHODS: Choices =
    &[(1, "Any"), (2, "Email"), (3, "Phone"), (4, "Fax"), (5, "Mail")];

/// `paymenttermscode`.
pub(super) const PAYMENT_TERMS: Choices =
    &[(1, "Net 30"), (2, "2% 10, Net 30"), (3, "Net 45"), (4, "Net 60")];

/// `gendercode` of a contact.
pub(super) const GENDERS: Choices = &[(1, "Male"), (2, "Female")];

/// `familystatuscode` of a contact.
pub(super) const FAMILY_STATUSES: Choices = &[(1, "Single"), (2, "Married"), (3, "Divorced"), (4, "Widowed")];

/// `prioritycode` of a task.
pub(super) const PRIORITIES: Choices = &[(0, "Low"), (1, "Normal"), (2, "High")];

/// `industrycode`.
pub(super) const INDUSTRIES: Choices = &[
    (1, "Accounting"),
    (2, "Agriculture and Non-petrol Natural Resource Extraction"),
    (3, "Broadcasting Printing and Publishing"),
    (4, "Brokers"),
    (5, "Building Supply Retail"),
    (6, "Business Services"),
    (7, "Consulting"),
    (8, "Consumer Services"),
    (9, "Design, Direction and Creative Management"),
    (10, "Distributors, Dispatchers and Processors"),
    (11, "Doctor's Offices and Clinics"),
    (12, "Durable Manufacturing"),
    (13, "Eating and Drinking Places"),
    (14, "Entertainment Retail"),
    (15, "Equipment Rental and Leasing"),
    (16, "Financial"),
    (17, "Food and Tobacco Processing"),
    (18, "Inbound Capital Intensive Processing"),
    (19, "Inbound Repair and Services"),
    (20, "Insurance"),
    (21, "Legal Services"),
    (22, "Non-Durable Merchandise Retail"),
    (23, "Outbound Consumer Service"),
    (24, "Petrochemical Extraction and Distribution"),
    (25, "Service Retail"),
    (26, "SIG Affiliations"),
    (27, "Social Services"),
    (28, "Special Outbound Trade Contractors"),
    (29, "Specialty Realty"),
    (30, "Transportation"),
    (31, "Utility Creation and Distribution"),
    (32, "Vehicle Retail"),
    (33, "Wholesale"),
];
