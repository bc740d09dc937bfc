"""Twilio: hear what members write by SMS, and write back.

Setup: in Twilio, open Phone Numbers > Manage > Active numbers and choose the number. Under "A message comes in" choose Webhook,
HTTP POST, and paste {webhook_url}; with a Messaging Service, paste it under Integration > Send a webhook instead. Copy the
Account SID and the *primary* Auth Token from the console's first page into `account_sid` and `auth_token` (webhooks are signed
with this token, so an API key cannot stand in for it), and set `sender` to the number (`+15005550006`) or the service (`MG…`).
Delivery reports come to the same address by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from hub.sdk import (
    CallFailed,
    Client,
    Connection,
    Connector,
    Customer,
    MessageDelivered,
    MessageFailed,
    MessageReceived,
    Moment,
    Payload,
    Settings,
    json_text,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, reply, secret, setting, signature


def _kind(fields: Mapping[str, Any]) -> str:
    return "status" if "MessageStatus" in fields else "message"


connector = Connector(
    "twilio",
    title="Twilio",
    settings=setting("account_sid", "Account SID (AC…)", example="AC0123456789abcdef0123456789abcdef")
    + secret("auth_token", "primary Auth Token; also the key of the webhooks' signatures")
    + setting("sender", "the number (+1…) or Messaging Service (MG…) that messages come from", example="+15005550006"),
    api=("https://api.twilio.com", "https://accounts.twilio.com"),
    auth=auth.basic("account_sid", "auth_token"),
    # Twilio is of two minds about the port in the URL that it signs; a body that is no form is covered by a digest in the URL.
    signature=signature.hmac(
        "X-Twilio-Signature",
        "auth_token",
        digest="sha1",
        encoding="base64",
        signed="{url}{fields}",
        ports=True,
        body_digest="bodySHA256",
    ),
    envelope=envelope(kind=_kind, id=body("MessageSid"), account=body("AccountSid"), account_setting="account_sid"),
    # Anything but TwiML is an error to Twilio, or goes to the member as a message.
    reply=reply.xml("<Response/>"),
)

MESSAGES = "/2010-04-01/Accounts/{account_sid}/Messages.json"
MESSAGE = "/2010-04-01/Accounts/{account_sid}/Messages/{sid}.json"


# What comes in --------------------------------------------------------------------------------------------------------


class Message(Payload):
    """An inbound message. It says no time: the hub stamps it when it arrives."""

    sid: str = Field(alias="MessageSid")
    sender: str = Field(alias="From")
    to: str = Field(alias="To")
    text: str = Field(alias="Body", default="")
    opt_out_type: str = Field(alias="OptOutType", default="")


class Status(Payload):
    """A delivery report of a message that we sent."""

    sid: str = Field(alias="MessageSid")
    status: str = Field(alias="MessageStatus")
    to: str = Field(alias="To", default="")
    code: str = Field(alias="ErrorCode", default="")
    words: str = Field(alias="ErrorMessage", default="")


# Reports come late and out of order (`sent` after `delivered`). Only final words are facts, so nothing can move backwards;
# `canceled` is our own doing.
ARRIVED = {"delivered", "read"}
LOST = {"undelivered", "failed"}
# https://www.twilio.com/docs/api/errors: those that say that the number itself will never take a message.
REASONS = {
    "21610": "opted out",
    "30003": "unreachable",
    "30004": "blocked",
    "30005": "unknown number",
    "30006": "landline",
    "30007": "filtered by the carrier",
    "30034": "the sender is not registered for A2P",
}
LASTING = {"21610", "30005", "30006"}
COMMANDS: dict[str, Literal["stop", "start", "help"]] = {"STOP": "stop", "START": "start", "HELP": "help"}


class SmsFailed(MessageFailed):
    """A message that we sent did not arrive. code: Twilio's error code."""

    code: str = ""


def _address(number: str) -> tuple[str, Literal["sms", "whatsapp"]]:
    """`whatsapp:+4477…` -> the number and its channel."""
    prefix, colon, rest = number.partition(":")
    return (rest, "whatsapp") if colon and prefix == "whatsapp" else (number, "sms")


@connector.trigger("message", key="message_id")
def message_received(message: Message) -> MessageReceived:
    """Somebody wrote to one of our numbers."""
    address, channel = _address(message.sender)
    return MessageReceived(
        message_id=message.sid,
        channel=channel,
        address=address,
        to=_address(message.to)[0],
        text=message.text,
        customer=Customer(phone=address),
        # With Advanced Opt-Out Twilio has understood (and answered) the word already, whatever language it was in.
        command=COMMANDS.get(message.opt_out_type.upper(), ""),
    )


@connector.trigger("status", key="message_id")
def message_delivered(status: Status) -> MessageDelivered | None:
    """A message that we sent arrived."""
    if status.status not in ARRIVED:
        return None
    address, channel = _address(status.to)
    return MessageDelivered(message_id=status.sid, channel=channel, address=address)


