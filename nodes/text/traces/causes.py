"""Well-known causes of well-known errors; one sentence on where to look first."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """`pattern` is searched in "exception: message" or in an error line."""

    pattern: re.Pattern[str]
    advice: str


def _cause(words: str, advice: str) -> Cause:
    return Cause(re.compile(words), advice)


# The first match counts, so the particular stands before the general.
CAUSES = (
    _cause(
        r"NullPointerException|NullReferenceException|nil pointer dereference|NoMethodError.{0,80}nil"
        r"|Cannot read propert(?:y|ies) .{0,60}of (?:undefined|null)|undefined is not an object"
        r"|null is not an object"
        r"|'NoneType' object|call to a member function .{0,60} on null|Option::unwrap\(\)` on a `None`",
        "A value is missing that the code takes for granted: find where it should have been set, and "
        "decide there what its absence means.",
    ),
    _cause(
        r"is not a (?:function|constructor)|is not callable|undefined method|has no attribute"
        r"|AttributeError"
        r"|NoSuchMethodError|MissingMethodException",
        "A name does not exist on this object: compare the installed version's interface with the one "
        "the code was written for.",
    ),
    _cause(
        r"ModuleNotFoundError|ImportError|Cannot find module|ClassNotFoundException|NoClassDefFoundError"
        r"|cannot load such file"
        r"|ERR_MODULE_NOT_FOUND|DLL load failed|Could not load file or assembly"
        r"|no required module provides",
        "Something is missing at run time that was there at build time: check declared dependencies, "
        "packaging and the import path.",
    ),
    _cause(
        r"KeyError|NoSuchElementException|KeyNotFoundException|undefined array key|Undefined index",
        "A key is taken for granted: check what the input holds when it is missing, and where it should "
        "be filled.",
    ),
    _cause(
        r"IndexError|index out of (?:range|bounds)|IndexOutOfBounds|ArrayIndexOutOfBounds"
        r"|IndexOutOfRangeException|slice bounds out of range",
        "An index runs past the end: check the empty and the one-element case, and the bounds at the "
        "named line.",
    ),
    _cause(
        r"already (?:mutably )?borrowed|BorrowMutError|BorrowError",
        "A RefCell is borrowed twice at once: look for a borrow that is still held across the inner call.",
    ),
    _cause(
        r"StackOverflow|Maximum call stack|stack-overflow|RecursionError|maximum recursion depth"
        r"|stack level too deep",
        "Recursion without an end: look for a cycle in the input or a missing base case in the repeated "
        "frames.",
    ),
    _cause(
        r"heap-use-after-free|use-after-(?:free|poison|scope)|double.free|heap-buffer-overflow"
        r"|stack-buffer-overflow|global-buffer-overflow",
        "Memory is used outside its life or bounds: compare the place of the access with the places of "
        "allocation and release in the report.",
    ),
    _cause(
        r"OutOfMemory|out of memory|Out of memory|OOMKilled|bad_alloc|MemoryError|heap limit"
        r"|std::bad_alloc|[Aa]llowed memory size",
        "Memory runs out: measure what grows with the reported input, and look for what is kept or read "
        "whole.",
    ),
    _cause(
        r"SIGSEGV|Segmentation fault|SEGV|EXC_BAD_ACCESS|AccessViolation",
        "Invalid memory is read or written: get the frames with debug symbols, or run the steps under a "
        "sanitizer.",
    ),
    _cause(
        r"data race|ConcurrentModificationException|concurrent map (?:writes|read|iteration)"
        r"|dictionary changed size during iteration|Collection was modified",
        "Something is changed while it is read: find the second writer, and copy or lock.",
    ),
    _cause(
        r"deadlock|all goroutines are asleep|Lock wait timeout",
        "Two parties wait for one another: compare the order in which the locks are taken.",
    ),
    _cause(
        r"ECONNREFUSED|Connection refused|ConnectException|ConnectionRefused",
        "Nothing listens at that address: check host and port as seen from inside the process "
        "(containers, IPv6 localhost) and the order of start.",
    ),
    _cause(
        r"ECONNRESET|Connection reset|BrokenPipe|EPIPE|Broken pipe|socket hang up",
        "The other side closed the connection: check idle time-outs and reuse of connections.",
    ),
    _cause(
        r"ETIMEDOUT|TimeoutError|timed out|TimeoutException|SocketTimeout|deadline exceeded"
        r"|DeadlineExceeded",
        "Something answers too late: see which call waits, whether the limit fits, and what happens on a "
        "retry.",
    ),
    _cause(
        r"ENOTFOUND|getaddrinfo|UnknownHostException|Name or service not known",
        "A name cannot be resolved: check the configured host and the proxy settings.",
    ),
    _cause(
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLHandshakeException|certificate (?:verify|has expired)"
        r"|unable to verify the first certificate|x509:",
        "The certificate is not trusted: check the chain, the system's store and proxies that re-sign.",
    ),
    _cause(
        r"EADDRINUSE|[Aa]ddress already in use",
        "The port is taken: a second instance runs, or the first did not close its socket.",
    ),
    _cause(
        r"EMFILE|[Tt]oo many open files",
        "File handles run out: look for what is opened and not closed on the error path.",
    ),
    _cause(
        r"ENOSPC|[Nn]o space left",
        "The disk (or the watcher limit) is full: say so to the user and clean up what was half written.",
    ),
    _cause(
        r"EACCES|EPERM|[Pp]ermission denied|AccessDenied|UnauthorizedAccess|Operation not permitted",
        "A right is missing: check which user runs it and who owns the path that is named.",
    ),
    _cause(
        r"ENOENT|FileNotFound|[Nn]o such file or directory|DirectoryNotFound",
        "A file is not where it is looked for: check relative paths against the working directory, and "
        "case on other systems.",
    ),
    _cause(
        r"UnicodeDecodeError|UnicodeEncodeError|codec can't|invalid (?:UTF-8|byte sequence)"
        r"|InvalidByteSequence|MalformedInput",
        "Text in another encoding: find where the bytes come in and name the encoding there.",
    ),
    _cause(
        r"JSONDecodeError|Unexpected token|Unexpected end of JSON|JsonParseException|JsonReaderException"
        r"|invalid character .{0,20} looking for",
        "What should be JSON is not (often an HTML error page or an empty answer): check status and "
        "content type before parsing.",
    ),
    _cause(
        r"ClassCastException|InvalidCastException|interface conversion|TypeError",
        "A value has another type than expected: see what the caller passes.",
    ),
    _cause(
        r"ValueError|IllegalArgumentException|ArgumentException|ArgumentError|InvalidArgument",
        "An argument is refused: see which value arrives, and check it where the user can still be told.",
    ),
    _cause(
        r"AssertionError|assertion .{0,40}failed|Assertion failed|IllegalStateException"
        r"|InvalidOperationException|unreachable",
        "A state that was held impossible occurs: find the order of events that leads there.",
    ),
    _cause(
        r"IntegrityError|UNIQUE constraint|duplicate key|Duplicate entry|ConstraintViolation",
        "A row exists already or lacks its partner: look for a check and an insert that are not one step.",
    ),
    _cause(
        r"ZeroDivisionError|divide by zero|DivideByZero|ArithmeticException|SIGFPE",
        "A divisor is zero: handle the empty input before the division.",
    ),
    _cause(
        r"undefined reference to|unresolved external symbol|LNK\d{4}|ld: symbol",
        "A symbol is missing when linking: check the order of libraries, the ABI and the build options "
        "that leave it out.",
    ),
    _cause(
        r"peer dep|ERESOLVE|dependency conflict|incompatible versions|version solving failed"
        r"|Could not resolve dependencies",
        "Declared version ranges cannot be met together: relax the one that is stricter than it needs to be.",
    ),
    _cause(
        r"hydrat\w{1,6} (?:failed|mismatch|error)|did not match\. Server",
        "Server and browser render differently: look for time, locale, randomness or window in the first "
        "render.",
    ),
    _cause(
        r"blocked by CORS|Access-Control-Allow-Origin",
        "The server does not allow this origin: check the header on the error answers and redirects too.",
    ),
)


def advice_for(text: str) -> str:
    """The advice for an error; empty where it is not well known."""
    return next((cause.advice for cause in CAUSES if cause.pattern.search(text[:600])), "")
