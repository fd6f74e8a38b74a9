"""`uptake targets`: the list of targets, and verbs about them beside it."""

from typing import Final

import typer
from typer.core import TyperGroup
from typing_extensions import override

from services.cli.service import PASS_THROUGH, become_verb
from services.cli.targets import targets

LIST: Final = "list"


class TargetsGroup(TyperGroup):
    """Lists targets unless the first word is another verb.

    Ids of targets and verbs share that place: `uptake targets list backtest` shows a
    target that is called like a verb.
    """

    @override
    def parse_args(  # type: ignore[override]  # typer gives no public name to click's
        self, ctx: typer.Context, args: list[str]
    ) -> list[str]:
        """Put the verb in front where it was left out."""
        is_help = args[:1] in ([name] for name in ctx.help_option_names)
        if not is_help and (not args or args[0] not in self.commands):
            args = [LIST, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=TargetsGroup,
    help="Where each target stands, why, and what others would have told.",
)
app.command(LIST)(targets)
app.command("explain", context_settings=PASS_THROUGH)(
    become_verb(
        "alerting",
        "explain",
        "Say why a target's status is what it is, step by step.",
    )
)
app.command("backtest", context_settings=PASS_THROUGH)(
    become_verb(
        "alerting",
        "backtest",
        "Tell when each alert would have fired, had a file's targets been there.",
    )
)
