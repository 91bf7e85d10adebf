# SPDX-License-Identifier: Apache-2.0
"""What names of aggregates say: a table of them, and what no name may do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostler.gpu.classify import Classifier, one_of
from hostler.models.gpu import Classified
from hostler.models.gpu_config import GPU_TYPES, GpuConfig, PoolPattern

Row = tuple[str | None, str | None, str | None]

TABLE: dict[str, Row] = {
    # name: pool, type, variant
    "H100-n3": ("ondemand", "H100", None),
    "A100-n3-NVLink": ("ondemand", "A100", "NVLink"),
    "H100-SXM5-n3": ("ondemand", "H100-SXM5", None),
    "H200-SXM5-n3-spot": ("spot", "H200-SXM5", None),
    "RTX-PRO6000-SE-n3-runpod": ("runpod", "RTX-PRO6000-SE", None),
    "L40S-n3": ("ondemand", "L40S", None),
    "A100-n3-spot": ("spot", "A100", None),
    "A100-n3-NVLink-spot": ("spot", "A100", "NVLink"),
    "A4000-n3": ("ondemand", "RTX-A4000", None),
    "RTX-6000-PRO-SE-n3-spot": ("spot", "RTX-PRO6000-SE", None),
    "NEWGPU-9-n3": ("ondemand", "NEWGPU-9", None),
    "A100-n2": (None, None, None),
    "h100-n3": (None, None, None),
    "H100-n3-nvlink": (None, None, None),
    "H100-n3-spot-2": (None, None, None),
    "H100-n3-spot\n": (None, None, None),
    "-n3": (None, None, None),
    "": (None, None, None),
    "tempest": (None, None, None),
    "Contract-AI2C-24xA100": ("contract", "A100", None),
    "Contract-Foo-8xH100-SXM5": ("contract", "H100-SXM5", None),
    "Contract-Foo-8xH200-SXM5": ("contract", "H200-SXM5", None),
    "Contract-Foo-H200": ("contract", "H200", None),
    "Contract-L40S-Cust": ("contract", "L40S", None),
    "Contract-L40-Customer1": ("contract", "L40", None),
    "contract-L40-x": ("contract", "L40", None),
    "Contract-Acme-RTX-PRO6000-SE": ("contract", "RTX-PRO6000-SE", None),
    "Contract-Acme-8xA4000": ("contract", "RTX-A4000", None),
    "Contract-Acme-RTX-A4000": ("contract", "RTX-A4000", None),
    "Contract-Acme-L40x8": ("contract", "L40", None),
    "Contract-NoGpuHere": ("contract", None, None),
    "Contract-XL40X": ("contract", None, None),
    "Contract-": (None, None, None),
    "CONTRACT-x": (None, None, None),
    "Contract_x": (None, None, None),
}


def classify(name: str, config: GpuConfig | None = None) -> Classified:
    return Classifier(config or GpuConfig()).classify(name)


@pytest.mark.parametrize("name", TABLE)
def test_table(name: str) -> None:
    found = classify(name)
    assert (found.pool, found.gpu_type, found.variant) == TABLE[name]


def test_a_contract_has_its_name() -> None:
    assert classify("Contract-AI2C-24xA100").contract == "AI2C-24xA100"
    assert classify("A100-n3").contract is None


def test_patterns_are_configuration() -> None:
    config = GpuConfig(
        patterns=(
            PoolPattern(pool="spot", pattern=r"(?P<gpu>[a-z0-9]+)-n2-cheap"),
            PoolPattern(pool="contract", pattern=r"CONTRACT_(?P<name>.+)"),
        ),
        types=("h100",),
        type_aliases={"h100": "H100"},
    )
    found = classify("h100-n2-cheap", config)
    assert (found.pool, found.gpu_type) == ("spot", "H100")
    assert classify("CONTRACT_me_h100", config).gpu_type == "H100"
    assert classify("H100-n3", config) == Classified()


def test_the_first_pattern_decides() -> None:
    both = r"(?P<gpu>[A-Z0-9]+)-n3"
    patterns = tuple(PoolPattern(pool=pool, pattern=both) for pool in ("runpod", "spot"))
    assert classify("L40-n3", GpuConfig(patterns=patterns)).pool == "runpod"


@pytest.mark.parametrize("pattern", ["(", "(?P<gpu>", "[a-"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="is no regular expression"):
        PoolPattern(pool="spot", pattern=pattern)


@pytest.mark.parametrize(
    ("text", "gpu_type"),
    [
        ("CUSTOM_GPU_H100_SXM5", "H100-SXM5"),
        ("CUSTOM_GPU_L40S", "L40S"),
        ("CUSTOM_GPU_A4000", "RTX-A4000"),
        ("nvidia-a100-sxm", "A100"),
        ("8xh100", "H100"),
        ("n3-L40x4", "L40"),
        ("n3-H100-SXM5x8-NVLink", "H100-SXM5"),
        ("n3-cpu-x16-large", None),
        ("CUSTOM_PCI_10DE_20B5", None),
        ("VGPU", None),
    ],
)
def test_types_in_other_spellings(text: str, gpu_type: str | None) -> None:
    assert Classifier(GpuConfig()).type_like(text) == gpu_type


@pytest.mark.parametrize(
    ("found", "one"),
    [([], None), ([None], None), (["A", None, "A"], "A"), (["A", "B"], None)],
)
def test_findings_have_to_agree(found: list[str | None], one: str | None) -> None:
    assert one_of(found) == one


NAMES = st.text(st.sampled_from("AHLXS0145x-n3spotNVLinkrumd_"), max_size=24)


@given(NAMES)
def test_nothing_is_guessed(name: str) -> None:
    found = classify(name)
    if found.pool is None:
        assert found == Classified()
    elif found.pool != "contract":
        assert name.startswith(f"{found.gpu_type}-n3") or found.gpu_type == "RTX-A4000"
        assert (found.variant == "NVLink") == ("-NVLink" in name.partition("-n3")[2])


@given(st.sampled_from(GPU_TYPES), st.sampled_from(["", "-NVLink"]), st.sampled_from(["", "-spot"]))
def test_every_type_is_read_back(gpu_type: str, variant: str, pool: str) -> None:
    found = classify(f"{gpu_type}-n3{variant}{pool}")
    assert found.gpu_type == gpu_type
    assert found.variant == (variant.removeprefix("-") or None)
    assert found.pool == (pool.removeprefix("-") or "ondemand")


@given(st.sampled_from(GPU_TYPES), st.integers(1, 99), st.from_regex(r"[A-Z][a-z]{1,8}"))
def test_every_type_is_found_in_a_contract(gpu_type: str, number: int, customer: str) -> None:
    customer = re.sub(r"\W", "", customer)
    for name in (f"Contract-{customer}-{number}x{gpu_type}", f"Contract-{gpu_type}-{customer}"):
        assert classify(name).gpu_type == gpu_type
