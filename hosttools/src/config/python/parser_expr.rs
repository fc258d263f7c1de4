//! Tokens to expressions, by rising precedence.

use std::rc::Rc;

use super::ast::{BinOp, Clause, CmpOp, Expr, ExprKind, Function, Stmt, StmtKind, Trailer};
use super::fault::{Result, syntax};
use super::parser::{Parser, check_target};
use super::token::{KEYWORDS, Pos, Token};

/// Binary operators of rising precedence; each level is associative to the left.
const LEVELS: &[&[(&str, BinOp)]] = &[
    &[("|", BinOp::BitOr)],
    &[("^", BinOp::BitXor)],
    &[("&", BinOp::BitAnd)],
    &[("<<", BinOp::Shl), (">>", BinOp::Shr)],
    &[("+", BinOp::Add), ("-", BinOp::Sub)],
    &[("*", BinOp::Mul), ("/", BinOp::Div), ("//", BinOp::FloorDiv), ("%", BinOp::Mod)],
];

impl Parser {
    /// One expression, or several with commas, which make a tuple.
    pub(super) fn expression_list(&mut self) -> Result<Expr> {
        let at = self.at();
        let first = self.expression()?;
        if !self.is_op(",") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_op(",") {
            if self.ends_statement()
                || self.is_op("=")
                || self.is_op(")")
                || self.is_op("]")
                || self.is_op(":")
            {
                break;
            }
            parts.push(self.expression()?);
        }
        Ok(Expr { at, kind: ExprKind::Tuple(parts) })
    }

