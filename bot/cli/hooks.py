"""`hooks`: the addresses that a repository names for its webhooks, and the secret of each."""

import json
import sys

from bot.store import repo_configs
from bot.store.database import Database
from config.secrets import load_secrets
from integrations.webhook.commands import derived_secret
from models.errors import UserFacing


def list_hooks(database: Database, repo: str, as_json: bool) -> None:
    """Print each address with the secret that its receiver checks signatures with, to be handed on."""
    secret = load_secrets().get("SWITCHYARD_HOOK_SECRET")
    if secret is None:
        raise UserFacing("environment: set SWITCHYARD_HOOK_SECRET; the hooks' secrets are made of it")
    try:
        with database.read() as connection:
            found = repo_configs.hooks(connection, [repo])
    finally:
        database.dispose()
    rows = [{"url": hook.url, "secret": derived_secret(secret, hook.repo, hook.url)} for hook in found]
    if as_json:
        sys.stdout.write(json.dumps({"repository": repo, "hooks": rows}, indent=2) + "\n")
        return
    for row in rows:
        print(f"{row['url']}  {row['secret']}")
    if not rows:
        print(f"{repo} names no webhooks in .github/switchyard.yml")
