//! Where quotes and comments of a `SELECT` begin and end, as its engine reads them.
//!
//! The engines differ: a backslash escapes in MySQL and hides nothing in SQLite, PostgreSQL nests comments,
//! `--` is two minus signs in MySQL where no blank follows. What is read here otherwise than by the engine
//! could swallow what fecha writes behind it, so what is ambiguous is a [`Fault`].

/// How an engine reads a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::messages) enum Dialect {
    Sqlite,
    /// With `standard_conforming_strings`, which fecha turns on.
    Postgres,
    Mysql(Mode),
}

/// What of MySQL's `sql_mode` decides where a quote ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::messages) struct Mode {
    pub(in crate::messages) no_backslash_escapes: bool,
    /// `"` quotes a name, in which a backslash is a letter.
    pub(in crate::messages) ansi_quotes: bool,
}

impl Mode {
    pub(super) const ALL: [Self; 4] = [
        Self { no_backslash_escapes: false, ansi_quotes: false },
        Self { no_backslash_escapes: false, ansi_quotes: true },
        Self { no_backslash_escapes: true, ansi_quotes: false },
        Self { no_backslash_escapes: true, ansi_quotes: true },
    ];

    /// From the server's `@@sql_mode`, which lists what a combined mode stands for too.
    pub(in crate::messages) fn of(sql_mode: &str) -> Self {
        let has = |name| sql_mode.split(',').any(|mode| mode == name);
        Self { no_backslash_escapes: has("NO_BACKSLASH_ESCAPES"), ansi_quotes: has("ANSI_QUOTES") }
    }
}

/// A piece of the text that is no blank and no comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    Semicolon,
    /// A name or a word of SQL, unquoted.
    Word(&'a str),
    /// A quoted name or text.
    Quoted,
    Other,
}

/// What keeps the text from being read to its end, and where that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: &'static str,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
}

