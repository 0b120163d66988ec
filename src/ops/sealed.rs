//! A ledger that no secret gets into: the last net behind the tokens of plans.
//!
//! What Azure answers may hold a secret that it was given. It is then in an output, or in what another resource was
//! asked for with that output. Ids and addresses stay as they are: a name that is no longer true would lose its resource.

use crate::ledger::store::{Error, Loaded, Past, Store, Taken};
use crate::ledger::{Ledger, Record};
use crate::value::redact::Redactor;
use crate::value::token::{self, Token};
use async_trait::async_trait;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// A store to which no secret is written that `redactor` knows.
pub fn sealed(inner: Arc<dyn Store>, redactor: &Redactor) -> Arc<dyn Store> {
    Arc::new(Sealed { inner, redactor: redactor.clone() })
}

struct Sealed {
    inner: Arc<dyn Store>,
    redactor: Redactor,
}

impl Sealed {
    fn leaks(&self, value: &impl serde::Serialize) -> bool {
        serde_json::to_string(value).is_ok_and(|text| self.redactor.is_leaked_by(&text))
    }

    fn conceal(&self, value: &mut Value) {
        match value {
            // Ids are names.
            Value::String(text) if text.starts_with("/subscriptions/") || token::has_token(text) => {}
            Value::String(text) if self.redactor.is_leaked_by(text) => {
                *text = Token::Secret { name: String::new() }.encode();
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.conceal(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.conceal(member)),
            _ => {}
        }
    }

    fn ledger<'l>(&self, ledger: &'l Ledger) -> Cow<'l, Ledger> {
        if !self.leaks(ledger) {
            return Cow::Borrowed(ledger);
        }
        let mut ledger = ledger.clone();
        // Secret outputs are never kept.
        ledger.outputs.retain(|_, value| !self.leaks(value));
        for owned in ledger.resources.values_mut().filter(|owned| self.leaks(&owned.applied)) {
            self.conceal(&mut owned.applied);
        }
        Cow::Owned(ledger)
    }

    /// Whether what a record says of a resource holds a secret.
    fn tells(&self, record: &Record) -> bool {
        match record {
            Record::Intent { owned: Some(owned), .. } | Record::Done { owned: Some(owned), .. } => {
                self.leaks(&owned.applied)
            }
            _ => false,
        }
    }

    fn record(&self, record: &Record) -> Record {
        let mut record = record.clone();
        if let Record::Intent { owned: Some(owned), .. } | Record::Done { owned: Some(owned), .. } =
            &mut record
            && self.leaks(&owned.applied)
        {
            self.conceal(&mut owned.applied);
        }
        record
    }
}

#[async_trait]
impl Store for Sealed {
    async fn load(&self) -> Result<Loaded, Error> {
        self.inner.load().await
    }

    async fn lock(&self) -> Result<Taken, Error> {
        self.inner.lock().await
    }

    async fn unlock(&self) {
        self.inner.unlock().await;
    }

    async fn append(&self, record: &Record) -> Result<(), Error> {
        self.inner.append(&self.record(record)).await
    }

    async fn append_all(&self, records: &[Record]) -> Result<(), Error> {
        if !records.iter().any(|record| self.tells(record)) {
            return self.inner.append_all(records).await;
        }
        let records: Vec<Record> = records.iter().map(|record| self.record(record)).collect();
        self.inner.append_all(&records).await
    }

    async fn save(&self, ledger: &Ledger) -> Result<(), Error> {
        self.inner.save(&self.ledger(ledger)).await
    }

    async fn lost(&self) -> Error {
        self.inner.lost().await
    }

    async fn holder(&self) -> Result<Option<String>, Error> {
        self.inner.holder().await
    }

    async fn history(&self) -> Result<Vec<Past>, Error> {
        self.inner.history().await
    }

    fn place(&self) -> String {
        self.inner.place()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::DeleteMode;
    use crate::ident::{Address, ArmId};
    use crate::ledger::Owned;
    use crate::ledger::store::MemoryStore;
    use serde_json::json;

    #[tokio::test]
    async fn what_azure_gave_back_of_a_secret_is_not_kept() {
        let redactor = Redactor::new();
        redactor.learn("Hush-7f3e9b");
        let store = sealed(Arc::new(MemoryStore::default()), &redactor);
        let mut ledger = Ledger::new("shop", "salt");
        ledger.outputs.insert("told".into(), json!("x Hush-7f3e9b"));
        ledger.outputs.insert("plain".into(), json!("x"));
        let id = ArmId::resource_group("s", "Hush-7f3e9b");
        let owned = Owned {
            address: Address::new("a"),
            arm_type: "Microsoft.Resources/resourceGroups".into(),
            api_version: "1".into(),
            applied: json!({ "a": ["Hush-7f3e9b", "x"], "id": id.as_str() }),
            depends_on: vec![],
            digests: Default::default(),
            version: None,
            protect: false,
            delete: DeleteMode::Own,
            lanes: vec![],
        };
        ledger.resources.insert(id.clone(), owned.clone());
        store.save(&ledger).await.unwrap();
        let kept = store.load().await.unwrap().ledger.unwrap();
        assert_eq!(kept.outputs.keys().collect::<Vec<_>>(), ["plain"]);
        let applied = json!({ "a": ["(secret)", "x"], "id": id.as_str() });
        assert_eq!(token::display(&kept.resources[&id].applied), applied);
        store.append(&Record::Done { id: id.clone(), owned: Some(Box::new(owned)) }).await.unwrap();
        let kept = store.load().await.unwrap().ledger.unwrap();
        assert_eq!(token::display(&kept.resources[&id].applied), applied);
    }
}
