"""Bad command lines: an exit code, one line on standard error, and nothing done."""

from __future__ import annotations

from pathlib import Path
from random import Random

from mnist_lib.config import SETTINGS
from mnist_lib.runs.records import RUN_NAME
from mnist_lib.runs.run import Run
from tests.support.processes import Python
from tests.support.runs import HOSTILE_TEXT
from tests.torture.row import Row, digest

TEXTS = (
    "", "-1", "0", "nan", "inf", "-inf", "1e999", "9" * 400, "0x10", "1.5.2", "many", "é", "\u202e", HOSTILE_TEXT,
    "../outside", "/etc/passwd", "/dev/zero", "/proc/self/mem", ".", "..", "x" * 5_000, "-", "--", "\udcff", "a b",
    "$(id)",
)  # fmt: skip


class Commands(Row):
    """A command line that cannot be done says so in one line."""

    name = "commands"
    what = "bad command lines"
    cases = 100
    quick_cases = 2
    max_processor_s = 10.0

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
        (folder / "empty").mkdir()
        (folder / "runs").mkdir()
        (folder / "runs" / "a-damaged-run").mkdir()
        (folder / "runs" / ".training.lock").touch()  # what stays of any training

    def case(self, number: int, random: Random) -> str:
        arguments = [text.replace("\0", "") for text in self.arguments(random)]
        before = digest(self.folder)
        code, stdout, stderr = Python().run("-m", "mnist_lib", *arguments, MNIST_RUNS_DIR=str(self.folder / "runs"))
        said = f"{arguments}"[:300]
        assert code in (2, 3), f"{said}: exit code {code}, {stdout[:200]!r}, {stderr[-500:]!r}"
        assert stderr.startswith("mnist_lib: "), f"{said}: {stderr[-500:]!r}"
        assert stderr.endswith("\n"), f"{said}: {stderr[-500:]!r}"
        assert len(stderr.splitlines()) == 1, f"{said}: {stderr[-500:]!r}"
        assert not stdout, f"{said}: {stdout[:200]!r}"
        assert digest(self.folder) == before, f"{said}: something was written"
        return f"exit code {code} and one line"

    def arguments(self, random: Random) -> list[str]:
        text = random.choice(TEXTS)
        flags = ["--limit" if name == "training_images" else f"--{name.replace('_', '-')}" for name in SETTINGS]
        kind = random.choice(
            ("setting", "setting", "preset", "run", "picture", "command", "option", "background", "folder")
        )
        if kind == "setting":
            # Nothing of it is a whole number above 1 or a number from 0 to 1, so no setting can take it.
            bad = random.choice([text for text in TEXTS if text not in ("0", "0x10")])
            return ["train", f"{random.choice(flags)}={bad}"]
        if kind == "preset":
            return ["train", f"--preset={text}"]
        if kind == "run":
            name = random.choice((text, "a-damaged-run"))
            command = random.choice((["evaluate", "--"], ["script", "--"], ["predict", "--run", "x", "--"]))
            return random.choice(([*command, name], ["train", f"--continue={name}"]))
        if kind == "picture":
            path = random.choice((text, str(self.folder / "broken.png"), str(self.folder / "empty")))
            return ["predict", "--", path]
        if kind == "command":
            return [text, *random.sample(TEXTS, random.choice((0, 1, 5)))]
        if kind == "option":
            return [random.choice(("train", "evaluate", "summary", "runs")), f"--unknown={text}"]
        if kind == "background":
            text = random.choice([text for text in TEXTS if not RUN_NAME.fullmatch(text)])
            return ["train", "--limit=100", f"--background-run={text}"]
        return ["train", "--limit=100", f"--runs-dir={self.folder / 'broken.png'}"]
