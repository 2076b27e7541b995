"""StyleGAN2 networks as official module records."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Any

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.foreign.official.records import RecordWriter, shape_attributes
from vitruvian.checkpoints.foreign.pickle_writer import Call


def generator(writer: RecordWriter) -> Call:
    config, tensors = writer.config, writer.tensors
    height, square = shape_attributes(config)
    heights = shapes.blocks(tensors, "synthesis.")
    found = shapes.stylegan2_generator(tensors)
    clamp = config.get("conv_clamp")
    w_dim, channels = found["w_dim"], found["img_channels"]
    architecture = found["architecture"]
    layer = {
        "w_dim": w_dim,
        "use_noise": found["use_noise"],
        "activation": "lrelu",
        "conv_clamp": clamp,
        "padding": 1,
        "act_gain": sqrt(2),
        **square,
    }
    blocks: dict[str, Call] = {}
    num_ws = 1
    for below, here in pairwise([0, *heights]):
        prefix = f"synthesis.b{here}."
        children: dict[str, Call] = {}
        for name, up in (("conv0", 2), ("conv1", 1)):
            if f"{prefix}{name}.weight" not in tensors:
                continue
            outputs, inputs = writer.shape(f"{prefix}{name}.weight")[:2]
            affine = writer.fully_connected(f"{prefix}{name}.affine.")
            children[name] = writer.part(
                "SynthesisLayer",
                f"{prefix}{name}.",
                {"affine": affine},
                resolution=here,
                up=up,
                in_channels=inputs,
                out_channels=outputs,
                **layer,
            )
        has_torgb = f"{prefix}torgb.weight" in tensors
        if has_torgb:
            inputs = writer.shape(f"{prefix}torgb.weight")[1]
            children["torgb"] = writer.part(
                "ToRGBLayer",
                f"{prefix}torgb.",
                {"affine": writer.fully_connected(f"{prefix}torgb.affine.")},
                in_channels=inputs,
                out_channels=channels,
                w_dim=w_dim,
                conv_clamp=clamp,
                weight_gain=1 / sqrt(inputs),
                **square,
            )
        if f"{prefix}skip.weight" in tensors:
            children["skip"] = _plain_conv(writer, f"{prefix}skip.", act="linear", clamp=None, up=2)
        num_conv = len({"conv0", "conv1"} & children.keys())
        num_ws += num_conv
        blocks[f"b{here}"] = writer.part(
            "SynthesisBlock",
            prefix,
            children,
            in_channels=0 if below == 0 else writer.shape(f"synthesis.b{below}.conv1.weight")[0],
            w_dim=w_dim,
            resolution=here,
            img_channels=channels,
            is_last=here == height,
            architecture=architecture,
            use_fp16=False,
            channels_last=False,
            num_conv=num_conv,
            num_torgb=int(has_torgb),
            fused_modconv_default=True,
            **square,
        )
    synthesis = writer.part(
        "SynthesisNetwork",
        "synthesis.",
        blocks,
        w_dim=w_dim,
        img_resolution=height,
        img_resolution_log2=height.bit_length() - 1,
        img_channels=channels,
        num_fp16_res=0,
        block_resolutions=heights,
        num_ws=num_ws,
        **square,
    )
    sizes = {"z_dim": found["z_dim"], "c_dim": found["c_dim"], "w_dim": w_dim}
    arguments = {**sizes, "img_resolution": height, "img_channels": channels, **square}
    mapping = writer.mapping(
        num_ws=num_ws, num_layers=found["num_layers"], w_avg_beta=config.get("w_avg_beta", 0.995), **sizes
    )
    return writer.part(
        "Generator",
        "",
        {"synthesis": synthesis, "mapping": mapping},
        arguments,
        num_ws=num_ws,
        img_resolution=height,
        img_channels=channels,
        **sizes,
        **square,
    )


def _plain_conv(
    writer: RecordWriter, prefix: str, *, act: str, clamp: float | None, up: int = 1, down: int = 1
) -> Call:
    outputs, inputs, kernel, _ = writer.shape(f"{prefix}weight")
    absent: dict[str, Any] = {} if f"{prefix}bias" in writer.tensors else {"bias": None}
    return writer.part(
        "Conv2dLayer",
        prefix,
        {},
        in_channels=inputs,
        out_channels=outputs,
        activation=act,
        up=up,
        down=down,
        conv_clamp=clamp,
        padding=kernel // 2,
        weight_gain=1 / sqrt(inputs * kernel**2),
        act_gain=1.0 if act == "linear" else sqrt(2),
        **absent,
    )


def discriminator(writer: RecordWriter) -> Call:
    config, tensors = writer.config, writer.tensors
    height, square = shape_attributes(config)
    heights = shapes.blocks(tensors, "")
    found = shapes.stylegan2_discriminator(tensors)
    clamp, architecture = config.get("conv_clamp"), found["architecture"]
    children: dict[str, Call] = {}
    first_layer = 0
    for index, here in enumerate(reversed(heights[1:])):
        prefix = f"b{here}."
        layers: dict[str, Call] = {}
        for name, down in (("fromrgb", 1), ("conv0", 1), ("conv1", 2), ("skip", 2)):
            if f"{prefix}{name}.weight" in tensors:
                is_skip = name == "skip"
                layers[name] = _plain_conv(
                    writer,
                    f"{prefix}{name}.",
                    act="linear" if is_skip else "lrelu",
                    clamp=None if is_skip else clamp,
                    down=down,
                )
        children[f"b{here}"] = writer.part(
            "DiscriminatorBlock",
            prefix,
            layers,
            in_channels=0 if index == 0 else writer.shape(f"{prefix}conv0.weight")[0],
            resolution=here,
            img_channels=found["img_channels"],
            first_layer_idx=first_layer,
            architecture=architecture,
            use_fp16=False,
            channels_last=False,
            num_layers=len(layers),
            **square,
        )
        first_layer += len(layers)
    channels = writer.shape("b4.conv.weight")[0]
    c_dim = found.get("c_dim", 0)
    deviation = writer.part(
        "MinibatchStdLayer",
        "b4.mbstd.",
        {},
        group_size=config.get("mbstd_group_size", 4),
        num_channels=found["mbstd_num_channels"],
    )
    epilogue = {
        "mbstd": deviation,
        "conv": _plain_conv(writer, "b4.conv.", act="lrelu", clamp=clamp),
        "fc": writer.fully_connected("b4.fc.", act="lrelu"),
        "out": writer.fully_connected("b4.out."),
    }
    if "b4.fromrgb.weight" in tensors:
        epilogue["fromrgb"] = _plain_conv(writer, "b4.fromrgb.", act="lrelu", clamp=None)
    children["b4"] = writer.part(
        "DiscriminatorEpilogue",
        "b4.",
        epilogue,
        in_channels=channels,
        cmap_dim=found.get("cmap_dim", 0),
        resolution=4,
        img_channels=found["img_channels"],
        architecture=architecture,
        **square,
    )
    if c_dim > 0:
        children["mapping"] = writer.mapping(
            num_ws=None, num_layers=found["num_layers"], w_avg_beta=None, z_dim=0, c_dim=c_dim, w_dim=found["cmap_dim"]
        )
    arguments = {"c_dim": c_dim, "img_resolution": height, "img_channels": found["img_channels"], **square}
    return writer.part(
        "Discriminator",
        "",
        children,
        arguments,
        c_dim=c_dim,
        img_resolution=height,
        img_resolution_log2=height.bit_length() - 1,
        img_channels=found["img_channels"],
        block_resolutions=heights[:0:-1],
        **square,
    )
