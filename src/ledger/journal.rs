//! The journal of a run: one record before each call and one after, appended and flushed to the disk.
//!
//! A line is a checksum, a space and a record as JSON. The last line may be torn (the process was killed while it
//! wrote): it is dropped. A damaged line before the last is refused: what follows it cannot be trusted.

use super::model::{Ledger, Owned};
use super::unusable::{Misfit, Stray};
use crate::change::Action;
use crate::ident::{Address, ArmId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// One thing that a run was about to do, or that came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Record {
    /// Whose journal this is: the first record of a run.
    Of {
        /// The owner of the ledger, as its tag says it.
        owner: String,
        /// The salt of the ledger, which tells it from every other.
        salt: String,
    },
    /// A step is about to send its first request.
    Intent {
        /// The resource.
        address: Address,
        /// Its id.
        id: ArmId,
        /// What is done to it.
        action: Action,
        /// What the ledger will hold once it is done, with everything that is asked for; absent for what the ledger does
        /// not hold.
        owned: Option<Box<Owned>>,
        /// What its writes go by; absent in what older berths wrote.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_as: Option<SentAs>,
    },
    /// Azure accepted a request and works on it: what to poll, as the client wrote it.
    Accepted {
        /// The resource.
        id: ArmId,
        /// The operation.
        operation: Value,
    },
    /// The resource is as asked, and owned.
    Done {
        /// The resource.
        id: ArmId,
        /// What the ledger holds from now on.
        owned: Option<Box<Owned>>,
    },
    /// The resource is no longer owned: deleted, or forgotten.
    Gone {
        /// The resource.
        id: ArmId,
        /// Whether it stays, with the ownership tag on it: see [`Ledger::released`].
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        released: bool,
    },
    /// The step did not work; whether anything came of it is for Azure to tell.
    Failed {
        /// The resource.
        id: ArmId,
    },
}

impl Record {
    /// The record that begins the journal of a run.
    pub fn of(ledger: &Ledger) -> Self {
        Record::Of { owner: ledger.owner().to_string(), salt: ledger.salt.clone() }
    }
}

/// What requests go by: Azure's logs and its support find them by these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentAs {
    /// The `x-ms-client-request-id` of the step's writes.
    pub request_id: Uuid,
    /// The `x-ms-correlation-request-id` of the whole run.
    pub correlation_id: String,
}

/// A step that was begun and of whose end nothing is known.
#[derive(Debug, Clone, PartialEq)]
pub struct InFlight {
    /// The resource.
    pub address: Address,
    /// Its id.
    pub id: ArmId,
    /// What was being done to it.
    pub action: Action,
    /// The operation that Azure accepted, if it got that far.
    pub operation: Option<Value>,
    /// What its writes went by, when that is known.
    pub sent_as: Option<SentAs>,
}

/// A record as a line, its end included.
///
/// # Panics
/// When a record does not serialise, which none does.
pub fn line(record: &Record) -> String {
    let json = serde_json::to_string(record).expect("a record serialises");
    format!("{} {json}\n", checksum(&json))
}

pub(super) fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a line says, when its checksum is right.
pub(super) fn checked(line: &str) -> Option<&str> {
    let (sum, json) = line.split_once(' ')?;
    (sum == checksum(json)).then_some(json)
}

/// Reads the lines of a journal.
///
/// # Errors
/// The number of a damaged line that is not the last.
pub fn parse(bytes: &[u8]) -> Result<Vec<Record>, usize> {
    let mut records = Vec::new();
    let mut lines = bytes.split(|&byte| byte == b'\n').enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let json = std::str::from_utf8(line).ok().and_then(checked);
        let record = json.and_then(|json| serde_json::from_str(json).ok());
        match record {
            // Without its line end the last record may still be whole; then it counts.
            Some(record) => records.push(record),
            None if lines.peek().is_none() => {}
            None => return Err(number + 1),
        }
    }
    Ok(records)
}

