"""Stages and learnt times, laid over what is stored."""

from datetime import UTC, datetime, timedelta

import pytest

from photo_processor.schemas import FileBrief, JobEvent, JobMetadata, ModelProgress, Progress, Sample
from photo_processor.worker.progress import Estimator, LiveState

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(job: str, minute: int = 0, *, total: int = 10, done: int = 0, status: str = "processing") -> JobEvent:
    at = START + timedelta(minutes=minute)
    return JobEvent.model_validate(
        {
            "job_id": job,
            "status": status,
            "progress": Progress.of(total, done, 0),
            "metadata": JobMetadata(created_at=at, updated_at=at, job_type="batch", file_count=total),
            "error": None,
            "seq": 1,
            "final": status in ("completed", "failed", "cancelled"),
            "files": (FileBrief(id="f", name="a", status="processing", stage="reading the photo"),),
        }
    )


def learnt(estimator: Estimator, seconds: float = 2.0, megapixels: float = 1.0) -> None:
    for _ in range(5):
        estimator.observe(Sample("isnet", megapixels, seconds))


def test_seconds_are_none_before_there_is_something_to_learn_from() -> None:
    estimator = Estimator()
    assert estimator.seconds("isnet", 10, None) is None
    learnt(estimator)
    assert estimator.seconds("isnet", 10, None) == (20.0, 20.0)
    assert estimator.seconds("u2net", 10, None) is None


def test_seconds_grow_with_the_megapixels() -> None:
    estimator = Estimator()
    learnt(estimator)
    assert estimator.seconds("isnet", 1, 12.0) == pytest.approx((24.0, 24.0))


def test_annotate_says_stage_time_left_and_download() -> None:
    live = LiveState(workers=2)
    learnt(live.estimator)
    live.note(event("j"))
    live.started("j", "f")
    live.expects("j", "isnet")
    live.staged("f", "removing background")
    live.download("j", ModelProgress(name="isnet", received=1, total=2, percentage=50.0))
    shown = live.annotate(event("j"))
    assert (shown.stage, shown.files[0].stage) == ("removing background", "removing background")
    assert shown.eta is not None
    assert (shown.eta.low_s, shown.eta.high_s, shown.eta.jobs_ahead) == (10.0, 10.0, 0)
    assert shown.model is not None
    live.ended("f")
    assert live.annotate(event("j")).stage is None


def test_jobs_ahead_widen_the_range_and_ended_ones_do_not() -> None:
    live = LiveState(workers=1)
    learnt(live.estimator)
    for job, minute in (("first", 0), ("second", 1)):
        live.note(event(job, minute))
        live.expects(job, "isnet")
    eta = live.annotate(event("second", 1)).eta
    assert eta is not None
    assert (eta.low_s, eta.high_s, eta.jobs_ahead) == (20.0, 40.0, 1)
    live.note(event("first", 0, status="completed"))
    eta = live.annotate(event("second", 1)).eta
    assert eta is not None
    assert (eta.high_s, eta.jobs_ahead) == (20.0, 0)


def test_paused_and_ended_jobs_promise_nothing() -> None:
    live = LiveState(workers=1)
    learnt(live.estimator)
    for status in ("paused", "completed"):
        live.note(event("j"))
        live.expects("j", "isnet")
        assert live.annotate(event("j", status=status)).eta is None
