"""Commands and packages that a text names."""

import pytest

from nodes.text.extract.installs import commands_in, packages_in
from nodes.text.markdown.markdown import scan


def commands(body: str) -> tuple[str, ...]:
    return commands_in(scan(body))


def packages(body: str) -> tuple[str, ...]:
    found = scan(body)
    return tuple(packages_in(found, commands_in(found)))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "```console\n$ keel serve --port 80\nlistening\n$ curl -i localhost\n```",
            ("keel serve --port 80", "curl -i localhost"),
        ),
        ("```sh\nnpm ci\n# then\nnpm run build\n```", ("npm ci", "npm run build")),
        ("run `npm install keel` or `docker compose up`", ("npm install keel", "docker compose up")),
        ("`rustc 1.80.0 (051478957 2026-07-21)`", ()),
        ("see `npm`, `go`, `make sure it is there`", ()),
        ("I make tea and go home", ()),
        ("    \n$ git push origin main\nfails", ("git push origin main",)),
        ("```\nC:\\work> dotnet build Keel.sln\n```", ("dotnet build Keel.sln",)),
        ("```\nPS C:\\work> dotnet test .\n```", ("dotnet test .",)),
        ("```\nada@ship:~/keel$ make install\n```", ("make install",)),
        ("```\n(venv) ada@ship ~ % pip list --outdated\n```", ("pip list --outdated",)),
        ("```\n➜  keel git:(main) ✗ yarn build --all\n```", ("yarn build --all",)),
        ("```\n./gradlew assemble\n```", ("./gradlew assemble",)),
        ("```\nnpm ERR! code E404\nnpm WARN old x\n```", ()),
        ("```js\nexport default keel\n```", ()),
        (
            "```console\n$ export TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ456789\n```",
            ("export TOKEN=[redacted: GitHub token]",),
        ),
    ],
)
def test_commands(body: str, expected: tuple[str, ...]) -> None:
    assert commands(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("`pip install keel==2.1 'mast[sail]>=3' -r requirements.txt`", ("pypi/keel@2.1", "pypi/mast")),
        ("`python -m pip install -U Keel_Tools`", ("pypi/keel-tools",)),
        ("```sh\nnpm i @deck/ropes@1.4.2 keel@latest --save-dev\n```", ("npm/@deck/ropes@1.4.2", "npm/keel")),
        ("```sh\nyarn add keel@^2.0.0\n```", ("npm/keel",)),
        (
            "`cargo add serde@1.0.193` and `cargo install ripgrep --version 14.0.3`",
            ("cargo/serde@1.0.193", "cargo/ripgrep@14.0.3"),
        ),
        ("`go get github.com/octo/keel/v2@v2.3.4`", ("golang/github.com/octo/keel/v2@v2.3.4",)),
        ("`gem install rack -v 3.0.8`", ("gem/rack@3.0.8",)),
        ("`composer require octo/keel:2.1.0`", ("composer/octo/keel@2.1.0",)),
        ("`dotnet add package Octo.Keel --version 4.0.1`", ("nuget/Octo.Keel@4.0.1",)),
        ("```\nkeel==2.1.0\nmast==0.3\n```", ("pypi/keel@2.1.0", "pypi/mast@0.3")),
        ("with `keel==2.1.0` it fails", ("pypi/keel@2.1.0",)),
        ("if a == b and c==3 then", ()),
        (
            "```py\nimport os, json\nimport keel.sail as s\nfrom yaml import load\nfrom . import x\n```",
            ("pypi/keel", "pypi/pyyaml"),
        ),
        (
            "```ts\nimport { a } from '@deck/ropes/knots'\nimport b from './b'\n"
            "const fs = require('fs')\nconst k = require(\"keel\")\n```",
            ("npm/@deck/ropes", "npm/keel"),
        ),
        ("```rust\nuse std::io;\nuse tide_table::Tide;\n```", ("cargo/tide_table",)),
        ('```go\nimport (\n\t"fmt"\n\t"github.com/octo/keel/sail"\n)\n```', ("golang/github.com/octo/keel",)),
        (
            '```json\n{\n  "name": "x",\n  "version": "1.0.0",\n'
            '  "dependencies": {\n    "keel": "2.1.0",\n    "mast": "^3.0.0"\n  }\n}\n```',
            ("npm/keel@2.1.0", "npm/mast"),
        ),
        ("```gradle\nimplementation 'org.octo:keel:2.1.0'\n```", ("maven/org.octo/keel@2.1.0",)),
        ('```xml\n<PackageReference Include="Octo.Keel" Version="4.0.1" />\n```', ("nuget/Octo.Keel@4.0.1",)),
        ("```ruby\ngem 'rack', '3.0.8'\n```", ("gem/rack@3.0.8",)),
        ('  File "/venv/lib/python3.12/site-packages/keel/sail.py", line 3, in up', ("pypi/keel",)),
        ("    at up (/srv/node_modules/@deck/ropes/index.js:3:1)", ("npm/@deck/ropes",)),
        (
            "\t/go/pkg/mod/github.com/octo/keel@v1.2.3/sail.go:31 +0x1d",
            ("golang/github.com/octo/keel@v1.2.3",),
        ),
        (
            "at /root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/rayon-core-1.12.1/src/job.rs:121",
            ("cargo/rayon-core@1.12.1",),
        ),
        ("/usr/lib/ruby/gems/3.2.0/gems/rack-2.2.7/lib/rack/server.rb:301:in `start'", ("gem/rack@2.2.7",)),
        ("#1 /srv/vendor/octo/keel/src/Sail.php(3): up()", ("composer/octo/keel",)),
        ("npm ERR! Found: keel@2.1.0", ("npm/keel@2.1.0",)),
        ("write to ada@1.2.3.example or me@example.com", ()),
        ("keel@2.1.0 of no known registry", ()),
        ("```py\nimport keel\n```\n```\nkeel==2.1.0\n```", ("pypi/keel@2.1.0",)),
        ("no package at all", ()),
    ],
)
def test_packages(body: str, expected: tuple[str, ...]) -> None:
    assert sorted(packages(body)) == sorted(expected)


def test_each_package_has_its_line() -> None:
    found = scan("```console\n$ pip install keel==2.1\n```")
    assert packages_in(found, commands_in(found)) == {"pypi/keel@2.1": "pip install keel==2.1"}


def test_both_are_bounded() -> None:
    body = "```console\n" + "\n".join(f"$ pip install keel{n} {'x' * 500}" for n in range(400)) + "\n```"
    found = scan(body)
    kept = commands_in(found)
    assert len(kept) == 12 and max(map(len, kept)) <= 200
    assert len(packages_in(found, kept)) <= 12
