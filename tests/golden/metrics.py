"""Prometheus text as names: `gauge switchyard_breaker_state{service,state}`."""

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

OWN = "switchyard_"


def metric_names(text: str) -> Iterator[str]:
    """Type, name and labels of each of the program's own samples."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith(OWN):
                labels = f"{{{','.join(sorted(sample.labels))}}}" if sample.labels else ""
                yield f"{family.type} {sample.name}{labels}"
