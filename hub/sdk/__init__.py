"""SDK: all that a connector may import. The nouns are here, the declaring words in `hub.sdk.declare`."""

from hub.errors import CallFailed, Unreadable
from hub.sdk.action import CallKey
from hub.sdk.batches import tell_apart
from hub.sdk.client import Client
from hub.sdk.connection import Connection
from hub.sdk.connector import Connector
from hub.sdk.encode import Exactly, json_text
from hub.sdk.envelope import Item
from hub.sdk.facts import (
    Booking,
    ConnectionRevoked,
    Customer,
    CustomerChanged,
    CustomersMerged,
    DealWon,
    Fact,
    FormSubmitted,
    InvoiceIssued,
    JobCompleted,
    Line,
    LoyaltyActivity,
    MessageDelivered,
    MessageFailed,
    MessageOpened,
    MessageReceived,
    RedemptionRequested,
    Reference,
    Referral,
    Refund,
    Review,
    RowChanged,
    Sale,
    Subscribed,
    TicketSolved,
    Unsubscribed,
)
from hub.sdk.failures import Failure, Reply
from hub.sdk.fields import field_keys
from hub.sdk.markup import Element, read_xml
from hub.sdk.request import Answer, Request
from hub.sdk.settings import Secret, Setting, Settings
from hub.sdk.trigger import Payload
from hub.sdk.values import (
    Currency,
    Duration,
    Moment,
    Money,
    Number,
    Points,
    SignedMoney,
    email,
    exponent,
    from_minor,
    phone,
    to_minor,
)
from hub.sdk.watch import Window

__all__ = [
    "Answer",
    "Booking",
    "CallFailed",
    "CallKey",
    "Client",
    "Connection",
    "ConnectionRevoked",
    "Connector",
    "Currency",
    "Customer",
    "CustomerChanged",
    "CustomersMerged",
    "DealWon",
    "Duration",
    "Element",
    "Exactly",
    "Fact",
    "Failure",
    "FormSubmitted",
    "InvoiceIssued",
    "Item",
    "JobCompleted",
    "Line",
    "LoyaltyActivity",
    "MessageDelivered",
    "MessageFailed",
    "MessageOpened",
    "MessageReceived",
    "Moment",
    "Money",
    "Number",
    "Payload",
    "Points",
    "RedemptionRequested",
    "Reference",
    "Referral",
    "Refund",
    "Reply",
    "Request",
    "Review",
    "RowChanged",
    "Sale",
    "Secret",
    "Setting",
    "Settings",
    "SignedMoney",
    "Subscribed",
    "TicketSolved",
    "Unreadable",
    "Unsubscribed",
    "Window",
    "email",
    "exponent",
    "field_keys",
    "from_minor",
    "json_text",
    "phone",
    "read_xml",
    "tell_apart",
    "to_minor",
]
