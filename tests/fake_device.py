"""A learner on a GPU that is not there: types, shapes and devices of its steps, without numbers.

Torch's fake tensors claim to be on a device of their own and hold no data. An operation that a GPU
would refuse (tensors of two devices, two types where nothing promotes them) raises here as well:
mixed precision follows CUDA's rules of autocast, which are not the CPU's. No GPU is needed.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)

from genlab.data.stream import Batch
from genlab.learners import Learner
from genlab.learners.learner import Engine

NAME = "fake_gpu"
# Operations whose arguments CUDA's autocast makes bf16 (https://pytorch.org/docs/stable/amp.html).
LOWER = """
    _convolution _cudnn_rnn _scaled_dot_product_flash_attention _thnn_fused_gru_cell
    _thnn_fused_lstm_cell addbmm addmm addmv addr baddbmm bmm chain_matmul conv1d conv2d conv3d
    conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution cudnn_convolution
    cudnn_convolution_transpose einsum gru_cell linalg_multi_dot linalg_vecdot linear lstm_cell
    matmul mm mv prelu rnn_relu_cell rnn_tanh_cell scaled_dot_product_attention
"""
# Those whose arguments it makes the widest type among them. It makes all others' float32.
PROMOTED = """
    addcdiv addcmul atan2 bilinear cross dot grid_sampler index_put scatter_add tensordot vdot
"""
_AUTOCAST = "AutocastPrivateUse1"
_LIBRARIES: list[torch.library.Library] = []


class _Module(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


@functools.cache
def device() -> torch.device:
    """The fake GPU, with CUDA's rules of autocast; made once for the process."""
    _setup_privateuseone_for_python_backend(NAME, _Module())
    others = torch.library.Library("_", "IMPL", _AUTOCAST)
    others.fallback(torch.library.fallthrough_kernel)
    rules = torch.library.Library("aten", "IMPL", _AUTOCAST)
    for operation in autocast_operations():
        rules.impl(operation, _rule(operation))
    _LIBRARIES.extend((others, rules))  # the rules go where these go
    return torch.device(NAME, 0)


def autocast_operations() -> list[str]:
    """The operations that CUDA's autocast has a rule for, in this build of torch."""
    has_rule = torch._C._dispatch_has_kernel_for_dispatch_key
    names = torch._C._dispatch_get_all_op_names()
    return sorted(n for n in names if n.startswith("aten::") and has_rule(n, "AutocastCUDA"))


def _rule(operation: str) -> Callable[..., Any]:
    """What autocast does around an operation, named like `aten::lerp.Scalar`."""
    name, _, overload = operation.removeprefix("aten::").partition(".")
    call = getattr(getattr(torch.ops.aten, name), overload or "default")
    lower, promoted = name in LOWER.split(), name in PROMOTED.split()
    below = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)

    def cast(*args: Any, **kwargs: Any) -> Any:
        values = [v for v in tree_leaves((args, kwargs)) if isinstance(v, Tensor) and _eligible(v)]
        if lower:
            wanted = torch.get_autocast_dtype(NAME)
        elif promoted:
            wanted = max((v.dtype for v in values), key=lambda kind: kind.itemsize, default=None)
        else:
            wanted = torch.float32

        def to(value: Any) -> Any:
            return value.to(wanted) if isinstance(value, Tensor) and _eligible(value) else value

        with torch._C._ExcludeDispatchKeyGuard(below):
            args, kwargs = tree_map(to, (args, kwargs))
            return call(*args, **kwargs)

    return cast


def _eligible(value: Tensor) -> bool:
    return value.device.type == NAME and value.is_floating_point() and value.dtype != torch.float64


class Host(TorchDispatchMode):
    """Gives the host a value where it asks for one, and remembers when it waited for the GPU.

    A number is half, a truth is true, and a mask chooses the first half.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[str] = []  # the operations

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        masks = [v for v in tree_leaves(args[1]) if _is_mask(v)] if func in _INDEXED else []
        if func not in _READ and not masks:
            return func(*args, **kwargs)
        if (masks or args)[0].device == device():
            self.waited.append(str(func))
        if masks:
            return func(args[0], [i for v in args[1] for i in _chosen(v)], *args[2:], **kwargs)
        if func == aten._is_all_true.default:
            return args[0].new_ones(())
        if func == aten.bincount.default:
            return args[0].new_zeros([*args, *kwargs.values()][-1])
        if func == aten.is_nonzero.default or args[0].dtype == torch.bool:
            return True
        return 0.5 if args[0].is_floating_point() else 1


aten = torch.ops.aten
_INDEXED = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default)
_READ = (
    aten._local_scalar_dense.default,
    aten._is_all_true.default,
    aten.is_nonzero.default,
    aten.bincount.default,
)


def _is_mask(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.bool


def _chosen(value: Any) -> list[Any]:
    """The indices that stand for an index: of a mask, those of its first half."""
    if not _is_mask(value):
        return [value]
    count = max(1, value.numel() // 2)
    return [value.new_zeros(count, dtype=torch.int64) for _ in value.shape]


def mixed_precision() -> AbstractContextManager[Any]:
    """What Lightning's `bf16-mixed` does around a step."""
    return torch.autocast(NAME, torch.bfloat16)


@contextmanager
def fake_gpu() -> Iterator[Host]:
    """Tensors have no data, on the CPU or on `device()`."""
    device()
    with FakeTensorMode(allow_non_fake_inputs=True), Host() as host:  # Normal(0, 1) of a module
        lifted = torch._C._only_lift_cpu_tensors()
        torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor([1], device=device())
        try:
            yield host
        finally:
            torch._C._set_only_lift_cpu_tensors(lifted)


class Player:
    """A learner that plays on the fake GPU, under `fake_gpu`, in the precision `bf16-mixed`.

    Args:
        learner: on the CPU; its parameters and buffers are replaced.
        image: channels, height and width of the images.
        labels: their names.
    """

    def __init__(
        self, learner: Learner, image: tuple[int, int, int], labels: Sequence[str]
    ) -> None:
        self.image, self.labels = image, labels
        for module in learner.modules():
            for values in (module._parameters, module._buffers):
                for name, value in values.items():
                    values[name] = None if value is None else _fake(value)  # type: ignore[assignment]
        optimizers = learner.optimizers_of_players()
        for optimizer in optimizers:
            for settings in (optimizer.defaults, *optimizer.param_groups):
                settings |= {"fused": False, "foreach": True}
        learner.engine = Engine(optimizers)
        self.learner = learner.train()

    def step(self, size: int) -> dict[str, Tensor]:
        """A training step on `size` images; what it logs."""
        images = torch.zeros(size, *self.image, dtype=torch.uint8, device=device())
        with mixed_precision():
            return self.learner.training_step(Batch(images, self.told(size)))

    def told(self, size: int) -> dict[str, Tensor]:
        """The labels of `size` images."""
        return {name: torch.zeros(size, dtype=torch.int64, device=device()) for name in self.labels}

    def step_of_all(self, size: int) -> dict[str, Tensor]:
        """A step of every player, with all penalties; what the last one logs."""
        turns = getattr(self.learner, "critic_steps", 1)
        for turn in sorted({0, turns - 1}):  # the generator plays with the critic's last step
            self.learner.images_seen = turn * size
            logged = self.step(size)
        return logged


def _fake(value: Tensor) -> Tensor:
    made = torch.empty(value.shape, dtype=value.dtype, device=device())
    parameter = isinstance(value, nn.Parameter)
    return nn.Parameter(made, requires_grad=value.requires_grad) if parameter else made
