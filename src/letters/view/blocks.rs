use serde::Serialize;

use fecha_core::letter::text::one_line;

/// A paragraph, or a command that stands by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Block {
    /// The words of a command, each of which stays whole; empty in a paragraph.
    command: Vec<String>,
    /// The pieces of a paragraph.
    spans: Vec<Span>,
    /// A command follows that it leads to.
    leads: bool,
    /// As the text part says it: a command is indented, so that it can be told from what is around it.
    text: String,
}

/// A piece of a paragraph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Span {
    text: String,
    /// In letters of one width.
    code: bool,
}

impl Block {
    /// Its words in one line.
    pub fn words(&self) -> String {
        self.text.trim().to_owned()
    }

    fn command(command: &str) -> Self {
        let words = command.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Self { command: words, spans: Vec::new(), leads: false, text: format!("    {command}") }
    }
}

/// Paragraphs apart at empty lines, what stands between backticks apart from the rest; a command at the end of
/// a paragraph is a block of its own, which is copied whole.
pub fn blocks(text: &str) -> Vec<Block> {
    text.split("\n\n")
        .map(one_line)
        .filter(|paragraph| !paragraph.is_empty())
        .flat_map(|paragraph| of_paragraph(&paragraph))
        .collect()
}

fn of_paragraph(paragraph: &str) -> Vec<Block> {
    let pieces = paragraph.split('`').zip([false, true].into_iter().cycle());
    let mut spans: Vec<Span> = pieces
        .filter(|(text, _)| !text.is_empty())
        .map(|(text, code)| Span { text: text.to_owned(), code })
        .collect();
    if spans.last().is_some_and(|last| !last.code && matches!(last.text.trim(), "." | ";")) {
        spans.pop();
    }
    let command = spans.pop_if(|last| last.code && last.text.starts_with("fecha "));
    let mut blocks = Vec::new();
    if !spans.is_empty() {
        let words: String = spans.iter().map(|span| span.text.as_str()).collect();
        let (command, leads) = (Vec::new(), command.is_some());
        blocks.push(Block { command, leads, text: words.trim().to_owned(), spans });
    }
    blocks.extend(command.map(|command| Block::command(&command.text)));
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        blocks(text).into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn a_command_at_the_end_stands_by_itself() {
        let text = "Libere com: `fecha close --release`.\n\nA chave `[messages]`: `fecha check` diz o que falta.\n\n`fecha status`";
        let expected = [
            "Libere com:",
            "    fecha close --release",
            "A chave [messages]: fecha check diz o que falta.",
            "    fecha status",
        ];
        assert_eq!(said(text), expected);
        assert_eq!(blocks(text)[1].command, ["fecha", "close", "--release"]);
    }

    /// An alert of an earlier fecha, and the words of a server, may have none or one alone.
    #[test]
    fn without_backticks_it_is_plain_text() {
        assert_eq!(said("Veja com: fecha status\n\n \n\nE"), ["Veja com: fecha status", "E"]);
        assert_eq!(said("550 `no"), ["550 no"]);
    }
}
