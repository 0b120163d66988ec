//! `berth kubeconfig` and `berth manifests`

use super::{of_blueprint, report, with_session};
use crate::cli::{Global, KubeconfigArgs, ManifestsArgs};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::diag::Failure;
use berth::host::files::write_private_output;
use berth::ops::{self, Credentials};
use berth::report::{kubeconfig, yaml};

/// Writes how to sign in to a cluster.
pub fn kubeconfig(global: &Global, terminal: &Terminal, args: &KubeconfigArgs) -> Exit {
    if args.admin && args.out.is_none() {
        return terminal.fail(&Failure::new(
            "an administrator's kubeconfig holds a key, which would end in a log or on a screen",
            "add `--out FILE`: the file is written so that only you can read it",
        ));
    }
    let global = &match of_blueprint(global, terminal, &args.blueprint) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    with_session(global, terminal, &args.blueprint, async |blueprint, session| {
        let credentials = if args.admin { Credentials::Admin } else { Credentials::Own };
        let cluster = args.cluster.as_deref();
        let config = match ops::kubeconfig(&session, &blueprint.desired, cluster, credentials).await {
            Ok((_, config)) => config,
            Err(error) => return report(terminal, &error),
        };
        let written = match credentials {
            Credentials::Own => kubeconfig::signed_in(&config, args.login.into()),
            Credentials::Admin => kubeconfig::administrator(&config),
        };
        let text = match written {
            Ok(text) => text,
            Err(failure) => return terminal.fail(&failure),
        };
        let Some(path) = args.out.as_ref().filter(|path| path.as_os_str() != "-") else {
            terminal.print(&text);
            return Exit::Done;
        };
        match write_private_output(path, text.as_bytes()) {
            Ok(()) => Exit::Done,
            Err(error) => terminal.fail(&Failure::new(
                format!("cannot write the kubeconfig to {}: {error}", path.display()),
                "name a file in a folder that can be written",
            )),
        }
    })
}

/// Shows what workloads of a cluster need to know of Azure.
pub fn manifests(global: &Global, terminal: &Terminal, args: &ManifestsArgs) -> Exit {
    let global = &match of_blueprint(global, terminal, &args.blueprint) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    with_session(global, terminal, &args.blueprint, async |blueprint, session| {
        match ops::manifests(&session, &blueprint.desired, args.cluster.as_deref()).await {
            Ok(all) if all.is_empty() => {
                terminal.say("note: no identity of the blueprint is for workloads of this cluster");
                Exit::Done
            }
            Ok(all) => {
                terminal.print(&yaml::documents(&all));
                Exit::Done
            }
            Err(error) => report(terminal, &error),
        }
    })
}
