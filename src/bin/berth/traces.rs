//! Traces of runs, for those who watch pipelines. OpenTelemetry's own variables say where they go
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>); without them there is none.

use crate::cli::{Cli, Command, Global};
use crate::exit::Exit;
use crate::settings::{self, TraceTarget};
use crate::terminal::{Terminal, redactor};
use berth::arm::Transport;
use berth::arm::transport::{Method, Request};
use berth::diag::Failure;
use berth::event::Listener;
use berth::report::otlp::{Context, Traced};
use berth::report::progress::Redacted;
use std::sync::Arc;
use std::time::Duration;

/// How long handing a trace over may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The trace of this run.
pub struct Traces {
    traced: Arc<Traced>,
    target: TraceTarget,
}

impl Traces {
    /// Begins a trace, when the command is one that works on resources and somebody wants to have it.
    pub fn begin(cli: &Cli) -> Option<Self> {
        let name = match cli.command {
            Command::Plan(_) => "berth plan",
            Command::Apply(_) => "berth apply",
            Command::Destroy(_) => "berth destroy",
            Command::Drift { .. } => "berth drift",
            _ => return None,
        };
        let target = settings::traces()?;
        let context = match target.parent.as_deref().and_then(Context::parse) {
            // Whoever asked does not record this one.
            Some(None) => return None,
            Some(Some(context)) => context,
            None => Context::new(*uuid::Uuid::new_v4().as_bytes()),
        };
        Some(Traces { traced: Arc::new(Traced::new(context, name)), target })
    }

    /// Who takes note of what happens.
    pub fn listener(&self) -> Arc<dyn Listener> {
        Arc::new(Redacted::new(self.traced.clone(), redactor()))
    }

    /// Hands the trace over. Nobody's run fails because of it.
    pub fn send(&self, global: &Global, terminal: &Terminal, exit: Exit) {
        if let Err(why) = self.try_send(global, exit) {
            terminal.say(&format!("note: the trace of this run was not handed over: {}", why.message));
        }
    }

    fn try_send(&self, global: &Global, exit: Exit) -> Result<(), Failure> {
        let Some(body) = self.traced.request(env!("CARGO_PKG_VERSION"), exit as u8) else { return Ok(()) };
        let body = body.to_string();
        if redactor().is_leaked_by(&body) {
            return Err(Failure::bare("it would hold a secret"));
        }
        let TraceTarget { url, headers, .. } = &self.target;
        if !headers.is_empty() && !berth::arm::protects_tokens(url) {
            return Err(Failure::bare("`OTEL_EXPORTER_OTLP_HEADERS` would travel unencrypted"));
        }
        let mut request = Request::new(Method::Post, url.clone());
        request.headers.set("content-type", "application/json");
        for (name, value) in headers {
            request.headers.set(name, value.clone());
        }
        request.body = body.into();
        let transport = match berth::arm::is_loopback(url) {
            true => settings::direct_transport(global),
            false => settings::transport(global),
        };
        let transport = transport?;
        let answer =
            crate::runtime::real(async { tokio::time::timeout(LIMIT, transport.send(request)).await });
        match answer {
            Err(_) => Err(Failure::bare(format!("no answer within {} s", LIMIT.as_secs()))),
            Ok(Err(error)) => Err(Failure::of(&error, None)),
            Ok(Ok(answer)) if (200..300).contains(&answer.status) => Ok(()),
            Ok(Ok(answer)) => Err(Failure::bare(format!("it was refused with {}", answer.status))),
        }
    }
}
