"""Placeholders of environment variables."""

from __future__ import annotations

import pytest

from tierwise.config.environment import expand_environment
from tierwise.errors import InvalidInput

ENVIRONMENT = {"CRM_USER": "reader", "CRM_PASSWORD": "s3cret$", "HOST": "db"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("postgresql://${CRM_USER}:${CRM_PASSWORD}@${HOST}/crm", "postgresql://reader:s3cret$@db/crm"),
        ("${HOST}${HOST}", "dbdb"),
        ("no placeholder, $HOME stays, so does { }", "no placeholder, $HOME stays, so does { }"),
        ("", ""),
    ],
)
def test_placeholders_become_values(text: str, expanded: str):
    assert expand_environment(text, ENVIRONMENT) == expanded


def test_values_are_not_expanded_again():
    assert expand_environment("${A}", {"A": "${B}", "B": "secret"}) == "${B}"


def test_every_missing_variable_is_named_and_no_value_is_shown():
    with pytest.raises(InvalidInput) as caught:
        expand_environment("postgresql://${CRM_USR}:${CRM_PASSWORD}@${NOWHERE}/${}", ENVIRONMENT)

    message = str(caught.value)
    assert "the environment variable 'CRM_USR' is not set; did you mean 'CRM_USER'?" in message
    assert "the environment variable 'NOWHERE' is not set\n" in message
    assert "to do: set NOWHERE and run again" in message
    assert len(caught.value.faults) == 3
    assert "s3cret" not in message
