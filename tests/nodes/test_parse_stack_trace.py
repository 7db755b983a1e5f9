"""Traces of nine language families, written for these tests."""

from textwrap import dedent

import pytest

from nodes.parse_stack_trace import ParseStackTrace
from nodes.text.traces import parse
from tests.nodes.build import case, run, text_of

PYTHON = dedent(
    """\
    Traceback (most recent call last):
      File "/home/ada/widgets/cli.py", line 12, in main
        load(path)
      File "/home/ada/widgets/store.py", line 88, in load
        return cache[key]
      File "/usr/lib/python3.11/collections/__init__.py", line 1004, in __getitem__
        raise KeyError(key)
    KeyError: 'colour'
    """
)
PYTHON_CHAIN = dedent(
    """\
    Traceback (most recent call last):
      File "app/db.py", line 5, in connect
        sock.connect(addr)
    ConnectionRefusedError: [Errno 111] Connection refused

    The above exception was the direct cause of the following exception:

    Traceback (most recent call last):
      File "app/main.py", line 9, in <module>
        connect()
    app.errors.StartupFailed: no database
    """
)
JAVA = dedent(
    """\
    Exception in thread "main" java.lang.RuntimeException: start failed
    \tat com.octo.widgets.App.main(App.java:14)
    Caused by: java.lang.NullPointerException: Cannot invoke "Widget.size()" because "w" is null
    \tat com.octo.widgets.Shelf.count(Shelf.java:41)
    \tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
    \t... 1 more
    """
)
KOTLIN = dedent(
    """\
    kotlin.UninitializedPropertyAccessException: lateinit property shelf has not been initialized
        at com.octo.widgets.ShelfView.draw(ShelfView.kt:23)
        at android.view.View.layout(View.java:20672)
    """
)
NODE = dedent(
    """\
    TypeError: Cannot read properties of undefined (reading 'size')
        at Shelf.count (/srv/widgets/lib/shelf.js:17:21)
        at async run (/srv/widgets/bin/run.js:4:3)
        at Module._compile (node:internal/modules/cjs/loader:1254:14)
    """
)
TYPESCRIPT = dedent(
    """\
    Uncaught RangeError: Maximum call stack size exceeded
        at walk (webpack:///./src/tree.ts:9:11)
        at walk (webpack:///./src/tree.ts:12:5)
        at http://localhost:3000/static/js/bundle.js:44:2
    """
)
FIREFOX = dedent(
    """\
    TypeError: shelf is undefined
    draw@https://widgets.example/js/draw.js:31:7
    start@https://widgets.example/js/main.js:8:3
    """
)
GO = dedent(
    """\
    panic: runtime error: invalid memory address or nil pointer dereference
    [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4a1f2c]

    goroutine 1 [running]:
    github.com/octo/widgets/shelf.(*Shelf).Count(0x0)
    \t/home/ada/widgets/shelf/shelf.go:23 +0x1c
    main.main()
    \t/home/ada/widgets/main.go:9 +0x2a
    """
)
RUST = dedent(
    """\
    thread 'main' panicked at 'called `Option::unwrap()` on a `None` value', src/shelf.rs:42:17
    stack backtrace:
       0: rust_begin_unwind
                 at /rustc/90c541806f23a127002de5b4038be731ba1458ca/library/std/src/panicking.rs:578:5
       1: core::panicking::panic_fmt
                 at /rustc/90c541806f23a127002de5b4038be731ba1458ca/library/core/src/panicking.rs:67:14
       2: widgets::shelf::Shelf::count
                 at ./src/shelf.rs:42:17
       3: widgets::main
                 at ./src/main.rs:7:5
    """
)
RUST_NEW = dedent(
    """\
    thread 'worker' panicked at src/queue.rs:19:9:
    index out of bounds: the len is 3 but the index is 3
    note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    """
)
CSHARP = dedent(
    """\
    Unhandled exception. System.InvalidOperationException: start failed
     ---> System.NullReferenceException: Object reference not set to an instance of an object.
       at Octo.Widgets.Shelf.Count(Widget w) in C:\\src\\widgets\\Shelf.cs:line 31
       at Octo.Widgets.Program.Main(String[] args) in C:\\src\\widgets\\Program.cs:line 8
       at System.Threading.Tasks.Task.Execute()
    """
)
RUBY = dedent(
    """\
    app/models/shelf.rb:14:in `count': undefined method `size' for nil:NilClass (NoMethodError)
    \tfrom app/models/shelf.rb:9:in `each'
    \tfrom /usr/lib/ruby/gems/3.2.0/gems/rack-2.2.7/lib/rack/server.rb:301:in `start'
    """
)
RAILS = dedent(
    """\
    ActiveRecord::RecordNotFound (Couldn't find Widget with 'id'=9):

    app/controllers/widgets_controller.rb:22:in `show'
    app/middleware/trace.rb:7:in `call'
    """
)
PHP = dedent(
    """\
    PHP Fatal error:  Uncaught TypeError: Argument #1 must be Countable in /srv/www/src/Shelf.php:19
    Stack trace:
    #0 /srv/www/src/App.php(8): Octo\\Shelf->count(NULL)
    #1 /srv/www/vendor/slim/slim/Slim/App.php(120): Octo\\App->run()
    #2 {main}
      thrown in /srv/www/src/Shelf.php on line 19
    """
)
GDB = dedent(
    """\
    Program received signal SIGSEGV, Segmentation fault.
    #0  0x00007ffff7a4c1d2 in shelf_count (shelf=0x0) at src/shelf.c:88
    #1  0x0000555555555249 in main (argc=1, argv=0x7fffffffe0d8) at src/main.c:12
    #2  0x00007ffff7829d90 in __libc_start_call_main () from /lib/x86_64-linux-gnu/libc.so.6
    """
)
ASAN = dedent(
    """\
    ==4242==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x000000401234
    READ of size 4 at 0x602000000010 thread T0
        #0 0x401233 in shelf_top /build/widgets/src/shelf.cpp:51:12
        #1 0x4013aa in main /build/widgets/src/main.cpp:20:5
        #2 0x7f1c2a in __libc_start_main (/lib/x86_64-linux-gnu/libc.so.6+0x29d8f)
    """
)

