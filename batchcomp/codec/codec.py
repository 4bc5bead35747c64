"""The codec: one picture to one payload and back. Nothing above this room needs to know torch.

`compress` is `compact` (the network, on the device) then `encode` (JPEG, anywhere); `restore` is `decode` then
`reconstruct`. A pipeline calls the four stages itself, to batch the networks and spread the JPEG work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from batchcomp.codec import edge_lines, payload, tiles, weights
from batchcomp.codec.compact import Compact, Decoded
from batchcomp.codec.device import DEVICES, choose_device
from batchcomp.codec.engines.select import EngineCache
from batchcomp.codec.identity import identity
from batchcomp.codec.inner import DEFAULT, codec_of, inner_codec
from batchcomp.codec.inner.base import decoded
from batchcomp.codec.model import Model
from batchcomp.codec.tables import (
    FINE_FROM,
    check_quality,
    log2_coarseness,
    quality_to_coarseness,
)
from batchcomp.errors import ModelError, PayloadError
from batchcomp.images.picture import Picture, Pixels
from batchcomp.kinds import KINDS

__all__ = ["DEVICES", "Codec", "choose_device"]


class Codec:
    """Compresses with one model; restores payloads of that model and of any other it can find."""

    def __init__(
        self,
        model: Model,
        *,
        device: str = "cpu",
        batch: int | None = None,
        threads: int = 0,
        model_file: Path | None = None,
    ) -> None:
        self.device = choose_device(device)
        # On a CPU batches buy nothing, and a convolution may round differently in them: always one tile at a time.
        self._runner = tiles.Runner(threads=threads, batch=1 if self.device.type == "cpu" else batch or 16)
        self._engines = EngineCache(self.device)
        self.model = model
        self._model_file = model_file
        self._fine, self._ladder = weights.load_fine(model), weights.ladder_of(model)
        self._models = {_model_id(one): one for one in (self.model, self._fine) if one}

    @classmethod
    def open(
        cls, model_file: str | Path | None = None, *, device: str = "auto", batch: int | None = None, threads: int = 0
    ) -> Codec:
        """Load the default model, the shipped one of a name, or one from a file.

        `batch` is in tiles and for devices other than the CPU, which instead runs `threads` tiles at once (0: one a
        core).

        Raises:
            ModelError: the file is no model.
            UsageError: the device is not there.
        """
        path = Path(model_file) if model_file else None
        model = weights.load_file(path) if path else weights.load_shipped()
        return cls(model, device=device, batch=batch, threads=threads, model_file=path)

    @property
    def models(self) -> tuple[Model, ...]:
        """Each model that `compact` uses, the main one first."""
        return tuple(model for model in (self.model, self._fine) if model)

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of each model that `compact` uses, the main one first."""
        return tuple(model.sha256 for model in self.models)

    def hash_of(self, header: payload.PayloadHeader) -> str:
        """SHA-256 of the model of a payload that `compact` began."""
        return self._model_of(header).sha256

    @property
    def engine(self) -> str:
        """What runs the networks, in words."""
        return self._engines.of(self.model.com).name

    def engine_of(self, header: payload.PayloadHeader, kind: str) -> str:
        """What restores a payload's pixels, with all that may round differently elsewhere; "" where nothing may.

        Args:
            header: the payload's.
            kind: how it is stored, one of `kinds.COMPACT`.

        Raises:
            PayloadError: its model is not at hand.
        """
        rec = self._model_of(header).rec
        if rec.exact and KINDS[kind].same_everywhere:
            return ""
        return identity(self._engines.of(rec).name, self.device)

    def prepare(self, *, restores: bool) -> None:
        """Begin to load what will be needed, while files are read: ComCNN's engine, RecCNN's too if it `restores`."""
        self._engines.prepare(self.model.com, *([self.model.rec] if restores else []))

    def _model_of(self, header: payload.PayloadHeader) -> Model:
        if header.model not in self._models:
            try:
                model = weights.load_by_hash(header.model.hex(), self._model_file)
            except ModelError as error:
                raise PayloadError(str(error)) from error
            self._models.setdefault(header.model, model)  # one for all threads, so that it has one engine
        return self._models[header.model]

    # -- the four stages ------------------------------------------------------------------------------------------

    def compact(
        self,
        pictures: Sequence[Picture],
        quality: float | Sequence[float],
        inner: str = DEFAULT,
        effort: int = 0,
        *,
        keep: bool = True,
    ) -> list[Compact]:
        """Run ComCNN over a batch of pictures of any sizes.

        Args:
            pictures: RGB or greyscale, sides 1 to 131,000.
            quality: 1 (coarse) to 100 (fine) in steps of .01, for all or one a picture.
            inner: the inner codec that the compact pictures are for.
            effort: 0 to 9, for JPEG only: how long to refine what is stored (`refined`).
            keep: whether the pixels are needed afterwards; else large pictures give them back row by row.

        Raises:
            ValueError: quality is outside 1..100.
        """
        qualities = [quality] * len(pictures) if isinstance(quality, (int, float)) else quality
        wanted = [self._model_for(q, inner) for q in qualities]
        answers: dict[int, Compact] = {}
        for model in {model.sha256: model for model, _ in wanted}.values():
            members = [i for i, (one, _) in enumerate(wanted) if one is model]
            jobs = [(pictures[i], qualities[i], wanted[i][1]) for i in members]
            answers |= zip(members, self._compact(model, jobs, keep=keep or effort > 0), strict=True)
        compacts = [answers[i] for i in range(len(pictures))]
        return self.refined(pictures, compacts, effort) if effort else compacts

    def _model_for(self, quality: float, inner: str) -> tuple[Model, float]:
        """The model for a quality, and its networks' quality: the finest need the full size."""
        check_quality(quality)
        if self._fine and inner == DEFAULT:
            if quality >= FINE_FROM:
                return self._fine, round(self._ladder.full_size(quality), 2)
            return self.model, round(self._ladder.half_size(quality), 2)
        return self.model, round(inner_codec(inner).network_quality(quality), 2)

    def _compact(self, model: Model, jobs: Sequence[tuple[Picture, float, float]], *, keep: bool) -> list[Compact]:
        """Run one model's ComCNN over pictures, each with the quality that was asked for and the network's."""
        pictures, qualities, network_qualities = zip(*jobs, strict=True)
        lines = [_lines_of(picture) for picture in pictures]
        coarsenesses, arch = [quality_to_coarseness(q) for q in network_qualities], model.arch
        levels = [log2_coarseness(q) for q in network_qualities]
        tile = tiles.side_of(arch.com_halo, arch.com_bytes, least=tiles.TILE)
        tile -= tile % arch.unit
        plan = tiles.TilePlan(unit=arch.unit, up=1, down=arch.scale, halo=arch.com_halo, tile=tile)
        engine = self._engines.of(model.com)

        def passed(number: int, rows: int) -> None:
            pictures[number].give_back(rows + edge_lines.counts(lines[number])[edge_lines.TOP])

        pixels_of_all = [edge_lines.without(p.pixels, runs) for p, runs in zip(pictures, lines, strict=True)]
        outputs = self._runner.run(engine, pixels_of_all, levels, plan, passed=None if keep else passed)
        return [
            Compact(
                pixels=pixels,
                header=payload.PayloadHeader(
                    width=picture.width,
                    height=picture.height,
                    lines=runs,
                    scale=arch.scale,
                    quality=n,
                    model=_model_id(model),
                    grey=picture.mode == "L",
                ),
                tables=model.tables_at(coarseness),
                metadata=picture.metadata,
                quality=q,
            )
            for picture, runs, pixels, q, n, coarseness in zip(
                pictures, lines, outputs, qualities, network_qualities, coarsenesses, strict=True
            )
        ]

    def refined(self, pictures: Sequence[Picture], compacts: Sequence[Compact], effort: int) -> list[Compact]:
        """The same compact pictures with coefficients that RecCNN makes more of; see `codec.refine`.

        Args:
            pictures: the originals.
            compacts: what `compact` made of them for JPEG payloads.
            effort: 0 (none) to 9 (slowest).
        """
        from batchcomp.codec.refine import ITERATIONS, Decoder, refine  # noqa: PLC0415  (gradients need torch)

        answers = []
        for picture, compact in zip(pictures, compacts, strict=True):
            decoder = Decoder(
                network=self._models[compact.header.model].network.placed(self.device.torch),
                tables=compact.tables,
                coarseness=quality_to_coarseness(compact.header.quality),
            )
            pixels = edge_lines.without(picture.pixels, compact.header.lines)
            found = refine(pixels, compact.coefficients, decoder, ITERATIONS[effort])
            answers.append(replace(compact, refined=found))
        return answers

    @staticmethod
    def encode(compact: Compact, inner: str = DEFAULT) -> bytes:
        """Write the payload: a standard JPEG, or the file of another inner codec, with our header and the metadata.

        Raises:
            OSError: the inner codec cannot hold a picture of this size.
        """
        return inner_codec(inner).encode(compact)

    @staticmethod
    def decode(data: bytes) -> Decoded:
        """Read a payload.

        Raises:
            PayloadError: it is none, is damaged, or its picture contradicts its header.
        """
        return decoded(codec_of(data), data)

    def reconstruct(self, payloads: Sequence[Decoded]) -> list[Picture]:
        """Run RecCNN over a batch of decoded payloads.

        Raises:
            PayloadError: a payload needs a model that is not at hand.
        """
        answers: dict[int, Picture] = {}
        for model_id in dict.fromkeys(p.header.model for p in payloads):
            members = [(i, p) for i, p in enumerate(payloads) if p.header.model == model_id]
            model = self._model_of(members[0][1].header)
            for (i, p), pixels in zip(members, self._reconstruct(model, [p for _, p in members]), strict=True):
                width, height = p.header.inner_size
                whole = edge_lines.put_back(pixels[:height, :width], p.header.lines)
                answers[i] = Picture(pixels=whole, metadata=p.metadata)
        return [answers[i] for i in range(len(payloads))]

    def _reconstruct(self, model: Model, payloads: Sequence[Decoded]) -> list[Pixels]:
        arch = model.arch
        if any(p.header.scale != arch.scale for p in payloads):
            raise PayloadError(f"the payload's scale is not its model's ({arch.scale}); use an intact copy")
        unit, halo = arch.unit // arch.scale, arch.rec_halo // arch.scale
        tile = tiles.side_of(halo, arch.rec_bytes, least=tiles.TILE // arch.scale)
        plan = tiles.TilePlan(unit=unit, up=arch.scale, down=1, halo=halo, tile=tile - tile % unit)
        log_coarsenesses = [log2_coarseness(p.header.quality) for p in payloads]
        engine = self._engines.of(model.rec)
        return self._runner.run(engine, [p.pixels for p in payloads], log_coarsenesses, plan)

    # -- one picture ----------------------------------------------------------------------------------------------

    def compress(self, picture: Picture, quality: float, inner: str = DEFAULT) -> bytes:
        """Return the payload of one picture at quality 1..100."""
        return self.encode(self.compact([picture], quality, inner)[0], inner)

    def restore(self, data: bytes) -> Picture:
        """Return the picture of a payload: uint8 pixels of the original's shape, and its metadata.

        Raises:
            PayloadError: the payload is damaged or its model is not at hand.
        """
        return self.reconstruct([self.decode(data)])[0]


def _lines_of(picture: Picture) -> edge_lines.Runs:
    """What is taken off the edges; nothing where an alpha channel must fit the compact picture too."""
    return () if picture.metadata.alpha else edge_lines.runs_of(picture.pixels)


def _model_id(model: Model) -> bytes:
    """What headers call a model."""
    return bytes.fromhex(model.sha256)[: payload.MODEL_BYTES]
