"""Hostile policies: what each tries, and a word of the refusal; `python -m tests.policy.hostile` prints the table."""

from dataclasses import dataclass

from tierwise.config.policy import Policy
from tierwise.config.validation import check_settings
from tierwise.config.yaml_reader import parse_yaml
from tierwise.errors import InvalidInput
from tierwise.policy import check_expressions

HEAD = "policy: hostile\neffective_from: 2026-01-01\nowner: nobody\nreason: none\n"


@dataclass(frozen=True)
class Hostile:
    """One hostile input.

    Attributes:
        tries: What it tries, in words.
        shown: What the table shows of it.
        text: The policy file.
        says: A part of the refusal.
    """

    tries: str
    shown: str
    text: str
    says: str


def rule(tries: str, expression: str, says: str, shown: str | None = None) -> Hostile:
    """A policy whose rule is the expression."""
    quoted = '"' + expression.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return Hostile(tries, shown or expression, f"{HEAD}tiers:\n  - {{name: top, when: {quoted}}}\n", says)


def body(tries: str, shown: str, text: str, says: str) -> Hostile:
    """A policy with a hostile body."""
    return Hostile(tries, shown, HEAD + text, says)


PYTHON_OBJECT = "tiers: !!python/object/apply:os.system [ls]"
DEEP_TREE = "tiers: [{name: a, when: " + "{all: [" * 60 + "x > 1" + "]}" * 60 + "}]"
BAD_DAY = "tiers: [{name: a}]\nmovement: {freeze: [{from: 2026-01-01, until: 2026-02-30, reason: x}]}"
BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))

HOSTILE = (
    rule("a sub-query", "(select max(x) from deals) > 1", "sub-queries are not allowed"),
    rule("another table", "exists (from deals)", "not"),
    rule("a sub-query in a list", "a in (select b from c)", "sub-queries are not allowed"),
    rule("a file", "read_csv('/etc/passwd') = 1", "read_csv"),
    rule("a file by name", "a > 1 and read_text('secrets') <> ''", "read_text"),
    rule("the environment", "getenv('HOME') = 'x'", "getenv"),
    rule("a setting", "current_setting('threads') = '1'", "current_setting"),
    rule("a pragma", "pragma database_list", "pragma"),
    rule("another statement", "a > 1; drop table partners", "';'"),
    rule("loading code", "install httpfs", "install"),
    rule("a statement alone", "delete from partners", "delete"),
    rule("hiding behind a comment", "a > 1 -- or b", "comments are not allowed"),
    rule("hiding in a block comment", "a /* > 5 or 1 */ = 1", "comments are not allowed"),
    rule("a look-alike letter (Cyrillic а)", "\u0430 >= 1", "not allowed outside a text"),
    rule("a full-width digit", "a >= \uff11", "not allowed outside a text"),
    rule("a zero-width space", "a\u200b >= 1", "not allowed outside a text", "a[U+200B] >= 1"),
    rule("a right-to-left mark", "a >= \u202e1", "not allowed outside a text", "a >= [U+202E]1"),
    rule("very deep brackets", "(" * 900 + "a" + ")" * 900 + " > 1", "nested", "(((( ... 900 deep ... ))))"),
    rule("very deep negation", "not " * 400 + "a > 1", "nested", "not not not ... 400 deep"),
    rule("one megabyte", "a > 1 and " * 90_000 + "b > 1", "at most 2000", "a > 1 and ... 1 MB long"),
    rule("a long sum", "1" + "+1" * 3_000 + " > a", "at most 2000", "1+1+1+... 3,000 terms"),
    rule("nothing at all", "", "at least 1"),
    rule("an unclosed text", "a = 'x", "quote"),
    rule("an aggregate", "sum(a) > 1", "aggregate"),
    rule("a window in a rule", "rank() over (order by a) <= 3", "window"),
    rule("the clock", "now() > date '2026-01-01'", "as_of"),
    rule("chance", "random() > 0.5", "random"),
    rule("a parameter", "a > $1", "parameters are not allowed"),
    rule("another table's column", "deals.amount > 1", "dot"),
    rule("a number that does not fit", "a > " + "9" * 400, "digits", "a > 999... 400 digits"),
    rule("a lambda", "list_filter([1], x -> x > 0) = 1", "lists are not part"),
    rule("a macro", "pg_catalog.pg_sleep(10) = 1", "not"),
    rule("a cast to another type", "cast(a as json) = 1", "cast"),
    body("an unknown key", "tiers: [{name: a, wen: x}]", "tiers: [{name: a, wen: 'x > 1'}]", "did you mean 'when'"),
    body("a Python object", PYTHON_OBJECT, PYTHON_OBJECT, "tag"),
    body("an alias bomb", "a: &a [x, x, ...], b: &b [*a, *a, ...], ...", BOMB, "values"),
    body("a duplicate key", "owner: a, owner: b", "owner: other\ntiers: [{name: a}]", "owner"),
    body("no tiers", "tiers: []", "tiers: []", "at least 1"),
    body("a deep tree", "all: [all: [all: ...", DEEP_TREE, "deep"),
    body("a band of NaN", "band: .nan", "tiers: [{name: a}]\nmovement: {promote: {band: .nan}}", "band"),
    body("an infinite parameter", "p: .inf", "parameters: {p: .inf}\ntiers: [{name: a}]", "p"),
    body("a day that does not exist", "until: 2026-02-30", BAD_DAY, "is not a date"),
)  # fmt: skip


def read(text: str | bytes) -> Policy:
    """Read a policy as the program does: YAML, settings, expressions.

    Raises:
        InvalidInput: If anything about it is refused.
    """
    content = text.encode() if isinstance(text, str) else text
    policy = check_settings(Policy, parse_yaml(content, "policy.yaml"))
    check_expressions(policy)
    return policy


def refusal(text: str | bytes) -> str | None:
    """The message of the refusal; None where the policy is valid."""
    try:
        read(text)
    except InvalidInput as error:
        return str(error)
    return None


def table() -> str:
    """The table of docs/policy-hostile-input.md."""
    lines = ["| tries | written as | answer |", "| --- | --- | --- |"]
    for item in HOSTILE:
        answer = (refusal(item.text) or "").splitlines()[0].replace("|", "\\|")
        shown = "".join(letter if letter.isprintable() else f"[U+{ord(letter):04X}]" for letter in item.shown)
        lines.append(f"| {item.tries} | `{shown.replace('|', chr(92) + '|') or ' '}` | {answer} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
