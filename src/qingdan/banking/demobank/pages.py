"""The page on which a parent pays at the demo bank: plain, one button, and plainly fictional."""

from __future__ import annotations

import html
import urllib.parse

from qingdan.banking.messages import Order
from qingdan.banking.money import yuan_of

STYLE = """
* { box-sizing: border-box }
body { margin: 0; background: #eef1f4; color: #1d2733;
  font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif }
header { background: #24425f; color: #fff; padding: .9rem 1rem; text-align: center }
header strong { display: block; font-size: 1.15rem }
main { width: min(26rem, 100% - 2rem); margin: 1.5rem auto;
  padding: 1.5rem; background: #fff; border-radius: .75rem; box-shadow: 0 1px 3px #0003 }
h1 { margin: 0 0 .5rem; font-size: 1.1rem; font-weight: 600 }
.amount { margin: 0 0 1rem; font-size: 2.2rem; font-weight: 700; font-variant-numeric: tabular-nums }
dl { margin: 0 0 1.5rem; display: grid; grid-template-columns: auto 1fr; gap: .35rem 1rem }
dt { color: #52606d }
dd { margin: 0; overflow-wrap: anywhere }
button, .back { display: block; width: 100%; padding: .8rem; border: 0; border-radius: .5rem; background: #1f6f43; color: #fff;
  font: inherit;
  font-weight: 600; text-align: center; text-decoration: none; cursor: pointer }
button:focus-visible, a:focus-visible { outline: 3px solid #f2b134; outline-offset: 2px }
.quiet { display: block; margin-top: 1rem; color: #24425f; text-align: center }
.note { margin: 1rem 0 0; color: #52606d; font-size: .875rem; text-align: center }
"""


def returning(order: Order) -> str:
    """The address to go back to, with the order's number added."""
    parts = urllib.parse.urlsplit(order.return_address)
    query = [*urllib.parse.parse_qsl(parts.query, keep_blank_values=True), ("order", order.number)]
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def paying(order: Order, payee: str, *, is_paid: bool) -> str:
    """The page before and after the payment."""
    back = html.escape(returning(order))
    if is_paid:
        act = f'<a class="back" href="{back}">已付款，返回</a>'
    else:
        act = f'<form method="post"><button>确认付款 ¥{yuan_of(order.amount_fen)}</button></form>'
        act += f'<a class="quiet" href="{back}">暂不付款，返回</a>'
    rows = (
        ("收款户名", payee),
        ("收款账号", order.account),
        ("付款人", order.payer_name),
        ("用途", order.remittance or "—"),
        ("单号", order.number),
    )
    listed = "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in rows)
    title = "付款成功" if is_paid else "确认付款"
    return _page(title, f'<h1>{title}</h1><p class="amount">¥{yuan_of(order.amount_fen)}</p><dl>{listed}</dl>{act}')


def problem(sentence: str) -> str:
    """A page that says what is wrong."""
    return _page("没有办成", f'<h1>没有办成</h1><p>{html.escape(sentence)}</p><p class="note">请回到原来的页面，重新点“去付款”。</p>')


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title} · 演示银行（虚构）</title><link rel="stylesheet" href="/style.css"></head><body>'
        "<header><strong>演示银行（虚构）</strong>这里没有真钱，只用来演示</header>"
        f"<main>{body}</main></body></html>"
    )
