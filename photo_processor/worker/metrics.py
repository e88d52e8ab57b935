"""Counts and times for Prometheus, in a registry of the server's own."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

STAGE_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)  # seconds


class Metrics:
    """Counters grow as photos are done; gauges are set when somebody asks."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._files = Counter("photo_files_total", "Photos by how they ended", ["status"], registry=self._registry)
        self._seconds = Histogram(
            "photo_stage_seconds",
            "Seconds of each stage of a photo",
            ["stage", "model"],
            buckets=STAGE_BUCKETS,
            registry=self._registry,
        )
        self._bytes = Counter(
            "photo_bytes_total", "Bytes of photos in and results out", ["way"], registry=self._registry
        )
        self._queued = Gauge("photo_queue_files", "Photos that wait", ["priority"], registry=self._registry)
        self._workers = Gauge("photo_workers", "Workers that run", registry=self._registry)
        self._failures = Gauge(
            "photo_task_failures_total", "Errors that ended a long-lived task", ["task"], registry=self._registry
        )
        self._running = Gauge("photo_running_files", "Photos in process", registry=self._registry)
        self._sockets = Gauge("photo_sockets", "WebSocket subscribers", registry=self._registry)
        self._models = Gauge("photo_model_installed", "1 for a model that is here", ["model"], registry=self._registry)
        self._inferences = Gauge("photo_inferences", "Times that a network or engine ran", registry=self._registry)
        self._free = Gauge("photo_disk_free_bytes", "Free bytes on the data folder's disk", registry=self._registry)

    def finished(self, status: str, model: str, timings: Mapping[str, float], size_in: int, size_out: int) -> None:
        """A photo ended: `timings` in seconds by stage (`decode_s`), sizes in bytes."""
        self._files.labels(status).inc()
        self._bytes.labels("in").inc(size_in)
        self._bytes.labels("out").inc(size_out)
        for name, seconds in timings.items():
            self._seconds.labels(name.removesuffix("_s"), model or "none").observe(seconds)

    def text(
        self,
        queued: Mapping[str, int],
        running: int,
        sockets: int,
        models: Mapping[str, bool],
        inferences: int,
        free_bytes: int,
        workers: int,
        failures: Mapping[str, int],
    ) -> bytes:
        """The exposition format, with the gauges as given."""
        for priority, count in queued.items():
            self._queued.labels(priority).set(count)
        for name, installed in models.items():
            self._models.labels(name).set(installed)
        self._running.set(running)
        self._sockets.set(sockets)
        self._inferences.set(inferences)
        self._free.set(free_bytes)
        self._workers.set(workers)
        for task, count in failures.items():
            self._failures.labels(task).set(count)
        return generate_latest(self._registry)
