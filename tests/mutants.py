"""Takes one guard out at a time, and expects the test of its fault (docs/faults.md) to fail.

    python tests/mutants.py [--only 06]

Each test is first run as the code is, where it must pass. Exit code 1 when a mutant survives or a test fails anyway.
PostgreSQL is that of TEST_POSTGRES_URL, or one brought up for the run. Takes a quarter of an hour.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit, urlunsplit

import psutil
from run import _CONFIGURING, ROOT, postgres

READER, CONSUMER = "file_reader", "postcode_consumer"
ENGINE = "file_reader/uploads/work/leases.py"
LEASE_SQL = "file_reader/uploads/work/lease_sql.py"
GEOCODING = "file_reader/uploads/work/geocoding.py"
LOADING = "file_reader/uploads/work/loading.py"
WORKER = "file_reader/uploads/work/worker.py"
DATABASE_ERRORS = "service_kit/service_kit/database_errors.py"
CLIENT = "postcode_consumer/lookups/providers/postcodes_io/client.py"
PROVIDER = "postcode_consumer/lookups/providers/postcodes_io/search.py"
Database = Literal["SQLite", "PostgreSQL"]
OF_WORKERS = "tests/processes/test_faults_of_workers.py::test_fault_"
OF_DATABASE = "tests/processes/test_faults_of_the_database.py::test_fault_"
OF_CONSUMER = "tests/processes/test_faults_of_postcode_consumer.py::test_fault_"
OF_QUEUE = "tests/database/test_fair_queue.py::test_"
OF_UPSTREAM = "tests/processes/test_faults_of_upstream.py::test_fault_"


@dataclass(frozen=True)
class Mutant:
    """A guard taken out: `edits` are (file, text, text instead), each of which must be found exactly once."""

    fault: str
    guard: str
    edits: tuple[tuple[str, str, str], ...]
    suite: str
    test: str
    database: Database = "SQLite"


MUTANTS = [
    Mutant(
        "01",
        "rows and cursor in one transaction",
        ((LOADING, "        with transaction.atomic():\n", "        if True:\n"),),
        READER,
        OF_WORKERS + "01_killed_in_the_middle_of_inserting_what_is_committed_stays_and_the_rest_resumes_at_the_next_row"
        "[uploads.work.loading.bulk_create_rows before 3]",
    ),
    Mutant(
        "02",
        "release and results in one transaction",
        (
            (
                GEOCODING,
                "        with transaction.atomic():\n            release_chunk(",
                "        if True:\n            release_chunk(",
            ),
        ),
        READER,
        OF_WORKERS + "02_killed_before_the_results_are_committed_leaves_no_partial_chunk"
        "[uploads.work.geocoding.bulk_update_results before 2]",
    ),
    Mutant(
        "04",
        "a chunk is claimed only when its lease has run out",
        (
            (
                ENGINE,
                'is_abandoned = Q(state=ChunkState.LEASED) & is_past("lease_until")',
                "is_abandoned = Q(state=ChunkState.LEASED)",
            ),
        ),
        READER,
        "tests/processes/test_worker_process.py::test_two_workers_share_the_work",
    ),
    Mutant(
        "04",
        "the fence of the loading cursor",
        (
            (
                ENGINE,
                "filter(pk=lease.upload_id, fence=lease.fence, state=UploadState.LOADING).update(\n        rows_loaded",
                "filter(pk=lease.upload_id, state=UploadState.LOADING).update(\n        rows_loaded",
            ),
        ),
        READER,
        OF_WORKERS + "04_a_loader_frozen_past_its_lease_adds_no_row_while_another_loads",
    ),
    Mutant(
        "05",
        "the fence of a chunk",
        ((LEASE_SQL, "WHERE id = %s AND fence = %s AND state", "WHERE id = %s AND %s > 0 AND state"),),
        READER,
        OF_WORKERS + "05_of_two_workers_that_have_the_answers_to_one_chunk_one_commits[the one whose lease ran out]",
        "PostgreSQL",
    ),
    Mutant(
        "06",
        "finishing in a transaction of its own, and the sweep",
        (
            (
                GEOCODING,
                "            bulk_update_results(matches, others)\n",
                "            bulk_update_results(matches, others)\n            if complete:\n"
                "                finish_upload(lease.upload_id)\n",
            ),
            (
                GEOCODING,
                "        if complete:\n            finish_upload(lease.upload_id)\n        else:\n",
                "        if not complete:\n",
            ),
            (ENGINE, "    return _finish(Upload.objects.all())\n", "    return 0\n"),
        ),
        READER,
        OF_WORKERS + "06_the_last_two_chunks_finish_together_and_the_upload_is_finalised_once[0]",
        "PostgreSQL",
    ),
    Mutant(
        "06",
        "the sweep",
        ((ENGINE, "    return _finish(Upload.objects.all())\n", "    return 0\n"),),
        READER,
        OF_WORKERS + "06_killed_between_the_last_commit_and_the_finish_the_sweep_of_another_finishes",
    ),
    Mutant(
        "07",
        "a connection that breaks is the database's fault",
        ((DATABASE_ERRORS, " or type(error) is DatabaseError", ""),),
        "tests",
        "whole_stack/test_database.py::test_fault_07_a_database_that_is_stopped_at_once_and_comes_back_costs_nothing_but_time",
        "PostgreSQL",
    ),
    Mutant(
        "10",
        "an outage gives the attempt back",
        ((ENGINE, "attempts_back = 0 if costs_attempt else 1", "attempts_back = 0"),),
        READER,
        OF_CONSUMER + "10_while_it_is_down_no_attempt_is_used_and_the_work_resumes_when_it_is_back",
    ),
    Mutant(
        "11",
        "a batch that is refused is halved",
        (
            (
                PROVIDER,
                "            await self._halve(batch, step, progress, deadline)\n",
                "            raise ProviderUnavailableError(error.detail) from error\n",
            ),
        ),
        CONSUMER,
        OF_UPSTREAM + "11_a_location_on_which_upstream_breaks_fails_alone",
    ),
    Mutant(
        "12",
        "a pause holds for all processes",
        (
            (
                "postcode_consumer/lookups/politeness/shared_limiter.py",
                "        await self._change(lambda state, now: limiter.pause(state, now, seconds=seconds))\n",
                "        pass\n",
            ),
        ),
        CONSUMER,
        OF_UPSTREAM + "12_after_a_retry_after_every_process_is_silent_until_then",
        "PostgreSQL",
    ),
    Mutant(
        "13",
        "the deadline of a chunk is shorter than its lease",
        (("file_reader/reader_config/settings.py", "CHUNK_DEADLINE = LEASE * 0.7", "CHUNK_DEADLINE = LEASE * 2"),),
        READER,
        OF_CONSUMER + "13_a_lookup_that_does_not_end_is_given_up_while_the_lease_still_holds",
    ),
    Mutant(
        "14",
        "the deadline of a call is a total one",
        (
            (
                CLIENT,
                "aiohttp.ClientTimeout(total=seconds or 0.001)",
                "aiohttp.ClientTimeout(sock_read=self._call_seconds)",
            ),
        ),
        CONSUMER,
        OF_UPSTREAM + "14_an_answer_that_drips_ends_with_the_call",
    ),
    Mutant(
        "15",
        "an outage is an error and not an answer",
        (
            (
                PROVIDER,
                "            raise ProviderUnavailableError(error.detail, retry_after=error.retry_after) from error\n",
                "            return [None] * len(batch)\n",
            ),
        ),
        CONSUMER,
        OF_UPSTREAM + "15_what_is_no_answer_is_never_taken_for_one[html]",
    ),
    Mutant(
        "16",
        "as many answers as questions",
        (
            (CLIENT, "    if len(items) != len(batch):", "    if False:"),
            (CLIENT, "zip(batch, items, strict=True)", "zip(batch, items, strict=False)"),
        ),
        CONSUMER,
        OF_UPSTREAM + "16_no_location_ever_gets_the_postcode_of_its_neighbour[with_one_more]",
    ),
    Mutant(
        "16",
        "the echoed coordinates are those that were asked",
        (
            (
                CLIENT,
                'raise UntrustedError("The provider answered other locations than those that were asked.")',
                "pass",
            ),
        ),
        CONSUMER,
        OF_UPSTREAM + "16_no_location_ever_gets_the_postcode_of_its_neighbour[reordered]",
    ),
    Mutant(
        "17",
        "a database that cannot write costs neither lease nor attempt",
        (
            (
                WORKER,
                "                self._unreleased.append(asked.lease)\n                raise\n            logger",
                "                raise\n            logger",
            ),
        ),
        READER,
        OF_DATABASE + "17_disk_full_while_results_are_written_is_rolled_back_paused_and_resumed",
    ),
    Mutant(
        "17",
        "the lease on an upload is given back too",
        (
            (
                WORKER,
                "        self._unreleased += self._loaders\n",
                "        pass\n",
            ),
        ),
        READER,
        OF_DATABASE + "17_disk_full_while_loading_is_rolled_back_paused_and_resumed",
        "PostgreSQL",
    ),
    Mutant(
        "23",
        "children ask for SIGTERM when the supervisor dies",
        (("serve.py", "        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)\n", ""),),
        "tests",
        "whole_stack/test_supervisor.py::test_fault_23_killing_the_supervisor_leaves_no_orphan",
    ),
    Mutant(
        "24",
        "a chunk that used up its attempts is split",
        ((ENGINE, "            if attempts >= settings.MAX_ATTEMPTS:\n", "            if False:\n"),),
        READER,
        OF_WORKERS + "24_a_row_that_kills_its_workers_fails_alone_and_its_siblings_have_their_answers",
    ),
    Mutant(
        "24",
        "a file that used up its attempts fails",
        ((WORKER, "if lease.attempts > settings.MAX_ATTEMPTS:", "if False:"),),
        READER,
        OF_WORKERS + "24_a_file_that_kills_its_loaders_fails_and_other_uploads_go_on",
    ),
    Mutant(
        "25",
        "deleting takes the leases back",
        (
            (
                "file_reader/uploads/work/commands.py",
                "    _take_back_leases(uploads)\n",
                "",
            ),
        ),
        READER,
        OF_WORKERS + "25_deleted_while_it_is_looked_up_its_late_results_are_thrown_away_and_it_disappears",
    ),
    # The queue is no fault of a part: what follows are the ways in which one owner kept others waiting.
    *(
        Mutant(
            "queue",
            "chunks are claimed by their turns, and not as they were made",
            ((ENGINE, '_IN_WORK).order_by("turn", "id")', '_IN_WORK).order_by("id")'),),
            READER,
            OF_QUEUE + "a_small_file_is_next_however_much_of_others_is_in_the_queue",
            database,
        )
        for database in get_args(Database)
    ),
    Mutant(
        "queue",
        "a worker begins a new upload before the large ones are loaded",
        ((WORKER, "has_begun = self._begin_upload(", "has_begun = not held and self._begin_upload("),),
        READER,
        OF_QUEUE + "a_small_file_is_answered_within_three_rounds_of_a_worker_that_has_large_ones",
    ),
    Mutant(
        "queue",
        "what is deleted goes beside other work",
        (
            (WORKER, "purged = self._purge()", "purged = not (loaded or geocoded or indexed) and self._purge()"),
            (WORKER, "while not (is_last or asked.is_answered()) and self._purge():", "while False:"),
        ),
        READER,
        OF_QUEUE + "what_is_deleted_goes_while_there_is_other_work",
    ),
]


class Copy:
    """A copy of the repository, in which guards are taken out and tests are run."""

    def __init__(self, folder: Path, postgres_url: str) -> None:
        self._folder = folder / "repository"
        self._postgres_url = postgres_url
        left_out = shutil.ignore_patterns(".git", ".venv", "var", "*_cache", "__pycache__")
        shutil.copytree(ROOT, self._folder, ignore=left_out)

    def passes(self, mutant: Mutant) -> bool:
        """Runs the mutant's test on the copy as it is."""
        environment = {name: value for name, value in os.environ.items() if name not in _CONFIGURING}
        environment.pop("TEST_POSTGRES_URL", None)
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # two edits within a second look like one to Python
        environment["PYTHONPATH"] = str(self._folder / "service_kit")  # installed is the one beside the copy
        if mutant.suite == READER and mutant.database == "PostgreSQL":
            own = urlunsplit(urlsplit(self._postgres_url)._replace(path=f"/mutants_{os.getpid()}"))
            environment["FILE_READER_DATABASE_URL"] = own
        elif mutant.database == "PostgreSQL":
            environment["TEST_POSTGRES_URL"] = self._postgres_url
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.test]
        command.append(f"--basetemp={self._folder.parent / 'pytest'}")
        done = subprocess.run(
            command, cwd=self._folder / mutant.suite, env=environment, check=False, capture_output=True, text=True
        )
        self._kill_what_is_left()
        if done.returncode not in (0, 1):  # the test did not run at all
            raise SystemExit(f"{mutant.test}\n{done.stdout}{done.stderr}")
        return done.returncode == 0

    def apply(self, mutant: Mutant) -> dict[Path, str]:
        """Takes the guard out; returns what the files were."""
        originals: dict[Path, str] = {}
        for name, text, instead in mutant.edits:
            path = self._folder / name
            now = path.read_text()
            originals.setdefault(path, now)
            if now.count(text) != 1:
                raise SystemExit(f"{mutant.fault} {mutant.guard}: found {now.count(text)} times in {name}:\n{text}")
            changed = now.replace(text, instead)
            compile(changed, name, "exec")
            path.write_text(changed)
        return originals

    def _kill_what_is_left(self) -> None:
        for process in psutil.process_iter(["cwd"]):
            if (process.info["cwd"] or "").startswith(str(self._folder)):
                process.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description="Takes one guard out at a time; the test of its fault must fail.")
    parser.add_argument("--only", help="the number of a fault, two digits; or `queue`")
    only = parser.parse_args().only
    wrong = 0
    passed: set[tuple[str, str, str]] = set()
    with postgres() as url, tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy(Path(folder), url)
        for mutant in MUTANTS:
            if only and mutant.fault != only:
                continue
            test = (mutant.suite, mutant.test, mutant.database)
            if test not in passed and not copy.passes(mutant):
                verdict = "FAILS WITH THE GUARD"
            else:
                passed.add(test)
                originals = copy.apply(mutant)
                verdict = "SURVIVES" if copy.passes(mutant) else "killed"
                for path, text in originals.items():
                    path.write_text(text)
            wrong += verdict != "killed"
            print(f"{mutant.fault}  {verdict:<20}  {mutant.database:<10}  {mutant.guard}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
