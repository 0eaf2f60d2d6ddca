//! The tags of OFX, SGML and XML alike: what stands between `<` and `>`, and the text behind it.
//!
//! No tree is built: SGML's leaves have no ends, so only the reader of transactions knows what closes what.

use std::borrow::Cow;

/// A tag and the text from it to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// In capitals, without a namespace.
    pub(super) name: String,
    /// `</NAME>`.
    pub(super) closes: bool,
    /// Without blanks at its ends, entities resolved.
    pub(super) text: Cow<'a, str>,
}

/// The tags of a text in order. A `<` that begins no tag is text, as banks leave it in memos.
pub(super) fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let (mut at, mut line) = (0, 1);
    std::iter::from_fn(move || {
        let begin = next_tag(text, at)?;
        line += newlines(&text[at..begin]);
        let end = begin + text[begin..].find('>')?;
        let inside = &text[begin + 1..end];
        let after = next_tag(text, end + 1).unwrap_or(text.len());
        let closes = inside.starts_with('/');
        let name = inside.trim_start_matches('/').split(|c: char| c.is_whitespace() || c == '/');
        let name = name.into_iter().next().unwrap_or_default();
        let name = name.rsplit(':').next().unwrap_or_default().to_ascii_uppercase();
        let tag = Tag { line, name, closes, text: resolved(&text[end + 1..after]) };
        line += newlines(&text[begin..after]);
        at = after;
        Some(tag)
    })
}

fn newlines(text: &str) -> u64 {
    text.matches('\n').count() as u64
}

/// Where the next tag begins; comments and CDATA are passed over, processing instructions are not tags.
fn next_tag(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let begin = at + text.get(at..)?.find('<')?;
        let inside = &text[begin + 1..];
        let skip = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")];
        if let Some((_, end)) = skip.iter().find(|(start, _)| inside.starts_with(start)) {
            at = begin + 1 + inside.find(end)? + end.len();
            continue;
        }
        let name = inside.strip_prefix('/').unwrap_or(inside);
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_closed(name) {
            return Some(begin);
        }
        at = begin + 1;
    }
}

/// Whether a `>` comes before the next `<` and the end of the line.
fn is_closed(name: &str) -> bool {
    name.find(['<', '>', '\n']).is_some_and(|at| name.as_bytes()[at] == b'>')
}

/// The text with its entities and CDATA resolved. A `&` that begins no entity stays: SGML allows it.
fn resolved(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.contains(['&', '<']) {
        return Cow::Borrowed(text);
    }
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<']) {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((said, after)) = marked(rest) {
            resolved.push_str(said);
            rest = after;
        } else if let Some((character, after)) = entity(rest) {
            resolved.push(character);
            rest = after;
        } else {
            resolved.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    resolved.push_str(rest);
    Cow::Owned(resolved)
}

/// What a CDATA section at the beginning says, or nothing for a comment, and what follows. One without an end
/// is text up to the end.
fn marked(text: &str) -> Option<(&str, &str)> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return Some(comment.split_once("-->").map_or((text, ""), |(_, after)| ("", after)));
    }
    Some(text.strip_prefix("<![CDATA[")?.split_once("]]>").unwrap_or((text, "")))
}

/// The longest entity that is known, `&#x10FFFF;`, without its `&`: what is longer is text.
const LONGEST_ENTITY: usize = 9;

/// The character of an entity at the beginning, and what follows.
fn entity(text: &str) -> Option<(char, &str)> {
    let name = text.strip_prefix('&')?;
    let end = name.bytes().take(LONGEST_ENTITY).position(|b| b == b';')?;
    let character = match &name[..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((character, &name[end + 1..]))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn shown(text: &str) -> String {
        let tag = |tag: Tag<'_>| {
            let end = if tag.closes { "/" } else { "" };
            format!("{}:{end}{}={}", tag.line, tag.name, tag.text)
        };
        tags(text).map(tag).collect::<Vec<_>>().join(" ")
    }

    #[rstest]
    #[case("<A>\n<b>1\n<C>2</C>\n</A>", "1:A= 2:B=1 3:C=2 3:/C= 4:/A=")]
    #[case("<?xml version=\"1.0\"?>\n<OFX><X/></OFX>", "2:OFX= 2:X= 2:/OFX=")]
    #[case("<ns:MEMO lang=\"pt\"> a\nb </ns:MEMO>", "1:MEMO=a\nb 2:/MEMO=")]
    #[case("<MEMO>A & B &amp; C &lt;x&gt; &#233;&#xE9; &xyz; &", "1:MEMO=A & B & C <x> éé &xyz; &")]
    #[case("<MEMO><![CDATA[<A> & B]]></MEMO>", "1:MEMO=<A> & B 1:/MEMO=")]
    #[case("<!-- <A>\n --><B>1<!-- x -->2", "2:B=12")]
    #[case("<MEMO>1 < 2 <- <3 > 4\n<NAME>x", "1:MEMO=1 < 2 <- <3 > 4 2:NAME=x")]
    #[case("<A", "")]
    #[case("<!-- never closed <A>", "")]
    #[case("<A>&#x110000;&#xd800;&#;", "1:A=&#x110000;&#xd800;&#;")]
    #[case("", "")]
    fn reads_tags(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(shown(text), expected);
    }
}
