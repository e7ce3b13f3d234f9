"""No proposed block is refused by the next commands, whatever the table."""

import pytest

import generate_data
import prepare_data
import train
from ops.proposal.block import added, block
from ops.proposal.wish import Wish
from pipeline.project import params
from pipeline.project.errors import DataError
from pipeline.training.problem import read_problem
from support.messy import messy_table, write_messy

FEW, MANY = range(8), range(8, 80)
# faults of a table that a person has to settle before there can be a block
FOR_A_PERSON = (
    "every column gives the target away",
    "give more rows of it, merge or remove the class",
    "merge or remove the class",
    "no feature column is left",
    "should be greater or equal to the number of classes",
)


def goes_through(project, seed: int) -> bool:
    """Propose a block and prepare it; return False where the table is refused with its reason."""
    source = write_messy(messy_table(seed), project, seed)
    text = (project / "params.yaml").read_text()
    try:
        proposed = block(Wish("mine", source.name, "goal"), params.parse(text))
    except DataError as error:
        assert any(fault in str(error) for fault in FOR_A_PERSON), error
        return False
    (project / "params.yaml").write_text(added(text, proposed))
    settings = params.load()
    generate_data.generate("mine", settings)
    prepare_data.prepare("mine", settings)
    read_problem("mine", settings)
    return True


def test_prepare_takes_what_is_proposed_of_messy_tables(project):
    text = (project / "params.yaml").read_text()
    passed = 0
    for seed in FEW:
        (project / "params.yaml").write_text(text)
        passed += goes_through(project, seed)
    # a table that is always refused would show nothing
    assert passed >= len(FEW) * 2 // 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY)
def test_what_is_proposed_of_a_messy_table_is_trained(project, seed):
    if not goes_through(project, seed):
        return
    settings = params.load()
    models = settings.dataset("mine").train.models
    for model in {"ridge", "logistic_regression", "decision_tree", "xgboost"} & set(models):
        train.train("mine", settings, only=model, n_workers=1)
