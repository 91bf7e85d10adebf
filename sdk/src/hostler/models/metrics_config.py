# SPDX-License-Identifier: Apache-2.0
"""The ``metrics`` part of fleet.yml."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hostler.models.hyperstack_config import check_address
from hostler.models.problems import checked


class PrometheusConfig(BaseModel):
    """Which Prometheus, for ``metrics_backend: prometheus``.

    Attributes:
        url: its address (``PROMETHEUS_URL`` comes before it).
        token: sent as a bearer token.
        timeout: seconds that an answer may take.
        rate_window: seconds that a rate is measured over: four scrapes or more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = "http://localhost:9090"
    token: SecretStr | None = None
    timeout: int = Field(30, ge=1, le=600)
    rate_window: int = Field(60, ge=2, le=3600)

    _address = field_validator("url")(check_address)

    def resolved(self, environment: Mapping[str, str]) -> PrometheusConfig:
        """Return it with what the environment says.

        Raises:
            InvalidInput: PROMETHEUS_URL is no address.
        """
        if not environment.get("PROMETHEUS_URL"):
            return self
        known = {**self.model_dump(), "url": environment["PROMETHEUS_URL"]}
        return checked(PrometheusConfig, known, on="PROMETHEUS_URL")


class MetricsConfig(BaseModel):
    """How metrics are collected, and how long they are kept.

    Attributes:
        interval: seconds between two samples; more than three times as many are a gap.
        keep_raw_hours: how long each sample is kept.
        keep_5m_days: how long figures of 5 minutes are kept (average, least, most, last).
        keep_1h_days: how long those of an hour are kept.
        timeout: seconds that a host gets to answer.
        prometheus: where history is read from with ``metrics_backend: prometheus``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval: float = Field(15, ge=1, le=3600)
    keep_raw_hours: int = Field(24, ge=2, le=24 * 31)
    keep_5m_days: int = Field(30, ge=1, le=366)
    keep_1h_days: int = Field(365, ge=1, le=3660)
    timeout: float = Field(10, gt=0, le=600)
    prometheus: PrometheusConfig = PrometheusConfig()

    @property
    def gap(self) -> float:
        """Seconds between two samples from which on there is a gap between them."""
        return 3 * self.interval
