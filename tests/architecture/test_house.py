"""The house rules that a machine can read: layers, who may write, which verbs never stand in the source."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

from importlinter.cli import lint_imports

from tests.architecture import house, words

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "backups_app"
SOURCES = sorted(path for path in APP.rglob("*.py") if "migrations" not in path.parts)

WRITING_VERBS = {
    "insert_one", "insert_many", "replace_one", "update_one", "update_many", "delete_one", "delete_many", "bulk_write",
    "find_one_and_update", "find_one_and_replace", "find_one_and_delete",
}  # fmt: skip
# Each with its reason: user data is written by exact_writes alone; the others write our own collections, or a demo's.
WRITERS = {
    "mongo/exact_writes": "compares bytes with what was read",
    "mongo/scratch.py": "drops a test copy that bears our marker",
    "catalog": "our own internal collections",
    "management/demo": "fills the demo's own empty databases",
    "mongo/embedded.py": "starts demo and test servers",
}
# Which module may call what takes a folder of the backup store away.
REMOVERS = {
    "remove_tree": {
        "backup_files/store/store.py", "backup_files/store/trash.py", "restore/export.py",  # an export is no backup
    },
    "trash": {"use_cases/retention/taking_out.py"},
    "empty_trash": {"use_cases/retention/trash_emptying.py", "runs/recovery/clearing.py"},
    "discard_partial": {
        "backup_files/store/unfinished_fetch.py", "use_cases/fetching/fetch.py", "runs/closing/closing.py",
        "runs/recovery/clearing.py", "runs/recovery/recovery.py",
    },
    "take_out": {"use_cases/retention/prune.py", "use_cases/retention/removal.py"},
}  # fmt: skip
BULK_VERBS = {"drop", "drop_collection", "drop_database"}
DROPPERS = {"mongo/scratch.py", "management/demo", "catalog"}  # the catalog: only our own internal collections
# Who opens a collection by pymongo, and none of the temple's, whose names are any that a server takes.
OPENERS = {
    "catalog": "our own internal collections",
    "mongo/collections.py": "the door itself",
    "mongo/scratch.py": "our marker in a test copy",
    "management/demo": "collections that it names itself",
}


def relative(path: Path) -> str:
    return path.relative_to(APP).as_posix()


@functools.cache
def calls(path: Path) -> tuple[tuple[str, ast.Call], ...]:
    """Return each call of a method or of a module's function in this file, with the name that is called."""
    return tuple(
        (node.func.attr, node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    )


def within(name: str, rooms: set[str] | dict[str, str]) -> bool:
    return any(name == room or name.startswith(f"{room}/") for room in rooms)


def test_imports_point_down() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_user_data_is_written_by_exact_writes_alone() -> None:
    found = {
        relative(path): verbs
        for path in SOURCES
        if not within(relative(path), WRITERS) and (verbs := {verb for verb, _ in calls(path)} & WRITING_VERBS)
    }

    assert found == {}


def test_no_bulk_verb_stands_in_the_product() -> None:
    found = {
        relative(path): verbs
        for path in SOURCES
        if not within(relative(path), DROPPERS) and (verbs := bulk_verbs(path))
    }

    assert found == {}


def bulk_verbs(path: Path) -> list[str]:
    """Which verbs of this file empty, rename or drop a whole collection or database."""
    text = path.read_text(encoding="utf-8")
    return [
        *sorted({verb for verb, _ in calls(path)} & BULK_VERBS),
        *re.findall(r"delete_many\(\s*\{\s*\}", text),
        *re.findall(r"""["'](renameCollection|dropDatabase)["']\s*:""", text),
    ]


def test_every_fsync_and_rename_is_in_one_module() -> None:
    found = {
        relative(path): verbs
        for path in SOURCES
        if relative(path) != "backup_files/durable.py" and (verbs := durable_verbs(path))
    }

    assert found == {}


def test_a_folder_of_the_store_is_removed_by_the_modules_that_are_named_here() -> None:
    found: dict[str, set[str]] = {verb: set() for verb in REMOVERS}
    for path in SOURCES:
        for verb, _ in calls(path):
            assert verb != "rmtree", relative(path)
            if verb in REMOVERS:
                found[verb].add(relative(path))

    assert found == REMOVERS


def durable_verbs(path: Path) -> list[str]:
    """Which calls of this file ask for the disk or rename a file."""
    return sorted(
        verb
        for verb, node in calls(path)
        if verb in {"fsync", "fdatasync"}
        or (
            verb in {"rename", "replace", "renames"}
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in {"os", "shutil"}
        )
    )


def test_a_file_is_a_screen_or_three() -> None:
    lines = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    assert {name: count for name, count in lines.items() if count > 300} == {}


def test_nine_files_in_ten_have_at_most_two_hundred_lines() -> None:
    median, most_of_them, longest = house.spread(house.lines_of_files())

    assert (median <= 110, most_of_them <= 200, longest <= 300) == (True, True, True)


def test_collections_of_the_temple_are_opened_through_one_door() -> None:
    found = {
        relative(path): opened
        for path in SOURCES
        if not within(relative(path), OPENERS) and (opened := collections_opened(path))
    }

    assert found == {}


def collections_opened(path: Path) -> list[str]:
    """Which expressions of this file open a collection by its name."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    subscripted = [node for node in tree if isinstance(node, ast.Subscript) and _names_a_database(node.value)]
    verbs = {verb for verb, _ in calls(path)} & {"get_collection", "create_collection"}
    return [*(ast.unparse(node) for node in subscripted), *sorted(verbs)]


def _names_a_database(node: ast.expr) -> bool:
    """`database[…]`, `access.database[…]`, `for_scans(…)[…]`: what stands in the brackets would be a collection."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute | ast.Name) and ast.unparse(node.func).split(".")[-1] in {
            "for_scans", "database", "local_database", "answering_database", "get_database", "side", "with_options",
        }  # fmt: skip
    return ast.unparse(node).split(".")[-1] in {"database", "db", "local", "remote", "catalog"}


