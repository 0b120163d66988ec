//! Outputs of a blueprint as variables: for shells, and for what comes later in a pipeline.

use super::mask::masks;
use super::system::System;
use crate::report::text::is_unsafe;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// An output that is handed on.
#[derive(Clone, PartialEq, Eq)]
pub struct Handed {
    /// Its name.
    pub name: String,
    /// Its value: a text as it is, anything else as JSON on one line.
    pub value: String,
    /// Whether it is secret.
    pub secret: bool,
}

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handed")
            .field("name", &self.name)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

impl Handed {
    /// An output with this value.
    pub fn new(name: impl Into<String>, value: &Value, secret: bool) -> Self {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Handed { name: name.into(), value, secret }
    }
}

/// What outputs are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputSyntax {
    /// `export name='value'`, for `eval` in a POSIX shell.
    Shell,
    /// Commands of Azure Pipelines, on standard output.
    AzureDevops,
    /// Lines for the file that `GITHUB_OUTPUT` names.
    GithubFile,
}

/// Outputs, written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Commands that ask for masks. They belong into the log, before anything else.
    pub masks: String,
    /// The outputs in their syntax.
    pub text: String,
    /// The names of those that cannot be handed on that way, with the reason.
    pub left: Vec<(String, &'static str)>,
}

/// Outputs as variables.
///
/// A secret is handed on to a build server only when that can mask it without masking ordinary text. One of several lines
/// becomes `NAME_base64` on Azure Pipelines, which takes no secret of several lines. `delimiter` is a text that nobody
/// could foresee.
pub fn outputs(syntax: OutputSyntax, outputs: &[Handed], delimiter: &str) -> Written {
    let mut written = Written::default();
    for Handed { name, value, secret } in outputs {
        if !is_variable_name(name) {
            written.left.push((name.clone(), "its name is not a name for variables"));
            continue;
        }
        if syntax == OutputSyntax::Shell && steers(name) {
            written.left.push((name.clone(), "a variable of this name steers the shell, or what it starts"));
            continue;
        }
        if syntax == OutputSyntax::GithubFile && value.contains(delimiter) {
            written.left.push((name.clone(), "its value holds the delimiter"));
            continue;
        }
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if syntax == OutputSyntax::AzureDevops && value.contains(is_control) {
            written.left.push((name.clone(), "its value holds control characters"));
            continue;
        }
        let system = match syntax {
            OutputSyntax::Shell => None,
            OutputSyntax::AzureDevops => Some(System::AzureDevops),
            OutputSyntax::GithubFile => Some(System::Github),
        };
        if let Some(system) = system.filter(|_| *secret) {
            let masks = masks(value);
            if masks.is_empty() {
                let why = "it is secret and like ordinary text: its mask would hide ordinary text, too";
                written.left.push((name.clone(), why));
                continue;
            }
            written.masks.extend(masks.iter().filter_map(|mask| system.mask(mask)));
        }
        match syntax {
            OutputSyntax::Shell => {
                written.text.push_str(&format!("export {name}={}\n", shell_quoted(value)));
            }
            OutputSyntax::AzureDevops if *secret && value.trim_end().contains(['\n', '\r']) => {
                let encoded = STANDARD.encode(value);
                written.text.extend(System::AzureDevops.variable(&format!("{name}_base64"), &encoded, true));
            }
            OutputSyntax::AzureDevops => {
                let value = if *secret { value.trim_end_matches(['\n', '\r']) } else { value };
                written.text.extend(System::AzureDevops.variable(name, value, *secret));
            }
            OutputSyntax::GithubFile => {
                written.text.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
            }
        }
    }
    written
}

