//! What holds for every page: hostile ones, random ones. What one page's text is, rule by
//! rule, stands in `tests/golden/html-text-1.json`.

use proptest::prelude::*;

use super::super::normal::normalise;
use super::super::{ExtractError, Extracted, Profile, TEXT_BYTES_MAX};
use super::*;

fn extracted(page: &[u8]) -> Extracted {
    Profile::HtmlText1.extract(page, "text/html").unwrap()
}

fn text(page: &str) -> String {
    extracted(page.as_bytes()).text
}

/// How often a hostile page repeats what it is made of.
const MANY: usize = 200_000;

#[test]
fn two_hundred_thousand_nested_elements_cost_as_much_as_their_bytes() {
    let page = format!("a{}b{}c", "<div>".repeat(MANY), "</div>".repeat(MANY));
    assert_eq!(text(&page), "a\nb\nc");
    for name in ["select", "svg", "template", "button", "b"] {
        let open = format!("<{name}>").repeat(MANY);
        let close = format!("</{name}>");
        let shown = if name == "b" { "axb" } else { "ab" };
        let page = format!("a{open}x{}b", close.repeat(MANY));
        assert_eq!(text(&page), shown, "{name}");
        let page = format!("a{open}x{}b", close.repeat(MANY - 1));
        let shown = if name == "b" { "axb" } else { "a" };
        assert_eq!(text(&page), shown, "{name}, one not closed");
    }
}

#[test]
fn sixty_thousand_attributes_on_one_tag_are_passed_over() {
    let different: Vec<String> = (0..60_000).map(|i| format!(" a{i}='<p>{i}'")).collect();
    let different = different.concat();
    let alike = " a=1".repeat(60_000);
    for attributes in [different, alike] {
        assert_eq!(text(&format!("a<b{attributes}>b</b{attributes}>c")), "abc");
        assert_eq!(text(&format!("a<b{attributes}")), "a");
    }
}

#[test]
fn what_is_never_closed_ends_with_the_page() {
    let junk = "x <p> &amp ] - \0 é ".repeat(MANY / 10);
    for opening in [
        "<!--",
        "<!",
        "<?",
        "</ ",
        "<![CDATA[",
        "<svg><![CDATA[",
        "<!doctype html \"",
        "<script>",
        "<script><!--<script>",
        "<style>",
        "<noscript>",
        "<iframe>",
        "<textarea>",
        "<head><title>",
        "<template>",
        "<a href='",
    ] {
        let page = format!("a{opening}{}", junk.replace("<p>", "").replace('>', ""));
        assert_eq!(text(&page), "a", "{opening}");
    }
    for opening in ["<title>", "<xmp>", "<plaintext>"] {
        let page = format!("a{opening}{junk}");
        assert!(text(&page).ends_with("] - \u{FFFD} é"), "{opening}");
    }
}

#[test]
fn names_values_and_references_of_megabytes_are_passed_over() {
    let long = "a".repeat(2 << 20);
    for page in [
        format!("x<{long}>y"),
        format!("x</{long}>y"),
        format!("x<a {long}>y"),
        format!("x<a {long}={long}>y"),
        format!("x<a b=\"{long}\">y"),
        format!("x<!--{long}-->y"),
        format!("x<!doctype {long} public \"{long}\" '{long}'>y"),
        format!("x<script>{long}</script{long}></script>y"),
        format!("x<script{}>y", "\0".repeat(1 << 20)),
    ] {
        assert_eq!(text(&page), "xy", "{}", &page[..12]);
    }
    assert_eq!(text(&format!("&{long};")), format!("&{long};"));
    assert_eq!(text(&format!("&#{};", "9".repeat(4 << 20))), "\u{FFFD}");
    assert_eq!(text(&format!("&#x{}41;", "0".repeat(4 << 20))), "A");
}

