//! The language, one feature after the other: what `x` is after each text.

use std::collections::BTreeMap;

use proptest::prelude::*;
use xendless_core::config::Uuid;

use super::{Limits, run};
use crate::config::datum::Datum;
use crate::config::host::{Host, PathKind};

fn host() -> Host<'static> {
    Host {
        uname: ["Linux", "dom0", "6.1.0", "#1", "x86_64"].map(str::to_owned),
        environment: BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]),
        directory: "/etc/xen".to_owned(),
        probe: &|path| if path == "/boot/vmlinuz" { PathKind::File } else { PathKind::Missing },
        ..Host::unknown(Uuid::from_bytes([7; 16]).unwrap())
    }
}

fn show(datum: &Datum) -> String {
    match datum {
        Datum::List(items) => {
            let items: Vec<String> = items.iter().map(|item| show(&item.datum)).collect();
            format!("[{}]", items.join(", "))
        }
        Datum::Float(n) => format!("{n:?}"),
        other => other.describe(),
    }
}

/// What `x` is afterwards, or the error as `line:column message`.
fn x(text: &str) -> String {
    let (outcome, result) = run("test.cfg", text, &[], &host(), Limits::default());
    match result {
        Ok(()) => outcome.variables.get("x").map_or("unset".to_owned(), |x| show(&x.value.datum)),
        Err(failure) => format!("{} {}", failure.at, failure.message),
    }
}

fn check(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        assert_eq!(x(text), *wanted, "{text}");
    }
}

#[test]
fn literals() {
    check(&[
        ("x = 10", "10"),
        ("x = 0x1F", "31"),
        ("x = 0755", "493"),
        ("x = 0o17", "15"),
        ("x = 0b101", "5"),
        ("x = 5L", "5"),
        ("x = 1.5", "1.5"),
        ("x = .5e1", "5.0"),
        ("x = 'it''s'", "'its'"),
        ("x = \"a'b\"", "\"a'b\""),
        ("x = '''a\nb'''", "'a\\nb'"),
        ("x = r'a\\nb' + u'c'", "'a\\\\nbc'"),
        ("x = '\\x41\\102\\t\\q'", "'AB\\t\\\\q'"),
        ("x = 'a\\\nb'", "'ab'"),
        ("x = [1, 'a', None, True,]", "[1, 'a', None, True]"),
        ("x = (1,)", "[1]"),
        ("x = ()", "[]"),
        ("x = {'a': 1}['a']", "1"),
        ("x = 'Käse' # Grüße", "'Käse'"),
        ("\u{feff}x = 1", "1"),
        ("x = 1\r\n\r\nif x:\r\n    x = 2\r\n", "2"),
    ]);
}

#[test]
fn operators_follow_python_2() {
    check(&[
        ("x = 7/2", "3"),
        ("x = -7/2", "-4"),
        ("x = -7 % 3", "2"),
        ("x = 7//2", "3"),
        ("x = 7/2.0", "3.5"),
        ("x = 1.0 * 1024", "1024.0"),
        ("x = 2**10", "1024"),
        ("x = -2**2", "-4"),
        ("x = 2**-1", "0.5"),
        ("x = 1 + 2 * 3 - 4", "3"),
        ("x = 10 - 2 - 3", "5"),
        ("x = 1 << 4 | 3 & 2 ^ 1", "19"),
        ("x = ~5", "-6"),
        ("x = 'ab' * 2 + 'c'", "'ababc'"),
        ("x = 2 * [1]", "[1, 1]"),
        ("x = [1] + [2]", "[1, 2]"),
        ("x = not 0 and 1 or 2", "1"),
        ("x = '' or 'default'", "'default'"),
        ("x = 1 < 2 <= 2 != 3", "True"),
        ("x = 'a' in 'cat' and 2 not in [1]", "True"),
        ("x = None is None, 1 is not None", "[True, True]"),
        ("x = 'yes' if 1 <> 2 else 'no'", "'yes'"),
        ("x = True + True", "2"),
        ("x = [1, 2] == [1, 2.0]", "True"),
        ("x = 5; x += 2; x *= 3", "21"),
    ]);
}

