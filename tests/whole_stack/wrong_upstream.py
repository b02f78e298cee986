"""The whole stack against an external API that errs in a share of its calls: in each way alone, and in all mixed.

    python tests/whole_stack/wrong_upstream.py [--rows 2000] [--share 0.2] [--only mixed]

Each run uploads a file of its own, some of whose locations make the API fail with 500, and checks every row of the
result: the right postcode, or no match where there is none, and `failed` with its reason for those locations alone.
Prints a table; exit code 1 when a row is wrong. Takes some minutes: calls that hang are given up after 10 s.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

from country import POSTCODES, csv_of, some_of
from postcodes_io import RunningPostcodesIo, running_postcodes_io
from stack import Stack, check_result, running_stack

POISONOUS = 5
#: Name → what the fake is told.
FAULTS: dict[str, dict[str, object]] = {
    "500 on poisonous locations alone": {},
    "429, Retry-After: 1": {"status": 429, "retry_after": 1},
    "503, Retry-After: 1": {"status": 503, "retry_after": 1},
    "500 at random": {"status": 500},
    "502": {"status": 502},
    "hang": {"kind": "hang"},
    "half closed": {"kind": "half_closed"},
    "reset": {"kind": "reset"},
    "drip": {"kind": "drip"},
    "HTML with 200": {"kind": "garbage"},
    "endless body": {"kind": "endless"},
    "short array": {"kind": "short"},
    "other order": {"kind": "reordered"},
    "mixed": {"kind": "mixed", "retry_after": 1},
}


def main() -> int:
    parser = argparse.ArgumentParser(description="The whole stack against an external API that errs.")
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--share", type=float, default=0.2, help="of the calls, that go wrong")
    parser.add_argument("--only", help="one of the faults, by its name")
    options = parser.parse_args()
    wrong = 0
    print(
        f"{'fault':34} {'rows':>6} {'calls':>6} {'wrong':>6} {'asked again':>11} {'put back':>8} {'seconds':>7}  rows"
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        running_postcodes_io(POSTCODES, answer_fields="small") as upstream,
        running_stack(
            Path(folder),
            PROVIDER="postcodes_io",
            POSTCODES_IO_URL=upstream.url,
            POSTCODES_IO_CALLS_PER_SECOND="40",
            POSTCODE_CONSUMER_PROCESSES="2",
            WORKERS="2",
            CHUNK_ROWS="500",
        ) as stack,
    ):
        for seed, (name, faults) in enumerate(FAULTS.items(), 1):
            if options.only in (None, name):
                wrong += not run(stack, upstream, name, faults, rows=options.rows, share=options.share, seed=seed)
    return 1 if wrong else 0


def run(
    stack: Stack,
    upstream: RunningPostcodesIo,
    name: str,
    faults: dict[str, object],
    *,
    rows: int,
    share: float,
    seed: int,
) -> bool:
    """Whether all rows are right."""
    content = csv_of(rows, seed=100 + seed)
    poison = some_of(content, POISONOUS, seed=seed)
    put_back = stack.log.read_text().count("chunk put back")
    upstream.reset()
    upstream.fail(**faults, share=share, poison=sorted(poison), seed=seed)
    started = time.monotonic()
    upload = stack.upload(content)
    done = stack.wait_until_done(upload, seconds=1_200)
    seconds = time.monotonic() - started
    stats = upstream.stats
    upstream.recover()
    try:
        check_result(content, stack.result(upload), done, poison=poison)
    except AssertionError as error:
        said = f"WRONG: {error}"[:300]
    else:
        said = "all right"
    put_back = stack.log.read_text().count("chunk put back") - put_back
    print(
        f"{name:34} {rows:>6} {stats['calls']:>6} {stats['faulted']:>6} {stats['repeats']:>11} {put_back:>8}"
        f" {seconds:>7.1f}  {said}",
        flush=True,
    )
    return said == "all right"


if __name__ == "__main__":
    sys.exit(main())
