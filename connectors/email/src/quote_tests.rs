//! Mails of many programs and languages, and what is folded of them.

use proptest::prelude::*;

use super::{in_html, in_text};

fn new_of(text: &str) -> &str {
    in_text(text)
        .map_or(text, |at| text.get(..at).unwrap())
        .trim_end()
}

#[test]
fn an_answer_is_told_from_what_it_quotes_in_many_languages() {
    for attribution in [
        "On Mon, Nov 16, 2026 at 10:00 AM Anna via Shop <support@shop.example> wrote:",
        "On Mon, Nov 16, 2026 at 10:00 AM Anna via Shop\n<support@shop.example>\nwrote:",
        "пн, 16 нояб. 2026 г. в 10:00, Анна <support@shop.example>:",
        "16.11.2026 10:00, Анна пишет:",
        "16 ноября 2026 г., 10:00 +03:00 от Анна <support@shop.example>:",
        "Am 16.11.2026 um 10:00 schrieb Anna:",
        "Le lun. 16 nov. 2026 à 10:00, Anna <support@shop.example> a écrit :",
        "El lun, 16 nov 2026 a las 10:00, Anna (<support@shop.example>) escribió:",
        "Il giorno lun 16 nov 2026 alle ore 10:00 Anna <support@shop.example> ha scritto:",
        "Em seg., 16 de nov. de 2026 às 10:00, Anna <support@shop.example> escreveu:",
        "Op ma 16 nov 2026 om 10:00 schreef Anna <support@shop.example>:",
        "2026年11月16日(月) 10:00 Anna <support@shop.example>:",
        "W dniu 16.11.2026 o 10:00, Anna pisze:",
    ] {
        let text = format!("Thank you!\n\n{attribution}\n> Hello\n> Anna\n");
        assert_eq!(new_of(&text), "Thank you!", "{attribution}");
    }
}

#[test]
fn blocks_of_header_fields_and_lines_of_dashes_begin_the_rest() {
    for block in [
        "-----Original Message-----\nFrom: Anna\nSent: today\n\nHello",
        "________________________________\nОт: Анна\nОтправлено: 16 ноября\nКому: Иван\nТема: Заказ\n\nЗдравствуйте",
        "Von: Anna\nGesendet: Montag\nAn: Ivan\nBetreff: Bestellung\n\nGuten Tag",
        "*From:* Anna\n*Date:* today\n*To:* Ivan\n*Subject:* x\n\nHello",
        "De : Anna\nEnvoyé : lundi\nÀ : Ivan\nObjet : x\n\nBonjour",
        "-------- Исходное сообщение --------\nпривет",
        "##- Please type your reply above this line -##\nHello",
    ] {
        let text = format!("Yes.\n\n{block}\n");
        assert_eq!(new_of(&text), "Yes.", "{block}");
    }
}

#[test]
fn signatures_are_part_of_the_rest() {
    assert_eq!(new_of("Call me\n\n--\nAnn\n+49 30 1"), "Call me");
    assert_eq!(new_of("Call me\n\nSent from my iPhone"), "Call me");
    assert_eq!(
        new_of(
            "Ок\n\nОтправлено с iPhone\n\n> 16 нояб. 2026 г., в 10:00, Анна <a@b.example> написал(а):\n>\n> Да"
        ),
        "Ок"
    );
    assert_eq!(
        new_of("Ок\n--\nИван\n\nOn 16.11.2026 10:00, Anna wrote:\n> Да\n"),
        "Ок"
    );
}

#[test]
fn words_between_and_below_quotes_are_never_folded() {
    for text in [
        "On 16.11.2026 10:00, Anna wrote:\n> Red?\nYes\n> Blue?\nNo\n",
        "> Red?\nYes\n",
        "All of it is new.\n\nReally.",
        "He said on Monday 2026 he wrote:",
        "Look:\n\n---------- Forwarded message ---------\nFrom: Bob <b@x.example>\nDate: today\nSubject: y\nTo: me\n\nHello",
        "Fwd:\n-------- Пересылаемое сообщение --------\n16.11.2026, 10:00, Bob:\n\nHello",
    ] {
        assert_eq!(in_text(text), None, "{text}");
    }
    assert_eq!(in_text("> all of it\n> is quoted"), None, "then all is shown");
    assert_eq!(in_text(""), None);
}

#[test]
fn html_is_folded_at_the_marks_of_mail_programs() {
    let folded =
        |html: &str| in_html(html).map(|at| html.get(at..).unwrap().chars().take(16).collect::<String>());
    assert_eq!(
        folded("<p>Yes</p><div class=\"gmail_quote\"><div>On x wrote</div><blockquote>a</blockquote></div>")
            .as_deref(),
        Some("<div class=\"gmai")
    );
    assert_eq!(
        folded("<p>Yes</p><div id=\"divRplyFwdMsg\"><b>From:</b> a</div><div>Hello</div>").as_deref(),
        Some("<div id=\"divRply")
    );
    assert_eq!(
        folded("<p>Yes</p><div class=\"moz-cite-prefix\">On x</div><blockquote type=\"cite\">a</blockquote>")
            .as_deref(),
        Some("<div class=\"moz-")
    );
    assert_eq!(
        folded("<p>Yes</p><blockquote type=cite>a</blockquote><p>No, wait</p>"),
        None,
        "there are words below"
    );
    assert_eq!(folded("<div class=\"gmail_quote\">all</div>"), None);
    assert_eq!(
        folded(
            "<p>See</p><div class=\"gmail_quote\">---------- Forwarded message ---------<br>From: Bob</div>"
        ),
        None
    );
}

proptest! {
    #[test]
    fn a_place_is_between_characters_and_leaves_words_above(text in "(?s)(.|\n|> |--|On 2026 x wrote:|От: |Дата: |Кому: ){0,80}") {
        if let Some(at) = in_text(&text) {
            prop_assert!(text.is_char_boundary(at) && !text.get(..at).unwrap().trim().is_empty());
        }
    }

    #[test]
    fn any_html_is_survived(html in "(?s)(.|<|<div class=gmail_quote>|<blockquote type=cite>|</div>|</blockquote>|ю){0,80}") {
        if let Some(at) = in_html(&html) {
            prop_assert!(html.is_char_boundary(at) && html.get(at..).unwrap().starts_with('<'));
        }
    }
}
