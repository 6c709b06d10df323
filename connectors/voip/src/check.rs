//! "Test connection": what is missing, and what is to be entered where.

use switchboard_sdk::{CheckStep, Fault};
use url::{Host, Url};

use crate::line::Line;

/// All steps. Providers come to us: what can be seen from here is whether they can, and whether what they say
/// will be of use.
pub async fn steps(line: &Line) -> Vec<CheckStep> {
    let step = |step, outcome| CheckStep { step, outcome };
    let mut steps = vec![step("voip_secrets", Ok(secrets(line)))];
    match line.manager() {
        Some(manager) => steps.push(step("voip_manager", manager.check().await)),
        None => steps.push(step("voip_address", address(line))),
    }
    steps.push(step("voip_numbers", Ok(numbers(line))));
    steps.push(step("voip_operators", Ok(operators(line))));
    steps
}

fn secrets(line: &Line) -> String {
    let label = line.config.provider.label();
    let mut words = format!("What is needed to verify reports of {label} is set.");
    for missing in line.dialect.missing() {
        words.push(' ');
        words.push_str(missing);
    }
    words
}

fn address(line: &Line) -> Result<String, Fault> {
    let hook = line.hook();
    let wrong = |what: &str| {
        Err(Fault::permanent(format!(
            "Reports cannot come to {hook}: {what}. Set server.public_url to the address that the telephone system reaches this server by; signatures are verified against it."
        )))
    };
    let Ok(url) = Url::parse(&hook) else {
        return wrong("that is no address");
    };
    let here = match url.host() {
        None => true,
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
    };
    // A PBX in the house may well be on this machine; a provider on the Internet is not.
    if here && line.dialect.is_outside() {
        return wrong("that is this machine and no address on the Internet");
    }
    let entries: Vec<String> = switchboard_sdk::Telephony::addresses(line)
        .into_iter()
        .map(|address| format!("{}: {} {}", address.label, address.method, address.url))
        .collect();
    Ok(format!("Enter there: {}.", entries.join("; ")))
}

fn numbers(line: &Line) -> String {
    match line.config.rules.numbers.len() {
        0 => {
            "No own numbers are set: calls come in, and no advertisement is told apart by the number dialled."
                .to_owned()
        }
        1 => "1 own number is set.".to_owned(),
        many => format!("{many} own numbers are set."),
    }
}

fn operators(line: &Line) -> String {
    match line.config.rules.operators.len() {
        0 => "No operators are set by extension: a ringing call is shown to all operators of the line, and it is not known who answered.".to_owned(),
        1 => "1 operator has an extension.".to_owned(),
        many => format!("{many} operators have extensions."),
    }
}
