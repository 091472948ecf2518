//! A unit of work: changes of records that become true together, here and in Dataverse.
//!
//! Decides the order in which a write goes on: reserve the records, deliver them, commit. If a delivery fails the reservations are
//! dropped, and there is no record, as in the real unit of work. A change set is one unit too: Dataverse takes its records one by
//! one, so what was delivered before the one that failed is taken back there, newest first; what cannot be taken back the record of
//! the exchange tells.

use std::sync::Arc;

use mocktenant_lab::Exchange;
use mocktenant_schema::Schema;
use mocktenant_tables::{Commit, Database, Reserved, Snapshot, Transaction, Values};

use super::Entity;
use crate::dual_write::map::MAPS;
use crate::dual_write::{self, Operation};
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

/// One change on its way to Dataverse.
struct Delivery {
    /// The entity, by its position in the schema.
    table: usize,
    operation: Operation,
    row: Arc<Values>,
    /// The record as it was before.
    before: Option<Arc<Values>>,
}

impl Unit {
    /// Nothing yet.
    pub(crate) fn begin(database: &Database) -> Self {
        // Begun before the look, so that whatever is seen can still be reserved or is refused.
        let transaction = Transaction::begin(database);
        Self { transaction, snapshot: database.snapshot(), deliveries: Vec::new() }
    }

    /// Notes what has to be delivered of a change that is reserved.
    pub(super) fn deliver(
        &mut self,
        entity: Entity<'_>,
        operation: Operation,
        reserved: &Reserved,
        before: Option<Arc<Values>>,
    ) {
        let row = Arc::clone(&reserved.values);
        self.deliveries.push(Delivery { table: entity.position(), operation, row, before });
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
        for (at, delivery) in self.deliveries.iter().enumerate() {
            if let Err(error) = delivery.send(exchange, node, &schema).await {
                for delivered in self.deliveries.iter().take(at).rev() {
                    delivered.take_back(exchange, node, &schema).await;
                }
                return Err((at, error.into()));
            }
        }
        exchange.context.commit(self.transaction).map_err(|_| (0, ODataError::Restarted.into()))
    }
}

impl Delivery {
    async fn send(
        &self,
        exchange: &mut Exchange,
        node: &NodeState,
        schema: &Schema,
    ) -> Result<(), DualWriteError> {
        // the transaction's own schema has it
        let Some(entity) = schema.at(self.table) else { return Ok(()) };
        send(exchange, node, entity, self.operation, &self.row).await
    }

    /// Undoes in Dataverse what it took already. Whether that can be done does not change the answer.
    async fn take_back(&self, exchange: &mut Exchange, node: &NodeState, schema: &Schema) {
        let Some(entity) = schema.at(self.table) else { return };
        let (operation, row) = match (self.operation, &self.before) {
            (Operation::Insert, _) => (Operation::Delete, &self.row),
            (Operation::Update, Some(before)) => (Operation::Update, before),
            (Operation::Delete, _) => (Operation::Insert, &self.row),
            (Operation::Update, None) => return,
        };
        if let Err(error) = send(exchange, node, entity, operation, row).await {
            exchange.trail.fact("not-taken-back", format!("{}: {}", entity.set(), error.row().id));
        }
    }
}

async fn send(
    exchange: &mut Exchange,
    node: &NodeState,
    entity: Entity<'_>,
    operation: Operation,
    row: &Values,
) -> Result<(), DualWriteError> {
    // Dual Write is no feature of an installation on-premises.
    let Some(node) = node.one_box() else { return Ok(()) };
    let Exchange { context, trail, .. } = exchange;
    for map in MAPS.into_iter().filter(|map| map.internal == entity.set()) {
        dual_write::deliver(context, trail, node, map, operation, (entity, row)).await?;
    }
    Ok(())
}
