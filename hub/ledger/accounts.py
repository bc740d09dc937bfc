"""Accounts: their names.

Control accounts belong to the programme and have no row of their own: their balance is the sum of their entries. A member
has four; `debt` runs below zero.
"""

from __future__ import annotations

ISSUANCE = "issuance"
REDEEMED = "redeemed"
EXPIRED = "expired"
CLAWED_BACK = "clawed_back"
ADJUSTED = "adjusted"
WRITTEN_OFF = "written_off"
_CAMPAIGN = "campaign:"

AVAILABLE = "available"
PENDING = "pending"
HELD = "held"
DEBT = "debt"
OF_MEMBERS = (AVAILABLE, PENDING, HELD, DEBT)


def campaign_account(campaign: str) -> str:
    """The account that a campaign's awards are paid from."""
    return _CAMPAIGN + campaign


def campaign_of(account: str) -> str | None:
    """The campaign whose budget the account is, or None."""
    return account.removeprefix(_CAMPAIGN) if account.startswith(_CAMPAIGN) else None


def pays_awards(account: str) -> bool:
    """Whether awards come from this account."""
    return account == ISSUANCE or account.startswith(_CAMPAIGN)


def full_name(member_id: str | None, account: str) -> str:
    """As exports write it: `issuance`, `member:mem_1:available`."""
    return account if member_id is None else f"member:{member_id}:{account}"
