"""A finding is one line, safe to print, and says what to do next."""

from __future__ import annotations

from batchcomp.archive import Damage, FoundDamageError


def test_a_finding_is_one_printable_line() -> None:
    """The entry's name comes from a distrusted file, so it is escaped."""
    assert str(Damage(segment="000001.zip", entry="a\nb", reason="gone")) == r"000001.zip: 'a\nb': gone"
    assert str(Damage(segment="000001.zip", entry=None, reason="cut off")) == "000001.zip: cut off"


def test_the_error_carries_its_finding_and_the_next_step() -> None:
    """A caller gets the record, a person the command that says more."""
    damage = Damage(segment="000001.zip", entry=None, reason="cut off")
    error = FoundDamageError(damage)
    assert error.damage is damage
    assert "batchcomp verify" in str(error)
