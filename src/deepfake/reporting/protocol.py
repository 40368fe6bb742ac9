"""What was run: on which data, and how hard the models were attacked."""

from collections.abc import Iterator
from pathlib import Path

from deepfake.params import Params

SAMPLE = "data/raw/sample"  # where dvc.yaml has the sample rendered


def rendered_roles(params: Params) -> list[str]:
    """Roles whose dataset is the sample, which shows nobody real."""
    return [role for role, data in params.datasets if data is not None and Path(data.root).is_relative_to(SAMPLE)]


def suite_sentence(params: Params) -> str:
    """Which profile of attacks made the numbers, and with how many steps."""
    return f"Attacks of the profile {params.evaluate.profile}: {'; '.join(_attacks(params))}."


def budgets_sentence(params: Params) -> str:
    """What the worst case at a budget is over: less than the whole profile."""
    attacks = "PGD, then APGD on what stands" if params.evaluate.suite.apgd_steps else "PGD"
    number = params.evaluate.eps_frames
    frames = f"{number} frame{'s' * (number != 1)} of each video"
    return f"Worst case at a budget: {attacks}, on {frames}, without the U-Net."


def _attacks(params: Params) -> Iterator[str]:
    suite = params.evaluate.suite
    yield f"PGD ({_effort(params.attack.steps, params.attack.restarts)})"
    further = [
        (suite.apgd_steps, f"APGD ({_effort(suite.apgd_steps, suite.apgd_restarts)})"),
        (suite.pgd_steps, f"strong PGD ({_effort(suite.pgd_steps, suite.pgd_restarts)})"),
        (suite.square_queries, f"Square ({suite.square_queries} queries)"),
    ]
    run = [text for steps, text in further if steps]
    if run:
        yield f"on frames of fakes that still stand, {', then '.join(run)}"
    yield "the fitted U-Net"
    if suite.adaptive_steps:
        yield f"adaptive PGD ({_effort(suite.adaptive_steps, 1)} more, through the codec that follows)"
    yield "all test videos" if suite.videos is None else f"at most {suite.videos} test videos of each class"


def _effort(steps: int, starts: int) -> str:
    """`10 steps`, or `10 steps, 5 starts`."""
    return f"{steps} step{'s' * (steps != 1)}" + (f", {starts} starts" if starts > 1 else "")
