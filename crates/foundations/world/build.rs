//! Reads the default world, so that what ships needs no reader of YAML: a file that cannot be read is no build.

use std::path::Path;
use std::{env, fs};

const FILE: &str = "assets/contoso.yaml";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FILE}");
    let target = env::var_os("OUT_DIR").expect("cargo says where to write");
    match json() {
        Ok(json) => fs::write(Path::new(&target).join("contoso.json"), json)
            .expect("the target directory is writable"),
        Err(why) => println!("cargo::error={FILE}: {why}"),
    }
}

fn json() -> Result<String, String> {
    let text = fs::read_to_string(FILE).map_err(|why| why.to_string())?;
    let value: serde_json::Value = serde_saphyr::from_str(&text).map_err(|why| why.to_string())?;
    Ok(value.to_string())
}
