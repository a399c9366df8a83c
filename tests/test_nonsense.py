"""Settings that make no sense are refused before anything starts, with the bound, on one line."""

from pathlib import Path

import pytest

GAN = ("model=dcgan", "data=digits", "data.resolution=8", "data.batch_size=16", "trainer=cpu")
VAE = ("model=vae_annealed", *GAN[1:])
CLASSIFIER = ("model=classifier", *GAN[1:])
FLIPPED = "model.remedies.flipped_labels.probability"
CRITIC = "model.critic.network"
DECODER = "model.generator.network.decoder"
LIMIT = "model.remedies.weight_clipping.limit"
HUGE = "99999999999999999999"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*GAN, "remedy=flipped_labels", f"{FLIPPED}=2"), f"{FLIPPED}=2 must be from 0 to 1"),
        ((*GAN, "remedy=weight_clipping", f"{LIMIT}=-1"), f"{LIMIT}=-1 must be above 0"),
        ((*GAN, "model.feature_matching=1"), "is called model.remedies.feature_matching.weight n"),
        ((*GAN, "model.generator.optimizer.lr=inf"), "must be a finite number"),
        ((*GAN, "model.generator.optimizer.lr=0"), "lr=0 must be above 0"),
        ((*GAN, "model.rate=0"), "rate=0 must be above 0"),
        ((*GAN, "model.critic.optimizer.betas=[0.5]"), "should be of type list of 2"),
        ((*GAN, "+model.generator.optimizer.foreach=true"), "`foreach` cannot be `True` together"),
        ((*GAN, "model.critic.network.pack=3"), "data.batch_size=16 must be a multiple of"),
        ((*GAN, "+model.remedies.ada=3"), "model.remedies.ada=3 should be of type Remedy"),
        ((*GAN, "+model.remedies.r1=3"), "model.remedies.r1=3 should be of type Remedy"),
        ((*GAN, "model.generator.network.latent_size=1000000000"), "must be at most 65,536"),
        ((*GAN, "model.generator.network.decoder.channels=3"), "all parts follow data.channels=1"),
        ((*GAN, "model.generator.network.decoder.normalisation=nope"), "'nope' is none of batch"),
        ((*GAN, "model.generator.network.decoder.output=nope"), "output='nope' is none of relu"),
        ((*GAN, f"{DECODER}._partial_=3"), "_partial_=3 must be true or false"),
        ((*GAN, "model.sizes.paper.stages.start=[]"), "of size now: scale=laptop|paper"),
        ((*GAN, "model.size=small"), "model.size: networks and rates have one setting of size now"),
        ((*GAN, "scale=large"), "scale=large is not known: choose one of auto, laptop, paper"),
        ((*GAN, "scale=null"), "scale=null: field 'scale' cannot be null"),
        (("model=stylegan_small",), "model=stylegan_small is model=stylegan scale=laptop now"),
        ((*GAN, "players=narrow"), "players=narrow is scale=laptop now"),
        ((*VAE, "model.beta.end=-1"), "model.beta=-1 must be at least 0"),
        ((*GAN, "data.crop=100"), "data.crop=100 must be at most 7"),
        ((*GAN, "data.validation=-1"), "data.validation=-1 must be at least 0"),
        ((*GAN, "data.batch_size=true"), "data.batch_size=True should be of type int"),
        ((*GAN, "data.source.channels=3"), "set data.channels, which all parts follow"),
        ((*GAN, "+data.nope=1"), "data.nope: no such setting"),
        ((*GAN, "objective=nope"), "objective=nope is no metric"),
        ((*GAN, "objective=evaluation/recall"), "needs evaluate.every_images=N"),
        ((*GAN, "allow_changes=1000"), "allow_changes=1000 must be true or false"),
        ((*GAN, "allow_changes=yes"), "allow_changes=yes must be true or false"),
        ((*GAN, "allow_changes=null"), "allow_changes=None must be true or false"),
        ((*GAN, "trainer.compile=1"), "trainer.compile=1 must be true or false"),
        ((*GAN, "trainer.channels_last=1000"), "trainer.channels_last=1000 is not known"),
        ((*GAN, "data.flip=1"), "data.flip=1 should be of type bool"),
        ((*GAN, f"{CRITIC}.spectral=1"), f"{CRITIC}.spectral=1 should be of type bool"),
        ((*GAN, "model.rate=1e9"), "model.rate=1000000000.0 must be from 0 to 100"),
        ((*VAE, "model.rate=1e9"), "model.rate=1000000000.0 must be from 0 to 100"),
        ((*GAN, "model.critic.optimizer.lr=1e6"), "lr=1000000.0 must be above 0 and at most 100"),
        ((*GAN, "model.critic_steps=1000", "total_images=15000"), "with image 16,000; set fewer"),
        ((*GAN, "model.generator_steps=1000000"), "generator_steps=1000000 must be at most 1,000"),
        ((*GAN, "remedy=r1", "model.remedies.r1.every=5000"), "every=5000 must be at most 1,000"),
        ((*GAN, "remedy=ada", "model.remedies.ada.interval=5000"), "must be at most 1,000"),
        ((*GAN, "remedy=ada", "model.remedies.ada.target=1"), "must be above -1 and below 1"),
        ((*GAN, "remedy=ada", "model.remedies.ada.target=-1"), "must be above -1 and below 1"),
        ((*CLASSIFIER, "encoder.pretrained=1"), "encoder.pretrained=1 must be of type bool"),
        ((*CLASSIFIER, "log.every_images=0"), "log.every_images=0 must be at least 1"),
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
    ("key", "words"),
    [("generator", ("generator.ratio=0",)), ("generator", ("generator.ratio=1",)), ("encoder", ())],
)
def test_a_run_to_build_on_has_to_be_there(
    genlab, tmp_path: Path, key: str, words: tuple[str, ...]
) -> None:
    named = f"{key}.run={tmp_path}/none"
    code, _, err = genlab("train", *CLASSIFIER, named, *words, f"hydra.run.dir={tmp_path}/run")
    assert (code, err.count("\n")) == (4, 1)
    assert named in err
    assert not (tmp_path / "run").exists()


