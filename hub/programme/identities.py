"""Identities: by what a member is found, and the one written form of an address.

An identity is `id:<connection>:<id>`, `email:<address>`, `phone:<E.164>` or `code:<code>` (by which a member brings others);
each belongs to one member. Where a customer record names two members, the strongest wins: the platform's id, then the e-mail
address, then the phone number (phones are shared in families).
"""

from __future__ import annotations

from typing import NamedTuple

from hub.sdk.fact import Customer
from hub.sdk.values import email, phone

PHONE_CHANNELS = frozenset({"sms", "whatsapp"})


class Names(NamedTuple):
    """What a customer record says about who it is.

    identities: strongest first. email, phone: in their one written form, or as they came where they have none.
    """

    identities: tuple[str, ...]
    email: str | None
    phone: str | None


def names_of(customer: Customer, connection: str, region: str | None) -> Names:
    """Read a customer record of a connection; region: where a phone number without a prefix is at home."""
    identities = []
    if customer.id:
        identities.append(f"id:{connection}:{customer.id}")
    mail, number = customer.email or None, customer.phone or None
    if mail and (normal := email(mail)):
        mail = normal
        identities.append("email:" + normal)
    if number and (normal := phone(number, region)):
        number = normal
        identities.append("phone:" + normal)
    return Names(tuple(identities), mail, number)


def address_on(channel: str, address: str, region: str | None) -> str | None:
    """The written form in which addresses of a channel are compared, or None when it cannot be one.

    Addresses of channels other than SMS, WhatsApp and e-mail are compared as they are.
    """
    if channel in PHONE_CHANNELS:
        return phone(address, region)
    if channel == "email":
        return email(address)
    return address.strip() or None
