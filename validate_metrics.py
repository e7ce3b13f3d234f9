"""Check the best model of each dataset against the gates of params.yaml.

A failed gate stops `dvc repro`.

    python validate_metrics.py
    python validate_metrics.py --dataset iris       # only its gates

Reads   params.yaml, metrics/comparison_results.json
Writes  metrics/validation/<dataset>.json, logs/validation.log; exit status 1 if any gate
        fails, once all are checked
"""

from collections.abc import Mapping, Sequence

from pipeline import command
from pipeline.project import files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.settings.judging import Gate
from pipeline.report import advice, best, comparison
from pipeline.report.comparison import DatasetResult
from pipeline.scoring import gates
from pipeline.scoring.gates import Validation
from pipeline.tracking import record


def validate(dataset: str, wanted: Mapping[str, Gate], result: DatasetResult) -> Validation:
    """Return the verdict on the best model of a dataset.

    Raises UsageError where a gate names a metric of a class that the dataset does not have.
    """
    chosen = result.chosen
    unknown = [metric for metric in wanted if metric not in chosen.test]
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.gates.{unknown[0]}: no such metric; there are: "
            f"{', '.join(chosen.test)}"
        )
    verdicts = best.hold_gates(wanted, chosen, result.expected)
    return Validation(
        dataset=dataset,
        candidate=result.best.name,
        synthetic=result.synthetic,
        data_hash=result.data_hash,
        model_sha256=chosen.model_sha256,
        passed=all(verdict.passed for verdict in verdicts),
        gates=verdicts,
        not_ready=[piece.what for piece in result.advice if piece.level == advice.STOP],
    )


def lines(validation: Validation) -> list[str]:
    """Return a line per gate, PASS or FAIL, after one for each thing that speaks against the model.

    A dataset without gates has one that says so.
    """
    name = f"{validation.dataset} {validation.candidate}"
    text = [f"NOTE {name}: not ready: {reason}" for reason in validation.not_ready]
    if not validation.gates:
        return [*text, f"PASS {name}: no gate in {paths.PARAMS}"]
    data = " on synthetic data" if validation.synthetic else ""
    for gate in validation.gates:
        word = "PASS" if gate.passed else "FAIL"
        value = "is not defined" if gate.value is None else f"{gate.value:.4f}"
        demand = gates.demand_text(gate)
        text.append(f"{word} {name}: {gates.score_text(gate)} {value}{data} ({demand})")
    return text


def compared(datasets: Sequence[str]) -> dict[str, DatasetResult]:
    """Return the comparison's results of datasets; raises DataError where it lacks one."""
    results = comparison.read(made_by="python compare_results.py").datasets
    missing = [dataset for dataset in datasets if dataset not in results]
    if missing:
        raise DataError(f"{paths.COMPARISON}: nothing on {', '.join(missing)}; run `dvc repro`")
    return {dataset: results[dataset] for dataset in datasets}


def write(validations: Sequence[Validation], whole: bool) -> None:
    """Write a file per dataset; with `whole`, those of datasets that are gone are removed."""
    if not whole:
        for validation in validations:
            files.write_json(paths.validation(validation.dataset), validation.as_json())
        return
    with files.replacing(paths.VALIDATION) as partial:
        for validation in validations:
            files.write_json(partial / f"{validation.dataset}.json", validation.as_json())


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    args = parser.parse_args(argv)
    settings = command.settings()
    validations, text = [], []
    for dataset, result in compared(settings.names(args.dataset)).items():
        validation = validate(dataset, settings.dataset(dataset).gates, result)
        validations.append(validation)
        text += lines(validation)
    write(validations, whole=args.dataset == "all")
    files.write_text(paths.VALIDATION_LOG, "\n".join(text) + "\n")
    for validation in validations:
        record.record(validation.dataset, "validate", settings)
    print("\n".join(text))
    failed = [line.removeprefix("FAIL ") for line in text if line.startswith("FAIL")]
    if failed:
        gates_failed = "1 gate" if len(failed) == 1 else f"{len(failed)} gates"
        raise DataError(
            f"{gates_failed} failed: {'; '.join(failed)}; improve the model, or change the gate in "
            f"{paths.PARAMS} if it asks too much"
        )


if __name__ == "__main__":
    command.run(main)
