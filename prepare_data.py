"""Check and clean the table of one dataset and split it into training and test rows.

    python prepare_data.py --dataset iris

Reads   params.yaml, data/iris_data.csv, metrics/datasets/iris/generate.json
Writes  data/processed/iris/train.parquet and test.parquet, metrics/datasets/iris/quality.json
"""

from pathlib import Path

from pipeline import command
from pipeline.data import cleaning, quality, reading, splits
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.tracking import record

LEAK_SCORE = 0.99  # of one column alone, from which on it is taken for a leak
LEAK_SAMPLE = 10_000  # rows that the check looks at
LEAK_FOLDS = 3
MOST_GAPS = 0.5  # a column with a larger share of missing values repeats nothing, whatever the few that are there say


def leaking_columns(train, target, task, seed):
    """Return the features that alone predict the target near-perfectly, each with its score.

    A column that is mostly there is looked at a second time on the rows that have it, so that gaps do not hide a copy.
    """
    answers = train[target].sample(frac=1, random_state=seed)
    if task == "classification":  # up to as many rows of each class, so that a rare one counts
        answers = answers.astype("category").cat.codes
        answers = answers.groupby(answers).head(max(LEAK_SAMPLE // answers.nunique(), LEAK_FOLDS))
    else:
        answers = answers.head(LEAK_SAMPLE)
    found = {}
    for column, values in train.drop(columns=target).loc[answers.index].items():
        score = score_alone(values, answers, task, seed)
        if 0 < values.isna().mean() < MOST_GAPS:
            score = max(score, score_alone(values.dropna(), answers, task, seed))
        if score >= LEAK_SCORE:
            found[column] = round(float(score), 4)
    return found


def score_alone(values, answers, task, seed):
    """Return how well one column predicts: the cross-validated balanced accuracy, or r2, of a decision tree.

    For regression the squared rank correlation counts where it is larger, because a tree cannot repeat a copied number exactly.
    """
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    answers = answers[values.index]
    if task == "classification":
        answers = answers[answers.map(answers.value_counts()) >= LEAK_FOLDS]
        tree, scoring = (
            DecisionTreeClassifier(min_samples_leaf=2, random_state=seed),
            "balanced_accuracy",
        )
    else:
        tree, scoring = DecisionTreeRegressor(min_samples_leaf=2, random_state=seed), "r2"
    if answers.nunique() < 2 or len(answers) < 2 * LEAK_FOLDS:
        return 0.0
    values, numeric = values[answers.index], values.dtype.kind == "f"
    codes = values if numeric else values.astype("category").cat.codes
    score = cross_val_score(tree, codes.to_frame(), answers, cv=LEAK_FOLDS, scoring=scoring).mean()
    if (
        task == "regression"
        and numeric
        and values.isna().mean() < MOST_GAPS
        and values.nunique() > 1
    ):
        score = max(score, values.corr(answers, method="spearman") ** 2)
    return score


def check_leakage(train, dataset, settings):
    """Return {column: score} of the leaks that params.yaml allows; stop at any other."""
    spec = settings.dataset(dataset)
    data, allowed = spec.data, spec.prepare.allow_leakage
    unknown = [column for column in allowed if column not in train.columns]
    if unknown:
        raise UsageError(
            f"{paths.PARAMS}: datasets.{dataset}.prepare.allow_leakage: no feature {errors.listed(unknown)} in "
            f"{data.file}; there are: {errors.listed(train.columns.drop(data.target), most=30)}"
        )
    leaks = leaking_columns(train, data.target, data.task, settings.seed)
    refused = ", ".join(
        f"{column} (score {score})" for column, score in leaks.items() if column not in allowed
    )
    if refused:
        raise DataError(
            f"{data.file}: predicts {data.target} all alone, as a leak of the answer does: {refused}; name it in "
            f"data.drop, or in prepare.allow_leakage where it is known at prediction time"
        )
    return leaks


def prepare(dataset, settings):
    """Write the splits and the quality figures of one dataset; return the latter."""
    spec = settings.dataset(dataset)
    data, other = spec.data, spec.prepare.split_column
    generate = f"python generate_data.py --dataset {dataset}"
    generated = files.read_json(paths.metrics(dataset, "generate"), made_by=generate)
    if not Path(data.file).is_file():
        raise DataError(f"{data.file} is not there; run `{generate}` first")
    data_hash = files.digest(data.file, "md5")
    if data_hash != generated["data_hash"]:
        raise DataError(
            f"{data.file} is not the file that {paths.metrics(dataset, 'generate')} describes; run `{generate}` "
            f"again, and change data at their source"
        )

    raw = reading.read(data.file, codes=data.categorical)
    cleaned = cleaning.clean(raw, data, other)
    labels = cleaned[data.target] if data.task == "classification" else None
    train_rows, test_rows = splits.train_test(
        cleaned, labels, spec.prepare, settings.seed, data.file
    )
    train, test = cleaned.iloc[train_rows], cleaned.iloc[test_rows]
    leaks = check_leakage(train.drop(columns=[other] if other else []), dataset, settings)

    splits.write_splits(paths.processed(dataset), train, test)
    figures = {
        "schema": 1,
        "dataset": dataset,
        "source": generated["source"],
        "synthetic": generated["synthetic"],
        "data_hash": data_hash,
        "split_hash": files.digest(paths.processed(dataset)),
        **quality.quality_figures(raw, cleaned, data, other),
        "split": {"by": spec.prepare.split, "train": len(train), "test": len(test)},
        "leakage_allowed": leaks,
    }
    files.write_json(paths.metrics(dataset, "quality"), figures)
    return figures


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    args = parser.parse_args(argv)
    settings = command.settings()
    for dataset in settings.names(args.dataset):
        figures = prepare(dataset, settings)
        record.record(dataset, "prepare", settings)
        print(
            f"prepare {dataset}: {figures['split']['train']:,} training and {figures['split']['test']:,} test rows, "
            f"{figures['features']} features, {figures['missing_share']:.1%} missing -> {paths.processed(dataset)}/"
        )


if __name__ == "__main__":
    command.run(main)
