"""Words, phrases and headings that say what an issue is, in whichever project it was written.

They are what a maintainer knows beforehand: how wishes and faults are worded, what common issue forms
ask for, what security reports speak of. The model learns how much each group weighs, so a project that
it has never seen is read by more than the words which other projects happened to use.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

_WORDS = {
    "wishes": """
feature request add adding support allow would wish could option ability enhancement proposal propose
suggest suggestion improve improvement provide implement idea nice consider enable extend introduce
""",
    "faults": """
bug crash crashes crashed crashing error errors fail fails failed failing failure broken break breaks
wrong incorrect incorrectly exception panic segfault regression unexpected issue problem hang hangs freeze
freezes leak invalid missing cannot
""",
    "documentation": """
doc docs documentation documented document readme typo typos tutorial guide example examples docstring
docstrings changelog wiki manual misspelled grammar wording comment comments explain
""",
    "security": """
security secure insecure vulnerability vulnerabilities vulnerable cve xss csrf injection exploit attack
attacker attackers password passwords credential credentials auth authentication authorization permission
permissions privilege privileges escalation leak sensitive secret secrets token tokens sanitize sanitized
escape escaped escaping ssl tls certificate certificates encrypt encrypted encryption ssrf rce dos spoof
spoofing malicious bypass unauthorized hijack hijacking session cookie cookies
""",
    "requests": """
add allow support make provide implement introduce enable create improve include expose consider extend
remove replace rename move use let show display give offer expand integrate adopt switch migrate upgrade
update bump refactor simplify better more new option ability feature request proposal suggestion idea
enhancement please drop deprecate split merge convert port rework automatically configurable customize
customizable configure custom optional optionally
""",
    "failures": """
not doesn don can cannot won isn aren didn never no unable wrong wrongly incorrect incorrectly fail fails
failed failing failure broken breaks break crash crashes crashed error errors exception missing stuck
hangs hang freezes panic panics segfault ice assertion leak leaks corrupted corrupt garbled invalid
unexpected unexpectedly regression bug ignored ignores lost duplicate duplicated inconsistent infinite
undefined null nan throws throw stops stopped cause causes causing does
""",
    "documents": """
docs doc documentation readme docstring docstrings typo typos tutorial tutorials wiki guide guides
changelog faq manual manpage apidoc apidocs documented undocumented documenting document misspelled
misspelling grammar spelling grammatical glossary howto howtos javadoc rustdocs pydoc mdn handbook
cookbook quickstart walkthrough docsite
""",
    "pages": """
website site page pages section sections paragraph sentence wording example examples clarify clarification
explain explanation explained describe description link links url outdated confusing misleading mention
mentions mentioned reference snippet snippets heading footnote 404 dead anchor broken rendered
""",
    "attacks": """
vulnerability vulnerabilities vulnerable vuln cve cwe ghsa xss csrf xsrf ssrf rce xxe exploit exploits
exploitable exploited exploitation attack attacks attacker attackers malicious injection inject injected
spoof spoofing spoofed hijack hijacking hijacked clickjacking tabnabbing traversal takeover backdoor
phishing malware hackerone bounty nessus owasp pentest disclosure security insecure insecurely secure
securely unsecure unsecured unauthorized unauthorised unauthenticated bypass bypassed bypasses bruteforce
brute mitm intercept eavesdrop tamper tampering hardening harden mitigate mitigation mitigations aslr nx
sandbox sandboxed sandboxing dos ddos csp hsts cors heartbleed poodle log4shell redressing secured
""",
    "cryptography": """
ssl tls ssh sftp https ldap kerberos krb5 saml oauth oauth2 oidc jwt totp 2fa mfa otp sso pki x509 x11
certificate certificates cert certs keystore truststore keytab keytabs principal principals cipher ciphers
encrypt encrypts encrypted encrypting encryption decrypt decryption crypto cryptographic cryptography hash
hashes hashed hashing bcrypt scrypt sha1 sha256 sha512 md5 salt salts salted hmac signature signatures
signed signing pgp gpg rsa ecdsa ed25519 aes dsa nonce entropy csprng prng openssl handshake fips keychain
selinux apparmor acl acls rbac
""",
    "access": """
password passwords passwd passphrase passphrases credential credentials secret secrets token tokens apikey
cookie cookies session sessions login logins logout logged signin authenticate authenticated authenticates
authentication authenticator auth authorize authorized authorization authorisation permission permissions
privilege privileges privileged unprivileged root sudo setuid role roles access accessible restrict
restricted restriction restrictions forbid deny denied whitelist blacklist allowlist blocklist captcha
lockout impersonate impersonation user users admin administrator account accounts identity owner ownership
httponly samesite
""",
    "exposure": """
