"""What pupils are given, in short wordings of our own, by stage and subject."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

from qingdan.demo.plan import stage_of


@dataclass(frozen=True)
class Wording:
    """One kind of homework; ``{n}``, ``{m}`` and ``{topic}`` are filled in."""

    form: str
    content: str
    requirements: str
    intent: str


_NUMERALS = "一二三四五六七八九十"
_TOPICS = ("校园的秋天", "我的一位朋友", "一次尝试", "家乡的桥", "窗外", "我喜欢的一本书", "一件小事", "放学路上", "我的一天", "一种植物")

_W, _O, _R, _P, _I, _E = "written", "oral", "reading", "practical", "inquiry", "electronic"
_TEXT: dict[tuple[str, str], tuple[tuple[str, str, str, str], ...]] = {
    ("lower", "语文"): (
        (_O, "朗读本课课文两遍，读给自己听", "声音响亮，读准字音", "在朗读中认字，培养语感"),
        (_O, "背诵第 {n} 首儿歌", "能完整背出", "积累语言，感受节奏"),
        (_R, "读一本绘本 10 分钟，记住一个喜欢的画面", "安静地读，不赶时间", "养成每天阅读的习惯"),
        (_O, "把课上听到的故事讲一遍", "说清谁、做了什么", "练习连贯表达"),
        (_P, "在身边找三个学过的字", "可以在书上、路牌上找", "在生活中识字"),
    ),
    ("lower", "数学"): (
        (_O, "口算 {m} 题，说出算法", "想清楚再说，不比快", "熟练口算，理解算理"),
        (_P, "用小棒或纽扣摆一摆今天学的数", "边摆边说", "在操作中理解数的意义"),
        (_P, "在家里找一找长方形和圆形的东西", "找到五样就可以", "把图形和生活联系起来"),
        (_O, "说一道用今天的算法解决的小问题", "问题和答案都说完整", "学会用数学说话"),
    ),
    ("upper", "语文"): (
        (_W, "抄写本课生字词一遍，给易错字组词", "字迹工整，姿势端正", "巩固本课字词"),
        (_W, "完成课后练习第 {n} 题", "用完整的句子回答", "读懂课文内容，学习表达方法"),
        (_W, "写一段话：{topic}（80 字左右）", "写清楚一个意思", "学习围绕一个意思写"),
        (_W, "给第 {n} 自然段写批注两处", "写出自己的想法", "学习边读边想"),
        (_W, "整理本单元好词佳句，选两句仿写", "仿写要通顺", "积累语言，学以致用"),
        (_O, "有感情地朗读课文第 {n} 自然段", "读出人物的心情", "在朗读中体会情感"),
        (_R, "课外阅读 15 分钟", "读自己喜欢的书", "坚持阅读，扩大积累"),
        (_P, "采访一位家人：{topic}，记下三个要点", "问题先想好", "在生活中学语文"),
    ),
    ("upper", "数学"): (
        (_W, "练习册第 {m} 页第 1～{n} 题", "写出必要的过程", "巩固今天的计算方法"),
        (_W, "解决问题 {n} 道，画图表示数量关系", "先画图，再列式", "学会用画图分析问题"),
        (_W, "订正错题并写出错因", "只订正自己错的题", "从错误中学习"),
        (_W, "编一道用到今天知识的应用题并解答", "题目要合情合理", "加深对数量关系的理解"),
        (_W, "计算 {n} 题，任选两题验算", "细心计算，书写整齐", "提高计算的准确性"),
        (_P, "测量家里一张桌子的长和宽，估计它的面积", "记下测量结果", "建立长度、面积的量感"),
        (_I, "记录一周的气温，想一想用什么图表示", "每天同一时间记录", "经历收集整理数据的过程"),
    ),
    ("upper", "英语"): (
        (_W, "抄写本课重点句型一遍，替换词语写两句", "注意大小写和标点", "掌握句型结构"),
        (_W, "完成练习册 Unit 练习第 {n} 题", "先读题再作答", "巩固本课词汇和句型"),
        (_W, "写三句话介绍 {topic}", "用学过的句型", "学习用英语表达"),
        (_O, "跟读课文两遍，和同学分角色对话", "语音语调自然", "提高口语流利度"),
        (_E, "听本课录音 5 分钟并跟读", "用完就放下设备", "培养听力习惯"),
        (_O, "用今天的句型问答三组", "声音清楚", "在交流中运用语言"),
    ),
    ("upper", "道德与法治"): ((_P, "为家里做一件力所能及的事，说说感受", "自己完成", "培养责任意识"),),
    ("upper", "科学"): (
        (_I, "观察一种植物三天，记录变化", "图文都可以", "学习持续观察"),
        (_P, "用家里的材料做一个简单的滤水器", "注意安全", "在制作中理解过滤"),
        (_W, "完成观察记录单", "写清看到的现象", "学习记录证据"),
    ),
    ("upper", "音乐"): ((_O, "哼唱本课歌曲一遍", "节奏准确", "感受歌曲情绪"),),
    ("upper", "美术"): ((_P, "收集三种不同纹理的材料，拼一幅小画", "就地取材", "观察和运用材料"),),
    ("upper", "体育与健康"): ((_P, "跳绳三组，每组一分钟", "运动前热身", "坚持锻炼"),),
    ("upper", "劳动"): ((_P, "整理自己的书桌和书包", "分类摆放", "养成自己的事自己做的习惯"),),
    ("junior", "语文"): (
        (_W, "完成课后思考探究第 {n} 题", "结合文本，分点作答", "理解文章主旨与写法"),
        (_W, "积累本课字词，选三个写一段话", "用词恰当", "丰富词汇"),
        (_W, "写作片段：{topic}（200 字左右）", "有一处细节描写", "练习描写"),
        (_W, "古诗文默写与翻译重点句 {n} 句", "字词准确", "积累古诗文"),
        (_R, "名著阅读 20 分钟，写一句摘记", "注明页码", "整本书阅读"),
        (_O, "背诵本课要求的段落", "准确流畅", "积累语言"),
    ),
    ("junior", "数学"): (
        (_W, "课时练习第 1～{n} 题", "写出推理或计算过程", "巩固基本方法"),
        (_W, "选做一道变式题并写出思路", "思路清楚即可", "发展思维"),
        (_W, "整理本节错题两道，写出错因", "重在分析", "查漏补缺"),
        (_W, "证明题 {n} 道", "每步注明依据", "训练推理表达"),
        (_I, "收集一组生活中的数据，画统计图", "说明数据来源", "运用统计知识"),
    ),
    ("junior", "英语"): (
        (_W, "完成本单元语法练习第 {n} 题", "先复习规则再做", "巩固语法"),
        (_W, "根据提示写短文：{topic}（60 词左右）", "注意时态", "提高书面表达"),
        (_W, "阅读理解一篇，划出关键句", "限时完成", "培养阅读策略"),
        (_O, "朗读课文并复述大意", "五句话以上", "口语表达"),
        (_E, "听力训练 10 分钟", "一次听完再核对", "培养听力习惯"),
    ),
    ("junior", "道德与法治"): (
        (_W, "用本课观点评析一则新闻（100 字左右）", "观点明确", "学会运用知识"),
        (_P, "做一天家庭值日并记录", "如实记录", "知行合一"),
    ),
    ("junior", "历史"): (
        (_W, "画本课时间轴", "标出三件大事", "建立时序观念"),
        (_R, "阅读一段史料，写出两点信息", "区分史实和观点", "史料实证"),
    ),
    ("junior", "地理"): (
        (_W, "在填充图上标出本课的主要地形区", "注记清楚", "建立空间概念"),
        (_P, "看一次天气预报，说明图例含义", "用术语", "联系生活"),
    ),
    ("junior", "生物学"): (
        (_W, "完成概念图", "写清连接词", "构建概念"),
        (_I, "观察种子萌发并记录", "每天一次", "科学探究"),
    ),
    ("junior", "物理"): (
        (_W, "课后练习第 1～{n} 题", "写公式、代入、单位", "巩固规律"),
        (_P, "用身边的物品演示惯性", "注意安全", "理解规律"),
    ),
    ("junior", "化学"): (
        (_W, "配平化学方程式 {n} 个并写出反应类型", "注明条件", "巩固化学用语"),
        (_I, "查看三种食品标签上的成分", "记录名称", "联系生活"),
    ),
    ("junior", "体育与健康"): ((_P, "跳绳或慢跑 15 分钟", "量力而行", "坚持锻炼"),),
}  # fmt: skip


@lru_cache(maxsize=512)
def _wordings(stage: str, subject: str, form: str) -> tuple[Wording, ...]:
    return tuple(Wording(*each) for each in _TEXT.get((stage, subject), ()) if each[0] == form)


@lru_cache(maxsize=512)
def forms(grade: int, subject: str) -> tuple[str, ...]:
    """The forms that there are wordings of, in the order of the list."""
    stage = stage_of(grade)
    found = _TEXT.get((stage, subject)) or (_TEXT.get(("upper", subject), ()) if stage == "lower" else ())
    return tuple(dict.fromkeys(form for form, *_ in found if stage != "lower" or form != _W))


def worded(grade: int, subject: str, form: str, chance: random.Random) -> Wording:
    """A piece of homework of a form for a grade, filled in."""
    stage = stage_of(grade)
    # What the youngest do in writing stays at school; they share the little others do with the grades above.
    found = _wordings(stage, subject, form) or _wordings("upper", subject, form) or (_AT_SCHOOL,)
    chosen = found[int(chance.random() * len(found))]
    topic = _TOPICS[int(chance.random() * len(_TOPICS))]
    content = chosen.content.format(n=1 + int(chance.random() * 6), m=8 + int(chance.random() * 60), topic=topic)
    return Wording(chosen.form, content, chosen.requirements, chosen.intent)


_AT_SCHOOL = Wording(_W, "课堂练习本第 {m} 页", "在校内完成，老师当面指导", "当堂巩固")


def unit_name(grade: int, number: int) -> str:
    """``第三单元`` or, for the oldest, ``第三章``."""
    return f"第{_NUMERALS[(number - 1) % len(_NUMERALS)]}{'单元' if grade <= 6 else '章'}"
