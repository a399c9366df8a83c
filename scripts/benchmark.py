"""Throughput of `genlab train` against a bare PyTorch loop over the same networks.

    python scripts/benchmark.py [--rounds 3] [--seconds 40] [--models dcgan vae vae_mlp]

Each round runs, for each model, the whole command (logging, grids and checkpoints on) and the bare
loop, one after the other in processes of their own, for the same time, with the same data, batch,
precision, memory layout and allocator setting. Printed are the medians, the median of the rounds'
ratios, the arithmetic per image and its share of this machine's matrix-product peak.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genlab.config.run import RunConfig

DATA = "fashion_mnist"


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--models", nargs="+", default=["dcgan", "vae", "vae_mlp"])
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        print(json.dumps(bare(arguments.bare, arguments.seconds)))
        return
    peak = matrix_peak()
    print(f"matrix-product peak in bf16: {peak / 1e9:,.0f} GFLOP/s")
    print("model      genlab images/s   bare images/s   ratio   GFLOP/image   share of peak")
    for model in arguments.models:
        rounds = [
            (whole(model, arguments.seconds), bare_process(model, arguments.seconds))
            for _ in range(arguments.rounds)
        ]
        ours = statistics.median(command for command, _ in rounds)
        theirs = statistics.median(loop["images_per_second"] for _, loop in rounds)
        ratio = statistics.median(c / loop["images_per_second"] for c, loop in rounds)
        flops = rounds[0][1]["flops_per_image"]
        print(
            f"{model:<10} {ours:>15,.0f} {theirs:>15,.0f} {ratio:>7.3f} {flops / 1e9:>13.4f} "
            f"{ours * flops / peak:>15.1%}"
        )


def whole(model: str, seconds: float) -> float:
    """Images per second of the whole command, by its own summary."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "genlab", "train", f"model={model}", f"data={DATA}"]
        command += ["scale=laptop", f"max_minutes={seconds / 60}", "total_images=1000000000"]
        subprocess.run([*command, f"hydra.run.dir={folder}"], check=True, capture_output=True)
        return json.loads((Path(folder) / "summary.json").read_text())["images_per_second"]


def bare_process(model: str, seconds: float) -> dict[str, float]:
    """The bare loop in a process of its own."""
    command = [sys.executable, __file__, "--bare", model, "--seconds", str(seconds)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def bare(model: str, seconds: float) -> dict[str, float]:
    """A plain loop: index, normalise, step; nothing is logged, averaged or saved."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from genlab.config.build import build_data, build_learner
    from genlab.devices import choose, keep_big_blocks

    keep_big_blocks()
    config = compose(model)
    device = choose("auto", "auto", "auto")
    layout = torch.channels_last if device.channels_last else torch.contiguous_format
    learner = build_learner(config).to(device.accelerator, memory_format=layout)
    data = build_data(config)
    images = torch.from_numpy(data.image_set.images[data.indices("train")])
    batch = config.data.batch_size
    step = _gan_step(learner) if hasattr(learner, "critic") else _autoencoder_step(learner)
    order = torch.randperm(len(images))

    def play(position: int) -> None:
        chosen = images[order[position : position + batch]].to(device.accelerator)
        inputs = chosen.float().div_(127.5).sub_(1).contiguous(memory_format=layout)
        with torch.autocast(
            device.accelerator, torch.bfloat16, enabled=device.precision == "bf16-mixed"
        ):
            step(inputs)

    with FlopCounterMode(display=False) as counter:
        play(0)
    for _ in range(5):
        play(0)
    seen, position, start = 0, 0, time.monotonic()
    while time.monotonic() - start < seconds:
        if position + batch > len(images):
            order, position = torch.randperm(len(images)), 0
        play(position)
        position, seen = position + batch, seen + batch
    rate = seen / (time.monotonic() - start)
    return {"images_per_second": rate, "flops_per_image": counter.get_total_flops() / batch}


def _gan_step(learner: Any) -> Any:
    import torch

    critic_optimizer, generator_optimizer = learner.optimizers_of_players()
    critic, generator = learner.critic.network, learner.generator.network

    def step(images: Any) -> None:
        latents = torch.randn(len(images), generator.latent_size, device=images.device)
        fakes = generator(latents)
        real, fake = critic(images).float(), critic(fakes.detach()).float()
        critic_optimizer.zero_grad()
        learner.loss(real, fake).critic.backward()
        critic_optimizer.step()
        critic.requires_grad_(False)
        logits = critic(fakes).float()
        generator_optimizer.zero_grad()
        learner.loss(real.detach(), logits).generator.backward()
        generator_optimizer.step()
        critic.requires_grad_(True)

    return step


def _autoencoder_step(learner: Any) -> Any:
    (optimizer,) = learner.optimizers_of_players()

    def step(images: Any) -> None:
        result = learner.autoencoder(images)
        error = learner.reconstruction(result.output, images).mean()
        penalty = learner.code_penalty(result.code).mean()
        optimizer.zero_grad()
        (error + penalty / images[0].numel()).backward()
        optimizer.step()

    return step


def compose(model: str) -> "RunConfig":
    """The run's config, as the command line composes it."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    from genlab.config.checks import checked
    from genlab.config.pages import config_folder
    from genlab.config.scale import scaled
    from genlab.config.schema import register_schema

    register_schema()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        words = [f"model={model}", f"data={DATA}", "scale=laptop"]
        return checked(scaled(hydra_compose("train", overrides=words)))


def matrix_peak() -> float:
    """FLOP/s of a 2048-square bf16 matrix product."""
    import torch

    a, b = (torch.randn(2048, 2048, dtype=torch.bfloat16) for _ in range(2))
    rates = []
    for _ in range(20):
        start = time.monotonic()
        a @ b
        rates.append(2 * 2048**3 / (time.monotonic() - start))
    return statistics.median(rates)


if __name__ == "__main__":
    main()
