//! A window of the browser, and what a person does in front of it.
//!
//! Decides that nothing a person does needs a script in a page: elements are found in the document, clicked where they are seen,
//! and typed into through the keyboard. What is waited for is waited for a while. Never decides what should be seen.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::binary::must;
use crate::chromium::devtools::Chromium;

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a window is opened with.
#[derive(Clone, Copy, Default)]
pub struct Like<'l> {
    /// The proxy it asks for everything but this machine; none means none.
    pub proxy: Option<&'l str>,
    /// Whether scripts are off.
    pub no_scripts: bool,
    /// Whether whoever looks wants it dark.
    pub dark: bool,
    /// Whether it is as narrow as a phone's.
    pub narrow: bool,
}

/// A window with cookies of its own. Closed when dropped.
pub struct Window<'b> {
    browser: &'b Chromium,
    context: String,
    session: String,
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(page) = self.try_html()
        {
            #[expect(clippy::print_stderr, reason = "a failing test shows what the browser had")]
            {
                eprintln!("the window was at {}:\n{page}\n{:?}", self.address(), self.complaints());
            }
        }
        let context = json!({ "browserContextId": self.context });
        let _ = self.browser.try_ask("", "Target.disposeBrowserContext", context);
    }
}

impl<'b> Window<'b> {
    /// Opens one, with nothing in it.
    pub fn open(browser: &'b Chromium, like: Like<'_>) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        // Without a server of its own a context has none: not even what the machine is set to.
        let proxy = json!({ "proxyServer": like.proxy.unwrap_or("direct://") });
        let context = text(&browser.ask("", "Target.createBrowserContext", proxy)["browserContextId"]);
        let (width, height) = if like.narrow { (390, 760) } else { (1000, 760) };
        let target = json!({
            "url": "about:blank", "browserContextId": context, "width": width, "height": height,
        });
        let target = text(&browser.ask("", "Target.createTarget", target)["targetId"]);
        let attached =
            browser.ask("", "Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let window = Self { browser, context, session: text(&attached["sessionId"]) };
        window.ask("Log.enable", json!({}));
        // Another window may lie over it.
        window.ask("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": like.narrow });
        window.ask("Emulation.setDeviceMetricsOverride", size);
        if like.no_scripts {
            window.ask("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
        }
        let scheme = if like.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        window.ask("Emulation.setEmulatedMedia", media);
        window
    }

    fn ask(&self, method: &str, parameters: Value) -> Value {
        self.browser.ask(&self.session, method, parameters)
    }

    fn try_ask(&self, method: &str, parameters: Value) -> Result<Value, String> {
        self.browser.try_ask(&self.session, method, parameters)
    }

    /// Types an address.
    pub fn go(&self, url: &str) {
        let gone = self.ask("Page.navigate", json!({ "url": url }));
        assert!(gone.get("errorText").is_none(), "{url}: {gone}");
    }

    /// The same where the browser will not: what it shows for a reason.
    pub fn fails_to_go(&self, url: &str) -> String {
        self.ask("Page.navigate", json!({ "url": url }))["errorText"].as_str().unwrap_or_default().to_owned()
    }

    /// Where it is.
    pub fn address(&self) -> String {
        let document = self.try_ask("DOM.getDocument", json!({ "depth": 0 })).unwrap_or_default();
        document["root"]["documentURL"].as_str().unwrap_or_default().to_owned()
    }

    fn try_html(&self) -> Result<String, String> {
        let document = self.try_ask("DOM.getDocument", json!({ "depth": 0 }))?;
        let html = self.try_ask("DOM.getOuterHTML", json!({ "nodeId": document["root"]["nodeId"] }))?;
        Ok(html["outerHTML"].as_str().unwrap_or_default().to_owned())
    }

    /// The element, if the page has one.
    fn find(&self, selector: &str) -> Option<Value> {
        let document = self.try_ask("DOM.getDocument", json!({ "depth": 0 })).ok()?;
        let query = json!({ "nodeId": document["root"]["nodeId"], "selector": selector });
        let found = self.try_ask("DOM.querySelector", query).ok()?["nodeId"].clone();
        (found != 0).then_some(found)
    }

    /// The middle of what is seen of an element; nothing of one that is not shown.
    fn middle(&self, node: &Value) -> Option<(f64, f64)> {
        let quads = self.try_ask("DOM.getContentQuads", json!({ "nodeId": node })).ok()?;
        let corners: Vec<f64> = quads["quads"][0].as_array()?.iter().filter_map(Value::as_f64).collect();
        let [left, top, right, _, _, bottom, ..] = corners[..] else { return None };
        (right > left && bottom > top).then(|| (f64::midpoint(left, right), f64::midpoint(top, bottom)))
    }

    /// Whether it is there to be seen.
    pub fn sees(&self, selector: &str) -> bool {
        self.find(selector).is_some_and(|node| self.middle(&node).is_some())
    }

