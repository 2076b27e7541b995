"""Pictures of synthetic people with exact labels, each from one integer.

A picture is named by (person seed, pose index): the person and the outfit follow from the first number alone,
the pose, camera, light and background from both. Nothing else enters, so any picture can be drawn again
alone, in any order and in any process.

Everything here runs on the calling thread; to use more cores start more processes (each with one thread for
numerical libraries, for instance ``OMP_NUM_THREADS=1``) and deal out person seeds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vitruvian.errors import OptionError
from vitruvian.mannequin.background import KINDS, Backdrop, draw_backdrop
from vitruvian.mannequin.camera import Camera, Window, frame, window_around
from vitruvian.mannequin.figure import Figure, PosedFigure
from vitruvian.mannequin.finish import compose, grain, quantise, tone
from vitruvian.mannequin.identity import sample_person
from vitruvian.mannequin.labels import Semantic, keypoint_visibility
from vitruvian.mannequin.light import Light, sample_light
from vitruvian.mannequin.outfit import sample_outfit
from vitruvian.mannequin.pose import Pose, sample_pose
from vitruvian.mannequin.renderer import QUALITIES, Channels, Scene

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CLOSE_UPS = ("face", "shoes", "upper", "hand")
LEAST_FACE = 0.08  # share of a face close-up that must be face; people seen from behind have none
# Streams of random numbers, so that a change of one does not move the others.
_PERSON, _OUTFIT, _POSE, _VIEW, _BACKGROUND, _RENDER = range(6)


@dataclass(frozen=True)
class SynthOptions:
    """What pictures to draw.

    Sizes are pixels. backgrounds: some of 'white', 'studio', 'room', 'street', with their weights (equal if
    none are given). yaw_sigma: degrees a person is turned from the camera (normal distribution);
    any_yaw_fraction: share of pictures turned by any angle instead. quality: a key of
    ``renderer.QUALITIES``. closeups: some of 'face', 'shoes', 'upper', 'hand', each of ``closeup_size``
    (height, width). labels: also keep keypoints, depth and template coordinates (alpha and the semantic map
    are kept anyway).
    """

    height: int = 256
    width: int = 128
    backgrounds: tuple[str, ...] = KINDS
    background_weights: tuple[float, ...] = ()
    yaw_sigma: float = 20.0
    any_yaw_fraction: float = 0.15
    quality: str = "good"
    closeups: tuple[str, ...] = ()
    closeup_size: tuple[int, int] = (128, 128)
    labels: bool = True

    def __post_init__(self) -> None:
        _check("SynthOptions.backgrounds", self.backgrounds, KINDS)
        _check("SynthOptions.closeups", self.closeups, CLOSE_UPS)
        _check("SynthOptions.quality", (self.quality,), tuple(QUALITIES))
        if self.background_weights and len(self.background_weights) != len(self.backgrounds):
            raise OptionError(
                f"SynthOptions.background_weights has {len(self.background_weights)} numbers for "
                f"{len(self.backgrounds)} backgrounds: give one for each, or none"
            )
        if min(self.height, self.width, *self.closeup_size) < 16:
            raise OptionError("SynthOptions: height, width and closeup_size must be at least 16 pixels")


def _check(owner: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise OptionError(f"{owner}: unknown {unknown[0]!r}; choose from {', '.join(known)}")


@dataclass(frozen=True)
class View:
    """How a figure is looked at: size (height, width), degrees of yaw, metres, shares, light, background."""

    size: tuple[int, int]
    yaw: float
    distance: float
    eye_level: float  # camera height as a share of the figure's height
    fill: float  # share of the picture's height that the figure fills
    light: Light
    background: str
    quality: str

    def camera(self, points: np.ndarray) -> Camera:
        """The camera that frames these N x 3 points."""
        height, width = self.size
        return frame(
            points,
            yaw=self.yaw,
            height=height,
            width=width,
            fill=self.fill,
            distance=self.distance,
            eye_level=self.eye_level,
        )


@dataclass(frozen=True)
class Recipe:
    """All that was drawn by lot for one picture, besides the person and the outfit."""

    person_seed: int
    pose_index: int
    pose_name: str
    pose: Pose
    view: View


@dataclass
class Sample:
    """A picture with its labels; h x w is the size asked for, or a close-up's."""

    rgb: np.ndarray  # h x w x 3 uint8
    alpha: np.ndarray  # h x w uint8
    semantic: np.ndarray  # h x w uint8, labels.Semantic
    keypoints: np.ndarray | None  # 18 x 3 float32: x, y, labels.Visibility
    depth: np.ndarray | None  # h x w float16, metres along the ray, 0 where nobody is
    template: np.ndarray | None  # h x w x 3 float16, template coordinates, 0 where nobody is
    record: dict[str, Any]  # plain numbers and strings
    closeups: dict[str, Sample] = field(default_factory=dict)


