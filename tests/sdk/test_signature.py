"""Signatures, against the words of their vendors and against forgers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Refused
from hub.sdk import signature
from hub.sdk.request import Request
from hub.sdk.settings import Secret, Settings

SCHEMES = {
    "square": signature.hmac("x-square-hmacsha256-signature", "key", encoding="base64", signed="{url}{body}"),
    "shopify": signature.hmac("X-Shopify-Hmac-Sha256", "key", encoding="base64")
    | signature.hmac("shopify-hmac-sha256", "key", encoding="base64"),
    "stripe": signature.timestamped("Stripe-Signature", "key"),
    "typeform": signature.hmac("Typeform-Signature", "key", encoding="base64", prefix="sha256="),
    "intercom": signature.hmac("X-Hub-Signature", "key", digest="sha1", prefix="sha1="),
    "airtable": signature.hmac("X-Airtable-Content-MAC", "key", prefix="hmac-sha256=", key="base64"),
    "zendesk": signature.hmac(
        "X-Zendesk-Webhook-Signature",
        "key",
        encoding="base64",
        signed="{timestamp}{body}",
        timestamp="X-Zendesk-Webhook-Signature-Timestamp",
        unit="iso",
    ),
    "klaviyo": signature.hmac(
        "Klaviyo-Signature", "key", signed="{body}{timestamp}", timestamp="Klaviyo-Timestamp", unit="http", tolerance=None
    ),
    "hubspot": signature.hmac(
        "X-HubSpot-Signature-v3",
        "key",
        encoding="base64",
        signed="{method}{url:plain}{body}{timestamp}",
        timestamp="X-HubSpot-Request-Timestamp",
        unit="milliseconds",
    ),
    "hubspot v2": signature.hashed("X-HubSpot-Signature", "key", signed="{method}{url}{body}"),
    "sheets": signature.hmac(
        "X-Sheets-Signature", "key", prefix="sha256=", signed="{timestamp}.{body}", timestamp="X-Sheets-Timestamp"
    ),
    "standard": signature.standard_webhooks("key"),
    "sendgrid": signature.ecdsa("X-Signature", "key", timestamp="X-Timestamp"),
    "twilio": signature.hmac(
        "X-Twilio-Signature",
        "key",
        digest="sha1",
        encoding="base64",
        signed="{url}{fields}",
        ports=True,
        body_digest="bodySHA256",
    ),
    "basic": signature.basic("user", "key"),
    "pipedrive": signature.basic("hub", "key", is_fixed=True),
    "salesforce": signature.token("key", header="X-Hub-Token"),
    "trustpilot": signature.token("key", query="key"),
    "zoho": signature.token("key", path=True),
    "mailchimp": signature.token("token", query="token")
    & signature.if_set(signature.timestamped("X-Mailchimp-Signature", "key")),
}
names = pytest.mark.parametrize("name", SCHEMES)


def settings_for(name: str, seed: str = "") -> Settings:
    return Settings({key: Secret(value) for key, value in SCHEMES[name].examples(seed).items()})


@names
def test_what_it_signs_it_verifies(name, request_of, now):
    """A scheme accepts what it signed itself, JSON or form."""
    scheme, settings = SCHEMES[name], settings_for(name)
    for request in (request_of(), request_of(b"a=1&b=", form=True), request_of('{"a":"é☃"}'.encode())):
        scheme.verify(scheme.sign(request, settings, now), settings, now)


@names
def test_another_secret_is_refused(name, request_of, now):
    """What was signed with another secret is refused."""
    scheme = SCHEMES[name]
    signed = scheme.sign(request_of(), settings_for(name, "other"), now)
    with pytest.raises(Refused):
        scheme.verify(signed, settings_for(name), now)


@names
def test_an_unset_secret_is_refused_by_name(name, request_of, now):
    """Without its secret a connection refuses everything and says which one it lacks."""
    scheme = SCHEMES[name]
    signed = scheme.sign(request_of(), settings_for(name), now)
    with pytest.raises(Refused, match="is not set"):
        scheme.verify(signed, Settings({}), now)


@pytest.mark.parametrize("name", [name for name, scheme in SCHEMES.items() if scheme.covers_body])
def test_a_changed_body_is_refused(name, request_of, now):
    """One changed letter of a body is noticed."""
    scheme, settings = SCHEMES[name], settings_for(name)
    signed = scheme.sign(request_of(b'{"amount":100}'), settings, now)
    forged = Request(**{**{f: getattr(signed, f) for f in Request.__slots__}, "body": b'{"amount":900}'})
    with pytest.raises(Refused):
        scheme.verify(forged, settings, now)


@pytest.mark.parametrize("name", [name for name, scheme in SCHEMES.items() if scheme.tolerance is not None])
@pytest.mark.parametrize(("seconds", "fresh"), [(-301, False), (-299, True), (299, True), (301, False)])
def test_the_tolerance_is_kept_both_ways(name, seconds, fresh, request_of, now):
    """A time is good for five minutes, before and after."""
    scheme, settings = SCHEMES[name], settings_for(name)
    signed = scheme.sign(request_of(), settings, now + timedelta(seconds=seconds))
    if fresh:
        scheme.verify(signed, settings, now)
    else:
        with pytest.raises(Refused, match="seconds are allowed"):
            scheme.verify(signed, settings, now)


@given(value=st.text(max_size=80), name=st.sampled_from(sorted(SCHEMES)))
def test_no_header_can_do_more_than_be_refused(value, name):
    """Whatever stands in the header, the answer is Refused and nothing else."""
    now = datetime.fromisoformat("2026-02-06T21:30:00+00:00")
    scheme, settings = SCHEMES[name], settings_for(name)
    plain = Request(
        "POST", "/hooks/shop", "", {"content-type": "application/json"}, b"{}", now, "https://hub.example.com/hooks/shop"
    )
    signed = scheme.sign(plain, settings, now)
    for header in set(signed.headers) - set(plain.headers):
        if signed.headers[header] != value:
            with pytest.raises(Refused):
                scheme.verify(signed.with_headers({header: value}), settings, now)


def test_twilio_signs_the_url_and_the_sorted_fields(request_of, settings_of, now):
    """The form of Twilio's documentation: URL, then name and value of each field, sorted, blanks kept."""
    body = b"To=%2B18005551212&From=%2B12349013030&CallSid=CA1234567890ABCDE&Digits=1234&Caller=%2B12349013030&Empty="
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    text = url + "CallSidCA1234567890ABCDECaller+12349013030Digits1234EmptyFrom+12349013030To+18005551212"
    made = base64.b64encode(hmac.digest(b"12345", text.encode(), "sha1")).decode()
    request = request_of(body, url=url, form=True, headers={"X-Twilio-Signature": made})
    SCHEMES["twilio"].verify(request, settings_of(key="12345"), now)


