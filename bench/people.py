"""Makes the people that a benchmark needs in a data folder: an operator-lead with a token, annotators with tokens.

Setting up, not measured: it writes rows directly, so it runs beside a stopped or running server alike.
Usage: python bench/people.py DATA_FOLDER [--annotators 64]. Prints a JSON file's path: names, tokens, a password.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Idempotent: known people get new tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--annotators", type=int, default=64)
    o = parser.parse_args()
    os.environ["CONCORD_DATA"] = o.data
    os.environ["DJANGO_SETTINGS_MODULE"] = "annotator.site.settings"
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from knox.models import AuthToken

    from annotator.models import Account

    def person(name: str, **fields: object) -> dict[str, str]:
        account = Account.objects.filter(username=name).first() or Account.objects.create_user(name, **fields)
        return {"name": name, "id": account.public_id, "token": AuthToken.objects.create(user=account)[1]}

    password = "bench-only-" + os.urandom(6).hex()
    lead = person("bench-lead", is_operator=True)
    account = Account.objects.get(username="bench-lead")
    account.set_password(password)
    account.save()
    people = {
        "lead": lead,
        "password": password,
        "annotators": [person(f"bench-{i:02d}") for i in range(o.annotators)],
    }
    out = Path(o.data) / "bench-people.json"
    out.touch(mode=0o600)
    out.write_text(json.dumps(people))
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