#[test]
fn pages_of_nothing_but_beginnings_are_no_trouble() {
    for beginning in [
        "<",
        "</",
        "<!",
        "<!-",
        "<!--",
        "<a ",
        "<a b=",
        "<a b='",
        "&",
        "&#",
        "&#x",
        "&a",
        "<![CDATA[",
        "<svg>]]",
        "<script></scrip",
        "<title></titl",
        "\0",
        "\r",
        "<p",
        "<b></",
        "<!doctype ",
    ] {
        let page = beginning.repeat(MANY / 10);
        let found = text(&page);
        assert_eq!(normalise(&found), found, "{beginning}");
    }
}

#[test]
fn a_name_too_long_to_mean_anything_is_not_mistaken_for_what_it_begins_with() {
    assert_eq!(text("a<blockquotes>b<blockquote>c"), "ab\nc");
    assert_eq!(text("a<figcaptionx>b</figcaption>c"), "ab\nc");
    let longer = format!("a<script>b</script{}>c</script>d", "x".repeat(300));
    assert_eq!(text(&longer), "ad");
}

#[test]
fn the_bound_is_on_the_text_and_not_on_the_page() {
    let page = [b"<p>word</p>".as_slice(), &[b' '; 100], b"<!-- more -->"].concat();
    assert_eq!(extract(&page, "", 4).unwrap().text, "word");
    let too_large = ExtractError::TooLarge { bytes_max: 3 };
    assert_eq!(extract(&page, "", 3), Err(too_large));
    let mut page = b"<p>".to_vec();
    page.resize(3 + TEXT_BYTES_MAX, b'a');
    assert_eq!(extracted(&page).text.len(), TEXT_BYTES_MAX);
    page.push(b'a');
    let too_large = ExtractError::TooLarge {
        bytes_max: 16_777_216,
    };
    assert_eq!(
        Profile::HtmlText1.extract(&page, "text/html"),
        Err(too_large)
    );
}

/// What a page can declare of itself, read by the standard's own examples of odd cases.
#[test]
fn a_declaration_is_found_as_the_standard_says() {
    for (page, name) in [
        ("<meta charset=koi8-r >", Some("KOI8-R")),
        ("<META\nCHARSET = 'koi8-r'>", Some("KOI8-R")),
        ("<meta/charset=\"koi8-r\"/>", Some("KOI8-R")),
        ("<meta charset=koi8-r", None),
        ("<metal charset=koi8-r>", None),
        (
            "<meta charset=nothing><meta charset=koi8-r>",
            Some("KOI8-R"),
        ),
        ("<meta name=a charset=koi8-r name=b>", Some("KOI8-R")),
        ("<meta charset=nothing charset=koi8-r>", None),
        ("<meta =charset=koi8-r>", None),
        ("<meta charset>x=koi8-r", None),
        ("<a title='<meta charset=koi8-r>'>", None),
        ("<a b=c><meta charset=koi8-r>", Some("KOI8-R")),
        ("</a b='>'><meta charset=koi8-r>", Some("KOI8-R")),
        ("<script><meta charset=koi8-r>", Some("KOI8-R")),
        ("<!--><meta charset=koi8-r>", Some("KOI8-R")),
        ("<!-- --><meta charset=koi8-r>", Some("KOI8-R")),
        ("<!-- <meta charset=koi8-r>", None),
        ("<!x '><meta charset=koi8-r>", Some("KOI8-R")),
        ("<?x ><meta charset=koi8-r>", Some("KOI8-R")),
        ("</ ><meta charset=koi8-r>", Some("KOI8-R")),
        ("< meta charset=koi8-r>", None),
        ("<meta content='charset=koi8-r'>", None),
        ("<meta http-equiv=refresh content='charset=koi8-r'>", None),
        (
            "<meta content='charset=koi8-r' http-equiv=Content-Type>",
            Some("KOI8-R"),
        ),
        (
            "<meta http-equiv=content-type content='charset charset = \"koi8-r\"'>",
            Some("KOI8-R"),
        ),
        (
            "<meta http-equiv=content-type content='charset=\"koi8-r'>",
            None,
        ),
        (
            "<meta http-equiv=content-type content='charset=koi8-r;x'>",
            Some("KOI8-R"),
        ),
        ("<meta http-equiv=content-type content='charset='>", None),
        (
            "<meta http-equiv=content-type content='charset=ibm866' charset=koi8-r>",
            Some("KOI8-R"),
        ),
        (
            "<meta charset=koi8-r http-equiv=content-type content='charset=ibm866'>",
            Some("KOI8-R"),
        ),
        ("<meta charset=utf-16le>", Some("UTF-8")),
        ("<meta charset=x-user-defined>", Some("windows-1252")),
        ("<meta charset=' koi8-r '>", Some("KOI8-R")),
        ("", None),
    ] {
        let found = prescan::declared_encoding(page.as_bytes());
        assert_eq!(found.map(encoding_rs::Encoding::name), name, "{page}");
    }
}

