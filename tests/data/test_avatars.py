import numpy as np
import pytest

from genlab.data import Avatars, avatars, prepare
from genlab.data.attributes import encode
from genlab.errors import ConfigError


def faces(count=60, style="pixel-art", resolution=16, channels=3, seed=0):
    return Avatars(style, count, resolution, channels, seed)


def written(source):
    images = np.zeros((source.count(), source.channels, source.resolution, source.resolution), "u1")
    done = []
    return images, source.write(images, done.append), sum(done)


def test_faces_are_varied_and_labelled():
    images, annotations, done = written(faces())
    assert done == 60
    assert len(np.unique(images.reshape(60, -1), axis=0)) == 60
    assert annotations.classes["glasses"] == ["none", "dark", "light"]
    assert annotations.classes["hair"] == ["long", "short"]
    assert {"skin", "hair_color", "mouth"} <= set(annotations.labels)
    for name, values in annotations.labels.items():
        assert values.shape == (60,)
        assert values.min() >= 0
        assert values.max() < len(annotations.classes[name])
    assert "CC0 1.0" in annotations.about
    assert "DiceBear (https://www.dicebear.com)" in annotations.about


def test_the_skin_label_names_the_colour_in_the_picture():
    images, annotations, _ = written(faces(20))
    for image, skin in zip(images, annotations.labels["skin"], strict=True):
        name = annotations.classes["skin"][skin]
        color = np.array([int(name[start : start + 2], 16) for start in (1, 3, 5)])
        # Bare on the neck, which long hair hides; under a tenth of white on the face.
        pixels = image.reshape(3, -1).T
        distances = [np.abs(pixels - shade).max(axis=1) for shade in (color, 0.9 * color + 25.5)]
        assert np.min(distances) <= 1


def test_workers_change_nothing(monkeypatch):
    alone, annotations, _ = written(faces(30))
    monkeypatch.setattr(avatars, "CHUNK", 7)
    together, again, done = written(faces(30))
    assert done == 30
    assert (alone == together).all()
    assert all((annotations.labels[name] == again.labels[name]).all() for name in again.labels)


def test_an_avatar_depends_on_the_seed_and_its_number_alone():
    images, _, _ = written(faces(4))
    assert (written(faces(8))[0][:4] == images).all()
    assert (written(faces(4, seed=1))[0] != images).any()


def test_grey_and_size_through_the_cache():
    assert prepare(faces(3, resolution=24, channels=1), 1).images.shape == (3, 1, 24, 24)


def test_an_unknown_style_gets_its_near_miss_and_the_list():
    with pytest.raises(ConfigError, match=r"did you mean pixel-art.* one of adventurer, .* in all"):
        faces(style="pixelart")


def test_no_avatars():
    with pytest.raises(ConfigError, match=r"data\.count=0"):
        faces(0)


@pytest.mark.parametrize("style", ["open-peeps", "voxel-art", "lorelei", "constellation"])
def test_other_styles(style):
    images, annotations, _ = written(faces(6, style))
    assert len(np.unique(images.reshape(6, -1), axis=0)) == 6
    assert style in annotations.about


def test_attributes_group_numbered_variants_and_drop_constants():
    definition = {
        "components": {
            "hair": {"variants": {"long1": {}, "long2": {}, "short1": {}}},
            "eyes": {"variants": {"variant01": {}, "variant02": {}}},
            "head": {"variants": {"round": {}}},
        },
        "colors": {"hair": {"values": ["#000000", "#ffffff"]}},
    }
    picks = [
        {"hairVariant": "long2", "eyesVariant": "variant02", "headVariant": "round"},
        {"hairVariant": "short1", "eyesVariant": "variant01", "hairColor": ["#ffffff"]},
    ]
    picks[1]["headVariant"] = "round"
    labels, classes = encode(definition, picks)
    assert classes == {
        "hair": ["long", "short"],
        "eyes": ["variant01", "variant02"],
        "hair_color": ["none", "#000000", "#ffffff"],
    }
    assert {name: values.tolist() for name, values in labels.items()} == {
        "hair": [0, 1],
        "eyes": [1, 0],
        "hair_color": [0, 2],
    }
