"""Workspace of the demo: the repair programme as `hub init` would copy it, with its connections turned to the stand-in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from hub import library
from hub.demo.payloads import ACCOUNT, MERCHANT, SHOP_PHONE
from hub.errors import HubError

PROGRAMME = "repair"
_PLATFORMS = ("square", "twilio")
PUBLIC_URL = "https://points.diesel-rewards.example"

# The vendors are played on this machine, so these open nothing.
_CONNECTIONS = """\
public_url: {public_url}
connections:                                   # played by a stand-in while the demo runs
  square:
    access_token: demo-square-token
    webhook_signature_key: demo-square-signature-key
    merchant_id: {merchant}
    base_url: {stand_in}/square
    allow_private: true
  twilio:
    account_sid: {account}
    auth_token: demo-twilio-token
    sender: "{phone}"
    base_url: {stand_in}/twilio
    allow_private: true
"""


def make(folder: Path, stand_in_url: str, database: str | None = None) -> None:
    """Write hub.yaml and the recipes into `folder`. HubError when a workspace is there already.

    database: its address, when it is not to be a folder of the workspace.
    """
    recipes = folder / "recipes"
    if (folder / "hub.yaml").exists():
        raise HubError(f"{folder} holds a workspace already. Name a folder that is new or empty.")
    recipes.mkdir(parents=True, exist_ok=True)
    kept, _ = library.fitting(PROGRAMME, _PLATFORMS)
    for recipe in kept:
        shutil.copyfile(recipe.path, recipes / recipe.path.name)
    programme, _, _ = library.settings_of(PROGRAMME).partition("connections:")
    connections = _CONNECTIONS.format(
        public_url=PUBLIC_URL, merchant=MERCHANT, account=ACCOUNT, stand_in=stand_in_url, phone=SHOP_PHONE
    )
    chosen = f"database: {json.dumps(database)}\n" if database else ""
    (folder / "hub.yaml").write_text(programme + chosen + connections, "utf-8")
