//! Which private endpoint a network interface is of.

use crate::core::json::list;
use crate::core::path::group_of;
use crate::core::store::Resource;
use crate::core::world::World;

/// The endpoint that has an interface.
pub(super) fn endpoint<'w>(world: &'w World, key: &str) -> Option<&'w Resource> {
    let group = group_of(key)?;
    let collection = format!("{group}/providers/microsoft.network/privateendpoints");
    let mut endpoints = world.state.resources.members(&collection).map(|(_, endpoint)| endpoint);
    endpoints.find(|endpoint| {
        list(&endpoint.body, "properties.networkInterfaces")
            .iter()
            .filter_map(|one| one.get("id")?.as_str())
            .any(|id| id.eq_ignore_ascii_case(key))
    })
}