@connector.trigger("status", key="message_id")
def message_failed(status: Status) -> SmsFailed | None:
    """A message that we sent did not arrive."""
    if status.status not in LOST:
        return None
    address, channel = _address(status.to)
    return SmsFailed(
        message_id=status.sid,
        channel=channel,
        address=address,
        reason=status.words or REASONS.get(status.code, status.status),
        lasting=status.code in LASTING,
        code=status.code,
    )


# What goes out --------------------------------------------------------------------------------------------------------


class Sent(Payload):
    """A message as Twilio keeps it. segments: how many it is charged as; 0 until a service has chosen its sender."""

    sid: str
    status: str
    segments: int = Field(alias="num_segments", default=0)


def _from(sender: str) -> dict[str, str]:
    return {"MessagingServiceSid": sender} if sender.startswith("MG") else {"From": sender}


@connector.action(repeat="never", channel="sms")
def send_sms(
    client: Client,
    connection: Connection,
    *,
    to: Annotated[str, "the phone number, with its country: +14155550123"],
    body: Annotated[str, Field(description="the text, at most 1600 characters", min_length=1, max_length=1600)],
    sender: Annotated[str | None, "another number or Messaging Service than the connection's"] = None,
    media_url: Annotated[str | None, "a picture to send along, as a public URL"] = None,
    send_at: Annotated[Moment | None, "when to send it, 15 minutes to 35 days ahead; needs a Messaging Service"] = None,
) -> Sent:
    """Send a text message."""
    form = {
        "To": to,
        **_from(sender or connection.settings["sender"]),
        "Body": body,
        "MediaUrl": media_url,
        # Twilio refuses a message whose reports could not reach us.
        "StatusCallback": connection.webhook_url if connection.webhook_url.startswith("https://") else None,
        "ScheduleType": "fixed" if send_at else None,
        "SendAt": send_at,
    }
    sent: Sent = client.post(MESSAGES, form=form, into=Sent)
    return sent


@connector.lookup(send_sms)
def sent_before(client: Client, started: datetime, *, to: str, body: str) -> Sent | None:
    """Twilio has no idempotency key; what tells a message is to whom it went, since when, and its text."""
    # No DateSent filter: it leaves out what is still queued. Dates have whole seconds.
    since = started.replace(microsecond=0) - timedelta(seconds=1)
    for row in client.get(MESSAGES, query={"To": to, "PageSize": 50})["messages"]:
        if row["body"] == body and row["direction"] != "inbound" and parsedate_to_datetime(row["date_created"]) >= since:
            return Sent.model_validate(row)
    return None


@connector.action(repeat="safe")
def cancel_sms(client: Client, *, sid: Annotated[str, "the message's id (SM…)"]) -> Sent:
    """Take back a scheduled message that has not been sent yet."""
    cancelled: Sent = client.post(MESSAGE, at={"sid": sid}, form={"Status": "canceled"}, into=Sent)
    return cancelled


@connector.action(repeat="safe")
def redact_sms(client: Client, *, sid: Annotated[str, "the message's id (SM…)"]) -> Sent:
    """Erase the text of a message at Twilio; that it was sent stays on record."""
    redacted: Sent = client.post(MESSAGE, at={"sid": sid}, form={"Body": ""}, into=Sent)
    return redacted


class Consent(BaseModel):
    """What one person said about messages from us."""

    phone: Annotated[str, Field(description="the person's number, with its country: +14155550123")]
    status: Annotated[Literal["opt-in", "opt-out"], Field(description="what they said")]
    source: Annotated[
        Literal["website", "offline", "opt-in-message", "opt-out-message", "others"], Field(description="where they said it")
    ] = "others"
    said_at: Annotated[Moment | None, Field(description="when they said it")] = None


class Recorded(Payload):
    """A consent that Twilio has recorded."""

    phone: str


@connector.action(repeat="safe", batch=25)
def record_consent(client: Client, settings: Settings, consents: list[Consent]) -> list[Recorded | CallFailed]:
    """Tell Twilio that somebody agreed to messages, or does not want any."""
    rows = [
        {
            "contact_id": consent.phone,
            "correlation_id": f"{number:032d}",
            "sender_id": settings["sender"],
            "status": consent.status,
            "source": consent.source,
            "date_of_consent": consent.said_at,
        }
        for number, consent in enumerate(consents)
    ]
    told = client.post("https://accounts.twilio.com/v1/Consents/Bulk", form={"Items": [json_text(row) for row in rows]})
    wrong = {item["correlation_id"]: item for item in told["items"] if item["error_code"]}
    return [
        CallFailed(f"Twilio did not record it: {wrong[row['correlation_id']]['error_messages']}", "lasting")
        if row["correlation_id"] in wrong
        else Recorded(phone=consent.phone)
        for row, consent in zip(rows, consents, strict=True)
    ]


# Recorded truth -------------------------------------------------------------------------------------------------------