#[test]
fn mistakes_in_operators() {
    check(&[
        ("x = 1/0", "1:7 integer division or modulo by zero"),
        ("x = 9223372036854775807 + 1", "1:27 the result is too large; numbers end at 9223372036854775807"),
        ("x = -9223372036854775807 - 2", "1:28 the result is too large; numbers end at 9223372036854775807"),
        ("x = 2 ** 64", "1:5 the result is too large; numbers end at 9223372036854775807"),
        ("x = 'VM' + 3", "1:12 cannot concatenate 'str' and 'int' objects"),
        ("x = [] - 1", "1:10 unsupported operand type(s) for -: 'list' and 'int'"),
        ("x = '3' > 2", "1:11 cannot compare 'str' with 'int'"),
        ("x = [1][1]", "1:9 index out of range"),
        ("x = {'a': 1}['b']", "1:14 'b'"),
        ("x = 5[0]", "1:7 'int' object has no elements"),
        ("x = 5()", "1:5 'int' object is not callable"),
    ]);
}

#[test]
fn formatting() {
    check(&[
        ("x = 'VM%d' % 3", "'VM3'"),
        ("x = 'phy:sda%d,sda1,w' % (7+3)", "'phy:sda10,sda1,w'"),
        ("x = '%02x:%02X' % (10, 255)", "'0a:FF'"),
        ("x = '%s=%s%%' % ('a', 1)", "'a=1%'"),
        ("x = '%(a)s-%(b)03d' % {'a': 'k', 'b': 7}", "'k-007'"),
        ("x = '%-5s|%5s|%.2s' % ('ab', 'cd', 'efg')", "'ab   |   cd|ef'"),
        ("x = '%5.1f %e %g' % (3.14159, 1500.0, 0.5)", "'  3.1 1.500000e3 0.5'"),
        ("x = '%r' % ['a', 1]", "\"['a', 1]\""),
        ("x = '%#x %+d %c' % (255, 5, 65)", "'0xff +5 A'"),
        ("x = '{0}-{1:03d}-{n}'.format('a', 7, n='z')", "'a-007-z'"),
        ("x = '{}{}{{}}'.format(1, 2)", "'12{}'"),
        ("x = '%d' % 'a'", "1:12 %d format: a number is required, not str"),
        ("x = '%s %s' % 'a'", "1:15 not enough arguments for format string"),
        ("x = '%s' % (1, 2)", "1:12 not all arguments converted during string formatting"),
        ("x = '%y' % 1", "1:12 unsupported format character 'y'"),
        ("x = '%99999d' % 1", "1:17 a field cannot be wider than 1024"),
        ("x = str(1.0) + str(1e20) + repr('a')", "\"1.01e+20'a'\""),
    ]);
}

#[test]
fn text_methods() {
    check(&[
        ("x = ' a b '.strip().split()", "['a', 'b']"),
        ("x = 'a,b,c'.split(',', 1)", "['a', 'b,c']"),
        ("x = 'a,b,c'.rsplit(',', 1)", "['a,b', 'c']"),
        ("x = 'a b  c'.split(None, 1)", "['a', 'b  c']"),
        ("x = '-'.join(['a', 'b'])", "'a-b'"),
        ("x = 'abc'.replace('b', 'xx').upper()", "'AXXC'"),
        ("x = 'abc'.startswith('ab') and 'abc'.endswith('c')", "True"),
        ("x = 'abcb'.find('b'), 'abcb'.rfind('b'), 'a'.find('z')", "[1, 3, -1]"),
        ("x = '7'.zfill(3) + 'a'.center(3) + 'b'.ljust(2)", "'007 a b '"),
        ("x = 'web server'.title(), 'wEB'.capitalize()", "['Web Server', 'Web']"),
        ("x = '12'.isdigit(), ''.isdigit(), 'aa'.count('a')", "[True, False, 2]"),
        ("x = 'abc'[1], 'abc'[-1], 'abc'[1:], 'abc'[::-1]", "['b', 'c', 'bc', 'cba']"),
        ("x = 'a'.foo()", "1:8 'str' object has no attribute 'foo'"),
        ("x = 'a'.join([1])", "1:5 sequence item 0: expected string, int found"),
        ("x = 'a'.upper(1)", "1:5 upper() takes exactly 1 argument (2 given)"),
    ]);
}

