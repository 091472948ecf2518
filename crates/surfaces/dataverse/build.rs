//! Compiles the tables, one file each in `tables/`, to a constant.

use mocktenant_schema::Unset;
use mocktenant_schema::files::{Reader, build};

fn main() {
    let reader = Reader {
        table: |text| serde_saphyr::from_str(text).map_err(|why| why.to_string()),
        choices: |text| serde_saphyr::from_str(text).map_err(|why| why.to_string()),
    };
    build(&reader, Unset::Null);
}
