"""Which addresses we call for others: those of the internet, in any spelling, and nothing inside."""

import pytest

from service_kit.environment import SettingError, env_hosts
from uploads.addresses import AddressError, check_address, is_public

INSIDE = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.255 168.63.129.16 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.192 192.168.1.1 198.18.0.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 ff02::1 fec0::1 100::1
    ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::a00:1
    2002:7f00:1:: 2001:0:7f00:1:: 2001:db8::1 3fff::1
""".split()
OUTSIDE = "1.1.1.1 9.255.255.255 100.63.255.255 100.128.0.1 172.32.0.1 223.255.255.255 2606:4700::1111".split()


@pytest.mark.parametrize("number", INSIDE)
def test_nothing_inside_is_public(number: str) -> None:
    assert not is_public(number)


@pytest.mark.parametrize("number", OUTSIDE)
def test_what_is_beside_them_is(number: str) -> None:
    assert is_public(number)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/a?b=c",
        "http://hooks.example.org",
        "https://hooks.example.org:443/",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
        "https://hooks.example.org./",
    ],
)
def test_an_address_of_the_internet_is_taken(url: str) -> None:
    check_address(url, ())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "ftp://hooks.example.org:80/",
        "//hooks.example.org/",
        "hooks.example.org",
        "https://",
        "https:///path",
        "https://hooks.example.org:0/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org:8443/",
        "http://hooks.example.org:22/",
        "https://ann:secret@hooks.example.org/",
        "https://hooks.example.org@127.0.0.1/",
        "https://hooks.example.org\\@127.0.0.1/",
        "https://hooks example.org/",
        "https://hooks.example.org/\r\nHost: inside",
        "https://hücks.example.org/",
        "https://hooks.example.org/" + "a" * 2_000,
        "https://[::1",
        f"https://{'a' * 64}.example.org/",
        "https://hooks..example.org/",
        *(f"http://{host}/" for host in ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
                                         "017700000001", "127.0.0.1.", "0", "169.254.169.254", "2852039166")),
        *(f"http://[{host}]/" for host in ("::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1",
                                           "fe80::1", "fd00:ec2::254")),
    ],
)  # fmt: skip
def test_every_other_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        check_address(url, ())


def test_who_means_it_allows_a_host_and_a_port_and_nothing_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", "hooks.internal, 10.1.2.3:8080,[fd00::7]:9000")
    allowed = env_hosts("HOSTS")
    for url in (
        "http://hooks.internal/",
        "https://HOOKS.internal./",
        "http://10.1.2.3:8080/",
        "http://[fd00::7]:9000/",
    ):
        check_address(url, allowed)
    for url in ("http://hooks.internal:8080/", "http://10.1.2.3/", "http://10.1.2.4:8080/", "http://[fd00::8]:9000/"):
        with pytest.raises(AddressError):
            check_address(url, allowed)


@pytest.mark.parametrize("text", ["http://a", "a/b", "a:0", "a:x", "user@a", "a?b"])
def test_a_setting_that_is_no_list_of_hosts_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", text)
    with pytest.raises(SettingError, match="HOSTS"):
        env_hosts("HOSTS")
