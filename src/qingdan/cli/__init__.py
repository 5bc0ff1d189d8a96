"""The command line: ``qingdan audit``, ``qingdan policy …``, ``qingdan simulate``, ``qingdan ledger …``.

Linters' habits: exit 0 clean, 1 findings, 2 bad input; results on stdout, talk on stderr.
"""

from __future__ import annotations

import typer

from qingdan.cli.auditing import audit
from qingdan.cli.ledgers import ledger
from qingdan.cli.policies import policy
from qingdan.cli.simulating import simulate

app = typer.Typer(
    name="qingdan",
    help="轻担：把“双减”政策当作数据，处处判定、处处有据。",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("audit")(audit)
app.command("simulate")(simulate)
app.add_typer(policy, name="policy")
app.add_typer(ledger, name="ledger")
