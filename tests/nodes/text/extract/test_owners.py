"""CODEOWNERS, by what GitHub documents of it."""

import pytest

from nodes.text.extract.owners import owners_of, parse_owners
from tests.growth import grows_linearly, text_grows_linearly

DOCUMENTED = """\
# A comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* @docs-owner
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @logs-owner
/apps/ @octocat
/apps/github
/apps/with\\ space/ @spaced
!/apps/x @nobody
[ab].py @nobody
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ["global-owner1", "global-owner2"]),
        ("src/deep/a.js", ["js-owner"]),
        ("src/a.go", []),
        ("src/a.txt", ["octo-org/octocats"]),
        ("build/logs/x/y.log", ["logs-owner"]),
        ("deeply/nested/logs/y.log", ["logs-owner"]),
        ("src/apps/a.py", ["octocat"]),
        ("docs/getting-started.md", ["doctocat"]),
        ("docs/build-app/troubleshooting.md", ["doctocat"]),
        ("scripts/run.sh", ["doctocat", "octocat"]),
        ("src/scripts/run.sh", ["global-owner1", "global-owner2"]),
        ("apps/other/a.js", ["octocat"]),
        ("apps/github/a.js", []),
        ("apps/with space/a.js", ["spaced"]),
        ("a.py", ["global-owner1", "global-owner2"]),
    ],
)
def test_what_is_documented(path: str, owners: list[str]) -> None:
    assert list(owners_of(path, parse_owners(DOCUMENTED))) == owners


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/deep/a.md", False),
        ("docs/*", "x/docs/a.md", False),
        ("/*", "a.md", True),
        ("/*", "src/a.md", False),
        ("apps/", "apps", False),
        ("src/**/a.py", "src/a.py", True),
        ("src/**/a.py", "src/x/y/a.py", True),
        ("src/**", "src/x/y/a.py", True),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/x/a.py", False),
        ("src", "x/src/a.py", True),
        ("/src", "x/src/a.py", False),
        ("A.py", "a.py", False),
        ("?.py", "a.py", True),
    ],
)
def test_patterns(pattern: str, path: str, owned: bool) -> None:
    assert (owners_of(path, parse_owners(f"{pattern} @ann")) == ("ann",)) is owned


@pytest.mark.parametrize("text", ["", "\n\n", "@ann", "* not-an-owner", "\x00", "#", "* @" + "a" * 500])
def test_nonsense_owns_nothing(text: str) -> None:
    assert owners_of("a.py", parse_owners(text)) == ()


def test_no_pattern_is_slow() -> None:
    rules = parse_owners("\n".join(["**/*a*a*a*a*a*a*b/**/*a*a*a*b @ann"] * 200))
    assert owners_of("/".join(["a" * 60] * 30), rules) == ()
    assert text_grows_linearly(lambda name: owners_of(name, rules), "/".join(["a" * 60] * 60))
    deep = "/".join(["a" * 60] * 15)
    stars = ["**/" + "*a" * count + "b/**/*b @ann" for count in (7, 28)]
    few, many = (parse_owners("\n".join([line] * 50)) for line in stars)
    assert grows_linearly(lambda given: owners_of(deep, given), many, few)
