"""Measure the presets against a bare Keras script of the paper's recipe, and what they cost beside it.

    python -m benchmarks.training [--seeds 0 1 2 3 4] [--presets paper fast accurate] [--bare-onednn]
                                  [--parts trainings streaming first-point evaluation] [--json]
    python -m benchmarks.training --from RESULTS.json... [--plot FILE.svg] [--json]
    python -m benchmarks.training --compare OLD.json NEW.json

Each training is a separate process. Those with the same seed take turns with the bare
script, so that a drifting speed of the machine affects both alike; the ratio within a turn
is what counts. Times are from the call of fit to its return; ours include the streaming and
the evaluation of the test images after each epoch, the bare script's include neither.

A full run takes about an hour on two cores. Results of several runs with ``--json``, each
with a part of the seeds, say, are put together with ``--from``. The versions are those of
the backend that ``KERAS_BACKEND`` names.
"""
