"""Check and clean the table of one dataset and split it into training and test rows.

    python prepare_data.py --dataset iris

Reads   params.yaml, data/iris_data.csv, metrics/datasets/iris/generate.json
Writes  data/processed/iris/train.parquet and test.parquet, metrics/datasets/iris/quality.json
"""

from pipeline import command, files, params, paths
from pipeline.errors import DataError

LEAK_SCORE = 0.99           # of a tree on one column alone: balanced accuracy or r2 on rows that it has not seen
LEAK_SAMPLE = 20_000        # rows that the check looks at


def leaking_columns(train, target, task, seed):
    """Return the features that alone predict the target near-perfectly, each with the score of a small tree on it.

    The score is 3-fold cross-validated: balanced accuracy, or r2. The larger of the tree's r2 and the squared rank correlation
    counts for regression, because a tree cannot repeat a copied number exactly.
    """
    import pandas as pd
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
    rows = train.sample(min(len(train), LEAK_SAMPLE), random_state=seed)
    y = rows[target]
    if task == "classification":
        if y.value_counts().min() < 3:
            return {}
        tree, scoring = DecisionTreeClassifier(min_samples_leaf=2, random_state=seed), "balanced_accuracy"
    else:
        tree, scoring = DecisionTreeRegressor(min_samples_leaf=2, random_state=seed), "r2"
    found = {}
    for column in rows.columns.drop(target):
        values = rows[column]
        codes = values if pd.api.types.is_numeric_dtype(values) else pd.Series(pd.factorize(values)[0], index=values.index)
        score = cross_val_score(tree, codes.to_frame(), y, cv=3, scoring=scoring).mean()
        if task == "regression" and pd.api.types.is_numeric_dtype(values):
            score = max(score, codes.corr(y, method="spearman") ** 2)
        if score >= LEAK_SCORE:
            found[column] = round(float(score), 4)
    return found


def prepare(dataset, settings):
    """Write the splits and the quality figures of one dataset; return the latter."""
    from pipeline import splits, tables
    spec = settings.dataset(dataset)
    data, other = spec.data, spec.prepare.split_column
    generated = files.read_json(paths.metrics(dataset, "generate"), made_by=f"python generate_data.py --dataset {dataset}")

    raw = tables.read(data.file)
    cleaned = tables.clean(raw, data, other)
    labels = cleaned[data.target] if data.task == "classification" else None
    train_rows, test_rows = splits.train_test(cleaned, labels, spec.prepare, settings.seed, data.file)
    train, test = cleaned.iloc[train_rows], cleaned.iloc[test_rows]

    leaks = leaking_columns(train.drop(columns=[other] if other else []), data.target, data.task, settings.seed)
    refused = {column: score for column, score in leaks.items() if column not in spec.prepare.allow_leakage}
    if refused:
        named = ", ".join(f"{column} (score {score})" for column, score in refused.items())
        raise DataError(f"{data.file}: predicts {data.target} all alone, as a leak of the answer does: {named}; name it in "
                        f"data.drop, or in prepare.allow_leakage where it is known at prediction time")

    tables.write_splits(paths.processed(dataset), train, test)
    figures = {
        "schema": 1, "dataset": dataset, "source": generated["source"], "synthetic": generated["synthetic"],
        "data_hash": files.digest(data.file, "md5"), "split_hash": files.digest(paths.processed(dataset)),
        **tables.quality(raw, cleaned, data, other),
        "split": {"by": spec.prepare.split, "train": len(train), "test": len(test)}, "leakage_allowed": leaks,
    }
    files.write_json(paths.metrics(dataset, "quality"), figures)
    return figures


def main(argv=None):
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    args = parser.parse_args(argv)
    settings = params.load()
    for dataset in settings.names(args.dataset):
        figures = prepare(dataset, settings)
        from pipeline import tracking
        tracking.record(dataset, "prepare", settings)
        print(f"prepare {dataset}: {figures['split']['train']:,} training and {figures['split']['test']:,} test rows, "
              f"{figures['features']} features, {figures['missing_share']:.1%} missing -> {paths.processed(dataset)}/")


if __name__ == "__main__":
    command.run(main)
