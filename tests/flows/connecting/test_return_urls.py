import pytest

from channel_sync.domain.errors import Invalid
from channel_sync.flows.connecting.return_urls import check_return_url

ORIGINS = ("https://shop.example", "http://localhost:8080")


def is_allowed(url, origins=ORIGINS):
    try:
        check_return_url(url, origins)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/",
        "https://shop.example:443/done?x=1&y=%2F",
        "https://SHOP.example/done",
        "http://localhost:8080/",
        None,
    ],
)
def test_addresses_at_a_listed_origin_are_allowed(url):
    assert is_allowed(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/done",
        "//shop.example/",
        "http://shop.example/",
        "https://shop.example:444/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://evil.example/https://shop.example",
        "https://me:word@shop.example/",
        "https://evil.example\\@shop.example/",
        "https:\\\\shop.example/",
        "https://shop.example\\.evil.example/",
        "https:/shop.example/",
        "https:shop.example",
        "https:///shop.example/",
        "https://shop.example/#fragment",
        "https://shop.example/\n",
        " https://shop.example/",
        "https://shop.example/ ",
        "https://shop.exämple/",
        "https://shop。example/",
        "https://shop.example:port/",
        "https://[shop.example/",
        "https://shop.example./",
        "javascript:alert(1)//https://shop.example/",
        "data:text/html,x",
        "https://shop.example/" + "a" * 2048,
        "http://localhost/",
        "http://localhost:80800/",
    ],
)
def test_addresses_elsewhere_are_refused(url):
    with pytest.raises(Invalid) as refused:
        check_return_url(url, ORIGINS)

    assert refused.value.pointer == "/return_url"
    assert url not in refused.value.message or url == ""


def test_without_origins_no_address_is_allowed():
    assert not is_allowed("https://shop.example/", ())


def test_a_broken_origin_in_the_settings_allows_nothing():
    assert not is_allowed("javascript:alert(1)", ("not an origin",))