def test_twilios_published_example_verifies(request_of, settings_of, now):
    """The signature that Twilio prints for its own example."""
    body = b"CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212"
    headers = {"X-Twilio-Signature": "0/KCTR6DLpKmkAf8muzZqo1nDgQ="}
    request = request_of(body, url="https://mycompany.com/myapp.php?foo=1&bar=2", form=True, headers=headers)
    SCHEMES["twilio"].verify(request, settings_of(key="12345"), now)


@pytest.mark.parametrize(
    ("signed_url", "our_url"),
    [
        ("https://a.example:443/hooks/t", "https://a.example/hooks/t"),
        ("https://a.example/hooks/t", "https://a.example:443/hooks/t"),
        ("https://a.example/hooks/t", "https://a.example:8443/hooks/t"),
    ],
)
def test_twilio_may_sign_with_or_without_the_port(signed_url, our_url, request_of, settings_of, now):
    """The URL's port is left out or added by Twilio as it pleases."""
    made = base64.b64encode(hmac.digest(b"k", signed_url.encode() + b"a1", "sha1")).decode()
    request = request_of(b"a=1", url=our_url, form=True, headers={"X-Twilio-Signature": made})
    SCHEMES["twilio"].verify(request, settings_of(key="k"), now)


def test_of_a_repeated_field_twilio_signs_the_distinct_values_sorted(request_of, settings_of, now):
    """`a=2&a=1&a=2` is signed as a1a2."""
    made = base64.b64encode(hmac.digest(b"k", b"https://a.example/ta1a2", "sha1")).decode()
    request = request_of(b"a=2&a=1&a=2", url="https://a.example/t", form=True, headers={"X-Twilio-Signature": made})
    SCHEMES["twilio"].verify(request, settings_of(key="k"), now)


def test_a_signature_of_the_url_alone_cannot_carry_a_body(request_of, settings_of, now):
    """The signature of a GET does not let anybody add a JSON body."""
    made = base64.b64encode(hmac.digest(b"k", b"https://a.example/t", "sha1")).decode()
    request = request_of(b'{"forged":1}', url="https://a.example/t", headers={"X-Twilio-Signature": made})
    with pytest.raises(Refused, match="does not cover this body"):
        SCHEMES["twilio"].verify(request, settings_of(key="k"), now)