/// Pages made of what the rules care about, in any order.
fn tag_soup() -> impl Strategy<Value = String> {
    let pieces: Vec<&'static str> = vec![
        "<",
        "</",
        ">",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!doctype",
        "&",
        "&#",
        ";",
        "amp",
        "<p>",
        "</p>",
        "<br>",
        "<td>",
        "<head>",
        "</head>",
        "<body>",
        "<svg>",
        "</svg>",
        "<svg/>",
        "<math>",
        "<title>",
        "</title>",
        "<script>",
        "</script>",
        "<select>",
        "</select>",
        "<button>",
        "</button>",
        "<textarea>",
        "</textarea>",
        "<style>",
        "</style>",
        "<plaintext>",
        "<a b='",
        "'",
        "\"",
        "=",
        "a",
        "word",
        "é",
        "e\u{301}",
        "\u{301}",
        "н",
        "😀",
        " ",
        "  ",
        "\n",
        "\r\n",
        "\u{A0}",
        "\u{2028}",
        "\0",
        "\u{AD}",
        "\u{200B}",
        "\u{200D}",
        "\u{FEFF}",
        "\u{1B}",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

fn assert_is_a_text(text: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(normalise(text), text);
    prop_assert!(unicode_normalization::is_nfc(text));
    prop_assert!(!text.contains("  ") && !text.contains(" \n") && !text.contains("\n "));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_page_has_a_text_in_normal_form(page in tag_soup()) {
        assert_is_a_text(&text(&page))?;
    }

    #[test]
    fn any_bytes_have_a_text_in_normal_form(
        page in prop::collection::vec(any::<u8>(), 0..300),
        media_type in prop::sample::select(vec!["text/html", "text/html; charset=utf-16le", "text/html; charset=gb18030", "text/html; charset=utf-8"]),
    ) {
        let found = Profile::HtmlText1.extract(&page, media_type).unwrap();
        assert_is_a_text(&found.text)?;
    }

    #[test]
    fn white_space_after_a_page_changes_nothing(page in tag_soup(), blanks in "[ \t\r\n]{1,8}") {
        // An open tag, reference or comment is what it is with or without them.
        prop_assert_eq!(text(&format!("{page}.{blanks}")), text(&format!("{page}.")));
    }

    #[test]
    fn text_without_markup_is_what_plain_text_is_on_one_line(page in "[a-zéий\u{301}\u{A0}\u{AD}\u{200B} \n\t]{0,60}") {
        let plain = Profile::PlainText1.extract(page.as_bytes(), "text/plain").unwrap();
        prop_assert_eq!(text(&page), plain.text.replace('\n', " "));
    }

    #[test]
    fn what_is_dropped_may_hold_anything_but_its_end(
        name in prop::sample::select(vec!["script", "style", "noscript", "iframe", "textarea"]),
        soup in tag_soup(),
    ) {
        let inner = soup.replace(&format!("</{name}"), "").replace("<!--", "");
        prop_assert_eq!(text(&format!("a<{name}>{inner}</{name}>b")), "ab");
    }

    #[test]
    fn a_comment_within_a_text_leaves_no_trace(before in "[a-zй &;]{0,20}", after in "[a-zй ]{0,20}", comment in "[a-z<>&/ ]{0,20}") {
        let before = format!("{before} ");
        let with = text(&format!("{before}<!-- {comment} -->{after}"));
        prop_assert_eq!(with, text(&format!("{before}{after}")));
    }
}
