"""What the GitHub stand-in reads out of a request, and how it refuses what it cannot use."""

from collections.abc import Mapping
from typing import Any

from integrations.sandbox_faults import Answer, Request, json_answer

MAX_BODY = 65_536
MAX_TITLE = 256
MAX_LABEL = 50
_DOCS = "https://docs.github.com/rest"
_MESSAGES = {
    400: "Problems parsing JSON",
    401: "Bad credentials",
    403: "Resource not accessible by personal access token",
    404: "Not Found",
    410: "This issue was deleted",
    429: "You have exceeded a secondary rate limit.",
    500: "Server Error",
    502: "Server Error",
    503: "Service unavailable",
}


class Refused(Exception):
    """Ends a handler with an error answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def failure(status: int, message: str | None = None, **more: Any) -> Answer:
    """An error in GitHub's shape."""
    body = {"message": message or _MESSAGES.get(status, "Error"), "documentation_url": _DOCS, **more}
    return json_answer(status, {**body, "status": str(status)})


def refuse(status: int, message: str | None = None) -> Refused:
    return Refused(failure(status, message))


def invalid(resource: str, field: str, code: str = "invalid", message: str | None = None) -> Refused:
    error = {"resource": resource, "field": field, "code": code}
    if message:
        error["message"] = message
    return Refused(failure(422, "Validation Failed", errors=[error]))


def read_body(request: Request, *, allow_list: bool = False) -> Any:
    try:
        data = request.json()
    except ValueError:
        raise refuse(400) from None
    if data is None:
        return {}
    if not isinstance(data, dict) and not (allow_list and isinstance(data, list)):
        raise refuse(400, "Body should be a JSON object")
    return data


def read_names(items: Any, key: str = "name") -> list[str]:
    """Names out of a list of names or of objects that have one; none where the list is null."""
    if items is None:
        return []
    if not isinstance(items, list):
        raise invalid("Label" if key == "name" else "User", key)
    names = [item.get(key) if isinstance(item, dict) else item for item in items]
    if not all(isinstance(name, str) for name in names):
        raise invalid("Label" if key == "name" else "User", key)
    return [str(name) for name in names]


def check_text(resource: str, data: Mapping[str, Any]) -> None:
    body, title = data.get("body"), data.get("title")
    if body is not None and not isinstance(body, str):
        raise invalid(resource, "body")
    if body is not None and len(body) > MAX_BODY:
        raise invalid(resource, "body", "custom", f"body is too long (maximum is {MAX_BODY} characters)")
    if title is not None and (not str(title).strip() or len(str(title)) > MAX_TITLE):
        raise invalid(resource, "title", "custom", f"title has 1 to {MAX_TITLE} characters")


def comment_body(request: Request) -> str:
    data = read_body(request)
    body = data.get("body")
    if not isinstance(body, str) or not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    check_text("IssueComment", {"body": body})
    return body


def label_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    fields = {k: v for k, v in data.items() if k in ("name", "new_name", "color", "description")}
    for key, value in fields.items():
        if not isinstance(value, str) and not (key == "description" and value is None):
            raise invalid("Label", key)
    for key in ("name", "new_name"):
        if len(fields.get(key, "")) > MAX_LABEL:
            raise invalid("Label", "name", message=f"name is too long (maximum is {MAX_LABEL} characters)")
    color = fields.get("color")
    if color is not None and (len(color) != 6 or not all(c in "0123456789abcdefABCDEF" for c in color)):
        raise invalid("Label", "color")
    if len(fields.get("description") or "") > 100:
        raise invalid("Label", "description")
    return fields
