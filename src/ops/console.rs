//! Expressions, evaluated with what a blueprint knows.

use crate::blueprint::{Inputs, Source, load};
use crate::diag::{Diagnostics, Failure};
use crate::state::Output;
use crate::value::token::display;
use serde_json::{Value, json};

/// What an expression is worth in a blueprint: `param.x`, or a text with `${…}` in it. What only Azure knows, and what is
/// secret, is named and not shown.
///
/// # Errors
/// What is wrong with it. The blueprint itself is to be one that validates.
pub fn evaluate(source: &Source, inputs: &Inputs, line: &str) -> Result<Value, Failure> {
    let text = match line.contains("${") {
        true => line.to_owned(),
        false => format!("${{{line}}}"),
    };
    let hidden = || Value::from("(secret)");
    match as_output(source, inputs, json!({ "value": text })) {
        Ok(output) if output.secret => Ok(hidden()),
        Ok(output) => Ok(display(&output.value)),
        // An output that comes from a secret has to say that it is one.
        Err(_) if as_output(source, inputs, json!({ "value": text, "secret": true })).is_ok() => Ok(hidden()),
        Err(problems) => {
            let problem = problems.iter().next();
            let message =
                problem.map_or_else(|| "it has no value".to_owned(), |problem| problem.message.clone());
            match problem.and_then(|problem| problem.help.clone()) {
                Some(help) => Err(Failure::new(message, help)),
                None => Err(Failure::bare(message)),
            }
        }
    }
}

/// The blueprint with one output in place of its own.
fn as_output(source: &Source, inputs: &Inputs, output: Value) -> Result<Output, Diagnostics> {
    let mut source = source.clone();
    if let Some(root) = source.tree.as_object_mut() {
        root.insert("outputs".to_owned(), json!({ "console": output }));
    }
    let mut outputs = load(&source, inputs)?.desired.outputs.into_iter();
    Ok(outputs.next().unwrap_or(Output { name: String::new(), value: Value::Null, secret: false }))
}
