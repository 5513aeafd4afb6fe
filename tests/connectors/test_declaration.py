"""What every connector must declare; a new one is found by its module alone."""

from __future__ import annotations

import inspect

import pytest

from fairlead.connectors import declaration
from fairlead.connectors.declaration import SPELLINGS, Connector, Masking, OptionSpec, Words
from fairlead.errors import NotSupported

ALL = declaration.connectors()


@pytest.mark.parametrize("found", ALL, ids=lambda c: c.kind)
def test_a_connector_lives_alone_in_a_module_of_its_name(found):
    module = inspect.getmodule(type(found))
    assert module is not None
    assert module.__name__ == f"fairlead.connectors.{found.kind}"
    assert declaration.connector(found.kind) is found


@pytest.mark.parametrize("found", ALL, ids=lambda c: c.kind)
def test_options_have_unique_names_a_sentence_of_help_and_good_defaults(found):
    names = [spec.name for spec in found.options]
    assert len(names) == len(set(names))
    for spec in found.options:
        assert spec.help.endswith(".")
        assert found.option(spec.name) is spec
        assert spec.words, f"{spec.name} cannot be written in any spelling"
        assert spec.default is None or spec.canonical(spec.default) == spec.default


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("found", ALL, ids=lambda c: c.kind)
def test_no_word_of_a_spelling_means_two_options(found, spelling):
    words = [
        word.casefold()
        for spec in found.options
        if (of := spec.words.get(spelling)) is not None
        for word in (of.name, *of.aliases)
    ]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("found", ALL, ids=lambda c: c.kind)
def test_every_word_finds_its_option(found):
    for spec in found.options:
        for spelling, words in spec.words.items():
            if words.typed:
                for word in (words.name, *words.aliases):
                    assert found.find(spelling, word, words.clause) is spec
                assert words.name in found.known_words(spelling, words.clause)


@pytest.mark.parametrize("found", ALL, ids=lambda c: c.kind)
def test_a_secret_is_never_declared_as_config_only(found):
    for spec in found.options:
        words = spec.words.get("singlestore")
        if words is not None and spec.masking is not Masking.PLAIN:
            assert words.clause == "CREDENTIALS" or words.either_clause


def test_types_are_found_in_any_case():
    kinds = {"materialize": "aws", "singlestore": "s3", "databend": "S3", "clickzetta": "s3"}
    for spelling, word in kinds.items():
        found = declaration.connector_of_type(spelling, word)
        assert found is not None
        assert found.kind == "s3"
    assert declaration.connector_of_type("materialize", "S3") is None


def test_an_unknown_kind_is_refused():
    with pytest.raises(NotSupported, match="no connector for nothing"):
        declaration.connector("nothing")


def test_a_system_without_objects_is_no_object_store():
    class Mail(Connector):
        kind = "mail"
        title = "Mail"

    with pytest.raises(TypeError, match="destination"):
        Mail()  # a system that does not say where its credential goes cannot be added

    class Sent(Mail):
        def destination(self, given):
            return "mail.example"

    with pytest.raises(NotSupported, match="Mail connections cannot be used as an object store"):
        Sent().target({})
    assert "mail" not in {found.kind for found in declaration.connectors()}


def test_keys_of_links_are_exact_and_keep_to_their_clause():
    words = Words("region", clause="CONFIG")
    assert words.matches("region", "CONFIG")
    assert words.matches("region")
    assert not words.matches("REGION", "CONFIG")
    assert not words.matches("region", "CREDENTIALS")


def test_choices_are_named_in_the_refusal():
    spec = OptionSpec("mode", "A mode.", {}, choices=("a", "b"))
    assert spec.canonical("a") == "a"
    assert spec.canonical("") == ""
    with pytest.raises(ValueError, match="expected one of a, b"):
        spec.canonical("c")
