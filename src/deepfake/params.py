"""The one schema of params.yaml: every key, its type, its range and its meaning.

The whole file is validated at the start of every stage, so that a misspelt key is seen even where its own
stage is up to date. Which keys a stage depends on is said in dvc.yaml.
"""

import reprlib
from fractions import Fraction as Quotient
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from deepfake.errors import SettingsError

Fraction = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1000)]
Quality = Annotated[int, Field(ge=1, le=100)]
Rate = Annotated[int, Field(ge=0, le=51)]


def _budget(value: object) -> object:
    """A number, or the quotient that a text such as `4/255` writes; anything else is left for the schema to refuse."""
    expected = "a budget such as 8/255 or 0.03, above 0 and at most 1/2"
    try:
        if isinstance(value, str):
            value = float(Quotient(value)) if "/" in value else float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 0.5:
            return float(value)
    except (ValueError, ArithmeticError):
        pass
    raise ValueError(f"should be {expected}, not {_shown(value)}")


def _shown(value: object) -> str:
    """A value as YAML gave it, cut short: aliases can blow a small file up to any size."""
    try:
        return reprlib.repr(value)
    except ValueError:  # an integer of thousands of digits
        return f"a very large {type(value).__name__}"


Budget = Annotated[float, BeforeValidator(_budget)]
Method = Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Section(BaseModel):
    """A part of params.yaml: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError(f"should not be {str(value).lower()}")
        return value


class DatasetParams(Section):
    """One dataset on disk.

    Attributes:
        layout: which adapter reads the folder.
        root: dataset folder; relative to the repository, or absolute.
        compression: FaceForensics++ only: c0/raw, c23 or c40.
        methods: FaceForensics++ only: forgery methods to use; null takes every method that is there.
        manifest: manifest layout only: CSV file below `root`.
        kind: manifest layout only: what its files are (crop: pictures that are face crops already); null tells
            videos from pictures by their suffix.
        max_unusable: share of its videos that may have no usable face; above it, extraction fails.
    """

    layout: Literal["ffpp", "celebdf", "manifest"]
    root: Annotated[str, Field(min_length=1)]
    compression: Literal["raw", "c0", "c23", "c40"] = "c23"
    methods: tuple[Method, ...] | None = None
    manifest: str = "manifest.csv"
    kind: Literal["video", "image", "crop"] | None = None
    max_unusable: Fraction = 0.5


class DatasetsParams(Section):
    """The datasets by role: `train` is split into train/val/test, `cross` is for testing only."""

    train: DatasetParams
    cross: DatasetParams | None = None

    def of(self, role: str) -> DatasetParams:
        """The dataset of a role.

        Raises:
            SettingsError: there is none.
        """
        dataset = self.train if role == "train" else self.cross
        if dataset is None:
            raise SettingsError("datasets.cross: missing; only datasets.train is there")
        return dataset


class SampleParams(Section):
    """The rendered sample dataset.

    Attributes:
        train_identities, val_identities, test_identities: people of the FaceForensics++ tree, even numbers.
        cross_identities: people of the Celeb-DF tree who have both real and fake videos, an even number.
        cross_youtube: further people of the Celeb-DF tree with a real video only.
        frames: length of every video.
        width, height: size of every video.
    """

    train_identities: Annotated[int, Field(ge=2, le=1000, multiple_of=2)]
    val_identities: Annotated[int, Field(ge=2, le=1000, multiple_of=2)]
    test_identities: Annotated[int, Field(ge=2, le=1000, multiple_of=2)]
    cross_identities: Annotated[int, Field(ge=2, le=1000, multiple_of=2)]
    cross_youtube: Annotated[int, Field(ge=0, le=1000)]
    frames: Annotated[int, Field(ge=2, le=1000)]
    width: Annotated[int, Field(ge=160, le=1920, multiple_of=2)]
    height: Annotated[int, Field(ge=160, le=1080, multiple_of=2)]


class ClipParams(Section):
    """Which frames of a video are used: `clips` runs of `length` consecutive frames, evenly spread."""

    clips: Annotated[int, Field(ge=1, le=1000)]
    length: Annotated[int, Field(ge=1, le=300)]


class FacesParams(Section):
    """Face detection.

    Attributes:
        train_frames: frames of training videos.
        eval_frames: frames of validation and test videos; a clip's frames share one box.
        max_side: frames are shrunk until their longer side is at most this before MTCNN sees them.
        min_face: smallest face MTCNN looks for, in pixels of the shrunk frame.
        min_probability: detections below this are dropped.
    """

    train_frames: ClipParams
    eval_frames: ClipParams
    max_side: Annotated[int, Field(ge=64, le=4096)]
    min_face: Annotated[int, Field(ge=20, le=1000)]
    min_probability: Fraction


class CropsParams(Section):
    """Face crops.

    Attributes:
        size: side of a crop in pixels (even, because H.264 is).
        margin: side of the crop divided by the longer side of the face's box.
        shards: files that the crops of a dataset are spread over.
    """

    size: Annotated[int, Field(ge=32, le=512, multiple_of=2)]
    margin: Annotated[float, Field(ge=1, le=3)]
    shards: Annotated[int, Field(ge=1, le=1000)]


class DetectorParams(Section):
    """The hybrid detector.

    Attributes:
        backbone: a timm model that offers feature maps.
        stride: at which downsampling of the image the backbone's map becomes tokens.
        dim, depth, heads: width, layers and attention heads of the transformer.
        dropout: in the transformer and before the logit.
        pretrained: fetch timm's ImageNet weights for the backbone (needs a network).
        weights: local file with backbone weights (.pth, .safetensors); null for none.
    """

    backbone: Annotated[str, Field(min_length=1)]
    stride: Literal[8, 16, 32]
    dim: Annotated[int, Field(ge=16, le=2048)]
    depth: Annotated[int, Field(ge=1, le=24)]
    heads: Annotated[int, Field(ge=1, le=32)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    pretrained: bool
    weights: str | None

    @model_validator(mode="after")
    def _heads_divide_dim(self) -> "DetectorParams":
        if self.dim % self.heads:
            raise ValueError(f"dim must be a multiple of heads, and {self.dim} is none of {self.heads}")
        if self.pretrained and self.weights:
            raise ValueError("pretrained and weights exclude each other")
        return self


class AugmentParams(Section):
    """Training augmentation: probability of each distortion of a crop, and its range.

    Attributes:
        flip: mirror left-right.
        shift: move by up to a share of `shift_by` of the size, in both directions.
        jpeg: compress at a quality drawn from `jpeg_quality` (lowest, highest).
        rescale: shrink to a share of the size drawn from `rescale_to`, and grow back.
        blur: Gaussian blur with a sigma drawn from `blur_sigma`, in pixels.
        color: brightness, contrast and saturation each scaled by up to `color_strength`.
        self_blended: add fakes made from training reals (Shiohara and Yamasaki 2022), as one more forgery method.
    """

    flip: Fraction
    shift: Fraction
    shift_by: Annotated[float, Field(ge=0, le=0.5)]
    jpeg: Fraction
    jpeg_quality: tuple[Quality, Quality]
    rescale: Fraction
    rescale_to: tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(gt=0, le=1)]]
    blur: Fraction
    blur_sigma: tuple[Annotated[float, Field(gt=0, le=10)], Annotated[float, Field(gt=0, le=10)]]
    color: Fraction
    color_strength: Fraction
    self_blended: bool

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "AugmentParams":
        for name in ("jpeg_quality", "rescale_to", "blur_sigma"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} must ascend, and {low} > {high}")
        return self


class FitParams(Section):
    """Fitting a network.

    Attributes:
        epochs: passes; an epoch is `steps` optimiser steps.
        steps: optimiser steps an epoch.
        batch_size: crops per step, over all processes.
        learning_rate: peak of the one-cycle schedule.
        warmup: share of the steps before the peak.
        weight_decay: of AdamW; biases and normalisation layers are exempt.
        average_halflife: half-life of the weight average, in epochs.
        max_gradient_norm: gradients are clipped to this norm.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    batch_size: Annotated[int, Field(ge=2, le=65_536)]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    warmup: Annotated[float, Field(gt=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0, le=10)]
    average_halflife: Annotated[float, Field(gt=0, le=1)]
    max_gradient_norm: Annotated[float, Field(gt=0)]


