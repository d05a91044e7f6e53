"""Draw the Grafana dashboard with figures that `make soak WATCH=1` kept: `python -m workshop.dashboard OUT`.

Grafana has fonts and lines of its own; panels, places, words and figures are the dashboard's. Needs
`matplotlib`, which nothing else here does.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import dates, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLUMNS = 24
COLUMN_PX, ROW_PX, DPI = 56, 34, 100
GAP = 0.12
"""Between panels, in columns and rows."""
BACKGROUND, PANEL, LINE, TEXT, FAINT = "#111217", "#181b1f", "#2c3235", "#ccccdc", "#7b8087"
COLOURS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#96d98d", "#ffcb7d")
MOST_IN_LEGEND = 8


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m workshop.dashboard", description=__doc__)
    parser.add_argument("out", type=Path, help="the picture: .png, .svg or .webp")
    parser.add_argument("--figures", type=Path, default=Path("build/soak-dashboard.json"))
    told = parser.parse_args()
    draw(json.loads(told.figures.read_text()), told.out)


def draw(kept: dict[str, Any], out: Path) -> None:
    """Draw what `tests.soak.watching.Watcher.keep_panels` wrote."""
    mpl.rcParams.update({"font.size": 8, "text.color": TEXT, "font.family": "DejaVu Sans"})
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in kept["panels"])
    figure = Figure((COLUMNS * COLUMN_PX / DPI, rows * ROW_PX / DPI), dpi=DPI, facecolor=BACKGROUND)
    for panel in kept["panels"]:
        axes = _place(figure, panel, rows)
        if panel["type"] == "stat":
            _draw_stat(axes, panel)
        elif panel["type"] == "timeseries":
            _draw_lines(axes, panel, kept["began"], kept["ended"])
    figure.savefig(out)


def _place(figure: Figure, panel: dict[str, Any], rows: int) -> Axes:
    """The panel's frame with its title, or what is within it for lines."""
    at = panel["gridPos"]
    left, width = (at["x"] + GAP / 2) / COLUMNS, (at["w"] - GAP) / COLUMNS
    bottom, height = (rows - at["y"] - at["h"] + GAP / 2) / rows, (at["h"] - GAP) / rows
    frame = figure.add_axes((left, bottom, width, height), facecolor=PANEL)
    if panel["type"] == "row":
        frame.set_axis_off()
        frame.text(0.002, 0.4, f"▾ {panel['title']}", fontsize=9, weight="bold", va="center")
        return frame
    frame.set(xticks=[], yticks=[])
    frame.spines[:].set_color(LINE)
    frame.set_title(panel["title"], loc="left", y=1, pad=-12, x=0.01, fontsize=9, color=TEXT)
    if panel["type"] == "stat":
        return frame
    inner = (left + 0.045, bottom + height * 0.26, width - 0.055, height * 0.58)
    return figure.add_axes(inner, facecolor=PANEL)


def _named(target: dict[str, Any], labels: dict[str, str]) -> str:
    name: str = target.get("legendFormat") or ""
    for label, value in labels.items():
        name = name.replace("{{" + label + "}}", value)
    return name


def _draw_stat(axes: Axes, panel: dict[str, Any]) -> None:
    settings = panel["fieldConfig"]["defaults"]
    shown = [
        (_named(target, series["metric"]), float(series["values"][-1][1]))
        for target in panel["targets"]
        for series in target["series"]
    ]
    for number, (name, value) in enumerate(shown):
        x = (number + 0.5) / len(shown)
        text, colour = _stat(value, settings)
        size = 20 if len(shown) == 1 else 12
        axes.text(x, 0.42, text, fontsize=size, color=colour, ha="center", va="center", weight="bold")
        axes.text(x, 0.12, name, fontsize=7, color=FAINT, ha="center", va="center")


def _stat(value: float, settings: dict[str, Any]) -> tuple[str, str]:
    """A value as the panel words it, and its colour."""
    for mapping in settings.get("mappings", []):
        if (option := mapping["options"].get(f"{value:.0f}")) is not None:
            return option["text"], {"red": COLOURS[4], "green": COLOURS[0]}[option["color"]]
    steps = settings.get("thresholds", {}).get("steps", [])
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    colours = {"green": COLOURS[0], "orange": COLOURS[3], "red": COLOURS[4]}
    unit = {"s": " s", "percentunit": " %"}.get(settings["unit"], "")
    number = value * 100 if settings["unit"] == "percentunit" else value
    return f"{number:.0f}{unit}", colours[reached[-1]] if reached else COLOURS[0]


def _draw_lines(axes: Axes, panel: dict[str, Any], began: float, ended: float) -> None:
    axes.spines[:].set_visible(False)
    axes.grid(color=LINE, linewidth=0.6)
    axes.tick_params(colors=FAINT, length=0, labelsize=7)
    lines = [
        (_named(target, series["metric"]), series["values"])
        for target in panel["targets"]
        for series in target["series"]
    ]
    lines.sort(key=lambda line: -max((float(value) for _, value in line[1] if value != "NaN"), default=0))
    for number, (name, values) in enumerate(lines):
        moments = [datetime.fromtimestamp(moment, UTC) for moment, _ in values]
        colour = COLOURS[number % len(COLOURS)]
        label = name if number < MOST_IN_LEGEND else None
        axes.plot(moments, [float(value) for _, value in values], color=colour, linewidth=1, label=label)
    axes.set_xlim(datetime.fromtimestamp(began, UTC), datetime.fromtimestamp(ended, UTC))
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
    unit = {"s": " s", "reqps": " /s"}.get(panel["fieldConfig"]["defaults"]["unit"], "")
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}{unit}"))
    axes.yaxis.set_major_locator(ticker.MaxNLocator(5))
    if lines:
        axes.legend(
            loc="upper left", bbox_to_anchor=(0, -0.16), ncols=4, fontsize=6.5, frameon=False, labelcolor=TEXT
        )


if __name__ == "__main__":
    main()
