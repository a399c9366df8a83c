"""Print the memory and time of one picture by full-size generators, on this machine's CPU.

    python scripts/memory.py [--resolution 1024] [--pages progan stylegan stylegan2]

Every page has a process of its own; memory is the process's peak above what it had before the
picture was made.
"""

import argparse
import resource
import subprocess
import sys
import time

import torch

from genlab.config.build import build_learner
from genlab.config.schema import register_schema

PAGES = ("progan", "stylegan", "stylegan2")


def main() -> None:
    """Measure each page, print a row for it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--resolution", type=int, default=1024)
    parser.add_argument("--pages", nargs="+", default=PAGES)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(measured(arguments.one, arguments.resolution))
        return
    print("| `model=` | generator | critic | GFLOP a picture | MiB | seconds |")
    print("|---|---|---|---|---|---|")
    for page in arguments.pages:
        words = [sys.argv[0], "--one", page, "--resolution", str(arguments.resolution)]
        subprocess.run([sys.executable, *words], check=True)


@torch.inference_mode()
def measured(page: str, resolution: int) -> str:
    """The row of one page."""
    from hydra import compose, initialize_config_dir
    from torch.utils.flop_counter import FlopCounterMode

    from genlab.config.checks import checked
    from genlab.config.pages import config_folder
    from genlab.config.scale import scaled

    register_schema()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        composed = compose(
            "train", [f"model={page}", "scale=paper", f"data.resolution={resolution}"]
        )
    config = checked(scaled(composed))
    learner = build_learner(config).eval()
    sizes = [
        sum(p.numel() for p in network.parameters()) / 1e6
        for network in (learner.generator.network, learner.critic.network)
    ]
    learner.images_seen = 10**9  # grown to the end
    latents = learner.latents(1, torch.Generator().manual_seed(0), {})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    learner.generate(latents)
    seconds = time.perf_counter() - started
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    with FlopCounterMode(display=False) as counter:
        learner.generate(latents)
    work = counter.get_total_flops() / 1e9
    return (
        f"| `{page}` | {sizes[0]:.1f} M | {sizes[1]:.1f} M | {work:.0f} | {peak:.0f} | "
        f"{seconds:.1f} |"
    )


if __name__ == "__main__":
    main()
