"""Which events of GitHub and Shortcut something is made of, of all that they send."""

import json
from collections.abc import Iterator

from tests.golden import product

GITHUB = [
    "branch_protection_configuration",
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "code_scanning_alert",
    "commit_comment",
    "create",
    "custom_property",
    "custom_property_values",
    "delete",
    "dependabot_alert",
    "deploy_key",
    "deployment",
    "deployment_protection_rule",
    "deployment_review",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "github_app_authorization",
    "gollum",
    "installation",
    "installation_repositories",
    "installation_target",
    "issue_comment",
    "issue_dependencies",
    "issues",
    "label",
    "marketplace_purchase",
    "member",
    "membership",
    "merge_group",
    "meta",
    "milestone",
    "org_block",
    "organization",
    "package",
    "page_build",
    "personal_access_token_request",
    "ping",
    "project",
    "project_card",
    "project_column",
    "projects_v2",
    "projects_v2_item",
    "projects_v2_status_update",
    "public",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
    "registry_package",
    "release",
    "repository",
    "repository_advisory",
    "repository_dispatch",
    "repository_import",
    "repository_ruleset",
    "repository_vulnerability_alert",
    "secret_scanning_alert",
    "secret_scanning_alert_location",
    "secret_scanning_scan",
    "security_advisory",
    "security_and_analysis",
    "sponsorship",
    "star",
    "status",
    "sub_issues",
    "team",
    "team_add",
    "watch",
    "workflow_dispatch",
    "workflow_job",
    "workflow_run",
]
"""All events that GitHub documents (December 2026)."""
SHORTCUT = [
    "branch",
    "category",
    "custom-field",
    "epic",
    "epic-comment",
    "iteration",
    "label",
    "milestone",
    "objective",
    "project",
    "pull-request",
    "story",
    "story-comment",
    "story-link",
    "story-task",
    "workflow",
]
"""Entity types of Shortcut's actions."""


def incoming_names() -> Iterator[str]:
    """`github issues` for each event that is acted on; the others are noted by name alone."""
    push = {"ref": "refs/heads/main", "repository": {"full_name": "octo/x", "default_branch": "main"}}
    for event in GITHUB:
        if product.github_takes(event, json.dumps(push).encode()):
            yield f"github {event}"
    for kind in SHORTCUT:
        if product.shortcut_takes(json.dumps({"id": "1", "actions": [{"entity_type": kind}]}).encode()):
            yield f"shortcut {kind}"
