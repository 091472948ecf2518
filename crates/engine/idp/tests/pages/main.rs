//! The pages that people meet when they sign in, read as a browser reads them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod made_up;

use std::collections::HashSet;

use made_up::{pages, plain, wrong};
use mocktenant_idp::page::form::{Button, Control, Field, Form, Kind, Method};
use mocktenant_idp::page::{FORM_POLICY, Page, Part, frame};

/// A start tag: its name, and its attributes in their order.
#[derive(Debug)]
struct Tag<'t> {
    name: &'t str,
    attributes: Vec<(&'t str, &'t str)>,
}

impl<'t> Tag<'t> {
    fn get(&self, name: &str) -> Option<&'t str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// The start and end tags of a page behind its style sheet.
fn tags(page: &str) -> Vec<Tag<'_>> {
    let (_, mut rest) = page.split_once("</style>").unwrap();
    let mut tags = Vec::new();
    while let Some((_, after)) = rest.split_once('<') {
        let end = after.find([' ', '>']).unwrap();
        let mut tag = Tag { name: &after[..end], attributes: Vec::new() };
        rest = &after[end..];
        while let Some(more) = rest.strip_prefix(' ') {
            let end = more.find(['=', ' ', '>']).unwrap();
            let (name, after) = more.split_at(end);
            let value = after.strip_prefix("=\"").map(|quoted| quoted.split_once('"').unwrap());
            tag.attributes.push((name, value.map_or("", |(value, _)| value)));
            rest = value.map_or(after, |(_, rest)| rest);
        }
        rest = rest.strip_prefix('>').unwrap();
        tags.push(tag);
    }
    tags
}

fn page(name: &str, wrong: &'static str) -> String {
    pages(plain, wrong).into_iter().find(|(known, _)| *known == name).unwrap().1
}

fn body(page: &str) -> &str {
    page.split_once("<main").unwrap().1.split_once('\n').unwrap().1.split_once("</main>").unwrap().0
}

#[test]
fn user_name_and_password_stand_in_one_form_with_the_ids_that_were_handed_in() {
    assert_eq!(
        body(&page("sign-in", "")),
        "<h1 id=\"loginMessage\">Sign in</h1>\n\
         <form id=\"loginForm\" method=\"post\" action=\"/adfs/oauth2/authorize?client_id=a&amp;response_type=code&amp;client-request-id=b\" novalidate>\n\
         <p class=\"message\" role=\"alert\" id=\"errorText\"></p>\n\
         <input type=\"hidden\" id=\"optionForms\" name=\"AuthMethod\" value=\"FormsAuthentication\">\n\
         <input type=\"hidden\" name=\"Context\" value=\"c\">\n\
         <div class=\"field\">\n\
         <label for=\"userNameInput\">User account</label>\n\
         <input type=\"email\" id=\"userNameInput\" name=\"UserName\" value=\"ada@contoso.com\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" autofocus>\n\
         </div>\n\
         <div class=\"field\">\n\
         <label for=\"passwordInput\">Password</label>\n\
         <input type=\"password\" id=\"passwordInput\" name=\"Password\" autocomplete=\"current-password\">\n\
         </div>\n\
         <div class=\"check\">\n\
         <input type=\"checkbox\" id=\"kmsiInput\" name=\"Kmsi\" value=\"true\" checked>\n\
         <label for=\"kmsiInput\">Keep me signed in</label>\n\
         </div>\n\
         <button type=\"submit\" class=\"main\"><span id=\"submitButton\" class=\"submit\">Sign in</span></button>\n\
         </form>\n\
         <p><a id=\"help\" href=\"/adfs/help?a=b&amp;c=d\">Help</a></p>\n"
    );
}

#[test]
fn of_two_forms_in_one_document_one_is_shown_and_typing_begins_there() {
    for (name, first_is_shown) in [("user-name", true), ("password", false)] {
        let page = page(name, "");
        let tags = tags(&page);
        let forms: Vec<_> = tags
            .iter()
            .filter(|tag| tag.name == "form")
            .map(|form| (form.get("id").unwrap(), !form.has("hidden")))
            .collect();
        assert_eq!(forms, [("loginFormPaginated", first_is_shown), ("loginForm", !first_is_shown)], "{name}");
        let focus: Vec<_> =
            tags.iter().filter(|tag| tag.has("autofocus")).map(|tag| tag.get("id").unwrap()).collect();
        assert_eq!(focus, [if first_is_shown { "userNameInput" } else { "passwordInput" }], "{name}");
        let second = page.split_once("id=\"loginForm\"").unwrap().1;
        for there in [
            "id=\"userNameInputHolder\" name=\"UserName\"",
            "id=\"errorTextPassword\"",
            "id=\"submitButton\"",
            "id=\"backButton\"",
        ] {
            assert!(second.contains(there), "{name}: {there}");
        }
    }
}

