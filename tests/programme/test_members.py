"""How members are found, made and changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from hub.ledger import Balance
from hub.programme import MemberView, ProgrammeView
from hub.programme.members import queries
from hub.sdk.fact import Customer
from hub.sdk.facts import CustomerChanged
from hub.store.session import NoRows

AT = datetime(2026, 3, 10, 18, tzinfo=UTC)


def found(shop: Any, customer: Customer, connection: str = "square", **more: Any) -> Any:
    """Whom the record is about, with what it says of them taken over."""
    with shop.unit() as unit:
        roll = shop.roll(unit)
        whom = roll.find_or_create(customer, connection, AT, cause="evt_1")
        member = roll.fill(whom.member_id, customer, connection, cause="evt_1", **more) if whom.member_id else None
        return SimpleNamespace(member=member, created=whom.created)


def changes(shop: Any, member_id: str) -> list[tuple[str, str | None, str | None]]:
    with shop.store.read() as session:
        rows = session.rows(queries.changes_of, member_id=member_id)
    return [(row["field"], row["old_value"], row["new_value"]) for row in rows]


def conflicts(shop: Any) -> list[tuple[str, str, str]]:
    with shop.store.read() as session:
        rows = session.rows(queries.identity_conflicts)
    return [(row["identity"], row["member_id"], row["owner_id"]) for row in rows]


@pytest.mark.parametrize(
    "again",
    [
        Customer(id="C1"),
        Customer(email=" ADA@Example.com "),
        Customer(phone="(415) 555-0123"),
        Customer(phone="+1 415 555 0123"),
    ],
)
def test_any_identity_finds_the_member_in_whatever_way_it_is_written(shop: Any, again: Customer) -> None:
    """E-mail addresses are folded, phones are read as of the programme's country, platform ids are the connection's."""
    ada = found(shop, Customer(id="C1", email="ada@example.com", phone="415-555-0123", first_name="Ada"))
    assert ada.created
    second = found(shop, again)
    assert (second.created, second.member.id) == (False, ada.member.id)
    assert (ada.member.email, ada.member.phone, ada.member.tier) == ("ada@example.com", "+14155550123", "Bronze")


def test_the_same_id_on_another_connection_is_somebody_else(shop: Any) -> None:
    """A platform's id means something only at its own connection."""
    assert found(shop, Customer(id="C1")).member.id != found(shop, Customer(id="C1"), "shop2").member.id


def test_two_records_of_one_batch_make_one_member(shop: Any) -> None:
    """What one event of a unit made, the next finds, before anything is written."""
    with shop.unit() as unit:
        roll = shop.roll(unit)
        first = roll.find_or_create(Customer(email="ada@example.com"), "square", AT, cause="evt_1")
        second = roll.find_or_create(Customer(email="ADA@example.com", phone="4155550123"), "square", AT, cause="evt_2")
        third = roll.find_or_create(Customer(phone="4155550123"), "square", AT, cause="evt_3")
    assert first.member_id == second.member_id == third.member_id


def test_a_whole_batch_is_known_in_one_go(shop: Any) -> None:
    """After `want`, nothing is asked about any of them."""
    ada, bob = shop.join(), shop.join("bob@example.com")
    with shop.unit() as unit:
        records = [(Customer(email=mail), "square") for mail in ("bob@example.com", "eve@example.com", "ada@example.com")]
        roll = shop.roll(unit)
        roll.want(records)
        unit.session = NoRows()
        assert [roll.find(*record) for record in records] == [bob.id, None, ada.id]


def test_a_record_that_names_two_members_goes_to_the_strongest_and_is_noted(shop: Any) -> None:
    """Platform id before e-mail before phone; nothing is merged, nobody's address is taken, the note is kept once."""
    ada = found(shop, Customer(id="C1", first_name="Ada")).member
    bob = found(shop, Customer(email="bob@example.com", phone="4155550199")).member
    for _ in range(2):
        named = found(shop, Customer(id="C1", email="bob@example.com", phone="4155550199")).member
    assert named.id == ada.id
    assert (named.email, named.phone) == (None, None)
    assert conflicts(shop) == [("email:bob@example.com", ada.id, bob.id), ("phone:+14155550199", ada.id, bob.id)]
    assert found(shop, Customer(email="bob@example.com")).member.id == bob.id


def test_the_address_is_stronger_than_the_phone(shop: Any) -> None:
    """A shared phone does not turn one into the other."""
    ada = found(shop, Customer(email="ada@example.com")).member
    bob = found(shop, Customer(phone="4155550199")).member
    assert found(shop, Customer(email="ada@example.com", phone="4155550199")).member.id == ada.id
    assert conflicts(shop) == [("phone:+14155550199", ada.id, bob.id)]


@pytest.mark.parametrize("customer", [Customer(), Customer(first_name="Ada"), Customer(phone="ask at the desk")])
def test_a_record_that_names_nobody_makes_nobody(shop: Any, customer: Customer) -> None:
    """Without an identity there is nobody to find and nobody to make."""
    assert found(shop, customer).member is None


