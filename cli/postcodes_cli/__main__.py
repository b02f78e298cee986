"""python -m postcodes_cli"""

from postcodes_cli.main import run

run()
