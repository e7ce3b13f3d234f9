"""Figures of a search, drawn by Optuna: how the best value came about, what was tried, which hyperparameters mattered.

Each is an interactive page and a PNG file; the pages share one plotly.min.js beside them, so that they open without a network.
"""

import warnings
from pathlib import Path

from pipeline.project import files
from pipeline.training import figures

LEAST_TRIALS = 4  # finished ones of a model, below which there is nothing to compare


def draw(folder: Path, study, objectives: list[str], metric: str, title: str) -> None:
    """Write the figures of a study: its history, and for each model parallel coordinates and importances; or its Pareto front."""
    import optuna

    folder.mkdir(parents=True, exist_ok=True)
    if len(objectives) > 1:
        _both(
            folder,
            "pareto_front",
            "plot_pareto_front",
            study,
            f"{title}: Pareto front",
            target_names=[metric, objectives[1]],
        )
        return
    finished = [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state == optuna.trial.TrialState.COMPLETE
    ]
    _both(
        folder,
        "history",
        "plot_optimization_history",
        study,
        f"{title}: history",
        target_name=metric,
    )
    for model in sorted({trial.params["model"] for trial in finished}):
        of_model = [
            trial for trial in finished if trial.params["model"] == model and len(trial.params) > 1
        ]
        names = sorted(
            {
                name
                for trial in of_model
                for name in trial.params
                if len({other.params.get(name) for other in of_model}) > 1
            }
        )  # a single value says nothing
        if len(of_model) < LEAST_TRIALS or not names:
            continue
        part = optuna.create_study(direction=study.direction)
        part.add_trials(of_model)
        _both(
            folder,
            f"parallel_coordinates_{model}",
            "plot_parallel_coordinate",
            part,
            f"{title}: what was tried",
            params=names,
            target_name=metric,
        )
        if len({trial.value for trial in of_model}) > 1:
            _both(
                folder,
                f"importances_{model}",
                "plot_param_importances",
                part,
                f"{title}: what mattered",
                params=names,
                target_name=metric,
            )


def _both(folder: Path, name: str, function: str, study, title: str, **options) -> None:
    """Write one figure as a page and as PNG."""
    import optuna

    with warnings.catch_warnings():  # that the functions with matplotlib are experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        _write_page(folder, name, function, study, title, options)
        _write_png(folder, name, function, study, title, options)


def _write_page(folder: Path, name: str, function: str, study, title: str, options: dict) -> None:
    import optuna

    page = getattr(optuna.visualization, function)(study, **options).update_layout(title=title)
    files.write_text(
        folder / f"{name}.html", page.to_html(include_plotlyjs="directory", div_id=name)
    )
    if not (folder / "plotly.min.js").is_file():
        from plotly.offline import get_plotlyjs

        files.write_text(folder / "plotly.min.js", get_plotlyjs())


def _write_png(folder: Path, name: str, function: str, study, title: str, options: dict) -> None:
    import matplotlib
    import optuna

    matplotlib.use("agg")
    from matplotlib import pyplot

    with matplotlib.rc_context():  # Optuna sets a style
        axes = getattr(optuna.visualization.matplotlib, function)(study, **options)
        axes.set_title(title)
        axes.figure.set_size_inches(9, 5)
        axes.figure.subplots_adjust(left=0.2, bottom=0.3)  # room for the names of hyperparameters
        figures.save(axes.figure, folder / f"{name}.png")
        pyplot.close(axes.figure)
