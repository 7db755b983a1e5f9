"""Which programming language a block of code or a path is in."""

import re

from nodes.text.words import words

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

_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (language, re.compile(pattern, re.MULTILINE))
    for language, pattern in (
        ("Python", r"^\s{0,80}(?:def \w{1,80}\(|import \w|from [\w.]{1,80} import |>>> |Traceback \(most)"),
        (
            "Rust",
            r"^\s{0,80}(?:fn main\(|let mut |use (?:std|crate)::|pub fn |impl |error\[E\d{4}\]|#\[derive)",
        ),
        ("Go", r"^\s{0,80}(?:package \w|func (?:\(|\w)|goroutine \d|\t?if err != nil)|:= "),
        ("C#", r"^\s{0,80}(?:using System|namespace [\w.]{1,80}\s*[;{]|\[Fact\]|Console\.Write)"),
        ("Kotlin", r"^\s{0,80}(?:fun \w{1,80}\(|val \w{1,80} ?[=:]|suspend fun )"),
        (
            "Java",
            r"^\s{0,80}(?:public (?:static |final )?(?:class|void|interface) |import java"
            r"|package [\w.]{1,80};|@Override)",
        ),
        ("C++", r"^\s{0,80}#include\s?<\w{1,40}>|std::\w|\bcv::\w|^\s{0,80}template ?<"),
        ("C", r"^\s{0,80}#include\s?[<\"]\w{1,40}\.h[>\"]"),
        ("PHP", r"<\?php|^\s{0,80}\$\w{1,80} ?= ?(?:new )?\w|->\w{1,80}\(.{0,80}\);$"),
        ("Ruby", r"^\s{0,80}(?:require '|class \w{1,80} < \w|puts |end$)"),
        (
            "TypeScript",
            r"^\s{0,80}(?:interface \w{1,80} \{|type \w{1,80} = |import .{1,100} from .{1,100};?$.{0,1}"
            r"|export type )",
        ),
        (
            "JavaScript",
            r"^\s{0,80}(?:const |let |var |function \w{0,80}\(|export default|import .{1,100} from ['\"])"
            r"|=> ?[{(]|require\(['\"]",
        ),
        ("SQL", r"^\s{0,80}(?:SELECT |INSERT INTO |CREATE TABLE |ALTER TABLE )"),
        ("HTML", r"<(?:!DOCTYPE|html|div|body|script|span|head)\b"),
        (
            "Shell",
            r"^\s{0,80}(?:\$ |sudo |npm |pip |git |cd |curl |docker |apt|brew |yarn |export \w{1,60}=)",
        ),
        ("JSON", r"^\s{0,80}[{\[]\s{0,80}\n?\s{0,80}\""),
    )
)
_PROBE = 4_000


def language_of_info(info: str) -> str:
    """The language that a fence names; empty where it names none."""
    return INFO.get(info.split(",")[0].split(":")[0].strip("{}."), "") if info else ""


def language_of_path(path: str) -> str:
    """The programming language of a file, by its ending."""
    return INFO.get(path.rpartition(".")[2].lower(), "")


def guess_language(code: str) -> str:
    """The language of a block by its first telling sign."""
    probe = code[:_PROBE]
    return next((language for language, sign in _SIGNS if sign.search(probe)), "")