def test_a_body_digest_in_the_url_must_be_the_bodys(request_of, settings_of, now):
    """A JSON body must be the one whose digest is in the signed URL."""
    url = "https://a.example/t?bodySHA256=" + hashlib.sha256(b"{}").hexdigest()
    made = base64.b64encode(hmac.digest(b"k", url.encode(), "sha1")).decode()
    headers = {"X-Twilio-Signature": made}
    SCHEMES["twilio"].verify(request_of(b"{}", url=url, headers=headers), settings_of(key="k"), now)
    with pytest.raises(Refused, match="bodySHA256"):
        SCHEMES["twilio"].verify(request_of(b"[]", url=url, headers=headers), settings_of(key="k"), now)


def test_hubspot_signs_the_url_with_some_escapes_undone(request_of, settings_of, now):
    """`%3A` and its kind are decoded before HubSpot signs, `%20` is not."""
    stamp = str(int(now.timestamp() * 1000))
    text = b"POST" + b"https://a.example/h?to=x:y%20z" + b"{}" + stamp.encode()
    made = base64.b64encode(hmac.digest(b"k", text, "sha256")).decode()
    headers = {"X-HubSpot-Signature-v3": made, "X-HubSpot-Request-Timestamp": stamp}
    SCHEMES["hubspot"].verify(
        request_of(b"{}", url="https://a.example/h?to=x%3Ay%20z", headers=headers), settings_of(key="k"), now
    )


def test_any_of_several_signatures_may_hold(request_of, settings_of, now):
    """While a secret is rolled, a platform sends a signature for each; one that fits is enough, other versions are ignored."""
    stamp = int(now.timestamp())
    good = hmac.digest(b"k", f"{stamp}.".encode() + b"{}", "sha256").hex()
    headers = {"Stripe-Signature": f"t={stamp},v0={good},v1={'0' * 64},v1={good}"}
    SCHEMES["stripe"].verify(request_of(b"{}", headers=headers), settings_of(key="k"), now)
    with pytest.raises(Refused):
        only_old = {"Stripe-Signature": f"t={stamp},v0={good}"}
        SCHEMES["stripe"].verify(request_of(b"{}", headers=only_old), settings_of(key="k"), now)


def test_standard_webhooks_known_vector(request_of, settings_of):
    """The example of the Standard Webhooks specification."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,bm9ldHUjKzFob2VudXRob2VodWUzMjRvdWVvdW9ldQo= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    now = datetime.fromisoformat("2021-02-25T15:02:10+00:00")
    request = request_of(b'{"test": 2432232314}', headers=headers)
    SCHEMES["standard"].verify(request, settings_of(key="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), now)


def test_a_public_key_verifies_and_cannot_sign(request_of, settings_of, now):
    """With the platform's public key we verify; to sign takes the private one."""
    scheme = SCHEMES["sendgrid"]
    private = scheme.examples()["key"]
    key = serialization.load_der_private_key(base64.b64decode(private), None)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = scheme.sign(request_of(), settings_of(key=private), now)
    for form in (base64.b64encode(public).decode(), pem.decode()):
        scheme.verify(signed, settings_of(key=form), now)
    with pytest.raises(ValueError, match="public key"):
        scheme.sign(request_of(), settings_of(key=base64.b64encode(public).decode()), now)


@pytest.mark.parametrize("key", ["not a key", "AAAA", "é", "whsec_!!"])
def test_a_broken_key_of_ours_is_a_refusal_that_says_so(key, request_of, settings_of, now):
    """A secret that was copied wrongly is named, and is never a crash."""
    for name in ("sendgrid", "airtable", "standard"):
        signed = SCHEMES[name].sign(request_of(), settings_for(name), now)
        with pytest.raises(Refused):
            SCHEMES[name].verify(signed, settings_of(key=key), now)


def test_both_secrets_hold_while_one_is_rotated(request_of, settings_of, now):
    """The old and the new secret are accepted side by side; we sign with the new."""
    scheme = SCHEMES["typeform"]
    both = settings_of(key=("new", "old"))
    for key in ("new", "old"):
        scheme.verify(scheme.sign(request_of(), settings_of(key=key), now), both, now)
    scheme.verify(scheme.sign(request_of(), both, now), settings_of(key="new"), now)


def test_a_signature_may_stand_in_another_header(request_of, settings_of, now):
    """Whatever made of its name on the way; the first that is there counts, and a refusal names the platform's own."""
    scheme = signature.hmac("Shop-Hmac", "key", others=("X-Shop-Hmac",))
    settings = settings_of(key="k")
    signed = scheme.sign(request_of(), settings, now)
    elsewhere = request_of().with_headers({"X-Shop-Hmac": signed.header("Shop-Hmac")})
    scheme.verify(elsewhere, settings, now)
    with pytest.raises(Refused, match="Shop-Hmac does not fit"):
        scheme.verify(elsewhere.with_headers({"Shop-Hmac": "00"}), settings, now)
    with pytest.raises(Refused, match="The header Shop-Hmac is missing"):
        scheme.verify(request_of(), settings, now)


