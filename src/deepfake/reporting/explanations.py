"""What the Grad-CAM maps are worth in numbers, and the panels that show them."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepfake.errors import DataError
from deepfake.findings import Explanation
from deepfake.metrics.bootstrap import MIN_CLUSTERS, Resamples, effective_clusters, percentile_interval
from deepfake.metrics.ranking import Floats
from deepfake.params import ReportParams
from deepfake.reporting.conditions import CLEAN
from deepfake.reporting.drawing import Picture
from deepfake.reporting.matrix import Estimate, role_resamples
from deepfake.reporting.pairing import BASELINE, ROBUST, contrast_title
from deepfake.reporting.scores import ScoreSet
from deepfake.reporting.wording import bounds, difference, number, picture_title
from deepfake.tables import read_rows

MEASURES = ("faithfulness", "breadth", "overlap", "stability")
CONTRAST = contrast_title(BASELINE)
PERTURBATIONS = "perturbations"
_STAGE = "run `dvc repro render_gradcam`, which writes it"
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class ExplanationRow:
    """Means of the measures of one model's maps under one condition, or of how far the two models' maps differ.

    Attributes:
        model, condition: whose maps, of which crops; `CONTRAST` for the difference, face by face.
        faces: how many.
        known: of how many of them each of `MEASURES` is known.
        means: mean of each with its interval; NaN where it is not known of any face.
    """

    model: str
    condition: str
    faces: int
    known: dict[str, int]
    means: dict[str, Estimate]

    def note(self, measure: str) -> str:
        """`3 faces` where a mean is over fewer than all of them."""
        known = self.known[measure]
        return f"{known} face{'s' * (known != 1)}" if 0 < known < self.faces else ""


@dataclass(frozen=True)
class Panels:
    """The panels of one role.

    Attributes:
        faces: one picture a face, by number.
        perturbations: what the attacks added, or None where it was not drawn.
    """

    faces: list[Picture]
    perturbations: Picture | None

    def fitting(self, characters: int) -> list[Picture]:
        """The first faces that take no more than so many characters of the page, perturbations included."""
        left = characters - (len(self.perturbations.source) if self.perturbations else 0)
        sizes = np.cumsum([len(shown.source) for shown in self.faces])
        return self.faces[: int(np.count_nonzero(sizes <= left))]


def explanation_rows(path: Path, scores: ScoreSet, settings: ReportParams, seed: int) -> list[ExplanationRow]:
    """Means by condition and model, and of the models' differences, with intervals over the clusters of `scores`' role.

    Raises:
        DataError: no table, or one of videos that were not scored.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such table; {_STAGE}")
    groups: dict[tuple[str, str], list[Explanation]] = {}
    for row in read_rows(path, Explanation):
        groups.setdefault((row.condition, row.model), []).append(row)
    clusters = {video.video: video.cluster for video in scores.test_videos}
    unknown = {row.video for rows in groups.values() for row in rows} - set(clusters)
    if unknown:
        raise DataError(f"{path}: {min(unknown)} is not among the test videos that were scored")
    conditions = list(dict.fromkeys(condition for condition, _ in groups))
    for condition in conditions:
        if {(condition, BASELINE), (condition, ROBUST)} <= groups.keys():
            groups[condition, CONTRAST] = list(_differences(groups[condition, BASELINE], groups[condition, ROBUST]))
    order = sorted(groups, key=lambda key: (conditions.index(key[0]), key[1]))
    resamples = role_resamples(scores, settings, seed)
    return [_row(key[1], key[0], groups[key], clusters, resamples) for key in order]


def explanation_sentences(rows: Sequence[ExplanationRow]) -> Iterator[str]:
    """What the maps of clean fakes say in words: whether they tell anything, and whether one model's are broader."""
    clean = {row.model: row.means for row in rows if row.condition == CLEAN}
    for model, means in clean.items():
        if model != CONTRAST:
            faithfulness = means["faithfulness"]
            words = _in_words(faithfulness, "tell something", "mislead", "do not demonstrably tell anything")
            yield f"Clean maps, {model}: they {words} (faithfulness {_told(faithfulness, number)})."
    if CONTRAST in clean:
        breadth = clean[CONTRAST]["breadth"]
        words = _in_words(breadth, "broader than", "narrower than", "neither demonstrably broader nor narrower than")
        yield (
            f"Clean maps of the {ROBUST} model are {words} those of the {BASELINE} "
            f"(breadth {_told(breadth, difference)})."
        )


def read_panels(folder: Path) -> Panels:
    """The panels of a role, embedded.

    Raises:
        DataError: no panel, or a file that is no PNG.
    """
    files = sorted(folder.glob("*.png"))
    if not files:
        raise DataError(f"{folder}: no panels; {_STAGE}")
    pictures = {path.stem: _embed(path) for path in files}
    return Panels([shown for name, shown in pictures.items() if name != PERTURBATIONS], pictures.get(PERTURBATIONS))


def _differences(baseline: Sequence[Explanation], robust: Sequence[Explanation]) -> Iterator[Explanation]:
    """Robust minus baseline for each face that both were asked about; NaN where either is not known."""
    of_baseline = {(row.video, row.frame): row for row in baseline}
    for row in robust:
        other = of_baseline.get((row.video, row.frame))
        if other is not None:
            yield replace(row, model=CONTRAST, **{name: getattr(row, name) - getattr(other, name) for name in MEASURES})


def _row(
    model: str, condition: str, rows: Sequence[Explanation], clusters: dict[str, str], resamples: Resamples
) -> ExplanationRow:
    known = {name: list(_known(rows, name, clusters)) for name in MEASURES}
    counts = {name: len(values) for name, values in known.items()}
    means = {name: _mean(values, resamples) for name, values in known.items()}
    return ExplanationRow(model, condition, len(rows), counts, means)


def _known(rows: Sequence[Explanation], name: str, clusters: dict[str, str]) -> Iterator[tuple[float, str]]:
    for row in rows:
        value = getattr(row, name)
        if np.isfinite(value):
            yield value, clusters[row.video]


def _mean(known: Sequence[tuple[float, str]], resamples: Resamples) -> Estimate:
    if not known:
        return Estimate(np.nan)
    values, clusters = np.array([value for value, _ in known]), [cluster for _, cluster in known]
    mean = float(values.mean())
    if effective_clusters(clusters) < MIN_CLUSTERS or np.ptp(values) == 0:
        return Estimate(mean)
    return Estimate(mean, *percentile_interval(_resampled_means(values, clusters, resamples)))


def _resampled_means(values: Floats, clusters: Sequence[str], resamples: Resamples) -> Floats:
    """Mean of `values` (N,) on every resample (R,); NaN where none of them was drawn."""
    parts = []
    for weights in resamples.chunks(clusters):
        drawn = weights.sum(axis=1)
        parts.append(np.divide(weights @ values, drawn, out=np.full(len(drawn), np.nan), where=drawn > 0))
    return np.concatenate(parts)


def _in_words(estimate: Estimate, above: str, below: str, neither: str) -> str:
    """What an interval says of its distance from 0."""
    return above if estimate.low > 0 else below if estimate.high < 0 else neither


def _told(estimate: Estimate, text: Callable[[float, int], str]) -> str:
    between = bounds(estimate, 2)
    return text(estimate.value, 2) + (f", {between}" if between else "")


def _embed(path: Path) -> Picture:
    data = path.read_bytes()
    if not data.startswith(_PNG):
        raise DataError(f"{path}: not a PNG picture; {_STAGE}")
    return Picture(picture_title(path.stem), f"data:image/png;base64,{b64encode(data).decode()}")
