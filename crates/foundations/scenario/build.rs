//! Finds the built-in scenarios: every file in `scenarios/` is one, in the order its member `order` says.
//!
//! Reads the YAML, so that what ships needs no reader of it; what a scenario is, is read later, and a test reads every file with
//! the strict reader. A file without an order, or with one that another file has, is no build.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=scenarios");
    let target = env::var_os("OUT_DIR").expect("cargo says where to write");
    match table(Path::new("scenarios")) {
        Ok(table) => {
            fs::write(Path::new(&target).join("scenarios.rs"), table)
                .expect("the target directory is writable");
        }
        Err(why) => println!("cargo::error={why}"),
    }
}

/// The table as an expression: name and text of each scenario, as JSON.
fn table(directory: &Path) -> Result<String, String> {
    let mut found: BTreeMap<u32, (String, String)> = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(|why| format!("scenarios/: {why}"))? {
        let file = entry.map_err(|why| format!("scenarios/: {why}"))?.file_name();
        let file = file.to_str().ok_or_else(|| format!("scenarios/{} is no name", file.display()))?;
        // What an editor keeps beside the file it edits.
        if file.starts_with('.') || file.ends_with('~') {
            continue;
        }
        let plain = |name: &&str| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let name = file
            .strip_suffix(".yaml")
            .filter(plain)
            .ok_or_else(|| format!("scenarios/{file}: a scenario is a file called kebab-case.yaml"))?;
        let text =
            fs::read_to_string(directory.join(file)).map_err(|why| format!("scenarios/{file}: {why}"))?;
        let value: serde_json::Value =
            serde_saphyr::from_str(&text).map_err(|why| format!("scenarios/{file}: {why}"))?;
        let order = value
            .get("order")
            .and_then(serde_json::Value::as_u64)
            .and_then(|order| u32::try_from(order).ok())
            .ok_or_else(|| format!("scenarios/{file}: no `order: NUMBER` says where it is listed"))?;
        if let Some((other, _)) = found.insert(order, (name.to_owned(), value.to_string())) {
            return Err(format!("scenarios/{file}: order {order} is that of scenarios/{other}.yaml already"));
        }
    }
    if found.is_empty() {
        return Err("scenarios/ holds no scenario".to_owned());
    }
    let mut table = "&[\n".to_owned();
    for (name, json) in found.values() {
        // Writing to a String cannot fail.
        let _ = writeln!(table, "({name:?}, {json:?}),");
    }
    table.push(']');
    Ok(table)
}
