"""What settings are for is said where they are shown, in the words of pages and docstrings."""

import json

import pytest
import yaml

from genlab.config.documentation import annotated, arguments_of, documented


def test_arguments_of_a_class_are_described_by_its_docstring_and_those_of_its_bases() -> None:
    about = arguments_of("genlab.learners.Adversarial")
    assert (
        about["critic_steps"]
        == "batches that the critic learns from for each that the generator does"
    )
    assert "stages" in about  # of the base class
    assert arguments_of("torch.optim.Adam")["lr"] == "learning rate"
    assert arguments_of("os.path.join") == arguments_of("genlab.no.such.Class") == {}


def test_comments_are_those_of_the_selected_pages() -> None:
    config = {"model": {"beta": 1.0}, "total_images": 1}
    assert "beta-VAE" in documented(config, ["model=vae"])["model.beta"]
    assert "model.beta" not in documented(config, ["model=dcgan"])
    assert documented(config)["total_images"].startswith("length of the run, in training images")
    objective = documented(config)["objective"]
    assert objective.startswith("the metric that a search looks at")
    assert objective.endswith("whichever there is first")  # on the third line


def test_an_annotated_config_is_the_same_yaml() -> None:
    text = "model:\n  _target_: genlab.learners.Adversarial\n  critic_steps: 2\nseed: 3\n"
    config = yaml.safe_load(text)
    shown = annotated(text, config)
    assert yaml.safe_load(shown) == config
    assert "  critic_steps: 2  # batches the critic learns from" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_a_run_s_config_is_shown_with_what_each_setting_is_for(genlab) -> None:
    code, out, err = genlab("train", "model=vae", "data=digits", "--cfg", "job")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    leaves = [line for line in lines if ": " in line and not line.strip().startswith("#")]
    told = [i for i, line in enumerate(lines) if "#" in line]
    assert len(told) > 0.5 * len(leaves)
    assert yaml.safe_load(out)["model"]["beta"] == 1.0


def test_the_schema_of_train_has_the_settings_of_the_selected_pages(genlab) -> None:
    code, out, err = genlab("schema", "train", "model=vae", "seed=7")
    assert (code, err) == (0, "")
    properties = json.loads(out)["properties"]
    assert properties["seed"]["default"] == 7
    beta = properties["model"]["properties"]["beta"]
    assert beta["default"] == 1.0
    assert "beta-VAE" in beta["description"]
    assert "_target_" not in properties["model"]["properties"]
    assert genlab("schema", "train", "model=nosuch")[0] == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("epochs=5", "length is counted in images: total_images=N, or max_minutes=N"),
        ("lr=0.1", "model.critic.optimizer.lr, model.generator.optimizer.lr"),
        ("model=vae model.codes=8", "did you mean model.autoencoder.bottleneck.codes?"),
        ("z_dim=8", "did you mean model.generator.network.latent_size?"),
        ("batch_size=8", "did you mean data.batch_size?"),
        ("data.path=photos", "data=folder data.path=DIR"),
        ("gpus=2", "trainer=ddp"),
    ],
)
def test_usual_words_lead_to_the_setting(genlab, words: str, says: str) -> None:
    code, _, err = genlab("train", *words.split())
    assert code == 2
    assert says in err


def test_whole_numbers_may_have_an_exponent(genlab) -> None:
    words = ["total_images=1e5", "log.every_images=2.5e3", "seed=7", "--cfg=job"]
    _, out, _ = genlab("train", *words, "model.generator.optimizer.lr=1e-3")
    config = yaml.safe_load(out)
    assert (config["total_images"], config["log"]["every_images"]) == (100_000, 2500)
    assert config["model"]["generator"]["optimizer"]["lr"] == 0.001
