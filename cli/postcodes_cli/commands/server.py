"""`serve` and `index`: the service itself, on this machine."""

import click

from postcodes_cli import embedded
from postcodes_cli.app import Command, existing_file

_SERVE_EXAMPLES = """\
postcodes serve                       asks postcodes.io, or the index that `postcodes index` has made
PROVIDER=sandbox postcodes serve      offline, knows some well-known places
GATEWAY_PORT=9000 DATA_DIR=~/postcodes postcodes serve
"""


@click.command("serve", cls=Command, examples=_SERVE_EXAMPLES, short_help="Run the service on this machine.")
def serve() -> None:
    """Run the service on this machine until Ctrl-C: pages, API and admin on http://127.0.0.1:8080/.

    Ports: GATEWAY_PORT, else 8080. Metrics are at 8081 (GATEWAY_METRICS_PORT) and from 8001 on (WORKER_METRICS_PORT),
    or nowhere with 0. The services among themselves take free ports, if FILE_READER_PORT and POSTCODE_CONSUMER_PORT do
    not say which.

    It needs what the extra `serve` installs: postcodes-cli[serve]. Settings come from the environment; docs/settings.md
    has all of them. For a single file, `postcodes geocode FILE --serve` starts it and ends it.
    """
    embedded.serve()


_INDEX_EXAMPLES = """\
postcodes index ONSPD_AUG_2026.zip
LOCAL_INDEX=/srv/index postcodes index codepo_gb.zip
"""


@click.command("index", cls=Command, examples=_INDEX_EXAMPLES, short_help="Build the index for work without a network.")
@click.argument("file_name", metavar="FILE", type=click.Path())
def index(file_name: str) -> None:
    """Build the index of postcodes from open data, so that `serve` and `geocode --serve` need no network.

    FILE is the ONS Postcode Directory, the National Statistics Postcode Lookup or Code-Point Open, as it was
    downloaded.
    """
    embedded.build_index(existing_file(file_name))