def test_a_value_that_cannot_be_normalised_is_kept_as_it_came(shop: Any) -> None:
    """A strange phone stands in the record but finds nobody; a real one replaces it later."""
    ada = found(shop, Customer(email="ada@example.com", phone="ask Bob")).member
    assert ada.phone == "ask Bob"
    assert found(shop, Customer(phone="ask Bob")).member is None
    assert found(shop, Customer(email="ada@example.com", phone="415 555 0123")).member.phone == "+14155550123"
    assert found(shop, Customer(email="ada@example.com", phone="415 555 0177")).member.phone == "+14155550123"


def test_facts_fill_what_is_missing_and_only_a_platforms_change_replaces(shop: Any) -> None:
    """Two platforms that disagree do not take turns; "customer changed" is the newest word. All of it is in the history."""
    ada = found(shop, Customer(email="ada@example.com", first_name="Ada")).member
    same = found(shop, Customer(email="ada@example.com", first_name="A.", birthday=date(1990, 2, 6))).member
    assert (same.first_name, same.birthday) == ("Ada", date(1990, 2, 6))
    changed = found(shop, Customer(email="ada@example.com", first_name="Adele"), replace=True).member
    assert changed.first_name == "Adele"
    assert changes(shop, ada.id)[1:] == [
        ("tier", None, "Bronze"),
        ("first_name", None, "Ada"),
        ("email", None, "ada@example.com"),
        ("birthday", None, "1990-02-06"),
        ("first_name", "Ada", "Adele"),
    ]


def test_tags_and_attributes_change_with_history(shop: Any) -> None:
    """Adding what is there changes nothing; what a platform tags is added and never taken away."""
    ada = shop.join()
    with shop.unit() as unit:
        roll = shop.roll(unit)
        assert roll.tag(ada.id, "vip", cause="c")
        assert not roll.tag(ada.id, "vip", cause="c")
        roll.adopt(ada.id, CustomerChanged(tags=("fleet",), attributes={"car": "Golf"}), cause="c")
        roll.adopt(ada.id, CustomerChanged(tags=(), attributes={"car": "Polo"}), cause="c")
        assert roll.untag(ada.id, "vip", cause="c")
        assert not roll.untag(ada.id, "vip", cause="c")
        assert not roll.set_attribute(ada.id, "none", None, cause="c")
    member = shop.member(ada.id)
    assert (member.tags, dict(member.attributes)) == (frozenset({"fleet"}), {"car": "Polo"})
    assert changes(shop, ada.id)[-5:] == [
        ("tags", None, "vip"),
        ("tags", None, "fleet"),
        ("attributes.car", None, "Golf"),
        ("attributes.car", "Golf", "Polo"),
        ("tags", "vip", None),
    ]


def test_a_member_is_read_back_as_it_was_written(shop: Any) -> None:
    """Every field survives the table."""
    ada = found(
        shop,
        Customer(id="C1", email="ada@example.com", phone="4155550123", first_name="Ada", last_name="Ñg", language="es",
                 birthday=date(1988, 2, 29)),
    ).member  # fmt: skip
    with shop.unit() as unit:
        roll = shop.roll(unit)
        roll.touch(ada.id, AT)
        roll.count_points(ada.id, 70)
        written = roll.get(ada.id)
    assert shop.member(ada.id) == written


def test_activity_never_moves_back(shop: Any) -> None:
    """A late fact about an earlier day leaves the last activity where it is."""
    ada = shop.join()
    with shop.unit() as unit:
        roll = shop.roll(unit)
        roll.touch(ada.id, AT)
        assert roll.touch(ada.id, AT - timedelta(days=3)).last_activity_at == AT


def test_what_recipes_see_has_the_fields_that_the_checker_types(shop: Any) -> None:
    """The view and its model agree, and dates are those of the programme's zone."""
    ada = shop.join(first_name="Ada")
    with shop.unit() as unit:
        member = shop.roll(unit).touch(ada.id, datetime(2026, 3, 12, 2, tzinfo=UTC))
    view = member._replace(spent=9950).view(Balance(available=430, pending=30, debt=10), shop.programme)
    MemberView.model_validate(view)
    assert set(view) == set(MemberView.model_fields)
    assert (view["balance"], view["last_activity_on"], view["joined_on"]) == (420, date(2026, 3, 11), date(2026, 3, 10))
    assert (view["pending"], view["spent"]) == (30, Decimal("99.50"))
    assert set(shop.programme.view()) == set(ProgrammeView.model_fields)
    ProgrammeView.model_validate(shop.programme.view())


def test_ids_of_merged_customers_find_the_one_that_stays(shop: Any) -> None:
    """A platform's merge adds the old ids; one that is another member's stays theirs and is noted."""
    ada, bob = found(shop, Customer(id="C1")).member, found(shop, Customer(id="C2")).member
    with shop.unit() as unit:
        shop.roll(unit).join_identities(ada.id, "square", ["C2", "C3"], cause="evt_9")
    assert found(shop, Customer(id="C3")).member.id == ada.id
    assert found(shop, Customer(id="C2")).member.id == bob.id
    assert conflicts(shop) == [("id:square:C2", ada.id, bob.id)]


def test_a_refused_step_leaves_no_member_behind(shop: Any) -> None:
    """Within a savepoint that fails, a new member and its identities are undone."""
    with shop.unit() as unit:
        with pytest.raises(RuntimeError), unit.savepoint():
            shop.roll(unit).find_or_create(Customer(email="ada@example.com"), "square", AT, cause="evt_1")
            raise RuntimeError
        assert shop.roll(unit).find(Customer(email="ada@example.com"), "square") is None