class TrainingParams(FitParams):
    """Fitting the detector.

    Attributes:
        label_smoothing: targets are this far from 0 and 1.
    """

    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)]


class BaselineParams(TrainingParams):
    """Fitting the baseline.

    Attributes:
        augment: augmentation of training crops; the robust detector is trained with the same.
    """

    augment: AugmentParams


class AttackParams(Section):
    """The threat: L-infinity in the [0, 1] pixel space of the crop, white-box.

    Attributes:
        eps: budget of the attacks in training and evaluation; a fraction such as 8/255, or a number.
        steps: gradient steps of PGD in evaluation.
        restarts: PGD is started so often; the strongest result counts.
    """

    eps: Budget
    steps: Annotated[int, Field(ge=1, le=10_000)]
    restarts: Annotated[int, Field(ge=1, le=1000)]


class UnetParams(FitParams):
    """The learned attacker: a U-Net that draws a perturbation in one pass.

    What is fitted how (`FitParams`) is said of fitting it afresh against a frozen detector; `width` to `jpeg_quality`
    and `max_gradient_norm` hold in robust training too.

    Attributes:
        opening_epochs: epochs of the one that robust training opens with; `epochs` are those of what evaluation
            attacks with.
        width: channels of its first level.
        total_variation: weight of the roughness of the perturbation, relative to the budget.
        frequency: weight of its high-frequency power, relative to the budget.
        jpeg: share of its batches that pass through a differentiable JPEG before the detector sees them.
        jpeg_quality: (lowest, highest) quality there.
    """

    opening_epochs: Annotated[int, Field(ge=1, le=10_000)]
    width: Annotated[int, Field(ge=4, le=256, multiple_of=4)]
    total_variation: Weight
    frequency: Weight
    jpeg: Fraction
    jpeg_quality: tuple[Quality, Quality]

    @model_validator(mode="after")
    def _qualities_ascend(self) -> "UnetParams":
        low, high = self.jpeg_quality
        if low > high:
            raise ValueError(f"jpeg_quality must ascend, and {low} > {high}")
        return self


