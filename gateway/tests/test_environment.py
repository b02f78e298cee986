"""The settings: their defaults, and what refuses to start."""

import subprocess
import sys

import pytest
from servers import environment
from yarl import URL

from gateway.environment import read_settings
from gateway.routes import Service
from service_kit.environment import SettingError


def test_the_defaults_are_those_of_the_embedded_stack() -> None:
    settings = read_settings({"INTERNAL_TOKEN": "t"})
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.services == {
        Service.FILE_READER: URL("http://127.0.0.1:8000"),
        Service.POSTCODE_CONSUMER: URL("http://127.0.0.1:7000"),
    }
    assert settings.max_upload_bytes == 1024**3
    assert not settings.keys_required
    assert (settings.trusted_proxies, settings.cors_allowed_origins) == ((), frozenset())


def test_requests_are_counted_where_keys_are_required_or_a_number_is_given() -> None:
    required, off = {"INTERNAL_TOKEN": "t", "AUTH": "required"}, {"INTERNAL_TOKEN": "t"}
    numbers = [read_settings(given).requests_per_minute for given in (required, off)]
    assert numbers == [600, 0]
    for number in ("0", "50"):
        assert read_settings({**required, "REQUESTS_PER_MINUTE": number}).requests_per_minute == int(number)
        assert read_settings({**off, "REQUESTS_PER_MINUTE": number}).requests_per_minute == int(number)


def test_lists_have_commas_between() -> None:
    given = {
        "TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1",
        "CORS_ALLOWED_ORIGINS": "https://a.example, http://[::1]:3",
    }
    settings = read_settings({"INTERNAL_TOKEN": "t", **given})
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]
    assert settings.cors_allowed_origins == {"https://a.example", "http://[::1]:3"}


def test_of_the_address_of_tiles_the_gateway_takes_where_they_come_from() -> None:
    origins = [
        read_settings({"INTERNAL_TOKEN": "t", "MAP_TILES_URL": url}).tiles_origin
        for url in ("", "https://t.example:8/a/{z}/{x}/{y}.png?k=1")
    ]
    assert origins == ["", "https://t.example:8"]


def test_services_are_found_by_port_or_by_address() -> None:
    ports = {"INTERNAL_TOKEN": "t", "FILE_READER_PORT": "8001", "POSTCODE_CONSUMER_PORT": "7001"}
    assert read_settings(ports).services == {
        Service.FILE_READER: URL("http://127.0.0.1:8001"),
        Service.POSTCODE_CONSUMER: URL("http://127.0.0.1:7001"),
    }
    urls = {"FILE_READER_URL": "http://file-reader:9000/", "POSTCODE_CONSUMER_URL": "https://[::1]:9001"}
    assert read_settings({**ports, **urls}).services == {
        Service.FILE_READER: URL("http://file-reader:9000"),
        Service.POSTCODE_CONSUMER: URL("https://[::1]:9001"),
    }


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_on_loopback_keys_are_asked_for_only_when_told(host: str) -> None:
    given = {"INTERNAL_TOKEN": "t", "GATEWAY_HOST": host}
    assert not read_settings(given).keys_required
    assert not read_settings({**given, "AUTH": "off"}).keys_required
    assert read_settings({**given, "AUTH": "required"}).keys_required


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_elsewhere_nothing_starts_without_keys(host: str) -> None:
    given = {"INTERNAL_TOKEN": "a-token-of-16-chars", "GATEWAY_HOST": host}
    with pytest.raises(SettingError, match=r"GATEWAY_HOST='.*' is not loopback: set AUTH=required"):
        read_settings(given)
    with pytest.raises(SettingError, match=r"AUTH=off is refused while GATEWAY_HOST='.*' is not loopback"):
        read_settings({**given, "AUTH": "off"})
    assert read_settings({**given, "AUTH": "required"}).keys_required
    with pytest.raises(SettingError, match=r"INTERNAL_TOKEN is too short while GATEWAY_HOST='.*' is not loopback"):
        read_settings({**given, "AUTH": "required", "INTERNAL_TOKEN": "guess-me"})


