"""What went wrong, in one sentence: the errors of every library, told apart once.

The libraries agree on nothing but text, so names of classes and the codes of services are looked
for in both, over the chain of causes. Order matters: the first rule that fits is the answer.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from datavc.core.errors import RemoteError
from datavc.remote.address import redacted


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    sentence: str
    hint: str = ""
    transient: bool = False


def _rule(pattern: str, sentence: str, hint: str = "", *, transient: bool = False) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), sentence, hint, transient)


_KEYS = (
    "`datavc remote modify --local NAME OPTION VALUE` sets credentials, or the environment does"
)
_RULES = (
    _rule(
        r"NoSuchBucket|ContainerNotFound|bucket does not exist|InvalidBucketName",
        "has no such bucket",
        "create it first, or mend the address with `datavc remote modify NAME url URL`",
    ),
    _rule(
        r"HostKeyNotVerifiable|host key is not trusted",
        "has a host key that is not known here",
        "connect once with `ssh HOST` and accept the key, or set known_hosts to a file with it",
    ),
    _rule(
        r"ExpiredToken|TokenRefreshRequired|token has expired",
        "says that the credentials have expired",
        "renew them and repeat the command: it goes on where it stopped",
    ),
    _rule(
        r"NoCredentials|Unable to locate credentials|PartialCredentials|CredentialsNotFound|"
        r"error retrieving credentials|ProfileNotFound|169\.254\.169\.254",
        "needs credentials, and there are none",
        _KEYS,
    ),
    _rule(
        r"SignatureDoesNotMatch|InvalidAccessKeyId|InvalidToken|UnrecognizedClient|"
        r"AuthenticationFailed|Unauthenticated|PermissionDenied\b(?!Error)|\b401\b",
        "does not accept the credentials",
        _KEYS,
    ),
    _rule(r"TimeTooSkewed", "finds this machine's clock wrong", "set the clock"),
    _rule(
        r"AccessDenied|PermissionDenied|PermissionError|AllAccessDisabled|Forbidden|\b403\b",
        "refused the request: these credentials may not do this",
        _KEYS,
    ),
    _rule(
        r"certificate|SSLError|TLS handshake",
        "has a certificate that is not trusted here",
        "`datavc remote modify --local NAME ca_bundle FILE` names the authority's certificate",
    ),
    _rule(
        r"SlowDown|Throttl|TooManyRequests|InternalError|ServiceUnavailable|ServerError|"
        r"\b(429|500|502|503|504)\b|Errno 16\b|Remote I/O error|Errno 121\b",
        "is overloaded or failed for a moment",
        "repeat the command: it goes on where it stopped",
        transient=True,
    ),
    _rule(
        r"TimeoutError|timed? ?out|RequestTimeout|Errno 110\b",
        "did not answer in time",
        "repeat the command, or give it longer: `datavc remote modify NAME read_timeout SECONDS`",
        transient=True,
    ),
    _rule(
        r"IncompleteRead|PayloadError|ContentLengthError|IncompleteBody|decoding response body|"
        r"ConnectionReset|ConnectionLost|ConnectionClosed|ServerDisconnected|BrokenPipe|"
        r"request or response body|Connection lost|Requested \d+\.\.\d+, got",
        "cut the connection",
        "repeat the command: it goes on where it stopped",
        transient=True,
    ),
    _rule(
        r"EndpointConnection|ConnectError|ConnectorError|ConnectionRefused|gaierror|dns error|"
        r"error sending request|ConnectionError|Network is unreachable|No route to host|"
        r"Name or service not known|Connect call failed",
        "cannot be reached",
        "check the address, the network and, if there is one, the proxy",
        transient=True,
    ),
    _rule(
        r"PermanentRedirect|AuthorizationHeaderMalformed|\b301\b|IllegalLocationConstraint",
        "has the bucket in another region",
        "`datavc remote modify NAME region REGION` names the right one",
    ),
    _rule(
        r"No space left|Errno 28\b|quota|InsufficientStorage|\b507\b",
        "has no space left",
        "free some there, then repeat the command: it goes on where it stopped",
    ),
    _rule(
        r"Read-only|Errno 30\b|MethodNotAllowed|\b405\b|NotImplementedError",
        "can only be read",
        "push to another remote with `-r NAME`",
    ),
    _rule(
        r"FileNotFoundError|Errno 2\b|\b(404|409)\b",
        "has no such folder, and none can be made",
        "mend the address with `datavc remote modify NAME url URL`",
    ),
)


def is_missing(error: BaseException) -> bool:
    """Tell whether `error` says that there is no such blob, rather than no such bucket."""
    absent = isinstance(error, FileNotFoundError) or type(error).__name__ == "SFTPNoSuchFile"
    return absent and _RULES[0].pattern.search(_text(error)) is None


def is_beyond_end(error: BaseException) -> bool:
    """Tell whether a range was asked for that begins where the blob has ended."""
    return re.search(r"InvalidRange|not satisfiable|\b416\b", _text(error)) is not None


def explain(error: BaseException, address: str) -> RemoteError:
    """Return the sentence for `error`, which a library raised while it spoke to `address`."""
    text = _text(error)
    for rule in _RULES:
        if rule.pattern.search(text):
            return RemoteError(f"{address} {rule.sentence}", rule.hint, transient=rule.transient)
    detail = redacted(str(error).strip().partition("\n")[0])[:200] or type(error).__name__
    return RemoteError(f"{address} answered with an error: {detail}")


def _text(error: BaseException) -> str:
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < 8:
        names = " ".join(kind.__name__ for kind in type(seen).__mro__[:-3])
        lines.append(f"{type(seen).__name__} {names}: {_without_noise(str(seen))}")
        seen = seen.__cause__ or seen.__context__
    return "\n".join(lines)


def _without_noise(text: str) -> str:
    """Leave out what would be taken for the answer: addresses, times, obstore's own insides."""
    text, _, insides = text.partition("\nDebug source:")
    keep = "169.254.169.254 " if "169.254.169.254" in text else ""
    keep += "timed out " if "kind: Timeout" in insides else ""
    return keep + re.sub(r"\S+://\S+|path \S+|\d+(\.\d+)?(ms|µs|s)\b", "", text)
