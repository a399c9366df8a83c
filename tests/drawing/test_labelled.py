import numpy as np
import torch

from genlab.drawing.labelled import by_class, shown_label


def shades(numbers: list[int]) -> torch.Tensor:
    """Images of 4 pixels, each as dark as its number says."""
    return torch.tensor(numbers, dtype=torch.uint8).mul(20).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def rows_of(numbers: list[int], classes: list[int]) -> list[list[int]]:
    """The shades in each row of the sheet, from left to right."""
    names = [f"class {number}" for number in range(max(classes) + 1)]
    sheet = by_class(shades(numbers), torch.tensor(classes), names)
    pixels = np.asarray(sheet.convert("L"))
    found = []
    for line in pixels:
        inside = [int(value) // 20 for value in line[-640:] if value <= 200 and value % 20 == 0]
        kinds = list(dict.fromkeys(inside))
        if kinds and (not found or found[-1] != kinds):
            found.append(kinds)
    return found


def test_a_row_holds_the_images_of_one_class_in_their_order() -> None:
    assert rows_of([1, 2, 3, 4, 5, 6], [0, 1, 2, 0, 1, 2]) == [[1, 4], [2, 5], [3, 6]]


def test_many_images_of_a_class_take_several_rows() -> None:
    found = rows_of([1, 2, 3, 4, 5, 6, 7, 8, 9], [0] * 8 + [1])
    assert found == [[1, 2, 3], [4, 5, 6], [7, 8], [9]]


def test_the_first_label_with_several_classes_names_the_rows() -> None:
    one, two = torch.zeros(4, dtype=torch.long), torch.tensor([0, 1, 0, 1])
    classes = {"hair": ["none", "long"], "mouth": ["sad", "happy"]}
    found = shown_label({"hair": one, "mouth": two}, classes)
    assert found is not None
    assert found[1] == ["sad", "happy"]
    assert shown_label({"hair": one}, classes) is None
    assert shown_label({"hair": torch.arange(100)}, {"hair": [str(i) for i in range(100)]}) is None
