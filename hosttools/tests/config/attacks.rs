//! Hostile texts (attack e04): they end with an error after counted work, and reach nothing outside.

use xendless_hosttools::config::table::{self, Kind, Status};

use super::{errors, run};

/// Each text must fail, with these words.
fn ends_with(cases: &[(&str, &str)]) {
    for (text, words) in cases {
        let message = errors(text, &[]);
        assert!(message.contains(words), "{:.80} gave {message:.200}", text);
    }
}

#[test]
fn attack_e04_loops_without_end() {
    let words = "runs for more than 1000000 steps";
    ends_with(&[
        ("while 1: pass", words),
        ("while True:\n    try:\n        while 1: pass\n    except:\n        pass", words),
        ("x = [0]\nfor i in x:\n    x.append(i)\nwhile 1: x = x[:1]", "more than"),
        ("for a in range(5000):\n  for b in range(5000): pass", "more than"),
        ("x = range(1000000000)", words),
        ("x = [i for i in range(1000) for j in range(1000) for k in range(1000)]", "more than"),
        ("s = 'a' * 1000000\nwhile 1: s.find('b')", words),
        ("s = 'a' * 1000000\nwhile 1: s == s", "more than"),
        ("d = {}\nk = 'a' * 100000\nd[k] = 1\nwhile 1: d[k]", words),
        ("x = sorted(range(400000))", "more than"),
        ("s = 'a' * 1000000\nwhile 1: '%.1s' % s", words),
        ("x = range(100000)\nwhile 1: del x[0]", words),
        ("import re\nre.findall('a*b|a', 'a' * 10000)", words),
        ("import re\nwhile 1: re.search('(a*)*b', 'a' * 1000)", "more than"),
    ]);
}

#[test]
fn attack_e04_recursion() {
    let words = "calls or nests too deeply";
    ends_with(&[
        ("def f(): f()\nf()", words),
        ("def f(): return [f() for i in [1]]\nf()", words),
        ("f = lambda x: f(x)\nf(1)", words),
        ("def f(x): return sorted([x], key=f)\nf(1)", words),
        ("def f():\n    try: f()\n    except: f()\nf()", words),
    ]);
}

#[test]
fn attack_e04_nesting() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{1:", "}"),
        ("f(", ")"),
        ("x[", "]"),
        ("not ", ""),
        ("-", ""),
        ("lambda: ", ""),
        ("2**", ""),
        ("1 if 1 else ", ""),
    ] {
        let text = format!("x = {}1{}", open.repeat(20_000), close.repeat(20_000));
        assert!(errors(&text, &[]).contains("nested too deeply"), "{open}");
    }
    let blocks: String = (0..100).map(|n| format!("{}if 1:\n", " ".repeat(n))).collect();
    ends_with(&[(&blocks, "nested too deeply")]);
}

#[test]
fn attack_e04_long_chains_are_no_nesting() {
    let sum = vec!["1"; 5000].join(" + ");
    let elifs = "elif 0: pass\n".repeat(5000);
    let comparisons = vec!["1"; 5000].join(" == ");
    let text = format!(
        "kernel = '/k'\nx = {sum}\nif 0: pass\n{elifs}y = {comparisons}\nz = {}\n",
        vec!["''"; 5000].join(" or ")
    );
    assert!(run(&text, &[]).is_ok());
    ends_with(&[(&format!("x = os{}", ".path".repeat(50_000)), "has no attribute")]);
}

#[test]
fn attack_e04_memory() {
    let words = "makes more than 16777216 bytes of values";
    ends_with(&[
        ("x = 'a' * 10000000000", words),
        ("x = 'a' * 9223372036854775807", words),
        ("x = 'a'\nwhile 1: x = x + x", words),
        ("x = 'a'\nwhile 1: x += x", words),
        ("x = [1]\nwhile 1: x = x + x", "more than"),
        ("x = []\nwhile 1: x.append('a')", "more than"),
        ("d = {}\ni = 0\nwhile 1:\n  d[i] = i\n  i += 1", words),
        ("x = 'ab'.replace('', 'x' * 10000000)", words),
        ("x = ('%1000s' * 20000) % tuple('a' * 20000)", words),
        ("x = 'a'.zfill(99999999999)", words),
        ("x = ','.join(['a' * 1000000] * 100)", words),
        ("def f(): pass\nwhile 1:\n  def f(): pass", words),
        (
            "s = 'a' * 1000000\nl = []\nwhile 1:\n  try: raise ValueError, s\n  except ValueError, e: l.append(e)",
            words,
        ),
        ("import re\nwhile 1: re.sub('a', 'b' * 1000, 'a' * 1000)", "more than"),
        ("import re\nre.compile('((a{100}){100}){100}')", "the pattern cannot be used"),
        ("x = []\nx.append(x)\ny = repr(x)", "nested too deeply"),
        ("x = []\nfor i in range(19): x = [x, x]\ny = str(x)", "more than"),
        ("x = []\nfor i in range(1000): x = [x]\ny = x == x + []", "nested too deeply"),
    ]);
    let cycle = "kernel = '/k'\nx = []\nx.append(x)\nfor i in range(20000): x = [x, (x,)]\nlast = x";
    assert!(run(cycle, &[]).is_ok(), "what is nested deeply is let go without recursion");
}

#[test]
fn attack_e04_output() {
    ends_with(&[("while 1: print 'a' * 1000", "prints more than 65536 bytes")]);
}

