"""Which programming language a block of code or a path is in."""

import re

from models.text.words import words

INFO: dict[str, str] = {
    name: language
    for language, names in {
        "Python": "python py python3 py3 pycon ipython pytb python-traceback",
        "JavaScript": "javascript js jsx mjs node cjs jscript",
        "TypeScript": "typescript ts tsx",
        "Java": "java",
        "Kotlin": "kotlin kt kts",
        "Scala": "scala",
        "Go": "go golang",
        "Rust": "rust rs",
        "C#": "csharp cs c# dotnet",
        "C++": "cpp c++ cxx cc hpp",
        "C": "c h",
        "Ruby": "ruby rb",
        "PHP": "php",
        "Swift": "swift",
        "Objective-C": "objc objective-c",
        "Shell": "bash sh shell zsh console shell-session fish terminal",
        "PowerShell": "powershell ps1 pwsh",
        "SQL": "sql mysql postgresql plsql",
        "HTML": "html xhtml htm",
        "CSS": "css scss sass less",
        "YAML": "yaml yml",
        "JSON": "json json5 jsonc",
        "TOML": "toml",
        "XML": "xml xaml",
        "Dart": "dart",
        "Lua": "lua",
        "Perl": "perl pl",
        "R": "r",
        "Elixir": "elixir ex exs",
        "Haskell": "haskell hs",
        "CMake": "cmake",
        "Dockerfile": "dockerfile docker",
        "Vue": "vue",
    }.items()
    for name in names.split()
}
"""Language by fence info string or file ending."""

SOURCE_ENDINGS = words(
    "py pyx pyi js jsx mjs cjs ts tsx java kt kts scala go rs cs cpp cxx cc c h hpp hh "
    "rb php swift m mm sh "
    "ps1 sql html htm css scss sass less yaml yml json toml xml dart lua pl r ex exs hs cmake vue svelte md "
    "rst "
    "txt adoc cfg ini conf lock gradle ipynb proto tf erb ejs mdx log csproj sln properties env bat"
)

_SIGNS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (language, hints, re.compile(pattern, re.MULTILINE))
    for language, hints, pattern in (
        (
            "Python",
            ("def ", "import ", ">>> ", "Traceback"),
            r"^[ \t]{0,40}(?:def \w{1,80}\(|import [\w.]{1,80}(?: as \w{1,40})?(?:, [\w., ]{1,200})?$"
            r"|from [\w.]{1,80} import |>>> |Traceback \(most)",
        ),
        (
            "Rust",
            ("fn ", "let mut ", "use ", "impl ", "error[E", "#[derive"),
            r"^[ \t]{0,40}(?:fn main\(|let mut |use (?:std|crate)::|pub fn |impl |error\[E\d{4}\]|#\[derive)",
        ),
        (
            "Go",
            ("package ", "func ", "goroutine ", "err != nil", ":= "),
            r"^[ \t]{0,40}(?:package \w|func (?:\(|\w)|goroutine \d|\t?if err != nil)|:= ",
        ),
        (
            "C#",
            ("using System", "namespace ", "[Fact]", "Console.Write"),
            r"^[ \t]{0,40}(?:using System|namespace [\w.]{1,80}\s*[;{]|\[Fact\]|Console\.Write)",
        ),
        ("Kotlin", ("fun ", "val "), r"^[ \t]{0,40}(?:fun \w{1,80}\(|val \w{1,80} ?[=:]|suspend fun )"),
        (
            "Java",
            ("public ", "import java", "package ", "@Override"),
            r"^[ \t]{0,40}(?:public (?:static |final )?(?:class|void|interface) |import java"
            r"|package [\w.]{1,80};|@Override)",
        ),
        (
            "C++",
            ("#include", "std::", "cv::", "template"),
            r"^[ \t]{0,40}#include\s?<\w{1,40}>|std::\w|\bcv::\w|^[ \t]{0,40}template ?<",
        ),
        ("C", ("#include",), r"^[ \t]{0,40}#include\s?[<\"]\w{1,40}\.h[>\"]"),
        (
            "PHP",
            ("<?php", "$", "->"),
            r"<\?php|^[ \t]{0,40}\$\w{1,80} ?= ?(?:new )?\w|->\w{1,80}\(.{0,80}\);$",
        ),
        (
            "Ruby",
            ("require '", "class ", "puts ", "end"),
            r"^[ \t]{0,40}(?:require '|class \w{1,80} < \w|puts |end$)",
        ),
        (
            "TypeScript",
            ("interface ", "type ", ": string", ": number", ": boolean", ": void", ": any"),
            r"^[ \t]{0,40}(?:interface \w{1,80} \{|type \w{1,80} = |export type )"
            r"|\w\??: (?:string|number|boolean|void|any)\b",
        ),
        (
            "JavaScript",
            ("const ", "let ", "var ", "function ", "export default", "import ", "=>", "require("),
            r"^[ \t]{0,40}(?:const |let |var |function \w{0,80}\(|export default|import .{1,100} from ['\"])"
            r"|=> ?[{(]|require\(['\"]",
        ),
        (
            "SQL",
            ("SELECT ", "INSERT INTO ", "CREATE TABLE ", "ALTER TABLE "),
            r"^[ \t]{0,40}(?:SELECT |INSERT INTO |CREATE TABLE |ALTER TABLE )",
        ),
        ("HTML", ("<",), r"<(?:!DOCTYPE|html|div|body|script|span|head)\b"),
        (
            "Shell",
            (
                "$ ",
                "sudo ",
                "npm ",
                "pip ",
                "git ",
                "cd ",
                "curl ",
                "docker ",
                "apt",
                "brew ",
                "yarn ",
                "export ",
            ),
            r"^[ \t]{0,40}(?:\$ |sudo |npm |pip |git |cd |curl |docker |apt|brew |yarn |export \w{1,60}=)",
        ),
        ("JSON", ('"',), r"^[ \t]{0,40}[{\[]\s{0,80}\n?\s{0,80}\""),
    )
)
"""By language cheap substrings of which one must occur, and the pattern."""
_PROBE = 2_500


def language_of_info(info: str) -> str:
    """The language that a fence names; empty where it names none."""
    return INFO.get(info.split(",")[0].split(":")[0].strip("{}."), "") if info else ""


def language_of_path(path: str) -> str:
    """The programming language of a file, by its ending."""
    return INFO.get(path.rpartition(".")[2].lower(), "")


def guess_language(code: str) -> str:
    """The language of a block by its first telling sign."""
    probe = code[:_PROBE]
    for language, hints, sign in _SIGNS:
        if any(hint in probe for hint in hints) and sign.search(probe):
            return language
    return ""