    /// What a `for` gives values to.
    pub(super) fn targets(&mut self) -> Result<Expr> {
        let at = self.at();
        let mut parts = vec![self.postfix()?];
        let mut tuple = false;
        while self.take_op(",") {
            tuple = true;
            if self.is_word("in") || self.ends_statement() {
                break;
            }
            parts.push(self.postfix()?);
        }
        let target = match (tuple, parts.pop()) {
            (false, Some(single)) => single,
            (_, last) => Expr { at, kind: ExprKind::Tuple(parts.into_iter().chain(last).collect()) },
        };
        check_target(&target, true)?;
        Ok(target)
    }

    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.deeper(|p| {
            if p.is_word("lambda") {
                return p.lambda();
            }
            let then = p.disjunction()?;
            if !p.take_word("if") {
                return Ok(then);
            }
            let test = p.disjunction()?;
            if !p.take_word("else") {
                return Err(p.expected("'else'"));
            }
            let otherwise = p.expression()?;
            Ok(Expr { at: then.at, kind: ExprKind::Choice(Box::new([test, then, otherwise])) })
        })
    }

    fn lambda(&mut self) -> Result<Expr> {
        let at = self.at();
        self.bump();
        let (parameters, rest) = self.parameters(":")?;
        self.expect_op(":")?;
        let value = self.expression()?;
        let body = vec![Stmt { at: value.at, kind: StmtKind::Return(Some(value)) }];
        let function = Function { name: "<lambda>".into(), parameters, rest, body };
        Ok(Expr { at, kind: ExprKind::Lambda(Rc::new(function)) })
    }

    fn disjunction(&mut self) -> Result<Expr> {
        let first = self.conjunction()?;
        if !self.is_word("or") {
            return Ok(first);
        }
        let at = first.at;
        let mut parts = vec![first];
        while self.take_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(Expr { at, kind: ExprKind::Or(parts) })
    }

    fn conjunction(&mut self) -> Result<Expr> {
        let first = self.negation()?;
        if !self.is_word("and") {
            return Ok(first);
        }
        let at = first.at;
        let mut parts = vec![first];
        while self.take_word("and") {
            parts.push(self.negation()?);
        }
        Ok(Expr { at, kind: ExprKind::And(parts) })
    }

    fn negation(&mut self) -> Result<Expr> {
        let at = self.at();
        if !self.take_word("not") {
            return self.comparison();
        }
        let inner = self.deeper(Self::negation)?;
        Ok(Expr { at, kind: ExprKind::Not(Box::new(inner)) })
    }

    fn comparison(&mut self) -> Result<Expr> {
        let first = self.binary(LEVELS)?;
        let mut rest = Vec::new();
        while let Some(op) = self.comparator() {
            rest.push((op, self.binary(LEVELS)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expr { at: first.at, kind: ExprKind::Compare(Box::new(first), rest) })
    }

    fn comparator(&mut self) -> Option<CmpOp> {
        let (op, words) = match self.peek() {
            Token::Op("==") => (CmpOp::Eq, 1),
            Token::Op("!=" | "<>") => (CmpOp::Ne, 1),
            Token::Op("<") => (CmpOp::Lt, 1),
            Token::Op("<=") => (CmpOp::Le, 1),
            Token::Op(">") => (CmpOp::Gt, 1),
            Token::Op(">=") => (CmpOp::Ge, 1),
            Token::Name(word) => match (&**word, self.peek_second()) {
                ("not", Token::Name(second)) if &**second == "in" => (CmpOp::NotIn, 2),
                ("is", Token::Name(second)) if &**second == "not" => (CmpOp::IsNot, 2),
                ("in", _) => (CmpOp::In, 1),
                ("is", _) => (CmpOp::Is, 1),
                _ => return None,
            },
            _ => return None,
        };
        for _ in 0..words {
            self.bump();
        }
        Some(op)
    }

    fn binary(&mut self, levels: &[&[(&str, BinOp)]]) -> Result<Expr> {
        let Some((level, tighter)) = levels.split_first() else { return self.unary() };
        let first = self.binary(tighter)?;
        let mut rest = Vec::new();
        while let Some((_, op)) = level.iter().find(|(op, _)| self.is_op(op)) {
            self.bump();
            rest.push((*op, self.binary(tighter)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expr { at: first.at, kind: ExprKind::Binary(Box::new(first), rest) })
    }

    fn unary(&mut self) -> Result<Expr> {
        let at = self.at();
        let make: fn(Box<Expr>) -> ExprKind = match self.peek() {
            Token::Op("-") => ExprKind::Negative,
            Token::Op("~") => ExprKind::Invert,
            Token::Op("+") => {
                self.bump();
                return self.deeper(Self::unary);
            }
            _ => return self.power(),
        };
        self.bump();
        let inner = self.deeper(Self::unary)?;
        Ok(Expr { at, kind: make(Box::new(inner)) })
    }

    fn power(&mut self) -> Result<Expr> {
        let base = self.postfix()?;
        if !self.take_op("**") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::unary)?;
        Ok(Expr { at: base.at, kind: ExprKind::Power(Box::new(base), Box::new(exponent)) })
    }

    fn postfix(&mut self) -> Result<Expr> {
        let base = self.atom()?;
        let mut trailers = Vec::new();
        loop {
            let at = self.at();
            let trailer = match self.peek() {
                Token::Op(".") => {
                    self.bump();
                    Trailer::Attribute(self.name()?)
                }
                Token::Op("(") => self.call()?,
                Token::Op("[") => self.subscript()?,
                _ => break,
            };
            trailers.push((at, trailer));
        }
        if trailers.is_empty() {
            return Ok(base);
        }
        Ok(Expr { at: base.at, kind: ExprKind::Postfix(Box::new(base), trailers) })
    }

    fn call(&mut self) -> Result<Trailer> {
        self.bump();
        let mut positional = Vec::new();
        let mut keywords: Vec<(Rc<str>, Expr)> = Vec::new();
        while !self.is_op(")") {
            let at = self.at();
            if self.is_op("*") || self.is_op("**") {
                return Err(syntax(at, "'*' arguments are not part of the configuration language"));
            }
            if matches!(self.peek(), Token::Name(_)) && *self.peek_second() == Token::Op("=") {
                let name = self.name()?;
                self.bump();
                keywords.push((name, self.expression()?));
            } else {
                let value = self.expression()?;
                let value = if self.is_word("for") { self.comprehension(value)? } else { value };
                if !keywords.is_empty() {
                    return Err(syntax(at, "an argument without a name follows one with a name"));
                }
                positional.push(value);
            }
            if !self.take_op(",") {
                break;
            }
        }
        self.expect_op(")")?;
        Ok(Trailer::Call { positional, keywords })
    }

    fn subscript(&mut self) -> Result<Trailer> {
        self.bump();
        let bound = |p: &mut Self| -> Result<Option<Box<Expr>>> {
            let absent = p.is_op(":") || p.is_op("]");
            if absent { Ok(None) } else { Ok(Some(Box::new(p.expression_list()?))) }
        };
        let start = bound(self)?;
        let trailer = if self.take_op(":") {
            let end = bound(self)?;
            let step = if self.take_op(":") { bound(self)? } else { None };
            Trailer::Slice { start, end, step }
        } else {
            Trailer::Index(start.ok_or_else(|| self.expected("an index"))?)
        };
        self.expect_op("]")?;
        Ok(trailer)
    }

    fn atom(&mut self) -> Result<Expr> {
        let at = self.at();
        let kind = match self.peek().clone() {
            Token::Int(value) => self.constant(ExprKind::Int(value)),
            Token::Float(value) => self.constant(ExprKind::Float(value)),
            Token::Str(first) => {
                self.bump();
                let mut text = first.to_string();
                while let Token::Str(next) = self.peek().clone() {
                    self.bump();
                    text.push_str(&next);
                }
                ExprKind::Str(text.into())
            }
            Token::Name(name) => match &*name {
                "None" => self.constant(ExprKind::None),
                "True" => self.constant(ExprKind::Bool(true)),
                "False" => self.constant(ExprKind::Bool(false)),
                word if KEYWORDS.contains(&word) => return Err(self.expected("a value")),
                _ => self.constant(ExprKind::Name(name)),
            },
            Token::Op("(") => return self.deeper(Self::parenthesis),
            Token::Op("[") => return self.deeper(Self::list),
            Token::Op("{") => self.deeper(Self::dictionary)?,
            Token::Op("`") => {
                return Err(syntax(at, "backquotes are not part of the language").help("use repr(…)"));
            }
            _ => return Err(self.expected("a value")),
        };
        Ok(Expr { at, kind })
    }

    fn constant(&mut self, kind: ExprKind) -> ExprKind {
        self.bump();
        kind
    }

    fn parenthesis(&mut self) -> Result<Expr> {
        let at = self.at();
        self.bump();
        if self.take_op(")") {
            return Ok(Expr { at, kind: ExprKind::Tuple(Vec::new()) });
        }
        let inner = self.expression_list()?;
        let inner = if self.is_word("for") { self.comprehension(inner)? } else { inner };
        self.expect_op(")")?;
        Ok(Expr { at, kind: inner.kind })
    }

    fn list(&mut self) -> Result<Expr> {
        let at = self.at();
        self.bump();
        let mut parts = Vec::new();
        while !self.is_op("]") {
            let part = self.expression()?;
            if parts.is_empty() && self.is_word("for") {
                let comprehension = self.comprehension(part)?;
                self.expect_op("]")?;
                return Ok(Expr { at, kind: comprehension.kind });
            }
            parts.push(part);
            if !self.take_op(",") && !self.is_op("]") {
                return Err(self.expected("',' or ']'"));
            }
        }
        self.bump();
        Ok(Expr { at, kind: ExprKind::List(parts) })
    }

    fn comprehension(&mut self, element: Expr) -> Result<Expr> {
        let at: Pos = element.at;
        let mut clauses = Vec::new();
        loop {
            if self.take_word("for") {
                let target = self.targets()?;
                if !self.take_word("in") {
                    return Err(self.expected("'in'"));
                }
                clauses.push(Clause::For { target, items: self.disjunction()? });
            } else if self.take_word("if") {
                clauses.push(Clause::If(self.disjunction()?));
            } else {
                break;
            }
        }
        if clauses.len() > 8 {
            return Err(syntax(at, "this is nested too deeply"));
        }
        Ok(Expr { at, kind: ExprKind::Comprehension { element: Box::new(element), clauses } })
    }

    fn dictionary(&mut self) -> Result<ExprKind> {
        self.bump();
        let mut pairs = Vec::new();
        while !self.is_op("}") {
            let key = self.expression()?;
            if !self.take_op(":") {
                return Err(self.expected("':' between key and value"));
            }
            pairs.push((key, self.expression()?));
            if !self.take_op(",") && !self.is_op("}") {
                return Err(self.expected("',' or '}'"));
            }
        }
        self.bump();
        Ok(ExprKind::Dict(pairs))
    }
}
