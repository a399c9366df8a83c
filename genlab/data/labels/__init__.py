"""Labels of images: columns of values that others wrote, and the classes that they stand for."""