def test_the_first_step_of_a_generator_may_be_the_last_of_a_run() -> None:
    from hydra import compose, initialize_config_dir
    from omegaconf import open_dict

    from genlab.config.pages import config_folder
    from genlab.config.run import RunConfig
    from genlab.config.scale import scaled
    from genlab.config.schema import register_schema
    from genlab.errors import ConfigError
    from genlab.training.settings import check_settings

    register_schema()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        composed = compose("train", overrides=[*GAN, "model.critic_steps=5"])
    with open_dict(composed):
        composed.pop("hydra", None)
    plain = scaled(composed)
    # The fifth batch of 16 begins after 64.
    check_settings(RunConfig.read({**plain, "total_images": 65}))
    with pytest.raises(ConfigError, match=r"critic_steps=5 .* total_images=64"):
        check_settings(RunConfig.read({**plain, "total_images": 64}))


def test_no_setting_of_the_skeleton_is_cast_to_a_truth() -> None:
    from omegaconf import OmegaConf

    from genlab.config.schema import SKELETON, TRUTHS

    for key in TRUTHS:
        words = OmegaConf.from_dotlist([f"{key}=1000"])
        assert OmegaConf.select(OmegaConf.merge(OmegaConf.structured(SKELETON), words), key) == 1000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sample", "count=1.5"), "count=1.5 must be a whole number from 1 to 10,000,000"),
        (("sample", "count=true"), "count=true must be a whole number"),
        (
            ("sample", f"batch_size={HUGE}"),
            "batch_size=99999999999999999999 must be a whole number from 1 to",
        ),
        (("sample", "+nope=1"), "nope: no such setting; known:"),
        (("sample", "+batch_sise=1"), "did you mean batch_size?"),
        (("sample", "seed=true"), "seed=true must be a whole number"),
        (("sample", "format=[grid]"), "format=[grid] must be grid, png or npz"),
        (("interpolate", "frames_per_second=0"), "must be a whole number from 1"),
        (("evaluate", "split=nope"), "split=nope is not known: choose one of train, validation"),
        (("evaluate", "probe_images=[1]"), "probe_images=[1] must be a whole number"),
        (("translate", "image=x.png", "whole=3"), "whole=3 must be true or false"),
        (("upscale", "image=x.png", "tile=nan"), "tile=nan must be a whole number from 1"),
        (("upscale", "image=3.5e400"), "image=3.5e400"),
        (("visualise", "methods={a:1}"), "methods={a:1}"),
        (("compare", "metrics=3"), "metrics=3 must be a list of scores: [frechet_distance"),
    ],
)
def test_every_command_refuses_nonsense(genlab, words: tuple[str, ...], told: str) -> None:
    verb, *others = words
    code, _, err = genlab(verb, *([] if verb == "compare" else ["run=x"]), *others)
    assert code in (2, 3, 4)  # 3: files are looked for before anything is opened
    assert told in err or (code, told) == (4, "image=3.5e400")
    assert err.count("\n") == 1


def test_losses_that_blow_up_are_never_a_finished_run(genlab, tmp_path: Path) -> None:
    words = (
        "model=vae_mlp",
        *GAN[1:],
        "model.optimizer.lr=100",
        "model.rate=100",
        "total_images=64",
    )
    code, _, err = genlab("train", *words, f"hydra.run.dir={tmp_path}/run")
    assert code == 6
    assert "no longer finite" in err


def test_networks_that_no_memory_holds_are_refused_at_once(genlab, tmp_path: Path) -> None:
    wide = [f"model.generator.network.decoder.{key}=65536" for key in ("width", "max_width")]
    words = ("model=dcgan", "data=digits", "data.resolution=32", *wide, "trainer=cpu")
    code, _, err = genlab("train", *words, f"hydra.run.dir={tmp_path}/run")
    assert code == 5
    assert "model.generator.network.decoder.width=65536" in err
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