def warm_up() -> None:
    """Compile the kernels if this machine has not yet (some ten seconds): do it before starting workers."""
    render_person(0, options=SynthOptions(height=32, width=16, backgrounds=("white",), quality="fast"))


def build_figure(person_seed: int) -> Figure:
    """The person and outfit of a seed."""
    person = sample_person(_rng(_PERSON, person_seed))
    outfit = sample_outfit(_rng(_OUTFIT, person_seed), person.gender)
    return Figure(person, outfit)


def sample_recipe(person_seed: int, pose_index: int = 0, options: SynthOptions | None = None) -> Recipe:
    """Pose and view of a picture."""
    options = options or SynthOptions()
    name, pose = sample_pose(_rng(_POSE, person_seed, pose_index))
    view = _sample_view(_rng(_VIEW, person_seed, pose_index), options)
    return Recipe(person_seed, pose_index, name, pose, view)


def render_person(person_seed: int, pose_index: int = 0, options: SynthOptions | None = None) -> Sample:
    """One picture: (person seed, pose index)."""
    options = options or SynthOptions()
    figure = build_figure(person_seed)
    return render(figure, sample_recipe(person_seed, pose_index, options), options)


def person_pictures(
    person_seed: int, poses: int | Iterable[int], options: SynthOptions | None = None
) -> Iterator[Sample]:
    """The same person and outfit in several poses and views, which shares the cost of building them.

    poses: how many, or the pose indices themselves.
    """
    options = options or SynthOptions()
    figure = build_figure(person_seed)
    for index in range(poses) if isinstance(poses, int) else poses:
        yield render(figure, sample_recipe(person_seed, index, options), options)


def render(figure: Figure, recipe: Recipe, options: SynthOptions) -> Sample:
    """Draw a built figure by a recipe."""
    posed = figure.posed(recipe.pose)
    camera = recipe.view.camera(_outline(posed))
    seed = recipe.person_seed, recipe.pose_index
    backdrop = draw_backdrop(recipe.view.background, _rng(_BACKGROUND, *seed), camera)
    stage = _Stage(figure, posed, figure.scene(posed), backdrop, recipe, options)
    full = Window(0.0, 0.0, float(camera.width), float(camera.height))
    sample = stage.shoot(camera, full, 0)
    for number, kind in enumerate(options.closeups, start=1):
        points = _points_of(posed, kind)
        window = window_around(camera, kind, points, shape=options.closeup_size, fit=kind == "shoes")
        close = stage.shoot(camera.view(window, *options.closeup_size), window, number)
        if kind != "face" or (close.semantic == Semantic.FACE).mean() > LEAST_FACE:
            sample.closeups[kind] = close
    return sample


