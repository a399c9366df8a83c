"""The settings of `genlab models`."""

from dataclasses import dataclass

from genlab.settings.fields import Settings, setting
from genlab.settings.kinds import TEXT


@dataclass(frozen=True, kw_only=True)
class Models(Settings):
    """The models that `genlab train` can select, one line each."""

    command = "models"
    summary = "list the models that can be trained"
    usage = ("[match=WORD] [--config-dir DIR]",)

    match: str = setting(TEXT, "only pages whose name or description contains this", "")