BAD = [
    ({"INTERNAL_TOKEN": ""}, "INTERNAL_TOKEN is not set"),
    ({"INTERNAL_TOKEN": "a\nb"}, "INTERNAL_TOKEN holds characters"),
    ({"INTERNAL_TOKEN": "é"}, "INTERNAL_TOKEN holds characters"),
    ({"AUTH": "on"}, "AUTH='on' is not known. Accepted: off, required"),
    ({"GATEWAY_PORT": "http"}, "GATEWAY_PORT='http' is not a whole number from 0 to 65535"),
    ({"GATEWAY_PORT": "65536"}, "GATEWAY_PORT='65536'"),
    ({"GATEWAY_PORT": "８０"}, "GATEWAY_PORT="),
    ({"FILE_READER_PORT": "-1"}, "FILE_READER_PORT='-1'"),
    ({"POSTCODE_CONSUMER_PORT": "0"}, "POSTCODE_CONSUMER_PORT='0'"),
    ({"MAX_UPLOAD_BYTES": "1GiB"}, "MAX_UPLOAD_BYTES='1GiB'"),
    ({"MAX_UPLOAD_BYTES": "0"}, "MAX_UPLOAD_BYTES='0'"),
    ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES='10.0.0.1/8': 10.0.0.1/8 has host bits set. Accepted:"),
    ({"TRUSTED_PROXIES": "proxy"}, "TRUSTED_PROXIES='proxy'"),
    ({"REQUESTS_PER_MINUTE": "-1"}, "REQUESTS_PER_MINUTE='-1'"),
    ({"LISTENERS": "many"}, "LISTENERS='many'"),
    ({"LISTENERS_PER_CALLER": "-1"}, "LISTENERS_PER_CALLER='-1'"),
    ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS_ALLOWED_ORIGINS='*' is not a list of origins"),
    ({"CORS_ALLOWED_ORIGINS": "https://maps.example/"}, "CORS_ALLOWED_ORIGINS='https://maps.example/'"),
    ({"CORS_ALLOWED_ORIGINS": "https://Maps.example"}, "CORS_ALLOWED_ORIGINS="),
    ({"MAP_TILES_URL": "https://t.example/{z}/{x}"}, "MAP_TILES_URL='https://t.example/{z}/{x}' is not the address"),
    ({"FILE_READER_HOST": "10.0.0.5"}, "FILE_READER_HOST='10.0.0.5' is not loopback: set AUTH=required"),
    ({"FILE_READER_URL": "file-reader:8000"}, "FILE_READER_URL='file-reader:8000'"),
    ({"FILE_READER_URL": "ftp://x"}, "FILE_READER_URL='ftp://x'"),
    ({"FILE_READER_URL": "http://x:99999"}, "FILE_READER_URL="),
    ({"FILE_READER_URL": "http://x:0"}, "FILE_READER_URL="),
    ({"FILE_READER_URL": "http://"}, "FILE_READER_URL="),
    ({"POSTCODE_CONSUMER_URL": "http://x/api"}, "POSTCODE_CONSUMER_URL='http://x/api'"),
    ({"POSTCODE_CONSUMER_URL": "http://[::1"}, "POSTCODE_CONSUMER_URL="),
]


@pytest.mark.parametrize(("given", "message"), BAD, ids=str)
def test_a_bad_value_is_refused_with_its_name(given: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError) as refused:
        read_settings({"INTERNAL_TOKEN": "t", **given})
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "gateway: INTERNAL_TOKEN is not set"),
        ({"INTERNAL_TOKEN": "t", "GATEWAY_HOST": "0.0.0.0"}, "is not loopback: set AUTH=required"),
    ],
)
def test_the_process_refuses_to_start_and_says_why(given: dict[str, str], message: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gateway"], env=environment(**given), capture_output=True, text=True, timeout=20
    )
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
