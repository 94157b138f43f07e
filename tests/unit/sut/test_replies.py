from __future__ import annotations

import pytest

from harness.errors import ObservationError
from harness.sut import replies

FENCE = f'"{replies.FENCE}"\n'
INFO = "# Replication\nrole:master\nconnected_slaves:0\n"


def test_replies_of_every_shape_are_told_apart() -> None:
    """INFO comes raw, errors with their prefix, everything else as JSON: each becomes its own value."""
    printed = f'{INFO}{FENCE}["save",""]\n{FENCE}error:"NOAUTH Authentication required."\n{FENCE}null\n{FENCE}'

    about, setting, error, nothing = replies.parse(printed, 4)

    assert replies.info(about)["role"] == "master"
    assert replies.pairs(setting, "CONFIG GET save") == {"save": ""}
    assert isinstance(error, replies.ErrorReply)
    assert nothing is None


def test_a_connection_that_broke_half_way_is_no_short_answer() -> None:
    """Fewer replies than questions raise instead of returning what came."""
    with pytest.raises(ObservationError, match="1 of 2 commands were answered"):
        replies.parse(f'"PONG"\n{FENCE}', 2)


@pytest.mark.parametrize("answer", [replies.ErrorReply("LOADING Redis is loading"), None, "gibberish"])
def test_what_is_no_info_is_not_read_as_one(answer: object) -> None:
    """An error in place of INFO never becomes an empty dictionary."""
    with pytest.raises(ObservationError):
        replies.info(answer)