class RobustParams(TrainingParams):
    """Fitting the detector again while PGD and the U-Net attack it, from the baseline's weights on.

    Attributes:
        eps: training budget; null takes `attack.eps`.
        ramp: share of the steps over which the budget grows from 0 to `eps`.
        real_share: share of the budget by which reals are attacked. Who evades perturbs fakes only; but beside reals
            that are left alone the detector learns to see perturbations, and a patient attack hides those. 1 attacks
            reals as hard as fakes.
        replays: times that each batch comes up in a row. 1 attacks it with PGD of `pgd_steps` steps. With more, PGD is
            free: one step each time, along the gradient that also trains the detector.
        pgd_step_size: length of a step of the inner PGD as a share of the budget.
        pgd_steps: steps of the inner PGD where it is not free: without replays, and after it was overfitted.
        final_pgd_steps: its steps in the last `final` share of the epochs.
        final: share of the epochs with the stronger inner PGD.
        pgd_loss: on PGD's crops: `bce` against the label, or `trades` (Zhang et al. 2019) against the clean prediction.
        clean_weight, pgd_weight, unet_weight: weights of the three losses.
        unet_learning_rate: of the U-Net's optimiser in training.
        unet_share: share of each batch that the U-Net attacks too.
        batch_statistics: of BatchNorm: `frozen` as the baseline left them, or `mixed` over clean and attacked crops.
        pool: earlier snapshots of the U-Net; half of the time the detector meets one of them, drawn at random.
        max_clean_drop: how far an epoch's validation AUC may be below the baseline's before that counts against it.
        watch_frames: validation frames of each class that PGD attacks after every epoch.
        watch_steps: steps of that PGD.
        max_overfit: in AUC. Where the watching attack leaves less by more than that than its best before, and than the
            inner attack does, the last good state is taken back and the inner attack is made stronger.
    """

    eps: Budget | None
    ramp: Fraction
    real_share: Fraction
    replays: Annotated[int, Field(ge=1, le=100)]
    pgd_step_size: Annotated[float, Field(gt=0, le=2)]
    pgd_steps: Annotated[int, Field(ge=1, le=1000)]
    final_pgd_steps: Annotated[int, Field(ge=1, le=1000)]
    final: Fraction
    pgd_loss: Literal["bce", "trades"]
    clean_weight: Weight
    pgd_weight: Weight
    unet_weight: Weight
    unet_learning_rate: Annotated[float, Field(gt=0, le=1)]
    unet_share: Annotated[float, Field(gt=0, le=1)]
    batch_statistics: Literal["frozen", "mixed"]
    pool: Annotated[int, Field(ge=1, le=100)]
    max_clean_drop: Fraction
    watch_frames: Annotated[int, Field(ge=2, le=100_000)]
    watch_steps: Annotated[int, Field(ge=1, le=1000)]
    max_overfit: Fraction

    @model_validator(mode="after")
    def _replays_divide_steps(self) -> "RobustParams":
        if self.steps % self.replays:
            raise ValueError(f"steps must be a multiple of replays, and {self.steps} is none of {self.replays}")
        return self