leak leaks leaked leaking leakage sensitive private privacy confidential expose exposes exposed exposing
exposure reveal reveals revealed visible plaintext cleartext plain mask masked masking obfuscate redact
redacted hide hidden obscure sanitize sanitized sanitizing sanitization sanitizer sanitise escape escaped
escapes escaping unescaped validate validates validated validation untrusted trusted trust verify verified
verification verifies redirect redirects referer referrer referrers noreferrer iframe iframes origin
csrftoken eval deserialize deserialization unserialize arbitrary dangerous danger unsafe unsafely abuse
prevent prevents protect protects protected protection integrity audit guess guessable predictable gdpr
anonymize ip
""",
    "weaknesses": """
overflow overflows underflow oob uaf dangling corruption corrupt memory heap race races concurrent
concurrency thread threadsafe deadlock exhaustion exhaust unbounded infinite crafted fuzz fuzzer fuzzing
asan msan ubsan unsound unsoundness uninitialized segfault temporary tempfile symlink symlinks directory
path filesystem world readable writable umask chmod limit limits timeout denial expired expiry expiration
""",
}
"""Group to its words, as a text is cut: lower case, two characters or more."""

_HEADINGS = {
    "headings of bug forms": """
bug | bug report | bug description | bug summary | describe the bug | description of the bug |
what happened | what happens | what went wrong | actual behavior | actual behaviour | actual result |
actual results | actual outcome | actual | actual output | observed behavior | observed behaviour |
observed | observed result | observed results | current behavior | current behaviour | current result |
expected behavior | expected behaviour | expected result | expected results | expected outcome | expected |
expected output | what you expected to happen | what did you expect to happen | what did you expect |
what did you see instead | what did you do | what behavior did you expect | what you expected |
what actually happened | what is the expected behavior | what is the current behavior | steps to reproduce |
to reproduce | reproduce | how to reproduce | reproduction | reproduction steps | repro steps |
steps to reproduce the behavior | steps to reproduce the problem | steps | minimal reproduction |
minimal reproducible example | reproducible example | how can we reproduce it |
how can we reproduce the issue | how to reproduce it as minimally | reproducer | test case |
code for reproduction | code to reproduce | standalone code to reproduce the issue | link to reproduction |
link to the code that reproduces | reproduction link | issue submitter checklist | relevant log output |
log output | logs | error logs | error message | error | error messages | stack trace | stacktrace |
traceback | backtrace | crash log | debug log | console output | system info | system information |
environment | your environment | environment info | environment information | version | versions |
version information | affected version | affected versions | operating system |
operating system and version | os version | platform | browser | browsers |
what browsers are you seeing the | what version | which version | installation method | python version |
node version | node js version | device | devices | severity | regression | is this regression |
possible fix | workaround | when did this start | meta | problem description | crash | screenshots |
screen recording | output of
""",
    "headings of feature forms": """
feature | feature request | feature description | feature request description | describe the feature |
describe the feature you like | the feature idea | feature or enhancement | enhancement |
enhancement description | is your feature request related to | is your feature request related to problem |
is your feature related to problem | is this feature request related to | describe the solution you like |
describe the solution you want | describe alternatives you ve considered |
describe the alternatives you ve considered | describe any alternatives you ve considered |
please describe the feature you like | alternatives | alternatives considered | alternative solutions |
considered alternatives | alternative approaches | alternatives you considered | proposal |
proposed solution | proposed feature | proposed change | proposed changes | proposed enhancement |
proposed implementation | proposed api | proposed behavior | proposed behaviour | proposed approach |
motivation | motivation and context | motivation pitch | the feature motivation and pitch | use case |
use cases | user story | user stories | example use case | what problem does this feature solve |
what problem would this solve | what problem will this feature address | what problem are you trying to |
what does the proposed api look | desired behavior | desired behaviour | desired solution |
desired outcome | preferred solution | suggested solution | suggestion | possible solution | solution |
benefits | benefit | goal | goals | non goals | acceptance criteria | rationale | design | api design |
mockup | mockups | implementation | implementation ideas | tasks | task list | todo | requirements |
justification | impact | pitch | idea | why is this needed | why is this important |
what would you like to be | what would you like | what is the new feature | would you like to work on |
are you willing to submit pr | are you willing to contribute | scope | background | wish | value |
drawbacks | unresolved questions | guide level explanation | reference level explanation |
summary of the feature | basic example | prior art | who will benefit | what will it allow that isn |
additional features
""",
    "headings of documentation forms": """
