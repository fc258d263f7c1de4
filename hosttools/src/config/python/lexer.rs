//! Text to tokens, with Python's rules for lines, indentation and literals.

use std::rc::Rc;

use super::fault::{Result, syntax};
use super::literal;
use super::token::{OPERATORS, Pos, Token};

/// The longest file, in bytes.
pub(super) const MAX_SOURCE: usize = 256 * 1024;

/// The deepest indentation.
const MAX_INDENTS: usize = 40;

/// All tokens of `text`; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Pos, Token)>> {
    let mut lexer = Lexer {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        at: Pos { line: 1, column: 1 },
        tokens: Vec::new(),
        indents: vec![0],
        brackets: Vec::new(),
        fresh_line: true,
    };
    if text.len() > MAX_SOURCE {
        return Err(syntax(lexer.at, format!("the file is longer than {MAX_SOURCE} bytes")));
    }
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    at: Pos,
    tokens: Vec<(Pos, Token)>,
    /// The columns at which open blocks start; the first is 0.
    indents: Vec<usize>,
    /// Open brackets, inside which line ends mean nothing.
    brackets: Vec<(Pos, char)>,
    /// A logical line starts here.
    fresh_line: bool,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) -> Result<()> {
        loop {
            if std::mem::take(&mut self.fresh_line) {
                self.indentation()?;
            }
            self.skip_blanks();
            let at = self.at;
            match self.rest.chars().next() {
                None => return self.finish(),
                Some('\n') => self.line_end(),
                Some('#') => self.advance(self.rest.find('\n').unwrap_or(self.rest.len())),
                Some('\\') => self.continuation()?,
                Some(c) if c == '_' || c.is_alphabetic() => self.word()?,
                Some(c) if c.is_ascii_digit() => self.number()?,
                Some('.') if self.rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number()?,
                Some(c @ ('"' | '\'')) => {
                    let text = self.string(c, "")?;
                    self.tokens.push((at, Token::Str(text)));
                }
                Some(c) => self.operator(c)?,
            }
        }
    }

    /// Moves over `len` bytes.
    fn advance(&mut self, len: usize) {
        let (over, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        for c in over.chars() {
            if c == '\n' {
                self.at = Pos { line: self.at.line + 1, column: 1 };
            } else {
                self.at.column += 1;
            }
        }
        self.rest = rest;
    }

    fn skip_blanks(&mut self) {
        let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\x0c');
        self.advance(self.rest.len() - self.rest.trim_start_matches(blank).len());
    }

    /// Compares the start of a line with the open blocks. Blank and comment lines do not count.
    fn indentation(&mut self) -> Result<()> {
        let mut column = 0_usize;
        let mut len = 0;
        for c in self.rest.chars() {
            match c {
                ' ' => column += 1,
                '\t' => column = (column / 8 + 1) * 8,
                '\r' | '\x0c' => {}
                '\n' | '#' => return Ok(()),
                _ => break,
            }
            len += c.len_utf8();
        }
        self.advance(len);
        if self.rest.is_empty() {
            return Ok(());
        }
        if self.indents.last().is_some_and(|open| column > *open) {
            if self.indents.len() >= MAX_INDENTS {
                return Err(syntax(self.at, "blocks are nested too deeply"));
            }
            self.indents.push(column);
            self.tokens.push((self.at, Token::Indent));
        }
        while self.indents.last().is_some_and(|open| column < *open) {
            self.indents.pop();
            self.tokens.push((self.at, Token::Dedent));
        }
        if self.indents.last() != Some(&column) {
            return Err(syntax(self.at, "unindent does not match any outer indentation level")
                .help("line this up with the start of a block above"));
        }
        Ok(())
    }

    fn line_end(&mut self) {
        let meaningful =
            !matches!(self.tokens.last(), None | Some((_, Token::Newline | Token::Indent | Token::Dedent)));
        if self.brackets.is_empty() && meaningful {
            self.tokens.push((self.at, Token::Newline));
        }
        self.fresh_line = self.brackets.is_empty();
        self.advance(1);
    }

    fn continuation(&mut self) -> Result<()> {
        let after = self.rest.get(1..).unwrap_or("");
        let len = if after.starts_with("\r\n") { 3 } else { 2 };
        if !after.starts_with('\n') && len == 2 {
            return Err(syntax(self.at, "unexpected character after line continuation character")
                .help("a backslash outside a string must be the last character of its line"));
        }
        self.advance(len);
        Ok(())
    }

    fn word(&mut self) -> Result<()> {
        let at = self.at;
        let len = self.rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at(len);
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        if let Some(quote) = quote.filter(|_| len <= 2 && word.chars().all(|c| "rRuUbBfF".contains(c))) {
            if word.contains(['f', 'F']) {
                return Err(syntax(at, "f-strings are not part of the configuration language")
                    .help("use '...%s...' % value or '...'.format(value)"));
            }
            self.advance(len);
            let text = self.string(quote, word)?;
            self.tokens.push((at, Token::Str(text)));
        } else {
            self.advance(len);
            self.tokens.push((at, Token::Name(word.into())));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<()> {
        let (token, len) = literal::number(self.rest, self.at)?;
        self.tokens.push((self.at, token));
        self.advance(len);
        Ok(())
    }

    /// A string literal, from its first quote on.
    fn string(&mut self, quote: char, prefix: &str) -> Result<Rc<str>> {
        let open = self.at;
        let raw = prefix.contains(['r', 'R']);
        let (text, len) = literal::string(self.rest, quote, raw).map_err(|e| match e {
            literal::StringError::Unclosed => syntax(open, "the string is not closed")
                .help(format!("add {quote} at its end; text over several lines needs three quotes")),
            literal::StringError::Escape => syntax(open, "invalid \\x escape in the string"),
        })?;
        self.advance(len);
        Ok(text.into())
    }

    fn operator(&mut self, c: char) -> Result<()> {
        let found = OPERATORS.iter().copied().find(|op| self.rest.starts_with(op));
        let Some(op) = found.filter(|op| !matches!(*op, ":=" | "->" | "...")) else {
            let error = syntax(self.at, format!("unexpected character {c:?}"));
            return Err(match c {
                '\u{2018}'..='\u{201f}' => error.help("replace the typographic quote by ' or \""),
                '?' | '$' => error.help("write strings in quotes"),
                _ => error,
            });
        };
        match op {
            "(" | "[" | "{" => self.brackets.push((self.at, c)),
            ")" | "]" | "}" => self.close(c)?,
            _ => {}
        }
        self.tokens.push((self.at, Token::Op(op)));
        self.advance(op.len());
        Ok(())
    }

    fn close(&mut self, c: char) -> Result<()> {
        match (self.brackets.pop(), c) {
            (Some((_, '(')), ')') | (Some((_, '[')), ']') | (Some((_, '{')), '}') => Ok(()),
            (Some((at, open)), _) => {
                Err(syntax(self.at, format!("'{c}' does not match the '{open}' of {at}")))
            }
            (None, _) => {
                Err(syntax(self.at, format!("'{c}' closes nothing")).help("remove it, or add what it closes"))
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        if let Some((at, open)) = self.brackets.pop() {
            return Err(syntax(at, format!("'{open}' is never closed")));
        }
        self.tokens.push((self.at, Token::Newline));
        for _ in 1..self.indents.len() {
            self.tokens.push((self.at, Token::Dedent));
        }
        self.tokens.push((self.at, Token::End));
        Ok(())
    }
}
