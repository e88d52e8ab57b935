"""What is true only while this process runs: the stage of each running file, and how long photos take here."""

from collections import deque
from statistics import quantiles

from schemas import FINAL_STATUSES, Eta, FileBrief, Job, JobEvent, JobFile, ModelProgress

SAMPLES = 50  # durations remembered for each kind of recipe
LEAST_SAMPLES = 3  # below that, nothing is promised


class Estimator:
    """Learns the seconds a photo takes from photos finished here, for each kind of recipe."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._seconds: dict[str, deque[float]] = {}

    def observe(self, kind: str, seconds: float) -> None:
        self._seconds.setdefault(kind, deque(maxlen=SAMPLES)).append(seconds)

    def estimate(self, kind: str, remaining: int, jobs_ahead: int) -> Eta | None:
        """Seconds until `remaining` photos are done, from the 10th to the 90th percentile; None before there is
        something to learn from. Jobs ahead share the workers in turn, so each may stretch the upper end once more."""
        known = self._seconds.get(kind, ())
        if len(known) < LEAST_SAMPLES or remaining == 0:
            return None
        deciles = quantiles(known, n=10, method="inclusive")
        rounds = max(1.0, remaining / self._workers)
        low, high = deciles[0] * rounds, deciles[-1] * rounds * (1 + jobs_ahead)
        return Eta(low_s=round(low, 1), high_s=round(high, 1), jobs_ahead=jobs_ahead)


class LiveState:
    """Stages and estimates, laid over what the queue has stored. Used on the event loop only."""

    def __init__(self, estimator: Estimator) -> None:
        self.estimator = estimator
        self._stages: dict[str, tuple[str, str]] = {}  # file id -> job id, stage
        self._kinds: dict[str, str] = {}
        self._open: dict[str, JobEvent] = {}
        self._downloads: dict[str, ModelProgress] = {}

    def started(self, job_id: str, file_id: str, kind: str) -> None:
        """A worker took a file of a recipe of this `kind`."""
        self._kinds[job_id] = kind
        self._stages[file_id] = (job_id, "reading the photo")

    def staged(self, file_id: str, stage: str) -> None:
        if file_id in self._stages:
            self._stages[file_id] = (self._stages[file_id][0], stage)

    def ended(self, file_id: str) -> None:
        self._stages.pop(file_id, None)

    def stage_of(self, file_id: str) -> str | None:
        entry = self._stages.get(file_id)
        return entry[1] if entry else None

    def download(self, job_id: str, progress: ModelProgress | None) -> None:
        """The download that the job waits for; None: it no longer waits."""
        if progress is None:
            self._downloads.pop(job_id, None)
        else:
            self._downloads[job_id] = progress

    def note(self, event: JobEvent) -> None:
        """Remember where a job stands, from an event of the queue."""
        if event.final:
            for known in (self._open, self._kinds, self._downloads):
                known.pop(event.job_id, None)
        else:
            self._open[event.job_id] = event

    def annotate(self, event: JobEvent) -> JobEvent:
        """The event with stages, time left and the download it waits for."""
        stages = [stage for job_id, stage in self._stages.values() if job_id == event.job_id]
        return event.model_copy(
            update={
                "stage": stages[-1] if stages and event.status not in FINAL_STATUSES else None,
                "files": tuple(self._brief(file) for file in event.files),
                "eta": self._eta(event),
                "model": self._downloads.get(event.job_id),
            }
        )

    def latest(self, job_id: str) -> JobEvent | None:
        """The newest event of a job that has not ended."""
        return self._open.get(job_id)

    def job(self, job: Job) -> Job:
        event = self._open.get(job.id)
        return job.model_copy(update={"eta": self._eta(event)}) if event else job

    def file(self, file: JobFile) -> JobFile:
        stage = self.stage_of(file.id)
        return file.model_copy(update={"stage": stage}) if stage and file.status == "processing" else file

    def _brief(self, file: FileBrief) -> FileBrief:
        stage = self.stage_of(file.id)
        return file.model_copy(update={"stage": stage}) if stage and file.status == "processing" else file

    def _eta(self, event: JobEvent) -> Eta | None:
        if event.status in FINAL_STATUSES or event.status == "paused":
            return None
        earlier = event.metadata.created_at
        ahead = [other for other in self._open.values() if other.metadata.created_at < earlier and _works(other)]
        kind = self._kinds.get(event.job_id, "")
        return self.estimator.estimate(kind, event.progress.total - event.progress.processed, len(ahead))


def _works(event: JobEvent) -> bool:
    return event.status not in FINAL_STATUSES and event.status != "paused"
