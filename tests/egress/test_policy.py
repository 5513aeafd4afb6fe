from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.config import EgressSettings
from fairlead.egress.policy import EgressPolicy, embedded, plain_host
from fairlead.errors import ConfigurationError, DestinationRefused, InvalidParameter, StoreUnreachable


def policy(*answers: str, allow: tuple[str, ...] = (), deny: tuple[str, ...] = ()) -> EgressPolicy:
    return EgressPolicy(EgressSettings(allow=list(allow), deny=list(deny)), resolve=lambda *_: answers)


NEVER = [
    "169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "255.255.255.255",
    "100.100.100.200", "168.63.129.16", "fe80::1", "fd00:ec2::254", "::", "ff02::1",
    "::ffff:169.254.169.254", "::169.254.169.254", "2002:a9fe:a9fe::1", "64:ff9b::169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
    "2001:0:4136:e378:8000:63bf:5601:5601",
]  # fmt: skip


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_refused_whatever_the_settings_say(address):
    open_to_all = policy(address, allow=("0.0.0.0/0", "::/0", "store.example"))
    with pytest.raises(DestinationRefused):
        open_to_all.addresses("store.example", 443)
    with pytest.raises(DestinationRefused):
        open_to_all.addresses(address, 443)


SPELLINGS = ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "169.16689662",
             "169.254.169.254.", "[::ffff:a9fe:a9fe]", "0XA9FEA9FE"]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_odd_spelling_of_an_address_is_judged_as_the_address(spelling):
    with pytest.raises(DestinationRefused):
        policy().addresses(spelling, 80)


@pytest.mark.parametrize("name", ["metadata.google.internal", "METADATA.Google.Internal.", "metadata", "instance-data"])
def test_names_of_metadata_services_are_refused_before_they_are_resolved(name):
    asked: list[str] = []
    judged = EgressPolicy(EgressSettings(), resolve=lambda host, _: asked.append(host) or ["10.0.0.1"])
    with pytest.raises(DestinationRefused):
        judged.addresses(name, 80)
    assert asked == []


@pytest.mark.parametrize(
    "host",
    ["", ".", "a b", "a/b", "a@b", "a:b", "1.2.3.4.5", "256.1.1.1", "0x100000000", "08.1.1.1", "-a.b", "a..b",
     "é.example",
     "fe80::1%eth0", "127.0.0.1 x", "a" * 64 + ".example", "x" * 254, "1.2.3.four.5"],
)  # fmt: skip
def test_what_is_no_host_is_refused(host):
    with pytest.raises(InvalidParameter):
        policy("10.0.0.1").addresses(host, 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "8.8.8.8", "localhost."])
def test_loopback_and_private_networks_are_allowed_unless_denied(host):
    assert policy("127.0.0.1").addresses(host, 80)


def test_every_address_of_a_name_must_pass():
    with pytest.raises(DestinationRefused):
        policy("10.0.0.1", "169.254.169.254").addresses("store.example", 443)


@pytest.mark.parametrize(
    ("host", "deny"),
    [
        ("store.example", "store.example"),
        ("STORE.example.", "store.example"),
        ("a.b.example", "*.example"),
        ("store.example", "10.0.0.0/8"),
        ("store.example", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("0xa000001", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.0/8"),
    ],
)
def test_a_denied_destination_is_refused(host, deny):
    with pytest.raises(DestinationRefused):
        policy("10.0.0.1", deny=(deny,)).addresses(host, 443)


@pytest.mark.parametrize("allow", ["store.example", "*.example", "10.0.0.0/8", "10.0.0.1"])
def test_an_allowed_destination_is_reached_and_no_other(allow):
    judged = policy("10.0.0.1", allow=(allow,))
    assert judged.addresses("store.example", 443) == ("10.0.0.1",)
    with pytest.raises(DestinationRefused):
        policy("11.0.0.1", allow=(allow,)).addresses("elsewhere.test", 443)


def test_a_suffix_is_a_suffix_of_labels():
    with pytest.raises(DestinationRefused):
        policy("10.0.0.1", allow=("*.example",)).addresses("evilexample", 443)


def test_deny_goes_before_allow():
    with pytest.raises(DestinationRefused):
        policy("10.0.0.1", allow=("*.example",), deny=("bad.example",)).addresses("bad.example", 443)


def test_a_mapped_address_is_dialled_as_what_it_is():
    assert policy().addresses("::ffff:10.0.0.1", 80) == ("10.0.0.1",)


def test_a_name_without_an_address_is_told():
    with pytest.raises(StoreUnreachable):
        policy().addresses("store.example", 443)


def test_a_name_that_does_not_exist_is_told():
    with pytest.raises(StoreUnreachable, match="cannot be resolved"):
        EgressPolicy(EgressSettings()).addresses("no-such-host.invalid", 443)


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "a b", "*.", "http://x", "10.0.0.1/8"])
def test_an_entry_that_is_no_destination_is_refused_at_start(entry):
    with pytest.raises(ConfigurationError):
        policy(allow=(entry,))


@given(st.ip_addresses(v=4))
def test_every_ipv6_form_of_a_refused_address_is_refused(address):
    number = int(address)
    forms = [f"::ffff:{address}", f"64:ff9b::{address}", str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80)))]
    for form in forms:
        assert address in embedded(ipaddress.ip_address(form))


@given(st.ip_addresses(v=4))
def test_every_spelling_of_an_address_becomes_one(address):
    number = int(address)
    parts = str(address).split(".")
    spellings = [str(number), hex(number), ".".join(oct(int(p)).replace("0o", "0") for p in parts), f"{address}."]
    assert {plain_host(spelling) for spelling in spellings} == {str(address)}