class FacelessParams(Section):
    """The faceless detector, which sees crops whose face is masked out: if it learns anything, the data leak.

    Attributes:
        epochs: how long it is fitted; all else is as for the baseline.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000)]


class SuiteParams(Section):
    """How hard models are attacked beyond PGD of `attack.steps`; an attack of 0 steps or queries is left out.

    Attributes:
        apgd_steps, apgd_restarts: of Auto-PGD, on fakes that stand after PGD, at every budget.
        pgd_steps, pgd_restarts: of a stronger PGD, on fakes that still stand.
        square_queries: of the Square attack, on fakes that still stand after that.
        adaptive_steps: through the codec that follows, from what PGD found, on all fakes.
        videos: test videos of each class that are scored at all, spread over forgery methods; null for all.
    """

    apgd_steps: Annotated[int, Field(ge=0, le=10_000)]
    apgd_restarts: Annotated[int, Field(ge=1, le=1000)]
    pgd_steps: Annotated[int, Field(ge=0, le=10_000)]
    pgd_restarts: Annotated[int, Field(ge=1, le=1000)]
    square_queries: Annotated[int, Field(ge=0, le=100_000)]
    adaptive_steps: Annotated[int, Field(ge=0, le=10_000)]
    videos: Annotated[int, Field(ge=1, le=1_000_000)] | None


class EvaluateParams(Section):
    """Conditions under which models are scored.

    Attributes:
        batch_size: crops scored at once; has no influence on the scores beyond rounding.
        jpeg_quality: JPEG qualities.
        h264_crf: H.264 constant rate factors.
        attacked_jpeg_quality, attacked_h264_crf: the codecs that follow an attack.
        real_clips: clips of each real video that are attacked, for the conditions that attack both classes.
        eps_curve: budgets of the eps curve.
        eps_frames: frames of each video on the eps curve.
        sanity_frames: test frames of each class that the checks for masked gradients look at.
        profile: which of the two suites of attacks is run.
        quick, thorough: the suites; the second takes several times as long for each video.
    """

    batch_size: Annotated[int, Field(ge=1, le=65_536)]
    jpeg_quality: tuple[Quality, ...]
    h264_crf: tuple[Rate, ...]
    attacked_jpeg_quality: tuple[Quality, ...]
    attacked_h264_crf: tuple[Rate, ...]
    real_clips: Annotated[int, Field(ge=1, le=1000)]
    eps_curve: tuple[Budget, ...]
    eps_frames: Annotated[int, Field(ge=1, le=1000)]
    sanity_frames: Annotated[int, Field(ge=2, le=100_000)]
    profile: Literal["quick", "thorough"]
    quick: SuiteParams
    thorough: SuiteParams

    @property
    def suite(self) -> SuiteParams:
        """The suite that `profile` names."""
        return self.quick if self.profile == "quick" else self.thorough


class GradcamParams(Section):
    """Grad-CAM maps and their panels.

    Attributes:
        faces: test fakes of each dataset role that get a panel, spread over the forgery methods.
        measured: test fakes of each dataset role that the numbers are computed on.
    """

    faces: Annotated[int, Field(ge=1, le=1000)]
    measured: Annotated[int, Field(ge=1, le=100_000)]


class ReportParams(Section):
    """How scores become metrics.

    Attributes:
        resamples: bootstrap resamples of every interval.
        max_false_positive_rate: FPR bound of the partial AUC.
    """

    resamples: Annotated[int, Field(ge=100, le=100_000)]
    max_false_positive_rate: Annotated[float, Field(gt=0, le=1)]


class Params(Section):
    """All of params.yaml."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    datasets: DatasetsParams
    sample: SampleParams
    faces: FacesParams
    crops: CropsParams
    detector: DetectorParams
    baseline: BaselineParams
    faceless: FacelessParams
    attack: AttackParams
    unet: UnetParams
    robust: RobustParams
    evaluate: EvaluateParams
    gradcam: GradcamParams
    report: ReportParams


