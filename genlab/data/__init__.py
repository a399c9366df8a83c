"""Images: sources, the cache of prepared images, splits and the training stream."""

from genlab.data.avatars import Avatars
from genlab.data.cache import cache_folder, prepare
from genlab.data.celeba import CelebA
from genlab.data.cifar10 import Cifar10
from genlab.data.collection import Collection
from genlab.data.digits import Digits
from genlab.data.domains import Domains
from genlab.data.folder import Folder
from genlab.data.gaussian_grid import GaussianGrid
from genlab.data.idx_sets import FashionMnist, Mnist
from genlab.data.image_set import ImageSet
from genlab.data.labels.labelling import Labelling
from genlab.data.packed import Archive, Arrays, Parquet
from genlab.data.source import Annotations, Source
from genlab.data.stacked import Stacked

__all__ = [
    "Annotations",
    "Archive",
    "Arrays",
    "Avatars",
    "CelebA",
    "Cifar10",
    "Collection",
    "Digits",
    "Domains",
    "FashionMnist",
    "Folder",
    "GaussianGrid",
    "ImageSet",
    "Labelling",
    "Mnist",
    "Parquet",
    "Source",
    "Stacked",
    "cache_folder",
    "prepare",
]
