//! What can be asked before anything is made: what the caller may do.

use crate::core::behaviour::{Answer, ok};
use serde_json::json;

/// `GET {scope}/providers/Microsoft.Authorization/permissions`: the caller is the owner of everything here.
pub(crate) fn permissions() -> Answer {
    let owner = json!({ "actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": [] });
    ok(&json!({ "value": [owner] }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn permissions_are_told() {
        let bench = Bench::new().await;
        let permissions = bench.get("/providers/Microsoft.Authorization/permissions").await;
        assert_eq!(permissions.at("/value/0/actions"), &json!(["*"]));
    }
}