def test_either_says_why_both_failed(request_of, settings_of, now):
    """When neither of two proofs holds, both reasons are given."""
    with pytest.raises(Refused, match=r"X-Shopify-Hmac-Sha256.*shopify-hmac-sha256"):
        SCHEMES["shopify"].verify(request_of(), settings_of(key="k"), now)


def test_of_two_proofs_we_sign_with_one_that_has_its_secret(request_of, settings_of, now):
    """So a connection that has the token alone can be played to; with both it is the first."""
    scheme = signature.hmac("X-Signature", "key") | signature.token("token", header="X-Token")
    by_token = scheme.sign(request_of(), settings_of(token="t"), now)
    scheme.verify(by_token, settings_of(token="t"), now)
    assert by_token.header("X-Token") == "t" and by_token.header("X-Signature") is None
    assert scheme.sign(request_of(), settings_of(token="t", key="k"), now).header("X-Token") is None


def test_an_optional_proof_counts_once_its_secret_is_set(request_of, settings_of, now):
    """Without the signing secret the token is enough; with it the signature must be there."""
    scheme = SCHEMES["mailchimp"]
    request = scheme.sign(request_of(), settings_of(token="t"), now)
    scheme.verify(request, settings_of(token="t"), now)
    with pytest.raises(Refused, match="X-Mailchimp-Signature is missing"):
        scheme.verify(request, settings_of(token="t", key="k"), now)


@names
def test_what_is_kept_shows_no_secret(name, request_of, now):
    """Tokens and passwords are taken out of a request before it is kept."""
    scheme, settings = SCHEMES[name], settings_for(name)
    kept = repr(scheme.strip(scheme.sign(request_of(url="https://h.example/hooks/shop?a=1"), settings, now)))
    for secret in settings.secrets():
        assert secret not in kept
        assert base64.b64encode(secret.encode()).decode() not in kept


def test_a_path_without_a_token_is_kept_as_it_is(request_of, settings_of, now):
    """Where the token may stand in a header or in the path, the header's leaves the path alone."""
    scheme = signature.token("key", header="X-Token") | signature.token("key", path=True)
    request, settings = request_of(url="https://h.example/hooks/shop?a=1"), settings_of(key="k-7Qd2")
    assert scheme.strip(scheme.sign(request, settings, now)) == request
    told = scheme.second.sign(request, settings, now)
    scheme.verify(told, settings, now)
    assert scheme.strip(told) == request


def test_a_fixed_user_name_is_no_setting(request_of, settings_of, now):
    """It is compared all the same."""
    scheme, settings = SCHEMES["pipedrive"], settings_of(key="k")
    assert scheme.compares_with == ("key",)
    other = signature.basic("guest", "key", is_fixed=True).sign(request_of(), settings, now)
    with pytest.raises(Refused, match="user name"):
        scheme.verify(other, settings, now)


def test_no_proof_needs_a_connection_that_says_so(request_of, now):
    """An unsigned platform is refused until the connection accepts it in so many words."""
    scheme = signature.none(because="it cannot sign")
    with pytest.raises(Refused, match="accept_unsigned: true"):
        scheme.verify(request_of(), Settings({"accept_unsigned": False}), now)
    scheme.verify(request_of(), Settings({"accept_unsigned": True}), now)
    assert [setting.name for setting in scheme.settings()] == ["accept_unsigned"]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: signature.hmac("H", "s", signed="{nonsense}{body}"), "no part nonsense"),
        (lambda: signature.hmac("H", "s", signed="{timestamp}{body}"), "where the timestamp stands"),
        (lambda: signature.hmac("H", "s", signed="{url}"), "must cover the body"),
        (lambda: signature.token("s"), "one place"),
        (lambda: signature.token("s", header="H", path=True), "one place"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(make, why):
    """What could never protect anything is an error when it is declared."""
    with pytest.raises(ValueError, match=why):
        make()


@pytest.mark.parametrize("name", ["webhook_secret", "signing_key", "webhook_token"])
def test_any_source_proves_itself_as_it_can(name, request_of, now):
    """By the one secret that the connection has; each is a setting, and none of them must be there."""
    form, proof = signature.any_source()
    value = (
        signature.standard_webhooks("webhook_secret").examples()["webhook_secret"] if name == "webhook_secret" else "long-7Qd2"
    )
    settings, other = form.read({name: value}), form.read({name: value + "QUJD"})
    signed = proof.sign(request_of(), settings, now)
    proof.verify(signed, settings, now)
    for wrong, whose in ((signed, other), (signed, form.read({})), (request_of(), settings)):
        with pytest.raises(Refused):
            proof.verify(wrong, whose, now)
