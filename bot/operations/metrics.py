"""The bot's figures as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.operations.vitals import Figures

CONTENT_TYPE = CONTENT_TYPE_LATEST
LEVELS = ("ok", "note", "trouble")


def exposition(figures: Figures) -> bytes:
    """The text of `/metrics`."""
    registry = CollectorRegistry()
    registry.register(_Collector(figures))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        yield CounterMetricFamily("faro_batches", "Batches of the homeserver stored since the start.", figures.batches)
        commands = CounterMetricFamily(
            "faro_commands_answered", "Answers since the start, by command.", labels=["command"]
        )
        for name, count in sorted(figures.commands.items()):
            commands.add_metric([name], count)
        yield commands
        yield GaugeMetricFamily("faro_outbox_pending", "Messages that wait to be sent.", figures.outbox)
        yield GaugeMetricFamily("faro_jobs_pending", "Jobs that wait, or run.", figures.jobs)
        if figures.sync_age is not None:
            text = "Seconds since the homeserver was last heard."
            yield GaugeMetricFamily("faro_last_sync_age_seconds", text, figures.sync_age)
        if figures.findings:
            findings = GaugeMetricFamily(
                "faro_health_findings", "Findings of the last health check, by level.", labels=["level"]
            )
            for level in LEVELS:
                findings.add_metric([level], figures.findings.get(level, 0))
            yield findings