@dataclass(frozen=True)
class _Stage:
    """A scene with all that its full picture and its close-ups share."""

    figure: Figure
    posed: PosedFigure
    scene: Scene
    backdrop: Backdrop
    recipe: Recipe
    options: SynthOptions

    def shoot(self, camera: Camera, window: Window, number: int) -> Sample:
        recipe = self.recipe
        rng = _rng(_RENDER, recipe.person_seed, recipe.pose_index, number)
        channels = self.scene.render(
            camera,
            recipe.view.light,
            quality=QUALITIES[recipe.view.quality],
            seed=int(rng.integers(1 << 31)),
            ground=self.posed.ground,
        )
        linear = compose(channels.rgb, channels.alpha, channels.shadow, self.backdrop.seen_by(camera))
        rgb = quantise(grain(tone(linear), rng))
        return self._labelled(rgb, channels, camera, window)

    def _labelled(self, rgb: np.ndarray, channels: Channels, camera: Camera, window: Window) -> Sample:
        keypoints = depth = template = None
        if self.options.labels:
            xy = camera.project(self.posed.joints)
            seen = keypoint_visibility(xy, camera.distance(self.posed.joints), channels.depth)
            keypoints = np.concatenate([xy, seen[:, None]], 1).astype(np.float32)
            depth = channels.depth.astype(np.float16)
            template = channels.template.astype(np.float16)
        return Sample(
            rgb=rgb,
            alpha=quantise(channels.alpha),
            semantic=channels.semantic,
            keypoints=keypoints,
            depth=depth,
            template=template,
            record=self._record(camera, window),
        )

    def _record(self, camera: Camera, window: Window) -> dict[str, Any]:
        recipe, view = self.recipe, self.recipe.view
        return {
            "person_seed": recipe.person_seed,
            "pose_index": recipe.pose_index,
            "person": person_labels(self.figure),
            "outfit": _plain(self.figure.outfit.labels()),
            "pose": {"name": recipe.pose_name, **_plain(recipe.pose)},
            "gender": self.figure.person.gender,
            "yaw": float(view.yaw),  # degrees by which the camera stands to the person's left
            "camera": camera.record(),
            "light": view.light.record(),
            "background": view.background,
            "window": [window.left, window.top, window.width, window.height],
        }


def person_labels(figure: Figure) -> dict[str, Any]:
    """What is known of a person: phenotype, skin, eyes, hair."""
    person = figure.person
    return {
        "gender": person.gender,
        "phenotype": _plain(person.phenotype),
        "stature": float(person.rest.stature),
        "skin_darkness": float(person.skin.darkness),
        "iris": _plain(person.iris),
        "hair_style": person.hair_style,
        "hair_colour": person.hair_name,
    }


def _sample_view(rng: np.random.Generator, options: SynthOptions) -> View:
    weights = np.array(options.background_weights or [1.0] * len(options.backgrounds))
    background = options.backgrounds[int(rng.choice(len(weights), p=weights / weights.sum()))]
    yaw = float(np.clip(rng.normal(0, options.yaw_sigma), -180, 180))
    any_yaw = float(rng.uniform(-180, 180))
    if rng.random() < options.any_yaw_fraction:
        yaw = any_yaw
    return View(
        size=(options.height, options.width),
        yaw=yaw,
        distance=float(rng.uniform(3.8, 6.0)),
        eye_level=float(np.clip(rng.normal(0.54, 0.05), 0.42, 0.70)),
        fill=float(rng.uniform(0.90, 0.93)),
        light=sample_light(rng, background).turned(yaw),
        background=background,
        quality=options.quality,
    )


def _outline(posed: PosedFigure) -> np.ndarray:
    """Points that the picture must show: skin, and a subset of everything worn."""
    return np.concatenate([posed.skin[::3], *(p.vertices[::7] for p in posed.pieces[3:])])


def _points_of(posed: PosedFigure, kind: str) -> np.ndarray:
    """Points that a close-up is centred on."""
    if kind == "face":
        return posed.head
    if kind == "shoes":
        return posed.feet
    if kind == "hand":
        return posed.hands[0]
    return posed.joints[[1, 2, 5, 8, 11]]  # neck, shoulders, hips


def _rng(stream: int, *seed: int) -> np.random.Generator:
    return np.random.default_rng([stream, *(s & 0xFFFFFFFFFFFFFFFF for s in seed)])


def _plain(value: Any) -> Any:
    """Dataclasses, arrays and numpy numbers as what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    return value
