"""``python -m qingdan.banking.demobank``: run the demo bank until it is told to stop. Its first line says where it listens."""

from __future__ import annotations

import argparse
import datetime
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from qingdan.banking.demobank import DEMO_TOKEN
from qingdan.banking.demobank.server import DemoBank
from qingdan.banking.demobank.tables import Tables


def main(arguments: list[str] | None = None) -> int:
    """Serve; the exit status is 0, or 2 when the arguments make no bank."""
    parser = argparse.ArgumentParser(
        prog="python -m qingdan.banking.demobank", description="演示银行（虚构）：没有真钱，只用来演示和测试。"
    )
    parser.add_argument("--data", type=Path, required=True, help="账本文件（SQLite），没有就新建")
    parser.add_argument("--port", type=int, default=0, help="端口；0 为任取一个空闲的")
    parser.add_argument("--host", default="127.0.0.1", help="监听的地址，默认只给本机")
    parser.add_argument("--public-address", default="", help="家长的浏览器用的地址，默认就是监听的地址")
    parser.add_argument(
        "--return-origin", action="append", default=[], help="付款后除本机外还可以返回的网站，如 https://example.cn；可写多次"
    )
    parser.add_argument("--day", type=datetime.date.fromisoformat, help="银行的日期停在这一天，由指令推进；不写就是今天")
    parser.add_argument("--token", default=os.environ.get("QINGDAN_DEMOBANK_TOKEN", DEMO_TOKEN), help="客户程序的口令")
    parsed = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    if parsed.host not in {"127.0.0.1", "localhost", "::1"} and parsed.token == DEMO_TOKEN:
        sys.stderr.write("对外监听要用自己的口令；请写 --token，或设 QINGDAN_DEMOBANK_TOKEN\n")
        return 2
    parsed.data.parent.mkdir(parents=True, exist_ok=True)
    place, origins = (parsed.host, parsed.port), frozenset(parsed.return_origin)
    try:
        bank = DemoBank(Tables(parsed.data), place, token=parsed.token, day=parsed.day, return_origins=origins)
    except OSError as error:
        sys.stderr.write(f"端口 {parsed.port} 用不了（{error.strerror}）；请换一个 --port\n")
        return 2
    if parsed.public_address:
        bank.public_address = parsed.public_address.rstrip("/")
    signal.signal(signal.SIGTERM, _stop)
    sys.stdout.write(f"{bank.local_address}\n")
    sys.stdout.flush()
    try:
        bank.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        bank.server_close()
    return 0


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