TABLE = [
    ("python", PYTHON, "Python", "KeyError", "'colour'", "/home/ada/widgets/store.py", 88, "load"),
    (
        "python chain",
        PYTHON_CHAIN,
        "Python",
        "ConnectionRefusedError",
        "[Errno 111] Connection refused",
        "app/db.py",
        5,
        "connect",
    ),
    (
        "java",
        JAVA,
        "Java",
        "java.lang.NullPointerException",
        'Cannot invoke "Widget.size()" because "w" is null',
        "com/octo/widgets/Shelf.java",
        41,
        "com.octo.widgets.Shelf.count",
    ),
    (
        "kotlin",
        KOTLIN,
        "Kotlin",
        "kotlin.UninitializedPropertyAccessException",
        "lateinit property shelf has not been initialized",
        "com/octo/widgets/ShelfView.kt",
        23,
        "com.octo.widgets.ShelfView.draw",
    ),
    (
        "node",
        NODE,
        "JavaScript",
        "TypeError",
        "Cannot read properties of undefined (reading 'size')",
        "/srv/widgets/lib/shelf.js",
        17,
        "Shelf.count",
    ),
    (
        "typescript",
        TYPESCRIPT,
        "TypeScript",
        "RangeError",
        "Maximum call stack size exceeded",
        "webpack:///./src/tree.ts",
        9,
        "walk",
    ),
    (
        "firefox",
        FIREFOX,
        "JavaScript",
        "TypeError",
        "shelf is undefined",
        "https://widgets.example/js/draw.js",
        31,
        "draw",
    ),
    (
        "go",
        GO,
        "Go",
        "panic",
        "runtime error: invalid memory address or nil pointer dereference",
        "/home/ada/widgets/shelf/shelf.go",
        23,
        "github.com/octo/widgets/shelf.(*Shelf).Count",
    ),
    (
        "rust",
        RUST,
        "Rust",
        "panic",
        "called `Option::unwrap()` on a `None` value",
        "src/shelf.rs",
        42,
        "widgets::shelf::Shelf::count",
    ),
    (
        "rust, new form",
        RUST_NEW,
        "Rust",
        "panic",
        "index out of bounds: the len is 3 but the index is 3",
        "src/queue.rs",
        19,
        "",
    ),
    (
        "c#",
        CSHARP,
        "C#",
        "System.NullReferenceException",
        "Object reference not set to an instance of an object.",
        "C:\\src\\widgets\\Shelf.cs",
        31,
        "Octo.Widgets.Shelf.Count",
    ),
    (
        "ruby",
        RUBY,
        "Ruby",
        "NoMethodError",
        "undefined method `size' for nil:NilClass",
        "app/models/shelf.rb",
        14,
        "count",
    ),
    (
        "rails",
        RAILS,
        "Ruby",
        "ActiveRecord::RecordNotFound",
        "Couldn't find Widget with 'id'=9",
        "app/controllers/widgets_controller.rb",
        22,
        "show",
    ),
    (
        "php",
        PHP,
        "PHP",
        "TypeError",
        "Argument #1 must be Countable",
        "/srv/www/src/Shelf.php",
        19,
        "",
    ),
    ("gdb", GDB, "C/C++", "SIGSEGV", "Segmentation fault", "src/shelf.c", 88, "shelf_count"),
    (
        "asan",
        ASAN,
        "C/C++",
        "heap-use-after-free",
        "on address 0x602000000010 at pc 0x000000401234",
        "/build/widgets/src/shelf.cpp",
        51,
        "shelf_top",
    ),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_traces(row: tuple[str, str, str, str, str, str, int, str]) -> None:
    _, text, language, exception, message, file, line, function = row
    trace = parse(text)
    assert trace is not None
    assert (trace.language, trace.exception, trace.message) == (language, exception, message)
    own = next(frame for frame in trace.frames if frame.own)
    assert (own.file, own.line, own.function) == (file, line, function)


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_a_trace_survives_quoting_and_prose_around_it(row: tuple[str, ...]) -> None:
    quoted = "\n".join(f"> {line}" for line in str(row[1]).split("\n"))
    done = run(ParseStackTrace(), case("It fell", f"Since this morning:\n\n{quoted}\n\nAny idea?", "bug"))
    assert done.trace is not None
    assert done.trace.exception == row[3]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_a_trace_cut_in_the_middle_is_read_or_left(row: tuple[str, ...]) -> None:
    text = str(row[1])
    for cut in range(0, len(text), 37):
        parse(text[:cut])
        parse(text[cut:])


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (PYTHON, PYTHON.replace("/home/ada/", "C:/src/").replace("line 88", "line 93")),
        (JAVA, JAVA.replace(":41", ":57").replace(":1511", ":9")),
        (NODE, NODE.replace("/srv/widgets", "/opt/app").replace(":17:21", ":18:2")),
        (GO, GO.replace("/home/ada", "/root").replace("0x1c", "0x9f")),
        (RUST, RUST.replace(":42:17", ":44:1")),
        (GDB, GDB.replace("0x00007ffff7a4c1d2", "0x00007fffdeadbeef").replace(":88", ":90")),
        (ASAN, ASAN.replace("0x401233", "0x501233").replace("/build/", "/home/x/")),
    ],
    ids=["python", "java", "node", "go", "rust", "gdb", "asan"],
)
def test_the_fingerprint_outlives_lines_addresses_and_folders(text: str, other: str) -> None:
    one, two = parse(text), parse(other)
    assert one and two and one != two
    assert one.fingerprint == two.fingerprint


