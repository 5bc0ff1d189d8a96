"""From folders of YAML to the raw material of a pack: vocabulary, layers, documents, provisions.

Several folders are read one over the other: the built-in pack first, then those of the user. A later folder may add
kinds, layers, documents and provisions; a file at the same relative path takes the earlier one's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from qingdan.policy.documents import Blank, Document, DocumentFile, Duty, Indicator, Status
from qingdan.policy.layers import CalendarFile, Layer, LayerFile
from qingdan.policy.lexicons import LexiconFile
from qingdan.policy.provisions import ProvisionFile, Restatement
from qingdan.policy.sources import PackError, Place, Problem, Schema, Source, nearest, parse, read_yaml
from qingdan.policy.vocabulary import Category, CategoryFile, FactKind, FactKindFile, Vocabulary, fields_of

_LISTS: dict[str, type[Duty] | type[Indicator] | type[Blank] | type[Restatement]] = {
    "duties.yaml": Duty,
    "indicators.yaml": Indicator,
    "blanks.yaml": Blank,
    "restated.yaml": Restatement,
}


@dataclass
class Loaded:
    """Everything a pack's files say, before it is checked against itself."""

    categories: dict[str, Category] = field(default_factory=dict)
    kinds: dict[str, FactKind] = field(default_factory=dict)
    capabilities: dict[str, str] = field(default_factory=dict)
    layers: dict[str, tuple[LayerFile, Source]] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    duties: list[tuple[str, Duty, Source, int]] = field(default_factory=list)
    indicators: list[tuple[str, Indicator, Source, int]] = field(default_factory=list)
    blanks: list[tuple[str, Blank]] = field(default_factory=list)
    restatements: list[tuple[str, Restatement, Source, int]] = field(default_factory=list)
    #: (layer, subject, file, source)
    provisions: list[tuple[str, str, ProvisionFile, Source]] = field(default_factory=list)
    lexicons: list[tuple[LexiconFile, Source]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Keep what a file has against it and go on with the next one."""
        try:
            yield
        except PackError as error:
            self.problems.extend(error.problems)

    @property
    def vocabulary(self) -> Vocabulary:
        """The fact kinds and categories read so far."""
        return Vocabulary(self.kinds, self.categories)


def pack_files(folders: Iterable[Path]) -> dict[str, Path]:
    """Every YAML file of the folders by its path inside its folder; a later folder's file hides an earlier one's."""
    files: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise PackError([Problem(Place(str(folder)), "没有这个政策包文件夹")])
        # A folder that is itself one layer is read as if it lay in a pack.
        prefix = f"{folder.resolve().name}/" if (folder / "layer.yaml").is_file() else ""
        found = sorted(path for path in folder.rglob("*.yaml") if not any(part.startswith(".") for part in path.parts[1:]))
        if not found:
            raise PackError([Problem(Place(str(folder)), "文件夹里没有任何 .yaml 文件，不是政策包")])
        files.update({prefix + path.relative_to(folder).as_posix(): path for path in found})
    return files


def load_files(files: dict[str, Path]) -> Loaded:
    """Read every file of a pack; what is wrong with single files is collected in ``problems``."""
    loaded = Loaded()
    sources: dict[str, Source] = {}
    for name, path in files.items():
        with loaded.collecting():
            sources[name] = read_yaml(path, name)
    for name in sorted(sources, key=lambda name: (name.count("/"), name)):
        with loaded.collecting():
            _take(loaded, name.split("/"), sources[name])
            sources[name].data = None
    return loaded


def _take(loaded: Loaded, parts: list[str], source: Source) -> None:
    match parts:
        case ["capabilities.yaml"]:
            loaded.capabilities |= {str(key): str(value) for key, value in source.data.items()}
        case ["facts", "categories", _]:
            for name, codes in parse(source, CategoryFile).categories.items():
                if name in loaded.categories:
                    raise PackError([Problem(source.place("categories", name), f"类别“{name}”已在别处定义")])
                loaded.categories[name] = Category(name, codes)
        case ["facts", _]:
            kind = _kind(parse(source, FactKindFile), source)
            loaded.kinds[kind.name] = kind
        case ["lexicons", _]:
            loaded.lexicons.append((parse(source, LexiconFile), source))
        case [code, "layer.yaml"]:
            layer = parse(source, LayerFile)
            if layer.code != code:
                raise PackError([Problem(source.place("code"), f"code 要与文件夹同名：“{code}”")])
            loaded.layers[code] = (layer, source)
        case [code, name] if name in _LISTS:
            _take_list(loaded, code, name, source)
        case [code, "documents", _]:
            loaded.documents.append(_document(parse(source, DocumentFile), code, source))
        case [code, subject, _]:
            loaded.provisions.append((code, subject, parse(source, ProvisionFile), source))
        case _:
            raise PackError([Problem(Place(source.file), "政策包里不该有这个位置的文件（见 docs/policy-authoring.md）")])


def _take_list(loaded: Loaded, code: str, name: str, source: Source) -> None:
    if not isinstance(source.data, list):
        raise PackError([Problem(source.place(), "这个文件应当是一个列表")])
    for index, data in enumerate(source.data):
        with loaded.collecting():
            item: Schema = parse(source, _LISTS[name], data, at=(index,))
            if isinstance(item, Duty):
                loaded.duties.append((code, item, source, index))
            elif isinstance(item, Indicator):
                loaded.indicators.append((code, item, source, index))
            elif isinstance(item, Restatement):
                loaded.restatements.append((code, item, source, index))
            else:
                assert isinstance(item, Blank)
                loaded.blanks.append((code, item))


def _kind(file: FactKindFile, source: Source) -> FactKind:
    recognise = tuple((entry,) if isinstance(entry, str) else tuple(entry) for entry in file.recognise)
    problems = [
        Problem(source.place(key), f"{key} 提到的“{name}”不是本类事实的列{nearest(name, file.columns)}")
        for key, names in (
            ("subject", fields_of(file.subject)),
            ("date", [file.date]),
            ("key", file.key),
            ("recognise", [name for group in recognise for name in group]),
        )
        for name in names
        if name not in file.columns
    ]
    if file.date in file.columns and file.columns[file.date].type != "date":
        problems.append(Problem(source.place("date"), f"“{file.date}”不是日期列"))
    for name, column in file.columns.items():
        if column.read_from is not None and column.read_from not in file.columns:
            problems.append(Problem(source.place("columns", name, "read_from"), f"没有“{column.read_from}”这一列"))
    if problems:
        raise PackError(problems)
    return FactKind(
        file.kind, file.label, file.about, file.subject, file.date, tuple(file.key), recognise, file.columns, file.derived, source
    )


def _document(file: DocumentFile, layer: str, source: Source) -> Document:
    return Document(
        layer=layer,
        id=file.id,
        title=file.title,
        short=file.short,
        issuer=file.issuer,
        number=file.number,
        status=Status(file.status),
        in_force_from=file.in_force_from,
        in_force_until=file.in_force_until,
        dated_by=file.dated_by,
        fictional=file.fictional,
        clauses=tuple(file.clauses),
        source=source,
    )


def resolve_layers(loaded: Loaded) -> dict[str, Layer]:
    """Layers with their chains; adds a problem for an unknown or circular parent, or a chain without a grade system."""
    layers: dict[str, Layer] = {}
    for code, (file, source) in loaded.layers.items():
        chain = _chain(loaded, code)
        if chain is None:
            continue
        files = [loaded.layers[name][0] for name in chain]
        graded = next(((name, each.grades) for name, each in zip(chain, files, strict=True) if each.grades), None)
        if graded is None or graded[1] is None:
            loaded.problems.append(Problem(source.place(), f"“{code}”及其上级都没有写学段与年级（grades）"))
            continue
        calendars: list[tuple[str, CalendarFile]] = [
            (name, each.calendar) for name, each in zip(chain, files, strict=True) if each.calendar
        ]
        attributes: dict[str, str | bool | int] = {}
        for each in reversed(files):
            attributes |= each.attributes
        layers[code] = Layer(
            code=code,
            name=file.name,
            parent=file.parent,
            kind=file.kind,
            region=file.region,
            chain=tuple(chain),
            grades_from=graded[0],
            grades=graded[1],
            calendars=tuple(calendars),
            attributes=attributes,
            fictional=file.fictional,
            about=file.about,
            source=source,
        )
    return layers


def _chain(loaded: Loaded, code: str) -> list[str] | None:
    chain: list[str] = []
    current: str | None = code
    while current is not None:
        below = loaded.layers[chain[-1]][1] if chain else None
        if current in chain:
            if current == code:
                path = " → ".join([*chain, current])
                loaded.problems.append(Problem(loaded.layers[code][1].place("parent"), f"上级关系成环：{path}"))
            return None
        if current not in loaded.layers:
            assert below is not None
            # Said once, where the unknown parent is named.
            problem = Problem(below.place("parent"), f"没有名为“{current}”的层{nearest(current, loaded.layers)}")
            if problem not in loaded.problems:
                loaded.problems.append(problem)
            return None
        chain.append(current)
        current = loaded.layers[current][0].parent
    return chain
