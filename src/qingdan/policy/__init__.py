"""The core: the law as data, and the engines that judge facts by it. Pure Python; knows no app and no Django.

Read ``pack.py`` first (which limit, here, that day?), then ``compiler.py`` (who breaks what?).
"""