#[test]
fn lists_and_dictionaries() {
    check(&[
        ("x = []\nx.append(1)\nx.extend([3, 2])\nx.sort()\nx.insert(0, 9)", "[9, 1, 2, 3]"),
        ("x = [1, 2, 3]\ndel x[0]\nx[0] = 'a'\nx.remove(3)", "['a']"),
        ("a = [1, 2, 3]\nx = a.pop(), a.pop(0), a", "[3, 1, [2]]"),
        ("x = [3, 1, 2][1:], [1, 2, 3][:-1], [1, 2, 3, 4][::2]", "[[1, 2], [1, 2], [1, 3]]"),
        ("a = [1]\nb = a\nb += [2]\nx = a", "[1, 2]"),
        ("x = [i * 2 for i in range(4) if i % 2]", "[2, 6]"),
        ("x = [(a, b) for a in 'xy' for b in [1, 2]]", "[['x', 1], ['x', 2], ['y', 1], ['y', 2]]"),
        (
            "d = {'b': 1, 'a': 2}\nd['c'] = 3\nx = d.keys(), d.items(), d.get('z', 0)",
            "[['a', 'b', 'c'], [['a', 2], ['b', 1], ['c', 3]], 0]",
        ),
        (
            "d = dict(a=1)\nd.update({'b': 2})\nx = d.has_key('b'), 'c' in d, len(d), d.pop('a')",
            "[True, False, 2, 1]",
        ),
        (
            "x = sorted([3, 1.5, 2], reverse=True), sorted(['b', 'A'], key=lambda s: s.lower())",
            "[[3, 2, 1.5], ['A', 'b']]",
        ),
        ("x = zip([1, 2], 'ab'), enumerate(['q'])", "[[[1, 'a'], [2, 'b']], [[0, 'q']]]"),
        ("x = map(lambda n: n + 1, [1, 2]), filter(None, [0, 3])", "[[2, 3], [3]]"),
        ("x = min(3, 1), max([1, 5]), sum([1, 2]), any([0, 1]), all([1, 0])", "[1, 5, 3, True, False]"),
        ("a, (b, c) = 1, [2, 3]\nx = c, b, a", "[3, 2, 1]"),
        ("a, b = 1, 2, 3", "1:1 3 values for 2 variables"),
    ]);
}

#[test]
fn statements() {
    check(&[
        (
            "x = 0\nfor i in range(10):\n    if i == 2: continue\n    if i == 5: break\n    x += i\nelse:\n    x = -1",
            "8",
        ),
        ("x = 0\nwhile x < 5:\n\tx = x + 1\nelse:\n\tx = 'done'", "'done'"),
        ("if 0:\n  x = 1\nelif 1:\n  x = 2\nelse:\n  x = 3", "2"),
        (
            "def f(a, b=2, *rest):\n    return a + b + len(rest)\nx = f(1), f(1, b=3), f(1, 2, 3, 4)",
            "[3, 4, 5]",
        ),
        ("y = 5\ndef f():\n    global y\n    y = y + 1\nf()\nx = y", "6"),
        ("def f(n):\n    def g(): return n * 2\n    return g()\nx = f(4)", "8"),
        (
            "try:\n    x = int('a')\nexcept ValueError, e:\n    x = str(e)",
            "\"invalid literal for int() with base 10: 'a'\"",
        ),
        (
            "try:\n    raise KeyError('k')\nexcept (TypeError, LookupError) as e:\n    x = 1\nfinally:\n    x += 1",
            "2",
        ),
        (
            "try:\n    try:\n        raise ValueError, 'v'\n    except ValueError:\n        raise\nexcept:\n    x = 'again'",
            "'again'",
        ),
        ("try:\n    x = 1\nexcept: pass\nelse: x = 2", "2"),
        ("x = [1,\n     2] ; y = \\\n  3", "[1, 2]"),
        ("x = 1;", "1"),
        ("assert 1 == 1, 'fine'\nx = y = 2", "2"),
        ("x = lambda a: a\nx = x(3)", "3"),
        ("x = 1\nif x:\n    # only a comment\n\n    x = 2\n  # oddly placed comment\nx += 1", "3"),
    ]);
}

