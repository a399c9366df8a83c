"""Values of settings that look like secrets are in no file of a run."""

from pathlib import Path

import pytest
import yaml
from test_going_on import run, stored  # noqa: F401 (fixtures)

from genlab.cli.resume import merged
from genlab.errors import CheckpointError
from genlab.io.secrets import HIDDEN, hide, is_secret, note, redacted, redacted_words
from genlab.runs.run_folder import RunFolder

SMALL = ["model=vae_mlp", "data=digits", "trainer=cpu", "total_images=64", "samples.count=4"]


@pytest.mark.parametrize(
    "key", ["api_key", "data.hf_token", "SECRET", "apiKey", "password", "aws-credentials", "key"]
)
def test_names_of_secrets(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize("key", ["monkey", "keypoints", "tokenizer", "secretary", "data.path", ""])
def test_names_of_other_things(key: str) -> None:
    assert not is_secret(key)


def test_values_are_replaced_wherever_they_are() -> None:
    node = {"a": {"api_key": "hunter22", "keys": [1, "x"], "n": 1}, "token": None}
    assert redacted(node) == {
        "a": {"api_key": HIDDEN, "keys": [HIDDEN, HIDDEN], "n": 1},
        "token": None,
    }
    assert hide("the key is hunter22!") == f"the key is {HIDDEN}!"
    assert redacted_words(["+data.api_key=abc", "+data.x={hf_token: open-sesame}", "seed=1"]) == [
        f"+data.api_key={HIDDEN}",
        f"+data.x={{hf_token: {HIDDEN}}}",
        "seed=1",
    ]
    note(["+password='with spaces'"])
    assert hide("with spaces") == HIDDEN


def test_a_run_and_its_errors_keep_none(genlab, tmp_path: Path) -> None:
    # What no setting reads is refused.
    used = "report={metric: loss, across: seed, curves: ['${data.api_key}']}"
    words = [*SMALL, used, "+data.api_key=hunter2-secret", f"hydra.run.dir={tmp_path / 'run'}"]
    code, out, err = genlab("train", *words)
    assert (code, err) == (0, "")
    code, _, err = genlab("train", *words, "+trainer.hf_token=hunter2-secret")
    assert code == 2
    sweep = f"hydra.sweep.dir={tmp_path / 'sweep'}"
    code, out, err = genlab(
        "train", "-m", *SMALL, used, "seed=1,2", "+data.api_key=t0ken-a,t0ken-b", sweep
    )
    assert code == 0
    for file in tmp_path.rglob("*"):
        if file.is_file():
            text = file.read_bytes()
            assert b"hunter2-secret" not in text, file
            assert b"t0ken-" not in text, file
    assert "hunter2" not in out + err
    assert genlab("train", f"resume={tmp_path / 'run'}", "total_images=96")[0] == 0


def test_a_secret_that_is_needed_has_to_be_given_again(run: RunFolder, stored) -> None:  # noqa: F811
    config = yaml.safe_load(yaml.safe_dump(stored))
    config["data"]["source"]["api_key"] = HIDDEN
    run.config_file.write_text(yaml.safe_dump(config))
    with pytest.raises(CheckpointError, match=r"data\.source\.api_key=VALUE"):
        merged(run, [])
    with pytest.raises(CheckpointError, match="no such argument"):  # and then it is used
        merged(run, ["data.source.api_key=abcd"])
