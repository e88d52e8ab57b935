"""What is true only while this process runs: the stage of each running file, and how long photos take here."""

import math
from collections import deque
from collections.abc import Sequence
from statistics import mean, median, stdev

from photo_processor.schemas import FINAL_STATUSES, Eta, FileBrief, Job, JobEvent, JobFile, ModelProgress, Sample

SAMPLES = 100  # finished photos remembered for each model
LEAST_SAMPLES = 3  # below that, nothing is promised
OWN_SAMPLES = 30  # of a job's newest photos
FOUR_OF_FIVE = 1.28  # standard deviations to either side
SOON = 8.0  # seconds, of which nobody asks for a range
WIDEST = 3.0  # times its low end: a wider range helps nobody


def span(each: Sequence[float], count: float) -> tuple[float, float] | None:
    """Between which sums `count` further ones lie, four times of five, where `each` were seen; None: too few were.

    The normal interval for a sum of independent values, widened by how well so few tell their mean.
    """
    if len(each) < LEAST_SAMPLES:
        return None
    spread = FOUR_OF_FIVE * stdev(each) * math.sqrt(count + count**2 / len(each))
    return max(0.0, mean(each) * count - spread), mean(each) * count + spread


class Estimator:
    """Learns the seconds that a megapixel takes on this machine, for each model."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[Sample]] = {}

    def observe(self, sample: Sample) -> None:
        if sample.megapixels > 0:
            self._samples.setdefault(sample.model, deque(maxlen=SAMPLES)).append(sample)

    def seconds(self, model: str, photos: int, megapixels: float | None) -> tuple[float, float] | None:
        """Seconds of work in `photos`, of `megapixels` each, as `span`; None before there is something to learn from.
        Where the size is not known, photos are as large as those seen."""
        samples = self._samples.get(model, ())
        rates = span([sample.seconds / sample.megapixels for sample in samples], photos)
        if rates is None:
            return None
        size = megapixels or median(sample.megapixels for sample in samples)
        return rates[0] * size, rates[1] * size


class LiveState:
    """Stages and estimates, laid over what the queue has stored. Used on the event loop only."""

    def __init__(self, workers: int, base_path: str = "") -> None:
        self.estimator = Estimator()
        self._workers = workers
        self._base = base_path
        self._stages: dict[str, tuple[str, str]] = {}  # file id -> job id, stage
        self._models: dict[str, str | None] = {}
        self._own: dict[str, deque[Sample]] = {}
        self._open: dict[str, JobEvent] = {}
        self._downloads: dict[str, ModelProgress] = {}

    def started(self, job_id: str, file_id: str) -> None:
        """A worker took a file."""
        self._stages[file_id] = (job_id, "reading the photo")

    def expects(self, job_id: str, model: str | None) -> None:
        """The job's photos will be done by this model (empty: by none). None: they were done before, and how much of
        that is used again is not known."""
        self._models[job_id] = model

    def observe(self, job_id: str, sample: Sample) -> None:
        """A photo of the job is finished."""
        self.estimator.observe(sample)
        self._own.setdefault(job_id, deque(maxlen=OWN_SAMPLES)).append(sample)

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
            for known in (self._open, self._models, self._own, self._downloads):
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
        update: dict[str, object] = {"eta": self._eta(event)} if event else {}
        if self._base:
            update["links"] = {name: self._base + link for name, link in job.links.items()}
        return job.model_copy(update=update) if update else job

    def file(self, file: JobFile) -> JobFile:
        stage = self.stage_of(file.id)
        update: dict[str, object] = {"stage": stage} if stage and file.status == "processing" else {}
        if self._base:
            update["outputs"] = tuple(
                output.model_copy(update={"url": self._base + output.url}) for output in file.outputs
            )
        return file.model_copy(update=update) if update else file

    def _brief(self, file: FileBrief) -> FileBrief:
        stage = self.stage_of(file.id)
        return file.model_copy(update={"stage": stage}) if stage and file.status == "processing" else file

    def _eta(self, event: JobEvent) -> Eta | None:
        """From this job's own work at best, to that of the jobs ahead as well: they share the workers in turn; None
        where that is too wide a range."""
        if not _works(event):
            return None
        own = self._seconds(event)
        if own is None:
            return None
        earlier = event.metadata.created_at
        ahead = [other for other in self._open.values() if other.metadata.created_at < earlier and _works(other)]
        behind = sum(seconds[1] for other in ahead if (seconds := self._seconds(other)))
        low, high = own[0] / self._workers, (own[1] + behind) / self._workers
        if high > max(WIDEST * low, SOON):
            return None
        return Eta(low_s=round(low, 1), high_s=round(high, 1), jobs_ahead=len(ahead))

    def _seconds(self, event: JobEvent) -> tuple[float, float] | None:
        remaining = event.progress.total - event.progress.processed
        if remaining == 0 or event.job_id not in self._models:
            return None
        own = self._own.get(event.job_id, ())
        measured = span([sample.seconds for sample in own], remaining)
        model = self._models[event.job_id]
        if measured is not None or model is None:
            return measured
        return self.estimator.seconds(model, remaining, mean(sample.megapixels for sample in own) if own else None)


def _works(event: JobEvent) -> bool:
    return event.status not in FINAL_STATUSES and event.status != "paused"
