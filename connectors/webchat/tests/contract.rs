//! The contract every connector keeps.

use switchboard_testkit::{contract, contract::Options};
use switchboard_webchat::{DESCRIPTOR, Settings};

fn options() -> Options {
    Options::default().debug(|value| format!("{:?}", Settings::read(value)))
}

contract!(DESCRIPTOR, options());
