//! A plan as it is stored with a delivery.

use transom_adapter::{ExternalId, Plan, Route};

use super::Gateway;
use crate::store::{StoredRoute, write::IdRow};

/// The ids that are known before the first attempt.
pub(super) fn id_rows(gateway: &Gateway, plan: &Plan, delivery_id: i64) -> Vec<IdRow> {
    let Some(scope_id) = plan
        .routes
        .first()
        .and_then(|route| gateway.scope_id(&route.account))
    else {
        return Vec::new();
    };
    let row = |id: &ExternalId| IdRow {
        scope_id,
        kind: id.kind,
        value: id.value.clone(),
        part: id.part,
        delivery_id,
    };
    plan.ids.iter().map(row).collect()
}

/// The accounts that can carry it, as they are stored.
pub(super) fn stored_routes(plan: &Plan) -> Vec<StoredRoute> {
    let route = |route: &Route| StoredRoute(route.account.short().to_owned(), route.units.get());
    plan.routes.iter().map(route).collect()
}
