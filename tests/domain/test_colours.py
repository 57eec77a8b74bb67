import pytest

from channel_sync.domain.colours import contrast


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#ffffff", "#ffffff", 1),
        ("#767676", "#ffffff", 4.54),
        ("#1D4ED8", "#ffffff", 6.7),
    ],
)
def test_contrast_is_that_of_the_guidelines_in_either_order(one, other, ratio):
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)