/// Whether a shell and every build server take a text for the name of a variable.
pub fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a variable of this name says what a shell runs, or loads code into what it starts. An output comes from a ledger,
/// which others may write; to evaluate it runs nothing.
fn steers(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "PATH",
        "IFS",
        "ENV",
        "CDPATH",
        "SHELLOPTS",
        "GLOBIGNORE",
        "FPATH",
        "ZDOTDIR",
        "SHELL",
        "HOME",
        "TMPDIR",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "BROWSER",
        "PS0",
        "PS1",
        "PS2",
        "PS4",
        "PROMPT_COMMAND",
        "JAVA_TOOL_OPTIONS",
        "CLASSPATH",
    ];
    const PREFIXES: [&str; 9] =
        ["LD_", "DYLD_", "BASH", "GIT_", "PYTHON", "PERL", "RUBY", "NODE_", "DOTNET_"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A text as one word of a POSIX shell, whatever is in it.
///
/// The word does nothing to a terminal or to a build server that sees it in a log: what could is taken apart by quotes
/// that join again in the shell, and control characters are made by `printf`.
pub fn shell_quoted(text: &str) -> String {
    let mut word = String::from("'");
    let mut last = ' ';
    for c in text.chars() {
        match c {
            '\'' => word.push_str(r"'\''"),
            '[' if last == '#' => word.push_str("''["),
            c if last == '#' && c.is_ascii_alphabetic() => {
                word.push_str("''");
                word.push(c);
            }
            // A line of its own must not begin with what follows.
            '\n' => word.push_str("\n''"),
            c if is_unsafe(c) => {
                let octal = |byte: &u8| format!("\\{byte:03o}");
                let bytes: String = c.encode_utf8(&mut [0; 4]).as_bytes().iter().map(octal).collect();
                word.push_str(&format!("'\"$(printf '{bytes}')\"'"));
            }
            c => word.push(c),
        }
        last = c;
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_shell_takes_every_value_as_one_word() {
        let values = [
            "a",
            "",
            "it's",
            "$(rm -rf /) `x` \"y\" \\ !",
            "two\nlines",
            "-n",
            "ü \u{1b}[2J\u{202e}\r",
            "a\n::x::y\n##vso[x]##[y]",
            "\n",
        ];
        let all: Vec<Handed> = values.iter().map(|value| Handed::new("v", &json!(value), true)).collect();
        for (handed, value) in all.iter().zip(values) {
            let text = outputs(OutputSyntax::Shell, std::slice::from_ref(handed), "").text;
            let script = format!("{text}printf %s \"$v\"");
            let shell = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&shell.stdout), value, "{text}");
        }
        assert_eq!(
            outputs(OutputSyntax::Shell, &[Handed::new("o", &json!({"a": [1]}), false)], "").text,
            "export o='{\"a\":[1]}'\n"
        );
    }

    #[test]
    fn no_output_steers_the_shell_that_evaluates_it() {
        for name in [
            "PATH",
            "IFS",
            "LD_PRELOAD",
            "BASH_ENV",
            "ENV",
            "PROMPT_COMMAND",
            "GIT_SSH_COMMAND",
            "NODE_OPTIONS",
        ] {
            let all = [Handed::new(name, &json!("/tmp/x"), false), Handed::new("path", &json!("y"), false)];
            let written = outputs(OutputSyntax::Shell, &all, "");
            assert_eq!(written.text, "export path='y'\n");
            assert_eq!(written.left.len(), 1, "{name}");
            // On a build server it is an output of the step, which no shell sees under this name.
            assert_eq!(outputs(OutputSyntax::GithubFile, &all, "END-7").left, []);
        }
    }

    #[test]
    fn a_secret_is_masked_before_it_is_set_and_ordinary_text_never_is() {
        let key = "-----BEGIN X-----\nMIIx9F7kQ2p77\n-----END X-----\n";
        let all = [
            Handed::new("url", &json!("https://a.example/?x=1;y=]&z=100%"), false),
            Handed::new("password", &json!("Pa55%word;]"), true),
            Handed::new("flag", &json!(true), true),
            Handed::new("key", &json!(key), true),
            Handed::new("a-b", &json!("x"), false),
        ];
        let azure = outputs(OutputSyntax::AzureDevops, &all, "");
        assert_eq!(
            azure.masks,
            "##vso[task.setsecret]Pa55%AZP25word;]\n\
             ##vso[task.setsecret]MIIx9F7kQ2p77\n"
        );
        let encoded = STANDARD.encode(key);
        assert_eq!(
            azure.text,
            format!(
                "##vso[task.setvariable variable=url;isoutput=true;]https://a.example/?x=1;y=]&z=100%AZP25\n\
                 ##vso[task.setvariable variable=password;issecret=true;isoutput=true;]Pa55%AZP25word;]\n\
                 ##vso[task.setvariable variable=key_base64;issecret=true;isoutput=true;]{encoded}\n"
            )
        );
        assert_eq!(azure.left.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["flag", "a-b"]);
        let github = outputs(OutputSyntax::GithubFile, &all, "END-7");
        assert!(github.masks.starts_with("::add-mask::Pa55%25word;]\n::add-mask::MIIx9F7kQ2p77\n"));
        assert!(
            github
                .text
                .ends_with(&format!("password<<END-7\nPa55%word;]\nEND-7\nkey<<END-7\n{key}\nEND-7\n"))
        );
        let foreseen = outputs(
            OutputSyntax::GithubFile,
            &[Handed::new("x", &json!("a\nEND-7\nPATH=/evil"), false)],
            "END-7",
        );
        assert_eq!(foreseen.text, "");
        assert_eq!(foreseen.left.len(), 1);
    }
}
