//! Names of chats and messages, as the server keeps them. Pure.

use std::fmt;

/// Where an answer goes: the identity of whoever wrote.
///
/// `42` is a person's chat with the bot, `-1001/7` a topic of a group, `BUSINESS@42` the chat of a person with
/// the account a bot works for: Telegram numbers those apart from the bot's own chats, so the same 42 is
/// another chat there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// The chat.
    pub chat: i64,
    /// The topic of a group.
    pub topic: Option<i32>,
    /// The business connection.
    pub business: Option<String>,
}

impl Address {
    /// A chat with the bot itself.
    pub fn chat(chat: i64) -> Self {
        Self {
            chat,
            topic: None,
            business: None,
        }
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (business, rest) = match text.rsplit_once('@') {
            Some((business, rest)) if !business.is_empty() => (Some(business.to_owned()), rest),
            Some(_) => return None,
            None => (None, text),
        };
        let (chat, topic) = match rest.split_once('/') {
            Some((chat, topic)) => (chat, Some(topic.parse().ok()?)),
            None => (rest, None),
        };
        Some(Self {
            chat: chat.parse().ok()?,
            topic,
            business,
        })
    }

    /// Groups and channels have negative numbers.
    pub fn is_group(&self) -> bool {
        self.chat < 0
    }

    /// The chat without its topic: what messages are numbered in and limits count by.
    fn room(&self) -> Self {
        Self {
            topic: None,
            ..self.clone()
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(business) = &self.business {
            write!(f, "{business}@")?;
        }
        write!(f, "{}", self.chat)?;
        match self.topic {
            Some(topic) => write!(f, "/{topic}"),
            None => Ok(()),
        }
    }
}

/// The id of a message within a channel. It names the bot: messages of one chat are numbered by each bot for
/// itself, and a channel may be given another bot.
pub fn message_id(bot: i64, address: &Address, message: i64) -> String {
    format!("{bot}:{}:{message}", address.room())
}

/// The number of a message in its chat, out of its id.
pub fn number_of(id: &str) -> Option<i32> {
    id.rsplit_once(':')?.1.parse().ok()
}

/// What the parts of an album share.
pub fn album_id(bot: i64, address: &Address, group: &str) -> String {
    format!("{bot}:{}:album {group}", address.room())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_address_is_none() {
        for bad in ["", "ann@shop.example", "@42", "42/", "4 2", "42/x"] {
            assert_eq!(Address::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn topics_share_the_numbers_of_their_group_and_business_chats_do_not_share_the_bots() {
        let own = Address::chat(-5);
        let topic = Address {
            topic: Some(7),
            ..own.clone()
        };
        let business = Address {
            business: Some("bc".to_owned()),
            ..own.clone()
        };
        assert_eq!(message_id(1, &own, 9), message_id(1, &topic, 9));
        assert_ne!(message_id(1, &own, 9), message_id(1, &business, 9));
        assert_eq!(number_of(&message_id(1, &business, 9)), Some(9));
    }

    proptest! {
        #[test]
        fn an_address_reads_back(chat: i64, topic: Option<i32>, business in proptest::option::of("[A-Za-z0-9_@-]{1,20}")) {
            let address = Address { chat, topic, business };
            prop_assert_eq!(Address::parse(&address.to_string()), Some(address));
        }
    }
}
