"""Stages and learnt times, laid over what is stored."""

from datetime import UTC, datetime, timedelta

import pytest

from photo_processor.schemas import FileBrief, JobEvent, JobMetadata, ModelProgress, Progress, Sample
from photo_processor.worker.progress import Estimator, LiveState, span

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


def test_range_of_many_photos_is_narrow_and_a_wide_one_is_none() -> None:
    seconds = [1.0, 2.0, 3.0, 1.5, 2.5, 2.0, 1.0, 3.0, 2.0, 2.0]
    one, many = span(seconds, 1), span(seconds, 100)
    assert one is not None
    assert many is not None
    assert many[1] / many[0] < 1.5 < one[1] / one[0]
    live = LiveState(workers=1)
    for took in (0.1, 9.0, 0.1, 30.0):
        live.estimator.observe(Sample("isnet", 1.0, took))
    live.note(event("j"))
    live.expects("j", "isnet")
    assert live.annotate(event("j")).eta is None


def test_job_that_is_done_again_promises_by_its_own_photos_alone() -> None:
    """A second recipe takes a seventh of the time: what the first took says nothing of it."""
    live = LiveState(workers=1)
    learnt(live.estimator, seconds=7.0)
    live.note(event("j"))
    live.expects("j", None)
    assert live.annotate(event("j")).eta is None
    for _ in range(3):
        live.observe("j", Sample("isnet", 1.0, 1.0))
    eta = live.annotate(event("j", done=3)).eta
    assert eta is not None
    assert (eta.low_s, eta.high_s) == (7.0, 7.0)


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
