//! `switchboard import`.

use std::path::Path;

use crate::cli::{err, out, run};

fn import(folder: &Path, name: &str, text: &str, more: &[&str]) -> std::process::Output {
    std::fs::write(folder.join(name), text).unwrap();
    let mut arguments = vec!["import", "leads", name];
    arguments.extend(more);
    run(folder, &arguments)
}

#[test]
fn the_exit_code_tells_whether_all_some_or_no_rows_are_in() {
    let folder = tempfile::tempdir().unwrap();
    let good = "Name,Who to write to\r\nAnna,anna@shop.example\r\nMaria,maria@shop.example\r\n";
    let map = ["--map", "contact.email=\"Who to write to\""];

    let dry = import(folder.path(), "good.csv", good, &[map[0], map[1], "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", err(&dry));
    assert!(
        out(&dry).contains("2 of 2 rows would be in: 2 created"),
        "{}",
        out(&dry)
    );
    let all = import(folder.path(), "good.csv", good, &map);
    assert_eq!(all.status.code(), Some(0), "{}", err(&all));
    assert!(
        out(&all).contains("2 created"),
        "nothing of the dry run is left: {}",
        out(&all)
    );
    let again = import(folder.path(), "good.csv", good, &map);
    assert_eq!(again.status.code(), Some(0));
    assert!(
        out(&again).contains("2 skipped") && err(&again).contains("taken in before"),
        "{}",
        out(&again)
    );
    let updated = import(
        folder.path(),
        "good.csv",
        &good.replace("Maria", "Mary"),
        &[map[0], map[1], "--on-duplicate", "update"],
    );
    assert!(
        out(&updated).contains("0 created, 1 updated, 1 skipped"),
        "{}",
        out(&updated)
    );

    let some = import(
        folder.path(),
        "some.csv",
        "Name,Phone\r\nOlga,+79001234567\r\nPetr,12\r\n",
        &[],
    );
    assert_eq!(some.status.code(), Some(2));
    assert!(
        err(&some).contains("some.csv:3: contact.phone: \"12\" is no telephone number"),
        "{}",
        err(&some)
    );
    assert!(out(&some).contains("1 of 2 rows are in"), "{}", out(&some));

    for (name, text, more, words) in [
        ("none.csv", "", &[][..], "empty"),
        ("head.csv", "Name,Phone\r\n", &[], "no rows"),
        ("odd.csv", "what,that\r\n1,2\r\n", &[], "--map"),
        (
            "odd.csv",
            "what,that\r\n1,2\r\n",
            &["--map", "contact.email=mail"],
            "no column mail; there are",
        ),
        (
            "bad.csv",
            "Name,Phone\r\nPetr,12\r\n",
            &[],
            "bad.csv:2: contact.phone",
        ),
    ] {
        let nothing = import(folder.path(), name, text, more);
        assert_eq!(nothing.status.code(), Some(1), "{name}");
        assert!(err(&nothing).contains(words), "{name}: {}", err(&nothing));
    }
    let unknown = import(folder.path(), "good.csv", good, &["--map", "contact.mail=Name"]);
    assert!(
        !unknown.status.success() && err(&unknown).contains("contact.email"),
        "{}",
        err(&unknown)
    );
}