INBOUND = {
    "MessageSid": "SM9f1e2d3c4b5a69788776655443322110",
    "SmsSid": "SM9f1e2d3c4b5a69788776655443322110",
    "AccountSid": "AC0123456789abcdef0123456789abcdef",
    "MessagingServiceSid": "MG0123456789abcdef0123456789abcdef",
    "From": "+447700900123",
    "To": "+447700900200",
    "Body": "POINTS",
    "NumMedia": "0",
    "NumSegments": "1",
    "SmsStatus": "received",
    "FromCountry": "GB",
    "FromCity": "",
    "ApiVersion": "2010-04-01",
}
REPORT = {
    "MessageSid": "SM99990000111122223333444455556666",
    "MessageStatus": "delivered",
    "SmsStatus": "delivered",
    "AccountSid": "AC0123456789abcdef0123456789abcdef",
    "To": "+447700900123",
    "From": "+447700900200",
}
LOST_REPORT = REPORT | {"MessageStatus": "undelivered", "ErrorCode": "30006", "RawDlrDoneDate": "2605011000"}
QUEUED = {
    "sid": "SM99990000111122223333444455556666",
    "status": "queued",
    "num_segments": "1",
    "direction": "outbound-api",
    "to": "+447700900123",
    "from": "+15005550006",
    "body": "Thanks! +12 points.",
    "date_created": "Fri, 06 Feb 2026 21:27:34 +0000",
    "error_code": None,
    "price": None,
}
LIST = "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json"
ONE = "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages/SM99990000111122223333444455556666.json"
THANKS = {"to": "+447700900123", "body": "Thanks! +12 points."}

connector.sample(
    message_received, INBOUND, form=True, gives={"address": "+447700900123", "text": "POINTS", "channel": "sms", "command": ""}
)
connector.sample(
    message_received, INBOUND | {"Body": "Arrêt", "OptOutType": "STOP"}, form=True, gives={"text": "Arrêt", "command": "stop"}
)
connector.sample(
    message_received,
    INBOUND | {"From": "whatsapp:+447700900123", "To": "whatsapp:+447700900200"},
    form=True,
    gives={"address": "+447700900123", "to": "+447700900200", "channel": "whatsapp"},
)
connector.sample(message_delivered, REPORT, form=True, gives={"message_id": REPORT["MessageSid"], "address": "+447700900123"})
connector.sample(message_delivered, REPORT | {"MessageStatus": "sent"}, form=True, gives=None, note="not a final word")
connector.sample(message_failed, LOST_REPORT, form=True, gives={"reason": "landline", "lasting": True, "code": "30006"})
connector.sample(
    send_sms,
    THANKS,
    asks=ask("POST " + LIST, form={"To": "+447700900123", "From": "+15005550006", "Body": "Thanks! +12 points."}),
    reply=answers(201, QUEUED),
    gives={"sid": QUEUED["sid"], "status": "queued", "segments": 1},
)
connector.sample(
    send_sms,
    THANKS | {"sender": "MG0123456789abcdef0123456789abcdef", "send_at": "2026-02-07T09:00:00Z"},
    asks=ask(
        "POST " + LIST,
        form={
            "MessagingServiceSid": "MG0123456789abcdef0123456789abcdef",
            "ScheduleType": "fixed",
            "SendAt": "2026-02-07T09:00:00Z",
        },
    ),
    reply=answers(201, QUEUED | {"status": "scheduled", "num_segments": "0"}),
    gives={"status": "scheduled", "segments": 0},
)
connector.sample(
    send_sms,
    THANKS,
    asks="POST " + LIST,
    reply=answers(400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}),
    fails="lasting",
)
connector.sample(
    sent_before,
    THANKS,
    asks=ask("GET " + LIST, query={"To": "+447700900123"}),
    reply={"messages": [QUEUED]},
    gives={"sid": QUEUED["sid"]},
)
connector.sample(sent_before, THANKS | {"body": "Another"}, asks="GET " + LIST, reply={"messages": [QUEUED]}, gives=None)
connector.sample(
    cancel_sms,
    {"sid": QUEUED["sid"]},
    asks=ask("POST " + ONE, form={"Status": "canceled"}),
    reply=QUEUED | {"status": "canceled"},
    gives={"status": "canceled"},
)
connector.sample(redact_sms, {"sid": QUEUED["sid"]}, asks=ask("POST " + ONE, form={"Body": ""}), reply=QUEUED | {"body": ""})
connector.sample(
    record_consent,
    {"phone": "+447700900123", "status": "opt-out", "source": "opt-out-message"},
    asks=ask(
        "POST https://accounts.twilio.com/v1/Consents/Bulk",
        form={
            "Items": '{"contact_id":"+447700900123","correlation_id":"00000000000000000000000000000000",'
            '"sender_id":"+15005550006","status":"opt-out","source":"opt-out-message"}'
        },
    ),
    reply={"items": [{"correlation_id": "00000000000000000000000000000000", "error_code": 0, "error_messages": []}]},
    gives={"phone": "+447700900123"},
)
