//! A unit of work: changes of records that become true together, here and in Dataverse.
//!
//! Decides the order in which a write goes on: reserve the records, deliver them, commit. If a delivery fails the reservations are
//! dropped, and there is no record, as in the real unit of work. A change set is one unit too, here and in Dataverse, which gets its
//! records together.

use std::sync::Arc;

use mocktenant_lab::Exchange;
use mocktenant_tables::{Commit, Database, Reserved, Snapshot, Transaction, Values};

use super::Entity;
use crate::dual_write::{self, Operation, Written};
use crate::errors::{DualWriteError, ODataError};
use crate::node::NodeState;

/// Why a write did not happen.
pub(crate) enum WriteError {
    /// The request is wrong.
    OData(ODataError),
    /// It did not arrive in Dataverse.
    DualWrite(DualWriteError),
}

impl From<ODataError> for WriteError {
    fn from(error: ODataError) -> Self {
        Self::OData(error)
    }
}

impl From<DualWriteError> for WriteError {
    fn from(error: DualWriteError) -> Self {
        Self::DualWrite(error)
    }
}

/// Changes that become true together.
pub(crate) struct Unit {
    pub(super) transaction: Transaction,
    /// What is committed where the unit begins.
    pub(super) snapshot: Snapshot,
    deliveries: Vec<Delivery>,
}

/// One change that may have to reach Dataverse.
struct Delivery {
    /// The entity, by its position in the schema.
    table: usize,
    operation: Operation,
    row: Arc<Values>,
}

impl Unit {
    /// Nothing yet.
    pub(crate) fn begin(database: &Database) -> Self {
        // Begun before the look, so that whatever is seen can still be reserved or is refused.
        let transaction = Transaction::begin(database);
        Self { transaction, snapshot: database.snapshot(), deliveries: Vec::new() }
    }

    /// Notes what has to be delivered of a change that is reserved.
    pub(super) fn deliver(&mut self, entity: Entity<'_>, operation: Operation, reserved: &Reserved) {
        let row = Arc::clone(&reserved.values);
        self.deliveries.push(Delivery { table: entity.position(), operation, row });
    }

    /// Records of an entity that are new in this unit.
    pub(super) fn inserted(&self, entity: Entity<'_>) -> impl Iterator<Item = &Values> {
        let new = move |one: &&Delivery| one.table == entity.position() && one.operation == Operation::Insert;
        self.deliveries.iter().filter(new).map(|one| &*one.row)
    }

    /// Delivers every change and makes all of them visible. A reset in the meantime took them away, here and in Dataverse. Says
    /// which of the changes failed, counted from 0, and why.
    pub(crate) async fn finish(
        self,
        exchange: &mut Exchange,
        node: &NodeState,
    ) -> Result<Commit, (usize, WriteError)> {
        let schema = Arc::clone(self.transaction.schema());
        // the transaction's own schema has every table of its deliveries
        let deliveries = self.deliveries.iter();
        let written: Vec<Written<'_>> = deliveries
            .filter_map(|Delivery { table, operation, row }| {
                Some(Written { entity: schema.at(*table)?, operation: *operation, row })
            })
            .collect();
        // Dual Write is no feature of an installation on-premises.
        if let Some(node) = node.one_box() {
            let Exchange { context, trail, .. } = exchange;
            let delivered = dual_write::deliver(context, trail, node, &written).await;
            delivered.map_err(|(at, error)| (at, error.into()))?;
        }
        exchange.context.commit(self.transaction).map_err(|_| (0, ODataError::Restarted.into()))
    }
}
