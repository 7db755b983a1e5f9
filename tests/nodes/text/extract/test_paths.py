"""Files of a repository, from what traces and texts call them."""

import pytest

from models.asks import Files
from nodes.text.extract.paths import index_of, matching, parts_of

TREE = Files(
    branch="main",
    commit="c0ffee",
    blobs=tuple(
        (path, "0")
        for path in (
            "README.md",
            "setup.py",
            "store.py",
            "src/widgets/__init__.py",
            "src/widgets/cli.py",
            "src/widgets/shelf.py",
            "tests/widgets/shelf.py",
            "sklearn/linear/base.py",
            "app/src/main/java/com/octo/widgets/Shelf.java",
            "core/src/main/kotlin/com/octo/widgets/Rack.kt",
            "shelf/shelf.go",
            "cmd/main.go",
            "web/src/Panel.tsx",
            "web/src/index.ts",
            "packages/a/lib/util.js",
            "packages/b/lib/util.js",
            "packages/c/lib/util.js",
            "lib/index.js",
            "crates/core/src/picker.rs",
        )
    ),
)


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("/home/ada/dev/src/widgets/shelf.py", ["src/widgets/shelf.py"]),
        ("/usr/lib/python3.12/site-packages/widgets/shelf.py", ["src/widgets/shelf.py"]),
        (r"C:\Users\ada\widgets\cli.py", ["src/widgets/cli.py"]),
        ("./src/widgets/cli.py", ["src/widgets/cli.py"]),
        ("cli.py", []),
        ("shelf.go", ["shelf/shelf.go"]),
        ("/home/ada/widgets/store.py", ["store.py"]),
        ("/home/ada/widgets/setup.py", []),
        ("com/octo/widgets/Shelf.java", ["app/src/main/java/com/octo/widgets/Shelf.java"]),
        ("com/octo/widgets/Rack.kt", ["core/src/main/kotlin/com/octo/widgets/Rack.kt"]),
        ("/go/pkg/mod/github.com/octo/widgets@v1.4.2/shelf/shelf.go", ["shelf/shelf.go"]),
        ("github.com/octo/widgets/shelf/shelf.go", ["shelf/shelf.go"]),
        ("webpack://widgets/./web/src/Panel.tsx?1a2b", ["web/src/Panel.tsx"]),
        ("webpack-internal:///./web/src/Panel.tsx", ["web/src/Panel.tsx"]),
        ("https://widgets.example/static/js/Panel.js", ["web/src/Panel.tsx"]),
        ("file:///srv/web/src/index.ts", ["web/src/index.ts"]),
        ("/srv/app/index.js", []),
        ("/srv/node_modules/other/index.js", []),
        ("lib/util.js", []),
        ("packages/b/lib/util.js", ["packages/b/lib/util.js"]),
        ("/elsewhere/shelf/other.go", []),
        ("crates/core/src/picker.rs", ["crates/core/src/picker.rs"]),
        ("", []),
        ("/", []),
        ("../../../etc/passwd", []),
    ],
)
def test_what_a_name_means(name: str, paths: list[str]) -> None:
    assert list(matching(name, index_of(TREE))) == paths


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("/usr/lib/python3/site-packages/sklearn/linear/base.py", ["sklearn/linear/base.py"]),
        ("/usr/lib/python3/json/store.py", []),
        ("/srv/node_modules/other/lib/index.js", []),
        ("base.py", []),
    ],
)
def test_a_librarys_frame_must_lie_there_just_so(name: str, paths: list[str]) -> None:
    assert list(matching(name, index_of(TREE), foreign=True)) == paths


def test_a_few_are_all_named_and_many_are_none() -> None:
    index = index_of(TREE)
    assert len(matching("lib/util.js", index, most=3)) == 3


def test_a_name_as_long_as_a_text_takes_no_time() -> None:
    assert len(parts_of("a/" * 100_000)) <= 500
    assert matching("a/" * 100_000 + "shelf.go", index_of(TREE)) == ()
