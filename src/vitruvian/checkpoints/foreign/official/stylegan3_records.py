"""StyleGAN3 generators as official module records."""

from __future__ import annotations

from typing import Any

import torch

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.foreign.official.records import RecordWriter, shape_attributes
from vitruvian.checkpoints.foreign.pickle_writer import Call, Name
from vitruvian.errors import CheckpointError
from vitruvian.nn.stylegan3 import Generator, Level, SynthesisLayer


def generator(writer: RecordWriter) -> Call:
    """The whole network; rates, cutoffs and paddings are attributes of each layer there.

    Raises:
        CheckpointError: for margins that the official classes cannot have.
    """
    with torch.device("meta"):
        network = Generator(**writer.config)
    config, synthesis = network.config, network.synthesis
    height, square = shape_attributes(writer.config)
    margin = _margin(config.margin_size, is_square=not square)
    names = synthesis.layer_names
    children: dict[str, Any] = {"input": _input(writer, synthesis.input.level, square)}
    for name, source, target in zip(names, synthesis.signals, synthesis.signals[1:], strict=False):
        layer = synthesis.get_submodule(name)
        assert isinstance(layer, SynthesisLayer)
        children[name] = _layer(writer, f"synthesis.{name}.", layer, source, target, square)
    found = shapes.plain_mapping_config(writer.tensors)
    sizes = {"z_dim": found["z_dim"], "c_dim": found["c_dim"], "w_dim": config.w_dim}
    picture = {"img_resolution": height, "img_channels": config.img_channels}
    arguments = {
        **{key: getattr(config, key) for key in _RECORDED},
        "num_layers": config.synthesis_layers,
        "num_critical": config.num_critical,
        "margin_size": margin,
        "output_scale": config.output_scale,
        **square,
    }
    record = writer.part(
        "SynthesisNetwork",
        "synthesis.",
        children,
        {"w_dim": config.w_dim, **picture, **arguments},
        w_dim=config.w_dim,
        num_ws=network.num_ws,
        layer_names=names,
        num_layers=config.synthesis_layers,
        num_critical=config.num_critical,
        margin_size=margin,
        output_scale=config.output_scale,
        num_fp16_res=0,
        **picture,
        **square,
    )
    mapping = writer.mapping(
        num_ws=network.num_ws, num_layers=found["num_layers"], w_avg_beta=config.w_avg_beta, **sizes
    )
    return writer.part(
        "Generator",
        "",
        {"synthesis": record, "mapping": mapping},
        {**sizes, **picture, "mapping_kwargs": {"num_layers": found["num_layers"]}, **arguments},
        num_ws=network.num_ws,
        **sizes,
        **picture,
        **square,
    )


_RECORDED = (
    "channel_base", "channel_max", "first_cutoff", "first_stopband", "last_stopband_rel", "conv_kernel", "filter_size",
    "lrelu_upsampling", "use_radial_filters", "conv_clamp", "magnitude_ema_beta",
)  # fmt: skip


def _margin(margin: int | tuple[int, int], *, is_square: bool) -> int:
    above, aside = (margin, margin) if isinstance(margin, int) else margin
    if aside * (1 if is_square else 2) != above:
        raise CheckpointError(
            f"the official pickle format has no margins of {above} above and {aside} at the sides: squares have equal "
            "ones, 2:1 pictures half as much at the sides"
        )
    return above


def _input(writer: RecordWriter, level: Level, square: dict[str, Any]) -> Call:
    return writer.part(
        "SynthesisInput",
        "synthesis.input.",
        {"affine": writer.fully_connected("synthesis.input.affine.")},
        w_dim=writer.shape("synthesis.input.affine.weight")[1],
        channels=level.channels,
        size=_sides(level),
        sampling_rate=float(level.rate),
        bandwidth=level.cutoff,
        **square,
    )


def _layer(
    writer: RecordWriter, prefix: str, layer: SynthesisLayer, source: Level, target: Level, square: dict[str, Any]
) -> Call:
    shape = layer.nonlinearity
    filters = {name: getattr(layer, name) for name in ("up_filter", "down_filter")}
    taps = {name: 1 if fir is None else fir.shape[0] for name, fir in filters.items()}
    return writer.part(
        "SynthesisLayer",
        prefix,
        {"affine": writer.fully_connected(f"{prefix}affine.")},
        absent_buffers=[name for name, fir in filters.items() if fir is None],
        w_dim=writer.shape(f"{prefix}affine.weight")[1],
        is_torgb=layer.is_torgb,
        is_critically_sampled=layer.is_critical,
        use_fp16=False,
        in_channels=source.channels,
        out_channels=target.channels,
        in_size=_sides(source),
        out_size=_sides(target),
        in_sampling_rate=source.rate,
        out_sampling_rate=target.rate,
        tmp_sampling_rate=source.rate * shape.up,
        in_cutoff=source.cutoff,
        out_cutoff=target.cutoff,
        in_half_width=source.half_width,
        out_half_width=target.half_width,
        conv_kernel=writer.shape(f"{prefix}weight")[2],
        conv_clamp=shape.clamp,
        magnitude_ema_beta=layer.magnitude_ema_beta,
        up_factor=shape.up,
        down_factor=shape.down,
        up_taps=taps["up_filter"],
        down_taps=taps["down_filter"],
        down_radial=filters["down_filter"] is not None and filters["down_filter"].ndim == 2,
        padding=list(shape.padding),
        **square,
    )


def _sides(level: Level) -> Call:
    """Width and height as the numpy array that the official code expects."""
    height, width = level.size
    dtype = Call(Name("numpy", "dtype"), ("i8", False, True), (3, "<", None, None, None, -1, -1, 0))
    raw = b"".join(side.to_bytes(8, "little") for side in (width, height))
    return Call(
        Name("numpy.core.multiarray", "_reconstruct"),
        (Name("numpy", "ndarray"), (0,), b"b"),
        (1, (2,), dtype, False, raw),
    )
