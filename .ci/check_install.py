"""Install the one wheel of a folder into a fresh environment: it starts quickly, finds cells."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = ("napari", "qtpy", "torch")
BUDGET = 0.1  # seconds that the import may take
TRIES = 5  # of which the quickest counts: other work disturbs
IMPORT = f"""
import sys, time
begin = time.perf_counter()
import napari_sam
print(time.perf_counter() - begin)
heavy = [name for name in {HEAVY} if name in sys.modules]
sys.exit(f"importing napari_sam loads {{heavy}}" if heavy else 0)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Return what a command prints, outside of the repository and its paths."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=cwd, env=clean, check=True, text=True, stdout=subprocess.PIPE
    ).stdout.strip()


def main(dist: Path) -> int:
    """Return 0 if all is well."""
    (wheel,) = dist.resolve().glob("*.whl")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "fresh", with_pip=True)
        bin = folder / "fresh" / ("Scripts" if sys.platform == "win32" else "bin")
        pip = (bin / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt")
        run(*pip, wheel, cwd=folder)
        version = run(bin / "napari-sam", "--version", cwd=folder)
        if version.split()[-1] != wheel.name.split("-")[1]:
            print(f"{wheel.name} says that it is {version}")
            return 1
        run(bin / "napari-sam", "demo", "--headless", cwd=folder)
        times = [float(run(bin / "python", "-c", IMPORT, cwd=folder)) for _ in range(TRIES)]
    print(f"{version}: imported in {min(times) * 1000:.0f} ms")
    return int(min(times) > BUDGET)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