#[test]
fn attack_e04_nothing_outside_is_reached() {
    let names = [
        "open('/etc/passwd')",
        "file('/etc/passwd')",
        "execfile('/etc/passwd')",
        "input()",
        "raw_input()",
        "eval('1')",
        "__import__('os')",
        "compile('1', '', 'eval')",
        "os.system('id')",
        "os.popen('id')",
        "os.listdir('/')",
        "os.fork()",
        "os.execv('/bin/sh', [])",
        "os.remove('/x')",
        "os.environ.__class__",
        "''.__class__",
        "sys.modules",
        "sys.stdin.read()",
        "os.path.getsize('/')",
        "os.path.realpath('/')",
        "(lambda: 0).func_globals",
        "get_defaultroute()",
        "__builtins__",
        "os.uname.__self__",
    ];
    for name in names {
        let message = errors(&format!("kernel = '/k'\nimport os, sys\nx = {name}"), &[]);
        assert!(message.contains("/etc/xen/web:3:"), "{message}");
    }
    for module in [
        "subprocess",
        "commands",
        "socketserver",
        "ctypes",
        "urllib",
        "time",
        "random",
        "os.nosuch",
        "pickle",
    ] {
        assert!(errors(&format!("import {module}"), &[]).contains("No module named"), "{module}");
    }
    let probes = "kernel = '/k'\nimport os\nname = str(os.path.exists('/etc/passwd'))";
    assert_eq!(run(probes, &[]).unwrap().config.name.as_str(), "False", "only what the caller says exists");
}

#[test]
fn attack_e04_long_files_and_lines() {
    ends_with(&[
        (&"#".repeat(300 * 1024), "the file is longer than 262144 bytes"),
        (&format!("x = '{}", "a".repeat(200_000)), "the string is not closed"),
        (&format!("memory = '{}'", "9".repeat(100_000)), "memory must be"),
    ]);
    let message = errors(&format!("x = 1 {}", "(".repeat(100_000)), &[]);
    assert!(message.len() < 1000, "a message stays readable");
}

#[test]
fn attack_e04_values_that_are_too_long_or_too_many() {
    let long = "'a' * 5000";
    for text in [
        format!("kernel = {long}"),
        format!("kernel = '/k'\nextra = {long}"),
        format!("kernel = '/k'\nname = {long}"),
        format!("kernel = '/k'\ndescription = {long}"),
        "kernel = '/k'\nvif = [''] * 65".to_owned(),
        "kernel = '/k'\ndisk = ['phy:a,d%dp0,w' % i for i in range(300)]".to_owned(),
        "kernel = '/k'\nvif = [''] * 100000".to_owned(),
        "kernel = '/k'\nvif = ['x' * 100000] * 100".to_owned(),
        "kernel = '/k'\ncpus = ['0-4095,' * 100000] * 16".to_owned(),
        "kernel = '/k'\nextra = 'a\\0b'".to_owned(),
        "kernel = '/k'\nroot = 'a\\x1b[2J'".to_owned(),
    ] {
        let message = errors(&text, &[]);
        assert!(message.contains("too long") || message.contains("cannot contain"), "{message}");
    }
}

#[test]
fn attack_e04_messages_stay_readable_and_harmless() {
    for text in [
        "raise ValueError, 'a' * 1000000",
        "raise ValueError, '\\x1b[2J' * 1000",
        "kernel = '/k'\nvif = ['\\x1b[2J' * 1000] * 1000",
        "kernel = '/k'\non_crash = '\\x1b' * 100000",
    ] {
        let message = errors(text, &[]);
        assert!(message.len() < 20_000, "{} bytes", message.len());
        assert!(!message.contains('\x1b'), "{message}");
    }
}

#[test]
fn attack_c05_numbers_beyond_their_limits_are_refused_wherever_they_stand() {
    let mut tried = 0;
    for variable in table::variables() {
        let (Kind::Int { min, max, .. }, Status::Sets(_)) = (&variable.kind, variable.status) else {
            continue;
        };
        let beyond = [i128::from(*min) - 1, i128::from(*max) + 1, i128::from(i64::MIN), i128::from(i64::MAX)];
        let wide =
            ["18446744073709551616", "-18446744073709551617", "340282366920938463463374607431768211456"];
        for number in beyond.map(|number| number.to_string()).into_iter().chain(wide.map(str::to_owned)) {
            for text in [format!("{} = {number}", variable.name), format!("{} = '{number}'", variable.name)] {
                let message = errors(&format!("kernel = '/k'\n{text}"), &[]);
                assert!(message.contains(variable.name), "{text}: {message}");
                tried += 1;
            }
            errors("kernel = '/k'", &[(variable.name, &number)]);
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn attack_c05_numbers_within_texts_have_limits_too() {
    for text in [
        "cpus = '0-18446744073709551616'",
        "cpus = '4096'",
        "cpus = ['0', '99999999999999999999']",
        "vcpus = 2\nmaxvcpus = 18446744073709551617",
        "memory = 16777216\nmaxmem = 16777217",
        "vif = ['rate=18446744073709551616GB/s']",
        "vif = ['rate=99999999999GB/s']",
        "vif = ['rate=10MB/s@18446744073709551616s']",
        "vif = ['mac=00:16:3e:00:00:100']",
        "disk = ['phy:/d,xvda18446744073709551617,w']",
        "disk = ['phy:/d,hda99,w']",
        "disk = ['phy:/d,xvdzzzzzzzzzz,w']",
        "pci = ['0000:00:20.0']",
        "pci = ['0000:100:00.0']",
        "pci = ['00:00.8']",
        "pci = ['99999:00:00.0']",
        "irq = [18446744073709551616]",
        "irq = [-1]",
        "ioports = ['10000-10001']",
        "ioports = ['ff-fe']",
        "iomem = ['fffffffffffffffff,1']",
        "iomem = ['1,ffffffffffffffff']",
    ] {
        let outcome = run(&format!("kernel = '/k'\n{text}"), &[]);
        assert!(outcome.is_err(), "{text}");
    }
}
