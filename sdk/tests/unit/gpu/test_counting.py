# SPDX-License-Identifier: Apache-2.0
"""How many GPUs a flavor gives, and who says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.gpu.counting import Counter
from hostler.models.gpu_config import GpuConfig

Specs = dict[str, str]

TABLE: list[tuple[str, Specs, int, str]] = [
    # extra specs come before the name
    ("n3-L40x8", {"resources:CUSTOM_GPU_L40": "4"}, 4, "flavor"),
    ("whatever", {"resources:VGPU": "2"}, 2, "flavor"),
    ("whatever", {"resources1:PGPU": "1", "resources2:PGPU": "1"}, 2, "flavor"),
    ("whatever", {"resources_GPU0:CUSTOM_PCI_10DE_20B5": "2"}, 2, "flavor"),
    ("whatever", {"resources:CUSTOM_HW_VGPU_L40": "1"}, 1, "flavor"),
    ("n3-A100x8", {"pci_passthrough:alias": "a100:2"}, 2, "flavor"),
    ("whatever", {"pci_passthrough:alias": "a100:2, a100-nvme:0,qat:4"}, 2, "flavor"),
    ("whatever", {"pci_passthrough:alias": "a100"}, 1, "flavor"),
    ("whatever", {"pci_passthrough:alias": "my-gpu:3"}, 3, "flavor"),
    # neither says anything of GPUs: the name is asked
    ("n3-L40x8", {"resources:VCPU": "16", "hw:cpu_policy": "dedicated"}, 8, "flavor_name"),
    ("n3-A100x2", {"pci_passthrough:alias": "qat:4"}, 2, "flavor_name"),
    ("n3-RTX-A6000x8", {}, 8, "flavor_name"),
    ("n3-RTX-A6000x1-spot", {}, 1, "flavor_name"),
    ("n3-H100x8-NVLink-K8s", {}, 8, "flavor_name"),
    ("n3-cpu-x16-large", {}, 0, "flavor"),
    ("x2large", {}, 0, "flavor"),
    ("n3-A100x", {}, 0, "flavor"),
    ("", {}, 0, "flavor"),
    # nonsense is no number
    ("whatever", {"resources:VGPU": "many"}, 0, "flavor"),
    ("whatever", {"resources:VGPU": "-1"}, 0, "flavor"),
    ("whatever", {"resources:VGPU": "\N{SUPERSCRIPT TWO}"}, 0, "flavor"),
    ("whatever", {"pci_passthrough:alias": ""}, 0, "flavor"),
]


@pytest.mark.parametrize(("name", "specs", "number", "source"), TABLE)
def test_table(name: str, specs: Specs, number: int, source: str) -> None:
    assert Counter(GpuConfig()).of_flavor(name, specs) == (number, source)


def test_a_flavor_that_asks_for_no_gpu_has_none_whatever_its_name() -> None:
    assert Counter(GpuConfig()).of_flavor("n3-L40x8", {"resources:VGPU": "0"}) == (0, "flavor")


def test_aliases_may_be_configured() -> None:
    specs = {"pci_passthrough:alias": "card:2"}
    assert Counter(GpuConfig()).of_flavor("f", specs).number == 0
    assert Counter(GpuConfig(pci_aliases={"card": "A100"})).of_flavor("f", specs).number == 2


def test_classes_may_be_configured() -> None:
    counter = Counter(GpuConfig(resource_classes=("CUSTOM_CARD",)))
    assert counter.is_gpu("CUSTOM_CARD")
    assert not counter.is_gpu("VGPU")
    assert not counter.is_gpu("CUSTOM_CARD_2")


@pytest.mark.parametrize(
    ("resource_class", "gpu"),
    [
        ("VGPU", True),
        ("PGPU", True),
        ("CUSTOM_GPU_L40", True),
        ("CUSTOM_VGPU_TYPE1", True),
        ("CUSTOM_NVIDIA_GPU", True),
        ("CUSTOM_PCI_10DE_20B5", True),
        ("CUSTOM_PCI_1002_740F", True),
        ("CUSTOM_PCI_8086_1572", False),
        ("CUSTOM_MIGPU", False),
        ("CUSTOM_GPUDIRECT", False),
        ("VCPU", False),
        ("MEMORY_MB", False),
    ],
)
def test_resource_classes(resource_class: str, *, gpu: bool) -> None:
    assert Counter(GpuConfig()).is_gpu(resource_class) == gpu


@given(st.text(max_size=20), st.dictionaries(st.text(max_size=30), st.text(max_size=10)))
def test_any_flavor_has_some_number(name: str, specs: Specs) -> None:
    assert Counter(GpuConfig()).of_flavor(name, specs).number >= 0
