from tests.formats.recorded_files import facts_of, facts_of_recorded, recorded


def test_a_file_of_the_library_tells_what_it_is() -> None:
    facts = facts_of_recorded("lightgbm-plain.txt")
    assert (facts.format, facts.safety, facts.complete) == ("lightgbm", "no-code", True)
    assert facts.metadata["objective"] == "binary sigmoid:1"
    assert facts.metadata["num_class"] == "1"
    assert facts.metadata["feature_names"] == "Column_0 Column_1 Column_2"
    assert facts.metadata["trees"] == 2
    assert facts.metadata["parameters.num_leaves"] == "4"


def test_without_the_last_line_it_can_not_tell_whether_the_writer_was_done() -> None:
    content = recorded("lightgbm-plain.txt")
    end = content.index(b"\npandas_categorical")
    assert facts_of(content[:end]).complete is None
    assert facts_of(content[: content.index(b"end of parameters")]).complete is False
    assert facts_of(content[: content.index(b"end of trees")]).complete is False


def test_lines_may_end_as_windows_ends_them() -> None:
    content = recorded("lightgbm-plain.txt").replace(b"\n", b"\r\n")
    facts = facts_of(content, "model.txt")
    assert (facts.format, facts.complete, facts.metadata["trees"]) == ("lightgbm", True, 2)


def test_a_last_line_that_is_cut_is_not_complete() -> None:
    content = recorded("lightgbm-plain.txt")
    assert facts_of(content[:-1]).complete is not True
    assert facts_of(content.replace(b":null", b":[[1,")).complete is not True


def test_another_text_that_starts_with_a_tree_is_text() -> None:
    assert facts_of(b"tree\nof life\n", "poem.txt").format == "text"
