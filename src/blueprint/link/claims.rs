//! What only one resource of a blueprint may be: shared drafts give way, and claims that two drafts make are reported.

use super::Linker;
use crate::catalog::Refusal;
use crate::diag::{Diagnostic, Diagnostics};
use std::collections::HashMap;

impl Linker<'_> {
    /// Lets shared drafts be what another draft is already, and reports claims that two drafts make.
    pub(super) fn settle_claims(&mut self, problems: &mut Diagnostics) {
        if self.nodes.iter().all(|node| node.draft.claims.is_empty()) {
            return;
        }
        let mut owners: HashMap<String, usize> = HashMap::new();
        let mut gone: HashMap<usize, usize> = HashMap::new();
        // What is in the blueprint itself comes first: what is shared gives way to it. A claim may depend on who
        // gave way before (a link hangs on its zone), so drafts are looked at in their order.
        for shared in [false, true] {
            for at in 0..self.nodes.len() {
                if self.nodes[at].draft.shared != shared {
                    continue;
                }
                for (nth, claim) in self.nodes[at].draft.claims.clone().into_iter().enumerate() {
                    // What cannot be told has been told, or will be when ids are found.
                    let Ok(text) = self.with_known(at, &claim.text, &mut vec![at], true) else { continue };
                    let text = text.to_lowercase();
                    let Some(&first) = owners.get(&text) else {
                        owners.insert(text, at);
                        continue;
                    };
                    if shared && nth == 0 {
                        let address = self.nodes[at].draft.address.clone();
                        self.by_address.insert(address, first);
                        gone.insert(at, first);
                        break;
                    }
                    if let Some(Refusal { code, what, help }) = claim.refusal {
                        let (a, b) = (&self.nodes[first].draft.address, &self.nodes[at].draft.address);
                        problems.push(
                            Diagnostic::error(code, format!("`{a}` and `{b}` {what}"))
                                .at(self.place(at, None))
                                .help(help),
                        );
                    }
                }
            }
        }
        self.drop_nodes(&gone);
    }

    /// Takes out the nodes that are others; their addresses lead to those.
    fn drop_nodes(&mut self, gone: &HashMap<usize, usize>) {
        if gone.is_empty() {
            return;
        }
        let mut moved = Vec::with_capacity(self.nodes.len());
        let mut kept = 0;
        for at in 0..self.nodes.len() {
            moved.push(kept);
            kept += usize::from(!gone.contains_key(&at));
        }
        let mut at = 0;
        self.nodes.retain(|_| {
            at += 1;
            !gone.contains_key(&(at - 1))
        });
        for target in self.by_address.values_mut() {
            *target = moved[*target];
        }
    }
}
