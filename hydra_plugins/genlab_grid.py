"""The Hydra sweeper `grid`: every combination of the given values.

Unlike Hydra's basic sweeper it knows the folders of its jobs. Hydra searches the package
hydra_plugins for sweepers.
"""

from pathlib import Path

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf, open_dict


class GridSweeper(BasicSweeper):
    """Launches all jobs at once, or `max_batch_size` of them at a time.

    Their results are written to their folders, whichever launcher runs them.
    """

    def sweep(self, arguments: list[str]) -> None:
        """Hydra's hook."""
        from genlab.io.files import write_text
        from genlab.io.secrets import hide
        from genlab.jobs import multirun
        from genlab.jobs.job import Job

        assert self.hydra_context is not None
        assert self.config is not None
        assert self.launcher is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        batches = self.split_arguments(overrides, self.max_batch_size)
        run = multirun.begin(Path(self.config.hydra.sweep.dir))
        write_text(run.folder / "multirun.yaml", hide(OmegaConf.to_yaml(self.config)))
        numbers = []
        for batch in batches:  # all jobs are composed before the first one is launched
            first = len(run.jobs)
            for number, words in enumerate(batch, first):
                run.jobs[number] = Job(self._folder(words, number), words)
            numbers.append(range(first, len(run.jobs)))
        for row in numbers:
            run.launch(self.launcher.launch, row)

    def _folder(self, words: list[str], number: int) -> Path:
        """The folder of a job; Hydra's error for words that cannot be composed."""
        assert self.hydra_context is not None
        assert self.config is not None
        config = self.hydra_context.config_loader.load_sweep_config(self.config, words)
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        known = HydraConfig.instance()
        before, known.cfg = known.cfg, None
        try:
            known.set_config(config)  # what ${hydra:...} in the folder's name refers to
            return Path(config.hydra.sweep.dir, str(config.hydra.sweep.subdir)).resolve()
        finally:
            known.cfg = before
