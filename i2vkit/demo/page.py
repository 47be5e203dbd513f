"""The page of the demo, made with Gradio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import gradio.component_meta
import gradio.processing_utils
from gradio.data_classes import FileData, ImageData

from i2vkit.demo.animating import MODELS_COMPARED, CancelledError, Job, Made, Wish, animate, compare
from i2vkit.demo.jobs import JobBook
from i2vkit.demo.limits import MOST_SAMPLES, Limits
from i2vkit.demo.models import DRIVING, LABEL, SAMPLES, WALK, DemoModel, Shelf
from i2vkit.errors import I2VError

# Else Gradio writes a stub file beside this one for each class that is derived from its own.
gradio.component_meta.create_or_modify_pyi = lambda *arguments: None


async def _refuse_address(*arguments: Any, **settings: Any) -> str:
    """Refuse an address in place of a file, which Gradio would download."""
    raise gr.Error("this page fetches nothing from elsewhere: drop the file itself", print_exception=False)


gradio.processing_utils.async_ssrf_protected_download = _refuse_address

WAYS = (DRIVING, LABEL, SAMPLES, WALK)
STYLE = Path(__file__).parent / "page.css"


class DroppedImage(gr.Image):
    """An image that comes to the program as the file that was dropped, so that the program can say what is wrong."""

    is_template = True  # it looks like the class above

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Return the path of the file."""
        return None if payload is None else payload.path


class PlainVideo(gr.Video):
    """A video that comes and goes as a file, without being converted."""

    is_template = True

    def preprocess(self, payload: FileData | None) -> str | None:
        """Return the path of the file."""
        return None if payload is None else payload.path

    def postprocess(self, value: str | Path | None) -> FileData | None:
        """Return the file of a path."""
        return None if value is None else FileData(path=str(value), orig_name=Path(value).name)


def theme() -> Any:
    """Return the look of the page, with the typefaces of the visitor's machine."""
    sans, mono = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"), ("ui-monospace", "monospace")
    tones = (
        "#eef5f8",
        "#d5e6ed",
        "#b0d0dd",
        "#7fb2c8",
        "#4b8eaa",
        "#1f5f7a",
        "#1b546c",
        "#174a60",
        "#133d4f",
        "#0f303f",
    )
    hue = gr.themes.Color(*tones, "#0a2230", name="slate blue")
    look = gr.themes.Base(primary_hue=hue, neutral_hue="stone", radius_size="lg", font=sans, font_mono=mono)
    return look.set(
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_text_color="#ffffff",
        body_background_fill="#f5f5f2",
        block_border_width="1px",
        block_label_text_color="#4c5258",
    )


def build_page(shelf: Shelf, limits: Limits, book: JobBook, examples: Sequence[Sequence[str]], workers: int) -> Any:
    """Return the page as ``gradio.Blocks``.

    Args:
        shelf: The models.
        limits: The limits of the inputs.
        book: The jobs of the visitors.
        examples: Model, image and clip of each example.
        workers: Jobs that run at the same time.
    """
    with gr.Blocks(title="i2vkit", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown("# One image becomes a video")
        with gr.Tab("Animate"):
            _animate_tab(page, shelf, limits, book, examples, workers)
        with gr.Tab("Compare"):
            _compare_tab(shelf, limits, book, examples, workers)

        def leave(request: gr.Request) -> None:
            book.leave(request.session_hash or "")

        page.unload(leave)
    page.queue(max_size=64, default_concurrency_limit=workers)
    return page


def _animate_tab(
    page: Any, shelf: Shelf, limits: Limits, book: JobBook, examples: Sequence[Sequence[str]], workers: int
) -> None:
    """Lay out the tab of a single model."""
    # Inputs begin with the choices of all models, which programs may send. A browser narrows them when it loads.
    first, labels = next(iter(shelf.models.values())), _labels(shelf)
    with gr.Row():
        with gr.Column():
            model = gr.Dropdown(list(shelf.models), value=first.name, label="Model", elem_id="model")
            about = gr.Markdown(_about(first), elem_classes="about")
            way = gr.Radio(WAYS, value=first.ways[0], label="Moved by", elem_id="way", visible=len(first.ways) > 1)
            with gr.Row():
                image = DroppedImage(label="Image", elem_id="image", height=220, sources=["upload", "clipboard"])
                driving = PlainVideo(label="Driving clip", elem_id="driving", height=220, sources=["upload"])
            gr.Examples([list(row) for row in examples], [model, image, driving], label="Rendered examples")
            label = gr.Dropdown(labels, label="Label", elem_id="label", visible=bool(first.labels))
            with gr.Row():
                samples = gr.Slider(1, MOST_SAMPLES, 1, step=1, label="Samples", elem_id="samples", visible=False)
                seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, visible=False)
            show_motion = gr.Checkbox(label="Show the motion alone, on a black image", elem_id="show-motion")
            show_maps = gr.Checkbox(label="Show maps and masks", visible=first.reads_maps, elem_id="show-maps")
        start, stop, video, files, note = _result_column("animate")

    def look(name: str, chosen: str) -> list[Any]:
        facts = shelf.facts(name)
        return _look(facts, chosen if chosen in facts.ways else facts.ways[0])

    shown = [about, way, driving, label, samples, seed, show_motion, show_maps]
    gr.on([page.load, model.change, way.input], look, [model, way], shown, api_visibility="private", queue=False)

    def run(
        name: str,
        dropped: str | None,
        clip: str | None,
        chosen: str,
        own_label: str | None,
        count: int,
        first_seed: int,
        with_motion: bool,
        with_maps: bool,
        request: gr.Request,
        progress: Any = gr.Progress(),  # noqa: B008  # Gradio finds it by this default
    ) -> list[Any]:
        wish = Wish(
            _path(dropped), _path(clip), chosen, own_label, int(count), int(first_seed or 0), with_motion, with_maps
        )
        return _work(book, "animate", request, progress, lambda job: animate(shelf, limits, name, wish, job))

    wanted = [model, image, driving, way, label, samples, seed, show_motion, show_maps]
    _connect(book, "animate", start, stop, run, wanted, [video, *files, note], workers)


