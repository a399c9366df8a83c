import numpy as np
import torch
from PIL import Image

from genlab.drawing.image_grid import grid, with_caption, with_row_captions
from genlab.drawing.planes import scatter, thumbnails

POINTS = np.random.default_rng(0).normal(size=(300, 2))


def test_a_label_of_many_classes_has_twenty_colours_and_the_rest_in_grey() -> None:
    classes = [f"class number {i} with a name that never ends" for i in range(31)]
    labels = np.arange(300) % 31
    picture = scatter(POINTS, "title", ("", ""), labels, classes)
    plain = scatter(POINTS, "title", ("", ""))
    assert picture.size == plain.size == (1260, 1050)
    assert len(picture.getcolors(1 << 20)) > len(plain.getcolors(1 << 20))


def test_figures_leave_no_global_state() -> None:
    import matplotlib
    from matplotlib._pylab_helpers import Gcf

    before = dict(matplotlib.rcParams)
    scatter(POINTS, "title", ("x", "y"))
    assert dict(matplotlib.rcParams) == before
    assert not Gcf.get_all_fig_managers()


def test_thumbnails_never_overlap_and_stand_where_their_points_are() -> None:
    images = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    images[1], images[2] = 90, 180
    # The second lies on the first and is left out, the third lies above to the right.
    points = np.array([[0.0, 0.0], [0.001, 0.0], [1.0, 1.0]])
    picture = np.asarray(thumbnails(points, images, "title").convert("L"))
    assert (picture == 90).sum() < (picture == 180).sum() == 40 * 40
    top, left = np.argwhere(picture == 180)[0]
    assert top < 60
    assert left == picture.shape[1] - 40
    assert (picture[-40:, :40] == 0).all()


def test_thumbnails_of_a_flat_plane() -> None:
    flat = POINTS * np.array([1.0, 0.0])
    picture = thumbnails(flat, torch.zeros(300, 3, 100, 100, dtype=torch.uint8), "title")
    assert picture.height < picture.width


def test_grids_part_columns_and_carry_captions() -> None:
    pictures = torch.zeros(6, 1, 8, 8, dtype=torch.uint8)
    plain = grid(pictures, 3)
    assert plain.size == (20 * 32, 20 * 22)
    assert grid(pictures, 3, apart=(1,)).size == (19 * 34, 19 * 22)
    assert grid(pictures, 3, margin=0).size == (27 * 24, 27 * 16)
    image = Image.new("RGB", (200, 100))
    assert with_caption(image, "one line").size == (200, 126)
    assert with_caption(image, "a caption that is far too long for one line").size == (200, 146)
    assert with_row_captions(image, ["first", "second"]).height == 100
