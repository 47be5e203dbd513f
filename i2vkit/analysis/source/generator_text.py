"""The forward pass of a generator as plain PyTorch."""

from __future__ import annotations

from typing import Any

from i2vkit.analysis.source.lines import Lines
from i2vkit.errors import ConfigError
from i2vkit.models.part_calls import flag
from i2vkit.models.training.passes import Pass


class GeneratorText(Lines):
    """The text of ``forward`` of a generator."""

    def lines(self) -> list[str]:
        """Return ``forward`` of the generator: every pass, each encoder once for each input.

        Raises:
            ConfigError: The generator does something that is not written as source.
        """
        generator = self.model.generator
        self._say("def forward(self, clip: VideoBatch) -> dict[str, Generated]:", 0)
        self._say('"""Return the videos of all passes, with what they were made from."""', 4)
        self._say("state = RandomState(len(clip.driving), clip.driving.device)", 4)
        self._say("made = {}", 4)
        known: dict[tuple, str] = {}
        for name, entry in self.model.passes.items():
            self._say(f'# Pass "{name}": {describe_pass(entry)}.', 4)
            content = self._content(entry, known)
            encodes = entry.motion == "driving" and generator.motion_encoder is not None
            motion = self._motion(name, entry, content, known) if encodes else self._drawn(name)
            self._render(name, content, motion)
        self._say("return made", 4)
        return self._lines

    def _content(self, entry: Pass, known: dict[tuple, str]) -> str:
        generator = self.model.generator
        per_frame = entry.content_per_frame and generator.content_per_frame and generator.content_encoder is not None
        key = ("content", entry.content, per_frame)
        if key in known:
            return known[key]
        variable = known[key] = f"content_of_{'frames' if per_frame else entry.content}"
        image = "clip.driving[:, :, 0]" if entry.content == "driving" else "clip.image"
        if generator.content_encoder is None:
            self._say(f"{variable} = Content(image={image})  # the decoder reads the image itself", 4)
        elif per_frame:
            self._say(
                "# (B, C, T, H, W) -> (B T, C, H, W): a code (B, T, D) of every frame, and the first frame's maps", 4
            )
            self._say('every = self.content_encoder(rearrange(clip.driving, "b c t h w -> (b t) c h w"))', 4)
            self._adapt("every", generator.content_adapters, "content_adapters", "None")
            self._say("batch = len(clip.driving)", 4)
            self._say(f"{variable} = Content(", 4)
            self._say("image=clip.driving[:, :, 0],", 8)
            first = 'rearrange(level, "(b t) c h w -> b t c h w", b=batch)[:, 0]'
            self._say(f"pyramid=tuple({first} for level in every.pyramid),", 8)
            self._say('code=rearrange(every.code, "(b t) d -> b t d", b=batch),', 8)
            self._say(")", 4)
            self.helpers.add("rearrange")
        else:
            self._say(f"{variable} = self.content_encoder({image})", 4)
            self._adapt(variable, generator.content_adapters, "content_adapters", "None")
        return variable

    def _adapt(self, variable: str, adapters: Any, attribute: str, state: str) -> None:
        for number in range(len(adapters)):
            self._say(f"{variable} = self.{attribute}[{number}]({variable}, {state})", 4)

    def _motion(self, name: str, entry: Pass, content: str, known: dict[tuple, str]) -> str:
        encoder: Any = self.model.generator.motion_encoder
        reads = encoder.reads_content()
        key = ("motion", content if reads else "")
        if key not in known:
            known[key] = "encoded" if not reads else f"encoded_for_{content}"
            third = f", {content}" if reads else ""
            self._say(f"{known[key]} = self.motion_encoder(clip, state{third})", 4)
            self._complete(known[key])
        return known[key]

    def _complete(self, variable: str) -> None:
        generator = self.model.generator
        if generator.refiner is not None and self.model.map_channels:
            self._say(f"{variable} = replace({variable}, driving_maps=clip.driving_maps)", 4)
            self.helpers.add("replace")
        if generator.num_labels and generator.reads_label:
            self._say(f"label = functional.one_hot(clip.label, {generator.num_labels}).to(clip.driving.dtype)", 4)
            self._say(f"{variable} = replace({variable}, condition=label)", 4)
            self.helpers |= {"replace", "functional"}

    def _drawn(self, name: str) -> str:
        generator = self.model.generator
        variable = f"drawn_for_{name}"
        code = f", code=state.normal({generator.encoded.code})" if generator.draws_code else ""
        if generator.draws_code and generator.encoded.code_per_step:
            raise ConfigError("a code for each step is not written as source")
        self._say(f"{variable} = Motion(length=clip.driving.shape[2]{code})", 4)
        self._complete(variable)
        return variable

    def _render(self, name: str, content: str, motion: str) -> None:
        generator = self.model.generator
        current = motion
        for adapters, slot in generator._steps:
            built, part = getattr(generator, adapters), getattr(generator, slot)
            if len(built) or part is not None:
                self._say(f"motion = {current}" if len(built) else "", 4)
                self._adapt("motion", built, adapters, "state")
                current = "motion" if len(built) else current
            if part is not None:
                if part.reads_content() and not (flag(part, "code_per_frame") or flag(part, "reads_past")):
                    third = f", {content}"
                else:
                    third = f", {content}" if part.reads_content() else ""
                self._say(f"motion = self.{slot}({current}, state{third})", 4)
                current = "motion"
        if len(generator.decoder_adapters):
            self._say(f"motion = {current}", 4)
            self._adapt("motion", generator.decoder_adapters, "decoder_adapters", "state")
            current = "motion"
        self._say(f"features, base = self.decoder({content}, {current}, state)", 4)
        self._say("shown = self.head(features, base)", 4)
        if generator.refiner is not None:
            maps = f"{current}.driving_maps" if self.model.map_channels else "None"
            self._say("# The head turns the features of the refiner into a video too, over the coarse one.", 4)
            self._say('coarse = shown["video"]', 4)
            self._say(f"shown = self.head(self.refiner(coarse, {maps}), coarse)", 4)
        mask = ', mask=shown["mask"]' if generator.makes_mask else ""
        self._say(f'made["{name}"] = Generated(shown["video"], {content}, {motion}{mask})', 4)


def describe_pass(entry: Pass) -> str:
    """Return a pass in words."""
    content = (
        "every driving frame"
        if entry.content_per_frame
        else {"driving": "the first driving frame", "image": "the image"}[entry.content]
    )
    motion = {"driving": "the motion of the driving clip", "prior": "motion from the prior"}[entry.motion]
    target = {"driving": "the driving clip", "image_video": "the video of the image"}[entry.target]
    return f"the content of {content} and {motion}, compared with {target}"
