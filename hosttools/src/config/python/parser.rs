//! Tokens to simple statements, and what all parts of the parser use.

use std::rc::Rc;

use super::ast::{BinOp, Block, Expr, ExprKind, StmtKind};
use super::fault::{Fault, Result, syntax};
use super::lexer;
use super::token::{KEYWORDS, Pos, Token};

/// How deeply expressions and blocks may be nested, together.
const MAX_DEPTH: usize = 60;

/// Reads a whole file.
pub(super) fn parse(text: &str) -> Result<Block> {
    let mut parser = Parser { tokens: lexer::tokens(text)?, next: 0, depth: 0, loops: 0, functions: 0 };
    let mut block = Vec::new();
    while *parser.peek() != Token::End {
        parser.statement_line(&mut block)?;
    }
    Ok(block)
}

pub(super) struct Parser {
    tokens: Vec<(Pos, Token)>,
    next: usize,
    depth: usize,
    /// Loops around the current place, within its function.
    pub(super) loops: usize,
    /// Functions around the current place.
    pub(super) functions: usize,
}

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    pub(super) fn peek_second(&self) -> &Token {
        self.tokens.get(self.next + 1).map_or(&Token::End, |(_, token)| token)
    }

    pub(super) fn at(&self) -> Pos {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(Pos::default(), |(at, _)| *at)
    }

    pub(super) fn bump(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    pub(super) fn is_op(&self, op: &str) -> bool {
        matches!(self.peek(), Token::Op(found) if *found == op)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Name(found) if **found == *word)
    }

    /// Takes this operator if it is next.
    pub(super) fn take_op(&mut self, op: &str) -> bool {
        let found = self.is_op(op);
        self.next += usize::from(found);
        found
    }

    /// Takes this keyword if it is next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn expect_op(&mut self, op: &str) -> Result<()> {
        if self.take_op(op) { Ok(()) } else { Err(self.expected(&format!("'{op}'"))) }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.take_word(word) { Ok(()) } else { Err(self.expected(&format!("'{word}'"))) }
    }

    /// The error that something else should stand here.
    pub(super) fn expected(&self, what: &str) -> Box<Fault> {
        syntax(self.at(), format!("expected {what}, found {}", self.peek()))
    }

    pub(super) fn name(&mut self) -> Result<Rc<str>> {
        match self.peek() {
            Token::Name(name) if !KEYWORDS.contains(&&**name) => {
                let name = Rc::clone(name);
                self.bump();
                Ok(name)
            }
            Token::Name(name) => {
                Err(syntax(self.at(), format!("'{name}' is a word of the language, it cannot be a name")))
            }
            _ => Err(self.expected("a name")),
        }
    }

    /// Runs `inner` one level deeper.
    pub(super) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(syntax(self.at(), "this is nested too deeply"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    pub(super) fn simple(&mut self) -> Result<StmtKind> {
        let at = self.at();
        let Token::Name(word) = self.peek().clone() else { return self.assignment() };
        match &*word {
            "pass" => self.bare(StmtKind::Pass),
            "break" | "continue" if self.loops == 0 => Err(syntax(at, format!("'{word}' outside of a loop"))),
            "break" => self.bare(StmtKind::Break),
            "continue" => self.bare(StmtKind::Continue),
            "return" if self.functions == 0 => Err(syntax(at, "'return' outside of a function")),
            "return" => {
                self.bump();
                let value = if self.ends_statement() { None } else { Some(self.expression_list()?) };
                Ok(StmtKind::Return(value))
            }
            "raise" => self.raise(),
            "import" => self.import(),
            "from" => self.import_names(),
            "print" => self.print(),
            "global" => {
                self.bump();
                let mut names = vec![self.name()?];
                while self.take_op(",") {
                    names.push(self.name()?);
                }
                Ok(StmtKind::Global(names))
            }
            "assert" => {
                self.bump();
                let test = self.expression()?;
                let message = if self.take_op(",") { Some(self.expression()?) } else { None };
                Ok(StmtKind::Assert { test, message })
            }
            "del" => {
                self.bump();
                let target = self.targets()?;
                Ok(StmtKind::Del(match target.kind {
                    ExprKind::Tuple(targets) => targets,
                    _ => vec![target],
                }))
            }
            _ => self.assignment(),
        }
    }

    fn bare(&mut self, kind: StmtKind) -> Result<StmtKind> {
        self.bump();
        Ok(kind)
    }

    pub(super) fn ends_statement(&self) -> bool {
        matches!(self.peek(), Token::Newline | Token::End | Token::Op(";"))
    }

    fn raise(&mut self) -> Result<StmtKind> {
        self.bump();
        if self.ends_statement() {
            return Ok(StmtKind::Raise { what: None, message: None });
        }
        let what = Some(self.expression()?);
        let message = if self.take_op(",") { Some(self.expression()?) } else { None };
        Ok(StmtKind::Raise { what, message })
    }

    /// `print a, b` of old Pythons, and `print(a)` of all of them.
    fn print(&mut self) -> Result<StmtKind> {
        self.bump();
        let stream = if self.take_op(">>") { Some(self.expression()?) } else { None };
        if stream.is_some() && !self.ends_statement() {
            self.expect_op(",")?;
        }
        let mut values = Vec::new();
        while !self.ends_statement() {
            values.push(self.expression()?);
            if !self.take_op(",") {
                return Ok(StmtKind::Print { stream, values, newline: true });
            }
        }
        Ok(StmtKind::Print { stream, newline: values.is_empty(), values })
    }

    fn dotted_name(&mut self) -> Result<Rc<str>> {
        let mut name = self.name()?.to_string();
        while self.take_op(".") {
            name.push('.');
            name.push_str(&self.name()?);
        }
        Ok(name.into())
    }

    fn alias(&mut self) -> Result<Option<Rc<str>>> {
        if self.take_word("as") { self.name().map(Some) } else { Ok(None) }
    }

    fn import(&mut self) -> Result<StmtKind> {
        self.bump();
        let mut modules = Vec::new();
        loop {
            let module = self.dotted_name()?;
            modules.push((module, self.alias()?));
            if !self.take_op(",") {
                return Ok(StmtKind::Import(modules));
            }
        }
    }

    fn import_names(&mut self) -> Result<StmtKind> {
        self.bump();
        let module = self.dotted_name()?;
        self.expect_word("import")?;
        let mut names = Vec::new();
        if self.take_op("*") {
            return Ok(StmtKind::From { module, names });
        }
        let bracket = self.take_op("(");
        loop {
            let name = self.name()?;
            names.push((name, self.alias()?));
            if !self.take_op(",") || (bracket && self.is_op(")")) {
                break;
            }
        }
        if bracket {
            self.expect_op(")")?;
        }
        Ok(StmtKind::From { module, names })
    }

    /// An expression, or one or more targets that get its value.
    fn assignment(&mut self) -> Result<StmtKind> {
        let first = self.expression_list()?;
        if let Some(op) = self.augmenting() {
            self.bump();
            check_target(&first, false)?;
            return Ok(StmtKind::Augment { target: first, op, value: self.expression_list()? });
        }
        let mut targets = Vec::new();
        let mut value = first;
        while self.take_op("=") {
            check_target(&value, true)?;
            targets.push(value);
            if self.ends_statement() {
                return Err(syntax(self.at(), "a value is missing after '='"));
            }
            value = self.expression_list()?;
        }
        Ok(if targets.is_empty() { StmtKind::Expr(value) } else { StmtKind::Assign { targets, value } })
    }

    fn augmenting(&self) -> Option<BinOp> {
        let Token::Op(op) = self.peek() else { return None };
        Some(match *op {
            "+=" => BinOp::Add,
            "-=" => BinOp::Sub,
            "*=" => BinOp::Mul,
            "/=" => BinOp::Div,
            "//=" => BinOp::FloorDiv,
            "%=" => BinOp::Mod,
            "**=" => BinOp::Pow,
            "<<=" => BinOp::Shl,
            ">>=" => BinOp::Shr,
            "&=" => BinOp::BitAnd,
            "|=" => BinOp::BitOr,
            "^=" => BinOp::BitXor,
            _ => return None,
        })
    }
}

/// Whether a value can be given to this expression.
pub(super) fn check_target(target: &Expr, unpack: bool) -> Result<()> {
    use super::ast::Trailer::{Index, Slice};
    match &target.kind {
        ExprKind::Name(_) => Ok(()),
        ExprKind::Postfix(_, trailers)
            if matches!(trailers.last(), Some((_, Index(_) | Slice { step: None, .. }))) =>
        {
            Ok(())
        }
        ExprKind::Tuple(parts) | ExprKind::List(parts) if unpack => {
            parts.iter().try_for_each(|part| check_target(part, true))
        }
        _ => Err(syntax(target.at, "this cannot be given a value")
            .help("'=' needs a variable before it, '==' compares")),
    }
}
