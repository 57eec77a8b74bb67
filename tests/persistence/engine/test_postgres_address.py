import pytest
from tests.certificates import authority

from channel_sync.persistence.engine.postgres_address import postgres_address


def refusal(text: str) -> str:
    with pytest.raises(ValueError, match=r"\w") as refused:
        postgres_address(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("postgresql://u:p@db/x", (("db", 5432),)),
        ("postgresql://u:p@db:6432/x", (("db", 6432),)),
        ("postgresql://u:p@one:1,two,three:3/x", (("one", 1), ("two", 5432), ("three", 3))),
        ("postgresql://u@[::1]:6432,[fe80::1]/x", (("::1", 6432), ("fe80::1", 5432))),
        ("postgresql://u@/x?host=/var/run/postgresql", (("/var/run/postgresql", 5432),)),
        ("postgresql://u@%2Fvar%2Frun/x", (("/var/run", 5432),)),
        ("postgresql://u@/x?host=one,two&port=1,2", (("one", 1), ("two", 2))),
        ("postgresql://u@/x?host=one,two&port=7", (("one", 7), ("two", 7))),
        ("postgresql:///x", ((None, 5432),)),
    ],
)
def test_hosts_and_ports_are_read_as_libpq_does(text, hosts):
    assert postgres_address(text).hosts == hosts


def test_names_and_passwords_may_be_anything_in_percent_signs():
    found = postgres_address(
        "postgresql://us%40er:p%3Ass%2F%3F+@h/my%20db?application_name=a%20b&pooler=transaction"
    )

    assert (found.user, found.password, found.database) == ("us@er", "p:ss/?+", "my db")
    assert (found.application_name, found.pooled, found.session) == ("a b", True, "any")
    assert "p:ss" not in repr(found)


def test_what_the_address_leaves_out_is_the_drivers_to_say():
    found = postgres_address("postgresql://h")

    assert (found.user, found.password, found.database) == (None, None, None)
    assert (found.tls, found.connect_timeout_s, found.pooled) == ("", None, False)


def test_everything_may_stand_in_the_query():
    found = postgres_address("postgresql://?host=h&user=u&password=p&dbname=d&connect_timeout=7")

    assert (found.hosts, found.user, found.password, found.database) == ((("h", 5432),), "u", "p", "d")
    assert found.connect_timeout_s == 7


def test_the_files_of_tls_are_handed_on(tmp_path):
    trusted = authority(tmp_path, "trusted")
    certificate, key = trusted.issue(tmp_path, "guest")

    query = f"sslmode=verify-full&sslrootcert={trusted.file}&sslcert={certificate}&sslkey={key}"

    assert postgres_address(f"postgresql://h/d?{query}").tls == query.replace("/", "%2F")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ssl=require", "knows no parameter ssl;"),
        ("sslmod=CANARY", "knows no parameter sslmod;"),
        ("a%20b=CANARY", "knows no parameter that it has;"),
        ("sslmode=CANARY", "sslmode must be one of: disable, allow, prefer, require, verify-ca, verify-full"),
        ("sslmode=", "sslmode must be one of"),
        ("target_session_attrs=CANARY", "target_session_attrs must be one of: any, read-write"),
        ("pooler=session", "pooler must be one of: transaction"),
        ("sslmode=require&sslmode=disable", "sslmode is there twice"),
        ("sslmode=verify-full", "sslmode=verify-full needs sslrootcert"),
        ("sslrootcert=/CANARY", "sslrootcert needs an sslmode that looks at it"),
        ("sslmode=require&sslrootcert=/CANARY", "sslrootcert is no file"),
        ("sslcert=/CANARY", "sslcert and sslkey go together"),
        ("sslcert=/CANARY&sslkey=/CANARY", "sslcert and sslkey are no certificate"),
        ("connect_timeout=0", "connect_timeout must be whole seconds from 1"),
        ("connect_timeout=1.5", "connect_timeout must be"),
        ("connect_timeout=CANARY", "connect_timeout must be"),
        ("port=CANARY", "port must be a number"),
        ("port=0", "port must be a number"),
        ("port=70000", "port must be a number"),
        ("host=a,b&port=1,2,3", "port must be one, or one for each host"),
    ],
)
def test_what_cannot_be_used_is_named_and_not_shown(query, said):
    refused = refusal(f"postgresql:///d?{query}")

    assert refused.startswith(said)
    assert "CANARY" not in refused


@pytest.mark.parametrize(
    "text", ["postgresql://u:p?CANARY=1@h/d", "postgresql://u:p@h:CANARY/d", "postgresql://[CANARY"]
)
def test_an_address_that_cannot_be_read_is_not_shown_either(text):
    assert "CANARY" not in refusal(text)


def test_a_key_of_another_certificate_is_refused(tmp_path):
    trusted = authority(tmp_path, "trusted")
    certificate, _ = trusted.issue(tmp_path, "guest")
    _, key = trusted.issue(tmp_path, "stranger")

    assert "sslkey" in refusal(f"postgresql://h/d?sslcert={certificate}&sslkey={key}")