impl<'a> Iterator for Lexer<'a> {
    /// A token and where it begins. Behind a fault there is nothing to read.
    type Item = Result<(usize, Token<'a>), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.comment() {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => return Some(Err(fault)),
            }
        }
        let at = self.at;
        (at < self.text.len()).then(|| self.token().map(|token| (at, token)))
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { text, at: 0, dialect }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn is_mysql(&self) -> bool {
        matches!(self.dialect, Dialect::Mysql(_))
    }

    /// Passes over blanks or a comment; whether there was one.
    fn comment(&mut self) -> Result<bool, Fault> {
        let before = self.at;
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
        if self.begins_a_line_comment() {
            let end: &[char] =
                if self.dialect == Dialect::Postgres { &['\n', '\r'] } else { &['\n'] };
            self.at += self.rest().find(end).unwrap_or(self.rest().len());
        } else if self.rest().starts_with("/*") {
            self.block_comment()?;
        }
        Ok(self.at > before)
    }

    fn begins_a_line_comment(&self) -> bool {
        let rest = self.rest();
        if !self.is_mysql() {
            return rest.starts_with("--");
        }
        // 5--1 is 6 there.
        let behind = rest.strip_prefix("--").map(|behind| behind.chars().next());
        rest.starts_with('#')
            || behind.is_some_and(|next| next.is_none_or(|c| c.is_ascii_whitespace()))
    }

    fn block_comment(&mut self) -> Result<(), Fault> {
        let fault = |reason| Err(Fault { at: self.at, reason });
        let rest = self.rest();
        if self.is_mysql() && (rest.starts_with("/*!") || rest.starts_with("/*M!")) {
            return fault("has a comment that the server runs (/*! … */)");
        }
        let (mut depth, mut index) = (1, 2);
        while depth > 0 {
            let Some(found) = rest[index..].find(['*', '/']) else {
                return fault("has a comment that does not close");
            };
            index += found;
            let nests = self.dialect == Dialect::Postgres && rest[index..].starts_with("/*");
            if nests {
                depth += 1;
            } else if rest[index..].starts_with("*/") {
                depth -= 1;
            } else {
                index += 1;
                continue;
            }
            index += 2;
        }
        self.at += index;
        Ok(())
    }

    /// What stands here; there is something.
    fn token(&mut self) -> Result<Token<'a>, Fault> {
        let (at, rest) = (self.at, self.rest());
        let fault = |reason| Err(Fault { at, reason });
        let Some(c) = rest.chars().next() else { return Ok(Token::Other) };
        if self.quotes(c) {
            return self.quoted(c).map(|()| Token::Quoted);
        }
        if is_letter(c) {
            return self.word();
        }
        match (c, self.dialect) {
            ('$', Dialect::Postgres | Dialect::Mysql(_)) if dollar_quote(rest).is_some() => {
                return self.dollar_quoted().map(|()| Token::Quoted);
            }
            ('[', Dialect::Mysql(_)) => return fault("has a '[' that no quote hides"),
            // Unbound it would be null, and what SQLite takes for its name may hold quotes.
            ('$' | '@' | '#' | ':' | '?', Dialect::Sqlite) => return fault("has a parameter"),
            (c, _) if c.is_control() => return fault("has a control character"),
            _ => {}
        }
        self.at += c.len_utf8();
        Ok(match c {
            '(' => Token::Open,
            ')' => Token::Close,
            ';' => Token::Semicolon,
            _ => Token::Other,
        })
    }

    fn quotes(&self, c: char) -> bool {
        match c {
            '\'' | '"' => true,
            '`' => self.dialect != Dialect::Postgres,
            '[' => self.dialect == Dialect::Sqlite,
            _ => false,
        }
    }

    /// Whether a backslash escapes what follows it in a text that this quote begins.
    fn escapes(&self, quote: char) -> bool {
        match (self.dialect, quote) {
            (Dialect::Mysql(mode), '\'') => !mode.no_backslash_escapes,
            (Dialect::Mysql(mode), '"') => !mode.no_backslash_escapes && !mode.ansi_quotes,
            _ => false,
        }
    }

    fn quoted(&mut self, quote: char) -> Result<(), Fault> {
        let escapes = self.escapes(quote);
        let closing = if quote == '[' { ']' } else { quote };
        self.quoted_until(closing, escapes)
    }

    /// A doubled quote ends one text and begins the next, which comes to the same.
    fn quoted_until(&mut self, closing: char, escapes: bool) -> Result<(), Fault> {
        let at = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((index, c)) = chars.next() {
            if c == '\0' {
                return Err(Fault { at: at + index, reason: "has a control character" });
            } else if c == closing {
                self.at += index + 1;
                return Ok(());
            } else if escapes && c == '\\' {
                chars.next();
            }
        }
        Err(Fault { at, reason: "has a quote that does not close" })
    }

    fn word(&mut self) -> Result<Token<'a>, Fault> {
        let rest = self.rest();
        let is_inside = |c: char| is_letter(c) || c.is_ascii_digit() || c == '$';
        let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        self.at += end;
        if self.dialect == Dialect::Postgres
            && word.eq_ignore_ascii_case("e")
            && self.rest().starts_with('\'')
        {
            return self.escaped().map(|()| Token::Quoted);
        }
        Ok(Token::Word(word))
    }

    /// PostgreSQL's `E'…'`, in which a backslash escapes; also in its continuation on another line.
    fn escaped(&mut self) -> Result<(), Fault> {
        self.quoted_until('\'', true)?;
        loop {
            if self.rest().starts_with('\'') {
                self.quoted_until('\'', true)?;
                continue;
            }
            let (here, mut behind) = (self.at, self.at);
            loop {
                self.at = behind;
                self.at =
                    self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
                if self.rest().starts_with("--") {
                    let rest = self.rest();
                    self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
                }
                if self.at == behind {
                    break;
                }
                behind = self.at;
            }
            let goes_on =
                self.text[here..behind].contains(['\n', '\r']) && self.rest().starts_with('\'');
            if !goes_on {
                self.at = here;
                return Ok(());
            }
        }
    }

    fn dollar_quoted(&mut self) -> Result<(), Fault> {
        let (at, rest) = (self.at, self.rest());
        if self.is_mysql() {
            // Newer servers have it, older ones take it for a name.
            return Err(Fault { at, reason: "has a dollar quote, which only PostgreSQL has" });
        }
        let tag = dollar_quote(rest).unwrap_or_default();
        match rest[tag.len()..].find(tag) {
            Some(length) => {
                self.at += tag.len() + length + tag.len();
                Ok(())
            }
            None => Err(Fault { at, reason: "has a quote that does not close" }),
        }
    }
}

/// A letter of an unquoted name; whatever is no ASCII is one.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

/// `$$` or `$tag$`, where the text begins with one.
fn dollar_quote(text: &str) -> Option<&str> {
    let tag = text.strip_prefix('$')?;
    let end = tag.find('$')?;
    let name = &tag[..end];
    let is_name = name.chars().all(|c| is_letter(c) || c.is_ascii_digit());
    (is_name && !name.starts_with(|c: char| c.is_ascii_digit())).then(|| &text[..end + 2])
}
