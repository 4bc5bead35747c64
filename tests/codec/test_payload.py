"""The header that travels in each payload."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.codec import payload
from batchcomp.codec.edge_lines import LEFT, TOP, Run
from batchcomp.codec.tables import MAX_NETWORK_QUALITY
from batchcomp.errors import PayloadError


@given(
    st.builds(
        payload.PayloadHeader,
        width=st.integers(1, payload.MAX_ORIGINAL_SIDE),
        height=st.integers(1, payload.MAX_ORIGINAL_SIDE),
        scale=st.sampled_from([1, 2, 4]),
        quality=st.integers(100, 100 * MAX_NETWORK_QUALITY).map(lambda q: payload.as_number(q / 100)),
        model=st.binary(min_size=4, max_size=4),
        grey=st.booleans(),
    )
)
def test_headers_come_back(header: payload.PayloadHeader) -> None:
    """Every header survives; without lines it takes 17 bytes unless a side needs more than two."""
    content = payload.content_of(header)
    assert payload.header_of(content) == header
    assert len(content) == (17 if max(header.width, header.height) < 65_536 else 21)


@pytest.mark.parametrize("lined", [False, True])
@pytest.mark.parametrize("wide", [False, True])
@given(data=st.data())
def test_headers_that_make_no_sense_are_refused(wide: bool, lined: bool, data: st.DataObject) -> None:
    """Whatever one byte of a header becomes, it is read as a header that can be written, or refused."""
    width = 70_000 if wide else 300
    lines = (Run(side=LEFT, count=2, colour=b"abc"), Run(side=TOP, count=1, colour=b"def")) if lined else ()
    header = payload.PayloadHeader(
        width=width, height=80, scale=2, quality=100.5, model=b"abcd", grey=False, lines=lines
    )
    content = bytearray(payload.content_of(header))
    content[data.draw(st.integers(5, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = payload.header_of(bytes(content))
    except PayloadError:
        return
    assert payload.header_of(payload.content_of(found)) == found
    assert found.width <= payload.MAX_ORIGINAL_SIDE
    assert 1 <= found.quality <= MAX_NETWORK_QUALITY