def test_no_room_is_a_drawer_for_everything() -> None:
    names = {path.stem for path in APP.rglob("*.py")} | {path.name for path in APP.rglob("*") if path.is_dir()}

    assert names & {"utils", "util", "helpers", "helper", "common", "misc"} == set()


def test_failures_of_the_django_database_are_caught_as_one_kind() -> None:
    """`InterfaceError`, of a connection that was lost, is no `DatabaseError`: only `Error` is every failure."""
    found = {
        relative(path): names
        for path in SOURCES
        if (names := set(re.findall(r"\b(?:DatabaseError|OperationalError|InterfaceError)\b", _of_django_db(path))))
    }

    assert found == {}


def _of_django_db(path: Path) -> str:
    """Return the names that this file takes from `django.db`, by their own names."""
    imports = (
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)
    )
    return " ".join(name.name for node in imports if (node.module or "").startswith("django.db") for name in node.names)


def test_operations_read_no_settings_and_no_clock() -> None:
    operations = ("sync", "dump", "purge", "verification", "restore", "retention", "schedule", "browsing")
    wrong = [
        relative(path)
        for path in SOURCES
        if path.relative_to(APP).parts[0] in operations
        and re.search(r"from django|configuration\.current|timezone\.now", path.read_text(encoding="utf-8"))
    ]

    assert wrong == []


def test_every_public_function_says_what_it_is_for() -> None:
    missing = []
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if ast.get_docstring(node) is None and len(node.body) > 3:
                missing.append(f"{relative(path)}:{node.name}")

    assert missing == []


def test_no_forbidden_word_stands_in_names_comments_or_documents() -> None:
    assert [str(one) for one in words.offences()] == []


def test_no_modules_import_one_another() -> None:
    assert house.circles() == []


def test_every_class_of_the_product_has_a_name_of_its_own() -> None:
    assert house.classes_used_twice() == {}


def test_every_function_is_named_for_what_it_returns_or_does() -> None:
    assert house.unnamed_functions() == []


def test_documents_inside_documents_are_read_through_types() -> None:
    assert house.ladders() == []


def test_a_run_is_read_by_attributes_and_not_by_keys() -> None:
    assert house.record_accesses() == {}


def test_what_was_typed_is_compared_and_asked_for_in_one_place() -> None:
    """A face that compares a phrase itself would confirm by a rule of its own."""
    typed = re.compile(r"""strip\(\) != |(?<![\w.])input\(""")
    homes = {"use_cases/confirmation.py", "management/base.py"}
    faces = [path for path in SOURCES if within(relative(path), {"pages", "api", "management", "use_cases"})]
    found = {
        f"{relative(path)}: {line.strip()}"
        for path in faces
        if relative(path) not in homes
        for line in path.read_text(encoding="utf-8").splitlines()
        if typed.search(line)
    }
    assert found == set()
