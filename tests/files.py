"""Files and jobs for tests of imports: pictures, archives, and a worker that runs what is queued."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from PIL import Image

from annotator import jobs
from annotator.models import Job


def picture(n: int = 0, size: tuple[int, int] = (64, 48), form: str = "PNG") -> bytes:
    """A small picture, different for each n."""
    out = io.BytesIO()
    Image.new("RGB", size, (n % 256, (n // 256) % 256, 90)).save(out, form)
    return out.getvalue()


def archive(members: dict[str, bytes]) -> bytes:
    """A deflated zip of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, raw in members.items():
            made.writestr(name, raw)
    return out.getvalue()


def lines(rows: list[Any]) -> bytes:
    """JSON lines."""
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def run_jobs() -> list[str]:
    """Run the io lane empty; the states the jobs came to rest in."""
    states = []
    while (ticket := jobs.take("io")) is not None:
        states.append(jobs.run(ticket))
    return states


def job_of(answer: Any) -> Job:
    """The job that an answer of the API names."""
    return Job.objects.get(public_id=answer.json()["job"])
