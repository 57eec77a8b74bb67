from dataclasses import replace

import pytest
from tests.fake_channel import DESCRIPTION

from channel_sync.domain.errors import Invalid
from channel_sync.domain.secrets import Secret
from channel_sync.flows.grants.given_credentials import check_more, check_name, check_secret, more_fields

USUAL = DESCRIPTION.credential_fields
PARTICULAR = replace(DESCRIPTION, credential_fields=(*USUAL, "partner_key", "region"))


def refusal(check, *given):
    """Code and pointer of what is refused, or None."""
    try:
        check(*given)
    except Invalid as refused:
        return refused.code, refused.pointer
    return None


@pytest.mark.parametrize(
    ("text", "usable"), [("s3cret", True), ("", False), ("***", False), ("ab••••yz", False), ("   ", False)]
)
def test_a_secret_is_neither_empty_nor_a_mask_that_was_sent_back(text, usable):
    assert refusal(check_secret, Secret(text), "/s") == (None if usable else ("secret_masked", "/s"))


@pytest.mark.parametrize(("text", "usable"), [("app1", True), ("", False), (" \t", False)])
def test_a_name_is_not_blank(text, usable):
    assert refusal(check_name, text, "/n") == (None if usable else ("blank", "/n"))


@pytest.mark.parametrize("check", [check_secret, check_name])
def test_nothing_given_is_fine(check):
    assert refusal(check, None, "/x") is None


def test_further_fields_are_those_that_not_every_marketplace_has():
    assert (more_fields(DESCRIPTION), more_fields(PARTICULAR)) == ((), ("partner_key", "region"))


KEY, REGION = ("partner_key", Secret("k3y")), ("region", Secret("eu"))


@pytest.mark.parametrize(
    ("more", "channel", "refused"),
    [
        ((), DESCRIPTION, None),
        ((KEY, REGION), PARTICULAR, None),
        ((REGION, KEY), PARTICULAR, None),
        ((KEY,), PARTICULAR, ("blank", "/more_credentials/region")),
        ((KEY, REGION, ("other", Secret("x"))), PARTICULAR, ("not_for_this_kind", "/more_credentials")),
        ((KEY,), DESCRIPTION, ("not_for_this_kind", "/more_credentials")),
        ((KEY, ("region", Secret("***"))), PARTICULAR, ("secret_masked", "/more_credentials/region")),
    ],
)
def test_a_marketplace_gets_all_its_further_fields_and_no_other(more, channel, refused):
    assert refusal(check_more, more, channel) == refused
