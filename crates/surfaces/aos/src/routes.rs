//! The route table of an AOS of either kind.
//!
//! Decides which paths there are, with their methods. An installation on-premises has its own below `/namespaces/AXSF`, a one-box at
//! its host; whoever is asked where the other has it answers so. Never decides what is answered. Paths and methods are the product's.

use http::Method;
use mocktenant_lab::Route;

use crate::onprem::site::Place;
use crate::side::Side;
use crate::{Aos, Part};

/// What records are read and written with.
const READ_AND_WRITE: &[Method] = &[Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];

/// The route table. A key stands in the same segment as its entity set, so one pattern takes both.
pub(crate) static ROUTES: &[Route<Aos>] = &[
    Route {
        methods: &[Method::GET],
        pattern: "/",
        endpoint: "client",
        handler: |aos, exchange| Box::pin(aos.page(exchange, Place::Root)),
    },
    Route {
        methods: READ_AND_WRITE,
        pattern: "/data/{entity}",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OneBox, Part::Records)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/data",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OneBox, Part::Document)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/data/",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OneBox, Part::Document)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/data/$metadata",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OneBox, Part::Metadata)),
    },
    Route {
        methods: &[Method::POST],
        pattern: "/data/$batch",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OneBox, Part::Batch)),
    },
    Route {
        methods: READ_AND_WRITE,
        pattern: "/data/{entity}/{*below}",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OneBox, Part::Below)),
    },
    Route {
        methods: &[Method::POST],
        pattern: "/api/services/{group}/{service}/{operation}",
        endpoint: "service",
        handler: |aos, exchange| Box::pin(aos.service(exchange, Side::OneBox)),
    },
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: "/namespaces/axsf",
        endpoint: "client",
        handler: |aos, exchange| Box::pin(aos.page(exchange, Place::Application)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/namespaces/axsf/customers",
        endpoint: "client",
        handler: |aos, exchange| Box::pin(aos.page(exchange, Place::Customers)),
    },
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: "/namespaces/axsf/customers/new",
        endpoint: "client",
        handler: |aos, exchange| Box::pin(aos.page(exchange, Place::NewCustomer)),
    },
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: "/namespaces/axsf/signout",
        endpoint: "sign-out",
        handler: |aos, exchange| Box::pin(aos.page(exchange, Place::SignOut)),
    },
    Route {
        methods: READ_AND_WRITE,
        pattern: "/namespaces/axsf/data/{entity}",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OnPremises, Part::Records)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/namespaces/axsf/data",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OnPremises, Part::Document)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/namespaces/axsf/data/",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OnPremises, Part::Document)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/namespaces/axsf/data/$metadata",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OnPremises, Part::Metadata)),
    },
    Route {
        methods: &[Method::POST],
        pattern: "/namespaces/axsf/data/$batch",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OnPremises, Part::Batch)),
    },
    Route {
        methods: READ_AND_WRITE,
        pattern: "/namespaces/axsf/data/{entity}/{*below}",
        endpoint: "odata",
        handler: |aos, exchange| Box::pin(aos.odata(exchange, Side::OnPremises, Part::Below)),
    },
    Route {
        methods: &[Method::POST],
        pattern: "/namespaces/axsf/api/services/{group}/{service}/{operation}",
        endpoint: "service",
        handler: |aos, exchange| Box::pin(aos.service(exchange, Side::OnPremises)),
    },
];
