# SPDX-License-Identifier: Apache-2.0
"""The client: what it repeats and what never, how much, whole lists, errors in words."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from hostler import Fleet
from hostler.backends.hyperstack import HyperstackApi
from hostler.backends.hyperstack.client import PASSES
from hostler.backends.hyperstack.limiter import Limiter, limiter_of
from hostler.config import FleetConfig
from hostler.errors import (
    BackendError,
    Conflict,
    Denied,
    HostlerError,
    InvalidInput,
    NotFound,
    Timeout,
    Unreachable,
)
from hostler.models.hyperstack_config import DEFAULT_URL, HyperstackConfig
from hostler.testing.hyperstack import FakeHyperstack

from .conftest import ENV, MakeFleet

pytestmark = pytest.mark.slow

VMS = "/core/virtual-machines"


@pytest.fixture
def api(fleet: Fleet) -> HyperstackApi:
    return fleet.hyperstack_api()


def fill(fake: FakeHyperstack, number: int) -> None:
    for n in range(number):
        fake.add_vm(f"vm{n}", ENV, image="Ubuntu 22.04", flavor="n3-L40x1")


# Repeated, or not


READS = [
    (lambda api: api.vms.list(), VMS),
    (lambda api: api.vms.get(api.one), f"{VMS}/*"),
    (lambda api: api.vms.events(api.one), f"{VMS}/*/events"),
    (lambda api: api.vms.metrics(api.one, "1h"), f"{VMS}/*/metrics"),
    (lambda api: api.firewalls.list(), "/core/firewalls"),
    (lambda api: api.environments(), "/core/environments"),
    (lambda api: api.keypairs(), "/core/keypairs"),
    (lambda api: api.volumes(), "/core/volumes"),
    (lambda api: api.images(), "/core/images"),
    (lambda api: api.flavors(), "/core/flavors"),
    (lambda api: api.regions(), "/core/regions"),
    (lambda api: api.stocks(), "/core/stocks"),
    (lambda api: api.prices(), "/pricebook"),
    (lambda api: api.name_is_free("x"), f"{VMS}/name-availability/*"),
    (lambda api: api.quota(api.environments()[0].id), "/core/environments/*/vm-quota"),
]


@pytest.mark.parametrize(("read", "path"), READS, ids=[path for _, path in READS])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_reads_are_repeated(
    api: Any, fake: FakeHyperstack, read: Any, path: str, status: int
) -> None:
    fill(fake, 1)
    api.one = fake.vms[0]["id"]
    fault = fake.fail("GET", path, status, times=3)
    read(api)
    assert fault.seen >= 4


def test_reads_are_repeated_after_a_lost_answer_and_a_proxy_s_page(
    api: HyperstackApi, fake: FakeHyperstack
) -> None:
    fake.lose("GET", VMS)
    fake.fail("GET", VMS, 502, html=True, call=2)
    fake.fail("GET", VMS, 200, html=True, call=3)
    assert api.vms.list() == []
    assert len(fake.calls) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_what_will_not_pass_is_not_repeated(
    api: HyperstackApi, fake: FakeHyperstack, status: int
) -> None:
    fake.fail("GET", VMS, status, times=9)
    with pytest.raises(HostlerError):
        api.vms.list()
    assert len(fake.calls) == 1


def test_reads_end_some_time(make_fleet: MakeFleet, fake: FakeHyperstack) -> None:
    fake.fail("GET", VMS, 500, times=99)
    with pytest.raises(Unreachable):
        make_fleet(retries=2).hyperstack_api().vms.list()
    assert len(fake.calls) == 3


ACTS = {
    "start": lambda api, n: api.vms.power(n, "start"),
    "stop": lambda api, n: api.vms.power(n, "stop"),
    "hard-reboot": lambda api, n: api.vms.power(n, "hard-reboot"),
    "hibernate": lambda api, n: api.vms.power(n, "hibernate"),
    "hibernate-restore": lambda api, n: api.vms.power(n, "hibernate-restore"),
    "delete": lambda api, n: api.vms.delete(n),
    "label": lambda api, n: api.vms.set_labels(n, ["x"]),
    "attach-firewalls": lambda api, n: api.vms.attach_firewalls(n, []),
    "attach-floatingip": lambda api, n: api.vms.attach_floating_ip(n),
    "logs": lambda api, n: api.vms.ask_for_logs(n, 1),
    "environment": lambda api, _: api.create_environment("x", "US-1"),
    "create": lambda api, _: api.vms.create(
        {
            "name": "x",
            "environment_name": ENV,
            "image_name": "Ubuntu 22.04",
            "flavor_name": "n3-L40x1",
            "key_name": "ops",
            "count": 1,
        }
    ),
}


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("how", ["429", "500", "lost", "html"])
def test_acts_are_sent_once(api: HyperstackApi, fake: FakeHyperstack, name: str, how: str) -> None:
    fill(fake, 1)
    if how == "lost":
        fake.lose(times=9)
    else:
        fake.fail(status=200 if how == "html" else int(how), html=how == "html", times=9)
    with pytest.raises(HostlerError) as caught:
        ACTS[name](api, fake.vms[0]["id"])  # type: ignore[no-untyped-call]
    assert caught.value.ambiguous
    assert len(fake.calls) == 1


def test_no_answer_in_time_may_be_done_all_the_same(
    make_fleet: MakeFleet, fake: FakeHyperstack
) -> None:
    api = make_fleet(timeout=1).hyperstack_api()
    fake.slow("POST", "*", seconds=1.5)
    with pytest.raises(Timeout) as caught:
        api.create_environment("x", "US-1")
    assert caught.value.ambiguous
    time.sleep(0.7)
    assert "x" in [e.name for e in api.environments()]


# How much


def test_so_many_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    limiter = Limiter(3)
    for _ in range(7):
        limiter.wait()
        now[0] += 1
    assert slept == [57.0, 57.0]


def test_threads_share_the_limit() -> None:
    limiter, through = Limiter(5), []

    def one() -> None:
        limiter.wait()
        through.append(1)

    threads = [threading.Thread(target=one, daemon=True) for _ in range(9)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert len(through) == 5


def test_fleets_share_the_limit_of_an_address() -> None:
    assert limiter_of("http://a", 5) is limiter_of("http://a", 6)
    assert limiter_of("http://a", 7).rate == 7
    assert limiter_of("http://b", 5) is not limiter_of("http://a", 5)


def test_the_limit_is_kept(make_fleet: MakeFleet, fake: FakeHyperstack) -> None:
    fake.rate_limit = 3
    api = make_fleet(retries=0).hyperstack_api()
    for _ in range(3):
        api.regions()
    with pytest.raises(Unreachable, match=r"too many requests.*Wait a minute"):
        api.regions()


# Whole lists


@pytest.mark.parametrize("number", [0, 1, 10, 99, 100, 101, 250])
def test_all_pages(api: HyperstackApi, fake: FakeHyperstack, number: int) -> None:
    fill(fake, number)
    assert [vm.name for vm in api.vms.list()] == [f"vm{n}" for n in range(number)]
    assert {call.query["pageSize"] for call in fake.calls} == {"100"}
    assert len(fake.calls) == max(1, -(-number // 100))


def test_images_of_all_pages(api: HyperstackApi, fake: FakeHyperstack) -> None:
    for n in range(230):
        fake.add_image(f"i{n}", type="A" if n % 2 else "B")
    assert len(api.images("CANADA-1")) == 232


def test_a_list_that_shifts_between_pages_is_read_anew(
    api: HyperstackApi, fake: FakeHyperstack
) -> None:
    fill(fake, 150)
    fake.before(lambda: fake.vms.pop(0), "GET", VMS, call=2)  # hides one at the border
    assert [vm.name for vm in api.vms.list()] == [f"vm{n}" for n in range(1, 150)]
    fake.heal()
    new = {"image": "Ubuntu 22.04", "flavor": "n3-L40x1"}

    def insert() -> None:
        fake.add_vm("new", ENV, **new)  # type: ignore[arg-type]
        fake.vms.insert(0, fake.vms.pop())  # shows one at the border twice

    fake.before(insert, "GET", VMS, call=2)
    names = [vm.name for vm in api.vms.list()]
    assert len(names) == len(set(names)) == 150


def test_a_list_that_never_comes_to_rest_is_an_error(
    api: HyperstackApi, fake: FakeHyperstack
) -> None:
    fill(fake, 150)
    fake.before(lambda: fake.vms.pop(0), "GET", VMS, times=99)
    with pytest.raises(BackendError, match="changes while it is read"):
        api.vms.list()
    assert len(fake.calls) == 2 * PASSES


class Answers:
    """A session that answers what it is told."""

    def __init__(self, *bodies: Any) -> None:
        self.bodies = list(bodies)

    def request(self, *_args: Any, **_more: Any) -> Any:
        import requests

        answer = requests.Response()
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        answer.status_code = 200
        answer._content = body.encode()
        return answer

    def close(self) -> None:
        """As a session does."""


@pytest.mark.parametrize(
    "body",
    [
        '{"status": true, "instances": {}}',
        '{"status": true}',
        '{"instances": [1]}',
        '{"instances": [{"name": "no id"}]}',
        '{"instances": [{"id": 1, "name": "x", "labels": 7}]}',
        '{"instances": [{"id": 1}]}',
        "[]",
    ],
)
def test_strange_answers_are_no_empty_lists(api: HyperstackApi, body: str) -> None:
    api._client._session = Answers(body)  # type: ignore[assignment]
    with pytest.raises(BackendError, match="the answer is not as expected"):
        api.vms.list()


def test_a_list_without_count_ends_with_an_empty_page(api: HyperstackApi) -> None:
    rows = ['{"instances": [{"id": 1, "name": "a"}]}', '{"instances": []}']
    api._client._session = Answers(*rows)  # type: ignore[assignment]
    assert [vm.name for vm in api.vms.list()] == ["a"]


def test_a_list_that_is_cut_short_is_an_error(api: HyperstackApi) -> None:
    body = '{"count": 42, "instances": [{"id": 1, "name": "a"}]}'
    api._client._session = Answers(body)  # type: ignore[assignment]
    with pytest.raises(BackendError, match="does not give all of it"):
        api.vms.list()


# Errors


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, BackendError, "Hyperstack refuses: Told to fail (400 Bad Request)"),
        (401, Denied, "Set HYPERSTACK_API_KEY"),
        (402, BackendError, "the balance is too low"),
        (403, Denied, "may not do this"),
        (404, NotFound, "it is not there"),
        (409, Conflict, "Told to fail"),
        (422, BackendError, "Hyperstack refuses"),
        (429, Unreachable, "too many requests"),
        (500, Unreachable, "Hyperstack failed"),
        (302, BackendError, "sends us elsewhere"),
    ],
)
def test_errors(
    make_fleet: MakeFleet, fake: FakeHyperstack, status: int, kind: type[HostlerError], words: str
) -> None:
    fake.fail("GET", "/core/regions", status, html=status == 302)
    with pytest.raises(kind) as caught:
        make_fleet(retries=0).hyperstack_api().regions()
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert fake.url in str(caught.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"status": false, "message": "x", "error_reason": "not_found"}', NotFound),
        ('{"status": false, "message": "x", "error_reason": "already_exist"}', Conflict),
        ('{"status": false}', BackendError),
    ],
)
def test_a_good_status_with_a_bad_word(
    api: HyperstackApi, body: str, kind: type[HostlerError]
) -> None:
    api._client._session = Answers(body)  # type: ignore[assignment]
    with pytest.raises(kind):
        api.regions()


def test_nobody_there() -> None:
    config = HyperstackConfig(url="http://127.0.0.1:1/v1", api_key=SecretStr("k"), retries=0)
    with pytest.raises(Unreachable, match=r"no connection: .*refused"):
        HyperstackApi(config).regions()


def test_the_key_is_not_repeated(api: HyperstackApi, fake: FakeHyperstack) -> None:
    key = str(fake.api_key)
    fake.fail("GET", "/core/regions", 400, message=f"bad key {key}!")
    with pytest.raises(HostlerError) as caught:
        api.regions()
    assert key not in f"{caught.value} {caught.value.what} {caught.value.args}"
    assert key not in f"{api!r} {api} {api.config!r} {vars(api._client)!r}"


def test_no_key() -> None:
    with pytest.raises(Denied, match="there is no API key"):
        Fleet(FleetConfig()).hyperstack.regions()


# Configuration


def test_what_comes_first() -> None:
    ours = HyperstackConfig(url="https://file/v1/", api_key=SecretStr("file"))
    environment = {"HYPERSTACK_API_URL": "https://env/v1", "HYPERSTACK_API_KEY": "env"}

    def of(**given: Any) -> tuple[str, str | None]:
        found = ours.resolved(**given)
        return found.url, found.api_key.get_secret_value() if found.api_key else None

    assert of(environment={}) == ("https://file/v1", "file")
    assert of(environment=environment) == ("https://env/v1", "env")
    assert of(environment=environment, url="https://x/v1", api_key="x") == ("https://x/v1", "x")
    only_url = {"HYPERSTACK_API_URL": "https://env/v1"}
    assert of(environment=only_url) == ("https://env/v1", None)
    assert HyperstackConfig().url == DEFAULT_URL


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "infrahub"},
        {"url": "ftp://x"},
        {"url": "https://user:word@x/v1"},
        {"url": "https://x/v1?y"},
        {"api_key": "two words"},
        {"api_key": "  "},
        {"rate_limit": 0},
        {"poll_interval": 0},
        {"kye": "x"},
    ],
)
def test_bad_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HyperstackConfig.model_validate(settings)


def test_a_bad_key_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as caught:
        HyperstackConfig().resolved({"HYPERSTACK_API_KEY": "hunter2 hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_plan_for_another_address_gets_no_key(fleet: Fleet) -> None:
    with pytest.raises(InvalidInput, match="this fleet uses"):
        fleet.backend("hyperstack", "https://evil.example.com/v1")
