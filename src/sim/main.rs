//! `berth-sim`: the simulator on loopback, until Ctrl-C.

use berth_sim::host::{Clock, Interrupt};
use berth_sim::{Options, Serving, Simulator, Time, serve};
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::net::TcpListener;

const USAGE: &str = "\
Serves a simulated Azure Resource Manager over HTTP, until Ctrl-C. Prints its address first.

usage: berth-sim [--listen ADDRESS] [--state FILE] [--speed N]

  --listen ADDRESS   a loopback address with a port; 127.0.0.1:0 (a free port) by default
  --state FILE       keeps what is made in this file; without it all is gone at the end
  --speed N          time runs, N times as fast as real time; without it time jumps to the end of an operation when the
                     operation is asked about
";

/// What the command line says.
#[derive(Debug, PartialEq)]
struct Arguments {
    listen: SocketAddr,
    state: Option<PathBuf>,
    speed: Option<f64>,
}

impl Arguments {
    /// `None` when help was asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut arguments =
            Arguments { listen: SocketAddr::from(([127, 0, 0, 1], 0)), state: None, speed: None };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--listen" => {
                    let text = value()?;
                    arguments.listen =
                        text.parse().map_err(|_| format!("{text} is not an address with a port"))?;
                    if !arguments.listen.ip().is_loopback() {
                        return Err(format!(
                            "{text} can be reached from other machines, and the simulator does not check who \
                             calls it: listen on 127.0.0.1"
                        ));
                    }
                }
                "--state" => arguments.state = Some(value()?.into()),
                "--speed" => {
                    let text = value()?;
                    let speed = text.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
                    arguments.speed = Some(speed.ok_or(format!("{text} is not a number above 0"))?);
                }
                _ => return Err(format!("unknown argument {word}")),
            }
        }
        Ok(Some(arguments))
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]
async fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)) {
        Ok(None) => print!("{USAGE}"),
        Ok(Some(arguments)) => {
            if let Err(error) = run(arguments).await {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(message) => {
            eprint!("error: {message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

#[expect(clippy::print_stdout, reason = "the address is the result")]
async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let time = arguments.speed.map_or(Time::Jump, |speed| Time::Host(Clock::start(speed)));
    let options = Options { time, ..Options::default() };
    let simulator = match &arguments.state {
        Some(path) => Simulator::open(path, options)?,
        None => Simulator::new(options),
    };
    let listener = TcpListener::bind(arguments.listen).await?;
    let interrupt = Interrupt::new();
    interrupt.listen();
    println!("http://{}", listener.local_addr()?);
    serve(simulator, listener, Serving::default(), async move { interrupt.raised(1).await }).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Arguments>, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_read_and_refused() {
        let all = parse("--listen [::1]:80 --state s.json --speed 60").unwrap().unwrap();
        assert_eq!(all.listen.to_string(), "[::1]:80");
        assert_eq!((all.state, all.speed), (Some("s.json".into()), Some(60.0)));
        assert!(parse("").unwrap().unwrap().listen.ip().is_loopback());
        assert_eq!(parse("--speed 1 --help"), Ok(None));
        for (line, wanted) in [
            ("--listen 0.0.0.0:80", "other machines"),
            ("--listen here", "not an address"),
            ("--listen", "needs a value"),
            ("--speed 0", "above 0"),
            ("--speed NaN", "above 0"),
            ("--port 1", "unknown argument --port"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(wanted), "{line}: {error}");
        }
    }
}
