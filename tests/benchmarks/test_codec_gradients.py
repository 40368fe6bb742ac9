from pathlib import Path

import codec_gradients
import pytest
import torch
from codec_gradients import Line, codecs_of
from toy_project import Project

from deepfake.params import load_params
from deepfake.tables import read_rows


def test_own_gradients_are_not_smoothed_and_stand_beside_their_codec() -> None:
    codecs = codecs_of(load_params().evaluate, [50, 95], [23])
    assert [codec.name for codec, _ in codecs] == ["jpeg50", "jpeg95", "h264_crf23"]
    for codec, own in codecs:
        point = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
        fine = (torch.arange(32) % 2 * 2.0 - 1).expand_as(point)
        seen = own(point)
        (seen * fine).sum().backward()
        assert torch.allclose(seen, codec.stand_ins[0](point), atol=1e-6)
        assert point.grad is not None
        assert point.grad.norm() > 0.5 * fine.norm()


def test_every_detector_has_a_line_for_every_codec(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    codec_gradients.main(["--crops", "data/crops/train", "--detector", "one", "models/release/baseline.pt",
                          "--videos", "2", "--jpeg-quality", "50", "90", "--h264-crf", "23",
                          "--out", str(tmp_path / "table")])  # fmt: skip
    lines = read_rows(tmp_path / "table.csv", Line)
    assert [line.codec for line in lines] == ["jpeg50", "jpeg90", "h264_crf23"]
    assert all(0 <= auc <= 1 for line in lines for auc in (line.own, line.smoothed))
    assert "| one | JPEG quality 50 |" in (tmp_path / "table.md").read_text()
