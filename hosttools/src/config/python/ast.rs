//! A configuration file as a tree. Chains (`a + b + c`, `a.b(c)[d]`, `elif`) are flat, so that the depth of the
//! tree is the depth of brackets and blocks in the text.

use std::rc::Rc;

use super::token::Pos;

/// Statements in order.
pub(super) type Block = Vec<Stmt>;

#[derive(Debug)]
pub(super) struct Stmt {
    pub(super) at: Pos,
    pub(super) kind: StmtKind,
}

#[derive(Debug)]
pub(super) enum StmtKind {
    Expr(Expr),
    /// `print >>stream, values`; all streams are one.
    Print {
        stream: Option<Expr>,
        values: Vec<Expr>,
        newline: bool,
    },
    /// `a = b = value`.
    Assign {
        targets: Vec<Expr>,
        value: Expr,
    },
    Augment {
        target: Expr,
        op: BinOp,
        value: Expr,
    },
    If {
        arms: Vec<(Expr, Block)>,
        otherwise: Block,
    },
    While {
        test: Expr,
        body: Block,
        otherwise: Block,
    },
    For {
        target: Expr,
        items: Expr,
        body: Block,
        otherwise: Block,
    },
    Def(Rc<Function>),
    Return(Option<Expr>),
    Raise {
        what: Option<Expr>,
        message: Option<Expr>,
    },
    Try(Box<Try>),
    /// `import a.b as c`: the dotted name and the name it gets.
    Import(Vec<(Rc<str>, Option<Rc<str>>)>),
    /// `from a import b as c`; no names means all of them.
    From {
        module: Rc<str>,
        names: Vec<(Rc<str>, Option<Rc<str>>)>,
    },
    Assert {
        test: Expr,
        message: Option<Expr>,
    },
    Del(Vec<Expr>),
    Global(Vec<Rc<str>>),
    Pass,
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) struct Try {
    pub(super) body: Block,
    pub(super) handlers: Vec<Handler>,
    pub(super) otherwise: Block,
    pub(super) finally: Block,
}

#[derive(Debug)]
pub(super) struct Handler {
    /// What it handles; everything when `None`.
    pub(super) what: Option<Expr>,
    /// The name the exception gets.
    pub(super) name: Option<Rc<str>>,
    pub(super) body: Block,
}

/// A function, or a lambda, whose body is one `return`.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: Rc<str>,
    pub(super) parameters: Vec<Parameter>,
    /// The parameter that takes all further arguments.
    pub(super) rest: Option<Rc<str>>,
    pub(super) body: Block,
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: Rc<str>,
    pub(super) default: Option<Expr>,
}

#[derive(Debug)]
pub(super) struct Expr {
    pub(super) at: Pos,
    pub(super) kind: ExprKind,
}

#[derive(Debug)]
pub(super) enum ExprKind {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    Name(Rc<str>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    /// `[element for … if …]`.
    Comprehension {
        element: Box<Expr>,
        clauses: Vec<Clause>,
    },
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Invert(Box<Expr>),
    Power(Box<Expr>, Box<Expr>),
    /// Operators of one precedence, from the left.
    Binary(Box<Expr>, Vec<(BinOp, Expr)>),
    /// `a < b <= c`.
    Compare(Box<Expr>, Vec<(CmpOp, Expr)>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// `then if test else otherwise`, in the order test, then, otherwise.
    Choice(Box<[Expr; 3]>),
    Lambda(Rc<Function>),
    Postfix(Box<Expr>, Vec<(Pos, Trailer)>),
}

/// What can stand behind a value.
#[derive(Debug)]
pub(super) enum Trailer {
    Attribute(Rc<str>),
    Call { positional: Vec<Expr>, keywords: Vec<(Rc<str>, Expr)> },
    Index(Box<Expr>),
    Slice { start: Option<Box<Expr>>, end: Option<Box<Expr>>, step: Option<Box<Expr>> },
}

#[derive(Debug)]
pub(super) enum Clause {
    For { target: Expr, items: Expr },
    If(Expr),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    Shl,
    Shr,
    BitAnd,
    BitOr,
    BitXor,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CmpOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
    Is,
    IsNot,
}
