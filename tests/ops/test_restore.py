"""ops.restore brings back what the cache holds whole, and never removes what it cannot restore."""

import json

from support.processes import script, shell
from support.projects import link_environment


def restore(folder, *, status=0):
    done = script("ops.restore", cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def cached(folder, md5: str):
    return folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def test_output_that_no_cache_holds_stays(pipeline_run):
    shell("rm -rf .dvc/cache/files/md5/*/*.dir models/iris/train", pipeline_run)
    told = restore(pipeline_run)
    assert "stay as they are; nowhere: 'models/iris/train'; `make pipeline` makes them" in told
    assert (pipeline_run / "data/processed/tiny/train.parquet").is_file() and (
        pipeline_run / "models/iris/tune"
    ).is_dir()


def cached_files(folder, output: str) -> set[str]:
    lock = (folder / "dvc.lock").read_text()
    md5 = lock.split(f"path: {output}\n")[1].split("md5: ")[1].split()[0]
    return {file["md5"] for file in json.loads(cached(folder, md5).read_text())}


def test_folder_of_which_the_cache_lacks_a_file_is_not_brought_back_in_part(pipeline_run):
    train = cached_files(pipeline_run, "models/tiny/train")
    only_in_train = train - cached_files(pipeline_run, "models/tiny/tune")
    cached(pipeline_run, min(only_in_train)).unlink()
    shell("rm -rf models", pipeline_run)
    assert "nowhere: 'models/tiny/train';" in restore(pipeline_run)
    assert (
        not (pipeline_run / "models/tiny/train").exists()
        and (pipeline_run / "models/tiny/tune").is_dir()
    )


def test_file_of_which_there_is_no_copy_is_not_removed(pipeline_run):
    extra = pipeline_run / "data/processed/tiny/notes.txt"
    extra.write_text("mine")
    told = restore(pipeline_run, status=1)
    assert (
        len(told.splitlines()) == 1
        and "notes.txt; there is no copy of what it names: move it away" in told
        and "force" not in told
    )
    assert extra.read_text() == "mine"


def test_remote_that_cannot_be_reached_is_reported_and_the_cache_is_used(pipeline_run):
    shell(
        "dvc remote add --default store s3://nowhere/x "
        "&& dvc remote modify store endpointurl http://127.0.0.1:1 "
        "&& rm -rf models",
        pipeline_run,
    )
    told = restore(pipeline_run)
    assert "restore: 23 of 23 outputs are here as dvc.lock has them" in told
    shell("rm -rf models .dvc/cache", pipeline_run)
    assert "the remote did not give everything: " in restore(pipeline_run)


def test_clone_that_has_nothing_is_up_to_date_before_and_after(pipeline_run, tmp_path):
    shell(
        f"git add -A && git commit -qm results && git clone -q . '{tmp_path}/clone'", pipeline_run
    )
    clone = tmp_path / "clone"
    link_environment(clone)
    for command in ("make stale", "make restore", "make stale"):
        done = shell(command, clone)
        assert done.returncode == 0, f"{command}: {done.stderr}"