#[test]
fn mistakes_in_statements() {
    check(&[
        ("x = [1", "1:5 '[' is never closed"),
        ("x = 1)", "1:6 ')' closes nothing"),
        ("x = (1]", "1:7 ']' does not match the '(' of 1:5"),
        ("x = 'abc", "1:5 the string is not closed"),
        ("x = ", "1:5 a value is missing after '='"),
        ("x = 1 2", "1:7 expected the end of the line, found the number 2"),
        ("x = 12ab", "1:5 '12ab' is not a number"),
        ("  x = 1", "1:3 unexpected indent"),
        ("if 1:\nx = 1", "2:1 expected an indented block, found 'x'"),
        ("if 1:\n    x = 1\n  x = 2", "3:3 unindent does not match any outer indentation level"),
        ("x + 1 = 2", "1:1 this cannot be given a value"),
        ("x = “a”", "1:5 unexpected character '“'"),
        ("class A: pass", "1:1 'class' is not part of the configuration language"),
        ("x = f'{y}'", "1:5 f-strings are not part of the configuration language"),
        ("break", "1:1 'break' outside of a loop"),
        ("return 1", "1:1 'return' outside of a function"),
        ("x = lambda: (yield)", "1:14 expected a value, found 'yield'"),
        ("print >>1, 'a'", "1:9 cannot print to a int"),
        ("raise ValueError", "1:1 ValueError"),
        ("raise ValueError, 'no'", "1:1 no"),
        ("assert 0, 'reason'", "1:8 reason"),
        ("x = undefined", "1:5 name 'undefined' is not defined"),
        ("def f(a): pass\nf()", "2:1 f() takes exactly 1 argument (0 given)"),
        ("def f(a): pass\nf(b=1)", "2:1 f() got an unexpected keyword argument 'b'"),
        ("import sys\nsys.exit('stop here')", "2:1 stop here"),
    ]);
}

#[test]
fn modules() {
    check(&[
        ("import os, re\nx = os.uname()[4]", "'x86_64'"),
        ("import re\narch = 'x86_64'\nx = 'lib64' if re.search('64', arch) else 'lib'", "'lib64'"),
        (
            "import re\nm = re.match(r'(\\w+)-(\\d+)', 'web-12')\nx = m.group(1), m.groups(), re.match('b', 'ab')",
            "['web', ['web', '12'], None]",
        ),
        (
            "import re\nx = re.sub(r'(a)(b)', r'\\2$\\1', 'abab'), re.findall('[0-9]+', 'a1b22')",
            "['b$ab$a', ['1', '22']]",
        ),
        (
            "import re\np = re.compile('^A', re.I)\nx = p.search('abc') is not None, re.split(',+', 'a,,b')",
            "[True, ['a', 'b']]",
        ),
        (
            "import re\nre.search('(a', 'b')",
            "2:1 the pattern cannot be used: found open group without closing ')'",
        ),
        ("x = os.path.join('/a', 'b', '/c', 'd'), os.path.basename('/a/b.cfg')", "['/c/d', 'b.cfg']"),
        (
            "x = os.path.splitext('/a.b/c.cfg'), os.path.dirname('/a/b'), os.path.abspath('x/../y')",
            "[['/a.b/c', '.cfg'], '/a', '/etc/xen/y']",
        ),
        ("x = os.path.exists('/boot/vmlinuz'), os.path.isfile('/etc/shadow')", "[True, False]"),
        ("x = os.environ['HOME'], os.getenv('NONE', 'd'), os.environ.get('NONE')", "['/root', 'd', None]"),
        (
            "import string\nx = string.atoi('7'), string.join(['a', 'b'], ','), string.upper('a'), string.digits",
            "[7, 'a,b', 'A', '0123456789']",
        ),
        ("from os import path as p, uname\nx = p.basename('/q'), uname()[1]", "['q', 'dom0']"),
        ("import os.path\nx = os.path.basename(xm_file)", "'test.cfg'"),
        ("from socket import *\nx = gethostname()", "'dom0'"),
        (
            "x = add_offset_to_ip('10.0.0.250', 10), check_subnet('10.0.0.5', '10.0.0.0', '255.255.255.0')",
            "['10.0.1.4', True]",
        ),
        ("x = inet_ntoa(inet_aton('1.2.3.4'))", "'1.2.3.4'"),
        ("x = 'vmid' in globals(), locals().has_key('os')", "[False, True]"),
        ("x = isinstance('a', (int, str)), isinstance(1, basestring)", "[True, False]"),
        (
            "x = int('0x1f', 16), int(' 7 '), int(2.9), hex(255), oct(8), chr(65), ord('a')",
            "[31, 7, 2, '0xff', '010', 'A', 97]",
        ),
        ("import nosuch", "1:1 No module named nosuch"),
        ("int(None)", "1:1 int() argument must be a string or a number, not 'NoneType'"),
    ]);
}

