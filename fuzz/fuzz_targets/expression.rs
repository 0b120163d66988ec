//! Any text as what stands in `${…}`: in an output, in a name, in a `forEach` and in a `when`.
#![no_main]

use berth::blueprint::{Inputs, Missing, Source, load};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let whole = format!("${{{text}}}");
    let blueprint = json!({
        "blueprint": "fuzz",
        "parameters": {
            "list": { "type": "list", "default": ["a", "b"] },
            "map": { "type": "map", "default": { "eu": "westeurope", "us": { "range": "10.0.0.0/16" } } },
            "text": { "type": "string", "default": "text" },
            "number": { "type": "int", "default": 3 },
            "secret": { "type": "string", "secret": true },
        },
        "azure": { "location": "westeurope", "resourceGroup": "rg", "subscription": "00000000-0000-0000-0000-000000000001" },
        "networks": {
            "hub": { "addressSpace": ["10.0.0.0/16"], "subnets": { "nodes": { "prefix": "10.0.0.0/20" } } },
            "many": { "forEach": { "eu": 1, "us": 2 }, "addressSpace": ["10.1.0.0/16"], "name": format!("n-${{each.key}}-{text}") },
            "some": { "forEach": whole, "addressSpace": ["10.2.0.0/16"] },
        },
        "identities": { "app": { "when": whole, "location": whole } },
        "outputs": { "whole": whole, "within": format!("a {text} b ${{networks.hub.{text}}}") },
    });
    let source = Source::parse("blueprint.yaml", blueprint.to_string().as_bytes());
    // Characters that berth keeps for itself are refused.
    let Ok(source) = source else { return };
    let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
    if let Err(problems) = load(&source, &inputs) {
        for problem in problems.iter() {
            assert!(problem.span.is_some() && problem.help.is_some(), "{problem:?}");
        }
    }
});
