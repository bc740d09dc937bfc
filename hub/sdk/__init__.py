"""SDK: all that a connector may import. The nouns are here, the declaring words in `hub.sdk.declare`."""

from hub.errors import CallFailed, Unreadable
from hub.sdk import records
from hub.sdk.action import CallKey, made_once
from hub.sdk.batches import by_group, tell_apart
from hub.sdk.client import Client
from hub.sdk.connection import Connection
from hub.sdk.connector import Connector
from hub.sdk.decode import read_table
from hub.sdk.encode import Exactly, digest, json_text, words
from hub.sdk.envelope import Item
from hub.sdk.fact import Customer, Fact, Line, Reference
from hub.sdk.facts import (
    Booking,
    ConnectionRevoked,
    CustomerChanged,
    CustomersMerged,
    DealWon,
    FormSubmitted,
    InvoiceIssued,
    JobCompleted,
    LoyaltyActivity,
    MessageDelivered,
    MessageFailed,
    MessageOpened,
    MessageReceived,
    RedemptionRequested,
    Referral,
    Refund,
    Review,
    RewardOrder,
    RowChanged,
    Sale,
    Subscribed,
    TicketCreated,
    TicketRated,
    TicketSolved,
    Unsubscribed,
)
from hub.sdk.failures import Failure, Reply
from hub.sdk.fields import field_keys
from hub.sdk.graphql import GraphQL
from hub.sdk.markup import Element, read_xml
from hub.sdk.mirror import Mirrored, Shown
from hub.sdk.request import Answer, Request
from hub.sdk.settings import Secret, Setting, Settings, Unfit
from hub.sdk.trigger import Payload
from hub.sdk.values import (
    Currency,
    Duration,
    Moment,
    Money,
    Number,
    Points,
    SignedMoney,
    UtcMoment,
    email,
    exponent,
    from_minor,
    names,
    phone,
    share,
    stars,
    to_minor,
    utc,
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
    "GraphQL",
    "InvoiceIssued",
    "Item",
    "JobCompleted",
    "Line",
    "LoyaltyActivity",
    "MessageDelivered",
    "MessageFailed",
    "MessageOpened",
    "MessageReceived",
    "Mirrored",
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
    "RewardOrder",
    "RowChanged",
    "Sale",
    "Secret",
    "Setting",
    "Settings",
    "Shown",
    "SignedMoney",
    "Subscribed",
    "TicketCreated",
    "TicketRated",
    "TicketSolved",
    "Unfit",
    "Unreadable",
    "Unsubscribed",
    "UtcMoment",
    "Window",
    "by_group",
    "digest",
    "email",
    "exponent",
    "field_keys",
    "from_minor",
    "json_text",
    "made_once",
    "names",
    "phone",
    "read_table",
    "read_xml",
    "records",
    "share",
    "stars",
    "tell_apart",
    "to_minor",
    "utc",
    "words",
]