#[test]
fn printing_is_kept_also_when_the_file_fails() {
    let text = "print 'a', 1\nprint('b')\nprint\nimport sys\nsys.stderr.write('c')\nprint >>sys.stderr, 'd'\nprint >>sys.stdout\nnope";
    let (outcome, result) = run("test.cfg", text, &[], &host(), Limits::default());
    assert_eq!(outcome.output, "a 1\nb\n\ncd\n\n");
    assert!(result.is_err());
}

#[test]
fn elements_know_where_they_were_written() {
    let text = "x = ['a',\n  'b']\nx.append(\n 'c')\n";
    let (outcome, _) = run("test.cfg", text, &[], &host(), Limits::default());
    let Datum::List(items) = &outcome.variables["x"].value.datum else { panic!("x is a list") };
    let places: Vec<String> = items.iter().map(|item| item.at.to_string()).collect();
    assert_eq!(places, ["1:6", "2:3", "4:2"]);
}

/// Words from which a generator makes texts that come deep into the interpreter.
const WORDS: &[&str] = &[
    "x",
    "y",
    "=",
    "+=",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "\n",
    "\n    ",
    "\n        ",
    "if ",
    "else",
    "for ",
    "in ",
    "range",
    "def f",
    "return ",
    "not ",
    "lambda ",
    "'a'",
    "\"%s%d\"",
    "%",
    "*",
    "**",
    "-",
    "1",
    "0",
    "9999999999",
    "append",
    "join",
    "split",
    "import ",
    "os",
    "re",
    "sub",
    "while ",
    "try",
    "except",
    "raise ",
    "ValueError",
    "print ",
    "f",
    "None",
    "is ",
    "and ",
    "or ",
    "del ",
    "global ",
    "str",
    "int",
    "sorted",
    "globals",
    "zip",
    "'\\x41'",
    "#",
    "\\",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_can_be_evaluated(text in "\\PC{0,200}") {
        let _ = x(&text);
    }

    #[test]
    fn any_sequence_of_words_can_be_evaluated(words in proptest::collection::vec(0..WORDS.len(), 0..60)) {
        let text: String = words.into_iter().map(|n| WORDS[n]).collect();
        let small = Limits { steps: 20_000, memory: 1 << 20, ..Limits::default() };
        let _ = run("test.cfg", &text, &[], &host(), small);
    }

    #[test]
    fn evaluation_repeats(words in proptest::collection::vec(0..WORDS.len(), 0..40)) {
        let text: String = words.into_iter().map(|n| WORDS[n]).collect();
        prop_assert_eq!(x(&text), x(&text));
    }

    #[test]
    fn numbers_are_shown_as_they_are_read(n: i64) {
        prop_assume!(n != i64::MIN);
        prop_assert_eq!(x(&format!("x = int(str({n}))")), n.to_string());
        prop_assert_eq!(x(&format!("x = eval_({n})", )), "1:5 name 'eval_' is not defined");
    }

    #[test]
    fn strings_are_read_as_they_are_shown(text: String) {
        let quoted = super::quoted(&text);
        prop_assert_eq!(x(&format!("x = {quoted}")), quoted);
    }
}
