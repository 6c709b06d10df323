//! Plain text as people meant it: flowed lines joined, HTML turned into text. Pure.

use mail_parser::decoders::html::html_to_text;

/// Joins the lines of `format=flowed` text (RFC 3676): a line that ends in a space goes on in the next.
pub fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None; // quote depth of a line that goes on
    for line in text.lines() {
        let depth = line.chars().take_while(|c| *c == '>').count();
        let rest = line.trim_start_matches('>');
        let rest = rest.strip_prefix(' ').unwrap_or(rest); // space stuffing
        let joins = open == Some(depth) && rest != "-- ";
        if !joins {
            if !out.is_empty() || open.is_some() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 && !rest.is_empty() {
                out.push(' ');
            }
        }
        let flows = rest.ends_with(' ') && rest != "-- ";
        out.push_str(if flows && delete_space {
            rest.strip_suffix(' ').unwrap_or(rest)
        } else {
            rest
        });
        open = flows.then_some(depth);
        if line.is_empty() && out.is_empty() {
            open = None;
            out.push('\n');
        }
    }
    out
}

/// The text of an HTML part. The library breaks lines at `<br>` and paragraphs only, but mail programs make
/// each line a `<div>` or a table row, so these boundaries are marked first.
pub fn of_html(html: &str) -> String {
    const BOUNDARY: char = '\u{e000}'; // private use: in no mail on purpose
    let mut marked = String::with_capacity(html.len() + html.len() / 8);
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        marked.push_str(before);
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take(12)
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let name = name.to_ascii_lowercase();
        // The library itself ends the line at </p>.
        if is_block(&name) && !(name == "p" && tag.starts_with('/')) {
            marked.push(BOUNDARY);
        }
        marked.push('<');
        rest = tag;
    }
    marked.push_str(rest);

    let mut out = String::with_capacity(marked.len());
    let mut blank = 2; // how many line ends are at the end of `out`; the beginning counts as empty
    let mut spaces = false;
    for c in html_to_text(&marked).chars() {
        match c {
            BOUNDARY if blank > 0 => {}
            '\n' | BOUNDARY => {
                if blank < 2 {
                    out.push('\n');
                    blank += 1;
                }
                spaces = false;
            }
            '\r' => {}
            c if c.is_whitespace() => spaces = true,
            c => {
                if spaces && blank == 0 {
                    out.push(' ');
                }
                (spaces, blank) = (false, 0);
                out.push(c);
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "blockquote"
            | "div"
            | "dl"
            | "dt"
            | "dd"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "li"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "table"
            | "tr"
            | "ul"
            | "header"
            | "footer"
    )
}

/// Line ends as `\n`, no NUL, no white space at the ends.
pub fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text
        .chars()
        .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
        .collect();
    let lines = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    lines.trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_lines_are_joined_and_quotes_and_signatures_stay_apart() {
        let flowed = "This is one \nlong line.\n> quoted \n> words\nmine again \n-- \nAnn";
        assert_eq!(
            unflow(flowed, false),
            "This is one long line.\n> quoted words\nmine again \n-- \nAnn"
        );
        assert_eq!(unflow("日本 \n語", true), "日本語");
        assert_eq!(
            unflow(" From me\n  indented", false),
            "From me\n indented",
            "stuffed spaces go"
        );
    }

    #[test]
    fn each_block_of_html_is_a_line_and_an_empty_one_is_an_empty_line() {
        assert_eq!(of_html("<div>one</div><div>two</div>"), "one\ntwo");
        assert_eq!(
            of_html("<div>one</div><div><br></div><div>two</div>"),
            "one\n\ntwo"
        );
        assert_eq!(of_html("<div>one<br></div><div>two</div>"), "one\ntwo");
        assert_eq!(of_html("<p>a &amp; b</p>\n<p>c</p>"), "a & b\nc");
        assert_eq!(
            of_html("<table><tr><td>a</td> <td>b</td></tr><tr><td>c</td></tr></table>"),
            "a b\nc"
        );
        assert_eq!(
            of_html("<style>p{}</style><script>x()</script>seen<!-- not --> <b>bo</b>ld"),
            "seen bold"
        );
    }
}
