"""The suite of attacks: cheap ones on all fakes, costly ones on what stands, and those that know the codec."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from crop_folders import face_video, write_crop_folder
from toy_detectors import EPS, Bounded, Small, draw_bounded, train_small

from deepfake.attacks.adaptive import Adaptive
from deepfake.attacks.pgd import PGD
from deepfake.attacks.protocol import Attack
from deepfake.crops.batches import to_unit
from deepfake.crops.choosing import few_per_video
from deepfake.crops.shards import CropSet, open_crops
from deepfake.evaluation.attacked import Threat
from deepfake.evaluation.budgets import score_eps_curve
from deepfake.evaluation.conditions import CLEAN, Condition, attacked_conditions
from deepfake.evaluation.prediction import corrupted, score_clips, whole_clips
from deepfake.evaluation.sanity import adaptive_checks
from deepfake.evaluation.subset import few_test_videos, holds_clips
from deepfake.evaluation.suite import further_threats, score_adaptive, score_beyond, score_further
from deepfake.evaluation.target import Target
from deepfake.params import EvaluateParams, SuiteParams
from deepfake.records import FAKE, CropRow, FrameScore

SUITE = SuiteParams(
    apgd_steps=4, apgd_restarts=2, pgd_steps=3, pgd_restarts=1, square_queries=5, adaptive_steps=5, videos=None
)
EVALUATE = EvaluateParams(
    batch_size=6, jpeg_quality=(), h264_crf=(), attacked_jpeg_quality=(50, 95), attacked_h264_crf=(30,),
    eps_curve=(0.01,), eps_frames=1, sanity_frames=2, real_clips=1, profile="quick", quick=SUITE, thorough=SUITE,
)  # fmt: skip
CODECS = attacked_conditions(EVALUATE, with_video=True)

Logits = dict[tuple[str, int], float]


@pytest.fixture(scope="module")
def model() -> Small:
    return train_small()


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    videos = {f"set/{method}/{n}": 4 for method in ("original", "A") for n in range(2)}
    folder = tmp_path_factory.mktemp("suite") / "crops"
    return open_crops(write_crop_folder(folder, videos, split="test", size=32))


def target_of(model: Small, crops: CropSet, plain: Sequence[FrameScore] | None = None) -> Target:
    """The target with its own scores under every codec, or with the given clean ones."""
    own = {codec.name: scored(model, crops, codec) for codec in CODECS}
    return Target(model, crops, own if plain is None else {"clean": plain}, batch_size=6, workers=2)


def scored(model: Small, crops: CropSet, codec: Condition) -> list[FrameScore]:
    read = corrupted(whole_clips(crops), codec.corrupt)
    batches = score_clips(model, crops.clips(), read, condition=codec.name, batch_size=6, workers=1)
    return [score for batch in batches for score in batch]


def given(crops: CropSet, *, reals: Sequence[float], fakes: Sequence[float]) -> list[FrameScore]:
    """Made-up clean scores, first frames first."""
    left = {0: list(reals), 1: list(fakes)}
    return [
        FrameScore("clean", row.video, row.clip, row.frame, left[crops.label(row)].pop(0)) for row in crops.rows
    ]  # fmt: skip


def with_reals_at(logit: float, scores: Sequence[FrameScore]) -> list[FrameScore]:
    """The scores with all reals at one logit, so that what stands is known."""
    return [replace(score, logit=logit) if "original" in score.video else score for score in scores]


def by_place(scores: Sequence[FrameScore]) -> Logits:
    return {(score.video, score.frame): score.logit for score in scores}


def pgd(name: str = "apgd", steps: int = 3) -> Threat:
    return Threat(name, PGD(EPS, steps), EPS, seed=1)


def feeble(name: str) -> Threat:
    """A small step of the same kind, of two shades, which leaves much to be found."""
    return Threat(name, PGD(EPS, 1, step_size=0.25, random_start=False), EPS, seed=1)


def test_the_floor_is_the_lowest_clean_real(model: Small, crops: CropSet) -> None:
    plain = given(crops, reals=[1, 2, -3, 4, 5, 6, 7, 8], fakes=[-9] * 8)
    assert target_of(model, crops, plain).floor == -3


def test_only_what_stands_is_attacked_again_and_what_fell_keeps_its_logit(model: Small, crops: CropSet) -> None:
    before = given(crops, reals=[-1000.0] * 8, fakes=[-1001.0, 50.0, -1000.0, 50.0, *[-2000.0] * 4])
    fakes = crops.of_label(FAKE)
    found = score_beyond(target_of(model, crops, before), fakes, pgd(), before)
    attacked = {(row.video, row.frame) for row in found.perturbations}
    assert attacked == {("set/A/0", 1), ("set/A/0", 3)}, "a fake that is level with the lowest real has fallen"
    after, old = by_place(found.scores), by_place(before)
    assert after.keys() == {(row.video, row.frame) for row in fakes.rows}
    assert all(after[place] == old[place] for place in after.keys() - attacked)
    assert all(after[place] < 50 for place in attacked)
    assert {score.condition for score in found.scores} == {"apgd"}


def test_an_attack_that_finds_nothing_better_leaves_the_best_so_far(model: Small, crops: CropSet) -> None:
    before = given(crops, reals=[-1000.0] * 8, fakes=[-900.0] * 8)
    found = score_beyond(target_of(model, crops, before), crops.of_label(FAKE), pgd(), before)
    assert len(found.perturbations) == 8
    assert {score.logit for score in found.scores} == {-900.0}


def test_attacks_go_on_from_one_another_among_clean_reals(model: Small, crops: CropSet) -> None:
    clean = with_reals_at(-1000.0, scored(model, crops, CLEAN))
    target = target_of(model, crops, clean)
    first, second = score_further(target, [feeble("apgd"), pgd("square")], clean)
    assert [{s.condition for s in part.scores} for part in (first, second)] == [{"apgd"}, {"square"}]
    before, once, twice = (by_place(scores) for scores in (clean, first.scores, second.scores))
    assert before.keys() == once.keys() == twice.keys()
    for place, logit in before.items():
        fake = "/A/" in place[0]
        assert twice[place] <= once[place] <= logit if fake else twice[place] == once[place] == logit
    fakes = [place for place in before if "/A/" in place[0]]
    assert any(once[place] < before[place] for place in fakes)
    assert any(twice[place] < once[place] for place in fakes)


def test_an_attack_without_steps_is_left_out() -> None:
    assert [threat.name for threat in further_threats(SUITE, EPS, seed=1)] == ["apgd", "pgd_strong", "square"]
    none = SUITE.model_copy(update={"apgd_steps": 0, "pgd_steps": 0, "square_queries": 0})
    assert further_threats(none, EPS, seed=1) == []
    only = SUITE.model_copy(update={"pgd_steps": 0, "square_queries": 0})
    (apgd,) = further_threats(only, EPS, seed=1)
    assert (apgd.name, apgd.eps) == ("apgd", EPS)


def test_each_attack_of_the_suite_runs_on_what_stands_within_the_budget(model: Small, crops: CropSet) -> None:
    clean = with_reals_at(-1000.0, scored(model, crops, CLEAN))
    done = list(score_further(target_of(model, crops, clean), further_threats(SUITE, EPS, seed=1), clean))
    assert [{row.attack for row in part.perturbations} for part in done] == [{"apgd"}, {"pgd_strong"}, {"square"}]
    for part in done:
        assert len(part.perturbations) == 8
        assert max(row.linf for row in part.perturbations) <= EPS + 1e-6
    before, after = by_place(clean), by_place(done[0].scores)
    assert all(after[place] < before[place] for place in after if "/A/" in place[0])


def test_attacks_by_gradient_see_past_a_bound(monkeypatch: pytest.MonkeyPatch, model: Small, crops: CropSet) -> None:
    bounded, fakes = Bounded().eval(), draw_bounded(6)
    long = SUITE.model_copy(update={"apgd_steps": 40, "pgd_steps": 40, "square_queries": 0})
    for threat in further_threats(long, EPS, seed=1):
        with torch.no_grad():
            assert (bounded(threat.attack(bounded, fakes, torch.ones(6), list(range(6)))) < -1).all()
    seen: list[Attack] = []

    def record(attack: Attack) -> Attack:
        seen.append(attack)
        return attack

    monkeypatch.setattr("deepfake.evaluation.suite.Unsaturated", record)
    list(score_adaptive(target_of(model, crops), CODECS[:2], pgd(steps=1), 1))
    assert [type(attack) for attack in seen] == [Adaptive]


def test_an_attacker_who_knows_the_codec_is_scored_after_it_only(model: Small, crops: CropSet) -> None:
    target = target_of(model, crops)
    done = list(score_adaptive(target, CODECS, pgd(steps=5), 5))
    names = ["adaptive_jpeg50", "adaptive_jpeg95", "adaptive_h264_crf30"]
    assert [{score.condition for score in part.scores} for part in done] == [{name} for name in names]
    for part, codec in zip(done, CODECS[1:], strict=True):
        assert {row.attack for row in part.perturbations} == {codec.after("adaptive")}
        assert len(part.perturbations) == 8
        assert max(row.linf for row in part.perturbations) <= EPS + 1e-6
        attacked, plain = by_place(part.scores), by_place(target.plain[codec.name])
        assert attacked.keys() == plain.keys()
        assert all(attacked[place] == plain[place] for place in plain if "original" in place[0])


def test_knowing_the_codec_helps(model: Small, crops: CropSet) -> None:
    """At a JPEG quality that undoes most of what an attacker did who does not know it."""
    harsh = attacked_conditions(EVALUATE.model_copy(update={"attacked_jpeg_quality": (12,)}), with_video=False)[1]
    target = Target(model, crops, {"clean": [], harsh.name: []}, batch_size=8, workers=1)
    blind = target.attack(crops.of_label(FAKE), feeble("pgd"), [harsh]).scores
    (knowing,) = score_adaptive(target, [harsh], feeble("pgd"), 20)
    assert sum(s.logit for s in knowing.scores) < sum(s.logit for s in blind)
    fakes = {row.video for row in crops.of_label(FAKE).rows}
    (honest,) = adaptive_checks([*blind, *knowing.scores], fakes)
    swapped = {"pgd": "adaptive", "adaptive": "pgd"}
    (exchanged,) = adaptive_checks(
        [replace(s, condition=f"{swapped[s.condition.partition('_')[0]]}_jpeg12") for s in [*blind, *knowing.scores]],
        fakes,
    )
    assert (honest.raised, exchanged.raised) == (0, 1)
    assert honest.value == pytest.approx(-exchanged.value)
    assert adaptive_checks(blind, fakes) == []


def test_stand_ins_are_a_jpeg_of_that_quality_and_the_encoder_itself(crops: CropSet) -> None:
    assert [len(codec.stand_ins) for codec in CODECS] == [0, 1, 1, 1]
    assert [codec.whole_clips for codec in CODECS] == [False, False, False, True]
    clip = crops.stacked(crops.clips()[0])
    x = to_unit(clip, torch.device("cpu"))
    for codec in CODECS[1:]:
        seen, real = codec.stand_ins[0](x), to_unit(np.stack(codec.corrupt(list(clip))), x.device)
        lost = (seen - real).abs().mean()
        assert lost < (1e-6 if codec.whole_clips else (x - real).abs().mean() / 15)


def test_the_gradient_of_a_stand_in_is_smooth_where_the_codec_loses_fine_changes(crops: CropSet) -> None:
    clip = crops.stacked(crops.clips()[0])
    left: dict[str, float] = {}
    for codec in CODECS[1:]:
        point = to_unit(clip, torch.device("cpu")).requires_grad_()
        fine = (torch.arange(point.shape[-1]) % 2 * 2.0 - 1).expand_as(point)
        (codec.stand_ins[0](point) * fine).sum().backward()
        assert point.grad is not None
        left[codec.name] = float(point.grad.norm() / fine.norm())
    assert [name for name, share in left.items() if share < 0.25] == ["jpeg50", "h264_crf30"]
    assert left["jpeg95"] > 0.5


def test_a_clip_is_never_encoded_with_another(
    model: Small, crops: CropSet, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    seen: list[int] = []

    def record(attack: Attack) -> Attack:
        def run(model, x, y, seeds):  # type: ignore[no-untyped-def]
            seen.append(len(x))
            return attack(model, x, y, seeds)

        return run

    monkeypatch.setattr("deepfake.evaluation.suite.Adaptive", lambda start, *_, **__: record(start))
    list(score_adaptive(target_of(model, crops), CODECS[-1:], pgd(steps=1), 1))
    assert seen == [4, 4]


def test_the_worst_of_a_budget_is_what_stands_after_pgd_attacked_again(model: Small, crops: CropSet) -> None:
    clean = scored(model, crops, CLEAN)
    reached = target_of(model, crops, clean).attack(crops.of_label(FAKE), feeble("pgd"), [CLEAN]).scores
    middle = sorted(score.logit for score in reached)[3]
    target = target_of(model, crops, with_reals_at(middle, clean))
    curve = score_eps_curve(target, crops, {}, {EPS: [feeble("pgd"), pgd("apgd")]})
    attacks = {name: {(s.video, s.frame): s.logit for s in curve if s.attack == name} for name in ("pgd", "worst")}
    fakes = [place for place in attacks["pgd"] if "/A/" in place[0]]
    assert all(attacks["worst"][place] <= attacks["pgd"][place] for place in attacks["pgd"])
    stood = [place for place in fakes if attacks["pgd"][place] > target.floor]
    assert len(stood) == 4
    assert sum(attacks["worst"][place] for place in stood) < sum(attacks["pgd"][place] for place in stood)
    assert all(attacks["worst"][place] == attacks["pgd"][place] for place in attacks["pgd"].keys() - set(stood))


def test_fewer_test_videos_are_spread_over_methods_and_leave_validation_alone() -> None:
    keys = [f"set/{method}/{n}" for method in ("original", "A", "B", "C") for n in range(6)] + ["set/D/0"]
    videos = {key: face_video(key, split="test") for key in keys}
    videos |= {f"set/A/val{n}": face_video(f"set/A/val{n}", split="val") for n in range(9)}
    rows = [CropRow(key, 0, 0, 0, 0, 0, 0, 1, 1) for key in videos]
    few = few_test_videos(CropSet(videos, rows, {}), 5)
    counts = {method: sum(v.method == method and v.split == "test" for v in few.videos.values()) for method in
              ("original", "A", "B", "C", "D")}  # fmt: skip
    assert counts == {"original": 5, "A": 2, "B": 1, "C": 1, "D": 1}
    assert sum(video.split == "val" for video in few.videos.values()) == 9
    assert [row.video for row in few.rows] == list(few.videos)


def test_without_a_limit_all_videos_stay() -> None:
    videos = {"set/A/1": face_video("set/A/1", split="test")}
    crops = CropSet(videos, [], {})
    assert few_test_videos(crops, None) is crops
    assert few_test_videos(crops, 7).videos == videos


def test_a_codec_that_is_named_twice_follows_once() -> None:
    twice = EVALUATE.model_copy(update={"attacked_jpeg_quality": (50, 50), "attacked_h264_crf": (30, 30)})
    assert [codec.name for codec in attacked_conditions(twice, with_video=True)] == ["clean", "jpeg50", "h264_crf30"]


def test_single_frames_are_no_clips(crops: CropSet) -> None:
    assert holds_clips(crops)
    assert not holds_clips(few_per_video(crops, 1)), "an encoder would make a picture of each"
    pictures = {key: replace(video, kind="image") for key, video in crops.videos.items()}
    assert not holds_clips(replace(crops, videos=pictures))


def test_nothing_follows_clean() -> None:
    assert CLEAN.stand_ins == ()