/// Puts the records into the ledger, in their order, and tells what was under way at the end.
///
/// # Errors
/// The position of a record that cannot be of this ledger, from 0, and what is wrong with it.
pub fn fold(ledger: &mut Ledger, records: Vec<Record>) -> Result<Vec<InFlight>, (usize, Stray)> {
    let mut open: Vec<InFlight> = Vec::new();
    // What is asked for by creates of which nothing is known but that they were about to be sent.
    let mut begun: HashMap<ArmId, Owned> = HashMap::new();
    for (at, record) in records.into_iter().enumerate() {
        fits(ledger, &record).map_err(|why| (at, why))?;
        match record {
            Record::Of { .. } => {}
            Record::Intent { address, id, action, owned, sent_as } => {
                // From here on it may exist: it is owned, and Azure tells how far it came. That it was made as asked is not
                // known before Azure has accepted it: what is there without the tag may be somebody else's.
                if let Some(owned) = owned.filter(|_| !ledger.resources.contains_key(&id)) {
                    ledger.resources.insert(id.clone(), unconfirmed(&owned));
                    begun.insert(id.clone(), *owned);
                }
                // What is replaced may be cleared away, and made again by somebody else.
                if action == Action::Replace
                    && !begun.contains_key(&id)
                    && let Some(known) = ledger.resources.get_mut(&id)
                {
                    *known = unconfirmed(known);
                }
                open.retain(|other| other.id != id);
                open.push(InFlight { address, id, action, operation: None, sent_as });
            }
            Record::Accepted { id, operation } => {
                if let Some(step) = open.iter_mut().find(|step| step.id == id) {
                    step.operation = Some(operation);
                }
                if let Some(owned) = begun.get(&id) {
                    ledger.resources.insert(id, owned.clone());
                }
            }
            Record::Done { id, owned } => {
                open.retain(|step| step.id != id);
                begun.remove(&id);
                if let Some(owned) = owned {
                    ledger.own(id, *owned);
                }
            }
            Record::Gone { id, released } => {
                open.retain(|step| step.id != id);
                ledger.disown(&id, released);
                begun.remove(&id);
            }
            Record::Failed { id } => {
                open.retain(|step| step.id != id);
                if let Some(owned) = begun.remove(&id) {
                    ledger.resources.insert(id, unconfirmed(&owned));
                }
            }
        }
    }
    Ok(open)
}

/// What the ledger holds of a create of whose end nothing is known.
fn unconfirmed(owned: &Owned) -> Owned {
    Owned { applied: json!({}), digests: BTreeMap::new(), version: None, ..owned.clone() }
}

