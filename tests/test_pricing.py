"""Costs by hand: machine hours, tokens, units of characters; and every price that is missing is named."""

import pytest

from deidlab.pricing import PriceSheet, per_million_notes
from deidlab.types import ConfigError

READ = {"source": "a price list", "date": "2026-01-31"}
SHEET = PriceSheet(
    "EUR",
    {
        "machine": {"per_hour": 3.6, **READ},
        "model": {"per_1k_input_tokens": 0.5, "per_1k_output_tokens": 2.0, **READ},
        "cloud": {"per_unit": 0.001, "unit_characters": 100, "least_units": 3, **READ},
    },
)
HERE = {"notes": 10, "words": 2000, "seconds": 20.0, "usage": None}
USAGE = {
    "requests": 3,
    "input_tokens": 4000,
    "output_tokens": 1000,
    "unmetered": 0,
    "characters": {"50": 1, "300": 1, "301": 1},
}
THERE = {**HERE, "usage": USAGE}


def cost(name, speed, note_words=None):
    return per_million_notes(SHEET.price(name), speed, note_words)


def test_a_machine_costs_its_hours():
    # 2 s a note at 0.001 EUR a second
    assert cost("machine", HERE) == pytest.approx(2000)
    assert cost("machine", THERE) == pytest.approx(2000)  # a model that is served here


def test_tokens_cost_what_the_endpoint_counted():
    # (4 x 0.5 + 1 x 2) EUR for ten notes
    assert cost("model", THERE) == pytest.approx(400_000)


def test_characters_are_rounded_up_request_by_request():
    # 50 -> the least of 3, 300 -> 3, 301 -> 4
    assert cost("cloud", THERE) == pytest.approx(10 * 0.001 / 10 * 1e6)


def test_the_stated_length_of_a_note_scales_the_cost():
    assert cost("machine", HERE, note_words=400) == pytest.approx(2 * cost("machine", HERE))
    assert cost("machine", HERE, note_words=200) == pytest.approx(cost("machine", HERE))


@pytest.mark.parametrize("key", ["per_hour", "source", "date"])
@pytest.mark.parametrize("blank", [None, "", "gone"])
def test_a_price_sheet_without_a_price_names_what_is_missing(key, blank):
    line = {"per_hour": 1.0, **READ}
    if blank == "gone" and key != "per_hour":
        del line[key]
    else:
        line[key] = None if blank == "gone" else blank
    with pytest.raises(ConfigError, match=rf"prices\.prices\.machine\.{key} is not filled in"):
        PriceSheet("EUR", {"machine": line}).price("machine")


def test_a_line_that_is_not_there_or_says_nothing():
    with pytest.raises(ConfigError, match=r"has no gpt; it has cloud, machine, model"):
        SHEET.price("gpt")
    with pytest.raises(ConfigError, match=r"prices\.prices\.x has no amount; expected .*per_hour.*per_unit"):
        PriceSheet("EUR", {"x": READ}).price("x")


@pytest.mark.parametrize("amount", [-1, "3", True, float("nan"), float("inf")])
def test_an_amount_is_a_number(amount):
    with pytest.raises(ConfigError, match=r"machine\.per_hour is .*; expected a number"):
        PriceSheet("EUR", {"machine": {"per_hour": amount, **READ}}).price("machine")


def test_a_price_that_does_not_fit_the_system_says_so():
    with pytest.raises(ConfigError, match=r"is by tokens, and the system counts none.*price=machine"):
        cost("model", HERE)
    with pytest.raises(ConfigError, match=r"1 of 3 answers did not say how many tokens"):
        cost("model", {**THERE, "usage": {**USAGE, "unmetered": 1}})


def test_a_system_is_priced_by_its_own_line_its_kind_or_the_machine():
    assert SHEET.name_for("model", "cloud") == "model"
    assert SHEET.name_for(None, "cloud") == "cloud"
    assert SHEET.name_for(None, "checkpoint") == "machine"
