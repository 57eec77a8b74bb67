from channel_sync.domain.listings import ListingStock, Omitted, ProductStock, StockOutcome, omitted

OURS = (("wh1", 3),)


def told(number: int = 1, others=(("wh2", 7),)) -> ListingStock:
    return ListingStock(f"lst-{number}", f"var-{number}", 1, 3, OURS, others)


def shows(number: int, *others: tuple[str, int]) -> StockOutcome:
    return StockOutcome(f"lst-{number}", 1, True, seen=(*OURS, *others))


def test_others_that_have_anything_left_were_kept():
    product = ProductStock("p", (told(1), told(2)))
    assert omitted(product, [shows(1, ("wh2", 0)), shows(2, ("wh2", 7))]) is Omitted.KEPT


def test_others_that_are_all_empty_or_missing_were_reset():
    product = ProductStock("p", (told(1), told(2)))
    assert omitted(product, [shows(1, ("wh2", 0)), shows(2)]) is Omitted.RESET


def test_where_nothing_lay_elsewhere_or_nothing_is_shown_nothing_shows():
    assert omitted(ProductStock("p", (told(others=(("wh2", 0),)),)), [shows(1, ("wh2", 0))]) is None
    assert omitted(ProductStock("p", (told(),)), [StockOutcome("lst-1", 1, True)]) is None


def test_a_restatement_says_of_others_what_they_were_seen_to_have():
    beside = told().beside((("wh2", 4), ("wh1", 9), ("wh3", 0)))
    assert beside.restating.quantities == (("wh1", 3), ("wh2", 4), ("wh3", 0))
    assert beside.quantities == OURS
