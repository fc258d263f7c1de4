//! Tokens to statements with blocks.

use std::rc::Rc;

use super::ast::{Block, Function, Handler, Parameter, Stmt, StmtKind, Try};
use super::fault::{Fault, Result, syntax};
use super::parser::Parser;
use super::token::Token;

impl Parser {
    /// Reads one line: a compound statement, or simple ones separated by semicolons.
    pub(super) fn statement_line(&mut self, into: &mut Block) -> Result<()> {
        let at = self.at();
        match self.peek() {
            Token::Newline => {
                self.bump();
                return Ok(());
            }
            Token::Indent => {
                return Err(
                    syntax(at, "unexpected indent").help("start this line where the line above starts")
                );
            }
            _ => {}
        }
        if let Some(kind) = self.compound()? {
            into.push(Stmt { at, kind });
            return Ok(());
        }
        loop {
            let at = self.at();
            let kind = self.simple()?;
            into.push(Stmt { at, kind });
            let more = self.take_op(";");
            if *self.peek() == Token::Newline {
                self.bump();
                return Ok(());
            }
            if !more {
                return Err(self.unfinished());
            }
        }
    }

    /// The error that a statement goes on where it should have ended.
    fn unfinished(&self) -> Box<Fault> {
        let error = self.expected("the end of the line");
        match self.peek() {
            Token::Op("=") => error.help("only a variable, an element or a slice can be given a value"),
            Token::Str(_) | Token::Int(_) | Token::Name(_) => {
                error.help("a comma, an operator or a quote is missing")
            }
            _ => error,
        }
    }

    /// The statements behind a colon: an indented block, or the rest of the line.
    fn block(&mut self) -> Result<Block> {
        self.expect_op(":")?;
        self.deeper(|p| {
            let mut block = Vec::new();
            if *p.peek() != Token::Newline {
                p.statement_line(&mut block)?;
                return Ok(block);
            }
            p.bump();
            if *p.peek() != Token::Indent {
                return Err(p.expected("an indented block"));
            }
            p.bump();
            while *p.peek() != Token::Dedent {
                p.statement_line(&mut block)?;
            }
            p.bump();
            Ok(block)
        })
    }

    fn optional_block(&mut self, word: &str) -> Result<Block> {
        if self.take_word(word) { self.block() } else { Ok(Vec::new()) }
    }

    fn loop_block(&mut self) -> Result<Block> {
        self.loops += 1;
        let block = self.block();
        self.loops -= 1;
        block
    }

    fn compound(&mut self) -> Result<Option<StmtKind>> {
        let Token::Name(word) = self.peek().clone() else { return Ok(None) };
        let statement = match &*word {
            "if" => self.conditional()?,
            "while" => {
                self.bump();
                let test = self.expression()?;
                StmtKind::While { test, body: self.loop_block()?, otherwise: self.optional_block("else")? }
            }
            "for" => {
                self.bump();
                let target = self.targets()?;
                self.expect_word("in")?;
                let items = self.expression_list()?;
                StmtKind::For {
                    target,
                    items,
                    body: self.loop_block()?,
                    otherwise: self.optional_block("else")?,
                }
            }
            "def" => self.function()?,
            "try" => self.attempt()?,
            "class" | "with" | "yield" | "exec" => {
                return Err(syntax(self.at(), format!("'{word}' is not part of the configuration language")));
            }
            _ => return Ok(None),
        };
        Ok(Some(statement))
    }

    fn conditional(&mut self) -> Result<StmtKind> {
        self.bump();
        let test = self.expression()?;
        let mut arms = vec![(test, self.block()?)];
        while self.take_word("elif") {
            let test = self.expression()?;
            arms.push((test, self.block()?));
        }
        Ok(StmtKind::If { arms, otherwise: self.optional_block("else")? })
    }

    fn function(&mut self) -> Result<StmtKind> {
        self.bump();
        let name = self.name()?;
        self.expect_op("(")?;
        let (parameters, rest) = self.parameters(")")?;
        self.expect_op(")")?;
        let loops = std::mem::take(&mut self.loops);
        self.functions += 1;
        let body = self.block()?;
        self.functions -= 1;
        self.loops = loops;
        Ok(StmtKind::Def(Rc::new(Function { name, parameters, rest, body })))
    }

    /// Parameters up to, but without, `end`.
    pub(super) fn parameters(&mut self, end: &str) -> Result<(Vec<Parameter>, Option<Rc<str>>)> {
        let mut parameters: Vec<Parameter> = Vec::new();
        while !self.is_op(end) {
            if self.is_op("**") {
                return Err(syntax(self.at(), "'**' parameters are not part of the configuration language"));
            }
            if self.take_op("*") {
                return Ok((parameters, Some(self.name()?)));
            }
            let at = self.at();
            let name = self.name()?;
            if parameters.iter().any(|p| p.name == name) {
                return Err(syntax(at, format!("there are two parameters '{name}'")));
            }
            let default = if self.take_op("=") { Some(self.expression()?) } else { None };
            parameters.push(Parameter { name, default });
            if !self.take_op(",") {
                break;
            }
        }
        Ok((parameters, None))
    }

    fn attempt(&mut self) -> Result<StmtKind> {
        self.bump();
        let body = self.block()?;
        let mut handlers = Vec::new();
        while self.take_word("except") {
            let what = if self.is_op(":") { None } else { Some(self.expression()?) };
            let named = what.is_some() && (self.take_op(",") || self.take_word("as"));
            let name = if named { Some(self.name()?) } else { None };
            handlers.push(Handler { what, name, body: self.block()? });
        }
        let otherwise = self.optional_block("else")?;
        let has_finally = self.is_word("finally");
        let finally = self.optional_block("finally")?;
        if handlers.is_empty() && !has_finally {
            return Err(self.expected("'except' or 'finally'"));
        }
        Ok(StmtKind::Try(Box::new(Try { body, handlers, otherwise, finally })))
    }
}
