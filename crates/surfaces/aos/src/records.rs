//! The business records of every environment of a lab.
//!
//! Decides when they come into being (with the first request that needs them, from the world's declaration) and that a
//! reset forgets them. A restart does not: a restart of an AOS leaves its database alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use mocktenant_lab::Site;
use mocktenant_tables::{Database, Limits, SchemaError, Transaction};
use mocktenant_world::Environment;

use crate::entities::{ENTITIES, Entity};

/// An AOS stand-in for tests needs no more rows than this per environment.
const LIMITS: Limits = Limits { max_rows: 200_000, max_row_bytes: 64 * 1024 };

/// Databases by environment.
#[derive(Default)]
pub(crate) struct Records(Mutex<HashMap<Site, Database>>);

impl Records {
    /// The database of an environment, made from its declaration if this is the first time.
    pub(crate) fn open(
        &self,
        site: &Site,
        environment: Option<&Environment>,
    ) -> Result<Database, SchemaError> {
        // Entries are added whole, so what a panic leaves behind is still right.
        let mut databases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = databases.get(site) {
            return Ok(database.clone());
        }
        let database = Database::new(ENTITIES.iter().map(Entity::schema), LIMITS)?;
        if let Some(environment) = environment {
            fill(&database, environment);
        }
        databases.insert(site.clone(), database.clone());
        Ok(database)
    }

    /// Forgets all rows.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Takes over the declared rows. A row without its key, or with one that is taken, is left out: the first of two stands.
fn fill(database: &Database, environment: &Environment) {
    let mut transaction = Transaction::begin(database);
    for entity in &ENTITIES {
        let Some(rows) = environment.records.get(entity.set) else { continue };
        for row in rows.values() {
            let _left_out = transaction.reserve_insert(entity.set, entity.completed(row.clone()));
        }
    }
    let _inserted = transaction.commit();
}
