//! The pages of an AOS on-premises that a browser sees: who is signed in, the customers, a form for a new one.
//!
//! Decides what stands on them: plain pages in the layout that the lab's other pages have, nobody's design but ours, since the
//! real client is an application of its own. They show what a test asks for after a sign-in: user, company, roles, node, and that
//! data can be read and written. The form carries a token of the session and is taken from this environment's own pages alone.

use std::fmt::Write as _;

use http::{Method, StatusCode};
use mocktenant_idp::form::Form;
use mocktenant_idp::guard::{self, FormToken};
use mocktenant_idp::page::form::{
    Button, Control, Field, Form as Posted, Hidden, Kind as FieldKind, Link, Method as Sent,
};
use mocktenant_idp::page::{FORM_POLICY, POLICY, Page, Part, Text, frame};
use mocktenant_idp::{Kind, Sealer};
use mocktenant_lab::{Answer, Content, Exchange, Machine, Scope};
use mocktenant_odata::QueryOptions;
use mocktenant_schema::CellRef;
use mocktenant_tables::Query;
use mocktenant_world::Environment;
use time::Duration;

use super::sign_in::{self, Ticket};
use super::{BASE, State};
use crate::bearer::Caller;
use crate::entities::{self, CUSTOMERS, Unit, Visible, WriteError};
use crate::node::NodeState;
use crate::user_info;

/// Who shows them.
const PRODUCT: &str = "Finance and Operations";
/// The form of a new customer.
const NEW_CUSTOMER: Kind<FormToken> = Kind::new("aos-new-customer");
/// How long a form may be left open.
const OPEN: Duration = Duration::hours(1);
/// The token's name, as ASP.NET calls its own.
const TOKEN: &str = "__RequestVerificationToken";
/// So many customers are on one page.
const SHOWN: usize = 100;
/// What the form asks for: column and label.
const FIELDS: [(&str, &str); 4] = [
    ("CustomerAccount", "Customer account"),
    ("OrganizationName", "Organization name"),
    ("CustomerGroupId", "Customer group"),
    ("SalesCurrencyCode", "Currency"),
];

/// A page of somebody who is signed in.
pub(crate) struct Signed<'s> {
    pub(crate) environment: &'s Environment,
    pub(crate) state: &'s State,
    pub(crate) ticket: Ticket,
    pub(crate) caller: Caller,
}

