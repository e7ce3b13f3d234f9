"""Hold the best model of each dataset against the gates of params.yaml.

A gate that fails stops `dvc repro` here.

    python validate_metrics.py
    python validate_metrics.py --dataset iris       # its gates alone

Reads   params.yaml, metrics/comparison_results.json
Writes  metrics/validation/<dataset>.json, logs/validation.log; exit status 1 where a gate fails,
        after all were looked at
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipeline import command
from pipeline.project import files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Gate
from pipeline.report import comparison
from pipeline.report.comparison import DatasetResult
from pipeline.scoring.gates import Verdict, demand_text, verdicts
from pipeline.tracking import record


def validate(dataset: str, gates: dict[str, Gate], result: DatasetResult) -> dict[str, Any]:
    """Return the verdict on one dataset: each gate with its value, and whether all hold."""
    chosen = result.chosen
    unknown = [metric for metric in gates if metric not in chosen.test]
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.gates.{unknown[0]}: no such metric; there are: "
            f"{', '.join(chosen.test)}"
        )
    by_gate = verdicts(gates, asdict(chosen))
    return {
        "dataset": dataset,
        "candidate": result.best.name,
        "synthetic": result.synthetic,
        "data_hash": result.data_hash,
        "model_sha256": chosen.model_sha256,
        "passed": all(verdict.passed for verdict in by_gate),
        "gates": [asdict(verdict) for verdict in by_gate],
    }


def lines(verdict: dict[str, Any]) -> list[str]:
    """Return one line per gate, PASS or FAIL; a dataset without gates has one that says so."""
    name = f"{verdict['dataset']} {verdict['candidate']}"
    if not verdict["gates"]:
        return [f"PASS {name}: no gate in {paths.PARAMS}"]
    data = " on synthetic data" if verdict["synthetic"] else ""
    text = []
    for content in verdict["gates"]:
        gate = Verdict(**content)
        word, asked = "PASS" if gate.passed else "FAIL", demand_text(gate)
        text.append(f"{word} {name}: {gate.on} {gate.metric} {shown(gate.value)}{data} ({asked})")
    return text


def shown(value: float | None) -> str:
    """Return a value as it is printed."""
    return "is not defined" if value is None else f"{value:.4f}"


def compared(datasets: list[str]) -> dict[str, DatasetResult]:
    """Return the comparison's results of datasets; raise DataError where it lacks one."""
    results = comparison.read(made_by="python compare_results.py").datasets
    missing = [dataset for dataset in datasets if dataset not in results]
    if missing:
        raise DataError(f"{paths.COMPARISON}: nothing on {', '.join(missing)}; run `dvc repro`")
    return {dataset: results[dataset] for dataset in datasets}


def write(verdicts: dict[str, dict[str, Any]], whole: bool) -> None:
    """Write a file per dataset; where `whole`, those of datasets that are gone are removed."""
    if not whole:
        for dataset, verdict in verdicts.items():
            files.write_json(paths.validation(dataset), verdict)
        return
    with files.replacing(paths.VALIDATION) as partial:
        for dataset, verdict in verdicts.items():
            files.write_json(partial / f"{dataset}.json", verdict)


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    args = parser.parse_args(argv)
    settings = command.settings()
    verdicts = {}
    for dataset, result in compared(settings.names(args.dataset)).items():
        verdicts[dataset] = validate(dataset, settings.dataset(dataset).gates, result)
    text = []
    for verdict in verdicts.values():
        text += lines(verdict)
    write(verdicts, whole=args.dataset == "all")
    files.write_text(paths.VALIDATION_LOG, "\n".join(text) + "\n")
    for dataset in verdicts:
        record.record(dataset, "validate", settings)
    print("\n".join(text))
    failed = [line.removeprefix("FAIL ") for line in text if line.startswith("FAIL")]
    if failed:
        raise DataError(
            f"{len(failed)} {'gate' if len(failed) == 1 else 'gates'} failed: {'; '.join(failed)}; "
            f"improve the model, or change the gate in {paths.PARAMS} if it asks too much"
        )


if __name__ == "__main__":
    command.run(main)
