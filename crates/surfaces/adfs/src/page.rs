//! AD FS's error page.
//!
//! Decides its words, which lines its details have, their order and their ids. Never decides which error a request deserves,
//! nor how a page looks: that is the frame's. Mirrors the texts and ids of AD FS's page and none of its design.
//!
//! Which line `contextId` belongs to is inferred; the three lines that have ids are those with something to compare.

use http::StatusCode;
use mocktenant_idp::page::{POLICY, Page, Part, Text, frame};
use mocktenant_keys::sha256_hex;
use mocktenant_lab::{Answer, Content, Exchange};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::errors::AdfsError;
use crate::{envelope, service};

/// RFC 1123.
const ERROR_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// The page of a refusal; `relying_party` is the display name of whom the request was for, where that is known.
pub(crate) fn error(exchange: &mut Exchange, error: &AdfsError, relying_party: Option<&str>) -> Answer {
    let activity = envelope::activity(exchange);
    let found = service::of(exchange).map(|prepared| &prepared.service);
    let agent = exchange.request.headers.get(http::header::USER_AGENT);
    let details = Details {
        activity: &activity,
        relying_party,
        error: &error.text(),
        node: &node_name(found.map_or("", |service| &service.id)),
        at: exchange.context.now(),
        agent: &agent.map_or_else(Default::default, |agent| String::from_utf8_lossy(agent.as_bytes())),
    };
    let page = details.page(found.map_or("", |service| &service.display_name));
    let answer = Answer::typed(StatusCode::OK, Content::Page(page.into()))
        .with("cache-control", "no-store")
        .with("content-security-policy", POLICY);
    envelope::dressed(exchange, answer)
}

/// What the details say.
struct Details<'p> {
    activity: &'p str,
    relying_party: Option<&'p str>,
    /// Empty for an error that AD FS shows no text of.
    error: &'p str,
    node: &'p str,
    at: OffsetDateTime,
    agent: &'p str,
}

impl Details<'_> {
    fn page(&self, provider: &str) -> String {
        let at = mocktenant_lab::written(self.at, ERROR_TIME);
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let lines = [
            ("activityId", "Activity ID", Some(self.activity.to_owned())),
            ("contextId", "Relying party", self.relying_party.and_then(known)),
            ("", "Error details", known(self.error)),
            ("", "Node name", Some(self.node.to_owned())),
            ("timestamp", "Error time", Some(at)),
            ("", "Cookie", Some("enabled".to_owned())),
            ("", "User agent string", Some(self.agent.to_owned())),
        ];
        let lines: Vec<(&str, String)> = lines
            .into_iter()
            .filter_map(|(id, label, value)| Some((id, format!("{label}: {}", value?))))
            .collect();
        let lines: Vec<Text<'_>> = lines.iter().map(|(id, line)| Text::called(id, line)).collect();
        frame(&Page {
            lang: "en",
            title: "Error",
            provider,
            area: "errorArea",
            parts: &[
                Part::Heading(Text::called("openingMessage", "An error occurred")),
                Part::Paragraph(Text::called(
                    "errorMessage",
                    "An error occurred. Contact your administrator for more information.",
                )),
                Part::Details {
                    summary: Text::called("errorDetailsLink", "Error details"),
                    list: "errorDescription",
                    lines: &lines,
                },
            ],
        })
    }
}

/// The GUID of the node that answers, the same at every start: a farm here has one node.
fn node_name(service: &str) -> String {
    let hash = sha256_hex(service);
    let group = |begin: usize, end: usize| &hash[begin..end];
    // The digits that say what kind of GUID it is are those of a random one.
    format!("{}-{}-4{}-8{}-{}", group(0, 8), group(8, 12), group(13, 16), group(17, 20), group(20, 32))
}

#[cfg(test)]
mod tests {
    use mocktenant_world::is_guid;
    use time::macros::datetime;

    use super::*;

    const DETAILS: Details<'_> = Details {
        activity: "e5ca5b5f-0a2c-4d39-8900-0080000000ab",
        relying_party: Some("Contoso's <Web API>"),
        error: "MSIS9999: 'why'",
        node: "n",
        at: datetime!(2022-03-08 05:14:37 UTC),
        agent: "curl/8",
    };

    fn items(page: &str) -> Vec<&str> {
        page.lines().filter(|line| line.starts_with("<li")).collect()
    }

    #[test]
    fn the_details_of_an_error_stand_in_their_order() {
        assert_eq!(
            items(&DETAILS.page("Contoso")),
            [
                "<li id=\"activityId\">Activity ID: e5ca5b5f-0a2c-4d39-8900-0080000000ab</li>",
                "<li id=\"contextId\">Relying party: Contoso&#39;s &lt;Web API></li>",
                "<li>Error details: MSIS9999: &#39;why&#39;</li>",
                "<li>Node name: n</li>",
                "<li id=\"timestamp\">Error time: Tue, 08 Mar 2022 05:14:37 GMT</li>",
                "<li>Cookie: enabled</li>",
                "<li>User agent string: curl/8</li>",
            ]
        );
    }

    #[test]
    fn a_line_that_nobody_knows_is_missing() {
        let page = Details { relying_party: None, error: "", ..DETAILS }.page("Contoso");
        assert!(!page.contains("Relying party") && !page.contains("Error details:"), "{page}");
        assert_eq!(items(&page).len(), 5);
    }

    #[test]
    fn a_node_is_called_by_a_guid_of_its_own_and_keeps_it() {
        let node = node_name("contoso");
        assert!(is_guid(&node), "{node}");
        assert_eq!(node, node_name("contoso"));
        assert_ne!(node, node_name("fabrikam"));
    }
}