    /// Its words; nothing where there is no such element.
    pub fn text(&self, selector: &str) -> String {
        let node = self.find(selector).unwrap_or_default();
        let told = self.try_ask("DOM.describeNode", json!({ "nodeId": node, "depth": -1 }));
        let mut words = String::new();
        collect(&told.unwrap_or_default()["node"], &mut words);
        words
    }

    /// The page as it is read: its title, and below it the lines that are seen; what is said twice in a row counts once.
    pub fn reads(&self) -> Vec<String> {
        let words = json!({ "expression": "document.title + '\\n' + document.body.innerText" });
        let words = self.try_ask("Runtime.evaluate", words).unwrap_or_default();
        let words = words["result"]["value"].as_str().unwrap_or_default();
        let mut lines: Vec<String> = words.lines().map(|line| line.trim().to_owned()).collect();
        lines.retain(|line| !line.is_empty());
        lines.dedup();
        lines
    }

    /// An attribute of an element that is there; for a field its value is what the page was sent with.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let node = self.find(selector).unwrap_or_else(|| panic!("no {selector}"));
        let told = self.ask("DOM.getAttributes", json!({ "nodeId": node }));
        let all = told["attributes"].as_array()?.chunks(2);
        let mut all = all.filter(|pair| pair[0] == name);
        all.next().and_then(|pair| pair[1].as_str().map(str::to_owned))
    }

    /// Waits until something is so.
    pub fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            std::thread::sleep(Duration::from_millis(15));
        }
    }

    /// Waits until an element is seen.
    pub fn waits_for(&self, selector: &str) {
        self.until(selector, |window| window.sees(selector));
    }

    /// Clicks on it.
    pub fn press(&self, selector: &str) {
        self.waits_for(selector);
        let node = self.find(selector).unwrap_or_default();
        self.ask("DOM.scrollIntoViewIfNeeded", json!({ "nodeId": node }));
        let (x, y) = self.middle(&node).unwrap_or_else(|| panic!("{selector} has gone"));
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", event);
        }
    }

    /// Types where the cursor is.
    pub fn types(&self, text: &str) {
        self.ask("Input.insertText", json!({ "text": text }));
    }

    /// Clicks into a field and types over what it holds.
    pub fn fills(&self, selector: &str, text: &str) {
        self.press(selector);
        self.ask("Input.dispatchKeyEvent", json!({ "type": "keyDown", "commands": ["selectAll"] }));
        self.types(text);
    }

    /// Strikes a key.
    pub fn strikes(&self, key: Key) {
        let (name, code, text) = match key {
            Key::Enter => ("Enter", 13, "\r"),
            Key::Tab => ("Tab", 9, ""),
            Key::Space => (" ", 32, " "),
        };
        let mut event = json!({ "type": "keyDown", "key": name, "windowsVirtualKeyCode": code });
        if !text.is_empty() {
            event["text"] = json!(text);
        }
        self.ask("Input.dispatchKeyEvent", event);
        let event = json!({ "type": "keyUp", "key": name, "windowsVirtualKeyCode": code });
        self.ask("Input.dispatchKeyEvent", event);
    }

    /// Whether typing goes there.
    pub fn has_focus(&self, selector: &str) -> bool {
        self.find(&format!("{selector}:focus")).is_some()
    }

    /// Its cookies.
    pub fn cookies(&self) -> Vec<Value> {
        let all = self.browser.ask("", "Storage.getCookies", json!({ "browserContextId": self.context }));
        all["cookies"].as_array().cloned().unwrap_or_default()
    }

    /// What the browser said is wrong with pages that were shown, but for advice (the names of fields are AD FS's) and an icon.
    pub fn complaints(&self) -> Vec<String> {
        let mut entries = self.browser.log_of(&self.session);
        entries.retain(|entry| {
            let icon = entry["url"].as_str().is_some_and(|url| url.ends_with("/favicon.ico"));
            entry["source"] != "recommendation" && !icon
        });
        entries
            .iter()
            .map(|entry| format!("{}: {} {}", entry["source"], entry["text"], entry["url"]))
            .collect()
    }

    /// A picture of it, where `SCREENSHOTS` names a folder for them.
    pub fn pictured(&self, name: &str) {
        let Some(folder) = std::env::var_os("SCREENSHOTS") else { return };
        let picture = self.ask("Page.captureScreenshot", json!({ "format": "png" }));
        let picture = must(STANDARD.decode(picture["data"].as_str().unwrap_or_default()), name);
        must(std::fs::create_dir_all(&folder), "the folder of SCREENSHOTS");
        must(std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture), name);
    }
}

/// A key that does something else than write.
#[derive(Clone, Copy)]
pub enum Key {
    /// Sends a form.
    Enter,
    /// Goes on to what is next.
    Tab,
    /// Ticks a box.
    Space,
}

fn collect(node: &Value, words: &mut String) {
    if node["nodeType"] == 3 {
        words.push_str(node["nodeValue"].as_str().unwrap_or_default());
    }
    for child in node["children"].as_array().into_iter().flatten() {
        collect(child, words);
    }
}
