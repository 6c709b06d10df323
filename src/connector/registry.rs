//! Every connector in this build: the one place that names their crates.
//!
//! A list rather than self-registration: it is short, ordered, greppable, and no linker can drop an
//! entry of it.

use switchboard_sdk::Descriptor;

/// All connectors, in the order the admin app offers them.
pub static ALL: [&Descriptor; 6] = [
    &switchboard_webchat::DESCRIPTOR,
    &switchboard_webform::DESCRIPTOR,
    &switchboard_email::DESCRIPTOR,
    &switchboard_telegram::DESCRIPTOR,
    &switchboard_custom::DESCRIPTOR,
    &switchboard_voip::DESCRIPTOR,
];
