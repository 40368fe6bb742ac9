"""Does the robust detector win whatever the seed? Both detectors trained, attacked and scored anew for several seeds.

The crops stay the same, so that only training differs. The seed of params.yaml is the pipeline's own run; every other
one runs the pipeline's commands in a folder of its own, and what is finished is not run again while its parameters
and its code stay as they are. From the repository's root, after `dvc repro`:

    PYTHONPATH=src python benchmarks/seeds.py --seeds 1 2 3 --out benchmarks/results/seeds

With other data and parameters, faces and crops included:

    PYTHONPATH=src python benchmarks/seeds.py --anew --set crops.size=128 --set datasets.cross=null \
        --set 'datasets.train={layout: manifest, root: /data/mine}' --out benchmarks/results/mine
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from seeds_table import MEAN, Line, to_lines, to_markdown
from stages_anew import REPOSITORY, Stage, read_stages, require_up_to_date, run_stages

from deepfake.errors import SettingsError
from deepfake.params import Params, check_params, load_params
from deepfake.reporting.pairing import pair_means, pair_models
from deepfake.reporting.scores import ScoreSet, load_score_sets
from deepfake.runtime import open_device, replacing
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.work import file_hash, work_folder, work_key

MODELS = ("baseline", "robust")
_AFTER_TRAINING = ("evaluate", "gradcam", "report")  # sections of params.yaml that do not ask for another folder


@dataclass(frozen=True)
class Run:
    """One seed: its parameters and where it works."""

    seed: int
    params: Params
    folder: Path


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    _refuse_idle(args)
    settings = changed(params, args.set)
    check_params(settings, "--set")  # as a stage would, before hours of work begin
    roles = [role for role, dataset in settings["datasets"].items() if dataset]
    stages = read_stages(REPOSITORY / "dvc.lock", stage_names(roles, anew=args.anew))
    device = open_device()
    inputs = [_data(settings, anew=args.anew), str(device)]
    own = own_run(params) if params.seed in args.seeds and not (args.anew or args.set) else None
    runs = [own if own and seed == own.seed else _prepare({**settings, "seed": seed}, inputs, anew=args.anew)
            for seed in args.seeds]  # fmt: skip
    with ThreadPoolExecutor(args.workers) as pool, ThreadPoolExecutor(len(runs)) as seeds:
        found = list(seeds.map(lambda one: _score_sets(one, roles, stages, pool), runs))
    lines = lines_of(runs, found, params.seed)
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    with replacing(args.out.with_suffix(".md")) as temporary:
        temporary.write_text(
            to_markdown(lines, runs[0].params, device, args.set, own.seed if own else None), encoding="utf-8"
        )


def stage_names(roles: Sequence[str], *, anew: bool) -> Iterator[str]:
    """Names of the stages from faces (or from crops) to scores."""
    if anew:
        yield from (f"{stage}@{role}" for stage in ("extract_faces", "cache_crops") for role in roles)
    yield from ("train_baseline", "train_faceless", "fit_attacker@opening", "train_robust@robust")
    for model in MODELS:
        yield from (f"export@{model}", f"fit_attacker@{model}")
        yield from (f"evaluate@{model}-{role}" for role in roles)


def changed(params: Params, changes: Sequence[str]) -> dict[str, Any]:
    """The parameters as plain values, with `key.key=value` of each change put in; values are YAML.

    Raises:
        SettingsError: a change without a value, or of a key that is not there.
    """
    settings = params.model_dump(mode="json")
    for change in changes:
        path, _, value = change.partition("=")
        *sections, key = path.split(".")
        place: Any = settings
        for section in sections:
            place = place.get(section) if isinstance(place, Mapping) else None
        if not isinstance(place, dict) or key not in place or not value:
            raise SettingsError(f"--set {change}: a key of params.yaml and =value would be right")
        place[key] = yaml.safe_load(value)
    return settings


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="seeds of training (default: 1 2 3)")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="other parameters")
    parser.add_argument("--anew", action="store_true", help="find faces and cut crops too; else data/crops is used")
    parser.add_argument("--workers", type=int, default=1, help="stages at once (default: 1; a large GPU takes more)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def _refuse_idle(args: argparse.Namespace) -> None:
    """Refuse what would be told with the table and had no influence on it, or would run twice in one folder."""
    idle = {"seed", "sample"} | (set() if args.anew else {"faces", "crops"})
    for setting in args.set:
        if setting.partition(".")[0].partition("=")[0] in idle:
            raise SettingsError(f"--set {setting}: has no influence here; --seeds or --anew would be right")
    if len(set(args.seeds)) < len(args.seeds):
        raise SettingsError("--seeds: each of them once would be right")


def own_run(params: Params) -> Run:
    """The pipeline's own run, which is as good as any other.

    Raises:
        StageError: it is not that of the code, parameters and data at hand.
    """
    require_up_to_date(REPOSITORY)
    return Run(params.seed, params, REPOSITORY)


def _data(settings: Mapping[str, Any], *, anew: bool) -> list[object]:
    """What tells the data of a run from other data: hashes of crops, or sizes and times of a data set's files."""
    if not anew:
        return [file_hash(path) for path in sorted((REPOSITORY / "data/crops").glob("*/*"))]
    roots = [Path(dataset["root"]) for dataset in settings["datasets"].values() if dataset]
    found = [(path, path.stat()) for root in roots for path in sorted(root.rglob("*"))]
    return [(str(path), state.st_size, state.st_mtime) for path, state in found if not path.is_dir()]


def _prepare(settings: dict[str, Any], inputs: Sequence[object], *, anew: bool) -> Run:
    shaping = {name: value for name, value in settings.items() if name not in _AFTER_TRAINING}
    folder = work_folder("seeds").absolute() / work_key(shaping, inputs, code=[])
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    for name in ("src", "data/raw" if anew else "data/crops"):
        _link(folder / name, REPOSITORY / name)
    return Run(settings["seed"], load_params(folder / "params.yaml"), folder)


def _link(path: Path, target: Path) -> None:
    if path.is_symlink() and path.readlink() == target:
        return  # a stage of another start of this benchmark may be reading it
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _score_sets(one: Run, roles: Sequence[str], stages: Sequence[Stage], pool: ThreadPoolExecutor) -> list[ScoreSet]:
    if one.folder != REPOSITORY:
        run_stages(stages, one.folder, pool)
    return load_score_sets(one.folder / "data" / "scores", roles)


def lines_of(runs: Sequence[Run], found: Sequence[list[ScoreSet]], seed: int) -> list[Line]:
    """Lines of every run, and of their mean where they are several, whose people `seed` draws."""
    lines: list[Line] = []
    for one, score_sets in zip(runs, found, strict=True):
        pairs = pair_models(score_sets, one.params.report, one.seed)
        lines += to_lines(str(one.seed), pairs, score_sets)
    if len(runs) > 1:
        lines += to_lines(MEAN, pair_means(found, runs[0].params.report, seed), [])
    return lines


if __name__ == "__main__":
    sys.exit(run(main))
