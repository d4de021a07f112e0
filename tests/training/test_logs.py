"""The table of a run, also of one that was killed after its last checkpoint."""

from napari_sam.training.logs import TrainingLog


def lines(folder):
    rows = (folder / "log.csv").read_text().split()
    return [row.split(",")[:3] for row in rows]


def test_a_resumed_run_drops_the_steps_that_it_repeats(tmp_path):
    with TrainingLog(tmp_path / "run") as log:
        for step in (1, 2, 3):
            log.write({"step": step, "seconds": 0.5, "loss": 1.0 / step})
    with TrainingLog(tmp_path / "run", step=2) as log:
        log.write({"step": 3, "seconds": 0.25, "loss": 0.25})
    assert lines(tmp_path / "run") == [
        ["step", "seconds", "loss"],
        ["1", "0.5", "1"],
        ["2", "0.5", "0.5"],
        ["3", "0.25", "0.25"],
    ]


def test_half_a_line_of_a_killed_run_is_told_and_left_out(tmp_path, caplog):
    with TrainingLog(tmp_path / "run") as log:
        log.write({"step": 1, "seconds": 0.5, "loss": 1.0})
    with (tmp_path / "run" / "log.csv").open("a") as file:
        file.write("2,0.5")
    with TrainingLog(tmp_path / "run", step=2):
        pass
    assert lines(tmp_path / "run") == [["step", "seconds", "loss"], ["1", "0.5", "1"]]
    assert "left out, lines: 1" in caplog.text
