"""Words of the command line with letters beyond ASCII, as Hydra reads them."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from genlab.cli import arguments
from genlab.errors import ConfigError


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("labels={label:[日本]}", {"label": ["日本"]}),
        ("labels={label: [日本, café noir, plain] }", {"label": ["日本", "café noir", "plain"]}),
        ("labels={label:['日本','a, é']}", {"label": ["日本", "a, é"]}),
        ("data.leave_out=Käse", "Käse"),
        ("data.leave_out=Käse und Brot", "Käse und Brot"),
        ("data.leave_out=[Käse,Brot]", ["Käse", "Brot"]),
        ("image=[bücher/*.png]", ["bücher/*.png"]),
        ("image=bücher", "bücher"),
        ("seeds=0-7", "0-7"),
    ],
)
def test_letters_of_all_languages_are_values(word: str, value: object) -> None:
    quoted = arguments.quoted(word)
    arguments.check("sample", [quoted])
    assert OverridesParser.create().parse_override(quoted).value() == value


@pytest.mark.parametrize(
    "word", ["a=b", "labels={label:[Bag]}", "x=${oc.env:É}", "y='日本'", "日本"]
)
def test_what_hydra_reads_anyway_stays(word: str) -> None:
    assert arguments.quoted(word) == word


@pytest.mark.parametrize("word", ["labels={größe:[L]}", "größe=3"])
def test_names_in_other_letters_are_said_to_be_the_trouble(word: str) -> None:
    with pytest.raises(ConfigError, match="names in front of = and : may have ASCII letters only"):
        arguments.check("sample", [arguments.quoted(word)])


def test_a_run_has_no_settings_that_are_not_utf8() -> None:
    """Its config.yaml could not be read; a verb takes such a path as it is."""
    word = arguments.quoted("data.path=caf\udce9")
    with pytest.raises(ConfigError, match=r"caf\\xe9': a run's config is UTF-8"):
        arguments.check("train", [word])
    arguments.check("score", [arguments.quoted("image=caf\udce9")])
    arguments.check("train", [arguments.quoted("data.path=日本")])


@pytest.mark.parametrize(
    "pattern", [r"(?P<kind>[a-z]+)_\d+\.png", "(?P<a>it's, {2}|x=1)", "~(?P<a>b)"]
)
def test_a_pattern_is_taken_as_it_is_typed(pattern: str) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    word = arguments.quoted(f"data.labels_from={pattern}")
    assert OverridesParser.create().parse_override(word).value() == pattern
    arguments.check("train", [word])
