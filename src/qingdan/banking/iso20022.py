"""Reading and writing the XML of ISO 20022 messages, the same for every message definition.

What comes from a bank is data from outside: a document type, entities or anything beyond the limits is refused before it is looked at.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from xml.etree import ElementTree
from xml.parsers import expat

from qingdan.banking.messages import CHINA, BankingFault, plain
from qingdan.banking.money import fen_of, shortened, yuan_of

SIZE_MAX = 20 * 1024 * 1024
_DEPTH_MAX = 40
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\bencoding=[\"']([A-Za-z0-9._-]+)[\"'][^>]*\?>")
_READABLE = {"utf-8": "utf-8", "us-ascii": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030"}

Fault = Callable[[str, str], BankingFault]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Node:
    """An element of a message that was read, with the way to it, and the fault to raise when something is missing in it."""

    element: ElementTree.Element
    path: str
    fault: Fault

    def find(self, path: str) -> Node | None:
        """The first element at a path like ``Acct/Id``, or None."""
        element: ElementTree.Element | None = self.element
        for name in path.split("/"):
            element = next((child for child in element if _local(child) == name), None) if element is not None else None
        return None if element is None else Node(element, f"{self.path}/{path}", self.fault)

    def one(self, path: str) -> Node:
        """The element at a path; raise the message's fault when it is missing."""
        found = self.find(path)
        if found is None:
            raise self.fault(f"{self.path}/{path}", "缺少这一项")
        return found

    def all(self, name: str) -> Iterator[Node]:
        """The children of a name, numbered from 1 in their path."""
        children = (child for child in self.element if _local(child) == name)
        for number, child in enumerate(children, start=1):
            yield Node(child, f"{self.path}/{name}[{number}]", self.fault)

    @property
    def text(self) -> str:
        """The text, in one line."""
        return plain(self.element.text or "")

    def told(self, path: str) -> str:
        """The text at a path; empty when it is missing."""
        found = self.find(path)
        return "" if found is None else found.text

    def needed(self, path: str) -> str:
        """The text at a path; raise the message's fault when it is missing or empty."""
        text = self.one(path).text
        if not text:
            raise self.fault(f"{self.path}/{path}", "这一项是空的")
        return text

    def fen(self, path: str = "") -> int:
        """The amount at a path, in fen; it has to be CNY."""
        node = self.one(path) if path else self
        currency = node.element.get("Ccy")
        if currency != "CNY":
            raise self.fault(node.path, f"币种是 {shortened(currency or '（没有写）')}，只认人民币 CNY")
        return node.read(fen_of)

    def day(self, path: str = "") -> datetime.date:
        """A date, or the date in China of a time, at a path."""
        node = self.one(path) if path else self
        return (node.find("Dt") or node.find("DtTm") or node).read(day_of)

    def whole(self, path: str) -> int:
        """A whole number at a path."""
        text = self.needed(path)
        if not re.fullmatch(r"[0-9]{1,15}", text, re.ASCII):
            raise self.fault(f"{self.path}/{path}", f"“{shortened(text)}”不是整数")
        return int(text)

    def time(self, path: str) -> datetime.datetime:
        """An aware time at a path; without a zone it is China's."""
        return self.one(path).read(time_of)

    def read(self, reader: Callable[[str], Value]) -> Value:
        """What a reader makes of the text; its ValueError becomes the message's fault at this place."""
        try:
            return reader(self.text)
        except ValueError as error:
            raise self.fault(self.path, str(error)) from None


