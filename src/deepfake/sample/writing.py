"""The whole sample dataset on disk: both trees, written by as many processes as there are."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2

from deepfake.params import SampleParams
from deepfake.runtime import progress
from deepfake.sample.celebdf import plan_celebdf, write_test_list
from deepfake.sample.ffpp import plan_ffpp, write_splits
from deepfake.sample.production import Job, VideoAttributes, produce
from deepfake.tables import write_rows

FFPP, CELEBDF = "ffpp", "celebdf"

Task = tuple[Job, Path]


def write_sample(root: Path, sample: SampleParams, *, seed: int, workers: int) -> None:
    """Write both trees below an empty folder; the bytes do not depend on the number of workers.

    Args:
        root: an empty folder.
        sample: how many people, how many frames, which size.
        seed: of everything.
        workers: processes.
    """
    plans = {FFPP: plan_ffpp(seed, sample), CELEBDF: plan_celebdf(seed, sample)}
    tasks = [(job, root / dataset) for dataset, jobs in plans.items() for job in jobs]
    results = list(progress(_produce_all(tasks, workers), total=len(tasks), title="make sample"))
    for dataset in plans:
        described = [
            row for (_, folder), rows in zip(tasks, results, strict=True) if folder.name == dataset for row in rows
        ]
        rows = sorted(described, key=lambda row: (row.method, row.video))
        write_rows(root / dataset / "attributes.csv", VideoAttributes, rows)
    write_splits(sample, root / FFPP)
    write_test_list(plans[CELEBDF], root / CELEBDF)


def _produce_all(tasks: list[Task], workers: int) -> Iterator[list[VideoAttributes]]:
    if workers == 1:
        yield from map(_produce, tasks)
        return
    # Started afresh and not forked: OpenCV's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.map(_produce, tasks)


def _produce(task: Task) -> list[VideoAttributes]:
    job, root = task
    return produce(job, root)
