"""Settings that make no sense are refused before anything starts, with the bound, on one line."""

from pathlib import Path

import pytest

GAN = ("model=dcgan", "data=digits", "data.resolution=8", "data.batch_size=16", "trainer=cpu")
VAE = ("model=vae_annealed", *GAN[1:])
CLASSIFIER = ("model=classifier", *GAN[1:])
HUGE = "99999999999999999999"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*GAN, "model.flipped_labels=2"), "model.flipped_labels=2 must be from 0 to 1"),
        ((*GAN, "model.weight_clip=-1"), "model.weight_clip=-1 must be at least 0"),
        ((*GAN, "model.feature_matching=-1"), "must be at least 0"),
        ((*GAN, "model.generator_optimizer.lr=inf"), "must be a finite number"),
        ((*GAN, "model.generator_optimizer.lr=0"), "lr=0 must be above 0"),
        ((*GAN, "model.rate=0"), "rate=0 must be above 0"),
        ((*GAN, "model.critic_optimizer.betas=[0.5]"), "should be of type list of 2"),
        ((*GAN, "+model.generator_optimizer.foreach=true"), "`foreach` cannot be `True` together"),
        ((*GAN, "model.critic.pack=3"), "data.batch_size=16 must be a multiple of model.critic.pa"),
        ((*GAN, "model.augmentation=3"), "model.augmentation=3 should be of type Augmentation"),
        ((*GAN, "+model.penalties.r1=3"), "model.penalties.r1=3 should be of type Penalty"),
        ((*GAN, "model.generator.latent_size=1000000000"), "must be at most 65,536"),
        ((*GAN, "model.generator.decoder.channels=3"), "all parts follow data.channels=1"),
        ((*GAN, "model.generator.decoder.normalisation=nope"), "'nope' is none of batch"),
        ((*GAN, "model.generator.decoder.output=nope"), "output='nope' is none of relu"),
        ((*GAN, "model.generator.decoder._partial_=3"), "_partial_=3 must be true or false"),
        ((*GAN, "model.sizes.paper.stages.start=[]"), "is set by itself, model.stages.start=VALUE"),
        ((*VAE, "model.beta.end=-1"), "model.beta=-1 must be at least 0"),
        ((*GAN, "data.crop=100"), "data.crop=100 must be at most 7"),
        ((*GAN, "data.validation=-1"), "data.validation=-1 must be at least 0"),
        ((*GAN, "data.batch_size=true"), "data.batch_size=True should be of type int"),
        ((*GAN, "data.source.channels=3"), "set data.channels, which all parts follow"),
        ((*GAN, "+data.nope=1"), "data.nope: no such setting"),
        ((*GAN, "objective=nope"), "objective=nope is no metric"),
        ((*GAN, "objective=evaluation/recall"), "needs evaluate.every_images=N"),
        ((*GAN, "report=x"), "report=x must be a mapping with metric, across, curves"),
        ((*GAN, "report={table:3}"), "report.table=3 must be a list of names"),
        ((*GAN, "encoder=3"), "encoder=3 must be a mapping with run, page"),
        ((*GAN, "+evaluate.nope=1"), "evaluate.nope: no such setting"),
        ((*GAN, "+trainer.device=1"), "did you mean trainer.devices"),
        ((*GAN, "+sede=1"), "sede: no such setting; did you mean seed?"),
        ((*GAN, f"total_images={HUGE}"), "must be at most 2**53"),
        ((*GAN, "samples.count=1000000000"), "samples.count=1000000000 must be at most 10,000"),
        ((*GAN, "log=3"), "log=3: its entries are set one by one: log.NAME=VALUE"),
        ((*GAN, "model=[null]"), "model=[null]: no such page"),
        ((*CLASSIFIER, "encoder.layer=nope"), "encoder.layer=nope is not known"),
        ((*CLASSIFIER, "encoder.total_images=0"), "encoder.total_images=0 must be at least 1"),
    ],
)
def test_nonsense_is_refused_before_the_start(
    genlab, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    code, _, err = genlab("train", *words, f"hydra.run.dir={tmp_path}/run")
    assert (code, err.count("\n")) == (2, 1)
    assert told in err
    assert len(err) <= 310
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sample", "count=1.5"), "count=1.5 must be a whole number from 1 to 10,000,000"),
        (("sample", "count=true"), "count=True must be a whole number"),
        (("sample", f"batch_size={HUGE}"), "batch_size=99999999999999999999 must be at most"),
        (("sample", "+nope=1"), "nope: no such setting; known:"),
        (("sample", "+batch_sise=1"), "did you mean batch_size?"),
        (("sample", "seed=true"), "seed=True must be a whole number"),
        (("sample", "format=[grid]"), "format=['grid'] must be a word"),
        (("interpolate", "frames_per_second=0"), "must be a whole number from 1"),
        (("evaluate", "split=nope"), "split=nope is not known: choose one of train, validation"),
        (("evaluate", "probe_images=[1]"), "probe_images=[1] must be a whole number"),
        (("translate", "image=x.png", "whole=3"), "whole=3 must be true or false"),
        (("upscale", "image=x.png", "tile=nan"), "tile=nan must be a finite number"),
        (("upscale", "image=3.5e400"), "image=3.5e400"),
        (("visualise", "methods={a:1}"), "methods={a:1}"),
        (("compare", "metrics=3"), "metrics=3 must be a list, metrics=[ONE,OTHER]"),
    ],
)
def test_every_command_refuses_nonsense(genlab, words: tuple[str, ...], told: str) -> None:
    verb, *others = words
    code, _, err = genlab(verb, *([] if verb == "compare" else ["run=x"]), *others)
    assert code in (2, 4)
    assert told in err or (code, told) == (4, "image=3.5e400")
    assert err.count("\n") == 1


def test_losses_that_blow_up_are_never_a_finished_run(genlab, tmp_path: Path) -> None:
    words = ("model=vae_mlp", *GAN[1:], "model.optimizer.lr=1e30", "total_images=64")
    code, _, err = genlab("train", *words, f"hydra.run.dir={tmp_path}/run")
    assert code == 6
    assert "no longer finite" in err


def test_networks_that_no_memory_holds_are_refused_at_once(genlab, tmp_path: Path) -> None:
    wide = [f"model.generator.decoder.{key}=65536" for key in ("width", "max_width")]
    words = ("model=dcgan", "data=digits", "data.resolution=32", *wide, "trainer=cpu")
    code, _, err = genlab("train", *words, f"hydra.run.dir={tmp_path}/run")
    assert code == 5
    assert "model.generator.decoder.width=65536" in err
    assert "choose smaller ones" in err


def test_long_messages_keep_what_is_wrong_and_the_fix() -> None:
    from genlab.words import shortened

    assert shortened("a" * 300) == "a" * 300
    parts = [f"setting{number}={'x' * 50} is wrong" for number in range(9)]
    assert shortened("; ".join([*parts, "set it to 3"])) == "; ".join(
        [parts[0], "[...]", parts[-1], "set it to 3"]
    )
    long = shortened("b" * 500 + " set it to 3")
    assert len(long) == 300
    assert long.startswith("bbb")
    assert long.endswith("set it to 3")