documentation | documentation link | documentation issue | documentation problem |
documentation improvement | documentation location | location of incorrect documentation |
location of the documentation | suggested improvement | suggested fix for documentation |
suggested improvements | report incorrect documentation | report needed documentation |
describe the documentation issue | describe the problems or issues found |
describe the issue with the documentation | describe the documentation | describe the docs issue |
what is the documentation issue | the doc issue | suggest potential alternative fix |
issue with current documentation | issue with the documentation | idea or request for content |
current documentation | problem with the documentation | proposed documentation | docs | docs link |
link to documentation | link to the documentation | link to docs | link to the docs | link to page |
link to the page | link to the doc | url to the documentation | url of the page | url of the documentation |
url | url with the issue | documentation url | docs url | doc url | affected page | affected pages |
affected url | affected documentation | affected documentation page | page | page url | page link |
page name | which page | which pages | section | topic | proposed text | current text | suggested text |
suggested wording | suggested change | suggested changes to documentation |
what is the current documentation state | where is this stated in the |
what was unclear insufficient or not | choose how to fix it | what is missing or unclear | what is unclear |
what needs to be documented | what needs to change in the | which documentation | which document |
doc page | doc | typo | documentation request | documentation feedback | documentation is |
documentation change | documentation section | what is wrong in the documentation | describe the change |
what should be documented | describe the documentation change | document details | relevant documentation |
screenshot of the documentation | pandas version checks location of the | steps or screenshots to find the
""",
    "headings of question forms": """
question | questions | your question | ask your question | ask your question here | ask question |
describe your question | what is your question | help | help wanted | support | support request |
support question | what are you trying to achieve | what are you trying to do | what have you tried |
what have you tried so far | what have you already tried | what did you try | what is your goal |
how can we help | how can we help you | what do you want to know | usage question | issue | problem
""",
}
"""Headings of widespread issue forms, at most their first six words; single letters are left out."""

_TOKENS = {"links to documentation": "DOCLINK", "version numbers": "VERSION", "inline code": "INLINE"}
"""What cleaning a text leaves in place of its links, versions and code."""

_PHRASES = {
    "wishing phrases": """
would be nice | be nice | be great | be useful | be helpful | be awesome | be cool | be good | be better |
would like | feature request | use case | use cases | please add | please consider | propose to |
we should | should be | should have | should support | able to | ability to | add support | support for |
add an | add option | an option | option to | allow users | allows users | allow for | allow to |
allowing users | instead of | want to | could we | could be | can we | would make | would allow |
would help | would also | would love | makes sense | make sense | make it | make easier | it easier |
more flexible | currently there | there is no | is no | no way | way to | new feature | new option |
nice if | great if | useful if | helpful if | good idea | in favor | consider adding | like to see |
love to see | similar to | like to have | be possible | possible to | enable users | let users |
proposed solution | be added | be able | to support | to add | to implement | to provide | by default |
as an | so that
""",
    "phrases about faults": """
does not | doesn work | not work | not working | doesn seem | is broken | are broken | to reproduce |
steps to | expected behavior | expected behaviour | actual behavior | actual behaviour | actual result |
expected result | what happened | error message | following error | the error | an error | this error |
no longer | used to | stopped working | after upgrading | after updating | after update | latest version |
fails with | fails to | failed to | unable to | cannot be | can not | could not | is not | are not |
was not | not being | has no | no effect | is wrong | is incorrect | is missing | are missing | instead it |
but it | but the | but not | when try | try to | trying to | tried to | stack trace | null pointer |
crashes when | crash when | seems to | seems like | appears to | happens when | this happens | happens on |
occurs when | should not | expected to | is expected | it should | only happens | every time | getting the |
get the | gets the | the bug | this bug | be fixed | caused by | root cause | this causes | which causes |
as expected | same issue | same problem | the problem | the issue | regression in | throws an |
exception is | not found | returns wrong
""",
    "phrases about documentation": """
the docs | the documentation | the readme | the wiki | the tutorial | the guide | the manual | the example |
the examples | the doc | docs say | docs for | docs are | documentation for | documentation is |
documentation says | documentation of | documentation on | documentation page | docs page | doc page |
docs site | is documented | not documented | be documented | well documented | documented in |
documented as | broken link | broken links | dead link | link is | link to | links to | the link | typo in |
typo on | the page | this page | page is | the section | this section | section of | the sentence |
should read | should say | it says | says that | mentioned in | the website | the site | reading the |
read the | better documentation | more documentation | missing documentation | missing from | in docs |
to docs | example code | code example | code examples | should mention | should explain | should document |
to document | is confusing | is outdated | out date | api reference | api docs | docstring of |
the docstring | man page | to clarify | be clarified | explain how | example in | examples in | update the
""",
    "asking phrases": """
