"""The settings of `genlab data`."""

from dataclasses import dataclass

from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import TEXT


@dataclass(frozen=True, kw_only=True)
class Data(Settings):
    """The data sets that `genlab train` can select, one line each."""

    command = "data"
    summary = "list the data sets that can be trained on"
    usage = ("[match=WORD] [--config-dir DIR]",)

    match: str = setting(TEXT, "only pages whose name or description contains this", "")