def time_of(text: str) -> datetime.datetime:
    """An ISO time; raise ValueError with the reason."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"时间“{shortened(text)}”不对") from None
    return found if found.tzinfo else found.replace(tzinfo=CHINA)


def day_of(text: str) -> datetime.date:
    """The day of an ISO date or time, in China; raise ValueError with the reason."""
    try:
        if len(text) == len("2026-11-16"):
            return datetime.date.fromisoformat(text)
        return time_of(text).astimezone(CHINA).date()
    except (ValueError, OverflowError):
        raise ValueError(f"日期“{shortened(text)}”不对") from None


def parse(data: bytes, definition: str, fault: Fault) -> Node:
    """The message in a document of one of the versions of a definition such as ``camt.053``; raise the fault when it is none."""
    root = _tree(data, fault)
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    if _local(root) != "Document" or not namespace.startswith(f"{_NAMESPACE}{definition}."):
        found = namespace.removeprefix(_NAMESPACE) or _local(root)
        raise fault("报文", f"应是 ISO 20022 的 {definition}，却是 {shortened(found)}")
    body = next(iter(root), None)
    if body is None:
        raise fault("报文", "里面没有内容")
    return Node(body, _local(body), fault)


def definition_in(data: bytes) -> str:
    """The definition a document says it is of (``camt.053``), by its first bytes; empty when it says none."""
    found = re.search(rb"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3})\.", data[:2000])
    return found[1].decode("ascii") if found else ""


def _tree(data: bytes, fault: Fault) -> ElementTree.Element:
    if not data.strip():
        raise fault("报文", "是空的")
    if len(data) > SIZE_MAX:
        raise fault("报文", f"有 {len(data) // 1024 // 1024} MB，超过 {SIZE_MAX // 1024 // 1024} MB，不像正常的报文")
    builder = ElementTree.TreeBuilder()
    # The text is decoded here, so that GB 18030 can be read too; the parser is told that it gets UTF-8 whatever the declaration says.
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True
    depth = 0

    def refuse(*_: object) -> None:
        raise fault(f"报文第 {parser.CurrentLineNumber} 行", "含有文档类型或实体声明，可能是攻击，不予读取")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH_MAX:
            raise fault(f"报文第 {parser.CurrentLineNumber} 行", f"嵌套超过 {_DEPTH_MAX} 层，不像正常的报文")
        builder.start(_qualified(name), {_qualified(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_qualified(name))

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(_decoded(data, fault).encode("utf-8"), True)
    except expat.ExpatError as error:
        place = f"报文第 {error.lineno} 行第 {error.offset + 1} 个字符"
        if error.code in _CUT_OFF:
            raise fault(place, "到这里就断了，后面的没有收到；请重新取") from None
        raise fault(place, f"不是合格的 XML（{expat.ErrorString(error.code)}）") from None
    return builder.close()


_CUT_OFF = {
    expat.errors.codes[text]
    for text in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}


def _decoded(data: bytes, fault: Fault) -> str:
    """The text; a last character that was cut in half is left out, so that the parser says where the message ends."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    else:
        data = data.removeprefix(b"\xef\xbb\xbf")
        declared = _DECLARATION.match(data[:200])
        said = declared[1].decode("ascii").lower() if declared else "utf-8"
        if said not in _READABLE:
            raise fault("报文", f"编码 {said} 不认识；请用 UTF-8 或 GB18030")
        encoding = _READABLE[said]
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.end >= len(data) - 3:
            return data[: error.start].decode(encoding)
        raise fault(f"报文第 {data.count(10, 0, error.start) + 1} 行", f"有坏字节，不是完整的 {encoding.upper()} 文字") from None


def _qualified(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


class Writer:
    """Builds a message; elements have to be added in the order of the definition."""

    def __init__(self, definition: str, body: str) -> None:
        """``definition`` with its version (``camt.053.001.08``), ``body`` the element under Document."""
        self._root = ElementTree.Element("Document", {"xmlns": f"{_NAMESPACE}{definition}"})
        self.body = ElementTree.SubElement(self._root, body)

    def bytes(self) -> bytes:
        """The document, indented, in UTF-8."""
        ElementTree.indent(self._root)
        document: bytes = ElementTree.tostring(self._root, encoding="utf-8", xml_declaration=True)
        return document + b"\n"


def add(parent: ElementTree.Element, path: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    """Add an element, and those on the way to it, all new; the last one gets the text."""
    for name in path.split("/"):
        parent = ElementTree.SubElement(parent, name)
    parent.text = text
    parent.attrib.update(attributes)
    return parent


def add_fen(parent: ElementTree.Element, path: str, fen: int) -> None:
    """Add an amount without sign, in CNY."""
    add(parent, path, yuan_of(abs(fen)), Ccy="CNY")


def add_account(parent: ElementTree.Element, path: str, account: str) -> ElementTree.Element:
    """Add an account by its number (China has no IBAN); its element comes back."""
    element = add(parent, path)
    add(element, "Id/Othr/Id", account)
    return element


def account_in(node: Node, path: str) -> str:
    """The number of an account at a path, without spaces; empty when there is none."""
    return (node.told(f"{path}/Id/Othr/Id") or node.told(f"{path}/Id/IBAN")).replace(" ", "")


def message_id(prefix: str, *parts: object) -> str:
    """An identification of at most 35 characters that is the same for the same content."""
    digest = hashlib.sha256("\n".join(map(repr, parts)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix}{digest}"[:35]
