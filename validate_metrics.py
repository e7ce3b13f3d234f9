"""Hold the best model of each dataset against the gates of params.yaml; a gate that fails stops `dvc repro` here.

    python validate_metrics.py
    python validate_metrics.py --dataset iris       # its gates alone

Reads   params.yaml, metrics/comparison_results.json
Writes  metrics/validation/<dataset>.json, logs/validation.log; exit status 1 where a gate fails, after all were looked at
"""

from pipeline import command
from pipeline.project import files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.scoring.gates import demand_text, verdicts
from pipeline.tracking import record


def validate(dataset, gates, result):
    """Return the verdict on one dataset: each gate with the value it looked at, and whether all hold."""
    name = result["best"]["name"]
    candidate = result["candidates"][name]
    unknown = [metric for metric in gates if metric not in candidate["test"]]
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.gates.{unknown[0]}: no such metric; there are: "
            f"{', '.join(candidate['test'])}"
        )
    by_gate = verdicts(gates, candidate)
    return {
        "dataset": dataset,
        "candidate": name,
        "synthetic": result["synthetic"],
        "data_hash": result["data_hash"],
        "model_sha256": candidate["model_sha256"],
        "passed": all(verdict["passed"] for verdict in by_gate),
        "gates": by_gate,
    }


def lines(verdict):
    """Return one line per gate, PASS or FAIL; a dataset without gates has one that says so."""
    name = f"{verdict['dataset']} {verdict['candidate']}"
    if not verdict["gates"]:
        return [f"PASS {name}: no gate in {paths.PARAMS}"]
    data = " on synthetic data" if verdict["synthetic"] else ""
    return [
        f"{'PASS' if gate['passed'] else 'FAIL'} {name}: {gate['on']} {gate['metric']} {shown(gate['value'])}{data} "
        f"({demand_text(gate)})"
        for gate in verdict["gates"]
    ]


def shown(value):
    """Return a value as it is printed."""
    return "is not defined" if value is None else f"{value:.4f}"


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    args = parser.parse_args(argv)
    settings = command.settings()
    datasets = settings.names(args.dataset)
    results = files.read_json(paths.COMPARISON, made_by="python compare_results.py")["datasets"]
    missing = [dataset for dataset in datasets if dataset not in results]
    if missing:
        raise DataError(f"{paths.COMPARISON}: nothing on {', '.join(missing)}; run `dvc repro`")
    verdicts = {
        dataset: validate(dataset, settings.dataset(dataset).gates, results[dataset])
        for dataset in datasets
    }
    if args.dataset == "all":
        with files.replacing(paths.VALIDATION) as partial:
            for dataset, verdict in verdicts.items():
                files.write_json(partial / f"{dataset}.json", verdict)
    else:
        files.write_json(paths.validation(args.dataset), verdicts[args.dataset])
    text = "\n".join(line for verdict in verdicts.values() for line in lines(verdict))
    files.write_text(paths.VALIDATION_LOG, text + "\n")
    for dataset in datasets:
        record.record(dataset, "validate", settings)
    print(text)
    failed = [line.removeprefix("FAIL ") for line in text.splitlines() if line.startswith("FAIL")]
    if failed:
        raise DataError(
            f"{len(failed)} gate{'s' * (len(failed) > 1)} failed: {'; '.join(failed)}; improve the model, or change "
            f"the gate in {paths.PARAMS} if it asks too much"
        )


if __name__ == "__main__":
    command.run(main)