_DEEPEST = 20  # the schema has 4
# What PyYAML raises on texts such as `!!int ""`, `2001-99-99` or a thousand brackets, besides errors of its own.
_NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError, RecursionError)


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check the whole parameter file.

    Raises:
        SettingsError: one line for the first fault: the key, its value and what would be right.
    """
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_deep(text)
        values = yaml.safe_load(text)
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file; run from the root of the repository") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except _NOT_YAML as error:
        raise SettingsError(f"{path}: not YAML: {' '.join(str(error).split()) or type(error).__name__}") from error
    return check_params(values, str(path))


def check_params(values: object, place: str) -> Params:
    """Parameters from plain values, as a YAML file gives them.

    Raises:
        SettingsError: as `load_params`; it begins with the place that the values are from.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_first_fault(place, error)) from error


def _refuse_deep(text: str) -> None:
    """A ValueError for brackets in brackets, on which PyYAML takes minutes before it gives up."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"nested more than {_DEEPEST} deep")


def _first_fault(place: str, error: ValidationError) -> str:
    fault, *others = error.errors()
    key = ".".join(str(part) for part in fault["loc"] if not str(part).startswith("function-"))
    message = fault["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    if fault["type"] == "extra_forbidden":
        message = f"no such key; known here: {', '.join(_known_keys(fault['loc'][:-1]))}"
    elif fault["type"] == "missing":
        message = "missing"
    elif fault["type"] != "value_error":
        message = f"{message}, not {_shown(fault['input'])}"
    more = f" (and {len(others)} more)" if others else ""
    return f"{place}: {key or 'the file'}: {message}{more}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    section: type[BaseModel] = Params
    for part in location:
        annotation = section.model_fields[str(part)].annotation
        options = [annotation, *getattr(annotation, "__args__", ())]
        section = next(option for option in options if isinstance(option, type) and issubclass(option, BaseModel))
    return list(section.model_fields)
