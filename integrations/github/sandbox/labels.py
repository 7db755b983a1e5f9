"""Labels in the GitHub stand-in: those of an issue and those of a repository."""

from integrations.github.sandbox.context import HEADERS, ISSUE, REPO, Desk, joined
from integrations.github.sandbox.input import (
    MAX_LABEL,
    invalid,
    label_fields,
    read_body,
    read_names,
    refuse,
)
from integrations.github.sandbox.state import IssueRecord, Repository
from integrations.sandbox_faults import Answer, Request


class LabelRoutes:
    """Without the right to push, labels of issues are dropped silently, as GitHub documents for them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        desk.add("GET", f"{ISSUE}/labels", self._issue_labels)
        desk.add("POST", f"{ISSUE}/labels", self._add_labels)
        desk.add("PUT", f"{ISSUE}/labels", self._set_labels)
        desk.add("DELETE", f"{ISSUE}/labels", self._clear_labels)
        desk.add("DELETE", f"{ISSUE}/labels/{{name*}}", self._remove_label)
        desk.add("GET", f"{REPO}/labels", self._repo_labels)
        desk.add("POST", f"{REPO}/labels", self._create_label)
        desk.add("GET", f"{REPO}/labels/{{name*}}", self._get_label)
        desk.add("PATCH", f"{REPO}/labels/{{name*}}", self._edit_label)

    def _labels_answer(self, repo: Repository, issue: IssueRecord) -> Answer:
        return Answer(200, self._desk.writer.labels(repo, issue).encode("utf-8", "replace"), HEADERS)

    def _issue_labels(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request, redirects=True)
        part, headers = self._desk.page(request, len(issue.labels))
        texts = [self._desk.writer.label(repo, repo.labels[key]) for key in issue.labels[part]]
        return Answer(200, joined(texts), headers)

    def _add_labels(self, request: Request) -> Answer:
        return self._put_labels(request, keep=True)

    def _set_labels(self, request: Request) -> Answer:
        return self._put_labels(request, keep=False)

    def _put_labels(self, request: Request, *, keep: bool) -> Answer:
        repo, issue = self._desk.issue(request, redirects=True)
        data = read_body(request, allow_list=True)
        labels = data.get("labels") if isinstance(data, dict) else data
        if not isinstance(labels, list):
            raise invalid("Issue", "labels", "missing_field" if labels is None else "invalid")
        names = read_names(labels)
        if repo.access == "push":
            give_labels(repo, issue, names, keep=keep)
            repo.touch(issue)
        return self._labels_answer(repo, issue)

    def _clear_labels(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request, redirects=True)
        if repo.access == "push":
            repo.set_labels(issue, [])
            repo.touch(issue)
        return Answer(204, b"", ())

    def _remove_label(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request, redirects=True)
        key = request.params["name"].lower()
        if key not in issue.labels:
            raise refuse(404, "Label does not exist")
        if repo.access == "push":
            repo.set_labels(issue, [kept for kept in issue.labels if kept != key])
            repo.touch(issue)
        return self._labels_answer(repo, issue)

    def _repo_labels(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        labels = list(repo.labels.values())
        part, headers = self._desk.page(request, len(labels))
        return Answer(200, joined([self._desk.writer.label(repo, label) for label in labels[part]]), headers)

    def _get_label(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        label = repo.labels.get(request.params["name"].lower())
        if label is None:
            raise refuse(404)
        return Answer(200, self._desk.writer.label(repo, label).encode(), HEADERS)

    def _create_label(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        if repo.access != "push":
            raise refuse(403)
        data = label_fields(read_body(request))
        name = data.get("name", "")
        if not name.strip():
            raise invalid("Label", "name", "missing_field")
        if name.lower() in repo.labels:
            raise invalid("Label", "name", "already_exists")
        label = repo.add_label(name, color=data.get("color", "ededed"), description=data.get("description"))
        return Answer(201, self._desk.writer.label(repo, label).encode(), HEADERS)

    def _edit_label(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        key = request.params["name"].lower()
        label = repo.labels.get(key)
        if label is None:
            raise refuse(404)
        if repo.access != "push":
            raise refuse(403)
        data = label_fields(read_body(request))
        label.color = data.get("color", label.color)
        label.description = data.get("description", label.description)
        if data.get("new_name"):
            repo.rename_label(key, data["new_name"])
        return Answer(200, self._desk.writer.label(repo, label).encode(), HEADERS)


def give_labels(repo: Repository, issue: IssueRecord, names: list[str], *, keep: bool) -> None:
    """Put these labels on an issue, beside those it has or in their place."""
    for name in names:
        if not name.strip() or len(name) > MAX_LABEL:
            raise invalid("Label", "name", message=f"name is too long (maximum is {MAX_LABEL} characters)")
    keys = repo.label_keys(names)
    kept = issue.labels if keep else []
    merged = list(dict.fromkeys([*kept, *keys]))
    if len(merged) > 100:
        raise invalid("Issue", "labels", message="an issue has at most 100 labels")
    issue.labels_added += [k for k in keys if k not in issue.labels]
    repo.set_labels(issue, merged)