#[test]
fn every_field_has_a_label_every_id_is_there_once_and_every_button_sends_its_form() {
    for (name, page) in pages(plain, "").into_iter().chain(pages(plain, wrong())) {
        let tags = tags(&page);
        let ids: Vec<_> = tags.iter().filter_map(|tag| tag.get("id")).collect();
        let known: HashSet<_> = ids.iter().copied().collect();
        assert_eq!(known.len(), ids.len(), "{name}: {ids:?}");
        let labelled: HashSet<_> = tags.iter().filter_map(|tag| tag.get("for")).collect();
        for input in tags.iter().filter(|tag| tag.name == "input" && tag.get("type") != Some("hidden")) {
            assert!(labelled.contains(input.get("id").unwrap()), "{name}: {input:?}");
            assert!(input.get("aria-describedby").is_none_or(|id| known.contains(id)), "{name}: {input:?}");
            assert!(input.get("name").is_some_and(|name| !name.is_empty()), "{name}: {input:?}");
        }
        assert!(
            tags.iter().filter(|tag| tag.name == "button").all(|tag| tag.get("type") == Some("submit")),
            "{name}"
        );
        // What Enter presses.
        for form in page.split("<form").skip(1) {
            let (before, _) = form.split_once("</form>").unwrap();
            assert!(
                before.split_once("<button").unwrap().1.starts_with(" type=\"submit\" class=\"main\""),
                "{name}"
            );
        }
        assert_eq!(
            page.matches("<form").count(),
            page.matches("<button type=\"submit\" class=\"main\"").count(),
            "{name}"
        );
        assert_eq!(tags.iter().filter(|tag| tag.name == "h1").count(), 1, "{name}");
    }
}

#[test]
fn what_is_wrong_is_said_at_once_and_linked_to_the_field_it_is_about() {
    let said = format!("role=\"alert\" id=\"errorText\">{}</p>", wrong());
    assert!(page("sign-in", wrong()).contains(&said));
    assert!(
        page("sign-in", "").contains("role=\"alert\" id=\"errorText\"></p>"),
        "it is found by its id without a word too"
    );
    let right = page("password", "");
    assert!(right.contains("aria-describedby=\"errorTextPassword\" autofocus>"), "{right}");
    assert!(right.contains("<p class=\"wrong\" id=\"errorTextPassword\"></p>"), "{right}");
    let failed = page("password", wrong());
    assert!(
        failed.contains("aria-describedby=\"errorTextPassword\" aria-invalid=\"true\" autofocus>"),
        "{failed}"
    );
    assert!(failed.contains(&format!("id=\"errorTextPassword\">{}</p>", wrong())), "{failed}");
    // Where a product has no id for it, it gets one.
    let code = page("device-code", wrong());
    assert!(code.contains("aria-describedby=\"deviceAuthInput-error\" aria-invalid=\"true\""), "{code}");
    assert!(!page("device-code", "").contains("aria-describedby"));
}

#[test]
fn a_password_is_never_written_back() {
    for (name, page) in pages(plain, wrong()) {
        assert!(!page.contains("never written"), "{name}");
    }
}

#[test]
fn a_browser_insists_on_nothing_unless_a_field_says_so() {
    let of = |name| {
        let page = page(name, "");
        let form = page.split_once("<form").unwrap().1;
        (form.split_once('>').unwrap().0.contains(" novalidate"), form.contains(" required"))
    };
    assert_eq!(of("sign-in"), (true, false));
    assert_eq!(of("device-code"), (false, true));
}

#[test]
fn a_form_can_be_sent_in_the_query_and_a_button_says_what_was_pressed() {
    let field = Field::new(Kind::Text, "code", "user_code", "Code");
    let other = Button { text: "No", name: "answer", value: "no", span: None, main: false };
    let controls =
        [Control::Field(field), Control::Button(Button::main("Yes", None)), Control::Button(other)];
    let form = Form { id: "", method: Method::Get, action: "", shown: true, controls: &controls };
    let page = frame(&Page { lang: "en", title: "", provider: "", area: "a", parts: &[Part::Form(form)] });
    assert!(page.contains("<form method=\"get\" action=\"\" novalidate>"), "{page}");
    assert!(page.contains("<button type=\"submit\" class=\"main\">Yes</button>"), "{page}");
    assert!(page.contains("<button type=\"submit\" name=\"answer\" value=\"no\">No</button>"), "{page}");
    assert!(!page.contains("value=\"\""), "{page}");
}

/// Each word as somebody would hand it in who wants to leave the place where it stands.
fn hostile(word: &'static str) -> &'static str {
    Box::leak(format!("{word}\"'><script>alert('{word}')</script><b onclick=\"x").into_boxed_str())
}

#[test]
fn no_word_no_id_and_no_value_leaves_the_place_where_it_stands() {
    let shape = |page: &str| -> Vec<String> {
        let names =
            |tag: &Tag<'_>| tag.attributes.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        tags(page).iter().map(|tag| format!("{} {:?}", tag.name, names(tag))).collect()
    };
    let words = |page: &str| page.matches("alert(&#39;").count();
    for ((name, page), (_, evil)) in pages(plain, wrong()).into_iter().zip(pages(hostile, wrong())) {
        assert_eq!(shape(&page), shape(&evil), "{name}");
        assert!(!evil.contains("<script") && !evil.contains("onclick=\"x"), "{name}");
        assert!(words(&evil) > 8, "{name}: they are there, escaped");
    }
}

#[test]
fn no_page_runs_a_script_or_loads_anything() {
    for (name, page) in pages(plain, wrong()) {
        for tag in tags(&page) {
            assert!(
                !["script", "link", "img", "iframe", "object", "base"].contains(&tag.name),
                "{name}: {tag:?}"
            );
            for (attribute, _) in &tag.attributes {
                assert!(
                    !attribute.starts_with("on") && !["style", "src", "formaction"].contains(attribute),
                    "{name}: {tag:?}"
                );
            }
        }
    }
    assert!(
        FORM_POLICY.starts_with("default-src 'none'; style-src 'sha256-")
            && !FORM_POLICY.contains("form-action")
    );
}