def _compare_tab(shelf: Shelf, limits: Limits, book: JobBook, examples: Sequence[Sequence[str]], workers: int) -> None:
    """Lay out the tab of several models."""
    labels = _labels(shelf)
    names = [name for name in shelf.models if not shelf.facts(name).reads_maps]
    with gr.Row():
        with gr.Column():
            models = gr.CheckboxGroup(
                list(shelf.models),
                value=names[:2],
                label=f"Models, {MODELS_COMPARED[0]} to {MODELS_COMPARED[1]}",
                elem_id="models",
            )
            with gr.Row():
                image = DroppedImage(label="Image", height=220, sources=["upload", "clipboard"])
                driving = PlainVideo(label="Driving clip", height=220, sources=["upload"])
            gr.Examples([list(row[1:]) for row in examples], [image, driving], label="Rendered examples")
            with gr.Row():
                label = gr.Dropdown(labels, label="Label, for models that read one", visible=bool(labels))
                seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1)
        start, stop, video, files, note = _result_column("compare")

    def run(
        chosen: list[str],
        dropped: str | None,
        clip: str | None,
        own_label: str | None,
        first_seed: int,
        request: gr.Request,
        progress: Any = gr.Progress(),  # noqa: B008  # Gradio finds it by this default
    ) -> list[Any]:
        wish = Wish(_path(dropped), _path(clip), label=own_label, seed=int(first_seed or 0))
        return _work(book, "compare", request, progress, lambda job: compare(shelf, limits, chosen, wish, job))

    _connect(book, "compare", start, stop, run, [models, image, driving, label, seed], [video, *files, note], workers)


def _result_column(tab: str) -> tuple[Any, Any, Any, list[Any], Any]:
    """Lay out the buttons and the result of a tab."""
    with gr.Column():
        with gr.Row():
            start = gr.Button("Animate" if tab == "animate" else "Compare", variant="primary", elem_id=f"{tab}-start")
            stop = gr.Button("Cancel", elem_id=f"{tab}-stop")
        video = PlainVideo(
            label="Result",
            show_label=False,
            interactive=False,
            autoplay=True,
            loop=True,
            elem_id=f"{tab}-result",
            buttons=[],
        )
        note = gr.Markdown(elem_classes="about", elem_id=f"{tab}-note")
        with gr.Row():
            files = [gr.DownloadButton(f"Download {kind}", interactive=False) for kind in ("MP4", "GIF")]
    return start, stop, video, files, note


def _look(model: DemoModel, way: str) -> list[Any]:
    """Return what the inputs of the first tab look like for a model and a way."""
    return [
        _about(model),
        gr.update(choices=model.ways, value=way, visible=len(model.ways) > 1),
        gr.update(visible=way == DRIVING),
        gr.update(choices=list(model.labels), value=model.labels[0], visible=True)
        if model.labels
        else gr.update(choices=[], value=None, visible=False),
        gr.update(visible=way == SAMPLES),
        gr.update(visible=way in (SAMPLES, WALK)),
        gr.update(visible=way == DRIVING),
        gr.update(visible=model.reads_maps),
    ]


def _labels(shelf: Shelf) -> list[str]:
    """Return the labels of all models."""
    return list(dict.fromkeys(label for model in shelf.models.values() for label in model.labels))


def _about(model: DemoModel) -> str:
    return f"Trained on {model.about}. Other pictures may look odd." if model.about else ""


def _connect(
    book: JobBook,
    tab: str,
    start: Any,
    stop: Any,
    run: Callable[..., list[Any]],
    inputs: list[Any],
    outputs: list[Any],
    workers: int,
) -> None:
    """Make the buttons of a tab work."""
    # One limit for both tabs. Progress is shown over the video only.
    settings = dict(concurrency_limit=workers, concurrency_id="models", show_progress_on=outputs[0])
    start.click(run, inputs, outputs, api_name=tab, **settings)

    def cancel(request: gr.Request) -> None:
        if not book.cancel(request.session_hash or "", tab):
            gr.Info("There is nothing to cancel.")

    stop.click(cancel, api_visibility="private", queue=False)


def _work(book: JobBook, tab: str, request: gr.Request, progress: Any, work: Callable[[Job], Made]) -> list[Any]:
    """Run a job for a visitor, and return what its tab shows after it."""
    visitor = request.session_hash or ""
    job = book.begin(visitor, tab, lambda share, word: progress(share, desc=word))
    try:
        made = work(job)
    except CancelledError:
        return [gr.skip(), gr.skip(), gr.skip(), "Cancelled."]
    except I2VError as error:
        raise gr.Error(str(error), duration=None, print_exception=False) from error
    finally:
        book.end(visitor, tab, job)
    files = [gr.DownloadButton(value=str(path), interactive=True) for path in (made.mp4, made.gif)]
    return [str(made.mp4), *files, made.about]


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
