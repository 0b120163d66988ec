//! `berth completions`, and the addresses that its scripts ask for.

use super::{leave, load, of_blueprint};
use crate::cli::{Cli, Global};
use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::Path;

/// The options whose value is an address.
const OPTIONS: &[&str] = &["target", "allow-replace", "allow-delete", "accept", "revert", "cluster"];

/// Prints a completion script; in bash, zsh and fish it completes addresses too.
pub fn script(terminal: &Terminal, shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "berth", &mut script);
    let script = String::from_utf8_lossy(&script);
    let options: Vec<String> = OPTIONS.iter().map(|option| format!("--{option}")).collect();
    let script = match shell {
        Shell::Bash => format!("{script}{}", BASH.replace("OPTIONS", &options.join("|"))),
        // The static script leaves these to the names of files.
        Shell::Zsh => {
            let script = script
                .replace(":ADDRESS:_default", ":ADDRESS:_berth_addresses")
                .replace(":ADDRESS.FIELD:_default", ":ADDRESS.FIELD:_berth_addresses")
                .replace(":ADDRESS[.FIELD]:_default", ":ADDRESS:_berth_addresses")
                .replace(":address:_default", ":address:_berth_addresses")
                .replace(":addresses:_default", ":addresses:_berth_addresses");
            match script.split_once('\n') {
                // The first line says which command the file is for.
                Some((first, rest)) => format!("{first}\n{ZSH}{rest}"),
                None => script,
            }
        }
        Shell::Fish => {
            let lines = OPTIONS
                .iter()
                .map(|option| format!("complete -c berth -l {option} -x -a '(__berth_addresses)'\n"));
            format!("{script}{FISH}{}", lines.collect::<String>())
        }
        _ => script.into_owned(),
    };
    terminal.print_own(&script);
    Exit::Done
}

/// Prints the addresses of a blueprint, one a line. Nothing is asked of the environment: what is missing is made up.
pub fn addresses(global: &Global, terminal: &Terminal, path: &Path) -> Exit {
    let global = Global { sim: global.sim.clone().or(Some(".berth/sim.json".into())), ..global.clone() };
    let global = &match of_blueprint(&global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let blueprint = match load(global, terminal, path) {
        Ok(blueprint) => blueprint,
        Err(exit) => return exit,
    };
    let mut all: Vec<String> =
        blueprint.desired.resources.iter().map(|resource| resource.address.to_string()).collect();
    all.sort();
    all.dedup();
    terminal.print(&(all.join("\n") + "\n"));
    leave(blueprint);
    Exit::Done
}

/// Around the generated function: after an option that takes an address, and where `why` and `ledger forget` want one.
const BASH: &str = r#"
_berth_addresses() {
    local word file=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
            *.yaml | *.yml) file=$word; break ;;
        esac
    done
    [ -n "$file" ] && berth addresses "$file" 2>/dev/null
}

_berth_with_addresses() {
    local current=${COMP_WORDS[COMP_CWORD]} wanted=
    case ${COMP_WORDS[COMP_CWORD-1]} in
        OPTIONS) wanted=1 ;;
        *.yaml | *.yml)
            case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
                "why "* | "ledger forget") wanted=1 ;;
            esac
            ;;
    esac
    if [ -n "$wanted" ]; then
        COMPREPLY=($(compgen -W "$(_berth_addresses)" -- "$current"))
        return
    fi
    _berth "$@"
}

complete -F _berth_with_addresses -o bashdefault -o default berth
"#;

const ZSH: &str = r#"
_berth_addresses() {
    local file=${words[(r)*.(yaml|yml)]}
    [[ -n $file ]] && compadd -- ${(f)"$(berth addresses "$file" 2>/dev/null)"}
}

"#;

const FISH: &str = r#"
function __berth_addresses
    for word in (commandline -opc)
        if string match -qr '\.ya?ml$' -- $word
            berth addresses $word 2>/dev/null
            return
        end
    end
end
complete -c berth -n '__fish_seen_subcommand_from why' -a '(__berth_addresses)'
"#;