def test_other_faults_have_other_fingerprints() -> None:
    prints = {trace.fingerprint for _, text, *_ in TABLE if (trace := parse(text))}
    assert len(prints) == len(TABLE)


def test_a_library_that_is_the_project_itself_is_its_own_code() -> None:
    text = PYTHON.replace("/home/ada/widgets", "/venv/lib/python3.11/site-packages/widgets")
    foreign, own = parse(text, "gadgets"), parse(text, "widgets")
    assert foreign and not any(frame.own for frame in foreign.frames)
    assert own and [frame.own for frame in own.frames] == [False, True, True]


def test_the_story_shows_own_frames_first() -> None:
    done = run(ParseStackTrace(), case("It fell", f"```\n{PYTHON}```", "bug"))
    shown = text_of(done, "Stack trace")
    assert "**`KeyError`** (Python): `'colour'`" in shown
    assert "- `/home/ada/widgets/store.py:88` in `load`" in shown
    assert "collections" not in shown
    assert "1 library frame left out" in shown


@pytest.mark.parametrize(
    "body",
    [
        "",
        "No trace here, at all.",
        "Look at this (see above).",
        "- at home\n- at work",
        "#0 is the first item\n#1 next",
    ],
)
def test_prose_is_no_trace(body: str) -> None:
    given = case("It fell", body, "bug")
    assert run(ParseStackTrace(), given) is given