fn page(title: &str, parts: &[Part<'_>]) -> String {
    frame(&Page { lang: "en", title, provider: PRODUCT, area: "content", parts })
}

fn said(html: String) -> Answer {
    Answer::typed(StatusCode::OK, Content::Page(html.into()))
        .with("content-security-policy", POLICY)
        .with("cache-control", "no-store")
}

/// A page with forms. Where signing out leads is another host's business.
fn asking(html: String, actions: Vec<String>) -> Answer {
    let content = Content::Form { html: html.into(), policy: FORM_POLICY, actions };
    Answer::typed(StatusCode::OK, content).with("cache-control", "no-store")
}

impl Signed<'_> {
    /// Who is signed in.
    pub(crate) fn home(&self, exchange: &Exchange) -> Answer {
        let user = self.caller.user.as_deref().unwrap_or_default();
        let row = self.environment.database.user_info.get(user);
        let node = match exchange.context.machine() {
            Some(Machine::Node { node, .. }) => &**node,
            _ => "",
        };
        let roles = row.map_or_else(String::new, |row| row.roles.join(", "));
        let sid = row.map(user_info::sid).unwrap_or_default();
        let company = self.caller.company.as_deref().unwrap_or_default();
        let lines = [
            ("userId", format!("User: {user}")),
            ("userName", format!("Name: {}", row.map_or("", |row| row.name.as_str()))),
            ("networkAlias", format!("Signed in as: {}", self.ticket.upn)),
            ("company", format!("Company: {company}")),
            ("roles", format!("Roles: {}", if roles.is_empty() { "none" } else { &roles })),
            ("identityProvider", format!("Identity provider: {}", self.state.entity_id)),
            ("sid", format!("Sid: {sid}")),
            ("node", format!("Node: {node}")),
        ];
        let (customers, create) = (format!("{BASE}/customers"), format!("{BASE}/customers/new"));
        let mut parts = vec![Part::Heading(Text::called("openingMessage", PRODUCT))];
        parts.extend(lines.iter().map(|(id, line)| Part::Paragraph(Text::called(id, line))));
        parts.push(Part::Link(Link { id: "customersLink", to: &customers, text: "Customers" }));
        parts.push(Part::Link(Link { id: "newCustomerLink", to: &create, text: "New customer" }));
        let out = format!("{BASE}/signout");
        let sign_out = Posted {
            id: "signOutForm",
            method: Sent::Post,
            action: &out,
            shown: true,
            controls: &[Control::Button(Button { main: false, ..Button::main("Sign out", None) })],
        };
        parts.push(Part::Form(sign_out));
        let end = self.state.provider.as_ref().and_then(|provider| provider.end_session_endpoint.clone());
        asking(page(PRODUCT, &parts), end.into_iter().collect())
    }

    /// The customers of the user's company.
    pub(crate) fn customers(&self, exchange: &Exchange) -> Answer {
        let Ok(database) = exchange.context.rows() else { return said(page("Customers", &[])) };
        let snapshot = database.snapshot();
        let visible = Visible::new(&self.caller, &QueryOptions::default());
        let schema = database.schema();
        let Some(entity) = schema.by_set(CUSTOMERS) else { return said(page("Customers", &[])) };
        let filter = visible.condition(entity);
        let most = u64::try_from(SHOWN).ok();
        let found = snapshot.query(&Query { filter: filter.as_ref(), top: most, ..Query::of(entity) });
        let lines: Vec<String> = found
            .rows
            .iter()
            .map(|row| {
                let text = |column: &str| {
                    let cell = entity.column(column).map(|column| row.value(column));
                    cell.and_then(CellRef::as_text).unwrap_or_default()
                };
                let mut line = text("CustomerAccount").to_owned();
                // Writing to a String cannot fail.
                let _ = write!(line, " {} ({})", text("OrganizationName"), text("CustomerGroupId"));
                line
            })
            .collect();
        let company = self.caller.company.as_deref().unwrap_or_default();
        let heading = format!("Customers of {company}");
        let create = format!("{BASE}/customers/new");
        let mut parts = vec![Part::Heading(Text::called("openingMessage", &heading))];
        if lines.is_empty() {
            parts.push(Part::Paragraph(Text::called("none", "There is none yet.")));
        }
        parts.extend(lines.iter().map(|line| Part::Paragraph(Text::plain(line))));
        parts.push(Part::Link(Link { id: "newCustomerLink", to: &create, text: "New customer" }));
        let home = format!("{BASE}/");
        parts.push(Part::Link(Link { id: "homeLink", to: &home, text: "Back" }));
        said(page("Customers", &parts))
    }

    /// The form of a new customer, and what is posted with it.
    pub(crate) async fn new_customer(&self, exchange: &mut Exchange, node: &NodeState) -> Answer {
        if exchange.request.method != Method::POST {
            return self.form(exchange, &[], "");
        }
        let body = exchange.request.body.clone().unwrap_or_default();
        let form = Form::parse(&body).unwrap_or_default();
        let typed: Vec<(&str, String)> =
            FIELDS.iter().filter_map(|(column, _)| Some((*column, form.get(column)?.to_owned()))).collect();
        if let Err(why) = guard::from_own_page(exchange) {
            exchange.trail.record_error("403 form-origin");
            exchange.trail.refused("the form's origin", why.to_string());
            return sign_in::forbidden();
        }
        let owner = Scope::environment(&self.environment.id);
        let now = exchange.context.now();
        let sealer = Sealer::of(&exchange.context, &owner);
        let token = FormToken::check(&sealer, &NEW_CUSTOMER, form.get(TOKEN), &self.ticket.id, now);
        if let Err(why) = token {
            exchange.trail.record_error("403 form-token");
            exchange.trail.refused(TOKEN, why.to_string());
            return sign_in::forbidden();
        }
        let Ok(database) = exchange.context.rows() else { return self.form(exchange, &typed, "") };
        let schema = database.schema();
        let Some(entity) = schema.by_set(CUSTOMERS) else { return self.form(exchange, &typed, "") };
        let mut unit = Unit::begin(&database);
        let made = entities::typed(exchange, &mut unit, entity, &self.caller, &typed);
        let made = match made {
            Ok(_) => unit.finish(exchange, node).await.map_err(|(_, error)| error),
            Err(error) => Err(WriteError::OData(error)),
        };
        match made {
            Ok(_) => {
                let to = format!("{BASE}/customers");
                Answer::typed(StatusCode::FOUND, Content::Redirect { to })
            }
            Err(WriteError::OData(error)) => {
                exchange.trail.record_error(error.row().id);
                let text = error.text();
                self.form(exchange, &typed, &text)
            }
            // Dual Write is no feature of it.
            Err(WriteError::DualWrite(error)) => {
                exchange.trail.record_error(error.row().id);
                self.form(exchange, &typed, &error.text())
            }
        }
    }

    fn form(&self, exchange: &Exchange, typed: &[(&str, String)], wrong: &str) -> Answer {
        let owner = Scope::environment(&self.environment.id);
        let sealer = Sealer::of(&exchange.context, &owner);
        let now = exchange.context.now();
        let token = FormToken::seal(&sealer, &NEW_CUSTOMER, &self.ticket.id, now + OPEN).unwrap_or_default();
        let mut controls = vec![
            Control::Message(Text::called("errorText", wrong)),
            Control::Hidden(Hidden { id: "", name: TOKEN, value: &token }),
        ];
        for (column, label) in FIELDS {
            let value = typed.iter().find(|(known, _)| *known == column).map_or("", |(_, text)| text);
            controls
                .push(Control::Field(Field { value, ..Field::new(FieldKind::Text, column, column, label) }));
        }
        controls.push(Control::Button(Button::main("Create", None)));
        let (action, back) = (format!("{BASE}/customers/new"), format!("{BASE}/customers"));
        let form = Posted {
            id: "newCustomerForm",
            method: Sent::Post,
            action: &action,
            shown: true,
            controls: &controls,
        };
        let parts = [
            Part::Heading(Text::called("openingMessage", "New customer")),
            Part::Form(form),
            Part::Link(Link { id: "customersLink", to: &back, text: "Customers" }),
        ];
        asking(page("New customer", &parts), Vec::new())
    }
}