/// Whether a record can be of this ledger.
fn fits(ledger: &Ledger, record: &Record) -> Result<(), Stray> {
    let (id, owned, address) = match record {
        Record::Of { owner, salt } => {
            return match *salt == ledger.salt {
                true => Ok(()),
                false => Err(Stray::Other(owner.clone())),
            };
        }
        Record::Intent { id, owned, address, .. } => (id, owned.as_deref(), Some(address)),
        Record::Done { id, owned } => (id, owned.as_deref(), None),
        Record::Accepted { id, .. } | Record::Gone { id, .. } | Record::Failed { id } => (id, None, None),
    };
    let bad = |why| Stray::Entry { id: id.clone(), why };
    ledger.may_hold(id).map_err(bad)?;
    owned.map_or(Ok(()), |owned| owned.check(id)).map_err(bad)?;
    match address.filter(|address| !address.is_well_formed()) {
        Some(address) => Err(bad(Misfit::Address(address.as_str().to_owned()))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::DeleteMode;

    fn id(name: &str) -> ArmId {
        ArmId::resource_group("s", name)
    }

    fn owned(name: &str) -> Option<Box<Owned>> {
        Some(Box::new(Owned {
            address: Address::new(name),
            arm_type: "Microsoft.Resources/resourceGroups".into(),
            api_version: "1".into(),
            applied: json!({}),
            depends_on: vec![],
            digests: Default::default(),
            version: None,
            protect: false,
            delete: DeleteMode::Own,
            lanes: vec![],
        }))
    }

    fn records() -> Vec<Record> {
        let intent = |name: &str| Record::Intent {
            address: Address::new(name),
            id: id(name),
            action: Action::Create,
            owned: owned(name),
            sent_as: None,
        };
        vec![
            intent("a"),
            intent("b"),
            Record::Accepted { id: id("b"), operation: json!({ "poll": 1 }) },
            Record::Done { id: id("a"), owned: owned("a") },
            Record::Gone { id: id("c"), released: false },
        ]
    }

    /// Without a confirmation what is there counts as the ledger's only by its tag, which `applied` having it would replace.
    #[test]
    fn what_was_begun_and_not_confirmed_is_held_without_what_was_asked_for() {
        let asked = |text: &str| {
            Some(Box::new(Owned {
                applied: json!({ "tags": { "berth-blueprint": text } }),
                ..*owned("a").unwrap()
            }))
        };
        let intent = |action| Record::Intent {
            address: Address::new("a"),
            id: id("a"),
            action,
            owned: asked("new"),
            sent_as: None,
        };
        let accepted = || Record::Accepted { id: id("a"), operation: json!({}) };
        let failed = || Record::Failed { id: id("a") };
        let done = || Record::Done { id: id("a"), owned: asked("new") };
        for (known, records, wanted) in [
            (false, vec![intent(Action::Create)], json!({})),
            (
                false,
                vec![intent(Action::Create), accepted()],
                json!({ "tags": { "berth-blueprint": "new" } }),
            ),
            (false, vec![intent(Action::Create), accepted(), failed()], json!({})),
            (false, vec![intent(Action::Create), done()], json!({ "tags": { "berth-blueprint": "new" } })),
            (true, vec![intent(Action::Update)], json!({ "tags": { "berth-blueprint": "old" } })),
            (true, vec![intent(Action::Update), failed()], json!({ "tags": { "berth-blueprint": "old" } })),
            (true, vec![intent(Action::Replace)], json!({})),
            (true, vec![intent(Action::Replace), accepted()], json!({})),
            (
                true,
                vec![intent(Action::Replace), accepted(), done()],
                json!({ "tags": { "berth-blueprint": "new" } }),
            ),
        ] {
            let mut ledger = Ledger::new("shop", "salt");
            if known {
                ledger.resources.insert(id("a"), *asked("old").unwrap());
            }
            let told = format!("{records:?}");
            fold(&mut ledger, records).unwrap();
            assert_eq!(ledger.resources[&id("a")].applied, wanted, "{told}");
        }
    }

    #[test]
    fn folding_tells_what_was_under_way() {
        let mut ledger = Ledger::new("shop", "salt");
        ledger.resources.insert(id("c"), *owned("c").unwrap());
        let open = fold(&mut ledger, records()).unwrap();
        assert_eq!(ledger.resources.keys().map(|id| id.name()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].operation, Some(json!({ "poll": 1 })));
    }

    #[test]
    fn records_of_another_ledger_are_refused() {
        use crate::ledger::Estate;
        let mut ledger = Ledger::new("shop", "salt");
        ledger.estate = Some(Estate { subscription: Some("s".into()), ..Estate::default() });
        let of = |salt: &str| Record::Of { owner: "shop/dev".into(), salt: salt.into() };
        assert!(fold(&mut ledger.clone(), [vec![of("salt")], records()].concat()).is_ok());
        let other = ArmId::resource_group("t", "x");
        let wrong = |change: fn(&mut Owned)| {
            let mut owned = owned("x");
            owned.iter_mut().for_each(|owned| change(owned));
            Record::Done { id: id("x"), owned }
        };
        for (record, why) in [
            (of("pepper"), "is of another ledger, one of `shop/dev`"),
            (Record::Gone { id: other.clone(), released: false }, "is in the subscription `t`"),
            (Record::Accepted { id: other.clone(), operation: json!({}) }, "is in the subscription `t`"),
            (Record::Failed { id: other.clone() }, "is in the subscription `t`"),
            (Record::Done { id: other, owned: owned("x") }, "is in the subscription `t`"),
            (wrong(|owned| owned.arm_type = "Microsoft.KeyVault/vaults".into()), "its id is of another"),
            (wrong(|owned| owned.address = Address::new("../x")), "not an address"),
            (wrong(|owned| owned.api_version = "1?x".into()), "not one"),
        ] {
            let (at, found) = fold(&mut ledger.clone(), [records(), vec![record]].concat()).unwrap_err();
            assert!(at == 5 && found.to_string().contains(why), "{at} {found}");
        }
    }

    #[test]
    fn a_torn_tail_loses_at_most_the_last_record() {
        let text: String = records().iter().map(line).collect();
        let last = text[..text.len() - 1].rfind('\n').unwrap() + 1;
        for cut in last..=text.len() {
            let read = parse(&text.as_bytes()[..cut]).unwrap();
            let whole = cut + 1 >= text.len();
            assert_eq!(read.len(), if whole { 5 } else { 4 }, "cut at {cut}");
        }
    }

    #[test]
    fn damage_before_the_tail_is_refused() {
        let text: String = records().iter().map(line).collect();
        let mut bytes = text.into_bytes();
        bytes[12] ^= 1;
        assert_eq!(parse(&bytes), Err(1));
    }
}
