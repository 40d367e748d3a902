"""Random policies as plain trees, and what they say read plainly: an oracle that shares no code with the compiler."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

UP = ("deals", "revenue", "skills")
DOWN = ("defects",)
GAIN, KEEP = Fraction(1, 20), Fraction(1, 10)
Facts = Mapping[str, float | None]
LEFT_OUT = "left out"


@dataclass(frozen=True)
class Leaf:
    """One comparison with its options."""

    metric: str
    operator: str
    threshold: Fraction
    unknown: str = "unknown"
    applies_if: tuple[str, Fraction] | None = None

    def written(self) -> object:
        check = f"{self.metric} {self.operator} {float(self.threshold):g}"
        options = {} if self.unknown == "unknown" else {"unknown": self.unknown}
        if self.applies_if is not None:
            options["applies_if"] = f"{self.applies_if[0]} > {float(self.applies_if[1]):g}"
        return {"check": check, **options} if options else check

    def holds(self, facts: Facts, band: Fraction, gaining: bool) -> bool | str | None:
        if self.applies_if is not None:
            figure = facts[self.applies_if[0]]
            if figure is not None and not Fraction(figure) > self.applies_if[1]:
                return LEFT_OUT
            if figure is None:
                return False if self.unknown == "fail" else LEFT_OUT if self.unknown == "skip" else None
        value = facts[self.metric]
        if value is None:
            return {"unknown": None, "fail": False, "skip": LEFT_OUT}[self.unknown]
        harder_is_higher = self.operator in (">=", ">")
        up = harder_is_higher == gaining
        moved = self.threshold + abs(self.threshold) * (band if up else -band)
        threshold = self.threshold if self.operator in ("=", "<>") else moved
        number = Fraction(str(value))
        return {
            ">=": number >= threshold, ">": number > threshold, "<=": number <= threshold, "<": number < threshold,
            "=": number == threshold, "<>": number != threshold,
        }[self.operator]  # fmt: skip


@dataclass(frozen=True)
class Tree:
    """A group of rules."""

    kind: str
    parts: tuple
    count: int = 0

    def written(self) -> object:
        parts = [part.written() for part in self.parts]
        return {"at_least": {"count": self.count, "of": parts}} if self.kind == "at_least" else {self.kind: parts}

    def holds(self, facts: Facts, band: Fraction, gaining: bool) -> bool | str | None:
        answers = [part.holds(facts, band, gaining) for part in self.parts]
        heard = [answer for answer in answers if answer != LEFT_OUT]
        if not heard:
            return LEFT_OUT
        if self.kind == "all":
            return False if False in heard else None if None in heard else True
        needed = 1 if self.kind == "any" else self.count
        if sum(answer is True for answer in heard) >= needed:
            return True
        return None if sum(answer is not False for answer in heard) >= needed else False


def leaves(monotone: bool) -> st.SearchStrategy[Leaf]:
    """Comparisons; monotone ones only ask for more of what is better."""
    thresholds = st.integers(-4, 20).map(lambda number: Fraction(number, 2))
    if monotone:
        better = st.tuples(st.sampled_from(UP), st.sampled_from([">=", ">"]))
        fewer = st.tuples(st.sampled_from(DOWN), st.sampled_from(["<=", "<"]))
        return st.builds(lambda pair, threshold: Leaf(*pair, threshold), better | fewer, thresholds)
    return st.builds(
        Leaf,
        st.sampled_from(UP + DOWN),
        st.sampled_from([">=", ">", "<=", "<", "=", "<>"]),
        thresholds,
        st.sampled_from(["unknown", "unknown", "fail", "skip"]),
        st.none() | st.none() | st.tuples(st.sampled_from(UP), thresholds),
    )


def _groups(parts: st.SearchStrategy) -> st.SearchStrategy[Tree]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Tree, st.sampled_from(["all", "any"]), several),
        several.flatmap(lambda given: st.builds(Tree, st.just("at_least"), st.just(given), st.integers(1, len(given)))),
    )


def rules(monotone: bool) -> st.SearchStrategy:
    return st.recursive(leaves(monotone), _groups, max_leaves=6)


def ladders(monotone: bool) -> st.SearchStrategy[list]:
    """Rules of three tiers, of which the lowest may always hold."""
    return st.tuples(st.none() | rules(monotone), rules(monotone), rules(monotone)).map(list)


def place_of(ladder: list, facts: Facts, band: Fraction = Fraction(0), gaining: bool = True) -> int:
    """The place of the highest tier whose rule holds; -1 for none."""
    held = [place for place, rule in enumerate(ladder) if rule is None or rule.holds(facts, band, gaining) is True]
    return max(held, default=-1)