how to | how do | how can | how should | is there | is it | it possible | possible to | can anyone |
anyone know | any idea | any ideas | any help | help me | please help | could you | can you | my question |
what is | what are | what the | why is | why does | am doing | doing wrong | wondering if | am wondering |
was wondering | in advance | thank you | stack overflow | question is | have question | do need | do have |
don know | don understand | not sure | am trying | best way | the correct way | right way | looking for |
want to know | like to know | need help | am new | new to | any suggestions | any way | some help |
correct way | can use | should use
""",
    "phrases about security": """
plain text | clear text | out of bounds | use after | after free | buffer overflow | integer overflow |
thread safe | race condition | denial of service | of service | code execution | remote code |
arbitrary code | arbitrary file | path disclosure | information disclosure | open redirect | cross site |
site scripting | request forgery | sql injection | command injection | brute force | two factor |
multi factor | man in | the middle | file permissions | world readable | access control | rate limit |
side channel | constant time | timing attack | prototype pollution | supply chain | privilege escalation |
private key | private keys | api key | api keys | access token | security issue | security hole |
security risk | security fix | security vulnerability | security advisory | security policy |
security concern | not secure | more secure | over https | via https | use https | self signed |
trust store | key store | in logs | in log | the logs | input validation | untrusted input | user input |
secure mode | http headers | session id | session fixation | directory listing | directory traversal |
known vulnerabilities | responsible disclosure | insecure content | mixed content
""",
}
"""Pairs of words; a longer phrase counts once for each pair in it."""


WORD_GROUPS = (*_WORDS, *_HEADINGS, *_TOKENS)
PHRASE_GROUPS = tuple(_PHRASES)

_BITS = 20
_MASK = np.uint64((1 << _BITS) - 1)
_MIX1 = np.uint64(0x9E3779B97F4A7C15)
_MIX2 = np.uint64(0xC2B2AE3D27D4EB4F)


def heading_token(words: list[str]) -> str:
    """The one word that stands for a heading in a cleaned text."""
    return f"HEAD_{'_'.join(words)}"


def _hash(words: list[str]) -> NDArray[np.uint64]:
    return np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint64)


def _pairs(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Place of each word and the one after it in the table of phrases; one fewer than there are words."""
    mixed = (hashes[:-1] * _MIX1) ^ (hashes[1:] * _MIX2)
    return np.asarray((mixed * _MIX1) >> np.uint64(64 - _BITS), dtype=np.int64)


def _word_table() -> NDArray[np.uint32]:
    groups = [words.split() for words in _WORDS.values()]
    groups += [
        [heading_token(heading.split()) for heading in headings.split("|")] for headings in _HEADINGS.values()
    ]
    groups += [[token] for token in _TOKENS.values()]
    table = np.zeros(1 << _BITS, dtype=np.uint32)
    for bit, words in enumerate(groups):
        table[_hash(words) & _MASK] |= np.uint32(1 << bit)
    return table


def _phrase_table() -> NDArray[np.uint32]:
    table = np.zeros(1 << _BITS, dtype=np.uint32)
    for bit, phrases in enumerate(_PHRASES.values()):
        for phrase in phrases.split("|"):
            table[_pairs(_hash(phrase.split()))] |= np.uint32(1 << bit)
    return table


def words_of(group: str) -> frozenset[str]:
    """The words of one group."""
    return frozenset(_WORDS[group].split())


_words, _phrases = _word_table(), _phrase_table()


def count_words(hashes: NDArray[np.uint64], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    """How many words of each text are in each group; shape (texts, groups)."""
    return _count(_words[hashes & _MASK], np.repeat(np.arange(len(lengths)), lengths), lengths, WORD_GROUPS)


def count_phrases(hashes: NDArray[np.uint64], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    """How many pairs of words of each text are in each group; shape (texts, groups)."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    if len(rows) < 2:
        return np.zeros((len(lengths), len(PHRASE_GROUPS)), dtype=np.float32)
    marks = np.where(rows[1:] == rows[:-1], _phrases[_pairs(hashes)], np.uint32(0))
    return _count(marks, rows[:-1], lengths, PHRASE_GROUPS)


def _count(
    marks: NDArray[np.uint32], rows: NDArray[np.int64], lengths: NDArray[np.int64], groups: tuple[str, ...]
) -> NDArray[np.float32]:
    """Bits of `marks` added up by text; only the few marked words are looked at again."""
    found = np.flatnonzero(marks)
    marks, rows = marks[found], rows[found]
    result = np.zeros((len(lengths), len(groups)), dtype=np.float32)
    for bit in range(len(groups)):
        result[:, bit] = np.bincount(
            rows[(marks >> np.uint32(bit)) & np.uint32(1) == 1], minlength=len(lengths)
        )
    return result
