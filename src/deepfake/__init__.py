"""A house of three floors: imports only go down, and rooms of a floor do not know each other (tests/test_house.py).

The scripts in src/ stand on top: one for each stage of dvc.yaml, and those that a user starts, such as predict.py.

Second floor, which combines:
    training     fitting detectors and attackers: steps, validation, the epoch that is kept
    evaluation   what a detector scores clean, compressed, attacked, and the checks of the attacks themselves
    explain      Grad-CAM and what its maps are worth
    reporting    scores -> metrics with intervals, tables, figures, one page; review of a change
    scoring      one answer for one file, with how far to trust it

First floor, one thing each:
    sample       the rendered dataset
    datasets     folders of FaceForensics++, Celeb-DF v2 or a manifest -> videos with label, split and people
    faces        MTCNN on sampled frames, and the track of the dominant face
    crops        cutting and caching faces; batches of them, augmented
    detector     EfficientNet's feature map read by a small Vision Transformer; checkpoints
    attacks      PGD, APGD, Square, the U-Net, adaptive ones, and the ball that they stay in
    corruptions  JPEG and H.264, and a JPEG with a gradient
    metrics      ranking, operating points, calibration, bootstrap

Ground floor, for all:
    params       params.yaml, explained and checked
    records, findings, tables, archive    what stages hand on, as types, as CSV and as a file of tensors
    video        decoding and encoding; pictures
    stage, runtime, ranks, work           how a script runs, alone or as one of several, and goes on after a kill
    errors, modes                         what a user sees as one line; eval mode and frozen weights for a while
"""
